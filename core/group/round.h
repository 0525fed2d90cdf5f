/* group/round.h -- cohorts with something to do, visited round and round in the order of their numbers.
 *
 * Bits, not a list: whoever has news is told by one bit, the visits go through memory and over sockets in
 * much the order in which they were made, and the ones to come are known in advance. Nobody waits longer than
 * one round: the walk only goes forward. Thread: one worker owns it. */
#ifndef TC_GROUP_ROUND_H
#define TC_GROUP_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUND_NONE UINT32_MAX

struct cohort;

struct round {
    struct cohort **at;   /* by number; valid where taken */
    uint64_t *taken;      /* bit: the number is somebody's */
    uint64_t *waiting;    /* bit: has something to do */
    uint64_t *some;       /* bit n: waiting[n] is not 0 */
    uint32_t most, count; /* of numbers; of those who wait */
    uint32_t next;        /* the turn is at this number, or the first one behind it */
    uint32_t free_word;   /* no number is free in the words of `taken` before this one */
    uint32_t some_words;  /* of `some` that ever were of use */
};

int round_init(struct round *r, uint32_t most); /* 0 or TC_ESYSTEM; addresses only, touched on use */
void round_destroy(struct round *r);
size_t round_bytes(uint32_t most);

/* The lowest free number, now c's. ROUND_NONE: all are taken. */
uint32_t round_enter(struct round *r, struct cohort *c);
/* The number is free again; it waits no more. */
void round_leave(struct round *r, uint32_t number);

static inline bool round_waits(const struct round *r, uint32_t number)
{
    return r->waiting[number / 64] >> number % 64 & 1;
}
/* It waits; once is as good as twice. */
static inline void round_put(struct round *r, uint32_t number)
{
    r->count += !round_waits(r, number);
    r->waiting[number / 64] |= UINT64_C(1) << number % 64;
    r->some[number / 64 / 64] |= UINT64_C(1) << number / 64 % 64;
}

/* The one whose turn it is waits no more. NULL: nobody waits. */
struct cohort *round_take(struct round *r);
/* Who waits next after a number, in this round or the one after it. ROUND_NONE: nobody. */
uint32_t round_after(const struct round *r, uint32_t number);

#endif
