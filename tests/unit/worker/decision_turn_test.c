/* What one turn of a worker may do, counted on the simulated network: decisions 2, 18 and 19. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "support/worker_rig.h"

/* The bounds that the decisions name. */
#define SUBMISSION_SENDS 64u
#define TURN_SENDS       256u
#define TURN_SCAN        16384u
#define TURN_FOLD        8192u
#define SEND_FRAMES      4u /* of one send: 64 KiB */

/* ---- Decision 2: the seam itself refuses a second send for a socket before the flush (io_sim asserts it,
 * and so does any io); here everything that sends does so at once, while room comes free between two sends.
 * ---- */

#define CROWD 40u

static void talk(struct client *c, struct random *random, uint32_t *pings)
{
    static const char *const commands[] = {
        "{\"op\":\"ping\",\"id\":1}", "{\"op\":\"subscribe\",\"symbols\":[\"B\"]}",
        "{\"op\":\"unsubscribe\",\"symbols\":[\"B\"]}",
        "{\"op\":\"subscribe\",\"symbols\":[\"NO*\"],\"kinds\":[\"bar\"]}"};
    uint64_t what = random_below(random, 40);
    if (what < 4) client_command(c, commands[what]);
    if (what != 5) return;
    client_frame(c, 9, "are you there?");
    ++*pings;
}

static void decision_02_one_send_per_socket_and_submission(void **state)
{
    (void)state;
    static const char *const queries[] = {"symbols=*&policy=complete&heartbeat=0.02",
                                          "symbols=A,B&frame=tick&heartbeat=0.03", "symbols=A&policy=latest",
                                          "symbols=*&policy=conflate&rate=200"};
    struct sim_faults faults = {
        .seed = 7, .short_ppm = 200000, .full_ppm = 150000, .room_ppm = 500000, .early_ppm = 200000};
    struct rig r;
    static struct client clients[CROWD];
    struct random random;
    random_seed(&random, 11);
    rig_open(
        &r,
        &(struct rig_options){
            .connections = 256, .log_capacity = 4096, .symbols = 64, .cohort_members = 8, .faults = faults});
    uint32_t a = rig_symbol(&r, "A"), b = rig_symbol(&r, "B");
    for (uint32_t i = 0; i < CROWD; i++) {
        client_connect(&r, &clients[i], queries[i % 4]);
        sim_peer_window(r.sim, clients[i].peer, 3000 + i * 200);
    }
    uint32_t pings = 0, pongs = 0, upgraded = 0, up[CROWD] = {0};
    for (uint32_t turn = 0; turn < 600; turn++) {
        for (uint32_t i = 0; i < 8; i++) rig_quote(&r, i & 1 ? a : b, turn);
        rig_turn(&r);
        for (uint32_t i = 0; i < CROWD; i++) {
            if (!up[i]) {
                upgraded += up[i] = client_upgraded(&clients[i]);
                continue;
            }
            client_read(&clients[i], (uint32_t)random_below(&random, 4000));
            while (client_next(&clients[i])) continue; /* whole frames, in one chain: nothing is torn */
            talk(&clients[i], &random, &pings);
        }
    }
    sim_heal(r.sim);
    for (uint32_t turn = 0; turn < 200; turn++) {
        rig_turn(&r);
        for (uint32_t i = 0; i < CROWD; i++) {
            client_read(&clients[i], UINT32_MAX);
            while (client_next(&clients[i])) continue;
        }
    }
    assert_int_equal(upgraded, CROWD);
    const struct sim_seen *seen = sim_seen(r.sim);
    assert_true(seen->shorts > 100 && seen->fulls > 100 && seen->rooms > 100);
    for (uint32_t i = 0; i < CROWD; i++) {
        assert_true(clients[i].open && clients[i].size == 0);
        assert_true(clients[i].position + 16 > log_head(r.server.log)); /* all are served to the end */
        pongs += clients[i].pongs;
        client_close(&clients[i]);
    }
    assert_true(pings > 100 && pongs > 0 && pongs <= pings);
    rig_close(&r);
}

/* ---- Decision 18 ---- */

#define LISTS 600u

