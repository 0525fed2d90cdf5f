/* Messages that arrive in pieces: each has a time from its first byte to its last, and what it holds
 * meanwhile goes to others when it is held for long. On a virtual clock, so to the millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"
#include "worker/worker_internal.h"

#define CONNECTIONS 64u
#define ASSEMBLIES  16u /* the least there are */
#define LATE_MS     10u /* a grain of the wheel, and a turn to send the close frame */

static struct client clients[ASSEMBLIES + 1];
static const uint8_t text_frame[] = {0x81, 0xfe, 0x0f, 0xff, 0, 0, 0, 0}; /* 4095 bytes are to follow */
static const uint8_t first_fragment[] = {0x01, 0x81, 0, 0, 0, 0, '{'};
static const uint8_t next_fragment[] = {0x00, 0x81, 0, 0, 0, 0, '{'};

static void open_small(struct rig *r)
{
    rig_open(r, &(struct rig_options){.connections = CONNECTIONS, .log_capacity = 1024, .symbols = 64});
    assert_int_equal(r->worker->assemblies.count, ASSEMBLIES);
}

static void join(struct rig *r, struct client *c)
{
    client_connect(r, c, "symbols=*&heartbeat=3600&snapshot=0");
    rig_turns(r, 4);
    assert_true(client_upgraded(c));
    assert_non_null(client_until(c, "subscribed"));
}

static void bytes(struct client *c, const void *at, uint32_t size)
{
    assert_int_equal(sim_peer_send(c->rig->sim, c->peer, at, size), size);
    rig_turn(c->rig);
}

static void wait_ms(struct rig *r, uint32_t ms)
{
    rig_turn_after(r, ms * NS_PER_MS);
    rig_turns(r, 2);
}

static bool is_open(struct client *c)
{
    client_read(c, UINT32_MAX);
    while (client_next(c)) continue;
    return c->open;
}

static void closed_with(struct client *c, uint16_t code, const char *reason)
{
    rig_turns(c->rig, LATE_MS);
    assert_false(is_open(c));
    assert_int_equal(load_be16((uint8_t *)c->message), code);
    assert_string_equal(c->message + 2, reason);
}

static uint64_t met(struct rig *r, enum limit which)
{
    return counter_get(&worker_counters(r->worker)->limits[which]);
}

/* Nothing is left of messages begun. */
static void close_all(struct rig *r, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        sim_peer_close(r->sim, clients[i].peer, IO_CLOSE_RESET);
        client_close(&clients[i]);
    }
    rig_turns(r, 10);
    assert_int_equal(rig_counter(r, connections), 0);
    assert_int_equal(r->worker->assemblies.in_use, 0);
    rig_close(r);
}

/* The head, and then spaces, a byte every 400 ms, but no more than `most`: the connection must live just
 * until its time is over. */
static void dribble(struct rig *r, struct client *c, const uint8_t *head, uint32_t size, uint32_t most)
{
    uint32_t limit_ms = 10000, gone_ms = 0;
    bytes(c, head, 1);
    for (uint32_t i = 1; gone_ms + 401 < limit_ms; i++) {
        rig_turn_after(r, 400 * NS_PER_MS);
        if (i < most) bytes(c, i < size ? &head[i] : (const uint8_t *)" ", 1);
        gone_ms += i < most ? 401 : 400; /* a turn for each byte */
        assert_true(is_open(c));
    }
    rig_turn_after(r, (limit_ms - gone_ms - 2) * NS_PER_MS);
    assert_true(is_open(c));
    assert_int_equal(met(r, LIMIT_MESSAGE_TIME), 0);
    closed_with(c, WS_POLICY, "message-timeout");
    assert_int_equal(met(r, LIMIT_MESSAGE_TIME), 1);
    assert_int_equal(rig_counter(r, closed_limit_total), 1);
}

static void a_frame_byte_by_byte_has_its_time_from_the_first_byte(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    join(&r, &clients[0]);
    dribble(&r, &clients[0], text_frame, sizeof text_frame, UINT32_MAX);
    assert_int_equal(r.worker->assemblies.in_use, 0); /* at once, not when the peer has gone */
    close_all(&r, 1);
}

