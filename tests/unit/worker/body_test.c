/* tests/unit/worker/body_test.c -- goal: /metrics is longer than a rest block and reaches whoever reads,
 * whole, in any pieces and however many asked for it and do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define STUCK 40u /* more than there are blocks */

static struct rig r;

static int32_t ask(const char *request, uint32_t window)
{
    int32_t peer = sim_connect(r.sim, 0);
    assert_true(peer >= 0);
    sim_peer_window(r.sim, peer, window);
    assert_int_equal(sim_peer_send(r.sim, peer, request, (uint32_t)strlen(request)), strlen(request));
    return peer;
}

static const char get[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char head[] = "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

static char answer[1 << 17];
static uint32_t answer_size;

/* Reads at most `piece` bytes a turn until nothing comes any more. */
static void read_answer(int32_t peer, uint32_t piece)
{
    answer_size = 0;
    for (uint32_t quiet = 0; quiet < 20;) {
        uint32_t n = sim_peer_read(r.sim, peer, (uint8_t *)answer + answer_size, piece);
        answer_size += n;
        assert_true(answer_size < sizeof answer);
        quiet = n > 0 ? 0 : quiet + 1;
        rig_turn(&r);
    }
    answer[answer_size] = 0;
}

static void check_whole(void)
{
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    const char *length = strstr(answer, "Content-Length: "), *body = strstr(answer, "\r\n\r\n");
    assert_non_null(length);
    assert_non_null(body);
    assert_true(strlen(body + 4) > FRAME_BYTES_MAX);
    assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
    const char *last = strstr(body, "tickcast_tick_age_untimed_total{stage=\"socket\"} 0\n");
    assert_non_null(last);
    assert_int_equal(strlen(last), strlen("tickcast_tick_age_untimed_total{stage=\"socket\"} 0\n"));
}

static void open_rig(void)
{
    rig_open(&r, &(struct rig_options){.connections = 256, .log_capacity = 1024, .symbols = 8});
}

static void it_comes_in_any_pieces_and_again(void **state)
{
    (void)state;
    open_rig();
    int32_t peer = ask(get, 700);
    read_answer(peer, 100);
    check_whole();
    assert_int_equal(sim_peer_send(r.sim, peer, get, sizeof get - 1), sizeof get - 1); /* kept alive */
    read_answer(peer, 65536);
    check_whole();
    assert_int_equal(sim_peer_send(r.sim, peer, head, sizeof head - 1), sizeof head - 1);
    read_answer(peer, 65536);
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    assert_int_equal(end + 4 - answer, answer_size);
    rig_close(&r);
}

static void who_does_not_read_keeps_nobody_from_it(void **state)
{
    (void)state;
    open_rig();
    int32_t stuck[STUCK];
    for (uint32_t i = 0; i < STUCK; i++) {
        stuck[i] = ask(get, 500);
        rig_turns(&r, 2);
        int32_t peer = ask(get, 4 << 20);
        read_answer(peer, 65536);
        check_whole();
        sim_peer_close(r.sim, peer, IO_CLOSE_FIN);
        rig_turns(&r, 2);
    }
    uint32_t reset = 0;
    for (uint32_t i = 0; i < STUCK; i++) {
        uint8_t bytes[600];
        while (sim_peer_read(r.sim, stuck[i], bytes, sizeof bytes) > 0) continue;
        reset += sim_peer_end(r.sim, stuck[i]) == SIM_RESET;
        if (reset <= i) assert_true(sim_peer_end(r.sim, stuck[i]) == SIM_OPEN); /* the oldest went */
    }
    assert_true(reset > 0 && reset < STUCK);
    rig_close(&r);
}

/* More in one turn than there are blocks, and all read: nobody is cut off, the others are told to come back.
 */
static void many_at_once_are_answered_or_refused(void **state)
{
    (void)state;
    open_rig();
    int32_t peers[STUCK];
    for (uint32_t i = 0; i < STUCK; i++) peers[i] = ask(get, 4 << 20);
    uint32_t whole = 0, refused = 0;
    for (uint32_t i = 0; i < STUCK; i++) {
        read_answer(peers[i], 65536);
        refused += strncmp(answer, "HTTP/1.1 503 ", 13) == 0 && strstr(answer, "Retry-After: ") != NULL;
        if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0) continue;
        check_whole();
        whole++;
    }
    assert_int_equal(whole + refused, STUCK);
    assert_true(whole >= 8);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_in_any_pieces_and_again),
        cmocka_unit_test(who_does_not_read_keeps_nobody_from_it),
        cmocka_unit_test(many_at_once_are_answered_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
