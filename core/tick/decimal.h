/* tick/decimal.h -- exact decimals: mantissa times ten to the exponent, exponent -18 to 0 (decision 21).
 * Nothing is ever rounded: what does not fit is an error. */
#ifndef TC_TICK_DECIMAL_H
#define TC_TICK_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_EXP_MIN  (-18)
#define DECIMAL_TEXT_MAX 21 /* sign, 19 digits, point (or "-0." and 18 digits): never more */

struct decimal {
    int64_t mantissa;
    int8_t exponent;
};

/* Reads all of text: a sign or none, then digits with at most one point among or beside them ("5", ".5",
 * "5.",
 * "-0"; not "", "." or anything with a space). decimal_parse_e also takes an e or E exponent, folded in. The
 * decimals are kept as written where that fits, else without the zeros at the end. Returns 0, or TC_EINPUT
 * (not a decimal) or TC_ELIMIT (it is one, but needs more than int64 or more than 18 decimals). *out is then
 * unchanged. */
int decimal_parse(const char *at, size_t size, struct decimal *out);
int decimal_parse_e(const char *at, size_t size, struct decimal *out);

/* Writes mantissa * 10^exponent without exponent notation; at most DECIMAL_TEXT_MAX bytes, no terminator.
 * Exactly -exponent decimals ("189.20" for 18920, -2). Returns the bytes written. */
uint32_t decimal_print(char *out, int64_t mantissa, int8_t exponent);

/* The same value with fewest decimals (exponent as near 0 as can be). */
struct decimal decimal_trim(struct decimal d);

/* Mantissa of d at a smaller or equal exponent. 0, or TC_ELIMIT if it leaves int64. */
int decimal_at(struct decimal d, int8_t exponent, int64_t *mantissa);

/* Gives all count decimals the least exponent among them: for the prices of one tick. 0 or TC_ELIMIT. */
int decimal_align(struct decimal *d, uint32_t count);

/* -1, 0, 1 as a < b, a == b, a > b in value; exact for all inputs. */
int decimal_compare(struct decimal a, struct decimal b);

#endif
