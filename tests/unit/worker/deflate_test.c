/* tests/unit/worker/deflate_test.c -- goal: which frames of those who agreed on permessage-deflate are
 * packed: long enough ones that become smaller than 90 %, and none in the pause of 64 frames of the group
 * after one that did not. The level changes the bytes, never what they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"
#include "wire/ws_deflate.h"

#define PAUSE       64u /* of the group's frames, after one that did not pay */
#define PERCENT     90u /* at most so much is left of one that pays */
#define BYTES_LEAST 40u /* shorter than any frame with a tick: all are tried */
#define OFFER       "Sec-WebSocket-Extensions: permessage-deflate\r\n"
#define NAME_SIZE   32u
#define ALL_EASY    "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE" /* a name that packs well */
#define NO_EASY     "aZ8kQ3xW7mB5tR9yL2pV6nC4sD1gJ0hF" /* and one without anything twice */

static struct rig r;
static struct inflater *inflater;
static struct deflater *reference; /* of level 1: what a frame would be packed */

/* A data frame as it came. */
struct got {
    bool packed;
    uint32_t size, wire_size; /* of its payload: unpacked, and as it came */
    uint8_t plain[FRAME_BYTES_MAX + 1], wire[FRAME_BYTES_MAX];
};

static void open_rig_with(const struct rig_options *o)
{
    inflater = inflater_create(WS_DEFLATE_BITS, false);
    reference = deflater_create(1);
    assert_non_null(inflater);
    assert_non_null(reference);
    rig_open(&r, o);
}

static void open_rig(uint32_t level, uint32_t bytes_least)
{
    open_rig_with(&(struct rig_options){.connections = 64,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .deflate_level = level,
                                        .deflate_bytes_least = bytes_least});
}

static void close_rig(void)
{
    rig_close(&r);
    deflater_destroy(reference);
    inflater_destroy(inflater);
}

static void subscribe(struct client *c, const char *query)
{
    client_connect_with(&r, c, query, OFFER);
    rig_turns(&r, 4);
    assert_true(client_upgraded(c));
    assert_non_null(client_until(c, "subscribed")); /* notices are never packed: client_next would tell */
}

/* A trade that packs as badly as can be but for its name. */
static void trade(uint32_t symbol)
{
    struct tick t = {.kind = TICK_TRADE, .symbol = symbol, .event_ns = 72940618350277, .ingest_ns = 1};
    t.trade = (struct tick_trade){.price = 9182736405917283, .size = 6051948372615047};
    log_append(r.server.log, &t, 1);
}

/* The next frame, which has to be there. */
static void take(struct client *c, struct got *out)
{
    client_read(c, UINT32_MAX);
    assert_true(c->size >= 2);
    assert_int_equal(c->bytes[0] & ~WS_DEFLATE_RSV1, 0x81);
    uint32_t head = c->bytes[1] == 126 ? 4 : 2;
    assert_true(c->bytes[1] <= 126);
    out->packed = (c->bytes[0] & WS_DEFLATE_RSV1) != 0;
    out->wire_size = head == 4 ? load_be16(c->bytes + 2) : c->bytes[1];
    assert_true(out->wire_size <= sizeof out->wire && head + out->wire_size <= c->size);
    memcpy(out->wire, c->bytes + head, out->wire_size);
    out->size = out->wire_size;
    if (out->packed)
        assert_int_equal(
            inflater_unpack(inflater, out->wire, out->wire_size, out->plain, FRAME_BYTES_MAX, &out->size),
            DEFLATER_OK);
    else
        memcpy(out->plain, out->wire, out->size);
    out->plain[out->size] = 0;
    client_drop(c, head + out->wire_size);
}

/* The one frame that has come by now. */
static void take_only(struct client *c, struct got *out)
{
    take(c, out);
    assert_int_equal(c->size, 0);
    assert_non_null(strstr((const char *)out->plain, "\"type\":\"trade\""));
}

static uint32_t reference_size(const struct got *g)
{
    uint8_t out[FRAME_BYTES_MAX];
    return deflater_pack(reference, WS_DEFLATE_BITS, g->plain, g->size, out, sizeof out);
}

