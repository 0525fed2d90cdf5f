/* render/render_select.c -- which ticks of (from, to] go into a frame: filter, limits, conflation.
 *
 * Conflation works within one frame: per key only the newest state tick is kept, every event is kept, and
 * what is kept stays in the order of seq. Keys (decision 15): quote: symbol; book: symbol, side, price; bar
 * in progress: symbol, interval. */
#include "base/assert.h"
#include "render/render_internal.h"
#include "tick/decimal.h"
#include "tick/tick_bin.h"

struct selection {
    const struct render_in *in;
    struct render_scratch *s;
    struct render_out *result;
    uint32_t count;       /* entries of kept in use */
    uint32_t live;        /* of them not conflated away */
    uint32_t definitions; /* of the live ones */
    uint32_t used, budget, frames_max;
};

struct state_key {
    uint64_t a, b;
};

static struct selection begin(const struct render_in *in, struct render_scratch *s,
                              struct render_out *result);
static int scan(struct selection x, uint64_t end);
static bool short_list(const struct render_in *in, uint64_t end);
static int follow(struct selection x, uint64_t end);
static int followed(struct selection *x, uint64_t to, bool more);
static void wanted_positions(const struct render_in *in, uint64_t end, uint64_t *bits);
static inline __attribute__((always_inline)) int take(struct selection *x, uint64_t seq, uint32_t key);
static inline int size_of(const struct render_in *in, uint64_t seq, uint32_t key);
static int selected(struct selection *x, uint64_t to, bool more);
static inline bool fits(const struct selection *x, uint32_t cost, uint32_t cost_replaced);
static inline uint32_t cost_of(const struct render_in *in, uint32_t size);
static int state_key(const struct selection *x, uint64_t seq, uint32_t key, struct state_key *out);
static struct seen *seen_find(struct render_scratch *s, struct state_key k);
static void compact(struct selection *x);
static void stamp_next(struct render_scratch *s);

#define STOPPED      1
#define TRAIL_LEAST  8u /* positions that cost what beginning to follow does */
#define TRAIL_SPARSE 4u /* a list of under one symbol in so many */

int select_ticks(const struct render_in *in, struct render_scratch *s, struct render_out *result)
{
    uint64_t end = min_u64(in->to, in->from + scan_limit(in)); /* within TICK_BIN_BACK_MAX: render_bin.c */
    struct selection x = begin(in, s, result);
    return short_list(in, end) ? follow(x, end) : scan(x, end);
}

static struct selection begin(const struct render_in *in, struct render_scratch *s, struct render_out *result)
{
    struct selection x = {.in = in, .s = s, .result = result};
    uint32_t bytes_max = min_u32(in->bytes_max, RENDER_BYTES_MAX);
    if (in->framing == FRAME_BATCH) {
        x.budget = min_u32(bytes_max, FRAME_BYTES_MAX) - ENVELOPE_MAX;
        x.frames_max = RENDER_KEEP_MAX;
    } else {
        x.budget = bytes_max - COVERED_MAX;
        x.frames_max = RENDER_FRAMES_MAX - 1; /* one is for `covered` */
    }
    TC_ASSERT(x.budget >= TICK_JSON_MAX + TICK_HEAD_MAX);
    stamp_next(s);
    return x;
}

/* Looks at the key of every tick. */
static int scan(struct selection x, uint64_t end)
{
    const struct render_in *in = x.in;
    uint64_t at = in->from;
    while (at < end) {
        uint32_t want = (uint32_t)min_u64(end - at, sizeof x.s->keys / sizeof x.s->keys[0]);
        int count = log_read_keys(in->log, at, x.s->keys, want);
        if (count < 0) return count;
        for (int i = 0; i < count; i++) {
            if (!filter_match(in->filter, x.s->keys[i])) continue;
            int r = take(&x, at + 1 + (uint64_t)i, x.s->keys[i]);
            if (r < 0) return r;
            if (r == STOPPED) return selected(&x, at + (uint64_t)i, true);
        }
        at += (uint64_t)count;
    }
    return selected(&x, end, end < in->to);
}

