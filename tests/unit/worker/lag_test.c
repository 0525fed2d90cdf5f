/* What `lag` says, to the tick and the millisecond, on a virtual clock: how far behind, how old what is owed
 * is, and that it is said at most once a second (decision 15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define SCAN    2048u /* positions that are looked at for the oldest tick owed */
#define OLD_MS  9000u
#define LATE_MS 2000u

static void open_rig(struct rig *r)
{
    rig_open(r, &(struct rig_options){.connections = 16, .log_capacity = 8192, .symbols = 64});
}

/* A trade that was seen so long ago. */
static uint64_t trade(struct rig *r, uint32_t symbol, uint64_t age_ms)
{
    struct tick t = {.kind = TICK_TRADE, .symbol = symbol, .event_ns = 1};
    t.ingest_ns = (int64_t)sim_now_ns(r->sim) - (int64_t)(age_ms * NS_PER_MS);
    t.trade = (struct tick_trade){.price = 1, .size = 1};
    return log_append(r->server.log, &t, 1);
}

/* Until a frame is cut: what is left of it is kept, and nothing after it is owed. */
static void fill(struct rig *r, struct client *c, uint32_t symbol)
{
    sim_peer_window(r->sim, c->peer, 3001);
    for (uint32_t turn = 0; turn < 200 && rig_counter(r, sends_part_total) == 0; turn++) {
        trade(r, symbol, 0);
        rig_turn(r);
    }
    assert_int_equal(rig_counter(r, sends_part_total), 1);
    assert_int_equal(rig_counter(r, behind), 1);
}

/* One that is slow by the clock, owed one tick behind so many older ones that it does not want. Returns `ms`.
 */
static uint64_t told_behind(uint32_t unwanted)
{
    struct rig r;
    struct client c;
    open_rig(&r);
    uint32_t mine = rig_symbol(&r, "MINE"), other = rig_symbol(&r, "OTHER");
    client_subscribe(&r, &c, "symbols=MINE&policy=complete&snapshot=0&heartbeat=3600");
    fill(&r, &c, mine);
    rig_turn_after(&r, r.settings.slow_after_ns + NS_PER_MS);
    for (uint32_t i = 0; i < unwanted; i++) trade(&r, other, OLD_MS);
    uint64_t head = trade(&r, mine, 0);
    rig_turn_after(&r, LATE_MS * NS_PER_MS);
    assert_null(client_until(&c, "lag")); /* room is made by this reading; no time passes from here on */
    const char *m = NULL;
    for (uint32_t turn = 0; turn < 10 && !m; turn++) {
        rig_turn_after(&r, 0);
        m = client_until(&c, "lag");
    }
    assert_non_null(m);
    assert_int_equal(c.position, head - unwanted - 1); /* so mine is the first that is owed */
    assert_int_equal(json_number(m, "behind"), unwanted + 1);
    uint64_t ms = json_number(m, "ms");
    client_close(&c);
    rig_close(&r);
    return ms;
}

static void the_age_is_that_of_what_is_wanted(void **state)
{
    (void)state;
    assert_int_equal(told_behind(0), LATE_MS);
    assert_int_equal(told_behind(1), LATE_MS);
    assert_int_equal(told_behind(100), LATE_MS);
    assert_int_equal(told_behind(SCAN - 1), LATE_MS);
    /* Nothing wanted as far as it is looked for: the age of what comes there, never less than the truth. */
    assert_int_equal(told_behind(SCAN + 500), LATE_MS + OLD_MS);
}

static void at_most_once_a_second(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    open_rig(&r);
    uint32_t symbol = rig_symbol(&r, "MINE");
    client_subscribe(&r, &c, "symbols=*&policy=complete&snapshot=0&heartbeat=3600");
    sim_peer_window(r.sim, c.peer, 2000);
    uint64_t last_ns = 0, head = 0;
    uint32_t told = 0;
    for (uint32_t turn = 0; turn < 6000; turn++) { /* reads 50 bytes a millisecond, of about 700 */
        for (uint32_t i = 0; i < 5; i++) head = trade(&r, symbol, 0);
        rig_turn(&r);
        client_read(&c, 50);
        for (const char *m; (m = client_next(&c)) != NULL;) {
            if (!message_is(m, "lag")) continue;
            uint64_t behind = json_number(m, "behind");
            assert_true(behind > 0 && behind <= head - c.position);
            /* Made up to a window's worth before it is read, that is 40 ms. */
            if (told++ > 0) assert_true(sim_now_ns(r.sim) - last_ns >= 960 * NS_PER_MS);
            last_ns = sim_now_ns(r.sim);
        }
    }
    assert_in_range(told, 4, 6);
    client_close(&c);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_age_is_that_of_what_is_wanted),
                                       cmocka_unit_test(at_most_once_a_second)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