static bool pays(const struct got *g)
{
    return reference_size(g) <= g->size * PERCENT / 100;
}

/* Each in a group of its own, so that none is in a pause: names that are ever better to pack. */
static void a_frame_that_hardly_shrinks_goes_out_plain(void **state)
{
    (void)state;
    open_rig(1, BYTES_LEAST);
    uint32_t plain = 0;
    for (uint32_t easy = 0; easy <= NAME_SIZE; easy++) {
        char name[NAME_SIZE + 1], query[96];
        snprintf(name, sizeof name, "%.*s%s", (int)easy, ALL_EASY, NO_EASY + easy);
        snprintf(query, sizeof query, "symbols=%s&frame=tick&snapshot=0", name);
        struct client c;
        struct got g;
        subscribe(&c, query);
        trade(rig_symbol(&r, name));
        rig_turns(&r, 2);
        take_only(&c, &g);
        assert_true(g.size >= BYTES_LEAST);
        assert_int_equal(g.packed, pays(&g));
        if (g.packed) assert_int_equal(g.wire_size, reference_size(&g));
        plain += !g.packed;
        assert_int_equal(rig_counter(&r, deflate_skipped_total), plain);
        assert_int_equal(rig_counter(&r, deflate_frames_total), easy + 1 - plain);
        client_close(&c);
    }
    assert_in_range(plain, 5, NAME_SIZE - 5); /* both kinds were seen, and the way from one to the other */
    close_rig();
}

struct pause_stage {
    struct client both, easy_only; /* two groups */
    uint32_t easy, hard, short_one;
    uint64_t plain;
};

static void pause_open(struct pause_stage *s, uint32_t bytes_least)
{
    open_rig(1, bytes_least);
    *s = (struct pause_stage){.plain = 0};
    s->easy = rig_symbol(&r, ALL_EASY);
    s->hard = rig_symbol(&r, NO_EASY);
    s->short_one = rig_symbol(&r, "S");
    subscribe(&s->both, "symbols=*&frame=tick&snapshot=0");
    subscribe(&s->easy_only, "symbols=" ALL_EASY "&frame=tick&snapshot=0");
}

static void pause_close(struct pause_stage *s)
{
    client_close(&s->both);
    client_close(&s->easy_only);
    close_rig();
}

/* A trade that packs well: whether the group that sees both kinds packs it; the other one always does. */
static void easy_comes(struct pause_stage *s, bool packed)
{
    struct got g;
    trade(s->easy);
    rig_turns(&r, 2);
    take_only(&s->both, &g);
    assert_true(pays(&g));
    assert_int_equal(g.packed, packed);
    take_only(&s->easy_only, &g);
    assert_true(g.packed);
    s->plain += !packed;
    assert_int_equal(rig_counter(&r, deflate_skipped_total), s->plain);
}

static void plain_comes(struct pause_stage *s, uint32_t symbol)
{
    struct got g;
    trade(symbol);
    rig_turns(&r, 2);
    take_only(&s->both, &g);
    assert_false(g.packed);
    assert_int_equal(rig_counter(&r, deflate_skipped_total), ++s->plain);
}

static void then_64_frames_of_its_group_are_not_tried(void **state)
{
    (void)state;
    struct pause_stage s;
    pause_open(&s, BYTES_LEAST);
    easy_comes(&s, true);
    for (uint32_t round = 0; round < 3; round++) {
        plain_comes(&s, s.hard);
        for (uint32_t i = 0; i < PAUSE; i++) easy_comes(&s, false);
        if (round == 1) continue; /* the first one tried again may be another that does not pay */
        easy_comes(&s, true);
        easy_comes(&s, true);
    }
    pause_close(&s);
}

/* Those below --deflate-min neither begin a pause nor use one up. */
static void short_frames_are_not_of_the_pause(void **state)
{
    (void)state;
    struct pause_stage s;
    struct got g;
    pause_open(&s, BYTES_LEAST);
    trade(s.short_one);
    rig_turns(&r, 2);
    take_only(&s.both, &g);
    uint32_t least = g.size + 10; /* longer than it, shorter than the others */
    pause_close(&s);

    pause_open(&s, least);
    plain_comes(&s, s.short_one);
    easy_comes(&s, true);
    plain_comes(&s, s.hard);
    for (uint32_t i = 0; i < PAUSE; i++) {
        plain_comes(&s, s.short_one);
        easy_comes(&s, false);
    }
    easy_comes(&s, true);
    pause_close(&s);
}

