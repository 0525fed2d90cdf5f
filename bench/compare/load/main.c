/* bench/compare/load/main.c -- the run: connect, wait for ticks, measure, one JSON line. See load.h. */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct cpu {
    double own_s, publisher_s;
};

static void report(const struct load *l, const struct usage u[5], double seconds, struct cpu cpu);
static double percentile(const struct measured *m, double share);
static struct cpu cpu_read(const pthread_t *publisher);
static double thread_cpu_s(pthread_t thread);

int main(int argc, char **argv)
{
    static struct load l;
    options_read(&l.o, argc, argv);
    pin(l.o.cpu);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    l.subscribers = calloc((size_t)l.o.connections, sizeof *l.subscribers);
    l.m.latency = calloc(LATENCY_MOST, sizeof *l.m.latency);
    l.buffer = malloc(CARRY_MAX + READ_BYTES + FIND_PAD);
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    atomic_store(&l.flow.wanted, UINT64_MAX);
    l.flow.credit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!l.subscribers || !l.m.latency || !l.buffer || l.epoll < 0 || l.flow.credit_fd < 0) die("no memory");

    /* Before anyone, all connected, begin and end of the measurement, the first ones connected. */
    struct usage u[5];
    u[0] = u[4] = usage_read(&l.o);
    if (l.o.first > 0) {
        connect_up_to(&l, l.o.first);
        read_until(&l, now_mono_ns() + (uint64_t)(l.o.idle * 1e9), NULL, 0);
        u[4] = usage_read(&l.o);
    }
    connect_up_to(&l, l.o.connections);
    read_until(&l, now_mono_ns() + (uint64_t)(l.o.idle * 1e9), NULL, 0);
    u[1] = usage_read(&l.o);

    pthread_t thread;
    struct publisher publisher = {&l.o, &l.flow};
    bool publishing = l.o.publish != PUBLISH_NONE && l.o.duration > 0;
    if (publishing && pthread_create(&thread, NULL, publisher_main, &publisher) != 0) die("no thread");
    uint64_t begin = now_mono_ns();
    struct cpu cpu = {0};
    u[2] = u[3] = u[1];
    if (l.o.duration > 0) {
        uint32_t readers = (uint32_t)(l.o.connections - l.o.stuck);
        read_until(&l, now_mono_ns() + READY_SECONDS * UINT64_C(1000000000), &l.ticking, readers);
        if (l.ticking < readers)
            die("%u of %u subscribers got a tick within %d s", l.ticking, readers, READY_SECONDS);
        read_until(&l, now_mono_ns() + (uint64_t)(l.o.warmup * 1e9), NULL, 0);
        u[2] = usage_read(&l.o);
        struct cpu before = cpu_read(publishing ? &thread : NULL);
        begin = now_mono_ns();
        l.measuring = true;
        read_until(&l, begin + (uint64_t)(l.o.duration * 1e9), NULL, 0);
        l.measuring = false;
        cpu = cpu_read(publishing ? &thread : NULL);
        cpu = (struct cpu){cpu.own_s - before.own_s, cpu.publisher_s - before.publisher_s};
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

static void report(const struct load *l, const struct usage u[5], double seconds, struct cpu cpu)
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
    printf(",\"server_user_s\":%.3f,\"server_system_s\":%.3f,\"client_cpu\":%.3f,\"publisher_cpu\":%.3f",
           u[3].user_s - u[2].user_s, u[3].system_s - u[2].system_s, cpu.own_s / seconds,
           cpu.publisher_s / seconds);
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

/* NULL: nobody publishes. What the publisher takes, of the same processor, the server cannot have. */
static struct cpu cpu_read(const pthread_t *publisher)
{
    return (struct cpu){thread_cpu_s(pthread_self()), publisher ? thread_cpu_s(*publisher) : 0};
}

static double thread_cpu_s(pthread_t thread)
{
    clockid_t clock;
    struct timespec t = {0};
    if (pthread_getcpuclockid(thread, &clock) == 0) clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
