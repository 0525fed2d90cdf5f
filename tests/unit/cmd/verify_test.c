/* tests/unit/cmd/verify_test.c -- goal: the lie detector detects each kind of lie, and calls nothing a lie
 * that is none. */
#include "cmd/verify.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#define TICKS 24u
static char json[TICKS + 1][160];
static struct scan_tick ticks[TICKS + 1];

/* seq 1 to 24: by seq % 4: 0 trade, 1 quote, 2 book, 3 bar in progress; symbols A and B in turn by four. */
static void make(void)
{
    static const char *const forms[] = {
        "{\"type\":\"trade\",\"seq\":%u,\"symbol\":\"%s\",\"price\":%u,\"size\":1,\"ts\":17}",
        "{\"type\":\"quote\",\"seq\":%u,\"symbol\":\"%s\",\"bid\":%u,\"bid_size\":1,\"ask\":9,\"ask_size\":1,"
        "\"ts\":17}",
        "{\"type\":\"book\",\"seq\":%u,\"symbol\":\"%s\",\"side\":\"bid\",\"price\":5,\"size\":%u,\"ts\":17}",
        "{\"type\":\"bar\",\"seq\":%u,\"symbol\":\"%s\",\"interval\":\"1s\",\"open\":%u,\"final\":false,"
        "\"ts\":17}",
    };
    for (uint32_t seq = 1; seq <= TICKS; seq++) {
        snprintf(json[seq], sizeof json[seq], forms[seq % 4], seq, seq / 4 % 2 ? "B" : "A", seq);
        assert_int_equal(scan_tick(text_of(json[seq]), &ticks[seq]), 0);
    }
}

struct bed {
    const char *lists[3];
    struct verify v;
    struct verify_conn c;
    struct verify_counts n;
};

static void set_up(struct bed *b, const char *symbols, const char *kinds, uint64_t reach)
{
    make();
    *b = (struct bed){.c = {.open_at = UINT32_MAX}};
    b->lists[0] = symbols;
    assert_true(verify_open(&b->v, 64, b->lists, 1, kinds));
    verify_reference_start(&b->v, 0);
    for (uint32_t seq = 1; seq <= reach; seq++) verify_reference_tick(&b->v, &ticks[seq]);
    verify_reference_reach(&b->v, reach);
}

static void tear_down(struct bed *b)
{
    verify_conn_free(&b->c);
    verify_close(&b->v);
}

/* One frame with the ticks of seqs (up to a 0); returns the lie or NULL. */
static const char *frame(const char *symbols, const char *kinds, uint64_t from, uint64_t to, uint64_t k,
                         const uint32_t *seqs)
{
    struct bed b;
    set_up(&b, symbols, kinds, TICKS);
    for (; *seqs; seqs++) assert_true(verify_conn_tick(&b.c, &ticks[*seqs]));
    assert_true(verify_conn_frame(&b.c, from, to, k));
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.lies, b.c.lie ? 1 : 0);
    assert_int_equal(b.n.frames, b.c.lie ? 0 : 1);
    assert_int_equal(b.n.unverified, 0);
    const char *lie = b.c.lie;
    tear_down(&b);
    return lie;
}

#define FRAME(symbols, kinds, from, to, k, ...)                                                              \
    frame(symbols, kinds, from, to, k, (const uint32_t[]){__VA_ARGS__, 0})

static void true_frames_pass(void **state)
{
    (void)state;
    assert_null(FRAME("*", NULL, 0, 4, 0, 1, 2, 3, 4));
    assert_null(FRAME("A", NULL, 2, 8, 0, 3, 8)); /* 4 to 7 are B's */
    assert_null(FRAME("A*", "trade", 0, 24, 0, 8, 16, 24));
    assert_null(FRAME("B,C", "trade", 0, 12, 0, 4, 12));
    assert_null(FRAME("A", "quote", 0, 20, 2, 17)); /* 1 and 9 gave way to 17 */
    assert_null(FRAME("Z", NULL, 0, 24, 0, 0));
}