static void many_lists(struct rig *r, struct client *clients)
{
    rig_open(r, &(struct rig_options){.connections = 1024, .log_capacity = 65536, .symbols = 1024});
    rig_symbol(r, "A");
    for (uint32_t i = 0; i < LISTS; i++) { /* each its own group, and so a cohort of one */
        char query[64];
        snprintf(query, sizeof query, "symbols=A,X%u&snapshot=0&policy=complete", i);
        client_connect(r, &clients[i], query);
        if (i % 100 == 99) rig_turns(r, 10);
    }
    rig_turns(r, 20);
    for (uint32_t i = 0; i < LISTS; i++) {
        assert_true(client_upgraded(&clients[i]));
        assert_non_null(client_until(&clients[i], "subscribed"));
    }
    assert_int_equal(rig_counter(r, behind), 0);
    assert_int_equal(rig_counter(r, cohorts), LISTS);
}

static void decision_18_a_submission_gathers_cohorts(void **state)
{
    (void)state;
    struct rig r;
    static struct client clients[LISTS];
    many_lists(&r, clients);
    uint64_t enters = sim_io(r.sim)->counters.enters, sends = sim_io(r.sim)->counters.sends;
    uint64_t seq = rig_trade(&r, 0, 1);
    uint32_t turns = 0;
    while (sim_io(r.sim)->counters.sends < sends + LISTS && turns++ < 100) rig_turn(&r);
    assert_int_equal(sim_io(r.sim)->counters.sends - sends, LISTS); /* one send each, no more */
    /* As many submissions as it takes at 64 sends each, and a wait a turn; not one a cohort. */
    assert_true(sim_io(r.sim)->counters.enters - enters <= LISTS / SUBMISSION_SENDS + 1 + 3 * turns);
    for (uint32_t i = 0; i < LISTS; i++) {
        assert_non_null(client_until(&clients[i], "ticks"));
        assert_true(clients[i].position == seq);
        client_close(&clients[i]);
    }
    rig_close(&r);
}

static void decision_18_control_has_its_share_under_saturation(void **state)
{
    (void)state;
    struct rig r;
    static struct client clients[LISTS];
    many_lists(&r, clients);
    struct client late;
    uint64_t sends_most = 0;
    for (uint32_t turn = 0; turn < 60; turn++) { /* always more news than a turn can hand out */
        if (turn % 10 == 0) client_command(&clients[turn], "{\"op\":\"ping\",\"id\":77}");
        if (turn == 20) client_connect(&r, &late, "symbols=NOBODY&snapshot=0");
        rig_trade(&r, 0, turn);
        uint64_t before = sim_io(r.sim)->counters.sends;
        rig_turn(&r);
        sends_most = max_u64(sends_most, sim_io(r.sim)->counters.sends - before);
        if (turn % 10 == 0) { /* in this very turn, not when the round of all cohorts is over */
            const char *pong = client_until(&clients[turn], "pong");
            assert_non_null(pong);
            assert_true(json_number(pong, "id") == 77);
        }
        if (turn == 23) { /* accepted, upgraded and answered in between */
            assert_true(client_upgraded(&late));
            assert_non_null(client_until(&late, "subscribed"));
        }
    }
    assert_true(sends_most >= TURN_SENDS); /* it was saturated, and each turn was bounded */
    assert_true(sends_most < TURN_SENDS + SUBMISSION_SENDS + 16);
    rig_turns(&r, 20);
    for (uint32_t i = 0; i < LISTS; i++) { /* and the round reaches everyone */
        while (client_until(&clients[i], "ticks")) continue;
        assert_true(clients[i].position == log_head(r.server.log));
        client_close(&clients[i]);
    }
    client_close(&late);
    rig_close(&r);
}

/* Where much is owed to everybody, sends are large: a turn has room for as many frames as it has for sends of
 * one. */
