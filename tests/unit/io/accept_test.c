/* tests/unit/io/accept_test.c -- letting in and turning away, the same list over io_uring and epoll, with
 * real loopback sockets. */
#include "io/io_socket.h"
#include "unit/io/io_rig.h"

/* The limit is lowered before the accept is armed: a ring takes over the limit of that moment. */
static void without_descriptors_accepting_rests_and_goes_on(void **state)
{
    struct rig *r = *state;
    struct fault fault = {0};
    struct rlimit before, low;
    int spare[64], spare_count = 0;
    getrlimit(RLIMIT_NOFILE, &before);
    low = before;
    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    low.rlim_cur = (rlim_t)waiting + 32;
    setrlimit(RLIMIT_NOFILE, &low);
    r->io->ops->listen_stop(r->io);
    assert_int_equal(r->io->ops->listen(r->io, r->listen_fd, 3, &fault), 0);
    int client = rig_client(r, 1, 1);
    while ((spare[spare_count] = dup(waiting)) >= 0) spare_count++;
    uint64_t began_ns = clock_mono_ns();
    int connected = connect(waiting, (struct sockaddr *)&r->address, sizeof r->address);
    uint64_t until_ns = began_ns + RIG_PATIENCE * NS_PER_SECOND;
    while (r->accept_errors == 0 && clock_mono_ns() < until_ns) rig_turn(r, 10 * NS_PER_MS);
    uint32_t first_errors = r->accept_errors;
    for (int i = 0; i < 5; i++) /* told once and after each rest, not at every wait */
        rig_turn(r, NS_PER_MS);
    rig_write(client, "x", 1); /* others live on meanwhile */
    RIG_UNTIL(r, r->slots[1].received == 1);
    uint32_t errors = r->accept_errors, rests = (uint32_t)((clock_mono_ns() - began_ns) / IO_ACCEPT_REST_NS);
    while (spare_count > 0) close(spare[--spare_count]);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(connected, 0);
    assert_int_equal(first_errors, 1);
    assert_in_range(errors, 1, 1 + rests); /* none, unless somebody else had the processor for so long */
    assert_int_equal(r->accept_error, -EMFILE);
    assert_int_equal(r->io->counters.accept_errors, r->accept_errors);
    RIG_UNTIL(r, r->handle_count == 1);
    close(waiting);
    close(client);
}

static void listen_stop_frees_the_port(void **state)
{
    struct rig *r = *state;
    struct fault fault = {0};
    int client = rig_client(r, 1, 1);
    r->io->ops->listen_stop(r->io);
    close(r->listen_fd);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&r->address, sizeof r->address), -1);
    assert_int_equal(errno, ECONNREFUSED);
    rig_write(client, "x", 1); /* connections stay */
    RIG_UNTIL(r, r->slots[1].received == 1);
    r->listen_fd = rig_listen_fd(r);
    assert_int_equal(r->io->ops->listen(r->io, r->listen_fd, 3, &fault), 0);
    int again = rig_client(r, 2, 1);
    close(fd);
    close(again);
    close(client);
    assert_int_equal(r->io->ops->listen(r->io, r->listen_fd, LISTENERS_MAX, &fault), TC_ELIMIT);
}

static void refuse_answers_and_closes(void **state)
{
    struct rig *r = *state;
    uint8_t got[64];
    int end;
    int client = rig_connect(r);
    rig_write(client, "GET / HTTP/1.1\r\n\r\n", 18);
    RIG_UNTIL(r, r->handle_count == 1);
    r->io->ops->refuse(r->io, r->handles[--r->handle_count], "HTTP/1.1 503 no\r\n\r\n", 19);
    assert_int_equal(rig_read(client, got, sizeof got, &end), 19);
    assert_int_equal(end, 1);
    assert_memory_equal(got, "HTTP/1.1 503 no\r\n\r\n", 19);
    close(client);
}

static void a_burst_of_connections_is_accepted(void **state)
{
    struct rig *r = *state;
    int fds[300];
    for (int i = 0; i < 300; i++) fds[i] = rig_connect(r);
    RIG_UNTIL(r, r->handle_count == 300);
    for (uint32_t i = 0; i < 300; i++) {
        r->slots[i] = (struct rig_slot){.generation = i};
        assert_int_equal(r->io->ops->attach(r->io, i, i, r->handles[i]), 0);
    }
    r->handle_count = 0;
    for (int i = 0; i < 300; i++) close(fds[i]);
    for (uint32_t i = 0; i < 300; i++) {
        RIG_UNTIL(r, r->slots[i].ends == 1);
        r->io->ops->detach(r->io, i, IO_CLOSE_FIN);
    }
    rig_turn(r, 0);
}

/* All have sent something before the first of them is accepted: nobody of a part is let in before those of
 * the part before the last were heard. */
static void a_crowd_at_the_door_is_heard_part_by_part(void **state)
{
    struct rig *r = *state;
    int fds[300];
    uint32_t in = 0, heard = 0;
    for (int i = 0; i < 300; i++) {
        fds[i] = rig_connect(r);
        rig_write(fds[i], "x", 1);
    }
    for (int turn = 0; heard < 300 && turn < 1000; turn++) {
        rig_turn(r, 10 * NS_PER_MS);
        assert_true(r->handle_count <= IO_ACCEPTS_MAX);
        for (uint32_t i = 0; i < r->handle_count; i++, in++) {
            r->slots[in] = (struct rig_slot){.generation = in};
            assert_int_equal(r->io->ops->attach(r->io, in, in, r->handles[i]), 0);
        }
        r->handle_count = heard = 0;
        for (uint32_t i = 0; i < in; i++) heard += r->slots[i].received > 0;
        assert_true(in - heard <= 2 * IO_ACCEPTS_MAX);
    }
    assert_int_equal(heard, 300);
    for (uint32_t i = 0; i < 300; i++) {
        r->io->ops->detach(r->io, i, IO_CLOSE_FIN);
        close(fds[i]);
    }
    rig_turn(r, 0);
}

#define BOTH(X)                                                                                              \
    X(without_descriptors_accepting_rests_and_goes_on)                                                       \
    X(listen_stop_frees_the_port)                                                                            \
    X(refuse_answers_and_closes)                                                                             \
    X(a_burst_of_connections_is_accepted)                                                                    \
    X(a_crowd_at_the_door_is_heard_part_by_part)

RIG_MAIN(BOTH)