static void lies_are_seen(void **state)
{
    (void)state;
    assert_string_equal(FRAME("*", NULL, 0, 4, 0, 1, 2, 3), "an event tick was left out and not told");
    assert_string_equal(FRAME("*", NULL, 0, 4, 1, 1, 2, 3), "an event tick was left out and not told");
    assert_string_equal(FRAME("A", "quote", 0, 20, 1, 17), "the count of conflated ticks is wrong");
    assert_string_equal(FRAME("A", "quote", 0, 20, 0, 17), "the count of conflated ticks is wrong");
    assert_string_equal(FRAME("A", "quote", 0, 20, 2, 9),
                        "a state tick was left out with nothing newer of its key in the frame");
    assert_string_equal(FRAME("A", NULL, 0, 8, 0, 1, 2, 3, 4, 8),
                        "a tick was delivered that does not match the subscription");
    assert_string_equal(FRAME("A", NULL, 2, 8, 0, 1, 3, 8), "a tick lies outside its frame, or comes twice");
}

static void a_changed_tick_is_seen(void **state)
{
    (void)state;
    struct bed b;
    set_up(&b, "*", NULL, TICKS);
    char changed[160];
    struct scan_tick tick;
    snprintf(changed, sizeof changed, "{\"type\":\"quote\",\"seq\":1,\"symbol\":\"A\",\"bid\":2,\"ts\":17}");
    assert_int_equal(scan_tick(text_of(changed), &tick), 0);
    assert_true(verify_conn_tick(&b.c, &tick));
    assert_true(verify_conn_frame(&b.c, 0, 1, 0));
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_string_equal(b.c.lie, "a tick differs from the reference's");
    assert_int_equal(b.c.lie_seq, 1);
    tear_down(&b);
    set_up(&b, "*", NULL, TICKS);
    assert_true(verify_conn_tick(&b.c, &tick));
    assert_true(verify_conn_snapshot(&b.c, 20));
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_string_equal(b.c.lie, "a snapshot's tick differs from the reference's");
    tear_down(&b);
}

static void a_frame_waits_for_the_reference(void **state)
{
    (void)state;
    struct bed b;
    set_up(&b, "*", NULL, 2);
    for (uint32_t seq = 1; seq <= 4; seq++) {
        assert_true(verify_conn_tick(&b.c, &ticks[seq]));
        if (seq % 2 == 0) assert_true(verify_conn_frame(&b.c, seq - 2, seq, 0));
    }
    assert_false(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.frames, 1);
    assert_true(verify_conn_waiting(&b.c) > 0);
    verify_reference_tick(&b.v, &ticks[3]);
    verify_reference_tick(&b.v, &ticks[4]);
    assert_false(verify_conn_check(&b.c, &b.v, &b.n)); /* filled, but not yet said to be complete */
    verify_reference_reach(&b.v, 4);
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.frames, 2);
    assert_int_equal(b.n.ticks, 4);
    assert_int_equal(b.n.lies, 0);
    tear_down(&b);
}

static void what_cannot_be_known_is_no_lie(void **state)
{
    (void)state;
    struct bed b;
    set_up(&b, "*", NULL, 4);
    verify_reference_gap(&b.v, 8); /* the reference lost 5 to 8 */
    assert_true(verify_conn_frame(&b.c, 4, 8, 0));
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.unverified, 1);
    verify_reference_reach(&b.v, 200); /* 1 to 136 are overwritten */
    assert_true(verify_conn_frame(&b.c, 1, 4, 0));
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.unverified, 2);
    assert_true(verify_conn_frame(&b.c, 4, 300, 0));
    assert_false(verify_conn_check(&b.c, &b.v, &b.n));
    verify_conn_give_up(&b.c, &b.n);
    assert_int_equal(b.n.unverified, 3);
    assert_int_equal(b.n.lies, 0);
    tear_down(&b);
}

