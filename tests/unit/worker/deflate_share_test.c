/* tests/unit/worker/deflate_share_test.c -- goal: what is packed for one cohort is not packed again for
 * another that stands at the same place of the same set, whoever is visited in between; and a turn packs a
 * bounded number of frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "support/deflate_rig.h"

#define CROWD 200u /* four cohorts, and so four submissions a turn */

static uint32_t news;
static const struct io_ops *sim_ops;

/* With each submission of data a tick comes, as a feed's would: before the next one it is read. */
static uint32_t flush_while_ticks_come(struct io *io, struct io_sent *failed)
{
    trade(news);
    return sim_ops->send_flush(io, failed);
}

static void all_are_subscribed(struct client *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(client_upgraded(&c[i]));
        assert_non_null(client_until(&c[i], "subscribed"));
    }
}

/* The frames that each has not read yet end with the log. */
static void all_have_come_and_go(struct client *c, uint32_t count)
{
    static struct got g;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t last = 0;
        while (client_read(&c[i], UINT32_MAX), c[i].size > 0) {
            take(&c[i], &g);
            last = json_number((const char *)g.plain, "to");
        }
        assert_true(last == log_head(r.server.log));
        client_close(&c[i]);
    }
}

static void a_busy_feed_does_not_part_the_cohorts(void **state)
{
    (void)state;
    static struct client c[CROWD];
    open_rig_with(&(struct rig_options){.connections = 256,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .window_max = 1 << 20});
    news = rig_symbol(&r, ALL_EASY);
    for (uint32_t i = 0; i < CROWD; i++) {
        client_connect_with(&r, &c[i], "symbols=*&snapshot=0", OFFER);
        if (i % 50 == 49) rig_turns(&r, 10);
    }
    all_are_subscribed(c, CROWD);
    assert_int_equal(rig_counter(&r, cohorts), 4);
    sim_ops = sim_io(r.sim)->ops;
    struct io_ops ops = *sim_ops;
    ops.send_flush = flush_while_ticks_come;
    uint64_t packed = rig_counter(&r, deflate_frames_total), frames = rig_counter(&r, frames_total);
    trade(news);
    sim_io(r.sim)->ops = &ops;
    rig_turns(&r, 20);
    sim_io(r.sim)->ops = sim_ops;
    rig_turns(&r, 4);
    packed = rig_counter(&r, deflate_frames_total) - packed;
    frames = rig_counter(&r, frames_total) - frames;
    assert_true(frames >= 20 * CROWD);
    assert_true(packed * CROWD <= frames * 2); /* for all four, or nearly */
    all_have_come_and_go(c, CROWD);
    close_rig();
}

/* Two sets whose cohorts take turns in the round, and stood apart at first: each set is packed for as one. */
static void sets_beside_each_other_and_cohorts_apart_share_what_is_packed(void **state)
{
    (void)state;
    static const char *const queries[] = {"symbols=*&snapshot=0&policy=complete",
                                          "symbols=" ALL_EASY "&snapshot=0&policy=complete"};
    static struct client c[2 * CROWD];
    open_rig_with(&(struct rig_options){.connections = 512,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .cohort_members = 25,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .window_max = 1 << 20});
    news = rig_symbol(&r, ALL_EASY);
    for (uint32_t i = 0; i < 2 * CROWD; i++) {
        client_connect_with(&r, &c[i], queries[i / 25 % 2], OFFER);
        if (i % 25 == 24) rig_turns(&r, 6);
    }
    for (uint32_t i = 0; i < 2 * CROWD; i++) assert_true(client_upgraded(&c[i]));
    assert_int_equal(rig_counter(&r, cohorts), 2 * CROWD / 25);
    sim_ops = sim_io(r.sim)->ops;
    struct io_ops ops = *sim_ops;
    ops.send_flush = flush_while_ticks_come;
    sim_io(r.sim)->ops = &ops;
    trade(news);
    rig_turns(&r, 10); /* the first cohorts have more than the last: they stand apart */
    uint64_t packed = rig_counter(&r, deflate_frames_total), frames = rig_counter(&r, frames_total);
    rig_turns(&r, 20);
    packed = rig_counter(&r, deflate_frames_total) - packed;
    frames = rig_counter(&r, frames_total) - frames;
    sim_io(r.sim)->ops = sim_ops;
    assert_true(frames >= 20 * 2 * CROWD / 4);
    assert_true(packed * CROWD <= frames * 2);
    rig_turns(&r, 10);
    for (uint32_t i = 0; i < 2 * CROWD; i++) client_close(&c[i]);
    close_rig();
}

#define BETWEEN 10u /* more than the sets that are remembered */

/* Sets in one cohort have nobody to share with, and nothing is remembered for them: between the visits of a
 * large set's cohorts there may be any number of theirs. */
