#include "base/affinity.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void lists_are_read(void **state)
{
    (void)state;
    uint32_t cpus[8];
    assert_int_equal(affinity_parse_list("0,2-4,1023", cpus, 8, NULL), 5);
    static const uint32_t wanted[] = {0, 2, 3, 4, 1023};
    assert_memory_equal(cpus, wanted, sizeof wanted);
    assert_int_equal(affinity_parse_list("3-3,1", cpus, 8, NULL), 2);
    assert_int_equal(cpus[0], 3);
    assert_int_equal(cpus[1], 1);
}

static void wrong_lists_are_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    ",",     "1,",  "a",   "1-", "3-2", "1024", "99999999999",
                                        "1,1", "0-3,2", "0-8", "1 2", "-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t cpus[8];
        struct fault f = {0};
        assert_int_equal(affinity_parse_list(wrong[i], cpus, 8, &f), TC_EUSAGE);
        assert_non_null(strstr(f.text, "processor list"));
    }
}

static void a_pinned_thread_has_one_processor(void **state)
{
    (void)state;
    cpu_set_t before;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_int_equal(affinity_count(), CPU_COUNT(&before));
    int cpu = 0;
    while (!CPU_ISSET((size_t)cpu, &before)) cpu++;
    assert_int_equal(affinity_pin(cpu), 0);
    assert_int_equal(affinity_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(affinity_pin(-1), -EINVAL);
    assert_int_equal(affinity_pin(1024), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(wrong_lists_are_told),
        cmocka_unit_test(a_pinned_thread_has_one_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
