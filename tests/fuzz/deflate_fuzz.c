/* tests/fuzz/deflate_fuzz.c -- plan: any bytes as a packed message. The first two bytes are the largest
 * message allowed. What unpacks is within it, comes out the same again, and survives being packed and
 * unpacked. */
#include "wire/ws_deflate.h"

#include "base/assert.h"

#include <stdlib.h>

#define LIMIT_MAX 65536u

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct deflater *d;
    static uint8_t out[LIMIT_MAX + 2], again[LIMIT_MAX + 2], packed[LIMIT_MAX];
    if (!d) d = deflater_create(1); /* once: set-up costs more than a run */
    TC_ASSERT(d != NULL);
    if (size < 2 || size > LIMIT_MAX) return 0;
    uint32_t limit = load_be16(input), bytes = 0, bytes_again = 0;
    out[limit + 1] = 0x5A;
    enum deflater_result result = deflater_unpack(d, input + 2, (uint32_t)size - 2, out, limit, &bytes);
    TC_ASSERT(out[limit + 1] == 0x5A);
    TC_ASSERT(bytes <= limit);
    TC_ASSERT(deflater_unpack(d, input + 2, (uint32_t)size - 2, again, limit, &bytes_again) == result);
    TC_ASSERT(bytes_again == bytes);
    TC_ASSERT(memcmp(out, again, bytes) == 0);
    if (result != DEFLATER_OK || bytes == 0) return 0;
    uint32_t smaller = deflater_pack(d, (uint8_t)(9 + input[0] % 7), out, bytes, packed, bytes);
    if (smaller == 0) return 0;
    TC_ASSERT(deflater_unpack(d, packed, smaller, again, bytes, &bytes_again) == DEFLATER_OK);
    TC_ASSERT(bytes_again == bytes);
    TC_ASSERT(memcmp(out, again, bytes) == 0);
    return 0;
}
