/* base/random.h -- seeded random numbers, the same on every processor: integers only, no libm.
 * Generator: xoshiro256** seeded by splitmix64 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
 * Generators", 2018). Not for secrets: those come from getrandom(2). Thread: one owner per state. */
#ifndef TC_BASE_RANDOM_H
#define TC_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t s[4];
};

void random_seed(struct random *r, uint64_t seed);
uint64_t random_u64(struct random *r);
/* Uniform in [0, bound); bound > 0. Unbiased (rejection). */
uint64_t random_below(struct random *r, uint64_t bound);
/* Bytes from the kernel, for epochs and keys. Aborts if there are none. */
void random_secret(void *out, uint32_t size);

#endif
