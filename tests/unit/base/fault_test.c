/* tests/unit/base/fault_test.c -- goal: a fault's text is cut, never overrun, and keeps its code on the way
 * up; and the limit on repeated lines counts what it holds back. */
#include "base/clock.h"
#include "base/diag.h"
#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* A fault with a mark behind it that must stay. */
struct guarded {
    struct fault fault;
    char mark[8];
};

static void assert_inside(const struct guarded *g)
{
    assert_memory_equal(g->mark, "untouch", 8);
    assert_true(strnlen(g->fault.text, sizeof g->fault.text) < sizeof g->fault.text);
}

/* Whatever is quoted: a wrong file, a server's words, an argument. */
static void no_control_characters(void **state)
{
    (void)state;
    struct fault f;
    fault_set(&f, TC_EINPUT, "%s: no",
              "a\x1b[2J\xc2\x9b"
              "2J\n");
    assert_string_equal(f.text, "a?[2J??2J : no");
    fault_within(&f, "%s", "\x07");
    assert_string_equal(f.text, "?: a?[2J??2J : no");
    errno = ENOENT;
    fault_errno(&f, "%s", "x\x7f");
    assert_string_equal(f.text, "x?: No such file or directory");
}

/* As a log line shows a value of others, in either form. */
static void a_log_line_has_none_either(void **state)
{
    (void)state;
    static const enum diag_format formats[] = {DIAG_JSON, DIAG_LOGFMT};
    for (uint32_t i = 0; i < 2; i++) {
        int ends[2], before = dup(STDERR_FILENO);
        assert_int_equal(pipe(ends), 0);
        dup2(ends[1], STDERR_FILENO);
        diag_setup(DIAG_INFO, formats[i]);
        diag(DIAG_INFO, "said",
             D_TEXT("words", "a\x1b[2J\xc2\x9b"
                             "1m\xc3\xa4\n\x7f"));
        dup2(before, STDERR_FILENO);
        close(before);
        close(ends[1]);
        char line[512];
        ssize_t n = read(ends[0], line, sizeof line - 1);
        close(ends[0]);
        assert_true(n > 0);
        line[n] = 0;
        if (!strstr(line, "\"a\\u001b[2J\\u009b1m\xc3\xa4\\u000a\\u007f\"")) fail_msg("%s", line);
    }
}

static void set_and_return(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(fault_set(&f, TC_EUSAGE, "--%s: %d is too many; use at most %d", "workers", 99, 64),
                     TC_EUSAGE);
    assert_int_equal(f.code, TC_EUSAGE);
    assert_string_equal(f.text, "--workers: 99 is too many; use at most 64");
    assert_int_equal(fault_set(NULL, TC_ELIMIT, "nobody asks"), TC_ELIMIT);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct guarded g = {.mark = "untouch"};
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_int_equal(fault_set(&g.fault, TC_EINPUT, "%s", text), TC_EINPUT);
    assert_inside(&g);
    assert_int_equal(strlen(g.fault.text), sizeof g.fault.text - 1);
    assert_int_equal(fault_within(&g.fault, "a.csv:%d", 7), TC_EINPUT);
    assert_inside(&g);
    assert_int_equal(strlen(g.fault.text), sizeof g.fault.text - 1);
    assert_memory_equal(g.fault.text, "a.csv:7: xxx", 12);
    errno = ENOENT;
    assert_int_equal(fault_errno(&g.fault, "%s", text), TC_ESYSTEM);
    assert_inside(&g);
    assert_int_equal(fault_within(&g.fault, "%s", text), TC_ESYSTEM);
    assert_inside(&g);
}

static void the_kernels_words_and_the_way_up(void **state)
{
    (void)state;
    struct fault f;
    errno = ENOENT;
    assert_int_equal(fault_errno(&f, "ticks.csv"), TC_ESYSTEM);
    assert_string_equal(f.text, "ticks.csv: No such file or directory");
    assert_int_equal(fault_within(&f, "feed %d", 2), TC_ESYSTEM);
    assert_int_equal(f.code, TC_ESYSTEM);
    assert_string_equal(f.text, "feed 2: ticks.csv: No such file or directory");
}

static void repeated_lines_are_limited(void **state)
{
    (void)state;
    struct diag_rate rate = {0};
    uint32_t suppressed = 77;
    uint64_t now_ns = 5 * NS_PER_SECOND;
    assert_true(diag_may(&rate, now_ns, 2, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_true(diag_may(&rate, now_ns + 1, 2, &suppressed));
    for (int i = 0; i < 3; i++) assert_false(diag_may(&rate, now_ns + NS_PER_SECOND - 1, 2, &suppressed));
    assert_true(diag_may(&rate, now_ns + NS_PER_SECOND, 2, &suppressed)); /* the next second tells */
    assert_int_equal(suppressed, 3);
    assert_true(diag_may(&rate, now_ns + NS_PER_SECOND, 2, &suppressed));
    assert_int_equal(suppressed, 0); /* once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_control_characters),
        cmocka_unit_test(a_log_line_has_none_either),
        cmocka_unit_test(set_and_return),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(the_kernels_words_and_the_way_up),
        cmocka_unit_test(repeated_lines_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
