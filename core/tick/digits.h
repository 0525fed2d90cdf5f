/* tick/digits.h -- numbers as decimal digits, for decimal.c and tick_json.c. Eight digits are made at once in
 * a register and stored in one go, so each call may write up to DIGITS_SLACK bytes past the number's end. */
#ifndef TC_TICK_DIGITS_H
#define TC_TICK_DIGITS_H

#include "base/bytes.h"

#define DIGITS_SLACK 8u
#define DIGITS_E8    UINT64_C(100000000)
#define DIGITS_E16   UINT64_C(10000000000000000)
#define DIGITS_ASCII UINT64_C(0x3030303030303030)

static const uint64_t digits_power[19] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
};

/* The eight digits of v < 10^8 as byte values 0 to 9, the first in the lowest byte: halves, then pairs, then
 * single digits, all lanes at once. The factors are reciprocals, exact for the lane's range. */
static inline uint64_t digits_word(uint32_t v)
{
    uint64_t x = v / 10000u | (uint64_t)(v % 10000u) << 32;
    uint64_t hundreds = ((x * 10486u) >> 20) & UINT64_C(0x0000007f0000007f);
    x = hundreds | (x - hundreds * 100u) << 16;
    uint64_t tens = ((x * 103u) >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (x - tens * 10u) << 8;
}

/* How many of the eight digits lead with 0, at most 7: the number 0 has one digit. */
static inline unsigned digits_leading(uint64_t word)
{
    return (unsigned)__builtin_ctzll(word | UINT64_C(1) << 56) / 8u;
}

static inline char *digits_eight(char *p, uint32_t v)
{
    store_le64(p, digits_word(v) | DIGITS_ASCII);
    return p + 8;
}

/* v < 10^8 without leading zeros. */
static inline char *digits_short(char *p, uint32_t v)
{
    uint64_t word = digits_word(v);
    unsigned leading = digits_leading(word);
    store_le64(p, (word | DIGITS_ASCII) >> (leading * 8u));
    return p + (8u - leading);
}

static inline char *digits_u64(char *p, uint64_t v)
{
    if (v < DIGITS_E8) return digits_short(p, (uint32_t)v);
    uint64_t above = v / DIGITS_E8;
    uint32_t low = (uint32_t)(v % DIGITS_E8);
    if (v < DIGITS_E16) return digits_eight(digits_short(p, (uint32_t)above), low);
    p = digits_short(p, (uint32_t)(above / DIGITS_E8));
    return digits_eight(digits_eight(p, (uint32_t)(above % DIGITS_E8)), low);
}

static inline char *digits_i64(char *p, int64_t v)
{
    *p = '-';
    return v < 0 ? digits_u64(p + 1, 0 - (uint64_t)v) : digits_u64(p, (uint64_t)v);
}

/* v < 10^width in exactly width digits, 1 to 8. */
static inline char *digits_padded_short(char *p, uint32_t v, unsigned width)
{
    store_le64(p, (digits_word(v) | DIGITS_ASCII) >> (8u * (8u - width)));
    return p + width;
}

/* v < 10^width in exactly width digits, 1 to 18. */
static inline char *digits_padded(char *p, uint64_t v, unsigned width)
{
    if (width <= 8) return digits_padded_short(p, (uint32_t)v, width);
    uint64_t above = v / DIGITS_E8;
    uint32_t low = (uint32_t)(v % DIGITS_E8);
    if (width <= 16) return digits_eight(digits_padded_short(p, (uint32_t)above, width - 8u), low);
    p = digits_padded_short(p, (uint32_t)(above / DIGITS_E8), width - 16u);
    return digits_eight(digits_eight(p, (uint32_t)(above % DIGITS_E8)), low);
}

/* mantissa * 10^-decimals, decimals 0 to 18. */
static inline char *digits_decimal(char *p, int64_t mantissa, unsigned decimals)
{
    uint64_t v = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    *p = '-';
    p += mantissa < 0;
    if (decimals == 0) return digits_u64(p, v);
    if (v < DIGITS_E8 && decimals < 8) { /* most prices: the point goes in between, without a division */
        uint64_t word = digits_word((uint32_t)v);
        unsigned count = 8u - digits_leading(word);
        if (count <= decimals) count = decimals + 1u;
        unsigned whole = count - decimals;
        word = (word | DIGITS_ASCII) >> (8u * (8u - count));
        store_le64(p, word);
        store_le64(p + whole + 1, word >> (8u * whole));
        p[whole] = '.';
        return p + count + 1;
    }
    p = digits_u64(p, v / digits_power[decimals]);
    *p++ = '.';
    return digits_padded(p, v % digits_power[decimals], decimals);
}

#endif