/* A head alone takes no assembly, and its sender is as guilty. */
static void half_a_head_has_the_same_time(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    join(&r, &clients[0]);
    dribble(&r, &clients[0], text_frame, sizeof text_frame, 1);
    close_all(&r, 1);
}

/* Control frames cannot be fragmented, but they can be cut as well. */
static void a_ping_byte_by_byte_has_the_same_time(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    join(&r, &clients[0]);
    static const uint8_t ping[] = {0x89, 0xfd, 0, 0, 0, 0};
    dribble(&r, &clients[0], ping, sizeof ping, UINT32_MAX);
    assert_int_equal(clients[0].pongs, 0);
    close_all(&r, 1);
}

static void fragments_count_from_the_first_and_pings_between_change_nothing(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    join(&r, &clients[0]);
    bytes(&clients[0], first_fragment, sizeof first_fragment);
    for (uint32_t i = 0; i < 9; i++) {
        rig_turn_after(&r, 1000 * NS_PER_MS);
        bytes(&clients[0], next_fragment, sizeof next_fragment);
        client_frame(&clients[0], 9, "are you there?");
        rig_turns(&r, 2);
        assert_true(is_open(&clients[0]));
        assert_int_equal(clients[0].pongs, i + 1);
    }
    rig_turn_after(&r, 980 * NS_PER_MS);
    closed_with(&clients[0], WS_POLICY, "message-timeout");
    close_all(&r, 1);
}

/* In time; and the next message, whose head came in the same segment, has a time of its own. */
static void a_message_that_is_whole_in_time_is_answered(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    join(&r, &clients[0]);
    static const char json[] = "{\"op\":\"ping\",\"id\":7}";
    uint8_t frame[64] = {0x81, 0x80 | (sizeof json - 1)};
    memcpy(frame + 6, json, sizeof json - 1);
    frame[6 + sizeof json - 1] = 0x81;
    for (uint32_t round = 0; round < 3; round++) {
        bytes(&clients[0], frame + (round > 0), 9); /* the first byte was sent with the message before */
        rig_turn_after(&r, 9900 * NS_PER_MS);
        bytes(&clients[0], frame + (round > 0) + 9, sizeof json - 1 + 7 - (round > 0) - 9);
        rig_turns(&r, 4);
        const char *pong = client_until(&clients[0], "pong");
        assert_non_null(pong);
        assert_int_equal(json_number(pong, "id"), 7);
    }
    rig_turn_after(&r, 9900 * NS_PER_MS);
    assert_true(is_open(&clients[0]));
    rig_turn_after(&r, 100 * NS_PER_MS);
    closed_with(&clients[0], WS_POLICY, "message-timeout");
    close_all(&r, 1);
}

/* Bytes of a frame that is never whole are no sign of life. */
static void who_sends_parts_of_a_frame_is_pinged_and_must_answer(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    join(&r, &clients[0]);
    r.settings.ping_interval_ns = r.settings.pong_timeout_ns = NS_PER_SECOND;
    client_frame(&clients[0], 10, "");
    bytes(&clients[0], text_frame, 1);
    for (uint32_t i = 0; i < 4; i++) {
        wait_ms(&r, 400);
        bytes(&clients[0], text_frame + 1 + i, 1);
    }
    assert_true(is_open(&clients[0]));
    assert_int_equal(rig_counter(&r, pings_total), 1);
    wait_ms(&r, 400);
    bytes(&clients[0], text_frame + 5, 1);
    wait_ms(&r, 400);
    closed_with(&clients[0], WS_GOING_AWAY, "ping_timeout");
    assert_int_equal(met(&r, LIMIT_MESSAGE_TIME), 0);
    close_all(&r, 1);
}

static void begin_all(struct rig *r, uint32_t every_ms)
{
    for (uint32_t i = 0; i < ASSEMBLIES + 1; i++) join(r, &clients[i]);
    for (uint32_t i = 0; i < ASSEMBLIES; i++) {
        bytes(&clients[i], first_fragment, sizeof first_fragment);
        rig_turn_after(r, every_ms * NS_PER_MS);
    }
    assert_int_equal(r->worker->assemblies.in_use, ASSEMBLIES);
}

