/* What a subscriber holds is right after every loss, or it was told: decisions 4, 5, 7, 10, 11 and 13, on the
 * simulated network; the test is the feed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define CAPACITY 1024u

static const struct rig_options small = {.connections = 16, .log_capacity = CAPACITY, .symbols = 64};

/* More than a lap in which the worker does not run: definitions, then values, then other ticks over both. */
static uint64_t lap_with_news(struct rig *r, uint32_t busy)
{
    uint32_t late = rig_symbol(r, "LATE");
    rig_quote(r, late, 700);
    uint64_t last = rig_trade(r, late, 701);
    for (uint32_t i = 0; i < 3 * CAPACITY; i++) rig_trade(r, busy, i);
    assert_false(log_holds(r->server.log, last));
    return last;
}

static void decision_04_a_lapped_worker_knows_all_symbols_and_values(void **state)
{
    (void)state;
    struct rig r;
    struct client stayed, came;
    rig_open(&r, &small);
    uint32_t a = rig_symbol(&r, "A"), quiet = rig_symbol(&r, "QUIET");
    rig_quote(&r, quiet, 10);
    client_subscribe(&r, &stayed, "symbols=*");
    assert_non_null(client_until(&stayed, "snapshot"));
    uint64_t before = stayed.position;
    rig_quote(&r, quiet, 11); /* in the hole as well: not seen by the worker's own folding */
    uint64_t hole = lap_with_news(&r, a);
    rig_turns(&r, 20);
    assert_int_equal(rig_counter(&r, lapped_total), 1);

    const char *gap = client_until(&stayed, "gap");
    assert_non_null(gap);
    assert_true(json_number(gap, "from") == before);
    assert_true(json_number(gap, "to") > hole);
    const char *snapshot = client_until(&stayed, "snapshot");
    assert_non_null(snapshot);
    assert_true(json_number(json_tick(snapshot, "quote", "QUIET"), "bid") == 11);
    assert_true(json_number(json_tick(snapshot, "quote", "LATE"), "bid") == 700);
    assert_true(json_number(json_tick(snapshot, "trade", "LATE"), "price") == 701);
    assert_true(json_number(json_tick(snapshot, "trade", "A"), "price") == 3 * CAPACITY - 1);

    client_subscribe(&r, &came, "symbols=LATE,QUIET"); /* a name it has never read in the log */
    snapshot = client_until(&came, "snapshot");
    assert_non_null(snapshot);
    assert_true(json_number(json_tick(snapshot, "quote", "LATE"), "bid") == 700);
    assert_true(json_number(json_tick(snapshot, "quote", "QUIET"), "bid") == 11);
    client_close(&stayed);
    client_close(&came);
    rig_close(&r);
}

static void decision_04_a_lapped_worker_tells_every_cohort_its_gap(void **state)
{
    (void)state;
    struct rig r;
    static const char *const queries[] = {"symbols=*&snapshot=0", "symbols=LATE&snapshot=0",
                                          "symbols=A,QUIET&policy=complete&snapshot=0",
                                          "symbols=*&frame=tick&snapshot=0"};
    struct client clients[4];
    rig_open(&r, &small);
    uint32_t a = rig_symbol(&r, "A");
    for (uint32_t i = 0; i < 4; i++) client_subscribe(&r, &clients[i], queries[i]);
    uint64_t hole = lap_with_news(&r, a);
    rig_turns(&r, 20);
    for (uint32_t i = 0; i < 4; i++) {
        const char *gap = client_until(&clients[i], "gap");
        assert_non_null(gap);
        assert_non_null(strstr(gap, "\"reason\":\"overrun\""));
        assert_true(json_number(gap, "to") > hole);
        client_close(&clients[i]);
    }
    rig_close(&r);
}

