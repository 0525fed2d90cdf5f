/* feeds/reader.h -- a file format: bytes of a source in, ticks out. Knows nothing of pace, logs or threads.
 * file_feed.c plays what readers give; `tickcast info` and tests use them alike. Thread: one owner. */
#ifndef TC_FEEDS_READER_H
#define TC_FEEDS_READER_H

#include "base/bytes.h"
#include "feeds/source.h"
#include "tick/tick.h"

struct reader_options {
    const char *path;     /* as given, for symbols and dates taken from file names, and for error texts */
    const char *member;   /* of a zip, or NULL */
    struct text symbol;   /* --symbol: for files that name none; size 0: from the file's name */
    struct text columns;  /* CSV header mapping, where the format takes one */
    struct text timezone; /* for formats in exchange-local time; size 0: the format's own */
    struct text date;     /* YYYY-MM-DD for formats whose date is only in the name; size 0: from the name */
};

/* First member of every reader's struct. */
struct reader {
    const struct reader_ops *ops;
};

struct reader_ops {
    const char *format; /* "csv", "kraken", "dbn", ... as in --format */
    const char *what;   /* one line for help */
    /* 0..100: how sure it is, from the path and the first bytes (unpacked; at most 4096 of them). */
    int (*probe)(const char *path, const uint8_t *first, size_t size);
    int (*open)(struct reader **out, struct source *source, const struct reader_options *o, struct fault *f);
    /* Up to count_max ticks, symbol = index in this reader's own symbols, seq and ingest_ns unset.
     * > 0: how many; 0: the end; TC_EINPUT: a bad record (fault: file, line or byte offset, field, reason,
     * remedy). After TC_EINPUT the caller may go on (--on-error skip): the bad record was passed, unless
     * *fatal (nothing sensible can follow: the packing is cut or damaged, a record's length is wrong). Every
     * other error ends the file, whatever --on-error says: TC_ELIMIT (too many symbols or mappings: what
     * follows would be a file with holes that nobody could count by symbol), TC_ESYSTEM. */
    int (*next)(struct reader *, struct tick *out, uint32_t count_max, bool *fatal, struct fault *f);
    /* Name of one of its symbols; index < the largest seen in ticks + 1. Stable while the reader lives. */
    struct text (*symbol)(const struct reader *, uint32_t index);
    void (*close)(struct reader *);
};

/* A tick of kind feed, flag FEED_RESET: from here on all state of this file's symbols is unknown (a book
 * begins anew). Whoever plays the reader tells it as the feed's own state; event_ns is kept. */
void reader_reset_tick(struct tick *t);

/* Every format, for probing and --format. feeds/reader.c */
extern const struct reader_ops *const reader_formats[];
extern const uint32_t reader_format_count;
/* By name; or by probing when format is size 0: TC_EINPUT "not a known format" with the list as the remedy.
 */
int reader_open(struct reader **out, struct text format, struct source *source,
                const struct reader_options *o, struct fault *f);

#endif
