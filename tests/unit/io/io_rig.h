/* tests/unit/io/io_rig.h -- a back end under test with real loopback sockets on the other side. Everything
 * that wait hands out is written down per slot; tests ask for conditions, never for times. One rig at a time.
 */
#ifndef TC_TESTS_IO_RIG_H
#define TC_TESTS_IO_RIG_H

#include "base/clock.h"
#include "config/limits.h"
#include "io/io.h"
#include "io/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define RIG_SLOTS    4096u
#define RIG_BUFFERS  64u
#define RIG_BYTES    1024u /* of a receive buffer */
#define RIG_EVENTS   256u  /* per wait */
#define RIG_HANDLES  512u
#define RIG_PATIENCE 20 /* seconds until a condition counts as never met */

typedef struct io *(*rig_opener)(const struct io_options *, struct fault *);

struct rig_slot {
    uint32_t generation, writables, ends, foreign; /* foreign: events of another generation */
    int32_t last_result, fd;
    uint64_t received;
    uint64_t sum; /* order-dependent: rig_sum of all bytes */
};

struct rig {
    struct io *io;
    int listen_fd, wake_fd;
    struct sockaddr_in address;
    struct rig_slot slots[RIG_SLOTS];
    int32_t handles[RIG_HANDLES];
    uint32_t handle_count, accept_errors, wokes, events;
    int32_t accept_error;
    int pair_sndbuf; /* of rig_pair's sockets; 0: the kernel's */
    bool hold;       /* buffers are kept instead of given back */
    uint32_t held[RIG_BUFFERS], held_count;
};

static inline uint64_t rig_sum(uint64_t sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* Hands every event to the slots; the number of events. */
static inline uint32_t rig_turn(struct rig *r, uint64_t wait_ns)
{
    struct io_event events[RIG_EVENTS];
    uint32_t count = r->io->ops->wait(r->io, events, RIG_EVENTS, wait_ns);
    for (uint32_t i = 0; i < count; i++) {
        struct io_event *e = &events[i];
        struct rig_slot *s = &r->slots[e->slot];
        r->events++;
        if (e->op == IO_WOKEN) r->wokes++;
        if (e->op == IO_ACCEPTED && e->result >= 0) {
            assert_true(r->handle_count < RIG_HANDLES);
            r->handles[r->handle_count++] = e->result;
        } else if (e->op == IO_ACCEPTED) {
            r->accept_errors++;
            r->accept_error = e->result;
        }
        if (e->op != IO_RECEIVED && e->op != IO_WRITABLE) continue;
        if (e->generation != s->generation) s->foreign++;
        if (e->op == IO_WRITABLE) {
            s->writables++;
        } else if (e->result <= 0) {
            s->ends++;
            s->last_result = e->result;
        } else {
            s->received += (uint64_t)e->result;
            s->sum = rig_sum(s->sum, e->bytes, (size_t)e->result);
            memset(e->bytes, 0xAA, (size_t)e->result); /* the worker may write there */
            if (r->hold)
                r->held[r->held_count++] = e->buffer;
            else
                r->io->ops->buffer_done(r->io, e->buffer);
        }
    }
    return count;
}

#define RIG_UNTIL(r, condition)                                                                              \
    do {                                                                                                     \
        uint64_t until_ns_ = clock_mono_ns() + RIG_PATIENCE * NS_PER_SECOND;                                 \
        while (!(condition)) {                                                                               \
            if (clock_mono_ns() > until_ns_) fail_msg("never met: %s", #condition);                          \
            rig_turn((r), 10 * NS_PER_MS);                                                                   \
        }                                                                                                    \
    } while (0)

static inline void rig_release(struct rig *r)
{
    while (r->held_count > 0) r->io->ops->buffer_done(r->io, r->held[--r->held_count]);
}

static inline int rig_listen_fd(struct rig *r)
{
    struct fault fault = {0};
    struct listen_options options = {.address = "127.0.0.1:0",
                                     .no_delay = true,
                                     .notsent_lowat = 16384,
                                     .congestion = "reno",
                                     .backlog = 512};
    int fd = listen_open(&options, &fault);
    if (fd < 0) fail_msg("%s", fault.text);
    socklen_t size = sizeof r->address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&r->address, &size), 0);
    return fd;
}

static inline struct rig *rig_open_with(rig_opener opener, uint32_t buffers)
{
    struct rig *r = calloc(1, sizeof *r);
    struct fault fault = {0};
    r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->listen_fd = rig_listen_fd(r);
    struct io_options options = {.slots = RIG_SLOTS,
                                 .buffers = buffers,
                                 .buffer_bytes = RIG_BYTES,
                                 .sends_max = RIG_SLOTS,
                                 .wake_fd = r->wake_fd};
    r->io = opener(&options, &fault);
    if (!r->io) fail_msg("%s", fault.text);
    assert_int_equal(r->io->ops->listen(r->io, r->listen_fd, 3, &fault), 0);
    return r;
}

static inline struct rig *rig_open(rig_opener opener)
{
    return rig_open_with(opener, RIG_BUFFERS);
}

static inline void rig_close(struct rig *r)
{
    for (uint32_t i = 0; i < r->handle_count; i++) close(r->handles[i]);
    r->io->ops->close(r->io);
    close(r->listen_fd);
    close(r->wake_fd);
    free(r);
}

