/* What a rate promises, on the simulated network and a virtual clock of one turn a millisecond: members share
 * frames whenever they joined, each gets at most R bursts a second, in step or behind, and a burst holds all
 * that was pending (decision 15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define MS_MAX   32768u
#define LATE_MS  12u /* a timer's grain, the turns of a burst */
#define PAUSE_MS 8u  /* without data for so long: the next data are another burst */
#define CROWD    200u
#define COHORT   64u /* --cohort-members, as it is by default */

/* A subscriber, and what came when. */
struct member {
    struct client client;
    uint32_t bursts, frames, lags;
    uint32_t data_ms;          /* the last turn with data */
    uint64_t held;             /* the newest tick that it has, or was told to be complete up to */
    uint32_t bytes_per_ms_max; /* that it reads; 0: all there is */
    bool up;
};

struct stage {
    struct rig rig;
    uint32_t symbol, ms;
    uint32_t ticks_per_s, owed_milliticks;
    uint64_t heads[MS_MAX]; /* of the log, after each millisecond */
};

static struct stage stage;
static struct member members[CROWD];

static void stage_open(uint32_t log_capacity, uint32_t batch_us)
{
    stage = (struct stage){.symbol = 0};
    rig_open(&stage.rig,
             &(struct rig_options){
                 .connections = 256, .log_capacity = log_capacity, .symbols = 64, .batch_us = batch_us});
    stage.symbol = rig_symbol(&stage.rig, "A");
    memset(members, 0, sizeof members);
}

static void stage_close(uint32_t member_count)
{
    for (uint32_t i = 0; i < member_count; i++) client_close(&members[i].client);
    rig_close(&stage.rig);
}

static void join(struct member *m, const char *query)
{
    client_connect(&stage.rig, &m->client, query);
}

static void member_took(struct member *m, const char *message)
{
    bool ticks = message_is(message, "ticks"), trade = message_is(message, "trade");
    m->lags += message_is(message, "lag");
    assert_false(message_is(message, "gap"));
    m->held = max_u64(m->held, trade ? json_number(message, "seq") : m->client.position);
    if (!ticks && !trade) return;
    m->frames++;
    if (m->bursts == 0 || stage.ms - m->data_ms > PAUSE_MS) m->bursts++;
    m->data_ms = stage.ms;
}

static void member_reads(struct member *m)
{
    if (!m->client.rig) return; /* has not joined */
    if (!m->up && !(m->up = client_upgraded(&m->client))) return;
    client_read(&m->client, m->bytes_per_ms_max ? m->bytes_per_ms_max : UINT32_MAX);
    for (const char *message; (message = client_next(&m->client)) != NULL;) member_took(m, message);
}

/* A millisecond: the feed, the worker, the members. */
static void millisecond(uint32_t member_count)
{
    stage.owed_milliticks += stage.ticks_per_s;
    for (; stage.owed_milliticks >= 1000; stage.owed_milliticks -= 1000)
        rig_trade(&stage.rig, stage.symbol, 1);
    rig_turn(&stage.rig);
    for (uint32_t i = 0; i < member_count; i++) member_reads(&members[i]);
    assert_true(++stage.ms < MS_MAX);
    stage.heads[stage.ms] = log_head(stage.rig.server.log);
}

/* Nothing is owed for longer. */
static void assert_fresh(const struct member *m, uint32_t late_ms)
{
    if (stage.ms > late_ms) assert_true(m->held >= stage.heads[stage.ms - late_ms]);
}

static void run(uint32_t member_count, uint32_t ms, uint32_t late_ms)
{
    for (uint32_t i = 0; i < member_count; i++) members[i].bursts = members[i].frames = 0;
    while (ms-- > 0) {
        millisecond(member_count);
        for (uint32_t i = 0; i < member_count; i++) assert_fresh(&members[i], late_ms);
    }
}

/* ---- In step: one moment for all. ---- */

static void joins_are_forgotten(const char *query, uint32_t batch_us, uint32_t interval_ms)
{
    stage_open(1 << 16, batch_us);
    stage.ticks_per_s = 200;
    for (uint32_t i = 0; i < CROWD; i++) {
        join(&members[i], query);
        for (uint32_t ms = 0; ms < 10; ms++) millisecond(CROWD);
    }
    for (uint32_t ms = 0; ms < 2 * interval_ms + LATE_MS; ms++) millisecond(CROWD);
    uint64_t cohorts = rig_counter(&stage.rig, cohorts);
    assert_true(cohorts <= (CROWD + COHORT - 1) / COHORT + 1);
    uint64_t before = rig_counter(&stage.rig, renders_total);
    run(CROWD, 10000, interval_ms + LATE_MS);
    uint32_t most = 10000 / interval_ms + 1;
    assert_true(rig_counter(&stage.rig, renders_total) - before <= most * cohorts);
    for (uint32_t i = 0; i < CROWD; i++) {
        assert_true(members[i].bursts <= most && members[i].bursts + 2 >= most);
        assert_true(members[i].frames == members[i].bursts); /* little enough for one */
    }
    stage_close(CROWD);
}

static void members_share_frames_whenever_they_joined(void **state)
{
    (void)state;
    joins_are_forgotten("symbols=*&snapshot=0&rate=1", 0, 1000);
    joins_are_forgotten("symbols=*&snapshot=0&rate=10&policy=complete", 0, 100);
}

static void members_share_frames_under_batch_us(void **state)
{
    (void)state;
    joins_are_forgotten("symbols=*&snapshot=0", 100000, 100);
}

