/* tests/unit/worker/deflate_test.c -- goal: which frames of those who agreed on permessage-deflate are
 * packed: long enough ones that become smaller than 90 %, and none in the pause of 64 frames of the group
 * after one that did not. The level changes the bytes, never what they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/deflate_rig.h"

#define PAUSE     64u /* of the group's frames, after one that did not pay */
#define PERCENT   90u /* at most so much is left of one that pays */
#define NAME_SIZE 32u
#define NO_EASY   "aZ8kQ3xW7mB5tR9yL2pV6nC4sD1gJ0hF" /* one without anything twice */

static void open_rig(uint32_t level, uint32_t bytes_least)
{
    open_rig_with(&(struct rig_options){.connections = 64,
                                        .log_capacity = 4096,
                                        .symbols = 64,
                                        .deflate_level = level,
                                        .deflate_bytes_least = bytes_least});
}

/* The one frame that has come by now. */
static void take_only(struct client *c, struct got *out)
{
    take(c, out);
    assert_int_equal(c->size, 0);
    assert_non_null(strstr((const char *)out->plain, "\"type\":\"trade\""));
}

/* Packed with level 1. */
static uint32_t reference_size(const struct got *g)
{
    uint8_t out[FRAME_BYTES_MAX];
    struct deflater *reference = deflater_create(1);
    assert_non_null(reference);
    uint32_t size = deflater_pack(reference, WS_DEFLATE_BITS, g->plain, g->size, out, sizeof out);
    deflater_destroy(reference);
    return size;
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
        cmocka_unit_test(levels_differ_in_bytes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
