/* feeds/feed.h -- where ticks come from. A feed is polled by the feed thread (the sequencer, the log's one
 * writer) and pushes ticks into a feed_writer. A feed with a thread of its own (network) hands its ticks over
 * in a ring and drains the ring in poll. Several feeds run at once; each has a name for its `feed` ticks.
 * Thread: everything here runs in the feed thread, open included. */
#ifndef TC_FEEDS_FEED_H
#define TC_FEEDS_FEED_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fault.h"
#include "log/log.h"

/* ---- What a feed pushes into. ---- */

struct feed_writer; /* feeds/feed_writer.c: gathers up to LOG_BATCH_MAX ticks, appends, tells losses */

/* The id of a symbol for this feed (remembered, so that a reset can forget the feed's symbols).
 * TC_ELIMIT: the table is full; the tick is then lost and counted (feed state `lost`, reason symbols:
 * decision 10). TC_EINPUT: not a legal name. */
int64_t feed_symbol(struct feed_writer *w, struct text name);
/* Copies t (seq unset; ingest_ns is stamped for kinds that have one) into the batch; appends when full. */
void feed_push(struct feed_writer *w, const struct tick *t);
/* Appends what was gathered. The feed thread calls it after each poll. */
void feed_flush(struct feed_writer *w);
/* Loss before the log: gathered to one `lost` tick a second (decision 10). */
void feed_lost(struct feed_writer *w, enum feed_reason reason, uint64_t count);
/* A state of the feed, in order with its ticks (flushes first). reset: state of the feed's symbols is unknown
 * from here. */
void feed_state(struct feed_writer *w, enum feed_state state, bool reset);

/* ---- URIs. ---- */

#define FEED_PARAMS_MAX 32u
struct feed_uri {
    char text[4096];          /* owns what the others point into */
    struct text scheme, path; /* "file", "/data/x.csv" (percent-decoded) */
    struct {
        struct text name, value;
        bool used;
    } params[FEED_PARAMS_MAX];
    uint32_t param_count;
};
/* scheme:path?name=value&name=value; values percent-decoded. TC_EUSAGE with a text. */
int feed_uri_parse(struct feed_uri *u, const char *text, struct fault *f);
/* The value of a parameter, marked as used; size 0 and at NULL if absent. */
struct text feed_uri_get(struct feed_uri *u, const char *name);
/* Whole number or decimal in a range; *out keeps its value (the default) if absent. TC_EUSAGE names parameter
 * and range. */
int feed_uri_u64(struct feed_uri *u, const char *name, uint64_t least, uint64_t most, uint64_t *out,
                 struct fault *f);
/* TC_EUSAGE if some parameter was not used: "unknown parameter `rat`; `sim:` takes rate, symbols, seed, ..."
 */
struct feed_ops;
int feed_uri_unused(const struct feed_uri *u, const struct feed_ops *ops, struct fault *f);

/* ---- What a feed is. ---- */

/* One instant on two clocks, read once per poll: real_ns is read at most FEED_CLOCK_PAIR_NS after mono_ns (a
 * feed that turns one into the other for its whole run must not keep a pair that a preemption tore apart). */
struct feed_clock {
    uint64_t mono_ns, real_ns;
};
#define FEED_CLOCK_PAIR_NS (10 * NS_PER_US)

enum feed_pace { FEED_PACE_FREE, FEED_PACE_WORKERS, FEED_PACE_COMPLETE };

struct feed; /* each implementation's own; begins with struct feed_base */

#define FEED_NEVER UINT64_MAX

struct feed_ops {
    const char *scheme; /* "sim", "file" */
    const char *help;   /* one line per parameter, for `tickcast help serve` */
    /* rest: the URI after "scheme:", split by feed_uri. Returns 0 and *out, or TC_EUSAGE / TC_ESYSTEM /
     * TC_EINPUT. */
    int (*open)(struct feed **out, struct feed_uri *uri, struct fault *f);
    /* Pushes ticks that are due, at most about ticks_max. Returns how many were pushed (0: none due),
     * FEED_DONE when it has ended for good, or a negative tc_err with a fault that names file, line or byte,
     * field and reason. */
    int (*poll)(struct feed *, struct feed_writer *, const struct feed_clock *, uint32_t ticks_max,
                struct fault *f);
    /* Monotonic time at which poll has something to do again; 0: at once; FEED_NEVER: only when its
     * descriptor is ready (struct feed). */
    uint64_t (*due_ns)(const struct feed *);
    void (*close)(struct feed *);
};
#define FEED_DONE (-100)

/* First member of every implementation's struct. */
struct feed {
    const struct feed_ops *ops;
    char name[FEED_NAME_MAX + 1]; /* for feed ticks; at most FEED_NAME_MAX characters */
    enum feed_pace pace;
    /* With has_fd: poll is called, too, when this descriptor can be read (a socket, an eventfd). A poll that
     * leaves something there has due_ns say 0, or the feed is taken for drained. The feed may change both in
     * poll, and closes it itself. */
    bool has_fd;
    int fd;
    /* Progress for people, written by the feed: 0..1000 (permille), or UINT32_MAX where unknown; seconds left
     * likewise. */
    uint32_t progress_permille, seconds_left;
};

/* The registry: scheme -> implementation. NULL: none. */
const struct feed_ops *feed_find(struct text scheme);
extern const struct feed_ops feed_sim, feed_file;

#endif