static void min_is_the_shortest_that_is_packed(void **state)
{
    (void)state;
    uint32_t size = 0;
    for (uint32_t more = 0; more <= 2; more++) { /* to learn the size, at it, and one above */
        struct client c;
        struct got g;
        open_rig(1, more == 0 ? BYTES_LEAST : size + more - 1);
        subscribe(&c, "symbols=*&frame=tick&snapshot=0");
        trade(rig_symbol(&r, ALL_EASY));
        rig_turns(&r, 2);
        take_only(&c, &g);
        assert_int_equal(g.packed, more < 2);
        assert_int_equal(rig_counter(&r, deflate_skipped_total), more == 2);
        size = g.size;
        client_close(&c);
        close_rig();
    }
}

static void open_rig_members(uint32_t members_least, uint32_t cohort_members)
{
    open_rig_with(&(struct rig_options){.connections = 64,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .cohort_members = cohort_members,
                                        .deflate_bytes_least = BYTES_LEAST,
                                        .deflate_members_least = members_least});
}

/* --deflate-members counts subscribers, whatever cohorts they stand in and however many of these go out in
 * one submission. */
static void members_are_those_of_the_set(void **state)
{
    (void)state;
    for (uint32_t least = 2; least <= 4; least++) {
        struct client c[3];
        struct got g;
        open_rig_members(least, 1); /* each in a cohort of its own, at a position of its own */
        uint32_t easy = rig_symbol(&r, ALL_EASY), other = rig_symbol(&r, "OTHER");
        for (uint32_t i = 0; i < 3; i++) {
            subscribe(&c[i], "symbols=" ALL_EASY "&snapshot=0");
            trade(other);
            rig_turns(&r, 2);
        }
        trade(easy);
        rig_turns(&r, 2);
        for (uint32_t i = 0; i < 3; i++) {
            take_only(&c[i], &g);
            assert_int_equal(g.packed, least <= 3);
            client_close(&c[i]);
        }
        close_rig();
    }
}

/* Who has gone over to another set is a member no more, though what he had is remembered until he was told
 * what is new. */
static void who_changed_his_set_is_no_member(void **state)
{
    (void)state;
    struct client stays, goes;
    struct got g;
    open_rig_members(2, 64);
    uint32_t easy = rig_symbol(&r, ALL_EASY), s = rig_symbol(&r, "S");
    subscribe(&stays, "symbols=" ALL_EASY "&snapshot=0");
    subscribe(&goes, "symbols=" ALL_EASY "&snapshot=0");
    trade(easy);
    trade(s);
    rig_turns(&r, 2);
    take_only(&stays, &g);
    assert_true(g.packed);
    take_only(&goes, &g);
    assert_true(g.packed);
    sim_peer_window(r.sim, goes.peer, 1); /* of the answer a byte; the snapshot of what is new stays owed */
    client_command(&goes, "{\"op\":\"subscribe\",\"id\":1,\"symbols\":[\"S\"],\"snapshot\":true}");
    rig_turns(&r, 4);
    trade(easy);
    rig_turns(&r, 4);
    take_only(&stays, &g);
    assert_false(g.packed);
    client_close(&stays);
    client_close(&goes);
    close_rig();
}

#define CROWD 200u /* four cohorts, and so four submissions a turn */

static uint32_t news;
static const struct io_ops *sim_ops;

/* With each submission of data a tick comes, as a feed's would: before the next one it is read. */
static uint32_t flush_while_ticks_come(struct io *io, struct io_sent *failed)
{
    trade(news);
    return sim_ops->send_flush(io, failed);
}

