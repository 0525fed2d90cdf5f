/* scheme:path?name=value: what is taken apart, and every way in which it is refused with a text that helps.
 */
#include "feeds/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct feed_uri uri;
static struct fault fault;

static void assert_text(struct text got, const char *wanted)
{
    assert_non_null(got.at);
    assert_int_equal(got.size, strlen(wanted));
    assert_memory_equal(got.at, wanted, got.size);
}

static void parse(const char *text)
{
    assert_int_equal(feed_uri_parse(&uri, text, &fault), 0);
}

static void refused(const char *text, const char *words)
{
    fault.text[0] = '\0';
    assert_int_equal(feed_uri_parse(&uri, text, &fault), TC_EUSAGE);
    if (!strstr(fault.text, words)) print_message("%s: %s\n", text, fault.text);
    assert_non_null(strstr(fault.text, words));
}

static void it_is_taken_apart(void **state)
{
    (void)state;
    parse("sim:?symbols=500&rate=20000&loop&name=a%26b%3d");
    assert_text(uri.scheme, "sim");
    assert_text(uri.path, "");
    assert_text(feed_uri_get(&uri, "symbols"), "500");
    assert_text(feed_uri_get(&uri, "loop"), "");
    assert_text(feed_uri_get(&uri, "name"), "a&b=");
    assert_null(feed_uri_get(&uri, "seed").at);
    parse("file:/data/a%20b%3Fc.csv?speed=2&x=1=2");
    assert_text(uri.path, "/data/a b?c.csv");
    assert_text(feed_uri_get(&uri, "x"), "1=2");
    parse("udp://239.0.0.1:5000");
    assert_text(uri.path, "//239.0.0.1:5000");
    parse("sim:");
    parse("sim:?");
    assert_int_equal(uri.param_count, 0);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    refused("", "scheme");
    refused("/data/x.csv", "file:PATH");
    refused(":x", "scheme");
    refused("3sim:", "scheme");
    refused("sim:?a=1&a=2", "twice");
    refused("sim:?=1", "without a name");
    refused("sim:?a=1&", "without a name");
    refused("sim:?a=1&&b=2", "without a name");
    refused("sim:?a=%2", "hex");
    refused("sim:?a=%", "hex");
    refused("sim:?a=%zz", "hex");
    refused("file:a%00b", "hex");
    char many[512] = "sim:?";
    for (int i = 0; i < 33; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%sp%d=1", i ? "&" : "", i);
    refused(many, "more than 32");
    static char lengthy[5000];
    memset(lengthy, 'a', sizeof lengthy - 1);
    refused(lengthy, "bytes");
}

static void numbers_have_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {{"0", 0},
                 {"7", 7},
                 {"1k", 1000},
                 {"1.5M", 1500000},
                 {"2G", 2000000000},
                 {"1.0", 1},
                 {"0.25k", 250},
                 {"1.5", -1},
                 {"-1", -1},
                 {"", -1},
                 {"k", -1},
                 {"1e3", -1},
                 {".5k", -1},
                 {"1.", -1},
                 {"1..2k", -1},
                 {"1.0005k", -1},
                 {"5G", -1},
                 {"1K", -1},
                 {"99999999999999999999", -1},
                 {"18446744073709551615G", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "sim:?n=%s", cases[i].text);
        parse(text);
        uint64_t n = 42;
        int rc = feed_uri_u64(&uri, "n", 0, 4000000000, &n, &fault);
        if (rc != (cases[i].value < 0 ? TC_EUSAGE : 0)) print_message("%s\n", text);
        assert_int_equal(rc, cases[i].value < 0 ? TC_EUSAGE : 0);
        assert_int_equal(n, cases[i].value < 0 ? 42 : cases[i].value);
        if (rc < 0) assert_non_null(strstr(fault.text, "from 0 to 4000000000"));
    }
    uint64_t n = 42;
    assert_int_equal(feed_uri_u64(&uri, "absent", 0, 1, &n, &fault), 0);
    assert_int_equal(n, 42);
}

static void an_unknown_parameter_is_told_with_the_known_ones(void **state)
{
    (void)state;
    parse("sim:?rate=1&rat=2");
    feed_uri_get(&uri, "rate");
    assert_int_equal(feed_uri_unused(&uri, &feed_sim, &fault), TC_EUSAGE);
    assert_non_null(strstr(fault.text, "unknown parameter `rat`; `sim:` takes symbols, rate, seed"));
    feed_uri_get(&uri, "rat");
    assert_int_equal(feed_uri_unused(&uri, &feed_sim, &fault), 0);
}

static void the_registry_finds_by_scheme(void **state)
{
    (void)state;
    assert_ptr_equal(feed_find(TEXT("sim")), &feed_sim);
    assert_ptr_equal(feed_find(TEXT("file")), &feed_file);
    assert_null(feed_find(TEXT("si")));
    assert_null(feed_find(TEXT("gopher")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_taken_apart),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(numbers_have_ranges),
        cmocka_unit_test(an_unknown_parameter_is_told_with_the_known_ones),
        cmocka_unit_test(the_registry_finds_by_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
