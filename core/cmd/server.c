/* cmd/server.c -- starts the parts in the order of a tick's way, waits for the end, stops them in the
 * opposite order. */
#include "cmd/server.h"

#include "admin/admin.h"
#include "base/affinity.h"
#include "base/aligned.h"
#include "base/assert.h"
#include "base/diag.h"
#include "io/io.h"
#include "io/listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096

struct running {
    const struct server_run *o;
    const struct settings *s;
    struct server server;
    struct feed_thread *feeds;
    struct io_options io;
    bool uring;
    int listen_fds[WORKERS_MAX][SETTING_LIST_MAX];
    uint32_t listen_count;
    char listen_names[SETTING_LIST_MAX][128];
    uint32_t cpus[AFFINITY_CPUS_MAX];
    uint32_t cpu_count;
    struct figures figures;
    struct admin *admin;
    int admin_fd;
    char admin_name[128]; /* "": none */
    char admin_token[ADMIN_TOKEN_MOST + 1];
};

static int start(struct running *r, struct fault *f);
static int choose_io(struct running *r, struct fault *f);
static void raise_descriptors(struct running *r);
static int plan_memory(const struct running *r, struct fault *f);
static int open_listeners(struct running *r, struct fault *f);
static int open_admin(struct running *r, struct fault *f);
static int listen_admin(struct running *r, const char *address, struct fault *f);
static uint32_t first_port(const struct running *r);
static int start_workers(struct running *r, struct fault *f);
static int start_feeds(struct running *r, struct fault *f);
static struct io *io_open(void *context, int wake_fd, struct fault *f);
static void announce(const struct running *r);
static int wait_for_end(struct running *r);
static void drain(struct running *r, const sigset_t *signals);
static void stop(struct running *r);

int server_run(const struct server_run *o)
{
    /* Blocked before any thread starts, so that only main takes them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    struct running *r = aligned_zeroed(sizeof *r);
    TC_ASSERT(r != NULL);
    r->o = o;
    r->admin_fd = -1;
    r->s = o->settings;
    struct fault f = {.code = TC_OK};
    int status = 1;
    if (start(r, &f) < 0) {
        fprintf(stderr, "tickcast: %s\n", f.text);
        if (f.code == TC_EUSAGE) status = 2;
    } else {
        status = wait_for_end(r);
    }
    stop(r);
    free(r);
    return status;
}

static int start(struct running *r, struct fault *f)
{
    const struct settings *s = r->s;
    raise_descriptors(r);
    if (s->cpus) {
        int count = affinity_parse_list(s->cpus, r->cpus, AFFINITY_CPUS_MAX, f);
        if (count < 0) return count;
        r->cpu_count = (uint32_t)count;
    }
    int result = choose_io(r, f);
    if (result < 0) return result;
    struct log_options lo = {.capacity = (uint32_t)s->log_capacity,
                             .symbols_max = (uint32_t)s->symbols_max,
                             .bars_max = (uint32_t)s->symbols_max * 4,
                             .small_pages = !s->huge_pages,
                             .stamp_ns = clock_real_ns};
    r->server = (struct server){.settings = s, .version = TC_VERSION, .started_real_ns = clock_real_ns()};
    r->server.log = log_create(&lo, f);
    if (!r->server.log) return f->code;
    if ((result = plan_memory(r, f)) < 0) return result;
    if ((result = open_listeners(r, f)) < 0) return result;
    if ((result = open_admin(r, f)) < 0) return result;
    if ((result = start_workers(r, f)) < 0) return result;
    if (r->admin && (result = admin_start(r->admin, f)) < 0) return result;
    if ((result = start_feeds(r, f)) < 0) return result;
    announce(r);
    feed_thread_go(r->feeds);
    return 0;
}

/* Probes, takes what the setting asks for, and says why. */
static int choose_io(struct running *r, struct fault *f)
{
    struct io_probe probe;
    io_probe(&probe);
    bool want_epoll = strcmp(r->s->io, "epoll") == 0, want_uring = strcmp(r->s->io, "uring") == 0;
    if (want_uring && !probe.uring) return fault_set(f, TC_EABSENT, "--io uring: %s", probe.missing);
    r->uring = probe.uring && !want_epoll;
    diag(DIAG_INFO, "io", D_TEXT("backend", r->uring ? "io_uring" : "epoll"),
         D_TEXT("why", want_epoll ? "asked for"
                       : r->uring ? probe.summary
                                  : probe.missing));
    r->io = worker_io_options(r->s);
    return 0;
}

static struct io *io_open(void *context, int wake_fd, struct fault *f)
{
    const struct running *r = context;
    struct io_options o = r->io;
    o.wake_fd = wake_fd;
    if (!r->uring) return io_epoll_open(&o, f);
    struct io *io = io_uring_open(&o, f);
    if (io || strcmp(r->s->io, "auto") != 0) return io;
    /* The probe's small ring could be made, this one not (RLIMIT_MEMLOCK, for one). */
    diag(DIAG_WARN, "io_fallback", D_TEXT("backend", "epoll"), D_TEXT("why", f ? f->text : ""));
    return io_epoll_open(&o, f);
}

/* As many descriptors as the hard limit allows. */
static void raise_descriptors(struct running *r)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0) return;
    l.rlim_cur = l.rlim_max;
    setrlimit(RLIMIT_NOFILE, &l);
    if (l.rlim_cur < admission_files(r->s))
        diag(DIAG_WARN, "few_descriptors", D_NUM("limit", l.rlim_cur),
             D_NUM("max_connections", r->s->connections_max),
             D_TEXT("remedy", "raise the hard limit (ulimit -Hn, LimitNOFILE=); beyond it: 503"));
}

