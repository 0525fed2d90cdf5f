/* tests/fuzz/fixed_random.h -- for one source file of a fuzzer. In the place of libc's getrandom: the log's
 * epoch and the secrets of hash tables are the same each time, so that an input is as well. */
#ifndef TC_TESTS_FIXED_RANDOM_H
#define TC_TESTS_FIXED_RANDOM_H

#include <string.h>
#include <sys/random.h>

ssize_t getrandom(void *out, size_t size, unsigned flags)
{
    (void)flags;
    memset(out, 0x5a, size);
    return (ssize_t)size;
}

#endif
