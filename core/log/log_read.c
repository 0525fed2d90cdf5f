/* log/log_read.c -- the readers' side: copy, then check that the writer has not lapped the copy meanwhile.
 * Thread: any. Nothing here writes to the log. */
#include "base/assert.h"
#include "log/log_shared.h"
#include "tick/tick_bin.h"

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

uint32_t log_key_at(const struct log *l, uint64_t seq)
{
    return atomic_load_explicit(&l->keys[(uint32_t)seq & l->mask], memory_order_acquire); /* put_tick */
}

int log_json_size(const struct log *l, uint64_t seq)
{
    uint64_t head = atomic_load_explicit(&l->jsons[(uint32_t)seq & l->mask].head, memory_order_acquire);
    if ((uint32_t)(head >> 32) != (uint32_t)seq) return TC_LAPPED;
    return log_still_holds(l, seq - 1) ? (int)(uint32_t)head : TC_LAPPED;
}

static inline void copy_word(char *out, const _Atomic uint64_t *word)
{
    store_le64(out, atomic_load_explicit(word, memory_order_acquire)); /* pairs with put_json */
}

int log_read_json(const struct log *l, uint64_t seq, char *out)
{
    const struct log_json_slot *slot = &l->jsons[(uint32_t)seq & l->mask];
    uint64_t head = atomic_load_explicit(&slot->head, memory_order_acquire); /* pairs with put_json */
    if ((uint32_t)(head >> 32) != (uint32_t)seq) return TC_LAPPED;
    uint32_t size = (uint32_t)head;
    if (size > TICK_JSON_MAX) return TC_LAPPED;
    const _Atomic uint64_t *word = slot->word, *end = word + (size + 7) / 8;
    for (; end - word >= 4; word += 4, out += 32) { /* atomic loads are not unrolled by the compiler */
        copy_word(out, word);
        copy_word(out + 8, word + 1);
        copy_word(out + 16, word + 2);
        copy_word(out + 24, word + 3);
    }
    for (; word < end; word++, out += 8) copy_word(out, word);
    return log_still_holds(l, seq - 1) ? (int)size : TC_LAPPED;
}

/* Which words of a tick's slot stand in its record behind the time; count 0: the record is made by tick_bin.
 */
static const struct {
    uint8_t first, count;
} numbers[16] = {
    [TICK_TRADE] = {4, 2}, /* and the venue's id, where there is one */
    [TICK_QUOTE] = {4, 4},
    [TICK_BAR] = {3, 5},
    [TICK_BOOK] = {4, 2},
};
_Static_assert(offsetof(struct tick, trade) == 32 && offsetof(struct tick, quote) == 32 &&
                   offsetof(struct tick, book) == 32 && offsetof(struct tick, bar) == 24,
               "numbers stand in words 4 and 3 on");

static int read_rare(const struct log *l, uint64_t seq, uint16_t back, uint8_t *out)
{
    struct tick t;
    int r = log_read(l, seq - 1, &t, 1);
    return r < 0 ? r : (int)tick_bin(out, &t, back);
}

int log_read_bin(const struct log *l, uint64_t seq, uint16_t back, uint8_t *out)
{
    const struct log_tick_slot *slot = &l->ticks[(uint32_t)seq & l->mask];
    uint64_t about = atomic_load_explicit(&slot->word[2], memory_order_acquire); /* pairs with put_tick */
    uint8_t kind =
        (uint8_t)(about >> 32 & 15); /* of a newer lap perhaps: any value is safe until the check */
    uint32_t first = numbers[kind].first, count = numbers[kind].count;
    if (count == 0) return read_rare(l, seq, back, out);
    if (kind == TICK_TRADE) count += atomic_load_explicit(&slot->word[6], memory_order_acquire) != 0;
    uint64_t head = TICK_BIN_HEAD(kind, 2 + count) | (about >> 40 & 0xff) << 8 |
                    (uint64_t)(uint8_t) - (about >> 48 & 0xff) << 16 |
                    (uint64_t)(uint8_t) - (about >> 56) << 24 | (about & 0xffff) << 32 | (uint64_t)back << 48;
    store_le64(out, head);
    store_le64(out + 8, atomic_load_explicit(&slot->word[1], memory_order_acquire));
    for (uint32_t i = 0; i < count; i++)
        store_le64(out + 16 + (size_t)i * 8,
                   atomic_load_explicit(&slot->word[first + i], memory_order_acquire));
    return log_still_holds(l, seq - 1) ? (int)(16 + count * 8) : TC_LAPPED;
}
