#include "base/utf8.h"

#include "base/bytes.h"

/* The states between OK and BAD say what may come next. Four of them exist because the second byte decides:
 * after E0 and F0 a small one would be an overlong form, after ED a surrogate, after F4 a value over 10FFFF.
 */
enum { TAIL_1 = 2, TAIL_2, TAIL_3, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4, STATES };

/* By lead byte; 0 for ASCII. Bytes not named are never a lead: 80 to BF, C0, C1, F5 to FF. */
static const uint8_t
    leads[256] =
        {
            [0x80 ... 0xC1] = UTF8_BAD, [0xC2 ... 0xDF] = TAIL_1, [0xE0] = AFTER_E0,
            [0xE1 ... 0xEC] = TAIL_2,   [0xED] = AFTER_ED,        [0xEE ... 0xEF] = TAIL_2,
            [0xF0] = AFTER_F0,          [0xF1 ... 0xF3] = TAIL_3, [0xF4] = AFTER_F4,
            [0xF5 ... 0xFF] = UTF8_BAD,
};

/* By state: the range of the next byte, and the state after it. */
static const struct {
    uint8_t least, most, next;
} tails[STATES] = {
    [TAIL_1] = {0x80, 0xBF, UTF8_OK},  [TAIL_2] = {0x80, 0xBF, TAIL_1},   [TAIL_3] = {0x80, 0xBF, TAIL_2},
    [AFTER_E0] = {0xA0, 0xBF, TAIL_1}, [AFTER_ED] = {0x80, 0x9F, TAIL_1}, [AFTER_F0] = {0x90, 0xBF, TAIL_2},
    [AFTER_F4] = {0x80, 0x8F, TAIL_2},
};

static size_t ascii_bytes(const uint8_t *bytes, size_t size);

uint32_t utf8_feed(uint32_t state, const uint8_t *bytes, size_t size)
{
    if (state >= STATES) return UTF8_BAD;
    for (size_t i = 0; i < size && state != UTF8_BAD; i++) {
        uint8_t byte = bytes[i];
        if (state != UTF8_OK) {
            bool fits = byte >= tails[state].least && byte <= tails[state].most;
            state = fits ? tails[state].next : UTF8_BAD;
        } else if (byte >= 0x80) {
            state = leads[byte];
        } else {
            i += ascii_bytes(bytes + i, size - i);
            i--; /* the loop's own step; at least one byte was ASCII */
        }
    }
    return state;
}

/* How many bytes from here on are ASCII: 32 at a time, then 8, then single ones. */
static size_t ascii_bytes(const uint8_t *bytes, size_t size)
{
    const uint64_t high = 0x8080808080808080u;
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        uint64_t any = load_le64(bytes + i) | load_le64(bytes + i + 8) | load_le64(bytes + i + 16) |
                       load_le64(bytes + i + 24);
        if (any & high) break;
    }
    for (; i + 8 <= size; i += 8)
        if (load_le64(bytes + i) & high) break;
    while (i < size && bytes[i] < 0x80) i++;
    return i;
}
