/* feeds/file_feed.c -- plays a recorded file as a feed: what a reader gives, at the clock's times. Event
 * times stay the file's own. A lap begins with lap_open and ends with lap_end (loop=1: the next one begins,
 * told as `looped` with a reset). Thread: the feed thread. */
#include "feeds/feed.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/diag.h"
#include "feeds/file_clock.h"
#include "feeds/reader_file.h"
#include "feeds/reader_name.h"
#include "feeds/reader_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_TICKS 256u   /* read ahead of the clock */
#define SCAN_MAX    16384u /* ticks and bad rows passed over in one poll: the other feeds have their turns */

#define LAP_NS_MIN                                                                                           \
    (10 * NS_PER_MS) /* timed: a file of one tick must not be played without end at one moment */

#define SYMBOL_UNKNOWN (-1)
#define SYMBOL_REFUSED (-2)

struct file_feed {
    struct feed base;
    /* Set once by open. */
    char *path, *member, *format, *symbol, *columns, *timezone, *date; /* owned; NULL where not given */
    bool loop, skip;
    /* Of this lap. */
    struct reader *reader;
    struct file_clock clock;
    struct file_window window;
    struct tick ticks[BATCH_TICKS];
    uint32_t at, count;
    int64_t *symbols; /* the reader's index -> the log's id, or SYMBOL_ */
    uint32_t symbol_capacity;
    uint64_t lap_ticks, lap_start_ns, lap_least_ns, due_ns; /* lap_least_ns: the lap begins no sooner */
    bool ended;
    /* Of all laps. */
    uint64_t skipped;
};

static int params_read(struct file_feed *p, struct feed_uri *u, struct fault *f);
static int flags_read(struct file_feed *p, struct feed_uri *u, struct fault *f);
static int pace_read(struct file_feed *p, struct feed_uri *u, struct fault *f);
static int text_read(char **out, struct feed_uri *u, const char *name);
static void name_from_path(struct file_feed *p);
static int lap_open(struct file_feed *p, struct fault *f);
static int lap_end(struct file_feed *p, struct feed_writer *w, struct fault *f);
static int batch_read(struct file_feed *p, struct feed_writer *w, struct fault *f);
static void tick_push(struct file_feed *p, struct feed_writer *w, struct tick *t);
static int64_t symbol_id(struct file_feed *p, struct feed_writer *w, uint32_t index);
static void progress(struct file_feed *p, uint64_t mono_ns);
static void file_feed_close(struct feed *feed);

static int file_feed_open(struct feed **out, struct feed_uri *u, struct fault *f)
{
    struct file_feed *p = calloc(1, sizeof *p);
    if (!p) return fault_set(f, TC_ESYSTEM, "out of memory for a file feed");
    p->base.ops = &feed_file;
    p->base.progress_permille = p->base.seconds_left = UINT32_MAX;
    int rc = params_read(p, u, f);
    if (rc == 0) rc = feed_uri_unused(u, &feed_file, f);
    if (rc == 0) rc = lap_open(p, f);
    if (rc < 0) {
        file_feed_close(&p->base);
        return rc;
    }
    name_from_path(p);
    *out = &p->base;
    return 0;
}

