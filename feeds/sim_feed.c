/* feeds/sim_feed.c -- the simulated market as a feed: parameters, and ticks when they are due.
 *
 * The time of a tick is the intended one (start + schedule), not that of the poll which made it: a late
 * thread catches up without hiding that it was late. With rate=0 ticks have no schedule: a poll makes what it
 * may, and their time is now. */
#include "feeds/feed.h"

#include "base/assert.h"
#include "base/clock.h"
#include "feeds/sim_market.h"

#include <stdlib.h>

#define DEFINE_PER_POLL  4096u
#define DENSE_RATE       UINT64_C(10000)   /* from here on ticks are gathered ... */
#define DENSE_QUANTUM_NS (250 * NS_PER_US) /* ... for so long: fewer wake-ups than ticks */
#define SYMBOL_REFUSED   (-1)

struct sim_feed {
    struct feed feed; /* first */
    struct sim_market *market;
    uint32_t symbol_count, defined; /* defined: names already asked for */
    int32_t *ids;                   /* by index; SYMBOL_REFUSED: the table was full */
    uint64_t rate, start_ns;        /* start_ns: of the first poll, or as given */
    uint64_t count_left;            /* UINT64_MAX: endless */
    uint32_t burst;
    bool began;
    uint64_t began_mono_ns, polled_mono_ns;
    struct tick next; /* already drawn, not yet due; event_ns from the start */
};

static int sim_open(struct feed **out, struct feed_uri *uri, struct fault *f);
static int sim_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                    uint32_t ticks_max, struct fault *f);
static uint64_t sim_due_ns(const struct feed *feed);
static void sim_close(struct feed *feed);
static int read_options(struct sim_feed *s, struct feed_uri *u, struct sim_market_options *o,
                        struct fault *f);
static int read_kinds(struct feed_uri *u, uint32_t *kinds, struct fault *f);
static int read_pace(struct feed_uri *u, enum feed_pace *pace, struct fault *f);
static int read_arrivals(struct feed_uri *u, bool *even, struct fault *f);
static bool define(struct sim_feed *s, struct feed_writer *w);
static void begin(struct sim_feed *s, const struct feed_clock *clock);
static uint32_t push_due(struct sim_feed *s, struct feed_writer *w, uint64_t elapsed_ns, uint32_t most);
static uint32_t push_now(struct sim_feed *s, struct feed_writer *w, uint64_t elapsed_ns, uint32_t most);
static void push_next(struct sim_feed *s, struct feed_writer *w, uint64_t event_ns);

const struct feed_ops feed_sim = {
    .scheme = "sim",
    .help = "symbols=N     how many symbols, 1 to 65536 (500)\n"
            "rate=N        ticks a second, 0 to 100M; 0: as fast as pace lets it (20000)\n"
            "seed=N        decides the ticks wholly (1)\n"
            "burst=N       ticks that come together, 1 to 4096 (1)\n"
            "arrivals=A    clustered, or even: all gaps alike (clustered)\n"
            "pace=P        free, workers or complete: whom it waits for (free)\n"
            "kinds=LIST    of trade, quote, bar, book, status (trade,quote,status)\n"
            "volatility=N  per cent of the usual, 0 to 1000 (100)\n"
            "session=S     seconds of a trading session that opens and closes busy, 0 to 86400; 0: none (0)\n"
            "halts=S       mean seconds between trading halts, 0 to 86400; 0: none (300)\n"
            "count=N       ends after so many ticks; 0: never (0)\n"
            "start=NS      event time of the start in ns since 1970 (now)",
    .open = sim_open,
    .poll = sim_poll,
    .due_ns = sim_due_ns,
    .close = sim_close,
};

static int sim_open(struct feed **out, struct feed_uri *uri, struct fault *f)
{
    struct sim_feed *s = calloc(1, sizeof *s);
    if (!s) return fault_set(f, TC_ESYSTEM, "no memory for the simulator");
    s->feed = (struct feed){
        .ops = &feed_sim, .name = "sim", .progress_permille = UINT32_MAX, .seconds_left = UINT32_MAX};
    struct sim_market_options o = {0};
    int rc = read_options(s, uri, &o, f);
    if (rc == 0) rc = feed_uri_unused(uri, &feed_sim, f);
    if (rc == 0) {
        s->market = sim_market_open(&o);
        s->ids = calloc(o.symbols, sizeof *s->ids);
        if (!s->market || !s->ids)
            rc = fault_set(f, TC_ESYSTEM, "no memory for %u simulated symbols", o.symbols);
    }
    if (rc < 0) {
        sim_close(&s->feed);
        return rc;
    }
    *out = &s->feed;
    return 0;
}