/* A look at each symbol of the list costs less than one at each tick: a position's key is about two trails,
 * or 500 symbols' bits to see which are named (bench/instructions: watch-lists-25). What is found costs more
 * on a trail: a list of many of the symbols finds much, so that its trails have to be few beside the
 * positions. */
static bool short_list(const struct render_in *in, uint64_t end)
{
    const struct filter *f = in->filter;
    if (!in->trail || f->kinds_all != 0 || !trail_reaches(in->trail, in->from, end)) return false;
    bool dense = f->named_count > f->id_count / TRAIL_SPARSE;
    return end - in->from >
           TRAIL_LEAST + (dense ? f->named_count * 2 : f->named_count / 2) + f->id_count / 512;
}

/* As scan, by the trail of each symbol. */
static int follow(struct selection x, uint64_t end)
{
    const struct render_in *in = x.in;
    uint64_t *bits = x.s->wanted;
    wanted_positions(in, end, bits);
    for (uint64_t word = 0; word * 64 < end - in->from; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            uint64_t seq = in->from + 1 + word * 64 + (uint64_t)__builtin_ctzll(left);
            uint32_t key = log_key_at(in->log, seq);
            if (!filter_match(in->filter, key)) continue;
            int r = take(&x, seq, key);
            if (r < 0) return r;
            if (r == STOPPED) return followed(&x, seq - 1, true);
        }
    return followed(&x, end, end < in->to);
}

/* No key was checked when it was read: one look at the log now does for all, and for what was not read. */
static int followed(struct selection *x, uint64_t to, bool more)
{
    return log_holds(x->in->log, x->in->from) ? selected(x, to, more) : TC_LAPPED;
}

static void wanted_positions(const struct render_in *in, uint64_t end, uint64_t *bits)
{
    const struct filter *f = in->filter;
    memset(bits, 0, (end - in->from + 63) / 64 * sizeof *bits);
    trail_follow(in->trail, in->trail->symbols_max, in->from, end, bits); /* feeds' */
    for (uint32_t word = 0; word < f->id_count / 64; word++)
        for (uint64_t ids = f->ids[word]; ids != 0; ids &= ids - 1)
            trail_follow(in->trail, word * 64 + (uint32_t)__builtin_ctzll(ids), in->from, end, bits);
}

static int selected(struct selection *x, uint64_t to, bool more)
{
    x->result->to = to;
    x->result->more = more;
    x->result->definitions = x->definitions;
    x->result->ticks = x->live - x->definitions;
    return (int)x->count;
}

/* Takes one matching tick in. 0, STOPPED (it does not fit: the frame ends before it) or TC_LAPPED. */
static inline int take(struct selection *x, uint64_t seq, uint32_t key)
{
    int size = size_of(x->in, seq, key);
    if (size <= 0) return size; /* lapped, or a kind without a form on the wire */
    uint32_t cost = cost_of(x->in, (uint32_t)size);
    if (x->count == RENDER_KEEP_MAX) compact(x);

    struct seen *seen = NULL;
    struct kept *older = NULL;
    if (x->in->conflate && log_key_state(key)) {
        struct state_key k;
        int r = state_key(x, seq, key, &k);
        if (r < 0) return r;
        seen = seen_find(x->s, k);
        if (seen->stamp == x->s->stamp) older = &x->s->kept[seen->index];
    }
    if (!fits(x, cost, older ? cost_of(x->in, older->size) : 0)) return STOPPED;
    if (older) {
        x->used -= cost_of(x->in, older->size);
        older->size = 0;
        x->live--;
        x->result->conflated++;
    }
    if (seen) {
        seen->stamp = x->s->stamp;
        seen->index = x->count;
    }
    x->s->kept[x->count++] = (struct kept){.seq = seq, .size = (uint32_t)size};
    x->used += cost;
    x->live++;
    x->definitions += log_key_kind(key) == TICK_SYMBOL;
    return 0;
}

