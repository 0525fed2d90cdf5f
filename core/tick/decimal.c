/* tick/decimal.c -- exact decimals in and out of text. Thread: any. Blocks: never.
 * Accepted: [-+] digits, with a point anywhere among or beside them: "+5", ".5" and "5." are numbers, "." and
 * "" are not; "-0" is 0. No spaces, no digit separators. The decimals are kept as written ("1.50" has two)
 * where that fits, else without the zeros at its end. */
#include "tick/decimal.h"

#include "base/assert.h"
#include "base/fault.h"
#include "tick/digits.h"

/* Text this short holds at most 18 digits, which cannot leave an int64. */
#define SHORT_TEXT 18u

/* What a long or odd text says: significant * 10^exponent, no zero at the end of significant. */
struct reading {
    bool negative;
    bool too_long;        /* significant left 64 bits */
    uint64_t significant; /* 0 for the number 0 */
    int64_t exponent;     /* of significant */
    int64_t written;      /* exponent as the text has it */
};

static int parse_any(const char *at, size_t size, bool allow_e, struct decimal *out);
static size_t read_sign(const char *at, size_t size, bool *negative);
static size_t read_digits(const char *at, size_t size, struct reading *r);
static void read_digit(struct reading *r, uint32_t digit, int64_t *zeros);
static int read_exponent(const char *at, size_t size, struct reading *r);
static int settle(const struct reading *r, struct decimal *out);
static bool scale(uint64_t significant, int64_t by, bool negative, int64_t *mantissa);
static int align(struct decimal *d, uint32_t count, bool trim);

int decimal_parse(const char *at, size_t size, struct decimal *out)
{
    if (size > SHORT_TEXT) return parse_any(at, size, false, out);
    bool negative;
    size_t i = read_sign(at, size, &negative), first = i, point = size;
    int64_t mantissa = 0;
    for (; i < size; i++) {
        uint32_t digit = (uint32_t)(unsigned char)at[i] - '0';
        if (digit <= 9) {
            mantissa = mantissa * 10 + (int64_t)digit;
        } else {
            if (at[i] != '.' || point != size) return TC_EINPUT;
            point = i;
        }
    }
    size_t decimals = point == size ? 0 : size - point - 1;
    if (size - first == (point == size ? 0u : 1u)) return TC_EINPUT; /* no digit */
    *out = (struct decimal){.mantissa = negative ? -mantissa : mantissa,
                            .exponent = (int8_t)(0 - (int)decimals)};
    return 0;
}

int decimal_parse_e(const char *at, size_t size, struct decimal *out)
{
    return parse_any(at, size, true, out);
}

static int parse_any(const char *at, size_t size, bool allow_e, struct decimal *out)
{
    struct reading r = {0};
    size_t used = read_sign(at, size, &r.negative);
    size_t digits = read_digits(at + used, size - used, &r);
    if (digits == 0) return TC_EINPUT;
    used += digits;
    if (used < size) {
        if (!allow_e || (at[used] | 0x20) != 'e') return TC_EINPUT;
        int rc = read_exponent(at + used + 1, size - used - 1, &r);
        if (rc < 0) return rc;
    }
    return settle(&r, out);
}

static size_t read_sign(const char *at, size_t size, bool *negative)
{
    *negative = size > 0 && at[0] == '-';
    return size > 0 && (at[0] == '-' || at[0] == '+');
}

