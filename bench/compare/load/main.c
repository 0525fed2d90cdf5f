/* bench/compare/load/main.c -- the run: connect, wait for ticks, measure, one JSON line. See load.h. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES    (256 * 1024)
#define READY_SECONDS 30
#define RCVBUF_STUCK  4096 /* so that a stuck reader's own kernel hides little */

struct load {
    struct options o;
    struct flow flow;
    struct subscriber *subscribers;
    struct measured m;
    int epoll;
    uint32_t open, ticking, over;
    bool measuring;
    char *buffer; /* CARRY_MAX + READ_BYTES */
};

static void read_options(struct options *o, int argc, char **argv);
static void add_hello(struct options *o, const char *hex);
static void connect_up_to(struct load *l, int end);
static void shake_hands(struct load *l, struct subscriber *s);
static void say_hello(const struct options *o, int fd);
static void run_until(struct load *l, uint64_t end_ns, const uint32_t *count, uint32_t enough);
static void readable(struct load *l, struct subscriber *s);
static void handshake_bytes(struct load *l, struct subscriber *s, const char *bytes, size_t size);
static void report(const struct load *l, const struct usage u[5], double seconds, double cpu_s);
static double percentile(const struct measured *m, double share);
static double own_cpu_s(void);

int main(int argc, char **argv)
{
    static struct load l;
    read_options(&l.o, argc, argv);
    pin(l.o.cpu);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    l.subscribers = calloc((size_t)l.o.connections, sizeof *l.subscribers);
    l.m.latency = calloc(LATENCY_MOST, sizeof *l.m.latency);
    l.buffer = malloc(CARRY_MAX + READ_BYTES);
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.flow.credit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!l.subscribers || !l.m.latency || !l.buffer || l.epoll < 0 || l.flow.credit_fd < 0) die("no memory");

    /* Before anyone, all connected, begin and end of the measurement, the first ones connected. */
    struct usage u[5];
    u[0] = u[4] = usage_read(&l.o);
    if (l.o.first > 0) {
        connect_up_to(&l, l.o.first);
        run_until(&l, now_mono_ns() + (uint64_t)(l.o.idle * 1e9), NULL, 0);
        u[4] = usage_read(&l.o);
    }
    connect_up_to(&l, l.o.connections);
    run_until(&l, now_mono_ns() + (uint64_t)(l.o.idle * 1e9), NULL, 0);
    u[1] = usage_read(&l.o);

    pthread_t thread;
    struct publisher publisher = {&l.o, &l.flow};
    bool publishing = l.o.publish != PUBLISH_NONE && l.o.duration > 0;
    if (publishing && pthread_create(&thread, NULL, publisher_main, &publisher) != 0) die("no thread");
    uint64_t begin = now_mono_ns();
    double cpu = 0;
    u[2] = u[3] = u[1];
    if (l.o.duration > 0) {
        uint32_t readers = (uint32_t)(l.o.connections - l.o.stuck);
        run_until(&l, now_mono_ns() + READY_SECONDS * UINT64_C(1000000000), &l.ticking, readers);
        if (l.ticking < readers)
            die("%u of %u subscribers got a tick within %d s", l.ticking, readers, READY_SECONDS);
        run_until(&l, now_mono_ns() + (uint64_t)(l.o.warmup * 1e9), NULL, 0);
        u[2] = usage_read(&l.o);
        cpu = own_cpu_s();
        begin = now_mono_ns();
        l.measuring = true;
        run_until(&l, begin + (uint64_t)(l.o.duration * 1e9), NULL, 0);
        l.measuring = false;
        cpu = own_cpu_s() - cpu;
        u[3] = usage_read(&l.o);
    }
    double seconds = (double)(now_mono_ns() - begin) / 1e9;
    atomic_store(&l.flow.stop, true);
    uint64_t one = 1;
    if (publishing && (write(l.flow.credit_fd, &one, sizeof one) < 0 || pthread_join(thread, NULL) != 0))
        die("the publisher did not end");
    report(&l, u, seconds, cpu);
    return 0;
}

