/* bench/compare/load/find.h -- where the ticks stand in a stream of bytes: every mark, and the next `}`
 * behind it. Ten million ticks a second are counted by one processor that also receives them, so the bytes
 * are looked at 64 at once: a bit for each place at which the mark's rarest two letters stand, a bit for each
 * `}`. What the bits say is checked before it counts.
 *
 * Up to FIND_PAD bytes behind the end are read (never used): whoever owns the buffer keeps that room. */
#ifndef TC_BENCH_COMPARE_FIND_H
#define TC_BENCH_COMPARE_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined __SSE2__ && !defined FIND_PORTABLE
#include <emmintrin.h>
#define FIND_SSE2
#else
#include <endian.h>
#endif

#define FIND_MARK      "\"symbol\":\""
#define FIND_MARK_SIZE (sizeof FIND_MARK - 1)
#define FIND_PAIR      3 /* of the mark: `m`, with `b` behind it; in no other word of a tick */
#define FIND_BLOCK     64
#define FIND_PAD       (FIND_BLOCK + 1)

struct find {
    const char *begin, *end;
    const char *next;       /* the block that was not looked at yet */
    const char *block;      /* what the bits are of; only those not taken yet are set */
    uint64_t pairs, braces; /* bit n: of block[n] */
};

/* Bit n: p[n] is a, and p[n + 1] is b. */
static inline uint64_t find_pairs(const char *p, char a, char b);
/* Bit n: p[n] is c. */
static inline uint64_t find_bytes(const char *p, char c);

static inline struct find find_begin(const char *begin, const char *end)
{
    return (struct find){.begin = begin, .end = end, .next = begin};
}

/* False: there are no more bytes. */
static inline bool find_block(struct find *f)
{
    if (f->next >= f->end) return false;
    uint64_t left = (uint64_t)(f->end - f->next);
    uint64_t within = left >= FIND_BLOCK ? UINT64_MAX : (UINT64_C(1) << left) - 1;
    f->block = f->next;
    f->pairs = find_pairs(f->block, FIND_MARK[FIND_PAIR], FIND_MARK[FIND_PAIR + 1]) & within;
    f->braces = find_bytes(f->block, '}') & within;
    f->next += FIND_BLOCK;
    return true;
}

/* The next mark that stands whole between begin and end; NULL: none. */
static inline const char *find_mark(struct find *f)
{
    for (;;) {
        while (f->pairs == 0)
            if (!find_block(f)) return NULL;
        const char *pair = f->block + __builtin_ctzll(f->pairs), *mark = pair - FIND_PAIR;
        f->pairs &= f->pairs - 1;
        bool whole = pair - f->begin >= FIND_PAIR && f->end - pair >= (ptrdiff_t)FIND_MARK_SIZE - FIND_PAIR;
        if (!whole || memcmp(mark, FIND_MARK, FIND_MARK_SIZE) != 0) continue;
        f->braces &= UINT64_MAX << (pair - f->block); /* those in front close nothing of this tick */
        return mark;
    }
}

/* The `}` of the tick whose mark was found last; NULL: it has not come yet. */
static inline const char *find_close(struct find *f)
{
    while (f->braces == 0)
        if (!find_block(f)) return NULL;
    int at = __builtin_ctzll(f->braces);
    f->braces &= f->braces - 1;
    f->pairs &= UINT64_MAX << at; /* marks in front of it are of this tick: one tick, counted once */
    return f->block + at;
}

#ifdef FIND_SSE2
static inline uint64_t find_pairs(const char *p, char a, char b)
{
    uint64_t bits = 0;
    for (int i = 0; i < FIND_BLOCK; i += 16) {
        __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + i)), _mm_set1_epi8(a));
        __m128i second = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + i + 1)), _mm_set1_epi8(b));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_and_si128(first, second)) << i;
    }
    return bits;
}

static inline uint64_t find_bytes(const char *p, char c)
{
    uint64_t bits = 0;
    for (int i = 0; i < FIND_BLOCK; i += 16) {
        __m128i same = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + i)), _mm_set1_epi8(c));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(same) << i;
    }
    return bits;
}
#else
/* Each byte is 0 or 1: bit n is byte n. */
static inline uint64_t find_gather(const uint8_t same[FIND_BLOCK])
{
    uint64_t bits = 0, eight;
    for (int i = 0; i < FIND_BLOCK; i += 8) {
        memcpy(&eight, same + i, sizeof eight);
        bits |= (le64toh(eight) * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return bits;
}

static inline uint64_t find_pairs(const char *p, char a, char b)
{
    uint8_t same[FIND_BLOCK];
    for (int i = 0; i < FIND_BLOCK; i++) same[i] = (p[i] == a) & (p[i + 1] == b);
    return find_gather(same);
}

static inline uint64_t find_bytes(const char *p, char c)
{
    uint8_t same[FIND_BLOCK];
    for (int i = 0; i < FIND_BLOCK; i++) same[i] = p[i] == c;
    return find_gather(same);
}
#endif

#endif
