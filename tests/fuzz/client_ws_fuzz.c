/* tests/fuzz/client_ws_fuzz.c -- plan: any bytes as a server's frames. The first byte: bit 0
 * permessage-deflate was agreed on, the rest how many bytes come at a time. Whole, so cut, and byte by byte
 * must give the same events; payloads lie in the input or in the reader's assembly, and a message is never
 * larger than its bound. */
#include "cmd/client_ws.h"

#include "base/assert.h"

#include <stdlib.h>

/* What a reading comes to. */
struct outcome {
    uint64_t events, hash;
    bool over;
    const char *fail;
};

static void fold(struct outcome *o, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        o->hash = (o->hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static void take(struct outcome *o, enum client_event event, const struct client_message *m)
{
    uint8_t what[] = {(uint8_t)event, m->packed, (uint8_t)m->close_code, (uint8_t)(m->close_code >> 8)};
    o->events++;
    o->over = event == CLIENT_BAD || event == CLIENT_CLOSE;
    o->fail = m->fail;
    TC_ASSERT((event == CLIENT_BAD) == (m->fail != NULL));
    TC_ASSERT(m->size <= CLIENT_MESSAGE_MAX);
    TC_ASSERT(event == CLIENT_TEXT || event == CLIENT_BINARY || m->size <= WS_CONTROL_BYTES_MAX);
    fold(o, what, sizeof what);
    fold(o, &m->size, sizeof m->size);
    fold(o, m->payload, m->size);
}

/* Each turn sees `step` bytes more than the last one, in memory of that very size. */
static struct outcome run(const uint8_t *bytes, size_t size, bool deflate, size_t step)
{
    struct outcome o = {.hash = UINT64_C(0xcbf29ce484222325)};
    struct client_reader reader = {.deflate = deflate};
    size_t start = 0, seen = 0;
    while (!o.over && seen < size) {
        seen = step < size - seen ? seen + step : size;
        uint8_t *piece = malloc(seen - start + 1);
        TC_ASSERT(piece != NULL);
        memcpy(piece + 1, bytes + start, seen - start);
        size_t at = 0, used;
        for (;;) {
            struct client_message m;
            enum client_event event = client_read(&reader, piece + 1 + at, seen - start - at, &used, &m);
            TC_ASSERT(used <= seen - start - at);
            at += used;
            if (event == CLIENT_MORE) break;
            take(&o, event, &m);
            if (o.over) break;
            TC_ASSERT(used >= 2);
        }
        start += at;
        free(piece);
    }
    client_reader_free(&reader);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 1) return 0;
    bool deflate = input[0] & 1;
    struct outcome whole = run(input + 1, size - 1, deflate, size);
    const size_t steps[] = {1, (size_t)1 + input[0] / 2};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct outcome cut = run(input + 1, size - 1, deflate, steps[i]);
        TC_ASSERT(cut.events == whole.events && cut.over == whole.over && cut.fail == whole.fail);
        TC_ASSERT(cut.hash == whole.hash);
    }
    return 0;
}
