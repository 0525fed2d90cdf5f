/* render against a reference filter written the obvious way: random logs, rules, ranges, framings, limits.
 * The reference reads ticks one by one, asks each rule in words, and never looks at a key, a bit or an index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "render/render.h"
#include "wire/command.h"

#include <stdio.h>
#include <stdlib.h>

#define TICKS   600u
#define SYMBOLS 12u

static const char *const names[SYMBOLS] = {"AAPL",
                                           "AMZN",
                                           "A",
                                           "BRK.A",
                                           "BRK.B",
                                           "MSFT",
                                           "X\"Y",
                                           "B\\S",
                                           "ES*",
                                           "BRN FMJ0024!",
                                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
                                           "TSLA"};
static const char *const patterns[] = {"*",    "A*",   "AAPL", "BRK*", "BRK.B",
                                       "MSFT", "ES**", "NONE", "X\"Y", "B*K"};

static uint32_t runs_of_many; /* had several frames */

struct world {
    struct log *log;
    struct trail trail;
    struct heap heap;
    struct tick ticks[2 * TICKS]; /* by seq - 1: the reference's own copy */
    uint64_t head;
};

static void push(struct world *w, struct tick t)
{
    log_append(w->log, &t, 1);
    w->ticks[t.seq - 1] = t;
    w->head = t.seq;
    trail_note(&w->trail, log_key(t.symbol, t.kind, false), t.seq);
}

static struct tick random_tick(struct random *r)
{
    uint8_t kinds[] = {TICK_TRADE, TICK_QUOTE, TICK_QUOTE,  TICK_BAR,
                       TICK_BOOK,  TICK_BOOK,  TICK_STATUS, TICK_FEED};
    struct tick t = {.event_ns = (int64_t)random_below(r, 1u << 30),
                     .kind = kinds[random_below(r, sizeof kinds)]};
    if (t.kind != TICK_FEED) t.symbol = (uint32_t)random_below(r, SYMBOLS);
    if (t.kind == TICK_TRADE)
        t.trade = (struct tick_trade){.price = (int64_t)random_below(r, 1000), .size = 5};
    if (t.kind == TICK_QUOTE)
        t.quote =
            (struct tick_quote){.bid = 1, .bid_size = 1, .ask = 2, .ask_size = (int64_t)random_below(r, 9)};
    if (t.kind == TICK_STATUS) t.status.state = STATUS_HALTED;
    if (t.kind == TICK_FEED) {
        t.feed.state = FEED_STARTED;
        memcpy(t.feed.name, "sim", 3);
    }
    if (t.kind == TICK_BOOK) { /* the same level in two spellings: 10 and 10.0 */
        t.price_exp = random_below(r, 2) ? -1 : 0;
        t.book.price = (int64_t)random_below(r, 3) * (t.price_exp ? 10 : 1);
        t.book.size = (int64_t)random_below(r, 3);
        t.flags = random_below(r, 2) ? BOOK_ASK : 0;
    }
    if (t.kind == TICK_BAR) {
        t.bar = (struct tick_bar){1, 2, 1, 2, 10};
        unsigned interval = random_below(r, 2) ? BAR_1M : BAR_1S, final = random_below(r, 2) ? BAR_FINAL : 0;
        t.flags = (uint8_t)(final | interval << BAR_INTERVAL_SHIFT);
    }
    return t;
}

static void make_world(struct world *w, struct random *r)
{
    struct log_options o = {.capacity = 4096, .symbols_max = 64, .bars_max = 64};
    w->log = log_create(&o, NULL);
    assert_non_null(w->log);
    assert_int_equal(heap_init(&w->heap, 1 << 20), 0);
    assert_int_equal(trail_init(&w->trail, 64), 0);
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        assert_int_equal(log_symbol(w->log, text_of(names[i]), 1), i);
        w->head = log_head(w->log);
        w->ticks[w->head - 1] = (struct tick){.kind = TICK_SYMBOL, .symbol = i, .seq = w->head};
        trail_note(&w->trail, log_key(i, TICK_SYMBOL, false), w->head);
    }
    for (uint32_t i = 0; i < TICKS; i++) push(w, random_tick(r));
}

