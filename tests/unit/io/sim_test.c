/* The simulated network: its streams, its clock, and the rules it holds its user to. */
#include "base/clock.h"
#include "io/io_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW 1000u

static const struct io_options options = {
    .slots = 16, .buffers = 8, .buffer_bytes = 64, .sends_max = 16, .wake_fd = -1};

static struct sim *open_with(struct sim_faults faults)
{
    struct fault fault = {0};
    struct sim_options o = {.faults = faults, .peers_max = 16, .window_max = WINDOW, .start_ns = 5};
    struct sim *sim = sim_open(&options, &o, &fault);
    assert_non_null(sim);
    assert_int_equal(sim_io(sim)->ops->listen(sim_io(sim), -1, 0, &fault), 0);
    return sim;
}

static void close_sim(struct sim *sim)
{
    sim_check(sim);
    sim_io(sim)->ops->close(sim_io(sim));
}

static struct io_event next(struct sim *sim)
{
    struct io_event e;
    for (int i = 0; i < 1000; i++) {
        if (sim_io(sim)->ops->wait(sim_io(sim), &e, 1, NS_PER_SECOND) == 1) return e;
        sim_advance_to(sim, sim_next_ns(sim));
    }
    fail_msg("nothing happens");
    return e;
}

static void expect_nothing(struct sim *sim)
{
    struct io_event e;
    assert_int_equal(sim_io(sim)->ops->wait(sim_io(sim), &e, 1, 0), 0);
}

/* A peer whose connection is (slot, generation). */
static int32_t client(struct sim *sim, uint32_t slot, uint32_t generation)
{
    int32_t peer = sim_connect(sim, 0);
    assert_true(peer >= 0);
    struct io_event e = next(sim);
    assert_int_equal(e.op, IO_ACCEPTED);
    assert_int_equal(e.result, peer);
    assert_int_equal(sim_io(sim)->ops->attach(sim_io(sim), slot, generation, e.result), 0);
    return peer;
}

static int32_t send_one(struct sim *sim, uint32_t slot, const void *bytes, uint32_t size)
{
    struct io_sent failed[1];
    sim_io(sim)->ops->send_add(sim_io(sim), slot, bytes, size);
    if (sim_io(sim)->ops->send_flush(sim_io(sim), failed) == 0) return (int32_t)size;
    assert_int_equal(failed[0].slot, slot);
    return failed[0].error ? failed[0].error : (int32_t)failed[0].taken;
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){0});
    int32_t peer = client(sim, 3, 9);
    char name[32], got[16];
    assert_int_equal(sim_peer_send(sim, peer, "hello", 5), 5);
    struct io_event e = next(sim);
    assert_int_equal(e.op, IO_RECEIVED);
    assert_int_equal(e.slot, 3);
    assert_int_equal(e.generation, 9);
    assert_int_equal(e.result, 5);
    assert_memory_equal(e.bytes, "hello", 5);
    sim_io(sim)->ops->buffer_done(sim_io(sim), e.buffer);
    assert_int_equal(send_one(sim, 3, "answer", 6), 6);
    assert_int_equal(sim_peer_read(sim, peer, got, sizeof got), 6);
    assert_memory_equal(got, "answer", 6);
    int32_t other = sim_connect_from(sim, 0, "2001:db8::7");
    e = next(sim);
    sim_io(sim)->ops->peer(sim_io(sim), e.result, name, sizeof name);
    assert_string_equal(name, "2001:db8::7");
    sim_io(sim)->ops->refuse(sim_io(sim), e.result, "no", 2);
    assert_int_equal(sim_peer_end(sim, other), SIM_OPEN);
    assert_int_equal(sim_peer_read(sim, other, got, sizeof got), 2);
    assert_int_equal(sim_peer_end(sim, other), SIM_EOF);
    close_sim(sim);
}

static void a_window_fills_and_drains(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){0});
    static uint8_t bytes[2 * WINDOW], got[2 * WINDOW];
    memset(bytes, 7, sizeof bytes);
    int32_t peer = client(sim, 0, 1);
    sim_peer_window(sim, peer, 100);
    assert_int_equal(send_one(sim, 0, bytes, 60), 60);
    assert_int_equal(send_one(sim, 0, bytes, 60), 40);
    assert_int_equal(send_one(sim, 0, bytes, 60), 0);
    assert_int_equal(sim_io(sim)->ops->unsent(sim_io(sim), 0), 100);
    sim_io(sim)->ops->writable_arm(sim_io(sim), 0);
    sim_io(sim)->ops->writable_arm(sim_io(sim), 0);
    expect_nothing(sim);
    assert_int_equal(sim_peer_read(sim, peer, got, 30), 30);
    assert_int_equal(next(sim).op, IO_WRITABLE);
    expect_nothing(sim);
    assert_int_equal(send_one(sim, 0, bytes, 60), 30);
    const struct io_counters *c = &sim_io(sim)->counters;
    assert_int_equal(c->sends, 4);
    assert_int_equal(c->sends_part, 2);
    assert_int_equal(c->sends_full, 1);
    assert_int_equal(c->sent_bytes, 130);
    close_sim(sim);
}

