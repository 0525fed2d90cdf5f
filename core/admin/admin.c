/* admin/admin.c -- the administration thread: a poll loop over its listener, a few connections, and one
 * eventfd. Small on purpose: it may block for a bounded time on one request while the others wait. */
#include "admin/admin.h"

#include "admin/admin_internal.h"

#include "base/aligned.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_NS (10 * NS_PER_SECOND) /* for a request to arrive, for an answer to be read */
#define LINGER_NS   (2 * NS_PER_SECOND)  /* for the peer's end, so that a reset does not destroy the answer */
#define ASK_NS      (2 * NS_PER_SECOND)

static int reserve(struct admin *a, struct fault *fault);
static size_t asks_bytes(const struct settings *s);
static void *run(void *context);
static bool has_news(const struct admin *a);
static void accept_all(struct admin *a);
static void take_handed(struct admin *a);
static struct admin_conn *conn_open(struct admin *a, int fd, bool handed);
static void conn_close(struct admin *a, struct admin_conn *c);
static void conn_event(struct admin *a, struct admin_conn *c);
static void conn_go_on(struct admin *a, struct admin_conn *c);
static bool conn_read(struct admin *a, struct admin_conn *c);
static bool conn_request(struct admin *a, struct admin_conn *c);
static bool conn_write(struct admin *a, struct admin_conn *c);
static void conn_drain(struct admin *a, struct admin_conn *c);
static void answer_done(struct admin *a, struct admin_conn *c);

int admin_create(struct admin **out, const struct admin_options *o, struct fault *fault)
{
    struct admin *a = aligned_zeroed(sizeof *a);
    if (!a) return fault_set(fault, TC_ESYSTEM, "no memory for the administration thread");
    a->options = *o;
    if (o->ask_ns == 0) a->options.ask_ns = ASK_NS;
    a->sleeper.event_fd = -1;
    int r = reserve(a, fault);
    if (r == 0 && sleeper_open(&a->sleeper) < 0)
        r = fault_errno(fault, "no descriptor for the administration thread");
    if (r < 0) {
        admin_destroy(a);
        return r;
    }
    o->server->admin = &a->sleeper;
    *out = a;
    return 0;
}

int admin_start(struct admin *a, struct fault *fault)
{
    int error = pthread_create(&a->thread, NULL, run, a);
    if (error != 0) {
        errno = error;
        return fault_errno(fault, "cannot start the administration thread");
    }
    a->thread_started = true;
    return 0;
}

static int reserve(struct admin *a, struct fault *fault)
{
    a->conns = memory_reserve(ADMIN_CONNS_MAX * sizeof *a->conns);
    a->found.rows = memory_reserve(ADMIN_TOP_MAX * sizeof *a->found.rows);
    a->asks = memory_reserve(asks_bytes(a->options.server->settings));
    bool ok = a->conns && a->found.rows && a->asks;
    for (uint32_t i = 0; i < ADMIN_ANSWERS_MAX; i++) {
        a->answers[i] = memory_reserve(ADMIN_ANSWER_MAX);
        ok = ok && a->answers[i];
    }
    return ok ? 0 : fault_set(fault, TC_ESYSTEM, "no address space for the administration thread");
}

static size_t asks_bytes(const struct settings *s)
{
    return max_u64(s->workers, 1) * (ADMIN_ASKS - 1) * sizeof(struct admin_ask);
}

size_t admin_bytes(const struct settings *s)
{
    return sizeof(struct admin) + ADMIN_CONNS_MAX * sizeof(struct admin_conn) +
           ADMIN_TOP_MAX * sizeof(struct admin_row) + (size_t)ADMIN_ANSWERS_MAX * ADMIN_ANSWER_MAX +
           asks_bytes(s);
}

void admin_stop(struct admin *a)
{
    if (!a || !a->thread_started) return;
    atomic_store(&a->stop, true);
    sleeper_wake(&a->sleeper);
    pthread_join(a->thread, NULL);
    a->thread_started = false;
}