static void read_options(struct options *o, int argc, char **argv)
{
    static const char *const ways[] = {"none", "lines", "nats", "mqtt", "http"};
    *o = (struct options){.path = "/",
                          .cpu = -1,
                          .publish_cpu = -1,
                          .warmup = 1,
                          .burst = 1,
                          .window = 8,
                          .sample = 16,
                          .idle = 0.3};
    int c;
    while ((c = getopt(argc, argv, "p:u:s:h:bn:m:k:c:C:P:w:r:W:d:i:B:x:y:I:")) >= 0) switch (c) {
        case 'p': o->port = (int)strtol(optarg, NULL, 10); break;
        case 'u': o->path = optarg; break;
        case 's': o->subprotocol = optarg; break;
        case 'h': add_hello(o, optarg); break;
        case 'b': o->hello_binary = true; break;
        case 'n': o->connections = (int)strtol(optarg, NULL, 10); break;
        case 'm': o->first = (int)strtol(optarg, NULL, 10); break;
        case 'k': o->stuck = (int)strtol(optarg, NULL, 10); break;
        case 'c': o->cpu = (int)strtol(optarg, NULL, 10); break;
        case 'C': o->publish_cpu = (int)strtol(optarg, NULL, 10); break;
        case 'P': o->publish_port = (int)strtol(optarg, NULL, 10); break;
        case 'w':
            for (int i = 0; i < 5; i++)
                if (strcmp(optarg, ways[i]) == 0) o->publish = (enum publish)i;
            break;
        case 'r': o->rate = strtod(optarg, NULL); break;
        case 'W': o->warmup = strtod(optarg, NULL); break;
        case 'd': o->duration = strtod(optarg, NULL); break;
        case 'i': o->idle = strtod(optarg, NULL); break;
        case 'B': o->burst = (int)strtol(optarg, NULL, 10); break;
        case 'x': o->window = (int)strtol(optarg, NULL, 10); break;
        case 'y': o->sample = (int)strtol(optarg, NULL, 10); break;
        case 'I':
            if (o->pid_count == PIDS_MAX) die("at most %d processes", PIDS_MAX);
            o->pids[o->pid_count++] = (int)strtol(optarg, NULL, 10);
            break;
        default: die("an option that is not known; main.c has the list");
        }
    if (o->port <= 0 || o->connections <= 0 || o->stuck < 0 || o->stuck >= o->connections || o->burst < 1 ||
        o->burst > 256 || o->window < 1 || o->sample < 1 || o->first < 0 || o->first >= o->connections)
        die("-p PORT and -n CONNECTIONS are wanted, with -k and -m below them, -B in 1..256");
}

static void add_hello(struct options *o, const char *hex)
{
    if (o->hello_count == HELLOS_MAX || strlen(hex) > 2 * sizeof o->hellos[0].bytes) die("-h: too much");
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) die("-h: not hexadecimal: %s", hex);
        o->hellos[o->hello_count].bytes[i] = (uint8_t)byte;
    }
    o->hellos[o->hello_count++].size = size;
}

/* 64 handshakes are under way at once; the first -k connections are those that will not read. */
static void connect_up_to(struct load *l, int end)
{
    for (int i = (int)l->open; i < end; i++) {
        struct subscriber *s = &l->subscribers[i];
        s->stuck = i < l->o.stuck;
        s->fd = connect_loopback(l->o.port, s->stuck ? RCVBUF_STUCK : 0);
        shake_hands(l, s);
        uint32_t enough = i >= 64 ? (uint32_t)i - 63 : 0;
        if (i + 1 == end) enough = (uint32_t)i + 1;
        run_until(l, now_mono_ns() + READY_SECONDS * UINT64_C(1000000000), &l->open, enough);
        if (l->open < enough) die("%u of %d handshakes were answered", l->open, i + 1);
    }
}

static void shake_hands(struct load *l, struct subscriber *s)
{
    char request[2048];
    int size =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                 l->o.path, l->o.port, l->o.subprotocol ? "Sec-WebSocket-Protocol: " : "",
                 l->o.subprotocol ? l->o.subprotocol : "", l->o.subprotocol ? "\r\n" : "");
    write_all(s->fd, request, (size_t)size);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &e) < 0) die("epoll: %s", strerror(errno));
}

/* What subscribes, each in a frame of its own; the mask is of zeros (RFC 6455 5.3 wants one, not which). */
static void say_hello(const struct options *o, int fd)
{
    for (int i = 0; i < o->hello_count; i++) {
        uint8_t frame[8 + sizeof o->hellos[0].bytes] = {o->hello_binary ? 0x82 : 0x81};
        size_t size = o->hellos[i].size, head = size < 126 ? 6 : 8;
        frame[1] = (uint8_t)(0x80 | (size < 126 ? size : 126));
        if (size >= 126) frame[2] = (uint8_t)(size >> 8), frame[3] = (uint8_t)size;
        memcpy(frame + head, o->hellos[i].bytes, size);
        write_all(fd, frame, head + size);
    }
}

