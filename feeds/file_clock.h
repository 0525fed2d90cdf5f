/* feeds/file_clock.h -- when a recorded tick is due: original spacing from the first tick on, divided by a
 * speed. Pure: the time is passed in. Thread: one owner. */
#ifndef TC_FEEDS_FILE_CLOCK_H
#define TC_FEEDS_FILE_CLOCK_H

#include "base/bytes.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

#define FILE_SPEED_MAX 0u /* as fast as it can be taken */

struct file_clock {
    uint64_t speed_ppm; /* 1000000: as recorded; FILE_SPEED_MAX: everything is due at once */
    int64_t gap_ns_max; /* longer pauses are shortened to this; 0: none are */
    bool started;
    uint64_t start_mono_ns;
    int64_t start_event_ns;  /* moved on where a gap was shortened */
    int64_t latest_event_ns; /* the furthest so far: a step back is no gap when it is made up for */
};

/* "max", or a factor such as 1, 0.5, 10, 10x: from 0.001 to 1000000. 0 or TC_EUSAGE. */
int file_speed_parse(struct text at, uint64_t *speed_ppm, struct fault *f);

/* The next tick begins a lap: due at mono_ns. */
void file_clock_start(struct file_clock *c, uint64_t mono_ns, int64_t event_ns);
/* Monotonic time at which the tick is due; never before the start. Call once per tick, in the file's order.
 */
uint64_t file_clock_due(struct file_clock *c, int64_t event_ns);

/* Which ticks are played: event time in [from, to). */
struct file_window {
    int64_t from_ns, to_ns;
    int64_t from_of_day_ns, to_of_day_ns; /* >= 0: of the first tick's day, not yet resolved; else -1 */
};
/* Each a whole number of ns since 1970, RFC 3339 text, or HH:MM[:SS[.fraction]] UTC of the first tick's day;
 * size 0: no bound. */
int file_window_parse(struct file_window *w, struct text from, struct text to, struct fault *f);
/* The file's first tick. */
void file_window_resolve(struct file_window *w, int64_t first_event_ns);
static inline bool file_window_holds(const struct file_window *w, int64_t event_ns)
{
    return event_ns >= w->from_ns && event_ns < w->to_ns;
}

#endif
