/* A send of several batch frames that a socket takes in part: what is told, counted and kept is of the frames
 * that arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"
#include "worker/worker_internal.h"

static void a_cut_counts_the_frames_that_arrive(void **state)
{
    (void)state;
    static const struct render_out out = {
        .to = 30,
        .bytes = 3000,
        .frames = 3,
        .ticks = 24,
        .conflated = 6,
        .ends = {{.position = 10, .offset = 1000, .conflated = 1, .ticks = 9},
                 {.position = 20, .offset = 2000, .conflated = 3, .ticks = 17},
                 {.position = 30, .offset = 3000, .conflated = 6, .ticks = 24}}};
    for (uint32_t taken = 0; taken <= out.bytes; taken++) {
        struct cut cut = {.position = 5, .read = 7};
        cut_frames(&out, FRAME_BATCH, taken, &cut);
        uint32_t frames = (taken + 999) / 1000; /* the one that was begun is finished */
        assert_int_equal(cut.frames, frames);
        assert_int_equal(cut.end, frames * 1000);
        assert_int_equal(cut.position, frames ? out.ends[frames - 1].position : 5);
        assert_int_equal(cut.read, frames ? out.ends[frames - 1].position : 7);
        assert_int_equal(cut.ticks, frames ? out.ends[frames - 1].ticks : 0);
        assert_int_equal(cut.told_conflated, frames ? out.ends[frames - 1].conflated : 0);
    }
}

#define TICKS 5000u

/* The rig checks that what arrives is one chain of whole frames. */
static void receive(struct rig *r, struct client *c, uint32_t *ticks, uint32_t *frames)
{
    client_read(c, UINT32_MAX);
    for (const char *m; (m = client_next(c)) != NULL;) {
        if (!message_is(m, "ticks")) continue;
        ++*frames;
        for (const char *at = m; (at = json_tick(at, "trade", "A")) != NULL;) ++*ticks;
    }
    rig_turn(r);
}

static void a_run_is_cut_anywhere(void **state)
{
    (void)state;
    uint64_t cuts = 0;
    for (uint32_t window = 1000; window < 50000; window += 1777) {
        struct rig r;
        struct client c;
        rig_open(&r, &(struct rig_options){.connections = 16, .log_capacity = 32768, .symbols = 64});
        uint32_t a = rig_symbol(&r, "A"), ticks = 0, frames = 0;
        client_subscribe(&r, &c, "symbols=A&policy=complete&snapshot=0");
        rig_turns(&r, 4);
        sim_peer_window(r.sim, c.peer, window);
        for (uint32_t i = 0; i < TICKS; i++) rig_trade(&r, a, i);
        rig_turn(&r);
        cuts += rig_counter(&r, left_step_total);
        for (uint32_t turn = 0; turn < 2000 && c.position < log_head(r.server.log); turn++)
            receive(&r, &c, &ticks, &frames);
        assert_int_equal(ticks, TICKS);
        assert_int_equal(rig_counter(&r, ticks_total), TICKS);
        assert_int_equal(rig_counter(&r, frames_total), frames);
        client_close(&c);
        rig_close(&r);
    }
    assert_true(cuts > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_counts_the_frames_that_arrive),
        cmocka_unit_test(a_run_is_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
