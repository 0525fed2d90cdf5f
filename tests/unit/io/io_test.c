/* tests/unit/io/io_test.c -- the behaviour of the seam, the same list over io_uring and epoll, with real
 * loopback sockets. */
#include "unit/io/io_rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#define PATTERN (1u << 20)

static void setup_pattern(uint8_t **pattern, uint8_t **got)
{
    *pattern = rig_pattern(PATTERN);
    *got = malloc(16u * PATTERN);
}

static void accepts_receives_and_sends(void **state)
{
    struct rig *r = *state;
    int client = rig_client(r, 7, 42), end;
    char peer[64];
    rig_write(client, "hello", 5);
    RIG_UNTIL(r, r->slots[7].received == 5);
    assert_true(r->slots[7].sum == rig_sum(0, (const uint8_t *)"hello", 5));
    assert_int_equal(r->slots[7].foreign, 0);
    int32_t error;
    uint8_t got[8];
    assert_int_equal(rig_send(r, 7, "answer", 6, &error), 6);
    assert_int_equal(rig_read(client, got, 6, &end), 6);
    assert_memory_equal(got, "answer", 6);
    int other = rig_connect(r);
    RIG_UNTIL(r, r->handle_count == 1);
    r->io->ops->peer(r->io, r->handles[0], peer, sizeof peer);
    assert_string_equal(peer, "127.0.0.1");
    assert_int_equal(r->io->counters.accepts, 2);
    assert_int_equal(r->io->counters.sent_bytes, 6);
    assert_int_equal(r->io->counters.received_bytes, 5);
    close(other);
    close(client);
}

/* Part and full are told when flush returns; the sum of what was taken is what the peer gets, byte for byte.
 * A lost rest (no MSG_WAITALL) or a send that waits in the kernel (no MSG_DONTWAIT) fails here. */
static void tells_short_and_full_sends_at_once(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    int end;
    setup_pattern(&pattern, &got);
    int client = rig_client(r, 1, 1);
    size_t taken = rig_fill(r, 1, pattern, PATTERN);
    assert_true(taken > 0 && taken < 16u * PATTERN);
    assert_true(r->io->counters.sends_full >= 1);
    assert_true(r->io->counters.sends_part >= 1);
    assert_int_equal(r->io->counters.sent_bytes, taken);
    for (int i = 0; i < 20; i++) /* were a send pending, it would go out now */
        rig_turn(r, 0);
    r->io->ops->shutdown_write(r->io, 1);
    size_t size = rig_read(client, got, 16u * PATTERN, &end);
    assert_int_equal(end, 1);
    assert_int_equal(size, taken);
    rig_check_pattern(got, size, pattern, PATTERN);
    assert_int_equal(r->slots[1].ends, 0);
    close(client);
    free(pattern);
    free(got);
}

static void writable_once_when_there_is_room(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    int end;
    int32_t error;
    setup_pattern(&pattern, &got);
    int client = rig_client(r, 2, 9);
    size_t taken = rig_fill_for_good(r, 2, pattern, PATTERN);
    r->io->ops->writable_arm(r->io, 2);
    r->io->ops->writable_arm(r->io, 2);
    for (int i = 0; i < 5; i++) rig_turn(r, 5 * NS_PER_MS);
    assert_int_equal(r->slots[2].writables, 0);
    assert_int_equal(rig_read(client, got, taken, &end), taken);
    RIG_UNTIL(r, r->slots[2].writables == 1);
    for (int i = 0; i < 5; i++) rig_turn(r, 5 * NS_PER_MS);
    assert_int_equal(r->slots[2].writables, 1);
    assert_true(rig_send(r, 2, pattern, 1000, &error) == 1000);
    r->io->ops->writable_arm(r->io, 2);
    RIG_UNTIL(r, r->slots[2].writables == 2);
    close(client);
    free(pattern);
    free(got);
}

static void detach_closes_with_fin_or_reset(void **state)
{
    struct rig *r = *state;
    uint8_t got[16];
    int end;
    int32_t error;
    int fin = rig_client(r, 1, 1), reset = rig_client(r, 2, 1);
    rig_send(r, 1, "last", 4, &error);
    r->io->ops->writable_arm(r->io, 2);
    r->io->ops->detach(r->io, 1, IO_CLOSE_FIN);
    r->io->ops->detach(r->io, 2, IO_CLOSE_RESET);
    rig_turn(r, 0);
    assert_int_equal(rig_read(fin, got, sizeof got, &end), 4);
    assert_int_equal(end, 1);
    assert_int_equal(rig_read(reset, got, sizeof got, &end), 0);
    assert_int_equal(end, -ECONNRESET);
    close(fin);
    close(reset);
}