static void sets_of_one_cohort_take_no_place_from_a_large_one(void **state)
{
    (void)state;
    static struct client c[4][25 + BETWEEN];
    open_rig_with(&(struct rig_options){.connections = 256,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .cohort_members = 25,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .deflate_members_least = 1,
                                        .window_max = 1 << 20});
    uint32_t s = rig_symbol(&r, ALL_EASY);
    for (uint32_t cohort = 0; cohort < 4; cohort++)
        for (uint32_t i = 0; i < 25 + BETWEEN; i++) {
            char query[96] = "symbols=*&snapshot=0";
            if (i >= 25) snprintf(query, sizeof query, "symbols=" ALL_EASY ",X%u-%u&snapshot=0", cohort, i);
            subscribe(&c[cohort][i], query);
        }
    assert_int_equal(rig_counter(&r, cohorts), 4 * (1 + BETWEEN));
    rig_turns(&r, 4);
    for (uint32_t round = 0; round < 3; round++) {
        uint64_t packed = rig_counter(&r, deflate_frames_total), frames = rig_counter(&r, frames_total);
        trade(s);
        rig_turns(&r, 4);
        assert_int_equal(rig_counter(&r, frames_total) - frames, 4 * (25 + BETWEEN));
        assert_int_equal(rig_counter(&r, deflate_frames_total) - packed, 1 + 4 * BETWEEN);
    }
    for (uint32_t cohort = 0; cohort < 4; cohort++)
        for (uint32_t i = 0; i < 25 + BETWEEN; i++) client_close(&c[cohort][i]);
    close_rig();
}

#define FULL 64u /* a cohort of the most members fills a submission */

/* Packed frames of the turns until all have the next tick of a symbol that was quiet; in the cohorts whose
 * numbers are in `late` stand others, who came after ticks that were not for them: their frame's "from" is
 * another. busy: ticks come with each submission. */
static uint64_t packed_for_two_camps(uint32_t cohorts, uint32_t members, uint32_t late, bool busy)
{
    static struct client c[512];
    uint32_t count = cohorts * members;
    open_rig_with(&(struct rig_options){.connections = 768,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .cohort_members = members,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .window_max = 1 << 20});
    uint32_t other = rig_symbol(&r, "OTHER");
    news = rig_symbol(&r, ALL_EASY);
    for (uint32_t i = 0; i < count; i++) {
        client_connect_with(&r, &c[i], "symbols=" ALL_EASY "&snapshot=0", OFFER);
        if (i % members == members - 1) rig_turns(&r, 10);
    }
    trade(news);
    rig_turns(&r, 10);
    for (uint32_t i = 0; i < count; i++)
        if (late >> i / members & 1) {
            sim_peer_close(r.sim, c[i].peer, IO_CLOSE_RESET);
            client_close(&c[i]);
        }
    rig_turns(&r, 10);
    trade(other);
    rig_turns(&r, 10);
    for (uint32_t i = 0; i < count; i++)
        if (late >> i / members & 1) client_connect_with(&r, &c[i], "symbols=" ALL_EASY "&snapshot=0", OFFER);
    rig_turns(&r, 10);
    all_are_subscribed(c, count);
    assert_int_equal(rig_counter(&r, cohorts), cohorts);
    assert_int_equal(rig_counter(&r, behind), 0);
    uint64_t packed = rig_counter(&r, deflate_frames_total), frames = rig_counter(&r, frames_total);
    sim_ops = sim_io(r.sim)->ops;
    struct io_ops ops = *sim_ops;
    ops.send_flush = flush_while_ticks_come;
    trade(news);
    if (busy) sim_io(r.sim)->ops = &ops;
    rig_turn(&r);
    sim_io(r.sim)->ops = sim_ops;
    packed = rig_counter(&r, deflate_frames_total) - packed;
    assert_int_equal(rig_counter(&r, frames_total) - frames, count);
    rig_turns(&r, 10);
    for (uint32_t i = 0; i < count; i++) client_close(&c[i]);
    close_rig();
    return packed;
}

/* Who stand together share, wherever that is: apart from the rest, or where the next ones do not. */
static void camps_are_packed_for_once_each(void **state)
{
    (void)state;
    assert_int_equal(packed_for_two_camps(10, 1, 0, false), 1);
    assert_int_equal(packed_for_two_camps(10, 1, 0x155, false), 2); /* by turns */
    assert_int_equal(packed_for_two_camps(4, FULL, 1, true), 2);
}

#define MIXED    160u /* in ten cohorts of each of two sets */
#define SEQS_MAX 4096u

/* What each of two sets has to get: by seq, a bit for each. */
static uint8_t wanted[SEQS_MAX];
static struct random mixed_random;
static uint32_t mixed_names;

/* With each submission some ticks come, now and then of a symbol that is new, also to the sets. */
static void ticks_of_both_sets(void)
{
    for (uint64_t i = 1 + random_below(&mixed_random, 3); i > 0; i--) {
        char name[16];
        uint64_t n = random_below(&mixed_random, mixed_names + 1);
        if (n == mixed_names && mixed_names < 40) mixed_names++;
        snprintf(name, sizeof name, "%c%u", n % 2 ? 'E' : 'O', (uint32_t)n);
        trade(rig_symbol(&r, name));
        uint64_t seq = log_head(r.server.log);
        assert_true(seq < SEQS_MAX);
        wanted[seq] = n % 2 ? 3 : 1;
    }
}

