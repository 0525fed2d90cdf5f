/* What a worker tells feeds that wait for it, and whom it lets go, on the simulated network and a virtual
 * clock: the test is the feed (decision 17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"
#include "worker/worker_internal.h"

#define STALL_NS (2 * NS_PER_SECOND)

static struct client one, two;

static void open_rig(struct rig *r)
{
    rig_open(r, &(struct rig_options){.connections = 16, .log_capacity = 1024, .symbols = 64});
    r->settings.stall_bound_ns = STALL_NS;
    assert_int_equal(rig_symbol(r, "A"), 0);
    assert_int_equal(rig_symbol(r, "B"), 1);
    rig_turn(r);
}

static void close_rig(struct rig *r)
{
    client_close(&one);
    client_close(&two);
    one = two = (struct client){.rig = NULL};
    rig_close(r);
}

static struct log_reader *reader_of(struct rig *r)
{
    return log_reader_at(r->server.log, 0);
}

static void append(struct rig *r, uint32_t symbol, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) rig_trade(r, symbol, 1);
}

/* In the bytes that were read: nobody here takes messages out of them. */
static bool has(const struct client *c, const char *text)
{
    return memmem(c->bytes, c->size, text, strlen(text)) != NULL;
}

static void subscribe(struct rig *r, struct client *c, const char *query)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s&snapshot=0", query);
    client_connect(r, c, whole);
    rig_turns(r, 4);
    client_read(c, UINT32_MAX);
    assert_true(has(c, "\"type\":\"subscribed\""));
    c->size = 0;
}

/* Ticks of its symbol until its socket refuses some. */
static void fill(struct rig *r, struct client *c)
{
    sim_peer_window(r->sim, c->peer, 2000);
    append(r, 0, 100); /* one frame: what is left of it is kept, and owed by nobody */
    rig_turns(r, 4);
    append(r, 0, 20);
    rig_turns(r, 4);
    assert_int_equal(rig_counter(r, behind), 1);
}

/* As feeds/pace.c does while it is held: for some time, four looks per bound. */
static void held(struct rig *r, uint64_t ns)
{
    for (uint64_t gone = 0; gone < ns; gone += STALL_NS / 4) {
        atomic_store(&r->server.stalled_seq, atomic_load(&reader_of(r)->owed));
        atomic_fetch_add(&r->server.stalled_looks, 1);
        rig_turns(r, (uint32_t)(STALL_NS / 4 / NS_PER_MS));
    }
}

/* ---- Members in step. ---- */

#define CROWD      300u /* more groups than one turn sends to */
#define CROWD_LOG  8192u
#define LOOK_SHARE 8u /* worker_pace.c */

static struct client crowd[CROWD];

static void open_crowd(struct rig *r)
{
    rig_open(r, &(struct rig_options){.connections = CROWD + 1, .log_capacity = CROWD_LOG, .symbols = CROWD});
    for (uint32_t i = 0; i < CROWD; i++) {
        char name[8], query[32];
        snprintf(name, sizeof name, "S%u", i);
        snprintf(query, sizeof query, "symbols=%s", name);
        assert_int_equal(rig_symbol(r, name), i);
        subscribe(r, &crowd[i], query);
    }
    assert_int_equal(rig_counter(r, groups), CROWD);
    log_set_paced(r->server.log);
}

static void close_crowd(struct rig *r)
{
    for (uint32_t i = 0; i < CROWD; i++) client_close(&crowd[i]);
    memset(crowd, 0, sizeof crowd);
    rig_close(r);
}

/* By looking at each cohort. */
static uint64_t owed_truly(const struct rig *r)
{
    uint64_t least = UINT64_MAX;
    for (const struct group *g = r->worker->groups.all; g; g = g->next)
        for (const struct cohort *c = g->cohorts; c; c = c->next)
            if (c->read < group_maybe_seq(&r->worker->groups, g)) least = min_u64(least, c->read + 1);
    return least;
}

/* More than a turn sends, each turn: a queue that does not end. Returns in how many of them something owed
 * was so old that a feed might soon be held for it: it must be told exactly. */
static uint32_t burst(struct rig *r, uint32_t turns)
{
    uint32_t old = 0;
    for (uint32_t turn = 0; turn < turns; turn++) {
        for (uint32_t i = 0; i < CROWD; i++) rig_trade(r, i, 1);
        rig_turn(r);
        uint64_t owed = atomic_load(&reader_of(r)->owed), truly = owed_truly(r);
        assert_true(truly < UINT64_MAX);
        assert_true(owed <= truly); /* never too new: or a feed would overrun somebody */
        if (r->worker->read_seq + 1 - owed < CROWD_LOG / LOOK_SHARE) continue;
        assert_int_equal(owed, truly);
        old++;
    }
    return old;
}

