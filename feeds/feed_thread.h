/* feeds/feed_thread.h -- the sequencer: drains the feeds, stamps and appends; the log's one writer.
 *
 * Its loop: poll the feeds that are due (round robin, a bounded number of ticks each), publish "drained"
 * times, tell stalls, hold back feeds whose pace asks for it, sleep until the next due time or a wake-up. */
#ifndef TC_FEEDS_FEED_THREAD_H
#define TC_FEEDS_FEED_THREAD_H

#include "feeds/feed.h"

struct feed_thread;

struct feed_thread_options {
    struct log *log;
    const char *const *uris; /* copied */
    uint32_t uri_count;
    uint64_t stall_bound_ns; /* pace=complete: see log_reader.owed */
    uint32_t wait_members;   /* --wait N: feeds start once so many connections were sent `subscribed` at the
                                same time */
    int cpu;                 /* pinned to; -1: not */
    /* Called in the feed thread while pace=complete is held and nothing moves, PACE_LOOKS_PER_BOUND times per
     * stall_bound_ns: who is owed a tick up to owed_seq and takes nothing for that long is to be let go.
     * NULL: none. */
    void (*stalled)(void *context, uint64_t owed_seq);
    void *context;
};

/* Opens every feed (so that a wrong URI or file header is told before serving starts) and starts the thread;
 * feeds are polled from feed_thread_go on. Thread: main. */
int feed_thread_start(struct feed_thread **out, const struct feed_thread_options *o, struct fault *f);
void feed_thread_go(struct feed_thread *t);

/* Thread: any. */
struct feed_thread_stats {
    uint64_t ticks; /* appended by feeds */
    uint64_t lost;  /* known losses before the log */
    uint32_t feeds, running, ended, failed;
    uint32_t progress_permille, seconds_left; /* of the first feed that knows, else UINT32_MAX */
    bool waiting;                             /* for --wait */
    bool all_done;        /* every feed ended or failed, and its last state is in the log */
    char fault_text[480]; /* of the first feed that failed; empty if none */
};
void feed_thread_stats(struct feed_thread *t, struct feed_thread_stats *out);

/* Ends the loop, closes feeds, joins. Thread: main. */
void feed_thread_stop(struct feed_thread *t);

#endif