/* Bytes that are under way at a detach never reach who gets the slot next, and their buffers come back. */
static void decision_23_late_events_of_a_reused_slot_are_dropped(void **state)
{
    struct rig *r = *state;
    int clients[2];
    clients[0] = rig_client(r, 5, 1);
    for (uint32_t i = 2; i < 400; i++) {
        rig_write(clients[0], "old life", 8);
        r->io->ops->writable_arm(r->io, 5);
        if (i % 3 == 0) r->io->ops->receive_pause(r->io, 5);
        if (i % 2 == 0) {
            struct io_sent failed[1];
            r->io->ops->send_add(r->io, 5, "x", 1);
            assert_int_equal(r->io->ops->send_flush(r->io, failed),
                             0); /* makes the ring meet the bytes now */
        }
        r->io->ops->detach(r->io, 5, i % 5 == 0 ? IO_CLOSE_RESET : IO_CLOSE_FIN);
        clients[1] = rig_pair(r, 5, i); /* at once, before the old descriptor is closed */
        rig_write(clients[1], "new", 3);
        RIG_UNTIL(r, r->slots[5].received >= 3);
        assert_int_equal(r->slots[5].received, 3);
        assert_true(r->slots[5].sum == rig_sum(0, (const uint8_t *)"new", 3));
        assert_int_equal(r->slots[5].foreign, 0);
        assert_int_equal(r->slots[5].writables, 0);
        close(clients[0]);
        clients[0] = clients[1];
    }
    assert_int_equal(r->io->counters.receive_no_buffer, 0);
    close(clients[0]);
}

static void pause_stops_and_resume_goes_on(void **state)
{
    struct rig *r = *state;
    int client = rig_client(r, 1, 1);
    for (uint32_t round = 0; round < 50; round++) {
        uint64_t sum = r->slots[1].sum;
        r->io->ops->receive_pause(r->io, 1);
        r->io->ops->receive_pause(r->io, 1);
        if (round % 2 == 0) rig_turn(r, 0); /* odd rounds: the cancel and the resume meet in one enter */
        if (round % 2 == 0) {
            rig_write(client, "quiet", 5);
            for (int i = 0; i < 3; i++) rig_turn(r, NS_PER_MS);
            assert_int_equal(r->slots[1].received, (uint64_t)round * 5);
        }
        r->io->ops->receive_resume(r->io, 1);
        r->io->ops->receive_resume(r->io, 1);
        if (round % 2 == 1) rig_write(client, "quiet", 5);
        RIG_UNTIL(r, r->slots[1].received == (uint64_t)(round + 1) * 5);
        assert_true(r->slots[1].sum == rig_sum(sum, (const uint8_t *)"quiet", 5));
    }
    close(client);
}

