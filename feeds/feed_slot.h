/* feeds/feed_slot.h -- one feed in the feed thread: opened, begun, polled when due, held back by its pace,
 * told when late, ended or failed. Thread: the feed thread. */
#ifndef TC_FEEDS_FEED_SLOT_H
#define TC_FEEDS_FEED_SLOT_H

#include "feeds/feed_thread.h"
#include "feeds/feed_writer.h"
#include "feeds/pace.h"

#define FEED_POLL_TICKS                                                                                      \
    4096u /* at most about so many in one poll: other feeds, stop and losses wait no longer */

/*  OPEN --begin--> RUNNING --poll: FEED_DONE--> ENDED
 *                  RUNNING --poll: error------> FAILED       Both stay; the other feeds go on. */
enum slot_state { SLOT_OPEN, SLOT_RUNNING, SLOT_ENDED, SLOT_FAILED };

struct feed_slot {
    struct feed *feed;          /* owned */
    struct feed_writer *writer; /* owned */
    struct log *log;
    enum slot_state state;
    struct pace pace;
    bool held;                    /* by its pace, at the last look */
    bool late;                    /* `stalled` was told, `resumed` not yet */
    bool ready;                   /* its descriptor can be read: due whatever it says */
    uint64_t began_ns, polled_ns; /* monotonic */
    struct fault fault;           /* when FAILED */
};

/* Takes the URI apart, finds the implementation, opens it. On an error nothing is left open. */
int feed_slot_open(struct feed_slot *slot, struct log *log, const char *uri, struct fault *f);
void feed_slot_close(struct feed_slot *slot);

/* Appends `started`. */
void feed_slot_begin(struct feed_slot *slot, const struct feed_clock *clock);
/* One poll if it is due and its pace allows; tells losses, lateness, end and failure. Returns the monotonic
 * time at which it wants another turn (FEED_NEVER: none, unless woken). */
uint64_t feed_slot_turn(struct feed_slot *slot, const struct feed_thread_options *o,
                        const struct feed_clock *clock);
/* True if its pace holds it back now. */
bool feed_slot_held(struct feed_slot *slot, const struct feed_thread_options *o, uint64_t now_ns);
/* True if nothing that was due at that time is missing from the log. */
bool feed_slot_drained(const struct feed_slot *slot, uint64_t mono_ns);

#endif