static void decision_18_large_sends_make_no_longer_turn(void **state)
{
    (void)state;
    struct rig r;
    static struct client clients[LISTS];
    many_lists(&r, clients);
    for (uint32_t i = 0; i < 800; i++) rig_trade(&r, 0, i);
    uint64_t begun = rig_counter(&r, frames_total), frames_most = 0;
    for (uint32_t turn = 0; turn < 30; turn++) {
        uint64_t before = rig_counter(&r, frames_total);
        rig_turn(&r);
        frames_most = max_u64(frames_most, rig_counter(&r, frames_total) - before);
    }
    assert_true(rig_counter(&r, frames_total) - begun >= 3 * LISTS); /* large they were */
    assert_true(frames_most >= TURN_SENDS);
    assert_true(frames_most < TURN_SENDS + SUBMISSION_SENDS * SEND_FRAMES);
    for (uint32_t i = 0; i < LISTS; i++) {
        while (client_until(&clients[i], "ticks")) continue;
        assert_true(clients[i].position == log_head(r.server.log));
        client_close(&clients[i]);
    }
    rig_close(&r);
}

/* Whoever there is to send to: between two submissions the log is looked at again, and no further than a turn
 * may. */
static void a_turn_reads_a_bounded_part_of_the_log(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 65536, .symbols = 64});
    uint32_t a = rig_symbol(&r, "A");
    client_subscribe(&r, &c, "symbols=A&policy=complete&snapshot=0");
    for (uint32_t i = 0; i < 4 * TURN_FOLD; i++) rig_trade(&r, a, i);
    for (uint64_t before = rig_counter(&r, read_seq); before < log_head(r.server.log);) {
        rig_turn(&r);
        uint64_t after = rig_counter(&r, read_seq);
        assert_true(after > before && after <= before + TURN_FOLD);
        before = after;
    }
    rig_turns(&r, 20);
    while (client_until(&c, "ticks")) continue;
    assert_true(c.position == log_head(r.server.log));
    client_close(&c);
    rig_close(&r);
}

/* ---- Decision 19 ---- */

#define BACKLOG 200000u

static void decision_19_catching_up_has_a_budget_of_ticks(void **state)
{
    (void)state;
    struct rig r;
    struct client fast, slow[5];
    rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 1 << 18, .symbols = 64});
    uint32_t a = rig_symbol(&r, "A"), rare = rig_symbol(&r, "RARE");
    for (uint32_t i = 0; i < BACKLOG; i++) rig_trade(&r, a, i);
    uint64_t wanted = rig_trade(&r, rare, 5);
    while (rig_counter(&r, read_seq) < wanted) rig_turn(&r);
    client_subscribe(&r, &fast, "symbols=A&policy=complete&snapshot=0");
    for (uint32_t i = 0; i < 5; i++)
        client_connect(&r, &slow[i], "symbols=RARE&since=oldest&policy=complete");
    uint32_t done = 0, turn = 0, up[5] = {0}, first = 0;
    for (; done < 5 && turn < 1000; turn++) {
        uint64_t seq = rig_trade(&r, a, turn);
        rig_turn(&r);
        /* Who is in step has its tick in every turn, however much the others have to look through. */
        assert_non_null(client_until(&fast, "ticks"));
        assert_true(fast.position == seq);
        for (uint32_t i = 0; i < 5; i++) {
            if (!up[i] && !(up[i] = client_upgraded(&slow[i]))) continue;
            client_read(&slow[i], UINT32_MAX);
            for (const char *m; (m = client_next(&slow[i])) != NULL;)
                if (message_is(m, "ticks") && json_number(json_tick(m, "trade", "RARE"), "seq") == wanted)
                    done++;
        }
        if (done > 0 && first == 0) first = turn;
    }
    assert_int_equal(done, 5);
    assert_true(first >= BACKLOG / TURN_SCAN);           /* spread over turns */
    assert_true(turn <= 6 * (BACKLOG / TURN_SCAN) + 10); /* and round robin: it goes on in each of them */
    client_close(&fast);
    for (uint32_t i = 0; i < 5; i++) client_close(&slow[i]);
    rig_close(&r);
}

