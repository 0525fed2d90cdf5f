/* The round of cohorts beside the obvious one: a flag for each number, looked through one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "group/round.h"

#define MOST  9000u /* over two words of `some`, and the last word of `waiting` is in part */
#define STEPS 100000u

static struct {
    bool taken, waits;
} flags[MOST];
static char owners[MOST]; /* only addresses are of use */
static uint32_t turn;     /* the reference's own */

static struct cohort *owner(uint32_t number)
{
    return (struct cohort *)(void *)&owners[number];
}

static uint32_t expected_after(uint32_t from)
{
    for (uint32_t i = 0; i < MOST; i++) {
        uint32_t number = (from + i) % MOST;
        if (flags[number].waits) return number;
    }
    return ROUND_NONE;
}

static uint32_t expected_free(void)
{
    uint32_t number = 0;
    while (number < MOST && flags[number].taken) number++;
    return number < MOST ? number : ROUND_NONE;
}

static void enter(struct round *r)
{
    uint32_t wanted = expected_free();
    struct cohort *c = wanted == ROUND_NONE ? NULL : owner(wanted);
    assert_int_equal(round_enter(r, c), wanted);
    if (wanted == ROUND_NONE) return;
    flags[wanted].taken = true;
    assert_false(round_waits(r, wanted));
}

static void take(struct round *r)
{
    uint32_t wanted = expected_after(turn);
    struct cohort *c = round_take(r);
    if (wanted == ROUND_NONE) {
        assert_null(c);
        return;
    }
    assert_ptr_equal(c, owner(wanted));
    flags[wanted].waits = false;
    turn = wanted + 1;
}

static void step(struct round *r, struct random *random, uint64_t enters)
{
    uint32_t number = (uint32_t)random_below(random, MOST);
    uint64_t what = random_below(random, 100);
    if (what < enters) {
        enter(r);
    } else if (what < 50) {
        if (flags[number].taken) round_leave(r, number);
        flags[number].taken = flags[number].waits = false;
    } else if (what < 75) {
        if (flags[number].taken) round_put(r, number);
        flags[number].waits = flags[number].taken;
    } else if (what < 98) {
        take(r);
    } else {
        assert_int_equal(round_after(r, number), expected_after(number + 1));
    }
}

static void a_round_is_what_looking_at_each_number_gives(void **state)
{
    (void)state;
    struct random random;
    struct round r;
    random_seed(&random, 5);
    assert_int_equal(round_init(&r, MOST), 0);
    for (uint32_t i = 0; i < MOST; i++) enter(&r);
    enter(&r); /* none is free */
    for (uint32_t i = 0; i < STEPS; i++) step(&r, &random, i / (STEPS / 8) % 2 ? 45 : 10);
    uint32_t waits = 0;
    for (uint32_t i = 0; i < MOST; i++) {
        waits += flags[i].waits;
        assert_int_equal(round_waits(&r, i), flags[i].waits);
    }
    assert_int_equal(r.count, waits);
    for (uint32_t i = 0; i <= waits; i++) take(&r);
    assert_int_equal(r.count, 0);
    round_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_round_is_what_looking_at_each_number_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