/* Says what may be used at most, before any of it is. */
static int plan_memory(const struct running *r, struct fault *f)
{
    struct memory_budget b;
    memory_budget(r->s, log_bytes(r->server.log), admin_bytes(r->s), &b);
    diag(DIAG_INFO, "memory", D_NUM("most_mib", (b.total + (1u << 20) - 1) >> 20),
         D_NUM("log_mib", b.log >> 20), D_NUM("connections_mib", b.connections >> 20),
         D_NUM("rests_mib", b.rests >> 20), D_NUM("requests_mib", b.requests >> 20),
         D_NUM("inputs_mib", b.inputs >> 20), D_NUM("messages_mib", b.messages >> 20),
         D_NUM("filters_mib", b.filters >> 20), D_NUM("workers_mib", b.workers >> 20),
         D_NUM("admin_mib", b.admin >> 20), D_TEXT("huge_pages", log_huge_pages(r->server.log)));
    return memory_check(r->s, &b, f);
}

/* One socket per worker and address (SO_REUSEPORT): the kernel spreads connections. */
static int open_listeners(struct running *r, struct fault *f)
{
    const struct settings *s = r->s;
    uint32_t workers = (uint32_t)s->workers;
    r->listen_count = s->listen.count;
    r->server.loopback = true;
    for (uint32_t w = 0; w < workers; w++)
        for (uint32_t i = 0; i < r->listen_count; i++) r->listen_fds[w][i] = -1;
    for (uint32_t i = 0; i < r->listen_count; i++) {
        struct listen_options lo = {.address = s->listen.at[i],
                                    .reuse_port = workers > 1,
                                    .no_delay = s->no_delay,
                                    .notsent_lowat = (uint32_t)s->notsent_lowat_bytes,
                                    .sndbuf = (uint32_t)s->sndbuf_bytes,
                                    .user_timeout_ms =
                                        (uint32_t)((s->ping_interval_ns + s->pong_timeout_ns) / NS_PER_MS),
                                    .congestion = s->tcp_congestion,
                                    .backlog = LISTEN_BACKLOG};
        for (uint32_t w = 0; w < workers; w++) {
            int fd = listen_open(&lo, f);
            if (fd < 0) return fd;
            r->listen_fds[w][i] = fd;
            listen_name(fd, r->listen_names[i], sizeof r->listen_names[i]);
            lo.address = r->listen_names[i]; /* port 0: the others take the port that was found */
            r->server.loopback = r->server.loopback && listen_is_loopback(fd);
        }
    }
    return 0;
}