static void a_busy_feed_does_not_part_the_cohorts(void **state)
{
    (void)state;
    static struct client c[CROWD];
    static struct got g;
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
    for (uint32_t i = 0; i < CROWD; i++) {
        assert_true(client_upgraded(&c[i]));
        assert_non_null(client_until(&c[i], "subscribed"));
    }
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
    for (uint32_t i = 0; i < CROWD; i++) {
        uint64_t last = 0;
        while (client_read(&c[i], UINT32_MAX), c[i].size > 0) {
            take(&c[i], &g);
            last = json_number((const char *)g.plain, "to");
        }
        assert_true(last == log_head(r.server.log));
        client_close(&c[i]);
    }
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

#define LISTS      200u
#define TURN_PACKS 64u
#define RUN_FRAMES 4u /* of a visit, which is not cut short */

/* Where nobody shares a frame each is packed alone: a turn packs a bounded number, so that pings, commands
 * and newcomers do not wait for all of them. */
static void a_turn_packs_a_bounded_number_of_frames(void **state)
{
    (void)state;
    static struct client c[LISTS];
    static struct got g;
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
    for (uint32_t i = 0; i < LISTS; i++) {
        assert_true(client_upgraded(&c[i]));
        assert_non_null(client_until(&c[i], "subscribed"));
    }
    for (uint32_t i = 0; i < 400; i++) trade(news); /* three frames for each */
    uint64_t begun = rig_counter(&r, deflate_frames_total), most = 0;
    for (uint32_t turn = 0; turn < 40; turn++) {
        uint64_t before = rig_counter(&r, deflate_frames_total);
        rig_turn(&r);
        most = max_u64(most, rig_counter(&r, deflate_frames_total) - before);
    }
    assert_true(rig_counter(&r, deflate_frames_total) - begun >= 3 * LISTS);
    assert_true(most >= TURN_PACKS && most < TURN_PACKS + RUN_FRAMES);
    for (uint32_t i = 0; i < LISTS; i++) {
        uint64_t last = 0;
        while (client_read(&c[i], UINT32_MAX), c[i].size > 0) {
            take(&c[i], &g);
            last = json_number((const char *)g.plain, "to");
        }
        assert_true(last == log_head(r.server.log));
        client_close(&c[i]);
    }
    close_rig();
}

/* One long frame, the same ticks under each level. */
static void batch_at(uint32_t level, struct got *out)
{
    struct client c;
    open_rig(level, 0);
    subscribe(&c, "symbols=*&snapshot=0");
    uint32_t symbols[] = {rig_symbol(&r, "AAPL"), rig_symbol(&r, "MSFT"), rig_symbol(&r, "GOOG")};
    for (int64_t i = 0; i < 150; i++) rig_quote(&r, symbols[i * i % 7 % 3], 10000 + i * 7919 % 1013);
    rig_turns(&r, 2);
    take(&c, out);
    assert_true(out->packed && out->size > 8000);
    assert_non_null(strstr((const char *)out->plain, "{\"type\":\"ticks\",\"from\":"));
    client_close(&c);
    close_rig();
}

static void levels_differ_in_bytes_alone(void **state)
{
    (void)state;
    static struct got fast, small, preset;
    batch_at(1, &fast);
    batch_at(9, &small);
    batch_at(0, &preset);
    assert_int_equal(fast.size, small.size);
    assert_memory_equal(fast.plain, small.plain, fast.size);
    assert_true(small.wire_size < fast.wire_size);
    assert_int_equal(preset.wire_size, fast.wire_size); /* the default is 1 */
    assert_memory_equal(preset.wire, fast.wire, fast.wire_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_that_hardly_shrinks_goes_out_plain),
        cmocka_unit_test(then_64_frames_of_its_group_are_not_tried),
        cmocka_unit_test(short_frames_are_not_of_the_pause),
        cmocka_unit_test(min_is_the_shortest_that_is_packed),
        cmocka_unit_test(members_are_those_of_the_set),
        cmocka_unit_test(who_changed_his_set_is_no_member),
        cmocka_unit_test(a_busy_feed_does_not_part_the_cohorts),
        cmocka_unit_test(sets_beside_each_other_and_cohorts_apart_share_what_is_packed),
        cmocka_unit_test(a_turn_packs_a_bounded_number_of_frames),
        cmocka_unit_test(levels_differ_in_bytes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