void admin_destroy(struct admin *a)
{
    if (!a) return;
    admin_stop(a);
    memory_release(a->conns, ADMIN_CONNS_MAX * sizeof *a->conns);
    memory_release(a->found.rows, ADMIN_TOP_MAX * sizeof *a->found.rows);
    memory_release(a->asks, asks_bytes(a->options.server->settings));
    for (uint32_t i = 0; i < ADMIN_ANSWERS_MAX; i++) memory_release(a->answers[i], ADMIN_ANSWER_MAX);
    sleeper_close(&a->sleeper);
    free(a);
}

/* ---- The thread. ---- */

static void *run(void *context)
{
    struct admin *a = context;
    sigset_t all;
    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (!atomic_load(&a->stop)) admin_thread_turn(a);
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++)
        if (a->conns[i].state != ADMIN_CONN_FREE) conn_close(a, &a->conns[i]);
    return NULL;
}

void admin_thread_turn(struct admin *a)
{
    struct pollfd p[ADMIN_CONNS_MAX + 2];
    struct admin_conn *conns[ADMIN_CONNS_MAX + 2];
    nfds_t count = 0;
    uint64_t now_ns = clock_mono_ns(), until_ns = now_ns + NS_PER_SECOND;
    p[count++] = (struct pollfd){.fd = a->sleeper.event_fd, .events = POLLIN};
    p[count++] = (struct pollfd){.fd = a->listen_rests ? -1 : a->options.listen_fd, .events = POLLIN};
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++) {
        struct admin_conn *c = &a->conns[i];
        if (c->state == ADMIN_CONN_FREE) continue;
        conns[count] = c;
        p[count++] = (struct pollfd){.fd = c->fd, .events = c->state == ADMIN_CONN_WRITE ? POLLOUT : POLLIN};
        until_ns = min_u64(until_ns, c->deadline_ns);
    }
    sleeper_prepare(&a->sleeper);
    uint64_t wait_ms = until_ns > now_ns ? (until_ns - now_ns) / NS_PER_MS + 1 : 0;
    int ready = poll(p, count, has_news(a) ? 0 : (int)wait_ms);
    sleeper_cancel(&a->sleeper);
    a->listen_rests = false;
    if (ready > 0 && (p[0].revents & POLLIN)) {
        uint64_t wakes;
        ssize_t ignored = read(a->sleeper.event_fd, &wakes, sizeof wakes);
        (void)ignored;
    }
    for (nfds_t i = 2; ready > 0 && i < count; i++)
        if (p[i].revents) conn_event(a, conns[i]);
    take_handed(a);
    if (ready > 0 && p[1].revents) accept_all(a);
    now_ns = clock_mono_ns();
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++)
        if (a->conns[i].state != ADMIN_CONN_FREE && now_ns >= a->conns[i].deadline_ns)
            conn_close(a, &a->conns[i]);
}

/* seq_cst: after sleeper_prepare, before sleeping (decision 24). */
static bool has_news(const struct admin *a)
{
    const struct server *s = a->options.server;
    bool news = atomic_load(&a->stop);
    for (uint32_t i = 0; i < s->worker_count && !news; i++) news = worker_has_handed(s->workers[i]);
    return news;
}

static void accept_all(struct admin *a)
{
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++) {
        int fd = accept4(a->options.listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            conn_open(a, fd, false);
            continue;
        }
        /* Out of descriptors or memory: the next turn looks again, at most a second later. */
        a->listen_rests = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
        return;
    }
}

static void take_handed(struct admin *a)
{
    const struct server *s = a->options.server;
    for (uint32_t i = 0; i < s->worker_count; i++) {
        struct admin_handed *h;
        while ((h = worker_handed(s->workers[i])) != NULL) {
            struct admin_conn *c = conn_open(a, h->fd, true);
            if (c) {
                memcpy(c->in, h->head, h->size);
                c->have = h->size;
            }
            atomic_store_explicit(&h->in_use, false, memory_order_release);
            if (c) conn_go_on(a, c);
        }
    }
}

