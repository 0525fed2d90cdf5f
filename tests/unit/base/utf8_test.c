/* tests/unit/base/utf8_test.c -- goal: exactly the sequences of RFC 3629 pass, whatever pieces they come in.
 */
#include "base/utf8.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

static uint32_t feed(const char *text, size_t size)
{
    return utf8_feed(UTF8_OK, (const uint8_t *)text, size);
}

/* Independent of the machine under test: decode as RFC 3629 section 3 says, then look at the number. */
static bool is_character(const uint8_t *b, uint32_t size)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t length = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;
    if (length != size) return false;
    uint32_t code = length == 1 ? b[0] : b[0] & (0xFFu >> (length + 1));
    for (uint32_t i = 1; i < length; i++) {
        if (b[i] >> 6 != 2) return false;
        code = code << 6 | (b[i] & 0x3F);
    }
    return code >= least[length] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

static void every_sequence_of_one_and_two_bytes(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < 256; a++) {
        uint8_t one[1] = {(uint8_t)a};
        assert_int_equal(utf8_feed(UTF8_OK, one, 1) == UTF8_OK, is_character(one, 1));
        for (uint32_t b = 0; b < 256; b++) {
            uint8_t two[2] = {(uint8_t)a, (uint8_t)b};
            bool right = is_character(two, 2) || (is_character(two, 1) && is_character(two + 1, 1));
            assert_int_equal(utf8_feed(UTF8_OK, two, 2) == UTF8_OK, right);
        }
    }
}

static void every_three_byte_sequence_with_a_high_lead(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1u << 21; i++) {
        uint8_t b[3] = {(uint8_t)(0xE0 + (i >> 16) % 32), (uint8_t)(i >> 8), (uint8_t)i};
        assert_int_equal(utf8_feed(UTF8_OK, b, 3) == UTF8_OK, is_character(b, 3));
    }
}

static void four_bytes_at_every_edge(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xF4, 0xFF};
    for (uint32_t lead = 0xF0; lead < 256; lead++)
        for (uint32_t i = 0; i < 11 * 11 * 11; i++) {
            uint8_t b[4] = {(uint8_t)lead, edges[i % 11], edges[i / 11 % 11], edges[i / 121]};
            assert_int_equal(utf8_feed(UTF8_OK, b, 4) == UTF8_OK, is_character(b, 4));
        }
}

static void fails_at_the_first_byte_that_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(feed("\xED\xA0", 2), UTF8_BAD);     /* a surrogate, seen at its second byte */
    assert_int_equal(feed("\xF4\x90", 2), UTF8_BAD);     /* over 10FFFF */
    assert_int_equal(feed("\xE0\x9F", 2), UTF8_BAD);     /* overlong */
    assert_int_equal(feed("\xF0\x8F", 2), UTF8_BAD);     /* overlong */
    assert_int_equal(feed("\xC1", 1), UTF8_BAD);         /* overlong at once */
    assert_int_equal(feed("\xF5", 1), UTF8_BAD);         /* never */
    assert_int_equal(feed("\xE2\x82", 2) > UTF8_BAD, 1); /* the middle of a character */
    assert_int_equal(utf8_feed(UTF8_BAD, (const uint8_t *)"a", 1), UTF8_BAD);
}

static void any_split_gives_the_same(void **state)
{
    (void)state;
    static const char text[] =
        "plain ASCII that is longer than thirty-two bytes, \xCE\xBA\xE1\xBD\xB9\xCF\x83"
        "\xCE\xBC\xCE\xB5 \xF0\x9F\x93\x88 and on, and on, and on, in ASCII again\xE2\x82\xAC";
    size_t size = sizeof text - 1;
    assert_int_equal(feed(text, size), UTF8_OK);
    for (size_t a = 0; a <= size; a++)
        for (size_t b = a; b <= size; b++) {
            uint32_t s = utf8_feed(UTF8_OK, (const uint8_t *)text, a);
            s = utf8_feed(s, (const uint8_t *)text + a, b - a);
            assert_int_equal(utf8_feed(s, (const uint8_t *)text + b, size - b), UTF8_OK);
        }
}

/* The fast path takes 32 and 8 bytes at a time: a bad byte at any place of any length must not slip through.
 */
static void one_bad_byte_anywhere(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t size = 1; size <= sizeof bytes; size++)
        for (size_t at = 0; at < size; at++) {
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = 0x80;
            assert_int_equal(utf8_feed(UTF8_OK, bytes, size), UTF8_BAD);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_one_and_two_bytes),
        cmocka_unit_test(every_three_byte_sequence_with_a_high_lead),
        cmocka_unit_test(four_bytes_at_every_edge),
        cmocka_unit_test(fails_at_the_first_byte_that_cannot_be),
        cmocka_unit_test(any_split_gives_the_same),
        cmocka_unit_test(one_bad_byte_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