/* Returns the bytes read, 0 if there is no digit among them. */
static size_t read_digits(const char *at, size_t size, struct reading *r)
{
    size_t i = 0;
    int64_t zeros = 0; /* seen since the last other digit: they count only if another one follows */
    bool any = false, point = false;
    for (; i < size; i++) {
        uint32_t digit = (uint32_t)(unsigned char)at[i] - '0';
        if (digit <= 9) {
            any = true;
            r->written -= point;
            read_digit(r, digit, &zeros);
        } else if (at[i] == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    r->exponent = r->written + zeros;
    return any ? i : 0;
}

static void read_digit(struct reading *r, uint32_t digit, int64_t *zeros)
{
    if (digit == 0) {
        *zeros += r->significant != 0;
        return;
    }
    for (; *zeros > 0 && !r->too_long; --*zeros)
        r->too_long = __builtin_mul_overflow(r->significant, 10u, &r->significant);
    *zeros = 0;
    if (__builtin_mul_overflow(r->significant, 10u, &r->significant) ||
        __builtin_add_overflow(r->significant, digit, &r->significant))
        r->too_long = true;
    if (r->too_long) r->significant = 1; /* any but 0: the number is out of range whatever follows */
}

static int read_exponent(const char *at, size_t size, struct reading *r)
{
    bool negative;
    size_t i = read_sign(at, size, &negative);
    if (i == size) return TC_EINPUT;
    int64_t e = 0;
    for (; i < size; i++) {
        uint32_t digit = (uint32_t)(unsigned char)at[i] - '0';
        if (digit > 9) return TC_EINPUT;
        if (e < INT64_C(1000000000000)) e = e * 10 + (int64_t)digit; /* beyond any text's count of digits */
    }
    r->exponent += negative ? -e : e;
    r->written += negative ? -e : e;
    return 0;
}

/* The decimals as written if they fit, else as few as there can be. */
static int settle(const struct reading *r, struct decimal *out)
{
    int64_t written = r->written < 0 ? r->written : 0;
    if (r->significant == 0) {
        int64_t exponent = written < DECIMAL_EXP_MIN ? DECIMAL_EXP_MIN : written;
        *out = (struct decimal){.mantissa = 0, .exponent = (int8_t)exponent};
        return 0;
    }
    int64_t fewest = r->exponent < 0 ? r->exponent : 0, mantissa;
    if (r->too_long || fewest < DECIMAL_EXP_MIN) return TC_ELIMIT;
    int64_t exponent = written;
    if (written < DECIMAL_EXP_MIN || !scale(r->significant, r->exponent - written, r->negative, &mantissa)) {
        exponent = fewest;
        if (!scale(r->significant, r->exponent - fewest, r->negative, &mantissa)) return TC_ELIMIT;
    }
    *out = (struct decimal){.mantissa = mantissa, .exponent = (int8_t)exponent};
    return 0;
}

static bool scale(uint64_t significant, int64_t by, bool negative, int64_t *mantissa)
{
    if (by > -DECIMAL_EXP_MIN) return false;
    uint64_t v;
    if (__builtin_mul_overflow(significant, digits_power[by], &v)) return false;
    if (v > (uint64_t)INT64_MAX + negative) return false;
    *mantissa = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

uint32_t decimal_print(char *out, int64_t mantissa, int8_t exponent)
{
    TC_ASSERT(exponent <= 0);
    TC_ASSERT(exponent >= DECIMAL_EXP_MIN);
    char text[DECIMAL_TEXT_MAX + DIGITS_SLACK];
    uint32_t size = (uint32_t)(digits_decimal(text, mantissa, (unsigned)-exponent) - text);
    TC_ASSERT(size <= DECIMAL_TEXT_MAX);
    memcpy(out, text, size);
    return size;
}

struct decimal decimal_trim(struct decimal d)
{
    if (d.mantissa == 0) d.exponent = 0;
    while (d.exponent < 0 && d.mantissa % 10 == 0) {
        d.mantissa /= 10;
        d.exponent++;
    }
    return d;
}

int decimal_at(struct decimal d, int8_t exponent, int64_t *mantissa)
{
    TC_ASSERT(exponent <= d.exponent);
    TC_ASSERT(exponent >= DECIMAL_EXP_MIN);
    TC_ASSERT(d.exponent <= 0);
    int64_t m;
    if (__builtin_mul_overflow(d.mantissa, (int64_t)digits_power[d.exponent - exponent], &m))
        return TC_ELIMIT;
    *mantissa = m;
    return 0;
}

int decimal_align(struct decimal *d, uint32_t count)
{
    /* As they are, or, if that leaves int64, each without the zeros at its end. */
    return align(d, count, false) == 0 ? 0 : align(d, count, true);
}

/* All or nothing. */
static int align(struct decimal *d, uint32_t count, bool trim)
{
    int8_t least = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct decimal one = trim ? decimal_trim(d[i]) : d[i];
        if (one.exponent < least) least = one.exponent;
    }
    int64_t mantissa = 0;
    for (uint32_t i = 0; i < count; i++)
        if (decimal_at(trim ? decimal_trim(d[i]) : d[i], least, &mantissa) != 0) return TC_ELIMIT;
    for (uint32_t i = 0; i < count; i++) {
        (void)decimal_at(trim ? decimal_trim(d[i]) : d[i], least, &mantissa); /* seen to fit above */
        d[i] = (struct decimal){.mantissa = mantissa, .exponent = least};
    }
    return 0;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    int8_t least = a.exponent < b.exponent ? a.exponent : b.exponent;
    TC_ASSERT(least >= DECIMAL_EXP_MIN);
    __int128 x = (__int128)a.mantissa * (int64_t)digits_power[a.exponent - least]; /* below 2^123 */
    __int128 y = (__int128)b.mantissa * (int64_t)digits_power[b.exponent - least];
    return (x > y) - (x < y);
}
