/* bench/compare/load/stream.c -- ticks in a stream of bytes; see load.h. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#define MARK     FIND_MARK_SIZE
#define IN_FRONT 48 /* bytes before the mark, in which the tick's seq stands */

static void take_latency(struct measured *m, const char *tick, const char *end);
static uint64_t seq_before(const char *start, const char *tick);

void stream_take(struct subscriber *s, struct measured *m, const struct options *o, const char *bytes,
                 size_t size, bool measuring)
{
    const char *end = bytes + size, *at = bytes + s->from, *first = NULL, *last = NULL, *cut = NULL;
    struct find found = find_begin(at, end);
    uint64_t ticks = 0, every = (uint64_t)o->sample, sampled = every - s->ticks % every;
    for (const char *tick; (tick = find_mark(&found)) != NULL;) {
        const char *close = find_close(&found);
        if (!close) {
            cut = tick;
            break;
        }
        if (!first) first = tick;
        last = tick;
        if (++ticks == sampled) {
            sampled += every;
            if (measuring && !s->swept) take_latency(m, tick, close);
        }
        at = close;
    }
    if (first && s->seq_first == 0) {
        s->seq_first = seq_before(bytes, first);
        s->ticks = 0;
    }
    s->ticks += ticks;
    if (last) s->seq_last = seq_before(bytes, last);
    if (measuring) m->ticks += ticks;

    const char *keep, *next; /* what the next read must still see; where its search begins */
    if (cut) {
        next = cut;
        keep = cut - bytes > IN_FRONT ? cut - IN_FRONT : bytes;
    } else {
        next = end - at >= (ptrdiff_t)MARK ? end - (MARK - 1) : at;
        keep = end - bytes > IN_FRONT + (ptrdiff_t)MARK ? end - IN_FRONT - MARK : bytes;
    }
    s->carry_size = (uint32_t)(end - keep);
    s->from = (uint32_t)(next - keep);
    if (s->carry_size > CARRY_MAX) die("a tick of more than %d bytes", CARRY_MAX);
    memcpy(s->carry, keep, s->carry_size);
}

static void take_latency(struct measured *m, const char *tick, const char *end)
{
    uint64_t now = now_real_ns();
    const char *ts = memmem(tick, (size_t)(end - tick), "\"ts\":", 5);
    if (!ts) {
        m->latency_bad++;
        return;
    }
    uint64_t ns = strtoull(ts + 5, NULL, 10);
    if (ns < UINT64_C(100000000000000000)) ns *= 1000;
    if (ns > now || now - ns > UINT64_C(60000000000)) { /* no time of this run */
        m->latency_bad++;
        return;
    }
    uint64_t late = now - ns, bucket = late / LATENCY_STEP;
    m->latency[bucket < LATENCY_MOST ? bucket : LATENCY_MOST - 1]++;
    m->latency_count++;
    if (late > m->latency_max_ns) m->latency_max_ns = late;
}

static uint64_t seq_before(const char *start, const char *tick)
{
    for (const char *p = tick - 6; p >= start && p > tick - IN_FRONT; p--)
        if (memcmp(p, "\"seq\":", 6) == 0) return strtoull(p + 6, NULL, 10);
    return 0;
}
