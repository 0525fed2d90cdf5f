/* tests/unit/base/memory_test.c -- goal: whether huge pages were granted is said as the kernel has it, not as
 * it was asked. */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define BYTES (4u << 20)

static bool asked(void)
{
    uint8_t *at = memory_reserve(BYTES);
    assert_non_null(at);
    bool granted = memory_huge_pages(at, BYTES);
    at[0] = at[BYTES - 1] = 1; /* whatever the answer, it is memory */
    memory_release(at, BYTES);
    return granted;
}

static void what_the_machine_says_is_told(void **state)
{
    (void)state;
    char words[64] = "";
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (!f) skip(); /* a kernel without, or none of its files: nothing to compare with */
    size_t size = fread(words, 1, sizeof words - 1, f);
    fclose(f);
    assert_true(size > 0);
    if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1) skip();
    assert_int_equal(asked(), strstr(words, "[never]") == NULL);
}

static void what_madvise_refuses_is_refused(void **state)
{
    (void)state;
    uint8_t *at = memory_reserve(BYTES);
    assert_non_null(at);
    assert_false(memory_huge_pages(at + 1, BYTES / 2)); /* EINVAL, as where the kernel knows no huge pages */
    memory_release(at, BYTES);
}

static void a_process_without_is_told_so(void **state)
{
    (void)state;
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) skip();
    bool granted = asked();
    assert_int_equal(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
    assert_false(granted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_machine_says_is_told),
                                       cmocka_unit_test(what_madvise_refuses_is_refused),
                                       cmocka_unit_test(a_process_without_is_told_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