static int params_read(struct file_feed *p, struct feed_uri *u, struct fault *f)
{
    if (u->path.size == 0)
        return fault_set(f, TC_EUSAGE, "file: needs a path; write file:PATH or file:PATH?speed=max");
    p->path = strndup(u->path.at, u->path.size);
    bool memory = p->path && text_read(&p->member, u, "member") == 0 &&
                  text_read(&p->format, u, "format") == 0 && text_read(&p->symbol, u, "symbol") == 0 &&
                  text_read(&p->columns, u, "columns") == 0 && text_read(&p->timezone, u, "timezone") == 0 &&
                  text_read(&p->date, u, "date") == 0;
    if (!memory) return fault_set(f, TC_ESYSTEM, "out of memory for a file feed");
    struct text speed = feed_uri_get(u, "speed"), gap = feed_uri_get(u, "gap-max");
    p->clock.speed_ppm = 1000000;
    int rc = speed.size > 0 ? file_speed_parse(speed, &p->clock.speed_ppm, f) : 0;
    if (rc < 0) return rc;
    if (gap.size > 0 && (time_parse(gap, TIME_S, &p->clock.gap_ns_max) != 0 || p->clock.gap_ns_max <= 0)) {
        return fault_set(f, TC_EUSAGE, "gap-max=%.*s is not a number of seconds above 0",
                         (int)min_u64(gap.size, 40), gap.at);
    }
    struct text from = feed_uri_get(u, "from"), to = feed_uri_get(u, "to");
    rc = file_window_parse(&p->window, from, to, f);
    if (rc == 0) rc = flags_read(p, u, f);
    return rc < 0 ? rc : pace_read(p, u, f);
}

static int text_read(char **out, struct feed_uri *u, const char *name)
{
    struct text value = feed_uri_get(u, name);
    if (value.size > 0) *out = strndup(value.at, value.size);
    return value.size > 0 && !*out ? TC_ESYSTEM : 0;
}

static int flags_read(struct file_feed *p, struct feed_uri *u, struct fault *f)
{
    struct text on_error = feed_uri_get(u, "on-error");
    p->skip = text_equal(on_error, TEXT("skip"));
    if (on_error.at && !p->skip && !text_equal(on_error, TEXT("stop"))) {
        return fault_set(f, TC_EUSAGE, "on-error=%.*s is neither stop nor skip",
                         (int)min_u64(on_error.size, 40), on_error.at);
    }
    uint64_t loop = 0;
    int rc = feed_uri_u64(u, "loop", 0, 1, &loop, f);
    p->loop = loop == 1;
    return rc;
}

static int pace_read(struct file_feed *p, struct feed_uri *u, struct fault *f)
{
    struct text pace = feed_uri_get(u, "pace");
    p->base.pace = p->clock.speed_ppm == FILE_SPEED_MAX ? FEED_PACE_COMPLETE : FEED_PACE_FREE;
    if (!pace.at) return 0;
    if (text_equal(pace, TEXT("free")))
        p->base.pace = FEED_PACE_FREE;
    else if (text_equal(pace, TEXT("workers")))
        p->base.pace = FEED_PACE_WORKERS;
    else if (text_equal(pace, TEXT("complete")))
        p->base.pace = FEED_PACE_COMPLETE;
    else
        return fault_set(f, TC_EUSAGE, "pace=%.*s is not free, workers or complete",
                         (int)min_u64(pace.size, 40), pace.at);
    return 0;
}

/* "/data/XBTUSD.csv.gz" is told as XBTUSD; letters that are not plain are replaced. */
static void name_from_path(struct file_feed *p)
{
    struct text stem = name_stem(&(struct reader_options){.path = p->path});
    size_t used = 0;
    for (; used < stem.size && used < FEED_NAME_MAX; used++) {
        char c = stem.at[used];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
                     c == '-';
        p->base.name[used] = plain ? c : '_';
    }
    if (used == 0) memcpy(p->base.name, "file", 5);
}

static struct text text_or_none(const char *at)
{
    return at ? text_of(at) : (struct text){.at = NULL, .size = 0};
}

static int lap_open(struct file_feed *p, struct fault *f)
{
    const struct reader_options o = {.path = p->path,
                                     .member = p->member,
                                     .symbol = text_or_none(p->symbol),
                                     .columns = text_or_none(p->columns),
                                     .timezone = text_or_none(p->timezone),
                                     .date = text_or_none(p->date)};
    int rc = reader_file_open(&p->reader, text_or_none(p->format), &o, f);
    if (rc < 0) {
        p->reader = NULL;
        return rc;
    }
    p->at = p->count = 0;
    p->clock.started = false;
    p->lap_ticks = 0;
    p->due_ns = 0;
    p->base.progress_permille = 0;
    for (uint32_t i = 0; i < p->symbol_capacity; i++) p->symbols[i] = SYMBOL_UNKNOWN;
    return 0;
}