static inline int rig_connect(struct rig *r)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&r->address, sizeof r->address) != 0) {
        assert_int_equal(errno, EINTR); /* by a test's own signals: it goes on by itself */
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        while (poll(&p, 1, RIG_PATIENCE * 1000) < 0) assert_int_equal(errno, EINTR);
        int error = -1;
        socklen_t size = sizeof error;
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        assert_int_equal(error, 0);
        assert_int_equal(p.revents & POLLOUT, POLLOUT);
    }
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* A client whose connection stands in (slot, generation). */
static inline int rig_client(struct rig *r, uint32_t slot, uint32_t generation)
{
    int fd = rig_connect(r);
    uint32_t before = r->handle_count;
    RIG_UNTIL(r, r->handle_count > before);
    int handle = r->handles[--r->handle_count];
    r->slots[slot] = (struct rig_slot){.generation = generation, .fd = handle};
    assert_int_equal(r->io->ops->attach(r->io, slot, generation, handle), 0);
    return fd;
}

/* One end attached, the other returned: many of them need no handshake. */
static inline int rig_pair(struct rig *r, uint32_t slot, uint32_t generation)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    if (r->pair_sndbuf > 0) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &r->pair_sndbuf, sizeof(int));
    r->slots[slot] = (struct rig_slot){.generation = generation, .fd = pair[0]};
    assert_int_equal(r->io->ops->attach(r->io, slot, generation, pair[0]), 0);
    return pair[1];
}

static inline void rig_write(int fd, const void *bytes, size_t size)
{
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Reads what comes until `size` bytes, the end (*end = 1) or an error (*end = -errno); never longer than
 * patience. */
static inline size_t rig_read(int fd, uint8_t *out, size_t size, int *end)
{
    size_t have = 0;
    *end = 0;
    while (have < size) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, RIG_PATIENCE * 1000) <= 0) fail_msg("the peer got %zu of %zu bytes", have, size);
        ssize_t got = recv(fd, out + have, size - have, 0);
        if (got < 0 && errno == EAGAIN) continue;
        if (got <= 0) {
            *end = got == 0 ? 1 : -errno;
            break;
        }
        have += (size_t)got;
    }
    return have;
}

/* One send alone; returns what the socket took, error in *error. */
static inline uint32_t rig_send(struct rig *r, uint32_t slot, const void *bytes, uint32_t size,
                                int32_t *error)
{
    struct io_sent failed[RIG_SLOTS];
    *error = 0;
    r->io->ops->send_add(r->io, slot, bytes, size);
    uint32_t count = r->io->ops->send_flush(r->io, failed);
    if (count == 0) return size;
    assert_int_equal(count, 1);
    assert_int_equal(failed[0].slot, slot);
    *error = failed[0].error;
    return failed[0].taken;
}

/* Fills the socket: the bytes it took until it took none. */
static inline size_t rig_fill(struct rig *r, uint32_t slot, uint8_t *pattern, uint32_t size)
{
    size_t total = 0;
    for (int i = 0; i < 100000; i++) {
        int32_t error;
        uint32_t taken = rig_send(r, slot, pattern + total % size, size - (uint32_t)(total % size), &error);
        assert_int_equal(error, 0);
        if (taken == 0) return total;
        total += taken;
    }
    fail_msg("the socket is never full");
    return 0;
}

/* As rig_fill, until also what the kernel moves on to the peer by itself makes no room any more. */
static inline size_t rig_fill_for_good(struct rig *r, uint32_t slot, uint8_t *pattern, uint32_t size)
{
    size_t total = rig_fill(r, slot, pattern, size);
    struct pollfd p = {.fd = r->slots[slot].fd, .events = POLLOUT};
    while (poll(&p, 1, 100) > 0) {
        int32_t error;
        total += rig_send(r, slot, pattern + total % size, size - (uint32_t)(total % size), &error);
        assert_int_equal(error, 0);
    }
    return total;
}

static inline uint8_t *rig_pattern(uint32_t size)
{
    uint8_t *bytes = malloc(size);
    for (uint32_t i = 0; i < size; i++) bytes[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
    return bytes;
}

static inline void rig_check_pattern(const uint8_t *got, size_t size, const uint8_t *pattern,
                                     uint32_t pattern_size)
{
    for (size_t i = 0; i < size; i++)
        if (got[i] != pattern[i % pattern_size]) fail_msg("byte %zu of %zu is wrong", i, size);
}

static inline void rig_raise_files(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- The same tests over both. ---- */

static inline int rig_setup_uring(void **state)
{
    *state = rig_open(io_uring_open);
    return 0;
}
static inline int rig_setup_epoll(void **state)
{
    *state = rig_open(io_epoll_open);
    return 0;
}
static inline int rig_teardown(void **state)
{
    rig_close(*state);
    return 0;
}

#define RIG_URING_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_uring, rig_teardown),
#define RIG_EPOLL_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_epoll, rig_teardown),

/* BOTH(X): X(name) for each test. */
#define RIG_MAIN(BOTH)                                                                                       \
    int main(void)                                                                                           \
    {                                                                                                        \
        const struct CMUnitTest uring[] = {BOTH(RIG_URING_TEST)}, epoll[] = {BOTH(RIG_EPOLL_TEST)};          \
        struct io_probe probe;                                                                               \
        rig_raise_files();                                                                                   \
        io_probe(&probe);                                                                                    \
        int failed = cmocka_run_group_tests_name("epoll", epoll, NULL, NULL);                                \
        if (probe.uring) return failed + cmocka_run_group_tests_name("io_uring", uring, NULL, NULL);         \
        printf("io_uring is not tested here: %s\n", probe.missing);                                          \
        return failed;                                                                                       \
    }

#endif