/* NULL: there are too many, and it was told so. */
static struct admin_conn *conn_open(struct admin *a, int fd, bool handed)
{
    for (uint32_t i = 0; i < ADMIN_CONNS_MAX; i++) {
        struct admin_conn *c = &a->conns[i];
        if (c->state != ADMIN_CONN_FREE) continue;
        c->state = ADMIN_CONN_READ;
        c->fd = fd;
        c->handed = handed;
        c->keep_alive = false;
        c->have = c->scanned = 0;
        c->answer = ADMIN_NO_ANSWER;
        c->deadline_ns = clock_mono_ns() + PATIENCE_NS;
        return c;
    }
    char busy[512];
    int size = admin_answer_busy(busy, sizeof busy);
    TC_ASSERT(size > 0);
    send(fd, busy, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void conn_close(struct admin *a, struct admin_conn *c)
{
    answer_done(a, c);
    close(c->fd);
    c->state = ADMIN_CONN_FREE;
}

static void conn_event(struct admin *a, struct admin_conn *c)
{
    if (c->state == ADMIN_CONN_DRAIN)
        conn_drain(a, c);
    else if (c->state == ADMIN_CONN_WRITE || conn_read(a, c))
        conn_go_on(a, c);
}

/* Requests and answers, as far as bytes in hand and the socket allow. */
static void conn_go_on(struct admin *a, struct admin_conn *c)
{
    for (;;) {
        if (c->state == ADMIN_CONN_READ && (c->have == 0 || !conn_request(a, c))) return;
        if (c->state != ADMIN_CONN_WRITE || !conn_write(a, c)) return;
    }
}

/* False: nothing came, or it is closed. */
static bool conn_read(struct admin *a, struct admin_conn *c)
{
    TC_ASSERT(c->have < sizeof c->in);
    ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - c->have, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
        conn_close(a, c);
        return false;
    }
    c->have += (uint32_t)n;
    return true;
}

/* True: an answer was begun. */
static bool conn_request(struct admin *a, struct admin_conn *c)
{
    struct http_request r;
    int result = http_parse(c->in, c->have, &c->scanned, &r);
    if (result == 0 && c->have < sizeof c->in) return false;
    c->deadline_ns = clock_mono_ns() + PATIENCE_NS;
    c->scanned = 0;
    if (result > 0) {
        admin_answer(a, c, &r);
        c->have -= r.head_bytes;
        memmove(c->in, c->in + r.head_bytes, c->have); /* the next request, where the peer does not wait */
        return true;
    }
    memset(&r, 0, sizeof r);
    r.version_minor = 1;
    c->keep_alive = false;
    admin_answer_error(c, &r, result < 0 ? -result : 431, "the request is not one this server can read");
    return true;
}

/* True: the answer is out, and another request may follow. */
static bool conn_write(struct admin *a, struct admin_conn *c)
{
    ssize_t n = send(c->fd, c->out, c->out_left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n < 0) {
        conn_close(a, c);
        return false;
    }
    c->out += n;
    c->out_left -= (size_t)n;
    if (c->out_left > 0) return false;
    answer_done(a, c);
    if (c->keep_alive) {
        c->state = ADMIN_CONN_READ;
        c->deadline_ns = clock_mono_ns() + a->options.server->settings->keepalive_timeout_ns;
        return true;
    }
    shutdown(c->fd, SHUT_WR);
    c->state = ADMIN_CONN_DRAIN;
    c->deadline_ns = clock_mono_ns() + LINGER_NS;
    return false;
}

static void conn_drain(struct admin *a, struct admin_conn *c)
{
    ssize_t n = recv(c->fd, c->in, sizeof c->in, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) conn_close(a, c);
}

/* The memory of a long answer goes back to the kernel: it is needed rarely. */
static void answer_done(struct admin *a, struct admin_conn *c)
{
    if (c->answer == ADMIN_NO_ANSWER) return;
    madvise(a->answers[c->answer], ADMIN_ANSWER_MAX, MADV_DONTNEED);
    a->answer_used[c->answer] = false;
    c->answer = ADMIN_NO_ANSWER;
}