static const char halves[2][32] = {"{\"op\":\"pi", "ng\",\"id\":9}"};

/* A command in two segments. */
static void half(struct client *c, uint32_t which)
{
    uint8_t frame[64] = {0x81, (uint8_t)(0x80 | (strlen(halves[0]) + strlen(halves[1])))};
    uint32_t size = (uint32_t)strlen(halves[which]), head = which ? 0 : 6;
    memcpy(frame + head, halves[which], size);
    bytes(c, frame, head + size);
}

static void within_the_grace_the_newcomer_is_turned_away(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    begin_all(&r, 50); /* the first for 16 * 51 ms */
    half(&clients[ASSEMBLIES], 0);
    closed_with(&clients[ASSEMBLIES], WS_TRY_LATER, "memory");
    for (uint32_t i = 0; i < ASSEMBLIES; i++) assert_true(is_open(&clients[i]));
    assert_int_equal(met(&r, LIMIT_MESSAGE_MEMORY), 1);
    close_all(&r, ASSEMBLIES + 1);
}

static void after_it_the_one_that_held_longest_goes(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    begin_all(&r, 50);
    static const uint8_t last_fragment[] = {0x80, 0x80, 0, 0, 0, 0};
    bytes(&clients[0], last_fragment,
          sizeof last_fragment); /* the first is done, and begins anew: the newest */
    rig_turns(&r, 4);
    bytes(&clients[0], first_fragment, sizeof first_fragment);
    wait_ms(&r, 300);
    half(&clients[ASSEMBLIES], 0);
    closed_with(&clients[1], WS_POLICY, "message-memory");
    half(&clients[ASSEMBLIES], 1);
    rig_turns(&r, 4);
    assert_non_null(client_until(&clients[ASSEMBLIES], "pong"));
    for (uint32_t i = 0; i < ASSEMBLIES; i++) assert_int_equal(is_open(&clients[i]), i != 1);
    assert_int_equal(met(&r, LIMIT_MESSAGE_MEMORY), 1);
    bytes(&clients[2], last_fragment,
          sizeof last_fragment); /* what was left is whole: nobody else lost a byte */
    rig_turns(&r, 4);
    assert_non_null(client_until(&clients[2], "error"));
    close_all(&r, ASSEMBLIES + 1);
}

/* One whose close frame is out, and who should answer it, holds no longer than others. */
static void who_is_closing_already_gives_it_up_too(void **state)
{
    (void)state;
    struct rig r;
    open_small(&r);
    r.settings.commands_per_second_max = 2;
    r.settings.close_timeout_ns = 3600 * NS_PER_SECOND;
    begin_all(&r, 50);
    for (uint32_t i = 0; i < 3; i++) client_frame(&clients[0], 9, "");
    wait_ms(&r, 500);
    closed_with(&clients[0], WS_POLICY, "max-commands");
    assert_int_equal(r.worker->assemblies.in_use, ASSEMBLIES);
    half(&clients[ASSEMBLIES], 0);
    half(&clients[ASSEMBLIES], 1);
    rig_turns(&r, 4);
    assert_non_null(client_until(&clients[ASSEMBLIES], "pong"));
    for (uint32_t i = 1; i < ASSEMBLIES; i++) assert_true(is_open(&clients[i]));
    wait_ms(&r, LINGER_MS + LATE_MS); /* nor is its close frame waited for any more */
    assert_int_equal(rig_counter(&r, connections), ASSEMBLIES);
    close_all(&r, ASSEMBLIES + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_byte_by_byte_has_its_time_from_the_first_byte),
        cmocka_unit_test(half_a_head_has_the_same_time),
        cmocka_unit_test(a_ping_byte_by_byte_has_the_same_time),
        cmocka_unit_test(fragments_count_from_the_first_and_pings_between_change_nothing),
        cmocka_unit_test(a_message_that_is_whole_in_time_is_answered),
        cmocka_unit_test(who_sends_parts_of_a_frame_is_pinged_and_must_answer),
        cmocka_unit_test(within_the_grace_the_newcomer_is_turned_away),
        cmocka_unit_test(after_it_the_one_that_held_longest_goes),
        cmocka_unit_test(who_is_closing_already_gives_it_up_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
