/* worker/admission.h -- who may connect: the limits that all workers share. Everything else of a worker is
 * its own; these are counted together, for a limit that each worker held by itself would grow with their
 * number.
 *
 * Thread: any worker, once per connection; the counts are atomic, the table of addresses has a lock, which is
 * taken only where --max-connections-per-ip is set. */
#ifndef TC_WORKER_ADMISSION_H
#define TC_WORKER_ADMISSION_H

#include "base/bytes.h"
#include "config/limit.h"
#include "config/settings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define ADDRESS_NONE       UINT32_MAX
#define ADDRESS_TEXT_BYTES 46u /* INET6_ADDRSTRLEN */

struct address_entry {
    char text[ADDRESS_TEXT_BYTES];
    uint32_t count; /* connections; 0: free */
    uint32_t next;  /* in its bucket, or in the free list */
};

struct admission {
    /* Set once by admission_open. */
    uint32_t connections_max, unupgraded_max, per_address_max;
    uint64_t per_second_max; /* 0: no limit */
    uint32_t buckets_mask;
    bool files_bound; /* connections_max is what the limit of open files leaves */

    /* Writers: all workers, once per connection. */
    _Alignas(TC_CACHE_LINE) _Atomic uint32_t connections;
    _Atomic uint32_t unupgraded;
    _Atomic uint64_t second; /* number of the second << 32 | connections taken in it */

    _Alignas(TC_CACHE_LINE) pthread_mutex_t lock; /* of what follows */
    uint32_t *buckets;                            /* first entry + 1; 0: empty */
    struct address_entry *entries;
    uint32_t free_first, touched;
    uint32_t users; /* workers that have opened it. Thread: main */
};

/* Every connection asks what is set once; the counts that all write, and what the lock is for, are apart. */
_Static_assert(offsetof(struct admission, files_bound) < TC_CACHE_LINE, "what is set once is on one line");
_Static_assert(offsetof(struct admission, connections) % TC_CACHE_LINE == 0, "the counts begin a line");
_Static_assert(offsetof(struct admission, lock) == offsetof(struct admission, connections) + TC_CACHE_LINE,
               "and nothing else is on it");
_Static_assert(sizeof(struct admission) % TC_CACHE_LINE == 0, "what comes behind it is apart");

/* Opened by the first worker that is made, closed with the last. Thread: main. 0 or TC_ESYSTEM. */
int admission_open(struct admission *a, const struct settings *s);
void admission_close(struct admission *a);
size_t admission_bytes(const struct settings *s);
/* How many of these may be in their handshake at the same time (decision 29). */
uint32_t admission_unupgraded_max(uint32_t connections_max);
/* Open files that --max-connections needs, the program's own included. */
uint64_t admission_files(const struct settings *s);

/* Takes a place for a connection from peer (an address as text; NULL: not asked for, or no address). Returns
 * LIMIT_COUNT and the entry to give back, or the limit that was met. */
enum limit admission_take(struct admission *a, const char *peer, uint64_t now_ns, uint32_t *address);
void admission_upgraded(struct admission *a);
/* The connection is gone. */
void admission_give(struct admission *a, bool upgraded, uint32_t address);

#endif