/* A record's most bytes come from its kind alone: the tick itself is read once, when it is written. */
static inline int size_of(const struct render_in *in, uint64_t seq, uint32_t key)
{
    if (in->encoding == ENCODING_BINARY) return (int)tick_bin_bytes_max(log_key_kind(key));
    return log_json_size(in->log, seq);
}

static inline bool fits(const struct selection *x, uint32_t cost, uint32_t cost_replaced)
{
    if (x->used - cost_replaced + cost > x->budget) return false;
    if (x->live + 1 - (cost_replaced > 0) > x->frames_max) return false;
    return x->count < RENDER_KEEP_MAX;
}

static inline uint32_t cost_of(const struct render_in *in, uint32_t size)
{
    if (in->encoding == ENCODING_BINARY)
        return size + (in->framing == FRAME_BATCH ? 0u : BIN_TICK_HEAD_MAX); /* its message's head */
    return size + (in->framing == FRAME_BATCH ? 1u : TICK_HEAD_MAX);         /* its comma or its head */
}

static int state_key(const struct selection *x, uint64_t seq, uint32_t key, struct state_key *out)
{
    *out = (struct state_key){.a = key, .b = 0}; /* symbol and kind */
    if (log_key_kind(key) == TICK_QUOTE) return 0;
    struct tick t;
    int r = log_read(x->in->log, seq - 1, &t, 1);
    if (r < 0) return r;
    if (t.kind == TICK_BAR) {
        out->b = (uint64_t)tick_bar_interval(&t);
        return 0;
    }
    struct decimal price = decimal_trim((struct decimal){t.book.price, t.price_exp}); /* 189.2 is 189.20 */
    out->a |= (uint64_t)(t.flags & BOOK_ASK) << 32 | (uint64_t)(uint8_t)price.exponent << 40;
    out->b = (uint64_t)price.mantissa;
    return 0;
}

/* The entry of a key, or the free one where it goes. Never full: entries <= RENDER_KEEP_MAX = half the table.
 */
static struct seen *seen_find(struct render_scratch *s, struct state_key k)
{
    uint32_t mask = 2 * RENDER_KEEP_MAX - 1;
    uint64_t hash = (k.a ^ (k.b * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xbf58476d1ce4e5b9);
    for (uint32_t i = (uint32_t)(hash >> 40) & mask;; i = (i + 1) & mask) {
        struct seen *e = &s->seen[i];
        if (e->stamp != s->stamp) {
            e->a = k.a;
            e->b = k.b;
            return e;
        }
        if (e->a == k.a && e->b == k.b) return e;
    }
}

/* Drops entries that were conflated away; indexes in seen move along. */
static void compact(struct selection *x)
{
    if (x->live == x->count) return;
    struct render_scratch *s = x->s;
    uint32_t to = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        if (s->kept[i].size == 0) continue;
        s->kept[i].moved_to = to;
        to++;
    }
    for (uint32_t i = 0; i < 2 * RENDER_KEEP_MAX; i++)
        if (s->seen[i].stamp == s->stamp) s->seen[i].index = s->kept[s->seen[i].index].moved_to;
    uint32_t next = 0, dropped = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        dropped += s->kept[i].dropped;
        if (s->kept[i].size == 0) {
            dropped++;
            continue;
        }
        s->kept[next] = s->kept[i];
        s->kept[next++].dropped = dropped;
        dropped = 0;
    }
    x->count = next;
    TC_ASSERT(dropped == 0); /* the newest entry is always live */
}

static void stamp_next(struct render_scratch *s)
{
    if (++s->stamp != 0) return;
    memset(s->seen, 0, sizeof s->seen); /* once in 2^32 calls */
    s->stamp = 1;
}
