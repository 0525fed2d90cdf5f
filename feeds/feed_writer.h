/* feeds/feed_writer.h -- making and running a feed_writer: what the feed thread does around a feed's own
 * calls (feed.h). One per feed. Thread: the feed thread. */
#ifndef TC_FEEDS_FEED_WRITER_H
#define TC_FEEDS_FEED_WRITER_H

#include "feeds/feed.h"

/* name: for the feed's ticks, cut at FEED_NAME_MAX. NULL: out of memory. */
struct feed_writer *feed_writer_open(struct log *log, const char *name);
/* Nothing may be gathered any more: call feed_flush before. */
void feed_writer_close(struct feed_writer *w);

/* Another name, before the first tick. */
void feed_writer_rename(struct feed_writer *w, const char *name);

/* The time of the poll that follows: stamps ingest_ns and event_ns of the feed's own ticks. */
void feed_writer_clock(struct feed_writer *w, const struct feed_clock *clock);

/* Appends `lost` ticks of the reasons that are due: at once for a reason not told within the last second,
 * else when that second is over. The feed thread calls it after each poll, and when idle; feed_state tells
 * all there is. A name that feed_symbol refused with TC_ELIMIT is counted there, as one tick: a feed that
 * remembers the refusal counts the symbol's further ticks itself, by feed_lost(w, FEED_REASON_SYMBOLS, n). */
void feed_writer_tell_losses(struct feed_writer *w);
/* Monotonic time at which feed_writer_tell_losses has something to say; FEED_NEVER: nothing was lost. */
uint64_t feed_writer_losses_due_ns(const struct feed_writer *w);

uint64_t
feed_writer_ticks(const struct feed_writer *w); /* pushed by the feed and appended, or gathered still */
uint64_t feed_writer_lost(const struct feed_writer *w); /* known losses; those of unknown size count 0 */

#endif