static void decision_05_after_a_gap_all_state_is_right(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_open(&r, &small);
    uint32_t a = rig_symbol(&r, "A"), once = rig_symbol(&r, "ONCE"), old = rig_symbol(&r, "OLD");
    uint64_t old_seq = rig_quote(&r, old, 1);
    rig_quote(&r, once, 100);
    client_subscribe(&r, &c, "symbols=*");
    assert_non_null(client_until(&c, "snapshot"));
    sim_peer_window(r.sim, c.peer, 300); /* it stops reading */
    uint64_t changed = 0;
    for (uint32_t i = 0; i < 3 * CAPACITY; i++) {
        if (i == CAPACITY) changed = rig_quote(&r, once, 200); /* changes inside the hole, then is quiet */
        rig_trade(&r, a, i);
        if (i % 100 == 0) rig_turn(&r);
    }
    rig_turns(&r, 3);
    sim_peer_window(r.sim, c.peer, 1 << 20);
    for (uint32_t i = 0; i < 20; i++) {
        rig_turn(&r);
        client_read(&c, UINT32_MAX);
    }
    const char *gap = client_until(&c, "gap");
    assert_non_null(gap);
    uint64_t from = json_number(gap, "from"), to = json_number(gap, "to");
    assert_true(from < changed && changed <= to);
    const char *snapshot = client_next(&c); /* it follows, nothing stands between */
    assert_true(snapshot && message_is(snapshot, "snapshot"));
    assert_true(json_number(snapshot, "seq") == to && json_number(snapshot, "since") == from);
    const char *quote = json_tick(snapshot, "quote", "ONCE");
    assert_true(json_number(quote, "seq") == changed && json_number(quote, "bid") == 200);
    assert_null(json_tick(snapshot, "quote", "OLD")); /* did not change in (from, to] */
    assert_true(old_seq <= from);
    const char *trade = json_tick(snapshot, "trade", "A");
    assert_true(json_number(trade, "seq") > from && json_number(trade, "seq") <= to);
    client_close(&c);
    rig_close(&r);
}

/* ---- Decision 7, and a change of set meanwhile (decision 8) ---- */

#define NAMES 400u
#define KEPT  2u /* trade and quote of each */

struct held {
    uint64_t seq, value;
};

static uint32_t id_of(const char *tick)
{
    uint64_t id = strtoull(strstr(tick, "\"symbol\":\"N") + 11, NULL, 10);
    assert_true(id < NAMES);
    return (uint32_t)id;
}

/* Takes ticks as any client would: what it holds of a key never goes back. */
static void hold(struct held held[NAMES][KEPT], const char *message)
{
    static const char *const kinds[KEPT] = {"trade", "quote"};
    for (uint32_t k = 0; k < KEPT; k++) {
        const char *at = message_is(message, kinds[k]) ? message : json_tick(message, kinds[k], NULL);
        for (; at; at = json_tick(at, kinds[k], NULL)) {
            struct held *h = &held[id_of(at)][k];
            assert_true(json_number(at, "seq") >= h->seq);
            *h = (struct held){json_number(at, "seq"), json_number(at, k == 0 ? "price" : "bid")};
        }
    }
}

static void many_names(struct rig *r, uint64_t truth[NAMES][KEPT])
{
    rig_open(r, &(struct rig_options){.connections = 16, .log_capacity = 1 << 16, .symbols = 1024});
    for (uint32_t id = 0; id < NAMES; id++) {
        char name[8];
        snprintf(name, sizeof name, "N%u", id);
        assert_int_equal(rig_symbol(r, name), id);
        truth[id][0] = truth[id][1] = id;
        rig_trade(r, id, id);
        rig_quote(r, id, id);
    }
    rig_turn(r);
}

/* Low and high ids alike, before and behind the piece under way. */
static void move_some(struct rig *r, uint64_t truth[NAMES][KEPT], uint32_t turn)
{
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t id = (turn * 37 + i * 101) % NAMES;
        truth[id][0] = truth[id][1] = 1000 + turn;
        rig_trade(r, id, (int64_t)truth[id][0]);
        rig_quote(r, id, (int64_t)truth[id][1]);
    }
}