static void free_world(struct world *w)
{
    log_destroy(w->log);
    trail_destroy(&w->trail);
    heap_destroy(&w->heap);
}

/* ---- The reference. ---- */

static bool pattern_says(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (pattern[n - 1] == '*') return strncmp(pattern, name, n - 1) == 0;
    return strcmp(pattern, name) == 0;
}

struct wanted {
    const char *pattern[4];
    uint32_t kinds[4], count;
};

static bool wants(const struct wanted *x, const struct tick *t)
{
    if (t->kind == TICK_FEED) return true;
    for (uint32_t i = 0; i < x->count; i++)
        if ((x->kinds[i] >> t->kind & 1) && t->kind != TICK_SYMBOL &&
            pattern_says(x->pattern[i], names[t->symbol]))
            return true;
    return false;
}

static bool same_level(const struct tick *a, const struct tick *b)
{
    int64_t pa = a->price_exp ? a->book.price : a->book.price * 10,
            pb = b->price_exp ? b->book.price : b->book.price * 10;
    return a->flags == b->flags && pa == pb;
}

static bool replaces(const struct tick *newer, const struct tick *older)
{
    if (newer->kind != older->kind || newer->symbol != older->symbol) return false;
    if (newer->kind == TICK_QUOTE) return true;
    if (newer->kind == TICK_BOOK) return same_level(newer, older);
    return newer->kind == TICK_BAR && !(newer->flags & BAR_FINAL) && newer->flags == older->flags;
}

/* The seqs a frame over (from, to] must hold. */
static uint32_t reference(const struct world *w, const struct wanted *x, uint64_t from, uint64_t to,
                          bool conflate, uint64_t *seqs, uint32_t *dropped)
{
    uint32_t n = 0;
    *dropped = 0;
    for (uint64_t s = from + 1; s <= to; s++) {
        const struct tick *t = &w->ticks[s - 1];
        if (!wants(x, t)) continue;
        bool gone = false;
        for (uint64_t later = s + 1; conflate && later <= to && !gone; later++)
            gone = tick_is_state(t->kind, t->flags) && wants(x, &w->ticks[later - 1]) &&
                   replaces(&w->ticks[later - 1], t);
        if (gone)
            (*dropped)++;
        else
            seqs[n++] = s;
    }
    return n;
}

/* ---- Reading what render made. ---- */

static uint64_t number_after(const uint8_t *at, const uint8_t *end, const char *key)
{
    const uint8_t *p = memmem(at, (size_t)(end - at), key, strlen(key));
    return p ? strtoull((const char *)p + strlen(key), NULL, 10) : 0;
}

static const uint8_t *frame(const uint8_t *p, const uint8_t **payload, size_t *size)
{
    assert_int_equal(p[0], 0x81);
    *size = p[1];
    *payload = p + 2;
    if (p[1] == 126) {
        *size = (size_t)p[2] << 8 | p[3];
        *payload = p + 4;
    }
    return *payload + *size;
}

static uint32_t seqs_in(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint32_t n = 0;
    for (const uint8_t *p = at; (p = memmem(p, (size_t)(end - p), "\"seq\":", 6)) != NULL;) {
        out[n++] = strtoull((const char *)p + 6, NULL, 10);
        p += 6;
    }
    return n;
}

static void check_batch(const struct render_in *in, const struct render_out *out, const uint8_t *bytes,
                        const uint64_t *expected, uint32_t count, uint32_t dropped)
{
    if (count == 0 && !in->force) {
        assert_int_equal(out->frames, 0);
        return;
    }
    if (out->frames == 0) {
        assert_int_equal(out->to, in->position);
        return;
    }
    const uint8_t *payload;
    size_t size;
    assert_ptr_equal(frame(bytes, &payload, &size), bytes + out->bytes);
    assert_true(out->bytes <= FRAME_BYTES_MAX);
    assert_int_equal(number_after(payload, payload + size, "\"from\":"), in->position);
    assert_int_equal(number_after(payload, payload + size, "\"to\":"), out->to);
    assert_int_equal(number_after(payload, payload + size, "\"conflated\":"), dropped);
    uint64_t got[2 * TICKS];
    assert_int_equal(seqs_in(payload, payload + size, got), count);
    assert_memory_equal(got, expected, count * sizeof got[0]);
}

