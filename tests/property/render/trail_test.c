/* The trail against a list of all ticks: every chain leads to exactly its own, as far back as is promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "render/trail.h"

#include <stdlib.h>
#include <string.h>

#define SYMBOLS 300u
#define TICKS   60000u

static uint16_t chains[TICKS + 1]; /* by seq: the symbol, or SYMBOLS for a feed's tick */
static uint64_t noted_from;        /* after the last jump */

static void note(struct trail *t, struct random *r, uint64_t seq)
{
    /* Few symbols are busy, most are quiet for longer than the trail reaches. */
    uint32_t id = (uint32_t)random_below(r, random_below(r, 8) ? 5 : SYMBOLS);
    bool feed = random_below(r, 2000) == 0;
    chains[seq] = (uint16_t)(feed ? SYMBOLS : id);
    trail_note(t, log_key(id, feed ? TICK_FEED : TICK_TRADE, false), seq);
}

static void check(const struct trail *t, struct random *r, uint64_t head)
{
    uint64_t from =
        head - random_below(r, head - noted_from < TRAIL_POSITIONS ? head - noted_from + 1 : TRAIL_POSITIONS);
    assert_true(trail_reaches(t, from, head));
    uint64_t end = from + random_below(r, head - from + 1);
    uint32_t chain =
        (uint32_t)random_below(r, 2) ? (uint32_t)random_below(r, 5) : (uint32_t)random_below(r, SYMBOLS + 1);
    static uint64_t bits[TRAIL_POSITIONS / 64], expected[TRAIL_POSITIONS / 64];
    memset(bits, 0, sizeof bits);
    memset(expected, 0, sizeof expected);
    trail_follow(t, chain, from, end, bits);
    for (uint64_t seq = from + 1; seq <= end; seq++)
        if (chains[seq] == chain) expected[(seq - from - 1) >> 6] |= UINT64_C(1) << ((seq - from - 1) & 63);
    assert_memory_equal(bits, expected, sizeof bits);
}

static void chains_lead_to_their_own(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct random r;
        random_seed(&r, seed);
        struct trail t;
        assert_int_equal(trail_init(&t, SYMBOLS), 0);
        noted_from = 0;
        for (uint64_t seq = 1; seq <= TICKS; seq++) {
            note(&t, &r, seq);
            if (random_below(&r, 50) == 0) check(&t, &r, seq);
            if (random_below(&r, 20000) != 0) continue;
            uint64_t missed = random_below(&r, 5000); /* the worker was lapped */
            if (seq + missed >= TICKS) break;
            for (uint64_t gone = 1; gone <= missed; gone++) chains[seq + gone] = UINT16_MAX;
            seq += missed;
            if (missed > 0) noted_from = seq;
        }
        trail_destroy(&t);
    }
}

static void it_knows_how_far_it_reaches(void **state)
{
    (void)state;
    struct trail t;
    assert_int_equal(trail_init(&t, 4), 0);
    for (uint64_t seq = 1; seq <= 2 * TRAIL_POSITIONS; seq++)
        trail_note(&t, log_key(1, TICK_QUOTE, true), seq);
    uint64_t newest = 2 * TRAIL_POSITIONS;
    assert_true(trail_reaches(&t, TRAIL_POSITIONS + 1, newest));
    assert_false(trail_reaches(&t, TRAIL_POSITIONS, newest));
    assert_false(
        trail_reaches(&t, newest, newest + 1)); /* read by the worker while there was no list: not noted */
    trail_note(&t, log_key(1, TICK_QUOTE, true),
               3 * TRAIL_POSITIONS); /* a jump: what was before is not known */
    newest = 3 * TRAIL_POSITIONS;
    assert_false(trail_reaches(&t, newest - 2, newest));
    assert_true(trail_reaches(&t, newest - 1, newest));
    trail_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_lead_to_their_own),
        cmocka_unit_test(it_knows_how_far_it_reaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