/* Administration (decision 26): the token and the listener. */
static int open_admin(struct running *r, struct fault *f)
{
    const struct settings *s = r->s;
    bool others = false;
    int result =
        s->admin_token ? admin_token_read(s->admin_token, "--admin-token", r->admin_token, &others, f) : 0;
    if (result < 0) return result;
    if (others)
        diag(DIAG_WARN, "token_readable", D_TEXT("file", s->admin_token),
             D_TEXT("remedy", "chmod 600: others than its owner may read it"));
    if (s->admin_token) r->server.admin_token = r->admin_token;
    char path[ADMIN_PATH_MAX + 8];
    if (strcmp(s->admin_listen, "auto") == 0) {
        /* What nobody asked for is no reason not to serve: a read-only system, a folder of another user. */
        result = admin_socket_default(first_port(r), path, sizeof path, f);
        if (result == 0) result = listen_admin(r, path, f);
        if (result < 0) diag(DIAG_WARN, "no_admin_socket", D_TEXT("why", f->text));
    } else if (strcmp(s->admin_listen, "none") != 0) {
        result = listen_admin(r, s->admin_listen, f);
        if (result < 0) return fault_within(f, "--admin-listen");
    }
    if (r->admin_fd < 0 && !s->admin_token) return 0;
    struct admin_options o = {.server = &r->server,
                              .listen_fd = r->admin_fd,
                              .tcp = strncmp(r->admin_name, "unix:", 5) != 0,
                              .loopback = r->admin_fd >= 0 && listen_is_loopback(r->admin_fd)};
    return admin_create(&r->admin, &o, f);
}

static int listen_admin(struct running *r, const char *address, struct fault *f)
{
    struct listen_options lo = {.address = address, .no_delay = true, .backlog = 16, .mode = 0600};
    int fd = listen_open(&lo, f);
    if (fd < 0) return fd;
    r->admin_fd = fd;
    listen_name(fd, r->admin_name, sizeof r->admin_name);
    return 0;
}

/* Names the default socket; of a server on unix sockets alone, its process does. */
static uint32_t first_port(const struct running *r)
{
    for (uint32_t i = 0; i < r->listen_count; i++) {
        const char *colon = strrchr(r->listen_names[i], ':');
        if (strncmp(r->listen_names[i], "unix:", 5) != 0 && colon)
            return (uint32_t)strtoul(colon + 1, NULL, 10);
    }
    return (uint32_t)getpid();
}

static int start_workers(struct running *r, struct fault *f)
{
    const struct settings *s = r->s;
    uint32_t threads = (uint32_t)s->workers + 1;
    uint32_t processors = r->cpu_count ? r->cpu_count : affinity_count();
    /* A spinning worker would take the feed thread's own processor (decision 24). */
    uint64_t spin_ns = processors < threads ? 0 : s->spin_us * NS_PER_US;
    uint32_t first = r->cpu_count >= threads ? 1 : 0;
    for (uint32_t i = 0; i < s->workers; i++) {
        struct worker_options o = {.server = &r->server,
                                   .index = i,
                                   .cpu = r->cpu_count ? (int)r->cpus[(first + i) % r->cpu_count] : -1,
                                   .spin_ns = spin_ns,
                                   .stamp_ns = clock_real_ns,
                                   .io_open = io_open,
                                   .io_context = r,
                                   .listen_fds = r->listen_fds[i],
                                   .listen_count = r->listen_count};
        int result = worker_create(&r->server.workers[i], &o, f);
        if (result < 0) return result;
        r->server.worker_count = i + 1;
    }
    for (uint32_t i = 0; i < s->workers; i++) {
        int result = worker_start(r->server.workers[i], f);
        if (result < 0) return result;
    }
    diag(DIAG_INFO, "workers", D_NUM("count", s->workers), D_NUM("spin_us", spin_ns / NS_PER_US), );
    return 0;
}

/* Thread: the feed thread. */
static void feed_held_back(void *context, uint64_t owed_seq)
{
    struct server *s = context;
    atomic_store(&s->stalled_seq, owed_seq);
    atomic_fetch_add(&s->stalled_looks, 1);
    for (uint32_t i = 0; i < s->worker_count; i++) worker_wake(s->workers[i]);
}

static int start_feeds(struct running *r, struct fault *f)
{
    struct feed_thread_options o = {.log = r->server.log,
                                    .uris = r->o->uris,
                                    .uri_count = r->o->uri_count,
                                    .stall_bound_ns = r->s->stall_bound_ns,
                                    .wait_members = r->o->wait_members,
                                    .cpu = r->cpu_count ? (int)r->cpus[0] : -1,
                                    .stalled = feed_held_back,
                                    .context = &r->server};
    int result = feed_thread_start(&r->feeds, &o, f);
    if (result == 0) atomic_store(&r->server.feed_running, true);
    return result;
}

