/* tests/unit/base/shown_test.c -- goal: no byte of others makes a terminal do anything; everything else is
 * shown as it is. */
#include "base/shown.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void words_and_lines_stay_apart(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(shown_copy(out, sizeof out, TEXT("one\ttwo\r\nthree")), "one two  three");
}

static void control_characters_are_question_marks(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char at[3] = {'a', (char)c, 'b'};
        shown_clean(at, sizeof at);
        char expected = c == '\t' || c == '\n' || c == '\r' ? ' ' : c < 32 || c == 127 ? '?' : (char)c;
        assert_int_equal(at[1], expected);
        assert_int_equal(at[0], 'a');
        assert_int_equal(at[2], 'b');
    }
}

/* A terminal takes U+009B for ESC [ : both bytes of it go, and of U+00A0 none, nor of a letter that ends in
 * 0x9B. */
static void control_characters_of_two_bytes_too(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(shown_copy(out, sizeof out,
                                   TEXT("\xc2\x9b"
                                        "2J\xc2\x80\xc2\x9f.")),
                        "??2J????.");
    assert_string_equal(shown_copy(out, sizeof out, TEXT("\xc2\xa0\xe2\x82\xac\xc3\x9b\xc2")),
                        "\xc2\xa0\xe2\x82\xac\xc3\x9b\xc2");
}

static void a_copy_is_cut_where_it_ends(void **state)
{
    (void)state;
    char out[8];
    assert_string_equal(shown_copy(out, sizeof out, TEXT("0123456")), "0123456");
    assert_string_equal(shown_copy(out, sizeof out, TEXT("01234567")), "0123456");
    assert_string_equal(shown_copy(out, sizeof out, (struct text){.size = 0}), "");
    assert_string_equal(shown_copy(out, 1, TEXT("0")), "");
    assert_string_equal(shown_copy(out, 3, TEXT("a\xc2\x9b")), "a\xc2"); /* half a character does nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_lines_stay_apart),
        cmocka_unit_test(control_characters_are_question_marks),
        cmocka_unit_test(control_characters_of_two_bytes_too),
        cmocka_unit_test(a_copy_is_cut_where_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