static void pieces_against_a_moving_table(const char *query)
{
    struct rig r;
    struct client c;
    uint64_t truth[NAMES][KEPT];
    many_names(&r, truth);
    client_connect(&r, &c, query);
    sim_peer_window(r.sim, c.peer, 20000); /* a piece and a bit */
    struct held held[NAMES][KEPT] = {0};
    uint32_t pieces = 0, moved = 0, id_last = 0;
    bool upgraded = false, last = false;
    for (uint32_t turn = 0; turn < 6000 && !(last && c.position == log_head(r.server.log)); turn++) {
        if (!last) move_some(&r, truth, turn);
        rig_turn(&r);
        if (!upgraded && !(upgraded = client_upgraded(&c))) continue;
        client_read(&c, 3000);
        for (const char *m; (m = client_next(&c)) != NULL;) { /* each checks the chain */
            hold(held, m);
            moved += pieces > 0 && !last && !message_is(m, "snapshot");
            if (!message_is(m, "snapshot")) continue;
            assert_true(pieces == 0 || id_of(m) > id_last); /* ascending, none twice */
            for (const char *at = m; (at = json_tick(at, "trade", NULL)) != NULL;) id_last = id_of(at);
            pieces++;
            last = strstr(m, "\"more\":true") == NULL;
        }
    }
    assert_true(last);
    assert_true(pieces >= 4 && moved > 0); /* the case was met: it moved between pieces */
    assert_int_equal(id_last, NAMES - 1);
    assert_true(c.position == log_head(r.server.log));
    for (uint32_t id = 0; id < NAMES; id++)
        for (uint32_t k = 0; k < KEPT; k++) assert_true(held[id][k].value == truth[id][k]);
    client_close(&c);
    rig_close(&r);
}

static void decision_07_pieces_of_a_snapshot_against_a_moving_table(void **state)
{
    (void)state;
    pieces_against_a_moving_table("symbols=*&policy=complete");
}

static void decision_07_and_tick_by_tick(void **state)
{
    (void)state;
    pieces_against_a_moving_table("symbols=*&policy=complete&frame=tick&heartbeat=0.05");
}

static void decision_08_a_change_of_set_waits_for_the_snapshot_under_way(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    uint64_t truth[NAMES][KEPT];
    many_names(&r, truth);
    uint32_t other = rig_symbol(&r, "OTHER");
    rig_quote(&r, other, 7);
    client_connect(&r, &c, "symbols=N*");
    sim_peer_window(r.sim, c.peer, 20000);
    rig_turns(&r, 4);
    client_command(&c, "{\"op\":\"subscribe\",\"id\":5,\"symbols\":[\"OTHER\"]}");
    rig_turns(&r, 4);
    assert_true(client_upgraded(&c));
    uint32_t changed = 0, pieces = 0, fresh = 0, live = 0;
    bool last = false;
    for (uint32_t turn = 0; turn < 2000 && live == 0; turn++) {
        move_some(&r, truth, turn);
        if (changed) rig_quote(&r, other, 8);
        rig_turn(&r);
        client_read(&c, 4000);
        for (const char *m; (m = client_next(&c)) != NULL;) {
            bool of_other = json_tick(m, "quote", "OTHER") != NULL;
            if (message_is(m, "subscribed") && json_number(m, "id") == 5) {
                assert_true(last);
                changed++;
            } else if (message_is(m, "snapshot")) {
                assert_true(of_other == (changed > 0)); /* only what is new */
                fresh += of_other;
                pieces += !of_other;
                last = strstr(m, "\"more\":true") == NULL;
            } else {
                assert_true(!of_other || fresh > 0); /* the old set up to the answer */
                live += of_other;
            }
        }
    }
    assert_true(pieces >= 4);
    assert_int_equal(changed, 1);
    assert_int_equal(fresh, 1);
    assert_true(live > 0);
    client_close(&c);
    rig_close(&r);
}

/* ---- Decisions 10 and 11 ---- */