static void check_ticks(const struct render_in *in, const struct render_out *out, const uint8_t *bytes,
                        const uint64_t *expected, uint32_t count, uint32_t dropped)
{
    const uint8_t *p = bytes, *payload;
    size_t size;
    for (uint32_t i = 0; i < count; i++) {
        p = frame(p, &payload, &size);
        assert_int_equal(number_after(payload, payload + size, "\"seq\":"), expected[i]);
        assert_int_equal(out->ends[i].offset, p - bytes);
        assert_int_equal(out->ends[i].position, expected[i]);
    }
    if (dropped > 0 || (in->force && in->position < out->to)) {
        p = frame(p, &payload, &size);
        assert_int_equal(number_after(payload, payload + size, "\"from\":"), in->position);
        assert_int_equal(number_after(payload, payload + size, "\"to\":"), out->to);
        assert_int_equal(number_after(payload, payload + size, "\"conflated\":"), dropped);
        assert_true(out->ends[out->frames - 1].covered);
    }
    assert_int_equal(p - bytes, out->bytes);
}

/* By the trail or by looking at every tick: the same bytes. */
static void check_trail(const struct world *w, const struct render_in *in, const struct render_out *out,
                        const uint8_t *bytes)
{
    static struct render_scratch scratch;
    static uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK];
    static struct render_out again;
    struct render_in with = *in;
    with.trail = &w->trail;
    assert_int_equal(render(&with, &scratch, room, &again), 0);
    assert_int_equal(again.to, out->to);
    assert_int_equal(again.more, out->more);
    assert_int_equal(again.ticks, out->ticks);
    assert_int_equal(again.conflated, out->conflated);
    assert_int_equal(again.bytes, out->bytes);
    assert_memory_equal(room + again.start, bytes, out->bytes);
    assert_int_equal(again.frames, out->frames);
    for (uint32_t i = 0; i < out->frames; i++) {
        assert_int_equal(again.ends[i].offset, out->ends[i].offset);
        assert_int_equal(again.ends[i].position, out->ends[i].position);
    }
    assert_int_equal(again.sampled, out->sampled);
}

/* The map has the multiples of AGE_SAMPLE that are in the bytes, and no other. */
static void check_samples(const struct render_in *in, const struct render_out *out, const uint64_t *expected,
                          uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (expected[i] % AGE_SAMPLE != 0) continue;
        assert_true(out->sampled > found++);
        uint64_t bit = (expected[i] - out->sample_first) / AGE_SAMPLE;
        assert_true(out->sample_first == (in->from / AGE_SAMPLE + 1) * AGE_SAMPLE);
        assert_true(out->sample_map[bit / 64] >> bit % 64 & 1);
    }
    assert_int_equal(out->sampled, found);
    for (uint32_t i = 0; out->sampled > 0 && i < RENDER_SAMPLES / 64; i++)
        found -= (uint32_t)__builtin_popcountll(out->sample_map[i]);
    assert_int_equal(found, 0);
}

