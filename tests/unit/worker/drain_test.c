/* A server that ends sends its connections away evenly over --drain-seconds, whatever slots they have, and
 * they come back at a bounded rate: on a virtual clock, to the turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define MANY     10000u
#define TENTHS   10u
#define SPAN_MS  2000u
#define STEP_MS  5u
#define AGAIN_MS (1000u + SPAN_MS) /* reconnect_after_ms is below it */

struct leaving {
    uint32_t closed[TENTHS];           /* by the tenth of the span */
    uint32_t draws[TENTHS * 2];        /* reconnect_after_ms, by the twentieth of what it may be */
    uint32_t back[SPAN_MS + AGAIN_MS]; /* who would come back, by millisecond */
    uint32_t count, first_ms, last_ms;
};

static struct client clients[MANY];
static struct leaving left;

/* Takes no memory while it has nothing unread. */
static void rest(struct client *c)
{
    assert_int_equal(c->size, 0);
    free(c->bytes);
    c->bytes = NULL;
    c->room = 0;
}

static void join(struct rig *r, uint32_t count)
{
    for (uint32_t first = 0; first < count; first += 100) {
        for (uint32_t i = first; i < first + 100; i++)
            client_connect(r, &clients[i], "symbols=*&snapshot=0&heartbeat=3600");
        rig_turns(r, 4);
        for (uint32_t i = first; i < first + 100; i++) {
            assert_true(client_upgraded(&clients[i]));
            assert_non_null(client_until(&clients[i], "subscribed"));
            assert_null(client_until(&clients[i], "")); /* nothing more */
            rest(&clients[i]);
        }
    }
    assert_int_equal(rig_counter(r, subscribers), count);
}

/* What those that are left are told in this turn. */
static void look(uint32_t count, uint32_t at_ms)
{
    for (uint32_t i = 0; i < count; i++) {
        struct client *c = &clients[i];
        if (!c->open) continue;
        const char *m = client_until(c, "drain");
        if (!m) continue;
        uint64_t after_ms = json_number(m, "reconnect_after_ms");
        assert_true(after_ms < AGAIN_MS);
        assert_null(client_until(c, "")); /* a close frame, at once */
        assert_false(c->open);
        uint32_t tenth = at_ms * TENTHS / (SPAN_MS + STEP_MS);
        assert_true(tenth < TENTHS);
        left.closed[tenth]++;
        left.draws[after_ms * TENTHS * 2 / AGAIN_MS]++;
        left.back[at_ms + after_ms]++;
        if (left.count++ == 0) left.first_ms = at_ms;
        left.last_ms = at_ms;
        rest(c);
    }
}

static void drain(struct rig *r, uint32_t count)
{
    memset(&left, 0, sizeof left);
    r->settings.drain_ns = SPAN_MS * NS_PER_MS;
    atomic_store(&r->server.draining, true);
    for (uint32_t at_ms = 0; at_ms <= SPAN_MS; at_ms += STEP_MS) {
        rig_turn_after(r, at_ms == 0 ? 0 : STEP_MS * NS_PER_MS);
        rig_turn_after(r, 0); /* what the turn before wanted sent goes out */
        look(count, at_ms);
        assert_false(worker_drained(r->worker));
    }
    assert_int_equal(left.count, count);
    for (uint32_t i = 0; i < count; i++) sim_peer_close(r->sim, clients[i].peer, IO_CLOSE_FIN);
    for (uint32_t turns = 0; turns < 20 && !worker_drained(r->worker); turns++)
        rig_turn_after(r, 500 * NS_PER_MS);
    assert_true(worker_drained(r->worker));
}

static void assert_even(uint32_t count)
{
    assert_true(left.first_ms < SPAN_MS / 50);
    assert_true(left.last_ms > SPAN_MS - SPAN_MS / 50);
    for (uint32_t i = 0; i < TENTHS; i++) /* by the clock, not by chance: nearly exact */
        assert_in_range(left.closed[i], count / TENTHS * 95 / 100, count / TENTHS * 105 / 100);
}

static void open_rig(struct rig *r)
{
    rig_open(r, &(struct rig_options){
                    .connections = MANY, .log_capacity = 1024, .symbols = 64, .window_max = 16384});
}

static void ten_thousand_leave_and_come_back_evenly(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    join(&r, MANY);
    drain(&r, MANY);
    assert_even(MANY);
    /* 500 draws in each twentieth, give or take five standard deviations (22). */
    for (uint32_t i = 0; i < TENTHS * 2; i++) assert_in_range(left.draws[i], 390, 610);
    /* No 100 ms see more of them come back than an even spread over the draws' range brings (333), give or
     * take five standard deviations (18). */
    for (uint32_t from = 0; from + 100 <= SPAN_MS + AGAIN_MS; from += 10) {
        uint32_t sum = 0;
        for (uint32_t i = from; i < from + 100; i++) sum += left.back[i];
        assert_true(sum <= 333 + 90);
    }
    for (uint32_t i = 0; i < MANY; i++) client_close(&clients[i]);
    rig_close(&r);
}

/* Most of a crowd is gone: those that stayed have the lowest slots. */
static void who_is_left_of_a_crowd_is_spread_too(void **state)
{
    (void)state;
    const uint32_t stayed = 400;
    struct rig r;
    open_rig(&r);
    join(&r, MANY);
    for (uint32_t i = stayed; i < MANY; i++) sim_peer_close(r.sim, clients[i].peer, IO_CLOSE_RESET);
    for (uint32_t i = 0; i < 200 && rig_counter(&r, connections) > stayed; i++) rig_turn(&r);
    assert_int_equal(rig_counter(&r, connections), stayed);
    drain(&r, stayed);
    assert_even(stayed);
    for (uint32_t i = 0; i < MANY; i++) client_close(&clients[i]);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ten_thousand_leave_and_come_back_evenly),
                                       cmocka_unit_test(who_is_left_of_a_crowd_is_spread_too)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
