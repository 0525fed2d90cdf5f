/* tests/unit/cmd/continuity_test.c -- goal: each way in which a stream can be broken is seen, and a right one
 * never. */
#include "cmd/continuity.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

/* Feeds messages up to a NULL; returns what the first broken one is told as, or NULL. */
static const char *stream(const char *const *messages)
{
    struct continuity c = {0};
    const char *broken = NULL;
    for (; *messages && !broken; messages++) {
        struct scan_message m;
        struct scan_tick tick;
        assert_int_equal(scan_message(text_of(*messages), &m), 0);
        broken = continuity_begin(&c, &m);
        while (!broken && scan_tick_next(&m, &tick) > 0) broken = continuity_tick(&c, &m, tick.seq);
        if (!broken) assert_int_equal(scan_message_end(&m), 0);
        if (!broken) broken = continuity_end(&c, &m);
    }
    return broken;
}

#define STREAM(...)      stream((const char *const[]){__VA_ARGS__, NULL})
#define SUBSCRIBED(n)    "{\"type\":\"subscribed\",\"seq\":" #n "}"
#define HEARTBEAT(n)     "{\"type\":\"heartbeat\",\"seq\":" #n ",\"ts\":1}"
#define TICK(n)          "{\"type\":\"trade\",\"seq\":" #n ",\"symbol\":\"A\",\"price\":1,\"ts\":1}"
#define TICKS(a, b, ...) "{\"type\":\"ticks\",\"from\":" #a ",\"to\":" #b ",\"ticks\":[" __VA_ARGS__ "]}"
#define GAP(a, b)        "{\"type\":\"gap\",\"from\":" #a ",\"to\":" #b ",\"reason\":\"overrun\"}"
#define COVERED(a, b)    "{\"type\":\"covered\",\"from\":" #a ",\"to\":" #b "}"
#define SNAPSHOT(n, ...) "{\"type\":\"snapshot\",\"seq\":" #n "," __VA_ARGS__ "}"

static void right_streams(void **state)
{
    (void)state;
    assert_null(STREAM(
        "{\"type\":\"hello\",\"seq\":9}", SUBSCRIBED(10), SNAPSHOT(10, "\"ticks\":[" TICK(4) "]"),
        TICKS(10, 13, TICK(11) "," TICK(13)), HEARTBEAT(15), TICKS(13, 20, TICK(17)), GAP(20, 30),
        SNAPSHOT(30, "\"since\":20,\"ticks\":[" TICK(25) "]"), TICKS(30, 31, TICK(31)), SUBSCRIBED(31)));
    assert_null(STREAM(SUBSCRIBED(0), TICK(1), TICK(3), COVERED(0, 4), TICK(5), COVERED(4, 5), GAP(5, 9)));
    assert_null(
        STREAM("{\"type\":\"pong\"}", "{\"type\":\"error\",\"code\":\"x\"}", HEARTBEAT(5), SUBSCRIBED(3)));
}

static void broken_streams(void **state)
{
    (void)state;
    assert_string_equal(STREAM(TICKS(1, 2, TICK(2))), "data before `subscribed`");
    assert_string_equal(STREAM(SUBSCRIBED(10), TICKS(11, 12, TICK(12))),
                        "a hole: from is above the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), TICKS(9, 12, TICK(12))),
                        "an overlap: from is below the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), TICKS(10, 12, TICK(13))),
                        "a tick is newer than its frame's end");
    assert_string_equal(STREAM(SUBSCRIBED(10), TICKS(10, 12, TICK(10))),
                        "a tick comes again: it is at or below the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), TICKS(10, 14, TICK(12) "," TICK(12))),
                        "ticks are out of order");
    assert_string_equal(STREAM(SUBSCRIBED(10), GAP(12, 13)), "a hole: from is above the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), GAP(10, 9)), "a frame ends before it begins");
    assert_string_equal(STREAM(SUBSCRIBED(10), "{\"type\":\"ticks\",\"to\":11,\"ticks\":[]}"),
                        "a frame lacks from or to");
    assert_string_equal(STREAM(SUBSCRIBED(10), HEARTBEAT(9)), "a heartbeat is below the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), HEARTBEAT(20), HEARTBEAT(19)),
                        "a heartbeat is below the one before");
    assert_string_equal(STREAM(SUBSCRIBED(10), HEARTBEAT(20), TICKS(10, 21, TICK(20))),
                        "a heartbeat lied: it covered a tick that came later");
    assert_string_equal(STREAM(SUBSCRIBED(10), SUBSCRIBED(11)),
                        "a later `subscribed` is not at the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), SNAPSHOT(11, "\"ticks\":[]")),
                        "a snapshot is not at the position");
    assert_string_equal(STREAM(SUBSCRIBED(10), SNAPSHOT(10, "\"ticks\":[" TICK(11) "]")),
                        "a snapshot holds a tick newer than itself");
    assert_string_equal(
        STREAM(SUBSCRIBED(10), GAP(10, 20), SNAPSHOT(20, "\"since\":10,\"ticks\":[" TICK(10) "]")),
        "a snapshot after a gap holds a tick from before it");
    assert_string_equal(STREAM(SUBSCRIBED(0), TICK(5), COVERED(0, 4)), "`covered` ends before the last tick");
    assert_string_equal(STREAM(SUBSCRIBED(0), TICK(5), TICK(5)), "ticks are out of order");
}

static void resumes_at_the_greater_of_position_and_heartbeat(void **state)
{
    (void)state;
    struct continuity c = {.position = 5, .heartbeat_seq = 9};
    assert_int_equal(continuity_resume_seq(&c), 9);
    c.position = 12;
    assert_int_equal(continuity_resume_seq(&c), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_streams),
        cmocka_unit_test(broken_streams),
        cmocka_unit_test(resumes_at_the_greater_of_position_and_heartbeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