static uint32_t flush_while_both_come(struct io *io, struct io_sent *failed)
{
    ticks_of_both_sets();
    return sim_ops->send_flush(io, failed);
}

/* Each tick of the set, once and in order; ranges that chain. */
static void takes_all(struct client *c, uint8_t set)
{
    static struct got g;
    uint64_t at = c->position;
    while (client_read(c, UINT32_MAX), c->size > 0) {
        take(c, &g);
        const char *m = (const char *)g.plain;
        assert_true(json_number(m, "from") == c->position);
        c->position = json_number(m, "to");
        while ((m = strstr(m + 1, "\"seq\":")) != NULL) {
            uint64_t seq = json_number(m, "seq");
            for (at++; at < seq; at++) assert_false(wanted[at] & set);
            assert_true(at == seq && (wanted[seq] & set));
        }
        for (; at < c->position; at++) assert_false(wanted[at + 1] & set);
    }
    while (++at <= log_head(r.server.log)) assert_false(wanted[at] & set);
}

static void who_shares_a_packed_frame_gets_all_of_his_own(void **state)
{
    (void)state;
    static const char *const queries[] = {"symbols=*&snapshot=0&policy=complete",
                                          "symbols=E*&snapshot=0&policy=complete"};
    static struct client c[MIXED];
    random_seed(&mixed_random, 1);
    mixed_names = 0;
    memset(wanted, 0, sizeof wanted);
    open_rig_with(&(struct rig_options){.connections = 256,
                                        .log_capacity = SEQS_MAX,
                                        .symbols = 64,
                                        .cohort_members = 8,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .window_max = 1 << 20});
    sim_ops = sim_io(r.sim)->ops;
    struct io_ops ops = *sim_ops;
    ops.send_flush = flush_while_both_come;
    for (uint32_t i = 0; i < MIXED; i++) {
        client_connect_with(&r, &c[i], queries[i / 8 % 2], OFFER);
        if (i % 8 < 7) continue;
        rig_turns(&r, 6);
        if (i > MIXED / 2) ticks_of_both_sets(); /* the others come at different positions */
    }
    all_are_subscribed(c, MIXED);
    uint64_t renders = rig_counter(&r, renders_total), packed = rig_counter(&r, deflate_frames_total);
    for (uint32_t round = 0; round < 20; round++) {
        ticks_of_both_sets();
        sim_io(r.sim)->ops = &ops;
        rig_turns(&r, 3);
        sim_io(r.sim)->ops = sim_ops;
        if (round % 4 == 0) rig_turns(&r, 6);
    }
    rig_turns(&r, 10);
    renders = rig_counter(&r, renders_total) - renders;
    packed = rig_counter(&r, deflate_frames_total) - packed;
    assert_true(packed * 2 < renders);
    for (uint32_t i = 0; i < MIXED; i++) {
        takes_all(&c[i], 1 << i / 8 % 2);
        client_close(&c[i]);
    }
    close_rig();
}

#define LISTS      200u
#define TURN_PACKS 64u
#define RUN_FRAMES 4u /* of a visit, which is not cut short */

/* Where nobody shares a frame each is packed alone: a turn packs a bounded number, so that pings, commands
 * and newcomers do not wait for all of them. */
static void a_turn_packs_a_bounded_number_of_frames(void **state)
{
    (void)state;
    static struct client c[LISTS];
    open_rig_with(&(struct rig_options){.connections = 256,
                                        .log_capacity = 4096,
                                        .symbols = 512,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .deflate_members_least = 1,
                                        .window_max = 1 << 20});
    news = rig_symbol(&r, ALL_EASY);
    for (uint32_t i = 0; i < LISTS; i++) {
        char query[96];
        snprintf(query, sizeof query, "symbols=" ALL_EASY ",X%u&snapshot=0&policy=complete", i);
        client_connect_with(&r, &c[i], query, OFFER);
        if (i % 50 == 49) rig_turns(&r, 10);
    }
    all_are_subscribed(c, LISTS);
    for (uint32_t i = 0; i < 400; i++) trade(news); /* three frames for each */
    uint64_t begun = rig_counter(&r, deflate_frames_total), most = 0;
    for (uint32_t turn = 0; turn < 40; turn++) {
        uint64_t before = rig_counter(&r, deflate_frames_total);
        rig_turn(&r);
        most = max_u64(most, rig_counter(&r, deflate_frames_total) - before);
    }
    assert_true(rig_counter(&r, deflate_frames_total) - begun >= 3 * LISTS);
    assert_true(most >= TURN_PACKS && most < TURN_PACKS + RUN_FRAMES);
    all_have_come_and_go(c, LISTS);
    close_rig();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_feed_does_not_part_the_cohorts),
        cmocka_unit_test(sets_beside_each_other_and_cohorts_apart_share_what_is_packed),
        cmocka_unit_test(sets_of_one_cohort_take_no_place_from_a_large_one),
        cmocka_unit_test(camps_are_packed_for_once_each),
        cmocka_unit_test(who_shares_a_packed_frame_gets_all_of_his_own),
        cmocka_unit_test(a_turn_packs_a_bounded_number_of_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