static void what_groups_are_owed_is_looked_for_only_where_it_is_old(void **state)
{
    (void)state;
    struct rig r;
    open_crowd(&r);
    for (uint32_t i = 0; i < 2 * CROWD; i++) { /* a tick a turn: nothing is left over */
        rig_trade(&r, i % CROWD, 1);
        rig_turn(&r);
        assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
    }
    assert_int_equal(r.worker->owed_looks, 0);
    burst(&r, 120);
    assert_true(r.worker->owed_looks > 0);
    assert_true(r.worker->owed_looks < 60);
    subscribe(&r, &one, "symbols=S0&rate=1"); /* visited only when it is a quarter of the log behind */
    assert_true(burst(&r, 120) > 0);
    client_close(&one);
    one = (struct client){.rig = NULL};
    rig_turns(&r, 1100); /* its second is over */
    assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
    close_crowd(&r);
}

static void nothing_is_published_where_no_feed_waits(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    subscribe(&r, &one, "symbols=A&policy=complete");
    append(&r, 0, 10);
    rig_turns(&r, 2);
    assert_int_equal(atomic_load(&reader_of(&r)->members), 1); /* for --wait */
    assert_int_equal(atomic_load(&reader_of(&r)->read), 0);
    log_set_paced(r.server.log);
    rig_turns(&r, 1);
    assert_int_equal(atomic_load(&reader_of(&r)->read), log_head(r.server.log));
    assert_int_equal(atomic_load(&reader_of(&r)->handed), log_head(r.server.log));
    assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
    close_rig(&r);
}

static void what_is_owed_is_the_oldest_matching_tick(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    log_set_paced(r.server.log);
    subscribe(&r, &one, "symbols=A&policy=complete");
    subscribe(&r, &two, "symbols=B&policy=complete"); /* quiet: holds nobody */
    append(&r, 1, 50);
    fill(&r, &one);
    uint64_t owed = atomic_load(&reader_of(&r)->owed);
    assert_int_equal(owed, 2 + 50 + 100 + 1); /* symbols, the ticks of B, the frame cut */
    append(&r, 1, 200);
    append(&r, 0, 200);
    rig_turns(&r, 4);
    assert_int_equal(atomic_load(&reader_of(&r)->owed), owed); /* it took nothing */
    assert_int_equal(atomic_load(&reader_of(&r)->read), log_head(r.server.log));
    sim_peer_window(r.sim, one.peer, 1 << 20);
    rig_turns(&r, 10);
    assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
    close_rig(&r);
}

static void who_takes_nothing_is_closed(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    log_set_paced(r.server.log);
    subscribe(&r, &one, "symbols=A&policy=complete");
    fill(&r, &one);
    held(&r, STALL_NS); /* seen first after a quarter: the bound is not over */
    assert_int_equal(rig_counter(&r, closed_slow_total), 0);
    held(&r, STALL_NS / 2);
    assert_int_equal(rig_counter(&r, closed_slow_total), 1);
    assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX); /* at once: the feed goes on */
    sim_peer_window(r.sim, one.peer, 1 << 20);
    for (int i = 0; i < 10; i++) {
        client_read(&one, UINT32_MAX);
        rig_turns(&r, 1);
    }
    assert_true(has(&one, "\x88\x09\x0f\xa0stalled")); /* close 4000 */
    close_rig(&r);
}

static void who_conflates_is_let_go_until_it_takes_again(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    log_set_paced(r.server.log);
    subscribe(&r, &one, "symbols=A&policy=conflate");
    fill(&r, &one);
    assert_true(atomic_load(&reader_of(&r)->owed) < UINT64_MAX);
    held(&r, STALL_NS + STALL_NS / 2);
    assert_int_equal(rig_counter(&r, let_go_total), 1);
    assert_int_equal(rig_counter(&r, closed_slow_total), 0);
    assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
    for (int i = 0; i < 3; i++) { /* over it, twice the log and more */
        append(&r, 0, 1000);
        rig_turns(&r, 2);
        assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
    }
    const struct counters *n = worker_counters(r.worker);
    for (int i = 0; i < 20 && counter_get(&n->gaps_total) == 0; i++) { /* the rest of a frame is before it */
        client_read(&one, UINT32_MAX);
        rig_turns(&r, 1);
    }
    assert_int_equal(counter_get(&n->gaps_total), 1);
    uint64_t owed = atomic_load(&reader_of(&r)->owed);
    assert_true(owed < UINT64_MAX && log_holds(r.server.log, owed - 1)); /* it takes: waited for again */
    close_rig(&r);
}

