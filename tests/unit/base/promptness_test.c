/* What a thread that asks for promptness keeps: everything but its slice and its timer slack. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/promptness.h"

static void timers_are_on_time_and_the_rest_stays(void **state)
{
    (void)state;
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 5), 0);
    promptness_ask();
    assert_int_equal(prctl(PR_GET_TIMERSLACK), 1);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), 5);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

static void another_policy_is_left_alone(void **state)
{
    (void)state;
    struct sched_param none = {0};
    assert_int_equal(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    promptness_ask();
    assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_are_on_time_and_the_rest_stays),
        cmocka_unit_test(another_policy_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