/* The timer's grain is 4 ms, and a rate of 50 is one of 50. */
static void a_rate_is_kept_on_average(void **state)
{
    (void)state;
    stage_open(1 << 16, 0);
    stage.ticks_per_s = 1000;
    join(&members[0], "symbols=*&snapshot=0&rate=50");
    for (uint32_t ms = 0; ms < 50; ms++) millisecond(1);
    run(1, 10000, 20 + LATE_MS);
    assert_in_range(members[0].frames, 498, 501);
    stage_close(1);
}

/* After a pause the first tick goes out at once, the next one an interval later. */
static void quiet_news_do_not_wait_and_pairs_do(void **state)
{
    (void)state;
    stage_open(1 << 16, 0);
    join(&members[0], "symbols=*&snapshot=0&rate=2");
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t ms = 0; ms < 777; ms++) millisecond(1);
        uint64_t first = rig_trade(&stage.rig, stage.symbol, 1);
        millisecond(1);
        millisecond(1);
        assert_true(members[0].held == first);
        uint32_t first_ms = members[0].data_ms;
        uint64_t second = rig_trade(&stage.rig, stage.symbol, 2);
        while (members[0].held < second) millisecond(1);
        assert_in_range(members[0].data_ms - first_ms, 500 - LATE_MS, 500 + LATE_MS);
    }
    stage_close(1);
}

/* ---- Behind. ---- */

/* Reads three times as fast as it is sent to, but its socket holds less than a burst: behind each time. */
static void the_rate_binds(const char *query)
{
    stage_open(1 << 16, 0);
    stage.ticks_per_s = 100;
    join(&members[0], query);
    for (uint32_t ms = 0; ms < 300; ms++) millisecond(1);
    sim_peer_window(stage.rig.sim, members[0].client.peer, 600);
    members[0].bytes_per_ms_max = 30;
    for (uint32_t ms = 0; ms < 1000; ms++) millisecond(1);
    uint64_t left = rig_counter(&stage.rig, left_step_total);
    run(1, 10000, 200 + 100 + LATE_MS); /* 100: it takes that long to read one */
    assert_true(rig_counter(&stage.rig, left_step_total) - left >= 45);
    assert_in_range(members[0].frames, 48, 51);
    assert_in_range(members[0].bursts, 48, 51);
    stage_close(1);
}

static void decision_15_the_rate_binds_those_behind(void **state)
{
    (void)state;
    the_rate_binds("symbols=*&snapshot=0&rate=5&policy=complete");
    the_rate_binds("symbols=*&snapshot=0&rate=5&policy=conflate");
    the_rate_binds("symbols=*&snapshot=0&rate=5&policy=close");
}

/* ---- More than a frame holds. ---- */

static void all_that_is_pending(const char *query)
{
    stage_open(1 << 18, 0);
    stage.ticks_per_s = 20000;
    join(&members[0], query);
    for (uint32_t ms = 0; ms < 1100; ms++) millisecond(1);
    run(1, 5000, 1000 + LATE_MS);
    assert_in_range(members[0].bursts, 5, 6);
    stage_close(1);
}

static void decision_15_a_burst_holds_all_that_is_pending(void **state)
{
    (void)state;
    all_that_is_pending("symbols=*&snapshot=0&rate=1");
    all_that_is_pending("symbols=*&snapshot=0&rate=1&policy=complete");
    all_that_is_pending("symbols=*&snapshot=0&rate=1&frame=tick");
}

/* The log would be overwritten before the next release: it is released early. */
static void decision_15_truth_comes_before_rate(void **state)
{
    (void)state;
    stage_open(1 << 14, 0);
    stage.ticks_per_s = 20000;
    join(&members[0], "symbols=*&snapshot=0&rate=0.1&policy=complete");
    for (uint32_t ms = 0; ms < 500; ms++) millisecond(1);
    run(1, 5000, 4096 / 20 + LATE_MS); /* no gap: member_took */
    assert_in_range(members[0].bursts, 20, 26);
    stage_close(1);
}

/* Over an eighth of the log is pending at each release, and a burst fills the socket: that is the rate's
 * doing, and neither lag nor a reason to close. */
static void decision_15_what_the_rate_holds_back_is_no_lag(void **state)
{
    (void)state;
    static const char *const queries[] = {"symbols=*&snapshot=0&rate=0.5",
                                          "symbols=*&snapshot=0&rate=0.5&policy=close"};
    for (uint32_t i = 0; i < 2; i++) {
        stage_open(1 << 18, 0);
        stage.ticks_per_s = 20000;
        join(&members[0], queries[i]);
        for (uint32_t ms = 0; ms < 2100; ms++) millisecond(1);
        sim_peer_window(stage.rig.sim, members[0].client.peer, 1 << 17);
        uint64_t left = rig_counter(&stage.rig, left_step_total);
        run(1, 8000, 2000 + 100 + LATE_MS);
        assert_true(rig_counter(&stage.rig, left_step_total) > left);
        assert_true(members[0].client.open);
        assert_int_equal(members[0].lags, 0);
        stage_close(1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_share_frames_whenever_they_joined),
        cmocka_unit_test(members_share_frames_under_batch_us),
        cmocka_unit_test(a_rate_is_kept_on_average),
        cmocka_unit_test(quiet_news_do_not_wait_and_pairs_do),
        cmocka_unit_test(decision_15_the_rate_binds_those_behind),
        cmocka_unit_test(decision_15_a_burst_holds_all_that_is_pending),
        cmocka_unit_test(decision_15_truth_comes_before_rate),
        cmocka_unit_test(decision_15_what_the_rate_holds_back_is_no_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
