#include "feeds/sim_math.h"

#include "base/assert.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

static uint32_t log2_q24(uint32_t ratio_q31);

void sim_log_table_fill(struct sim_log_table *t)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t ratio_q31 = (1u << 31) + i * (1u << 23); /* 1 + i/256 */
        t->at[i] = (uint32_t)((uint64_t)log2_q24(ratio_q31) * SIM_LN2_Q24 >> 24);
    }
    t->at[256] = SIM_LN2_Q24;
}

/* Binary logarithm of a number in [1, 2), bit by bit: squaring doubles the logarithm. */
static uint32_t log2_q24(uint32_t ratio_q31)
{
    uint64_t x = ratio_q31;
    uint32_t result = 0;
    for (int bit = 0; bit < 24; bit++) {
        x = x * x >> 31;
        result <<= 1;
        if (x >= UINT64_C(1) << 32) {
            x >>= 1;
            result |= 1;
        }
    }
    return result;
}

uint64_t sim_exponential_q24(const struct sim_log_table *t, uint64_t random)
{
    /* U = 2^-(zeros + 1) * 1.fraction is uniform in (0, 1]; the gap is -ln U. */
    uint32_t zeros = (uint32_t)__builtin_clzll(random | 1);
    uint64_t fraction = zeros < 63 ? random << (zeros + 1) : 0;
    uint32_t index = (uint32_t)(fraction >> 56), part = (uint32_t)(fraction >> 40) & 0xffff;
    uint64_t low = t->at[index], high = t->at[index + 1];
    uint64_t ln = low + ((high - low) * part >> 16);
    return (uint64_t)(zeros + 1) * SIM_LN2_Q24 - ln;
}

int64_t sim_sigma(int64_t sigma)
{
    return sigma * SIM_ONE_Q16 /
           37837; /* the sum of four uniforms of 16 bits deviates by 65536 * sqrt(4 / 12) */
}

uint64_t sim_sqrt(uint64_t x)
{
    if (x < 2) return x;
    uint64_t root = UINT64_C(1) << ((64 - __builtin_clzll(x) + 1) / 2); /* at or above it */
    for (;;) { /* Newton from above: falls until it is there */
        uint64_t next = (root + x / root) / 2;
        if (next >= root) return root;
        root = next;
    }
}

int64_t sim_exp_q30(int64_t x)
{
    const int64_t one = INT64_C(1) << 30;
    TC_ASSERT(x >= -one);
    TC_ASSERT(x <= one);
    int64_t sum = one + x / 5;
    sum = one + sum * x / one / 4;
    sum = one + sum * x / one / 3;
    sum = one + sum * x / one / 2;
    return one + sum * x / one;
}

int sim_alias_open(struct sim_alias *a, const uint64_t *weights, uint32_t count)
{
    TC_ASSERT(count > 0);
    *a = (struct sim_alias){.count = count};
    a->threshold = calloc(count, sizeof *a->threshold);
    a->other = calloc(count, sizeof *a->other);
    uint64_t *share = calloc(count, sizeof *share); /* Q32 of the mean */
    uint32_t *stack = calloc(count, sizeof *stack); /* small ones from the left, large ones from the right */
    int rc = a->threshold && a->other && share && stack ? 0 : -1;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) total += weights[i];
    uint32_t small = 0, large = count;
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        share[i] = (uint64_t)(((u128)weights[i] * count << 32) / total);
        stack[share[i] < UINT64_C(1) << 32 ? small++ : --large] = i;
    }
    while (rc == 0 && small > 0 && large < count) {
        uint32_t less = stack[--small], more = stack[large];
        a->threshold[less] = (uint32_t)share[less];
        a->other[less] = more;
        share[more] -= (UINT64_C(1) << 32) - share[less];
        if (share[more] < UINT64_C(1) << 32) { /* now a small one: the two stacks never overlap */
            large++;
            stack[small++] = more;
        }
    }
    while (rc == 0 && small > 0) a->threshold[stack[--small]] = UINT32_MAX; /* rounding: whole columns */
    for (; rc == 0 && large < count; large++) a->threshold[stack[large]] = UINT32_MAX;
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        if (a->threshold[i] == UINT32_MAX) a->other[i] = i;
    free(share);
    free(stack);
    return rc;
}

void sim_alias_close(struct sim_alias *a)
{
    free(a->threshold);
    free(a->other);
    *a = (struct sim_alias){0};
}