static void decision_10_losses_and_the_end_come_in_order_to_everyone(void **state)
{
    (void)state;
    struct rig r;
    struct client wants, other;
    rig_open(&r, &small);
    uint32_t a = rig_symbol(&r, "A");
    client_subscribe(&r, &wants, "symbols=A&kinds=trade&snapshot=0&policy=complete");
    client_subscribe(&r, &other, "symbols=NOBODY&kinds=quote&snapshot=0");
    uint64_t before = rig_trade(&r, a, 1), lost = rig_feed(&r, FEED_LOST, false, 12);
    uint64_t unknown = rig_feed(&r, FEED_LOST, false, FEED_LOST_UNKNOWN), after = rig_trade(&r, a, 2);
    uint64_t ended = rig_feed(&r, FEED_ENDED, false, 0);
    rig_turns(&r, 4);
    const char *m = client_until(&wants, "ticks"), *at = m;
    assert_non_null(m);
    uint64_t seen[5] = {json_number(at = json_tick(at, "trade", "A"), "seq")};
    seen[1] = json_number(at = json_tick(at, "feed", NULL), "seq");
    assert_true(json_number(at, "lost") == 12 && strstr(at, "\"reason\":\"ring\"") != NULL);
    seen[2] = json_number(at = json_tick(at, "feed", NULL), "seq");
    assert_non_null(strstr(at, "\"lost\":null"));
    seen[3] = json_number(at = json_tick(at, "trade", "A"), "seq");
    seen[4] = json_number(at = json_tick(at, "feed", NULL), "seq");
    assert_non_null(strstr(at, "\"state\":\"ended\""));
    assert_memory_equal(seen, ((uint64_t[5]){before, lost, unknown, after, ended}), sizeof seen);

    m = client_until(&other, "ticks"); /* whatever its filter */
    assert_non_null(m);
    assert_null(json_tick(m, "trade", NULL));
    assert_true(json_number(at = json_tick(m, "feed", NULL), "seq") == lost);
    assert_true(json_number(at = json_tick(at, "feed", NULL), "seq") == unknown);
    assert_true(json_number(json_tick(at, "feed", NULL), "seq") == ended);
    client_close(&wants);
    client_close(&other);
    rig_close(&r);
}

static void decision_11_a_reset_forgets_and_seq_goes_on(void **state)
{
    (void)state;
    struct rig r;
    struct client stayed, came, late;
    rig_open(&r, &small);
    uint32_t a = rig_symbol(&r, "A"), b = rig_symbol(&r, "B");
    rig_quote(&r, a, 10);
    rig_quote(&r, b, 20);
    client_subscribe(&r, &stayed, "symbols=*");
    assert_non_null(client_until(&stayed, "snapshot"));
    uint64_t epoch = log_epoch(r.server.log), head = log_head(r.server.log);
    log_forget(r.server.log, a); /* as the feed of A does it; B is another's */
    assert_true(rig_feed(&r, FEED_LOOPED, true, 0) == head + 1);
    rig_turns(&r, 4);
    const char *m = client_until(&stayed, "ticks");
    assert_non_null(m);
    assert_non_null(strstr(m, "\"state\":\"looped\",\"reset\":true"));
    assert_true(stayed.position == head + 1 && log_epoch(r.server.log) == epoch);

    client_subscribe(&r, &came, "symbols=*");
    m = client_until(&came, "snapshot");
    assert_non_null(m);
    assert_null(json_tick(m, "quote", "A")); /* unknown from here on, for the worker's own table as well */
    assert_true(json_number(json_tick(m, "quote", "B"), "bid") == 20);

    rig_quote(&r, a, 11);
    rig_turns(&r, 4);
    client_subscribe(&r, &late, "symbols=*");
    m = client_until(&late, "snapshot");
    assert_non_null(m);
    assert_true(json_number(json_tick(m, "quote", "A"), "bid") == 11);
    client_close(&stayed);
    client_close(&came);
    client_close(&late);
    rig_close(&r);
}

/* ---- Decision 13 ---- */