static void sim_close(struct feed *feed)
{
    struct sim_feed *s = (struct sim_feed *)feed;
    sim_market_close(s->market);
    free(s->ids);
    free(s);
}

static int read_options(struct sim_feed *s, struct feed_uri *u, struct sim_market_options *o, struct fault *f)
{
    uint64_t symbols = 500, rate = 20000, seed = 1, burst = 1, volatility = 100, session = 0, halts = 300,
             count = 0;
    if (u->path.size > 0)
        return fault_set(f, TC_EUSAGE, "`sim:%.*s`: the simulator takes no path; write sim:?rate=20000",
                         (int)min_u64(u->path.size, 60), u->path.at);
    int rc = feed_uri_u64(u, "symbols", 1, SYMBOLS_MAX, &symbols, f);
    if (rc == 0) rc = feed_uri_u64(u, "rate", 0, SIM_RATE_MAX, &rate, f);
    if (rc == 0) rc = feed_uri_u64(u, "seed", 0, UINT64_MAX, &seed, f);
    if (rc == 0) rc = feed_uri_u64(u, "burst", 1, SIM_BURST_MAX, &burst, f);
    if (rc == 0) rc = feed_uri_u64(u, "volatility", 0, 1000, &volatility, f);
    if (rc == 0) rc = feed_uri_u64(u, "session", 0, 86400, &session, f);
    if (rc == 0) rc = feed_uri_u64(u, "halts", 0, 86400, &halts, f);
    if (rc == 0) rc = feed_uri_u64(u, "count", 0, UINT64_MAX - 1, &count, f);
    if (rc == 0) rc = feed_uri_u64(u, "start", 0, (uint64_t)INT64_MAX / 2, &s->start_ns, f);
    if (rc == 0) rc = read_kinds(u, &o->kinds, f);
    if (rc == 0) rc = read_pace(u, &s->feed.pace, f);
    if (rc == 0) rc = read_arrivals(u, &o->even, f);
    if (rc < 0) return rc;
    s->symbol_count = o->symbols = (uint32_t)symbols;
    s->burst = o->burst = (uint32_t)burst;
    s->rate = rate;
    s->count_left = count > 0 ? count : UINT64_MAX;
    o->rate = rate > 0 ? rate : SIM_RATE_MODEL;
    o->seed = seed;
    o->volatility = (uint32_t)volatility;
    o->session_ns = session * NS_PER_SECOND;
    o->halt_ns = halts * NS_PER_SECOND;
    return 0;
}

static int read_arrivals(struct feed_uri *u, bool *even, struct fault *f)
{
    struct text name = feed_uri_get(u, "arrivals");
    *even = name.at && text_equal(name, TEXT("even"));
    if (!name.at || *even || text_equal(name, TEXT("clustered"))) return 0;
    return fault_set(f, TC_EUSAGE, "feed parameter arrivals: `%.*s` is neither clustered nor even",
                     (int)min_u64(name.size, 40), name.at);
}

static int read_kinds(struct feed_uri *u, uint32_t *kinds, struct fault *f)
{
    struct text rest = feed_uri_get(u, "kinds");
    if (!rest.at) rest = TEXT("trade,quote,status");
    *kinds = 0;
    while (rest.size > 0) {
        const char *comma = memchr(rest.at, ',', rest.size);
        size_t size = comma ? (size_t)(comma - rest.at) : rest.size;
        int kind = tick_kind_parse(rest.at, size);
        if (kind < 0 || !(SIM_KINDS & KIND_BIT(kind)))
            return fault_set(f, TC_EUSAGE,
                             "feed parameter kinds: `%.*s` is none of trade, quote, bar, book, status",
                             (int)min_u64(size, 40), rest.at);
        *kinds |= KIND_BIT(kind);
        rest.at += comma ? size + 1 : size;
        rest.size -= comma ? size + 1 : size;
    }
    if (*kinds == 0 || *kinds == KIND_BIT(TICK_STATUS))
        return fault_set(f, TC_EUSAGE,
                         "feed parameter kinds names nothing that ticks; write kinds=trade,quote");
    return 0;
}