/* Or its thread would sleep a millisecond between two parts of the log that have nothing for the client. */
static void a_turn_that_only_looks_through_the_log_is_work(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 1 << 18, .symbols = 64});
    uint32_t a = rig_symbol(&r, "A"), rare = rig_symbol(&r, "RARE");
    for (uint32_t i = 0; i < BACKLOG; i++) rig_trade(&r, a, i);
    uint64_t wanted = rig_trade(&r, rare, 5);
    rig_turns(&r, 1 + BACKLOG / TURN_FOLD);
    assert_int_equal(rig_turn(&r), 0);
    client_subscribe(&r, &c, "symbols=RARE&since=oldest&policy=complete");
    const char *ticks = NULL;
    uint32_t turns = 0;
    for (; turns < 1000 && !(ticks = client_until(&c, "ticks")); turns++) assert_true(rig_turn(&r) > 0);
    assert_non_null(ticks);
    assert_true(json_number(json_tick(ticks, "trade", "RARE"), "seq") == wanted);
    assert_true(turns >= BACKLOG / TURN_SCAN / 2); /* some were gone through while it was subscribed */
    client_close(&c);
    rig_close(&r);
}

static void decision_19_who_falls_back_together_shares_frames(void **state)
{
    (void)state;
    struct rig r;
    struct client c[8];
    rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 1 << 16, .symbols = 64});
    uint32_t a = rig_symbol(&r, "A");
    for (uint32_t i = 0; i < 8; i++) client_subscribe(&r, &c[i], "symbols=A&policy=complete&snapshot=0");
    for (uint32_t i = 0; i < 8; i++) sim_peer_window(r.sim, c[i].peer, 100);
    for (uint32_t i = 0; i < 3000; i++) rig_trade(&r, a, i);
    rig_turns(&r, 10);
    assert_int_equal(rig_counter(&r, behind), 8);
    uint64_t before = rig_counter(&r, renders_total), frames = rig_counter(&r, frames_total);
    for (uint32_t i = 0; i < 8; i++) sim_peer_window(r.sim, c[i].peer, 1 << 20);
    for (uint32_t turn = 0; turn < 40; turn++) {
        rig_turn(&r);
        for (uint32_t i = 0; i < 8; i++) client_read(&c[i], UINT32_MAX);
    }
    assert_int_equal(rig_counter(&r, behind), 0);
    uint64_t rendered = rig_counter(&r, renders_total) - before,
             sent = rig_counter(&r, frames_total) - frames;
    assert_true(sent >= 8 * 5); /* several frames each */
    assert_true(rendered * 4 <= sent);
    for (uint32_t i = 0; i < 8; i++) {
        while (client_next(&c[i])) continue;
        assert_true(c[i].position == log_head(r.server.log));
        client_close(&c[i]);
    }
    rig_close(&r);
}

/* ---- Decision 29: a completion that the kernel lost may have told of a cut: nobody's stream is known to be
 * whole any more. ---- */

static void decision_29_lost_completions_reset_everybody(void **state)
{
    (void)state;
    struct rig r;
    struct client before[3], after;
    rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 1024, .symbols = 64});
    for (uint32_t i = 0; i < 3; i++) client_subscribe(&r, &before[i], "symbols=*");
    rig_turns(&r, 10);
    assert_int_equal(rig_counter(&r, connections), 3);
    sim_io(r.sim)->counters.cq_overflow += 2;
    rig_turn(&r);
    assert_int_equal(rig_counter(&r, cq_overflow_total), 2);
    assert_int_equal(rig_counter(&r, connections), 0);
    rig_turn(&r);
    for (uint32_t i = 0; i < 3; i++) {
        client_read(&before[i], UINT32_MAX);
        assert_int_equal(sim_peer_end(r.sim, before[i].peer), SIM_RESET);
        client_close(&before[i]);
    }
    client_subscribe(&r, &after, "symbols=*"); /* told once: who comes back stays */
    rig_turns(&r, 10);
    assert_int_equal(rig_counter(&r, connections), 1);
    client_close(&after);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decision_29_lost_completions_reset_everybody),
        cmocka_unit_test(decision_02_one_send_per_socket_and_submission),
        cmocka_unit_test(decision_18_a_submission_gathers_cohorts),
        cmocka_unit_test(decision_18_control_has_its_share_under_saturation),
        cmocka_unit_test(decision_18_large_sends_make_no_longer_turn),
        cmocka_unit_test(a_turn_reads_a_bounded_part_of_the_log),
        cmocka_unit_test(decision_19_catching_up_has_a_budget_of_ticks),
        cmocka_unit_test(a_turn_that_only_looks_through_the_log_is_work),
        cmocka_unit_test(decision_19_who_falls_back_together_shares_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
