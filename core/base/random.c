#include "base/random.h"

#include "base/assert.h"

#include <sys/random.h>

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void random_seed(struct random *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = z ^ (z >> 31);
    }
}

uint64_t random_u64(struct random *r)
{
    uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    TC_ASSERT(bound > 0);
    uint64_t threshold = (0 - bound) % bound; /* values below it would make some results likelier */
    for (;;) {
        uint64_t x = random_u64(r);
        if (x >= threshold) return x % bound;
    }
}

void random_secret(void *out, uint32_t size)
{
    TC_ASSERT(size <= 256); /* getrandom never returns short up to 256 bytes */
    TC_ASSERT(getrandom(out, size, 0) == (ssize_t)size);
}