static int read_pace(struct feed_uri *u, enum feed_pace *pace, struct fault *f)
{
    struct text word = feed_uri_get(u, "pace");
    if (!word.at || text_equal(word, TEXT("free"))) {
        *pace = FEED_PACE_FREE;
    } else if (text_equal(word, TEXT("workers"))) {
        *pace = FEED_PACE_WORKERS;
    } else if (text_equal(word, TEXT("complete"))) {
        *pace = FEED_PACE_COMPLETE;
    } else {
        return fault_set(f, TC_EUSAGE, "feed parameter pace=%.*s is none of free, workers, complete",
                         (int)min_u64(word.size, 40), word.at);
    }
    return 0;
}

static int sim_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                    uint32_t ticks_max, struct fault *f)
{
    (void)f; /* nothing can fail */
    struct sim_feed *s = (struct sim_feed *)feed;
    s->polled_mono_ns = clock->mono_ns;
    if (!define(s, w)) return 0;
    if (!s->began) begin(s, clock);
    uint32_t most = ticks_max > 0 ? ticks_max : 1;
    if (feed->pace != FEED_PACE_FREE)
        most = min_u32(most, s->burst); /* the next burst when the last one is out */
    most = (uint32_t)min_u64(most, s->count_left);
    uint64_t elapsed_ns = clock->mono_ns - s->began_mono_ns;
    uint32_t pushed = s->rate > 0 ? push_due(s, w, elapsed_ns, most) : push_now(s, w, elapsed_ns, most);
    if (pushed == 0 && s->count_left == 0) return FEED_DONE;
    return (int)pushed;
}

/* All symbols are known before the first tick, in bounded portions. True when done. */
static bool define(struct sim_feed *s, struct feed_writer *w)
{
    uint32_t end = min_u32(s->symbol_count, s->defined + DEFINE_PER_POLL);
    for (; s->defined < end; s->defined++) {
        int64_t id = feed_symbol(w, text_of(sim_market_symbol(s->market, s->defined)));
        TC_ASSERT(id != TC_EINPUT); /* our own names are legal */
        s->ids[s->defined] = id < 0 ? SYMBOL_REFUSED : (int32_t)id;
    }
    return s->defined == s->symbol_count;
}

static void begin(struct sim_feed *s, const struct feed_clock *clock)
{
    s->began = true;
    s->began_mono_ns = clock->mono_ns;
    if (s->start_ns == 0) s->start_ns = clock->real_ns;
    sim_market_next(s->market, &s->next);
}

static uint32_t push_due(struct sim_feed *s, struct feed_writer *w, uint64_t elapsed_ns, uint32_t most)
{
    uint32_t pushed = 0;
    for (; pushed < most && (uint64_t)s->next.event_ns <= elapsed_ns; pushed++)
        push_next(s, w, s->start_ns + (uint64_t)s->next.event_ns);
    return pushed;
}

static uint32_t push_now(struct sim_feed *s, struct feed_writer *w, uint64_t elapsed_ns, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) push_next(s, w, s->start_ns + elapsed_ns);
    return most;
}

static void push_next(struct sim_feed *s, struct feed_writer *w, uint64_t event_ns)
{
    int32_t id = s->ids[s->next.symbol];
    if (id == SYMBOL_REFUSED) {
        feed_lost(w, FEED_REASON_SYMBOLS, 1);
    } else {
        s->next.symbol = (uint32_t)id;
        s->next.event_ns = (int64_t)event_ns;
        feed_push(w, &s->next);
    }
    if (s->count_left != UINT64_MAX) s->count_left--;
    sim_market_next(s->market, &s->next);
}

static uint64_t sim_due_ns(const struct feed *feed)
{
    const struct sim_feed *s = (const struct sim_feed *)feed;
    if (!s->began || s->count_left == 0) return 0;
    if (s->rate == 0)
        return s->polled_mono_ns + 1; /* always more, but nothing that was due before the last poll */
    uint64_t due_ns = s->began_mono_ns + (uint64_t)s->next.event_ns;
    if (due_ns <= s->polled_mono_ns)
        return due_ns; /* the poll was too small: what was due is missing still */
    if (s->rate >= DENSE_RATE) due_ns = max_u64(due_ns, s->polled_mono_ns + DENSE_QUANTUM_NS);
    return due_ns;
}