static void ends_are_told(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){0});
    struct io *io = sim_io(sim);
    char got[8];
    int32_t half = client(sim, 0, 1), reset = client(sim, 1, 1), fin = client(sim, 2, 1);
    sim_peer_shutdown(sim, half);
    struct io_event e = next(sim);
    assert_true(e.op == IO_RECEIVED && e.slot == 0 && e.result == 0);
    expect_nothing(sim);
    assert_int_equal(send_one(sim, 0, "still", 5), 5);
    assert_int_equal(sim_peer_read(sim, half, got, 8), 5);
    sim_peer_close(sim, reset, IO_CLOSE_RESET);
    e = next(sim);
    assert_true(e.op == IO_RECEIVED && e.slot == 1 && e.result == -ECONNRESET);
    assert_int_equal(send_one(sim, 1, "x", 1), -EPIPE);
    send_one(sim, 2, "last", 4);
    io->ops->detach(io, 2, IO_CLOSE_FIN);
    assert_int_equal(sim_peer_read(sim, fin, got, 8), 4);
    assert_int_equal(sim_peer_end(sim, fin), SIM_OPEN); /* closed inside the next wait, not before */
    expect_nothing(sim);
    assert_int_equal(sim_peer_end(sim, fin), SIM_EOF);
    io->ops->detach(io, 0, IO_CLOSE_RESET);
    expect_nothing(sim);
    assert_int_equal(sim_peer_end(sim, half), SIM_RESET);
    int32_t unread = client(sim, 0, 2);
    sim_peer_send(sim, unread, "lost", 4);
    io->ops->detach(io, 0, IO_CLOSE_FIN);
    expect_nothing(sim);
    assert_int_equal(sim_peer_end(sim, unread), SIM_RESET);
    close_sim(sim);
}

static void pause_holds_back_and_late_events_are_dropped(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){.early_ppm = 1000000});
    struct io *io = sim_io(sim);
    int32_t peer = client(sim, 0, 1);
    io->ops->receive_pause(io, 0);
    sim_peer_send(sim, peer, "later", 5);
    expect_nothing(sim);
    io->ops->receive_resume(io, 0);
    send_one(sim, 0, "x", 1); /* the flush meets the bytes: they are in hand */
    io->ops->receive_pause(io, 0);
    assert_int_equal(next(sim).result, 5);
    io->ops->receive_resume(io, 0);
    sim_peer_send(sim, peer, "never", 5);
    send_one(sim, 0, "x", 1);
    io->ops->detach(io, 0, IO_CLOSE_FIN);
    client(sim, 0, 2);
    expect_nothing(sim);
    assert_int_equal(sim_seen(sim)->stale, 1);
    close_sim(sim);
}

static void without_buffers_bytes_wait(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){0});
    struct io *io = sim_io(sim);
    uint8_t bytes[900] = {1};
    uint32_t held[8], received = 0;
    int32_t peer = client(sim, 0, 1);
    assert_int_equal(sim_peer_send(sim, peer, bytes, sizeof bytes), 900);
    for (int i = 0; i < 8; i++) {
        struct io_event e = next(sim);
        held[i] = e.buffer;
        received += (uint32_t)e.result;
    }
    assert_int_equal(received, 8 * 64);
    expect_nothing(sim);
    assert_true(io->counters.receive_no_buffer >= 1);
    for (int i = 0; i < 8; i++) io->ops->buffer_done(io, held[i]);
    while (received < 900) {
        struct io_event e = next(sim);
        received += (uint32_t)e.result;
        io->ops->buffer_done(io, e.buffer);
    }
    close_sim(sim);
}

static void the_clock_is_the_tests_own(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){.seed = 3, .delay_ns_max = 1000000});
    struct io *io = sim_io(sim);
    struct io_event e;
    assert_int_equal(sim_now_ns(sim), 5);
    assert_int_equal(io->ops->wait(io, &e, 1, 700), 0);
    assert_int_equal(sim_sleep_until_ns(sim), 705);
    assert_int_equal(sim_next_ns(sim), 705);
    sim_wake(sim);
    assert_int_equal(sim_next_ns(sim), 5);
    assert_int_equal(io->ops->wait(io, &e, 1, 700), 1);
    assert_int_equal(e.op, IO_WOKEN);
    assert_int_equal(sim_sleep_until_ns(sim), 0);
    sim_connect(sim, 0);
    uint64_t due_ns = sim_next_ns(sim);
    assert_true(due_ns > 5 && due_ns <= 1000005);
    sim_advance_to(sim, due_ns - 1);
    expect_nothing(sim);
    sim_advance_to(sim, due_ns);
    assert_int_equal(io->ops->wait(io, &e, 1, 0), 1);
    assert_int_equal(e.op, IO_ACCEPTED);
    close_sim(sim);
}

