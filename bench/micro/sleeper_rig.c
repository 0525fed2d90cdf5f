#include "bench/micro/sleeper_rig.h"

#include "base/affinity.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/sleeper.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sleeper_rig {
    struct sleeper sleeper;
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t given; /* number of the newest piece of work; 0: end */
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t taken; /* by the other thread */
    _Atomic uint64_t seen_ns;                       /* when it saw that */
    _Atomic int tid;
    int stat_fd;       /* its line in /proc */
    int cpu;           /* of the other thread; -1: any */
    cpu_set_t allowed; /* the caller's before */
    bool spins;
    pthread_t thread;
};

static void *wait_for_work(void *context);
static void pin_both(sleeper_rig *r);
static void until_it_waits(const sleeper_rig *r);

sleeper_rig *sleeper_rig_make(bool spins)
{
    sleeper_rig *r = aligned_alloc(TC_CACHE_LINE, sizeof *r);
    char path[64];
    TC_ASSERT(r);
    memset(r, 0, sizeof *r);
    r->spins = spins;
    atomic_init(&r->given, 1);
    atomic_init(&r->taken, 1);
    TC_ASSERT(sleeper_open(&r->sleeper) == 0);
    pin_both(r);
    TC_ASSERT(pthread_create(&r->thread, NULL, wait_for_work, r) == 0);
    while (atomic_load(&r->tid) == 0) sched_yield();
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", atomic_load(&r->tid));
    r->stat_fd = open(path, O_RDONLY | O_CLOEXEC);
    TC_ASSERT(r->stat_fd >= 0);
    return r;
}

void sleeper_rig_free(sleeper_rig *r)
{
    atomic_store(&r->given, 0);
    sleeper_wake(&r->sleeper);
    pthread_join(r->thread, NULL);
    sched_setaffinity(0, sizeof r->allowed, &r->allowed);
    close(r->stat_fd);
    sleeper_close(&r->sleeper);
    free(r);
}

static void pin_both(sleeper_rig *r)
{
    int found[2], count = 0;
    r->cpu = -1;
    TC_ASSERT(sched_getaffinity(0, sizeof r->allowed, &r->allowed) == 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && count < 2; cpu++)
        if (CPU_ISSET(cpu, &r->allowed)) found[count++] = (int)cpu;
    if (count == 2 && affinity_pin(found[0]) == 0) r->cpu = found[1];
}

/* Thread: the other one. */
static void *wait_for_work(void *context)
{
    sleeper_rig *r = context;
    if (r->cpu >= 0) TC_ASSERT(affinity_pin(r->cpu) == 0);
    atomic_store(&r->tid, (int)syscall(SYS_gettid));
    for (uint64_t last = 1;;) {
        if (!r->spins) sleeper_prepare(&r->sleeper);
        uint64_t given = atomic_load_explicit(&r->given, memory_order_seq_cst);
        if (given == last) {
            if (!r->spins) sleeper_wait(&r->sleeper, NS_PER_SECOND);
            continue;
        }
        atomic_store_explicit(&r->seen_ns, clock_mono_ns(), memory_order_relaxed);
        sleeper_cancel(&r->sleeper);
        if (given == 0) return NULL;
        last = given;
        atomic_store_explicit(&r->taken, given, memory_order_release);
    }
}

sleeper_times sleeper_rig_wake(sleeper_rig *r, uint64_t rest_ns)
{
    until_it_waits(r);
    uint64_t next = atomic_load_explicit(&r->given, memory_order_relaxed) + 1;
    uint64_t waits = clock_mono_ns(), begin = waits;
    while (begin - waits < rest_ns) begin = clock_mono_ns();
    atomic_exchange_explicit(&r->given, next, memory_order_seq_cst);
    sleeper_wake(&r->sleeper);
    uint64_t end = clock_mono_ns();
    while (atomic_load_explicit(&r->taken, memory_order_acquire) != next)
        if (r->cpu < 0) sched_yield();
    uint64_t seen = atomic_load_explicit(&r->seen_ns, memory_order_relaxed);
    return (sleeper_times){end - begin, seen - begin};
}

static void until_it_waits(const sleeper_rig *r)
{
    for (; !r->spins; sched_yield()) {
        char line[256] = "";
        if (!atomic_load_explicit(&r->sleeper.asleep, memory_order_relaxed)) continue;
        TC_ASSERT(pread(r->stat_fd, line, sizeof line - 1, 0) > 0);
        const char *name_end = strrchr(line, ')');
        if (name_end && name_end[1] && name_end[2] == 'S') return;
    }
}

void sleeper_rig_ask(sleeper_rig *r)
{
    sleeper_wake(&r->sleeper);
}

void sleeper_rig_write(sleeper_rig *r)
{
    uint64_t one = 1;
    TC_ASSERT(write(r->sleeper.event_fd, &one, sizeof one) == sizeof one);
}
