/* tests/unit/tick/symbol_table_test.c -- goal: ids count up, names lead to them and back, bounds are told. */
#include "base/fault.h"
#include "base/random.h"
#include "tick/symbol_table.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

static void assert_text(struct text got, struct text want)
{
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.at, want.at, want.size);
}

static void ids_count_up(void **state)
{
    (void)state;
    struct symbol_table *t = symbol_table_create(4);
    bool added = false;
    assert_int_equal(symbol_table_count(t), 0);
    assert_int_equal(symbol_table_find(t, TEXT("AAPL")), TC_ENOTFOUND);
    assert_int_equal(symbol_table_add(t, TEXT("AAPL"), &added), 0);
    assert_true(added);
    assert_int_equal(symbol_table_add(t, TEXT("MSFT"), &added), 1);
    assert_true(added);
    assert_int_equal(symbol_table_add(t, TEXT("AAPL"), &added), 0);
    assert_false(added);
    assert_int_equal(symbol_table_count(t), 2);
    assert_int_equal(symbol_table_find(t, TEXT("MSFT")), 1);
    assert_int_equal(symbol_table_find(t, TEXT("MSF")), TC_ENOTFOUND);
    assert_int_equal(symbol_table_find(t, TEXT("MSFTX")), TC_ENOTFOUND);
    assert_int_equal(symbol_table_find(t, TEXT("msft")), TC_ENOTFOUND);
    assert_text(symbol_table_name(t, 0), TEXT("AAPL"));
    assert_text(symbol_table_json(t, 1), TEXT("MSFT"));
    symbol_table_destroy(t);
}

static void a_full_table_tells(void **state)
{
    (void)state;
    struct symbol_table *t = symbol_table_create(2);
    bool added = false;
    assert_int_equal(symbol_table_add(t, TEXT("A"), &added), 0);
    assert_int_equal(symbol_table_add(t, TEXT("B"), &added), 1);
    assert_int_equal(symbol_table_add(t, TEXT("C"), &added), TC_ELIMIT);
    assert_false(added);
    assert_int_equal(symbol_table_add(t, TEXT("B"), &added), 1); /* known ones stay so */
    assert_int_equal(symbol_table_count(t), 2);
    symbol_table_destroy(t);
}

static void illegal_names_are_refused(void **state)
{
    (void)state;
    struct symbol_table *t = symbol_table_create(4);
    static const char *const wrong[] = {
        "", " A", "A ", "A\n", "\x7F", "\xC3\xA4", "123456789012345678901234567890123", /* 33 */
    };
    bool added = true;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(symbol_table_add(t, text_of(wrong[i]), &added), TC_EINPUT);
        assert_false(added);
        assert_int_equal(symbol_table_find(t, text_of(wrong[i])), TC_ENOTFOUND);
    }
    assert_int_equal(symbol_table_add(t, (struct text){"A\0", 2}, &added), TC_EINPUT); /* is not "A" padded */
    assert_int_equal(symbol_table_add(t, TEXT("A"), &added), 0);
    assert_int_equal(symbol_table_add(t, (struct text){"A\0", 2}, &added),
                     TC_EINPUT); /* nor once "A" is known */
    assert_int_equal(symbol_table_find(t, (struct text){"A\0", 2}), TC_ENOTFOUND);
    assert_int_equal(symbol_table_count(t), 1);
    symbol_table_destroy(t);
}

static void names_for_json(void **state)
{
    (void)state;
    struct symbol_table *t = symbol_table_create(3);
    char quotes[SYMBOL_NAME_MAX], json[2 * SYMBOL_NAME_MAX];
    memset(quotes, '"', sizeof quotes);
    for (size_t i = 0; i < sizeof json; i++) json[i] = i % 2 ? '"' : '\\';
    bool added;
    assert_int_equal(symbol_table_add(t, (struct text){quotes, sizeof quotes}, &added), 0);
    assert_int_equal(symbol_table_add(t, TEXT("a\\b\"c"), &added), 1);
    assert_int_equal(symbol_table_add(t, TEXT("/<&'*"), &added), 2);
    assert_text(symbol_table_name(t, 0), (struct text){quotes, sizeof quotes});
    assert_text(symbol_table_json(t, 0), (struct text){json, sizeof json});
    assert_text(symbol_table_name(t, 1), TEXT("a\\b\"c"));
    assert_text(symbol_table_json(t, 1), TEXT("a\\\\b\\\"c"));
    assert_text(symbol_table_json(t, 2), TEXT("/<&'*"));
    symbol_table_destroy(t);
}

static struct text name_of(char *out, uint32_t n)
{
    /* Lengths of all kinds, and long ones that differ in one place only. */
    int size = n % 3 ? snprintf(out, 40, "S%x", n) : snprintf(out, 40, "LONG NAME, LONG NAME, L%09u", n);
    return (struct text){out, (size_t)size};
}

static void all_ids_there_are(void **state)
{
    (void)state;
    struct symbol_table *t = symbol_table_create(SYMBOLS_MAX);
    char name[40];
    bool added;
    for (uint32_t i = 0; i < SYMBOLS_MAX; i++)
        assert_int_equal(symbol_table_add(t, name_of(name, i), &added), i);
    assert_int_equal(symbol_table_count(t), SYMBOLS_MAX);
    for (uint32_t i = 0; i < SYMBOLS_MAX; i++) {
        struct text n = name_of(name, i);
        assert_int_equal(symbol_table_find(t, n), i);
        assert_text(symbol_table_name(t, i), n);
        assert_text(symbol_table_json(t, i), n);
        assert_int_equal(symbol_table_find(t, name_of(name, i + SYMBOLS_MAX)), TC_ENOTFOUND);
    }
    assert_int_equal(symbol_table_add(t, TEXT("one more"), &added), TC_ELIMIT);
    symbol_table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_count_up),
        cmocka_unit_test(a_full_table_tells),
        cmocka_unit_test(illegal_names_are_refused),
        cmocka_unit_test(names_for_json),
        cmocka_unit_test(all_ids_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