static void announce(const struct running *r)
{
    for (uint32_t i = 0; i < r->listen_count; i++)
        diag(DIAG_INFO, "listening", D_TEXT("address", r->listen_names[i]));
    if (r->admin_name[0])
        diag(DIAG_INFO, "admin_listening", D_TEXT("address", r->admin_name),
             D_TEXT("token", r->s->admin_token ? "yes" : "no"));
    if (!r->o->terminal) return;
    for (uint32_t i = 0; i < r->listen_count; i++)
        if (strncmp(r->listen_names[i], "unix:", 5) != 0)
            fprintf(stderr, "\n  Open http://%s/\n\n", r->listen_names[i]);
}

/* Sleeps until a signal; once a tick of the clock looks at the feeds and prints figures. */
static int wait_for_end(struct running *r)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    uint64_t every_ns = r->s->stats_off  ? 0
                        : r->s->stats_ns ? r->s->stats_ns
                        : r->o->terminal ? NS_PER_SECOND
                                         : 0;
    uint64_t next_ns = clock_mono_ns() + every_ns;
    int status = 0;
    for (;;) {
        struct timespec poll = {.tv_nsec = 50 * 1000 * 1000};
        int signal = sigtimedwait(&signals, NULL, &poll);
        struct feed_thread_stats stats;
        feed_thread_stats(r->feeds, &stats);
        atomic_store(&r->server.feed_running, stats.running > 0 || !stats.all_done);
        if (every_ns > 0 && clock_mono_ns() >= next_ns) {
            figures_print(&r->figures, &r->server, &stats, r->o->terminal);
            next_ns += every_ns;
        }
        if (signal > 0) {
            diag(DIAG_INFO, "draining", D_TEXT("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
            atomic_store(&r->server.draining, true);
            break;
        }
        if (stats.all_done && stats.failed > 0) status = 1;
        if (stats.all_done && r->o->exit_at_end) {
            if (status != 0) fprintf(stderr, "tickcast: %s\n", stats.fault_text);
            atomic_store(&r->server.ended, true);
            break;
        }
    }
    drain(r, &signals);
    return status;
}

static void drain(struct running *r, const sigset_t *signals)
{
    uint64_t end_ns = clock_mono_ns() + r->s->drain_ns + 2 * r->s->close_timeout_ns + NS_PER_SECOND;
    for (uint32_t i = 0; i < r->server.worker_count; i++) worker_wake(r->server.workers[i]);
    while (clock_mono_ns() < end_ns) {
        bool all = true;
        for (uint32_t i = 0; i < r->server.worker_count; i++)
            all = all && worker_drained(r->server.workers[i]);
        if (all) return;
        struct timespec poll = {.tv_nsec = 5 * 1000 * 1000};
        if (sigtimedwait(signals, NULL, &poll) > 0) return; /* a second signal: at once */
    }
    diag(DIAG_WARN, "drain_timeout");
}

static void stop(struct running *r)
{
    if (r->feeds) feed_thread_stop(r->feeds);
    admin_stop(r->admin);
    for (uint32_t i = 0; i < r->server.worker_count; i++) worker_stop(r->server.workers[i]);
    for (uint32_t i = 0; i < r->server.worker_count; i++) worker_destroy(r->server.workers[i]);
    admin_destroy(r->admin);
    if (r->admin_fd >= 0) close(r->admin_fd);
    if (r->admin_fd >= 0 && strncmp(r->admin_name, "unix:", 5) == 0) unlink(r->admin_name + 5);
    for (uint32_t w = 0; w < r->s->workers; w++)
        for (uint32_t i = 0; i < r->listen_count; i++)
            if (r->listen_fds[w][i] >= 0) close(r->listen_fds[w][i]);
    for (uint32_t i = 0; i < r->listen_count; i++)
        if (strncmp(r->listen_names[i], "unix:", 5) == 0) unlink(r->listen_names[i] + 5);
    log_destroy(r->server.log);
    diag(DIAG_INFO, "stopped");
}