/* A run is what render gives when it is called again from where it stopped, as long as there is room. */
static void check_run(const struct world *w, const struct render_in *given, struct random *r)
{
    static struct render_scratch scratch;
    static uint8_t run_room[RENDER_BYTES_MAX + RENDER_SLACK], room[RENDER_BYTES_MAX + RENDER_SLACK];
    static struct render_out run, one;
    struct render_in in = *given;
    in.from = in.position = random_below(r, in.from + 1);
    in.to = w->head;
    in.bytes_max = 1024 + (uint32_t)random_below(r, RENDER_BYTES_MAX - 1023);
    if (random_below(r, 2)) in.scan_max = 0;
    run_room[sizeof run_room - 1] = 0xa5;
    assert_int_equal(render_run(&in, &scratch, run_room, &run), 0);
    assert_int_equal(run_room[sizeof run_room - 1], 0xa5);
    assert_true(run.bytes <= in.bytes_max);
    struct render_in next = in;
    uint32_t at = 0, ticks = 0;
    uint64_t conflated = 0, samples = 0;
    for (uint32_t i = 0; i < run.frames; i++) {
        assert_int_equal(render(&next, &scratch, room, &one), 0);
        assert_int_equal(one.frames, 1);
        assert_memory_equal(room + one.start, run_room + run.start + at, one.bytes);
        at += one.bytes;
        ticks += one.ticks;
        conflated += one.conflated;
        assert_int_equal(run.ends[i].offset, at);
        assert_int_equal(run.ends[i].position, one.to);
        assert_int_equal(run.ends[i].ticks, ticks);
        assert_int_equal(run.ends[i].conflated, conflated);
        for (uint64_t seq = (next.from / AGE_SAMPLE + 1) * AGE_SAMPLE; one.sampled > 0 && seq <= one.to;
             seq += AGE_SAMPLE) {
            uint64_t here = (seq - one.sample_first) / AGE_SAMPLE,
                     bit = (seq - run.sample_first) / AGE_SAMPLE;
            bool is = one.sample_map[here / 64] >> here % 64 & 1;
            samples += is;
            assert_int_equal(run.sample_map[bit / 64] >> bit % 64 & 1, is);
        }
        next.scan_max = (in.scan_max ? in.scan_max : RENDER_SCAN_MAX) - (uint32_t)(one.to - in.from);
        next.from = next.position = one.to;
        next.bytes_max = FRAME_BYTES_MAX;
        next.force = false;
    }
    assert_int_equal(run.bytes, at);
    assert_int_equal(run.ticks, ticks);
    assert_int_equal(run.conflated, conflated);
    assert_int_equal(run.sampled, samples);
    if (run.frames > 0) assert_int_equal(run.to, one.to);
    bool wanted = run.more && in.bytes_max - run.bytes >= FRAME_BYTES_MAX + RENDER_SLACK;
    if (wanted && run.frames > 0 && next.scan_max > 0) { /* it ended because nothing came any more */
        assert_int_equal(render(&next, &scratch, room, &one), 0);
        assert_int_equal(one.frames, 0);
    }
    runs_of_many += run.frames > 1;
}

static void one_case(struct world *w, struct random *r)
{
    struct wanted x = {.count = 1 + (uint32_t)random_below(r, 4)};
    struct rule rules[4];
    for (uint32_t i = 0; i < x.count; i++) {
        x.pattern[i] = patterns[random_below(r, sizeof patterns / sizeof patterns[0])];
        x.kinds[i] = random_below(r, 3) ? KINDS_CLIENT : KIND_BIT(1u + (uint32_t)random_below(r, 5));
        rules[i] = rule_make(text_of(x.pattern[i]), x.kinds[i]);
    }
    struct filter f;
    /* Some symbols become known only after the filter was made. */
    uint32_t known = (uint32_t)random_below(r, SYMBOLS + 1);
    assert_int_equal(filter_init(&f, &w->heap, rules, x.count, log_symbols(w->log), known), 0);
    for (uint32_t id = known; id < SYMBOLS; id++)
        assert_true(filter_add_symbol(&f, &w->heap, id, text_of(names[id])) >= 0);

    static struct render_scratch scratch;
    static uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK];
    struct render_in in = {.log = w->log, .filter = &f, .encoding = ENCODING_JSON};
    in.from = random_below(r, w->head + 1);
    in.to = in.from + random_below(r, w->head - in.from + 1);
    in.position = in.from;
    in.bytes_max = random_below(r, 2) ? RENDER_BYTES_MAX : 700 + (uint32_t)random_below(r, 4000);
    in.scan_max = random_below(r, 2) ? 0 : 1 + (uint32_t)random_below(r, 300);
    in.framing = random_below(r, 2) ? FRAME_BATCH : FRAME_TICK;
    in.conflate = random_below(r, 2);
    in.force = random_below(r, 4) == 0;
    struct render_out out;
    assert_int_equal(render(&in, &scratch, room, &out), 0);
    check_trail(w, &in, &out, room + out.start);
    assert_true(out.to >= in.from && out.to <= in.to);
    if (out.to < in.to) assert_true(out.more);
    uint64_t expected[2 * TICKS];
    uint32_t dropped, count = reference(w, &x, in.from, out.to, in.conflate, expected, &dropped);
    assert_int_equal(out.ticks, count);
    if (in.framing == FRAME_BATCH)
        check_batch(&in, &out, room + out.start, expected, count, dropped);
    else
        check_ticks(&in, &out, room + out.start, expected, count, dropped);
    check_samples(&in, &out, expected, count);
    if (in.framing == FRAME_BATCH) check_run(w, &in, r);
    filter_free(&f, &w->heap);
}