static int file_feed_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                          uint32_t ticks_max, struct fault *f)
{
    struct file_feed *p = (struct file_feed *)feed;
    uint32_t pushed = 0;
    if (p->ended) return FEED_DONE;
    p->due_ns = 0;
    for (uint32_t scanned = 0; pushed < ticks_max && scanned < SCAN_MAX; scanned++) {
        if (p->at == p->count) {
            int rc = batch_read(p, w, f);
            if (rc == 0) rc = lap_end(p, w, f);
            if (rc < 0) return rc;
            if (p->ended) break;
            continue; /* a batch, a bad row, or a new lap */
        }
        struct tick *t = &p->ticks[p->at];
        if (!file_window_holds(&p->window, t->event_ns)) {
            p->at++;
            continue;
        }
        if (!p->clock.started && p->lap_least_ns > clock->mono_ns) {
            p->due_ns = p->lap_least_ns;
            break;
        }
        if (!p->clock.started) {
            file_clock_start(&p->clock, clock->mono_ns, t->event_ns);
            p->lap_start_ns = clock->mono_ns;
        }
        uint64_t due_ns = file_clock_due(&p->clock, t->event_ns);
        if (due_ns > clock->mono_ns) {
            p->due_ns = due_ns;
            break;
        }
        p->at++;
        p->lap_ticks++;
        pushed++;
        tick_push(p, w, t);
    }
    progress(p, clock->mono_ns);
    return p->ended && pushed == 0 ? FEED_DONE : (int)pushed;
}

/* > 0: there are ticks, or a bad row was passed; 0: the file's end. */
static int batch_read(struct file_feed *p, struct feed_writer *w, struct fault *f)
{
    bool fatal = false;
    struct fault fault = {0};
    int rc = p->reader->ops->next(p->reader, p->ticks, BATCH_TICKS, &fatal, &fault);
    /* Only a bad record is passed over; where the file itself ends too early, or is too large, it fails. */
    if (rc < 0 && (fatal || !p->skip || rc != TC_EINPUT)) {
        if (f) *f = fault;
        return rc;
    }
    if (rc < 0) {
        feed_lost(w, FEED_REASON_SKIPPED, 1);
        if (p->skipped++ == 0)
            diag(DIAG_WARN, "row_skipped", D_TEXT("feed", p->base.name), D_TEXT("why", fault.text));
        return 1;
    }
    p->at = 0;
    p->count = (uint32_t)rc;
    if (rc > 0) file_window_resolve(&p->window, p->ticks[0].event_ns);
    return rc;
}

static int lap_end(struct file_feed *p, struct feed_writer *w, struct fault *f)
{
    if (!p->loop) {
        p->ended = true;
        return 0;
    }
    char label[SOURCE_LABEL_MAX];
    source_label(label, p->path);
    if (p->lap_ticks == 0) return fault_set(f, TC_EINPUT, "%s: there is no tick to loop over", label);
    p->reader->ops->close(p->reader);
    p->reader = NULL;
    if (p->clock.speed_ppm != FILE_SPEED_MAX) p->lap_least_ns = p->lap_start_ns + LAP_NS_MIN;
    int rc = lap_open(p, f);
    if (rc == 0) feed_state(w, FEED_LOOPED, true);
    return rc;
}

static void tick_push(struct file_feed *p, struct feed_writer *w, struct tick *t)
{
    if (t->kind == TICK_FEED) { /* the file says that state begins anew */
        feed_state(w, (enum feed_state)t->feed.state, (t->flags & FEED_RESET) != 0);
        return;
    }
    int64_t id = symbol_id(p, w, t->symbol);
    if (id < 0) return; /* counted there */
    t->symbol = (uint32_t)id;
    if (tick_check(
            t, (uint32_t)id +
                   1)) { /* the log asserts it; a reader lets nothing else pass, but the bytes are foreign */
        feed_lost(w, FEED_REASON_SKIPPED, 1);
        return;
    }
    feed_push(w, t);
}

