/* log/log_read.c -- the readers' side: copy, then check that the writer has not lapped the copy meanwhile.
 * Thread: any. Nothing here writes to the log. */
#include "base/assert.h"
#include "log/log_shared.h"

uint64_t log_head(const struct log *l)
{
    return atomic_load_explicit(&l->head, memory_order_acquire); /* pairs with log_append */
}

uint64_t log_drained(const struct log *l)
{
    return atomic_load_explicit(&l->drained_ns, memory_order_acquire); /* pairs with log_set_drained */
}

uint64_t log_after_lap(const struct log *l)
{
    uint64_t head = log_head(l), half = l->capacity / 2;
    return head > half ? head - half : 0;
}

bool log_holds(const struct log *l, uint64_t from)
{
    return log_still_holds(l, from);
}

/* How many ticks of (from, ...] there are, at most count_max. */
static uint32_t available(const struct log *l, uint64_t from, uint32_t count_max)
{
    uint64_t head = log_head(l);
    TC_ASSERT(from <= head); /* cursors from outside were checked where they came in */
    return (uint32_t)min_u64(head - from, count_max);
}

int log_read(const struct log *l, uint64_t from, struct tick *out, uint32_t count_max)
{
    uint32_t count = available(l, from, count_max);
    for (uint32_t i = 0; i < count; i++) {
        const struct log_tick_slot *slot = &l->ticks[(uint32_t)(from + 1 + i) & l->mask];
        uint64_t words[TICK_WORDS];
        for (uint32_t w = 0; w < TICK_WORDS; w++)
            words[w] = atomic_load_explicit(&slot->word[w], memory_order_acquire); /* pairs with put_tick */
        memcpy(&out[i], words, sizeof words);
    }
    if (!log_still_holds(l, from)) return TC_LAPPED;
    if (count > 0) TC_ASSERT(out[0].seq == from + 1); /* the writer stamped head + 1 */
    return (int)count;
}

int log_read_keys(const struct log *l, uint64_t from, uint32_t *out, uint32_t count_max)
{
    uint32_t count = available(l, from, count_max);
    for (uint32_t i = 0; i < count; i++)
        out[i] = atomic_load_explicit(&l->keys[(uint32_t)(from + 1 + i) & l->mask],
                                      memory_order_acquire); /* pairs with put_tick */
    return log_still_holds(l, from) ? (int)count : TC_LAPPED;
}

int log_json_size(const struct log *l, uint64_t seq)
{
    uint64_t head = atomic_load_explicit(&l->jsons[(uint32_t)seq & l->mask].head, memory_order_acquire);
    if ((uint32_t)(head >> 32) != (uint32_t)seq) return TC_LAPPED;
    return log_still_holds(l, seq - 1) ? (int)(uint32_t)head : TC_LAPPED;
}

int log_read_json(const struct log *l, uint64_t seq, char *out)
{
    const struct log_json_slot *slot = &l->jsons[(uint32_t)seq & l->mask];
    uint64_t head = atomic_load_explicit(&slot->head, memory_order_acquire); /* pairs with put_json */
    if ((uint32_t)(head >> 32) != (uint32_t)seq) return TC_LAPPED;
    uint32_t size = (uint32_t)head;
    if (size > TICK_JSON_MAX) return TC_LAPPED;
    for (uint32_t i = 0; i * 8 < size; i++)
        store_le64(out + (size_t)i * 8, atomic_load_explicit(&slot->word[i], memory_order_acquire));
    return log_still_holds(l, seq - 1) ? (int)size : TC_LAPPED;
}