/* Takes what comes until then, or until *count has reached enough (NULL: until then). */
static void run_until(struct load *l, uint64_t end_ns, const uint32_t *count, uint32_t enough)
{
    struct epoll_event events[512];
    for (uint64_t now = now_mono_ns(); now < end_ns && (!count || *count < enough); now = now_mono_ns()) {
        int wait_ms = (int)((end_ns - now) / 1000000);
        int n = epoll_wait(l->epoll, events, 512, wait_ms < 1 ? 1 : wait_ms > 100 ? 100 : wait_ms);
        uint64_t before = l->flow.delivered;
        for (int i = 0; i < n; i++) readable(l, events[i].data.ptr);
        uint64_t one = 1;
        if (l->flow.delivered != before && write(l->flow.credit_fd, &one, sizeof one) < 0 && errno != EAGAIN)
            die("eventfd: %s", strerror(errno));
    }
}

static void readable(struct load *l, struct subscriber *s)
{
    memcpy(l->buffer, s->carry, s->carry_size);
    ssize_t n = recv(s->fd, l->buffer + s->carry_size, READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
        s->over = true;
        l->over++;
        if (!s->open) die("the server closed a connection during its handshake");
        return;
    }
    if (!s->open) {
        handshake_bytes(l, s, l->buffer, s->carry_size + (size_t)n);
        return;
    }
    if (l->measuring) l->m.bytes += (uint64_t)n, l->m.reads++;
    bool first = s->seq_first == 0;
    uint64_t before = first ? 0 : s->ticks;
    stream_take(s, &l->m, &l->o, l->buffer, s->carry_size + (size_t)n, l->measuring);
    if (first && s->seq_first > 0) l->ticking++;
    atomic_fetch_add_explicit(&l->flow.delivered, s->ticks - before, memory_order_release);
}

static void handshake_bytes(struct load *l, struct subscriber *s, const char *bytes, size_t size)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end && size <= CARRY_MAX) {
        memcpy(s->carry, bytes, size);
        s->carry_size = (uint32_t)size;
        return;
    }
    if (!end || memcmp(bytes, "HTTP/1.1 101", 12) != 0) die("no WebSocket: %.60s", bytes);
    s->open = true;
    s->carry_size = s->from = 0;
    l->open++;
    say_hello(&l->o, s->fd);
    if (s->stuck)
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
    else
        stream_take(s, &l->m, &l->o, end + 4, size - (size_t)(end + 4 - bytes), false);
    if (s->seq_first > 0) l->ticking++;
    l->flow.delivered += s->ticks;
}

static void report(const struct load *l, const struct usage u[5], double seconds, double cpu_s)
{
    uint64_t lost = 0, uneven = 0, holes;
    for (int i = 0; i < l->o.connections; i++) {
        const struct subscriber *s = &l->subscribers[i];
        if (s->stuck || s->seq_first == 0) continue;
        holes = s->seq_last - s->seq_first + 1 - s->ticks;
        if (s->seq_last - s->seq_first + 1 < s->ticks)
            uneven++; /* more than there were: a duplicate */
        else
            lost += holes;
    }
    printf("{\"connections\":%d,\"stuck\":%d,\"seconds\":%.4f,\"ticks\":%llu,\"bytes\":%llu,\"reads\":%llu",
           l->o.connections, l->o.stuck, seconds, (unsigned long long)l->m.ticks,
           (unsigned long long)l->m.bytes, (unsigned long long)l->m.reads);
    printf(",\"lost\":%llu,\"duplicated\":%llu,\"closed\":%u,\"published\":%llu,\"stalls\":%llu",
           (unsigned long long)lost, (unsigned long long)uneven, l->over,
           (unsigned long long)l->flow.published, (unsigned long long)l->flow.stalls);
    printf(
        ",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,\"samples\":%llu,\"untimed\":%llu",
        percentile(&l->m, 0.5), percentile(&l->m, 0.99), percentile(&l->m, 0.999),
        (double)l->m.latency_max_ns / 1e6, (unsigned long long)l->m.latency_count,
        (unsigned long long)l->m.latency_bad);
    printf(",\"server_user_s\":%.3f,\"server_system_s\":%.3f,\"client_cpu\":%.3f", u[3].user_s - u[2].user_s,
           u[3].system_s - u[2].system_s, cpu_s / seconds);
    printf(",\"first\":%d,\"rss_first\":%llu", l->o.first, (unsigned long long)u[4].rss);
    printf(",\"rss_start\":%llu,\"rss_connected\":%llu,\"rss_begin\":%llu,\"rss_end\":%llu}\n",
           (unsigned long long)u[0].rss, (unsigned long long)u[1].rss, (unsigned long long)u[2].rss,
           (unsigned long long)u[3].rss);
}

static double percentile(const struct measured *m, double share)
{
    uint64_t wanted = (uint64_t)((double)m->latency_count * share), seen = 0;
    for (uint64_t i = 0; i < LATENCY_MOST; i++) {
        seen += m->latency[i];
        if (seen > wanted) return ((double)i + 0.5) * LATENCY_STEP / 1e6;
    }
    return 0;
}

static double own_cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
