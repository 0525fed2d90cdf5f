/* group/round.c -- see round.h. */
#include "group/round.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/memory.h"

static uint32_t words(uint32_t most);
static uint32_t from_on(const struct round *r, uint32_t number);
static void clear(struct round *r, uint32_t number);

int round_init(struct round *r, uint32_t most)
{
    *r = (struct round){.most = most};
    r->at = memory_reserve(most * sizeof *r->at);
    r->taken = memory_reserve(words(most) * sizeof *r->taken);
    r->waiting = memory_reserve(words(most) * sizeof *r->waiting);
    r->some = memory_reserve(words(words(most)) * sizeof *r->some);
    return r->at && r->taken && r->waiting && r->some ? 0 : TC_ESYSTEM;
}

static uint32_t words(uint32_t most)
{
    return most / 64 + 1;
}

void round_destroy(struct round *r)
{
    memory_release(r->at, r->most * sizeof *r->at);
    memory_release(r->taken, words(r->most) * sizeof *r->taken);
    memory_release(r->waiting, words(r->most) * sizeof *r->waiting);
    memory_release(r->some, words(words(r->most)) * sizeof *r->some);
    *r = (struct round){.at = NULL};
}

size_t round_bytes(uint32_t most)
{
    struct round *r;
    return most * sizeof *r->at + words(most) * (sizeof *r->taken + sizeof *r->waiting) +
           words(words(most)) * sizeof *r->some;
}

uint32_t round_enter(struct round *r, struct cohort *c)
{
    uint32_t word = r->free_word;
    while (word < words(r->most) && r->taken[word] == UINT64_MAX) word++;
    uint32_t number = word * 64 + (word < words(r->most) ? (uint32_t)__builtin_ctzll(~r->taken[word]) : 0);
    if (number >= r->most) return ROUND_NONE;
    r->free_word = word;
    r->taken[word] |= UINT64_C(1) << number % 64;
    r->at[number] = c;
    if (r->some_words <= word / 64) r->some_words = word / 64 + 1;
    return number;
}

void round_leave(struct round *r, uint32_t number)
{
    TC_ASSERT(r->taken[number / 64] >> number % 64 & 1);
    if (round_waits(r, number)) clear(r, number);
    r->taken[number / 64] &= ~(UINT64_C(1) << number % 64);
    if (number / 64 < r->free_word) r->free_word = number / 64;
}

static void clear(struct round *r, uint32_t number)
{
    uint32_t word = number / 64;
    r->waiting[word] &= ~(UINT64_C(1) << number % 64);
    if (r->waiting[word] == 0) r->some[word / 64] &= ~(UINT64_C(1) << word % 64);
    r->count--;
}

struct cohort *round_take(struct round *r)
{
    if (r->count == 0) return NULL;
    uint32_t number = from_on(r, r->next);
    if (number == ROUND_NONE) number = from_on(r, 0);
    clear(r, number);
    r->next = number + 1;
    return r->at[number];
}

uint32_t round_after(const struct round *r, uint32_t number)
{
    if (r->count == 0) return ROUND_NONE;
    uint32_t after = from_on(r, number + 1);
    return after != ROUND_NONE ? after : from_on(r, 0);
}

/* The least one from number on that waits. */
static uint32_t from_on(const struct round *r, uint32_t number)
{
    if (number >= r->most) return ROUND_NONE;
    uint32_t word = number / 64;
    uint64_t bits = r->waiting[word] & UINT64_MAX << number % 64;
    if (bits != 0) return word * 64 + (uint32_t)__builtin_ctzll(bits);
    uint32_t from = word + 1;
    for (uint32_t i = from / 64; i < r->some_words; i++) {
        bits = r->some[i];
        if (i == from / 64) bits &= UINT64_MAX << from % 64;
        if (bits == 0) continue;
        word = i * 64 + (uint32_t)__builtin_ctzll(bits);
        return word * 64 + (uint32_t)__builtin_ctzll(r->waiting[word]);
    }
    return ROUND_NONE;
}