static void decision_13_the_heartbeat_has_the_feeds_time(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_open(&r, &small);
    uint32_t a = rig_symbol(&r, "A");
    client_subscribe(&r, &c, "symbols=A&snapshot=0&heartbeat=0.05");
    rig_trade(&r, a, 1);
    uint64_t drained = sim_now_ns(r.sim) - 3 * NS_PER_MS; /* neither this turn's time nor any other of ours */
    log_set_drained(r.server.log, drained);
    rig_turns(&r, 60);
    const char *m = client_until(&c, "heartbeat");
    assert_non_null(m);
    assert_true(json_number(m, "ts") == drained && json_number(m, "seq") == 2);
    assert_null(strstr(m, "stalled"));
    while (client_until(&c, "heartbeat")) continue;

    rig_turns(&r, 1200); /* no feed says that it is drained: it may lag behind by all that time */
    const char *newest = NULL;
    while ((m = client_until(&c, "heartbeat")) != NULL) {
        newest = m;
        assert_true(json_number(m, "ts") == drained);
        assert_true((strstr(m, "\"stalled\":true") != NULL) || json_number(m, "seq") == 2);
        if (c.size == 0) break; /* m is the last one */
    }
    assert_non_null(newest);
    assert_non_null(strstr(newest, "\"stalled\":true"));
    client_close(&c);
    rig_close(&r);
}

static void decision_13_a_worker_that_has_not_read_all_does_not_say_so(void **state)
{
    (void)state;
    struct rig r;
    struct client c, ahead;
    rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 1 << 18, .symbols = 64});
    uint32_t a = rig_symbol(&r, "A");
    client_subscribe(&r, &c, "symbols=QUIET&snapshot=0&heartbeat=0.01");
    char query[96];
    snprintf(query, sizeof query, "symbols=QUIET&heartbeat=0.01&resume=%016llx-500",
             (unsigned long long)log_epoch(r.server.log));
    client_subscribe(&r, &ahead, query);
    uint64_t t1 = sim_now_ns(r.sim);
    log_set_drained(r.server.log, t1);
    rig_turns(&r, 20);
    const char *m = client_until(&ahead, "heartbeat"); /* not in step with the head: its own position */
    assert_non_null(m);
    assert_true(json_number(m, "seq") == 500);
    while (client_until(&c, "heartbeat")) continue;
    for (uint32_t i = 0; i < 200000; i++) rig_trade(&r, a, i); /* more than 20 turns read */
    log_set_drained(r.server.log, t1 + 5 * NS_PER_MS);
    uint32_t not_yet = 0, whole = 0;
    for (uint32_t turn = 0; turn < 60; turn++) {
        rig_turn(&r);
        uint64_t read = rig_counter(&r, read_seq);
        while ((m = client_until(&c, "heartbeat")) != NULL) {
            assert_true(json_number(m, "seq") <= read);
            assert_true(json_number(m, "ts") == t1 || read == log_head(r.server.log));
            not_yet += json_number(m, "ts") == t1 && json_number(m, "seq") < log_head(r.server.log);
            whole += json_number(m, "ts") > t1 && json_number(m, "seq") == log_head(r.server.log);
        }
    }
    assert_true(not_yet > 0 && whole > 0);
    client_close(&c);
    client_close(&ahead);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decision_04_a_lapped_worker_knows_all_symbols_and_values),
        cmocka_unit_test(decision_04_a_lapped_worker_tells_every_cohort_its_gap),
        cmocka_unit_test(decision_05_after_a_gap_all_state_is_right),
        cmocka_unit_test(decision_07_pieces_of_a_snapshot_against_a_moving_table),
        cmocka_unit_test(decision_07_and_tick_by_tick),
        cmocka_unit_test(decision_08_a_change_of_set_waits_for_the_snapshot_under_way),
        cmocka_unit_test(decision_10_losses_and_the_end_come_in_order_to_everyone),
        cmocka_unit_test(decision_11_a_reset_forgets_and_seq_goes_on),
        cmocka_unit_test(decision_13_the_heartbeat_has_the_feeds_time),
        cmocka_unit_test(decision_13_a_worker_that_has_not_read_all_does_not_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
