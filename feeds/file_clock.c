/* feeds/file_clock.c -- see file_clock.h. */
#include "feeds/file_clock.h"

#include "base/assert.h"
#include "feeds/reader_time.h"
#include "tick/decimal.h"

#define PPM 1000000

static int bound_parse(struct text at, const char *name, int64_t *ns, int64_t *of_day_ns, struct fault *f);

int file_speed_parse(struct text at, uint64_t *speed_ppm, struct fault *f)
{
    struct decimal d;
    struct text number = at;
    int64_t ppm;
    if (text_equal(at, TEXT("max"))) {
        *speed_ppm = FILE_SPEED_MAX;
        return 0;
    }
    if (number.size > 1 && number.at[number.size - 1] == 'x') number.size--;
    if (decimal_parse(number.at, number.size, &d) == 0 && decimal_at(decimal_trim(d), -6, &ppm) == 0 &&
        ppm >= PPM / 1000 && ppm <= INT64_C(1000000) * PPM) {
        *speed_ppm = (uint64_t)ppm;
        return 0;
    }
    return fault_set(f, TC_EUSAGE,
                     "speed=%.*s is neither max nor a factor from 0.001 to 1000000, such as 1 or 10",
                     (int)min_u64(at.size, 40), at.at);
}

void file_clock_start(struct file_clock *c, uint64_t mono_ns, int64_t event_ns)
{
    c->started = true;
    c->start_mono_ns = mono_ns;
    c->start_event_ns = c->latest_event_ns = event_ns;
}

uint64_t file_clock_due(struct file_clock *c, int64_t event_ns)
{
    TC_ASSERT(c->started);
    if (c->speed_ppm == FILE_SPEED_MAX) return 0;
    __int128 gap =
        (__int128)event_ns - c->latest_event_ns; /* 128 bits: a file may jump over all that 64 hold */
    if (c->gap_ns_max > 0 && gap > c->gap_ns_max) c->start_event_ns += (int64_t)(gap - c->gap_ns_max);
    if (gap > 0) c->latest_event_ns = event_ns;
    __int128 wait = ((__int128)event_ns - c->start_event_ns) * PPM / (__int128)c->speed_ppm;
    if (wait <= 0) return c->start_mono_ns;
    __int128 due = wait + c->start_mono_ns;
    return due >= INT64_MAX ? INT64_MAX : (uint64_t)due;
}

int file_window_parse(struct file_window *w, struct text from, struct text to, struct fault *f)
{
    *w = (struct file_window){
        .from_ns = INT64_MIN, .to_ns = INT64_MAX, .from_of_day_ns = -1, .to_of_day_ns = -1};
    int rc = from.size > 0 ? bound_parse(from, "from", &w->from_ns, &w->from_of_day_ns, f) : 0;
    if (rc == 0 && to.size > 0) rc = bound_parse(to, "to", &w->to_ns, &w->to_of_day_ns, f);
    bool same_kind = (w->from_of_day_ns < 0) == (w->to_of_day_ns < 0);
    bool empty = w->from_of_day_ns >= 0 ? w->from_of_day_ns >= w->to_of_day_ns : w->from_ns >= w->to_ns;
    if (rc == 0 && from.size > 0 && to.size > 0 && same_kind && empty) {
        return fault_set(f, TC_EUSAGE, "from=%.*s is not before to=%.*s", (int)min_u64(from.size, 60),
                         from.at, (int)min_u64(to.size, 60), to.at);
    }
    return rc;
}

static int bound_parse(struct text at, const char *name, int64_t *ns, int64_t *of_day_ns, struct fault *f)
{
    bool has_colon = at.size > 2 && at.at[2] == ':';
    if (has_colon && time_of_day_parse(at, of_day_ns) == 0) return 0;
    if (!has_colon && memchr(at.at, '.', at.size) == NULL && time_parse(at, TIME_NS, ns) == 0) return 0;
    if (time_parse(at, TIME_TEXT, ns) == 0) return 0;
    return fault_set(
        f, TC_EUSAGE,
        "%s=%.*s is not a time; write 2023-02-02T09:20:00Z, 09:20 (of the first tick's day) or whole ns",
        name, (int)min_u64(at.size, 60), at.at);
}

void file_window_resolve(struct file_window *w, int64_t first_event_ns)
{
    int64_t of_day = ((first_event_ns % DAY_NS) + DAY_NS) % DAY_NS, midnight = first_event_ns - of_day;
    if (w->from_of_day_ns >= 0) w->from_ns = midnight + w->from_of_day_ns;
    if (w->to_of_day_ns >= 0) w->to_ns = midnight + w->to_of_day_ns;
    w->from_of_day_ns = w->to_of_day_ns = -1;
}
