/* support/ws_trace.h -- runs a reader over bytes in pieces and writes down what came out, so that two ways of
 * cutting the same bytes can be compared. Used by the property test and the fuzzer. */
#ifndef TC_TESTS_SUPPORT_WS_TRACE_H
#define TC_TESTS_SUPPORT_WS_TRACE_H

#include "base/assert.h"
#include "wire/ws.h"

#include <stdlib.h>

/* Events as bytes: event, opcode, code, size, payload, one after the other. Owner: free bytes. */
struct ws_trace {
    uint8_t *bytes;
    size_t size, room;
    uint32_t events, asked; /* asked: how often an assembly was needed */
    bool closed;
};

static inline void ws_trace_put(struct ws_trace *t, const void *bytes, size_t size)
{
    if (t->room - t->size < size) {
        t->room = (t->size + size) * 2;
        t->bytes = realloc(t->bytes, t->room);
        TC_ASSERT(t->bytes != NULL);
    }
    if (size > 0) memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

/* The next piece's size out of what is left; ws_trace_run asks until everything is through. */
typedef size_t (*ws_trace_cut)(void *state, size_t left);

static inline void ws_trace_event(struct ws_trace *t, enum ws_event event, const struct ws_message *m)
{
    uint32_t head[4] = {event, event == WS_EVENT_FAIL ? 0 : m->opcode, m->close_code, m->size};
    ws_trace_put(t, head, sizeof head);
    if (event == WS_EVENT_FAIL)
        ws_trace_put(t, m->fail, strlen(m->fail));
    else
        ws_trace_put(t, m->payload, m->size);
    t->events++;
    t->closed |= event == WS_EVENT_CLOSE || event == WS_EVENT_FAIL;
}

/* Each piece is a block of its own, so that the address sanitizer sees a step over its ends. The assembly is
 * given when asked for and taken back at the first idle moment, as a worker does. */
static inline struct ws_trace ws_trace_run(const uint8_t *bytes, size_t size, uint32_t message_bytes_max,
                                           ws_trace_cut cut, void *state)
{
    struct ws_trace t = {0};
    struct ws_reader reader = {0};
    struct ws_assembly *assembly = NULL;
    for (size_t at = 0; at < size;) {
        size_t piece_size = cut ? cut(state, size - at) : size - at;
        TC_ASSERT(piece_size > 0 && piece_size <= size - at);
        uint8_t *piece = malloc(piece_size);
        TC_ASSERT(piece != NULL);
        memcpy(piece, bytes + at, piece_size);
        for (size_t used = 0, step = 1;;) {
            struct ws_message m;
            enum ws_event event =
                ws_read(&reader, piece + used, piece_size - used, &step, assembly, message_bytes_max, &m);
            used += step;
            TC_ASSERT(used <= piece_size);
            if (event == WS_EVENT_MORE) break;
            if (event == WS_EVENT_NEED_ASSEMBLY) {
                TC_ASSERT(assembly == NULL);
                assembly = malloc(sizeof *assembly + message_bytes_max);
                TC_ASSERT(assembly != NULL);
                t.asked++;
                continue;
            }
            TC_ASSERT(!t.closed); /* nothing comes after the end */
            ws_trace_event(&t, event, &m);
            if (ws_reader_idle(&reader)) {
                free(assembly);
                assembly = NULL;
            }
        }
        free(piece);
        at += piece_size;
    }
    free(assembly);
    return t;
}

static inline bool ws_trace_equal(const struct ws_trace *a, const struct ws_trace *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

#endif