static void render_equals_reference(void **state)
{
    (void)state;
    const char *given = getenv("TICKCAST_SEED");
    for (uint64_t seed = given ? strtoull(given, NULL, 0) : 1, last = given ? seed : 40; seed <= last;
         seed++) {
        struct random r;
        random_seed(&r, seed);
        static struct world w;
        make_world(&w, &r);
        printf("render seed %llu (rerun: TICKCAST_SEED=%llu)\n", (unsigned long long)seed,
               (unsigned long long)seed);
        for (int i = 0; i < 100; i++) one_case(&w, &r);
        assert_int_equal(w.heap.live, 0);
        free_world(&w);
    }
    if (!given) assert_true(runs_of_many > 50);
}

/* The same arguments give the same bytes; a range cut anywhere gives the same ticks. */
static void render_is_pure(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 99);
    static struct world w;
    make_world(&w, &r);
    struct rule rule = rule_make(TEXT("A*"), KINDS_CLIENT);
    struct filter f;
    assert_int_equal(filter_init(&f, &w.heap, &rule, 1, log_symbols(w.log), SYMBOLS), 0);
    static struct render_scratch a, b;
    static uint8_t one[RENDER_BYTES_MAX + RENDER_SLACK], two[RENDER_BYTES_MAX + RENDER_SLACK];
    memset(&b, 0x5a, sizeof b);
    struct render_in in = {
        .log = w.log, .filter = &f, .to = 300, .bytes_max = RENDER_BYTES_MAX, .conflate = true};
    struct render_out x, y;
    render(&in, &a, one, &x);
    render(&in, &b, two, &y);
    assert_int_equal(x.bytes, y.bytes);
    assert_memory_equal(one + x.start, two + y.start, x.bytes);
    filter_free(&f, &w.heap);
    free_world(&w);
}

static void a_lapped_range_is_told(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 7);
    static struct world w;
    make_world(&w, &r);
    struct rule rule = rule_make(TEXT("*"), KINDS_CLIENT);
    struct filter f;
    assert_int_equal(filter_init(&f, &w.heap, &rule, 1, log_symbols(w.log), SYMBOLS), 0);
    for (uint32_t i = 0; i < 4096; i++) {
        struct tick t = random_tick(&r);
        log_append(w.log, &t, 1);
    }
    static struct render_scratch s;
    static uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK];
    struct render_in in = {
        .log = w.log, .filter = &f, .from = 10, .position = 10, .to = 400, .bytes_max = RENDER_BYTES_MAX};
    struct render_out out;
    assert_int_equal(render(&in, &s, room, &out), TC_LAPPED);
    in.from = in.position = log_after_lap(w.log);
    in.to = log_head(w.log);
    assert_int_equal(render(&in, &s, room, &out), 0);
    free_world(&w);
}

/* A short list looks only where its symbol's ticks stand. After a lap others' ticks are there, none of which
 * it wants: it must not take that for nothing. */