static void each_connection_has_its_own_list(void **state)
{
    (void)state;
    static const char *const lists[] = {"A", "B,C", "Z"};
    make();
    struct bed b = {.c = {.open_at = UINT32_MAX}};
    assert_true(verify_open(&b.v, 64, lists, 3, "trade"));
    verify_reference_start(&b.v, 0);
    for (uint32_t seq = 1; seq <= TICKS; seq++) verify_reference_tick(&b.v, &ticks[seq]);
    verify_reference_reach(&b.v, TICKS);
    for (uint32_t list = 0; list < 3; list++) { /* A's trades are 8, 16, 24; B's are 4, 12, 20 */
        b.c.list = list;
        assert_true(verify_conn_tick(&b.c, &ticks[12]));
        assert_true(verify_conn_frame(&b.c, 8, 15, 0));
        assert_true(verify_conn_check(&b.c, &b.v, &b.n));
        assert_int_equal(b.n.lies, list == 0 ? 1 : list);
        b.c.lie = NULL;
    }
    assert_int_equal(b.n.frames, 1);
    tear_down(&b);
}

/* seq 1 and 9 are A's quotes; 17 is the next. */
static void a_cut_run_may_be_followed_later(void **state)
{
    (void)state;
    struct bed b;
    set_up(&b, "A", "quote", 12);
    assert_true(verify_conn_covered(&b.c, 0, 10, 2)); /* both gave way to one that is not here yet */
    assert_false(verify_conn_check(&b.c, &b.v, &b.n));
    for (uint32_t seq = 13; seq <= 18; seq++) verify_reference_tick(&b.v, &ticks[seq]);
    verify_reference_reach(&b.v, 18);
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.lies, 0);
    assert_int_equal(b.n.conflated, 2);
    tear_down(&b);
    set_up(&b, "A", "quote", TICKS);
    assert_true(verify_conn_covered(&b.c, 8, 20, 2)); /* 17 has no successor at all */
    assert_false(verify_conn_check(&b.c, &b.v, &b.n));
    verify_conn_give_up(&b.c, &b.n);
    assert_int_equal(b.n.lies, 1);
    assert_int_equal(b.c.lie_seq, 17);
    assert_int_equal(b.n.unverified, 0);
    tear_down(&b);
}

static void what_a_broken_connection_left_open_is_forgotten(void **state)
{
    (void)state;
    struct bed b;
    set_up(&b, "*", NULL, TICKS);
    verify_conn_forget(&b.c);
    assert_true(verify_conn_tick(&b.c, &ticks[1]));
    assert_true(verify_conn_frame(&b.c, 0, 1, 0));
    assert_true(verify_conn_tick(&b.c, &ticks[2]));
    assert_true(verify_conn_tick(&b.c, &ticks[3]));
    verify_conn_forget(&b.c); /* 2 and 3 were not yet covered: they come again */
    for (uint32_t seq = 2; seq <= 4; seq++) assert_true(verify_conn_tick(&b.c, &ticks[seq]));
    assert_true(verify_conn_frame(&b.c, 1, 4, 0));
    assert_true(verify_conn_check(&b.c, &b.v, &b.n));
    assert_int_equal(b.n.lies, 0);
    assert_int_equal(b.n.frames, 2);
    assert_int_equal(b.n.ticks, 4);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_frames_pass),
        cmocka_unit_test(lies_are_seen),
        cmocka_unit_test(a_changed_tick_is_seen),
        cmocka_unit_test(a_frame_waits_for_the_reference),
        cmocka_unit_test(what_cannot_be_known_is_no_lie),
        cmocka_unit_test(a_cut_run_may_be_followed_later),
        cmocka_unit_test(each_connection_has_its_own_list),
        cmocka_unit_test(what_a_broken_connection_left_open_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
