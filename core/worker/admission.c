#include "worker/admission.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/memory.h"

#include <string.h>
#include <sys/resource.h>

#define DESCRIPTORS_OWN        64u /* log, feeds, terminal, files */
#define DESCRIPTORS_PER_WORKER 4u  /* ring or epoll, eventfd, and two more */

static void bound_by_files(struct admission *a, const struct settings *s);
static bool rate_take(struct admission *a, uint64_t now_ns);
static enum limit address_take(struct admission *a, const char *peer, uint32_t *address);
static uint32_t *bucket_of(struct admission *a, const char *text);
static uint32_t entry_make(struct admission *a, uint32_t *bucket, const char *text);
static void address_give(struct admission *a, uint32_t address);
static uint32_t bucket_count(const struct settings *s);

uint32_t admission_unupgraded_max(uint32_t connections_max)
{
    return connections_max / 4 + 1;
}

int admission_open(struct admission *a, const struct settings *s)
{
    if (a->users++ > 0) return TC_OK;
    a->connections_max = (uint32_t)s->connections_max;
    a->per_address_max = (uint32_t)s->connections_per_ip_max;
    a->per_second_max = s->handshakes_per_second_max;
    bound_by_files(a, s);
    a->unupgraded_max = admission_unupgraded_max(a->connections_max);
    pthread_mutex_init(&a->lock, NULL);
    if (a->per_address_max == 0) return TC_OK;
    a->buckets_mask = bucket_count(s) - 1;
    a->buckets = memory_reserve(bucket_count(s) * sizeof *a->buckets);
    a->entries = memory_reserve(a->connections_max * sizeof *a->entries);
    return a->buckets && a->entries ? TC_OK : TC_ESYSTEM;
}

/* A connection that the kernel has no descriptor for would wait in the backlog without an answer: so many are
 * taken as there are descriptors for, and the others are told. */
static void bound_by_files(struct admission *a, const struct settings *s)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == RLIM_INFINITY) return;
    uint64_t own = admission_files(s) - s->connections_max;
    uint64_t left = l.rlim_cur > own ? l.rlim_cur - own : 1;
    if (left >= a->connections_max) return;
    a->connections_max = (uint32_t)left;
    a->files_bound = true;
}

uint64_t admission_files(const struct settings *s)
{
    return s->connections_max + DESCRIPTORS_OWN +
           s->workers * (DESCRIPTORS_PER_WORKER + (uint64_t)s->listen.count);
}

void admission_close(struct admission *a)
{
    if (a->users == 0 || --a->users > 0) return;
    memory_release(a->buckets, (a->buckets_mask + 1) * sizeof *a->buckets);
    memory_release(a->entries, a->connections_max * sizeof *a->entries);
    pthread_mutex_destroy(&a->lock);
    a->buckets = NULL;
    a->entries = NULL;
}

static uint32_t bucket_count(const struct settings *s)
{
    uint32_t n = 16;
    while (n < s->connections_max) n *= 2;
    return n;
}

size_t admission_bytes(const struct settings *s)
{
    if (s->connections_per_ip_max == 0) return 0;
    return bucket_count(s) * sizeof(uint32_t) + s->connections_max * sizeof(struct address_entry);
}

enum limit admission_take(struct admission *a, const char *peer, uint64_t now_ns, uint32_t *address)
{
    *address = ADDRESS_NONE;
    enum limit met = LIMIT_COUNT;
    if (atomic_fetch_add_explicit(&a->connections, 1, memory_order_relaxed) >= a->connections_max)
        met = a->files_bound ? LIMIT_DESCRIPTORS : LIMIT_CONNECTIONS;
    if (atomic_fetch_add_explicit(&a->unupgraded, 1, memory_order_relaxed) >= a->unupgraded_max &&
        met == LIMIT_COUNT)
        met = LIMIT_UNUPGRADED;
    if (met == LIMIT_COUNT && !rate_take(a, now_ns)) met = LIMIT_HANDSHAKES;
    if (met == LIMIT_COUNT && a->per_address_max > 0 && peer) met = address_take(a, peer, address);
    if (met != LIMIT_COUNT) admission_give(a, false, ADDRESS_NONE);
    return met;
}

static bool rate_take(struct admission *a, uint64_t now_ns)
{
    if (a->per_second_max == 0) return true;
    uint64_t second = (now_ns / NS_PER_SECOND) << 32;
    uint64_t seen = atomic_load_explicit(&a->second, memory_order_relaxed), next;
    do {
        /* Workers' clocks differ by a turn: a second that has begun is not begun again. */
        next = seen < second ? second + 1 : seen + 1;
        if ((next & UINT32_MAX) > a->per_second_max) return false;
    } while (!atomic_compare_exchange_weak_explicit(&a->second, &seen, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void admission_upgraded(struct admission *a)
{
    atomic_fetch_sub_explicit(&a->unupgraded, 1, memory_order_relaxed);
}

void admission_give(struct admission *a, bool upgraded, uint32_t address)
{
    if (address != ADDRESS_NONE) address_give(a, address); /* first: no more entries than connections */
    if (!upgraded) atomic_fetch_sub_explicit(&a->unupgraded, 1, memory_order_relaxed);
    uint32_t before = atomic_fetch_sub_explicit(&a->connections, 1, memory_order_relaxed);
    TC_ASSERT(before > 0);
}

/* ---- Addresses: a chained hash over entries that keep their index. ---- */

static enum limit address_take(struct admission *a, const char *peer, uint32_t *address)
{
    enum limit met = LIMIT_COUNT;
    pthread_mutex_lock(&a->lock);
    uint32_t *bucket = bucket_of(a, peer), at = *bucket;
    while (at != 0 && strcmp(a->entries[at - 1].text, peer) != 0) at = a->entries[at - 1].next;
    uint32_t index = at != 0 ? at - 1 : entry_make(a, bucket, peer);
    if (a->entries[index].count >= a->per_address_max) {
        met = LIMIT_ADDRESS;
    } else {
        a->entries[index].count++;
        *address = index;
    }
    pthread_mutex_unlock(&a->lock);
    return met;
}

static uint32_t *bucket_of(struct admission *a, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *p = text; *p; p++) hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
    return &a->buckets[(hash ^ hash >> 32) & a->buckets_mask];
}

static uint32_t entry_make(struct admission *a, uint32_t *bucket, const char *text)
{
    uint32_t index = a->touched;
    if (a->free_first != 0) {
        index = a->free_first - 1;
        a->free_first = a->entries[index].next;
    } else {
        TC_ASSERT(a->touched < a->connections_max); /* each entry has a connection */
        a->touched++;
    }
    struct address_entry *e = &a->entries[index];
    *e = (struct address_entry){.count = 0, .next = *bucket};
    memcpy(e->text, text, min_u64(strlen(text), ADDRESS_TEXT_BYTES - 1));
    *bucket = index + 1;
    return index;
}

static void address_give(struct admission *a, uint32_t address)
{
    pthread_mutex_lock(&a->lock);
    struct address_entry *e = &a->entries[address];
    TC_ASSERT(e->count > 0);
    if (--e->count == 0) {
        uint32_t *at = bucket_of(a, e->text);
        while (*at != address + 1) at = &a->entries[*at - 1].next;
        *at = e->next;
        e->next = a->free_first;
        a->free_first = address + 1;
    }
    pthread_mutex_unlock(&a->lock);
}