static int64_t symbol_id(struct file_feed *p, struct feed_writer *w, uint32_t index)
{
    if (index >= p->symbol_capacity) {
        uint32_t capacity = p->symbol_capacity ? p->symbol_capacity : 64;
        while (capacity <= index) capacity *= 2;
        int64_t *symbols = realloc(p->symbols, capacity * sizeof *symbols);
        if (!symbols) {
            feed_lost(w, FEED_REASON_SYMBOLS, 1);
            return SYMBOL_REFUSED;
        }
        for (uint32_t i = p->symbol_capacity; i < capacity; i++) symbols[i] = SYMBOL_UNKNOWN;
        p->symbols = symbols;
        p->symbol_capacity = capacity;
    }
    if (p->symbols[index] == SYMBOL_REFUSED) feed_lost(w, FEED_REASON_SYMBOLS, 1);
    if (p->symbols[index] != SYMBOL_UNKNOWN) return p->symbols[index];
    int64_t id = feed_symbol(
        w, p->reader->ops->symbol(p->reader, index)); /* a full table: the writer counts this tick */
    if (id == TC_EINPUT) feed_lost(w, FEED_REASON_SYMBOLS, 1);
    p->symbols[index] = id < 0 ? SYMBOL_REFUSED : id;
    return p->symbols[index];
}

static void progress(struct file_feed *p, uint64_t mono_ns)
{
    uint32_t permille = p->ended ? 1000 : reader_file_permille(p->reader);
    if (permille > p->base.progress_permille) p->base.progress_permille = permille;
    permille = p->base.progress_permille;
    if (permille == 0 || !p->clock.started) return;
    double passed = (double)(mono_ns - p->lap_start_ns) / (double)NS_PER_SECOND;
    double left = passed * (1000.0 - permille) / permille;
    p->base.seconds_left = left < 1e9 ? (uint32_t)left : UINT32_MAX;
}

static uint64_t file_feed_due(const struct feed *feed)
{
    return ((const struct file_feed *)feed)->due_ns;
}

static void file_feed_close(struct feed *feed)
{
    struct file_feed *p = (struct file_feed *)feed;
    if (p->reader) p->reader->ops->close(p->reader);
    char *owned[] = {p->path, p->member, p->format, p->symbol, p->columns, p->timezone, p->date};
    for (uint32_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
    free(p->symbols);
    free(p);
}

const struct feed_ops feed_file = {
    .scheme = "file",
    .help =
        "speed=1|X|max    original spacing, X times as fast, or as fast as it is taken (default 1)\n"
        "from=T           play from this event time on: RFC 3339, HH:MM[:SS] of the first day (UTC), or ns\n"
        "to=T             play up to, not including, this event time\n"
        "loop=1           begin again at the end, told as looped with a reset\n"
        "gap-max=S        shorten pauses to S seconds (default: kept)\n"
        "format=F         csv, kraken, ccxt, tardis, lean, lobster, binance, polygon, ... (default: by "
        "content)\n"
        "symbol=NAME      for files that name none (default: from the file's name)\n"
        "columns=MAP      CSV columns: ts:time_ms,price:px,size:qty (units ns, us, ms, s, rfc3339)\n"
        "timezone=ZONE    of local times: UTC, America/New_York, America/Chicago\n"
        "date=YYYY-MM-DD  of files whose name holds none\n"
        "member=NAME      only this member of a zip (default: all, merged by time)\n"
        "on-error=stop    or skip: pass over bad rows, counted as lost (default stop)\n"
        "pace=free        or workers, complete (default free; complete at speed=max)\n",
    .open = file_feed_open,
    .poll = file_feed_poll,
    .due_ns = file_feed_due,
    .close = file_feed_close,
};