static void accept_errors_rest_in_virtual_time(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){.accept_error_ppm = 1000000});
    sim_connect(sim, 0);
    assert_int_equal(next(sim).result, -EMFILE);
    expect_nothing(sim);
    sim_heal(sim);
    assert_int_equal(sim_next_ns(sim), 5 + 100 * NS_PER_MS);
    sim_advance_to(sim, sim_next_ns(sim));
    assert_true(next(sim).result >= 0);
    close_sim(sim);
}

/* Each of these breaks a rule of the seam. */
static void two_sends(struct sim *sim)
{
    sim_io(sim)->ops->send_add(sim_io(sim), 0, "a", 1);
    sim_io(sim)->ops->send_add(sim_io(sim), 0, "b", 1);
}
static void send_after_detach(struct sim *sim)
{
    sim_io(sim)->ops->detach(sim_io(sim), 0, IO_CLOSE_FIN);
    sim_io(sim)->ops->send_add(sim_io(sim), 0, "a", 1);
}
static void detach_twice(struct sim *sim)
{
    sim_io(sim)->ops->detach(sim_io(sim), 0, IO_CLOSE_FIN);
    sim_io(sim)->ops->detach(sim_io(sim), 0, IO_CLOSE_FIN);
}
static void detach_with_an_offer(struct sim *sim)
{
    sim_io(sim)->ops->send_add(sim_io(sim), 0, "a", 1);
    sim_io(sim)->ops->detach(sim_io(sim), 0, IO_CLOSE_FIN);
}
static void buffer_twice(struct sim *sim)
{
    sim_peer_send(sim, 0, "x", 1);
    struct io_event e = next(sim);
    sim_io(sim)->ops->buffer_done(sim_io(sim), e.buffer);
    sim_io(sim)->ops->buffer_done(sim_io(sim), e.buffer);
}
static void arm_unknown_slot(struct sim *sim)
{
    sim_io(sim)->ops->writable_arm(sim_io(sim), 5);
}
static void pause_beyond_slots(struct sim *sim)
{
    sim_io(sim)->ops->receive_pause(sim_io(sim), 16);
}
static void attach_twice(struct sim *sim)
{
    sim_io(sim)->ops->attach(sim_io(sim), 1, 1, 0);
}
static void attach_same_generation(struct sim *sim)
{
    sim_io(sim)->ops->detach(sim_io(sim), 0, IO_CLOSE_FIN);
    client(sim, 0, 1);
}
static void wait_unflushed(struct sim *sim)
{
    sim_io(sim)->ops->send_add(sim_io(sim), 0, "a", 1);
    expect_nothing(sim);
}
static void keeps_the_rules(struct sim *sim)
{
    assert_int_equal(send_one(sim, 0, "a", 1), 1);
    assert_int_equal(send_one(sim, 0, "b", 1), 1);
}

static int status_of(void (*breaks)(struct sim *))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        struct sim *sim = open_with((struct sim_faults){0});
        client(sim, 0, 1);
        breaks(sim);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void decision_02_broken_rules_are_asserted(void **state)
{
    (void)state;
    void (*breaks[])(struct sim *) = {
        two_sends,        send_after_detach,  detach_twice, detach_with_an_offer, buffer_twice,
        arm_unknown_slot, pause_beyond_slots, attach_twice, wait_unflushed,       attach_same_generation};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        int status = status_of(breaks[i]);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) fail_msg("rule %zu is not held", i);
    }
    assert_int_equal(status_of(keeps_the_rules), 0);
}

static void listening_ends_and_peers_run_out(void **state)
{
    (void)state;
    struct sim *sim = open_with((struct sim_faults){0});
    struct io *io = sim_io(sim);
    int32_t last = SIM_REFUSED;
    for (int i = 0; i < 16; i++) assert_true((last = sim_connect(sim, 0)) >= 0);
    assert_int_equal(sim_connect(sim, 0), SIM_REFUSED);
    io->ops->listen_stop(io);
    assert_int_equal(sim_peer_end(sim, last), SIM_RESET);
    expect_nothing(sim);
    sim_peer_free(sim, last);
    assert_int_equal(sim_connect(sim, 0), SIM_REFUSED);
    struct fault fault;
    assert_int_equal(io->ops->listen(io, -1, 0, &fault), 0);
    assert_true(sim_connect(sim, 0) >= 0);
    close_sim(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(a_window_fills_and_drains),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(pause_holds_back_and_late_events_are_dropped),
        cmocka_unit_test(without_buffers_bytes_wait),
        cmocka_unit_test(the_clock_is_the_tests_own),
        cmocka_unit_test(accept_errors_rest_in_virtual_time),
        cmocka_unit_test(decision_02_broken_rules_are_asserted),
        cmocka_unit_test(listening_ends_and_peers_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
