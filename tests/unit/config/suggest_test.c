/* tests/unit/config/suggest_test.c -- goal: a slip of the finger finds the name that was meant, and a word
 * that is near nothing gets no advice. */
#include "config/suggest.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static const char *best_of(const char *word)
{
    static const char *const names[] = {"workers",         "listen",    "log-capacity",
                                        "max-connections", "max-rules", "io"};
    struct suggest s = {.word = word};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) suggest_offer(&s, names[i]);
    return suggest_best(&s);
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("abc", ""), 3);
    assert_int_equal(edit_distance("", "ab"), 2);
    assert_int_equal(edit_distance("listen", "listen"), 0);
    assert_int_equal(edit_distance("lisetn", "listen"), 1); /* neighbours swapped */
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("flaw", "lawn"), 2);
    assert_int_equal(edit_distance("ca", "abc"), 3);
}

static void suggestions(void **state)
{
    (void)state;
    assert_string_equal(best_of("worker"), "workers");
    assert_string_equal(best_of("wrokers"), "workers");
    assert_string_equal(best_of("log_capacity"), "log-capacity");
    assert_string_equal(best_of("max-conn"), "max-connections");
    assert_null(best_of("zebra"));
    assert_null(best_of("x"));
    assert_null(best_of(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(distances), cmocka_unit_test(suggestions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