/* What the socket holds goes out byte by byte, never enough to be writable: slow, but it reads. */
static void who_is_slow_but_reads_is_not_closed(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    log_set_paced(r.server.log);
    subscribe(&r, &one, "symbols=A&policy=complete");
    fill(&r, &one);
    uint64_t owed = atomic_load(&reader_of(&r)->owed);
    for (int i = 0; i < 20; i++) {
        uint8_t byte;
        assert_int_equal(sim_peer_read(r.sim, one.peer, &byte, 1), 1);
        sim_peer_window(r.sim, one.peer, 1999 - (uint32_t)i); /* no room comes free for us */
        held(&r, STALL_NS / 2);
    }
    assert_int_equal(atomic_load(&reader_of(&r)->owed), owed);
    assert_int_equal(rig_counter(&r, let_go_total), 0);
    held(&r, STALL_NS + STALL_NS / 2); /* and now it does not */
    assert_int_equal(rig_counter(&r, closed_slow_total), 1);
    close_rig(&r);
}

static void latest_and_close_hold_nobody(void **state)
{
    (void)state;
    static const char *const queries[] = {"symbols=A&policy=latest", "symbols=A&policy=close"};
    for (int i = 0; i < 2; i++) {
        struct rig r;
        open_rig(&r);
        log_set_paced(r.server.log);
        subscribe(&r, &one, queries[i]);
        fill(&r, &one);
        assert_int_equal(atomic_load(&reader_of(&r)->owed), UINT64_MAX);
        close_rig(&r);
    }
}

/* pace=workers: a full member counts as served; one that takes and has not been served does not; and where
 * all are full, nothing is handed to anybody. */
static void handed_is_what_everybody_who_takes_has(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    log_set_paced(r.server.log);
    subscribe(&r, &one, "symbols=A&policy=complete");
    subscribe(&r, &two, "symbols=A&policy=complete");
    assert_int_equal(atomic_load(&reader_of(&r)->taking), 2);
    fill(&r, &one);
    assert_int_equal(atomic_load(&reader_of(&r)->taking), 1);
    assert_int_equal(atomic_load(&reader_of(&r)->handed), log_head(r.server.log));
    sim_peer_window(r.sim, two.peer, 0);
    append(&r, 0, 10);
    rig_turns(&r, 2);
    uint64_t before = log_head(r.server.log);
    append(&r, 0, 10);
    rig_turns(&r, 2);
    assert_int_equal(atomic_load(&reader_of(&r)->taking), 0);
    assert_true(atomic_load(&reader_of(&r)->handed) <= before);
    client_read(&two, UINT32_MAX);
    sim_peer_window(r.sim, two.peer, 1 << 20);
    rig_turns(&r, 10);
    assert_int_equal(atomic_load(&reader_of(&r)->taking), 1);
    assert_int_equal(atomic_load(&reader_of(&r)->handed), log_head(r.server.log));
    close_rig(&r);
}

/* Nothing that was for it was lost: a subscriber of a quiet symbol is told no gap, in step or behind, however
 * far the log has gone on. */
static void the_quiet_are_not_lapped(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r);
    subscribe(&r, &one, "symbols=A&policy=complete");
    for (int i = 0; i < 10; i++) {
        append(&r, 1, 700);
        rig_turns(&r, 1);
    }
    append(&r, 0, 1);
    rig_turns(&r, 3);
    client_read(&one, UINT32_MAX);
    assert_true(has(&one, "\"type\":\"trade\""));
    /* Behind: the ping that it asks for stands before a full socket, no tick of its own is owed. */
    sim_peer_window(r.sim, one.peer, 0);
    static const char ping[] = "\x89\x80\0\0\0\0";
    sim_peer_send(r.sim, one.peer, ping, sizeof ping - 1);
    rig_turns(&r, 3);
    assert_int_equal(rig_counter(&r, behind), 1);
    for (int i = 0; i < 10; i++) {
        append(&r, 1, 700);
        rig_turns(&r, 1);
    }
    append(&r, 0, 1);
    rig_turns(&r, 1);
    sim_peer_window(r.sim, one.peer, 1 << 20);
    rig_turns(&r, 10);
    client_read(&one, UINT32_MAX);
    assert_false(has(&one, "\"type\":\"gap\""));
    assert_int_equal(rig_counter(&r, gaps_total), 0);
    assert_int_equal(rig_counter(&r, behind), 0);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_published_where_no_feed_waits),
        cmocka_unit_test(what_is_owed_is_the_oldest_matching_tick),
        cmocka_unit_test(what_groups_are_owed_is_looked_for_only_where_it_is_old),
        cmocka_unit_test(who_takes_nothing_is_closed),
        cmocka_unit_test(who_conflates_is_let_go_until_it_takes_again),
        cmocka_unit_test(who_is_slow_but_reads_is_not_closed),
        cmocka_unit_test(latest_and_close_hold_nobody),
        cmocka_unit_test(handed_is_what_everybody_who_takes_has),
        cmocka_unit_test(the_quiet_are_not_lapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