static void a_paused_peer_is_stopped_by_its_window(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    setup_pattern(&pattern, &got);
    int client = rig_client(r, 1, 1);
    r->io->ops->receive_pause(r->io, 1);
    rig_turn(r, 0);
    rig_turn(r, 0);
    size_t sent = 0;
    for (ssize_t n = 0; (n = send(client, pattern, PATTERN, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0;)
        sent += (size_t)n;
    assert_true(sent > 0 && sent < 64u * PATTERN);
    assert_int_equal(r->slots[1].received, 0);
    r->io->ops->receive_resume(r->io, 1);
    RIG_UNTIL(r, r->slots[1].received == sent);
    close(client);
    free(pattern);
    free(got);
}

/* All buffers are held: receiving stops without spinning, others wait too, and everything comes in order
 * later. */
static void without_buffers_it_waits_and_recovers(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    setup_pattern(&pattern, &got);
    int a = rig_client(r, 1, 1), b = rig_client(r, 2, 1);
    uint32_t size = 2 * RIG_BUFFERS * RIG_BYTES;
    r->hold = true;
    rig_write(a, pattern, size);
    RIG_UNTIL(r, r->held_count == RIG_BUFFERS && r->io->counters.receive_no_buffer > 0);
    rig_write(b, "me too", 6);
    uint64_t enters = r->io->counters.enters, refused = r->io->counters.receive_no_buffer;
    for (int i = 0; i < 10; i++) rig_turn(r, 5 * NS_PER_MS);
    assert_true(r->io->counters.enters - enters < 40);
    assert_true(r->io->counters.receive_no_buffer - refused <= 2);
    assert_int_equal(r->held_count, RIG_BUFFERS);
    r->hold = false;
    rig_release(r);
    RIG_UNTIL(r, r->slots[1].received == size && r->slots[2].received == 6);
    assert_true(r->slots[1].sum == rig_sum(0, pattern, size));
    close(a);
    close(b);
    free(pattern);
    free(got);
}

static void one_that_talks_much_does_not_starve_another(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    setup_pattern(&pattern, &got);
    int loud = rig_client(r, 1, 1), quiet = rig_client(r, 2, 1);
    for (uint64_t round = 1; round < 50; round++) {
        while (send(loud, pattern, PATTERN, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
        }
        rig_write(quiet, "?", 1);
        int turns = 0;
        while (r->slots[2].received < round) {
            rig_turn(r, 10 * NS_PER_MS);
            if (++turns > 100) fail_msg("the quiet one waits, round %d", (int)round);
        }
    }
    close(loud);
    close(quiet);
    free(pattern);
    free(got);
}

static void end_of_file_once_and_sending_goes_on(void **state)
{
    struct rig *r = *state;
    uint8_t got[8];
    int end;
    int32_t error;
    int client = rig_client(r, 1, 1);
    rig_write(client, "bye", 3);
    shutdown(client, SHUT_WR);
    RIG_UNTIL(r, r->slots[1].ends == 1);
    assert_int_equal(r->slots[1].last_result, 0);
    assert_int_equal(r->slots[1].received, 3);
    r->io->ops->receive_pause(r->io, 1);
    r->io->ops->receive_resume(r->io, 1); /* of no use any more, and no error */
    for (int i = 0; i < 5; i++) rig_turn(r, 2 * NS_PER_MS);
    assert_int_equal(r->slots[1].ends, 1);
    assert_int_equal(rig_send(r, 1, "answer", 6, &error), 6);
    assert_int_equal(rig_read(client, got, 6, &end), 6);
    close(client);
}

static void a_reset_is_told_to_receive_and_to_send(void **state)
{
    struct rig *r = *state;
    int32_t error = 0;
    int client = rig_client(r, 1, 1);
    struct linger now = {.l_onoff = 1};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(client);
    RIG_UNTIL(r, r->slots[1].ends == 1);
    assert_int_equal(r->slots[1].last_result, -ECONNRESET);
    assert_int_equal(rig_send(r, 1, "x", 1, &error), 0);
    assert_int_equal(error, -EPIPE);
    assert_int_equal(r->io->counters.sends_dead, 1);
    uint64_t enters = r->io->counters.enters;
    for (int i = 0; i < 10; i++) /* the dead one is not reported without end */
        rig_turn(r, 2 * NS_PER_MS);
    assert_true(r->io->counters.enters - enters < 30);
    r->io->ops->detach(r->io, 1, IO_CLOSE_RESET);
    rig_turn(r, 0);
}

/* Paused, full, and the peer dies: the poll for room tells. */
static void writable_tells_of_a_peer_that_died(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    int32_t error;
    setup_pattern(&pattern, &got);
    int client = rig_client(r, 1, 1);
    rig_fill_for_good(r, 1, pattern, PATTERN);
    r->io->ops->receive_pause(r->io, 1);
    r->io->ops->writable_arm(r->io, 1);
    rig_turn(r, 0);
    close(client); /* with unread data: a reset */
    RIG_UNTIL(r, r->slots[1].writables == 1);
    assert_int_equal(rig_send(r, 1, pattern, 100, &error), 0);
    assert_true(error == -ECONNRESET || error == -EPIPE);
    free(pattern);
    free(got);
}

/* A full peer that closed its writing side must not make us spin: told once, then only when there is room. */
static void a_half_closed_full_peer_is_told_once(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    int end;
    setup_pattern(&pattern, &got);
    int client = rig_client(r, 1, 1);
    r->io->ops->receive_pause(r->io, 1);
    rig_turn(r, 0);
    size_t taken = rig_fill_for_good(r, 1, pattern, PATTERN);
    shutdown(client, SHUT_WR);
    r->io->ops->writable_arm(r->io, 1);
    RIG_UNTIL(r, r->slots[1].writables == 1);
    r->io->ops->writable_arm(r->io, 1);
    for (int i = 0; i < 10; i++) rig_turn(r, 2 * NS_PER_MS);
    assert_int_equal(r->slots[1].writables, 1);
    assert_int_equal(rig_read(client, got, taken, &end), taken);
    RIG_UNTIL(r, r->slots[1].writables == 2);
    close(client);
    free(pattern);
    free(got);
}

static void a_wake_is_told_and_waits_end_in_time(void **state)
{
    struct rig *r = *state;
    uint64_t one = 1;
    rig_turn(r, 0); /* whatever starting brings */
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(write(r->wake_fd, &one, sizeof one), sizeof one);
        RIG_UNTIL(r, r->wokes == i);
    }
    uint64_t start_ns = clock_mono_ns();
    assert_int_equal(rig_turn(r, 20 * NS_PER_MS), 0);
    uint64_t took_ns = clock_mono_ns() - start_ns;
    assert_true(took_ns >= 19 * NS_PER_MS && took_ns < 5 * NS_PER_SECOND);
    uint64_t enters = r->io->counters.enters;
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < 1000; i++) assert_int_equal(rig_turn(r, 0), 0);
    getrusage(RUSAGE_THREAD, &after);                    /* no time: others may have the processor for long */
    assert_true(after.ru_nvcsw - before.ru_nvcsw < 100); /* it does not sleep */
    if (strcmp(r->io->ops->name, "io_uring") == 0)       /* a worker that spins costs no call */
        assert_true(r->io->counters.enters - enters < 10);
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

static void a_signal_is_no_error(void **state)
{
    struct rig *r = *state;
    struct sigaction action = {.sa_handler = on_alarm}, before;
    struct itimerval often = {.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000}, off = {0};
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    int client = rig_client(r, 1, 1);
    for (uint64_t i = 1; i <= 20; i++) {
        rig_turn(r, 5 * NS_PER_MS);
        rig_write(client, "x", 1);
        RIG_UNTIL(r, r->slots[1].received == i);
    }
    setitimer(ITIMER_REAL, &off, NULL);
    sigaction(SIGALRM, &before, NULL);
    close(client);
}

static void unsent_counts_what_the_peer_has_not_taken(void **state)
{
    struct rig *r = *state;
    uint8_t *pattern, *got;
    int end;
    setup_pattern(&pattern, &got);
    int client = rig_client(r, 1, 1);
    assert_int_equal(r->io->ops->unsent(r->io, 1), 0);
    size_t taken = rig_fill_for_good(r, 1, pattern, PATTERN);
    int64_t unsent = r->io->ops->unsent(r->io, 1);
    assert_true(unsent > 0 && (uint64_t)unsent <= taken);
    assert_int_equal(rig_read(client, got, taken, &end), taken);
    RIG_UNTIL(r, r->io->ops->unsent(r->io, 1) == 0);
    close(client);
    free(pattern);
    free(got);
}

/* More sends in one flush than the ring has entries, and more completions waiting than it has room for. */
static void a_flush_larger_than_the_ring(void **state)
{
    struct rig *r = *state;
    static int peers[RIG_SLOTS];
    static struct io_sent failed[RIG_SLOTS];
    static bool is_full[RIG_SLOTS];
    uint8_t *pattern = rig_pattern(PATTERN), got[8];
    uint32_t full_count = 0, count = 3000;
    for (uint32_t i = 0; i < count; i++) peers[i] = rig_pair(r, i, i);
    for (uint32_t i = 0; i < count; i += 7) rig_fill(r, i, pattern, PATTERN);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < count; i++) {
            rig_write(peers[i], "in", 2); /* every receive has a completion to post */
            r->io->ops->send_add(r->io, i, "out!", 4);
        }
        uint32_t failed_count = r->io->ops->send_flush(r->io, failed);
        memset(is_full, 0, sizeof is_full);
        for (uint32_t i = 0; i < failed_count; i++) {
            assert_int_equal(failed[i].error, 0);
            assert_int_equal(failed[i].taken, 0);
            assert_false(is_full[failed[i].slot]);
            is_full[failed[i].slot] = true;
        }
        full_count = 0;
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(is_full[i], i % 7 == 0);
            full_count += is_full[i];
            if (is_full[i]) continue;
            int end;
            assert_int_equal(rig_read(peers[i], got, 4, &end), 4);
            assert_memory_equal(got, "out!", 4);
        }
        assert_int_equal(full_count, failed_count);
    }
    for (uint32_t i = 0; i < count; i++) RIG_UNTIL(r, r->slots[i].received == 4);
    assert_int_equal(r->io->counters.cq_overflow, 0);
    for (uint32_t i = 0; i < count; i++) {
        close(peers[i]);
        r->io->ops->detach(r->io, i, IO_CLOSE_FIN);
    }
    rig_turn(r, 0);
    free(pattern);
}

#define BOTH(X)                                                                                              \
    X(accepts_receives_and_sends)                                                                            \
    X(tells_short_and_full_sends_at_once)                                                                    \
    X(writable_once_when_there_is_room)                                                                      \
    X(detach_closes_with_fin_or_reset)                                                                       \
    X(decision_23_late_events_of_a_reused_slot_are_dropped)                                                  \
    X(pause_stops_and_resume_goes_on)                                                                        \
    X(a_paused_peer_is_stopped_by_its_window)                                                                \
    X(without_buffers_it_waits_and_recovers)                                                                 \
    X(one_that_talks_much_does_not_starve_another)                                                           \
    X(end_of_file_once_and_sending_goes_on)                                                                  \
    X(a_reset_is_told_to_receive_and_to_send)                                                                \
    X(writable_tells_of_a_peer_that_died)                                                                    \
    X(a_half_closed_full_peer_is_told_once)                                                                  \
    X(a_wake_is_told_and_waits_end_in_time)                                                                  \
    X(a_signal_is_no_error)                                                                                  \
    X(unsent_counts_what_the_peer_has_not_taken)                                                             \
    X(a_flush_larger_than_the_ring)

RIG_MAIN(BOTH)