static void a_lapped_range_of_a_short_list_is_told(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 9);
    static struct world w;
    make_world(&w, &r);
    struct rule rule = rule_make(text_of(names[0]), KINDS_CLIENT);
    struct filter f;
    assert_int_equal(filter_init(&f, &w.heap, &rule, 1, log_symbols(w.log), SYMBOLS), 0);
    uint64_t from = log_head(w.log), end = from + 200;
    struct tick t = {.kind = TICK_TRADE, .trade = {.price = 1, .size = 1}};
    for (uint64_t seq = from + 1; seq <= end; seq++) {
        t.symbol = seq % 20 == 0 ? 0 : 1;
        log_append(w.log, &t, 1);
        trail_note(&w.trail, log_key_at(w.log, seq), seq);
    }
    static struct render_scratch s;
    static uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK];
    struct render_in in = {.log = w.log,
                           .filter = &f,
                           .trail = &w.trail,
                           .from = from,
                           .position = from,
                           .to = end,
                           .bytes_max = RENDER_BYTES_MAX};
    struct render_out out;
    assert_int_equal(render(&in, &s, room, &out), 0);
    assert_int_equal(out.ticks, 10);
    t.symbol = 1;
    for (uint32_t i = 0; i < 4096 + 200; i++) log_append(w.log, &t, 1);
    assert_int_equal(render(&in, &s, room, &out), TC_LAPPED);
    free_world(&w);
}

/* The writer comes round between two frames of a run: the first ones are whole, and good. */
static void a_run_that_is_lapped_keeps_its_frames(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 8);
    static struct world w;
    make_world(&w, &r);
    struct rule rule = rule_make(TEXT("*"), KINDS_CLIENT);
    struct filter f;
    assert_int_equal(filter_init(&f, &w.heap, &rule, 1, log_symbols(w.log), SYMBOLS), 0);
    static struct render_scratch s;
    static uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK], before[FRAME_BYTES_MAX];
    static struct render_out out;
    struct render_in in = {.log = w.log, .filter = &f, .to = w.head, .bytes_max = RENDER_BYTES_MAX};
    assert_int_equal(render(&in, &s, room, &out), 0);
    assert_true(out.more && out.frames == 1);
    uint32_t bytes = out.bytes;
    memcpy(before, room + out.start, bytes);
    for (uint32_t i = 0; i < 4096; i++) {
        struct tick t = random_tick(&r);
        log_append(w.log, &t, 1);
    }
    render_more(&in, &s, room, &out);
    assert_true(out.frames == 1 && out.bytes == bytes && out.to == out.ends[0].position);
    assert_memory_equal(room + out.start, before, bytes);
    filter_free(&f, &w.heap);
    free_world(&w);
}

/* What a send of a busy stream carries. */
static void a_run_holds_at_least_three_full_frames(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 9);
    static struct world w;
    make_world(&w, &r);
    for (uint32_t i = 0; i < 2048; i++) {
        struct tick t = random_tick(&r);
        log_append(w.log, &t, 1);
    }
    struct rule rule = rule_make(TEXT("*"), KINDS_CLIENT);
    struct filter f;
    assert_int_equal(filter_init(&f, &w.heap, &rule, 1, log_symbols(w.log), SYMBOLS), 0);
    static struct render_scratch s;
    static uint8_t room[RENDER_BYTES_MAX + RENDER_SLACK];
    static struct render_out out;
    for (int binary = 0; binary < 2; binary++) {
        struct render_in in = {.log = w.log,
                               .filter = &f,
                               .from = log_head(w.log) - 2000,
                               .position = log_head(w.log) - 2000,
                               .to = log_head(w.log),
                               .bytes_max = RENDER_BYTES_MAX,
                               .encoding = binary ? ENCODING_BINARY : ENCODING_JSON};
        assert_int_equal(render_run(&in, &s, room, &out), 0);
        assert_true(out.frames == 3 || out.frames == 4);
    }
    filter_free(&f, &w.heap);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_lapped_keeps_its_frames),
        cmocka_unit_test(a_run_holds_at_least_three_full_frames),
        cmocka_unit_test(render_equals_reference),
        cmocka_unit_test(render_is_pure),
        cmocka_unit_test(a_lapped_range_is_told),
        cmocka_unit_test(a_lapped_range_of_a_short_list_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
