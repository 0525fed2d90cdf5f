/* tests/property/cmd/client_bin_test.c -- goal: the binary subprotocol says what the JSON one says. Random
 * logs, filters, framings, limits, conflation: what render makes in binary, decoded, is byte for byte the
 * JSON that render makes of the same arguments; likewise snapshots and every notice. Each case's decoder
 * knows only the symbols that were defined up to the position it starts from, so a definition that is missing
 * in the frames is found (decision 27). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "cmd/client_bin.h"
#include "render/render.h"
#include "tick/tick_bin.h"
#include "wire/bin.h"
#include "wire/notice.h"

#include <stdio.h>
#include <stdlib.h>

#define TICKS     900u
#define SYMBOLS   12u
#define SPAN_MOST 40u /* so many ticks fit one frame in either encoding */

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
                                           "EIGHT888"};
static const char *const patterns[] = {"*", "A*", "AAPL", "BRK*", "BRK.B", "X\"Y", "ES**", "NONE", "B*"};

struct world {
    struct log *log;
    struct heap heap;
    struct last_value *last;
    uint64_t defined_at[SYMBOLS]; /* seq of the definition, by id */
    uint64_t head;
};

static uint64_t seed_now;

/* ---- A log of everything that a tick can be. ---- */

static int64_t any_number(struct random *r)
{
    switch (random_below(r, 5)) {
    case 0: return 0;
    case 1: return INT64_MAX;
    case 2: return (int64_t)random_below(r, 100000);
    default: return (int64_t)(random_u64(r) >> (1 + random_below(r, 62)));
    }
}

static int64_t any_signed(struct random *r)
{
    int64_t n = any_number(r);
    return random_below(r, 3) ? n : n == INT64_MAX ? INT64_MIN : -n;
}

static void any_feed(struct random *r, struct tick *t)
{
    static const char *const feeds[] = {"sim", "day.csv", "a\"b\\c", "sixteen-letters!"};
    const char *name = feeds[random_below(r, 4)];
    memcpy(t->feed.name, name, strnlen(name, FEED_NAME_MAX));
    t->symbol = 0;
    t->price_exp = t->size_exp = 0;
    t->flags = random_below(r, 2) ? FEED_RESET : 0;
    t->feed.state = (uint8_t)(1 + random_below(r, FEED_STATES - 1));
    if (t->feed.state != FEED_LOST) return;
    t->feed.reason = (uint8_t)(1 + random_below(r, FEED_REASONS - 1));
    t->feed.lost = random_below(r, 2) ? FEED_LOST_UNKNOWN : random_below(r, 1000);
}

static struct tick any_tick(struct random *r, uint32_t symbols)
{
    uint8_t kinds[] = {TICK_TRADE, TICK_QUOTE, TICK_QUOTE,  TICK_BAR,
                       TICK_BOOK,  TICK_BOOK,  TICK_STATUS, TICK_FEED};
    struct tick t = {.event_ns = any_signed(r), .kind = kinds[random_below(r, sizeof kinds)]};
    t.symbol = (uint32_t)random_below(r, symbols);
    t.price_exp = (int8_t)-random_below(r, 19);
    t.size_exp = (int8_t)-random_below(r, 19);
    switch (t.kind) {
    case TICK_TRADE:
        t.flags = (uint8_t)random_below(r, 3);
        t.trade = (struct tick_trade){any_signed(r), any_number(r), random_below(r, 2) * random_u64(r), 0};
        break;
    case TICK_QUOTE:
        t.flags = (uint8_t)random_below(r, 4);
        t.quote = (struct tick_quote){any_signed(r), any_number(r), any_signed(r), any_number(r)};
        if (t.flags & QUOTE_NO_BID) t.quote.bid = t.quote.bid_size = 0;
        if (t.flags & QUOTE_NO_ASK) t.quote.ask = t.quote.ask_size = 0;
        break;
    case TICK_BAR:
        t.bar = (struct tick_bar){any_signed(r), any_signed(r), any_signed(r), any_signed(r), any_number(r)};
        t.flags = (uint8_t)(random_below(r, 2) | random_below(r, BAR_INTERVALS) << BAR_INTERVAL_SHIFT);
        break;
    case TICK_BOOK: /* few levels, in two spellings: conflation finds them equal */
        t.flags = random_below(r, 2) ? BOOK_ASK : 0;
        t.price_exp = random_below(r, 2) ? -1 : 0;
        t.book.price = (int64_t)random_below(r, 3) * (t.price_exp ? 10 : 1);
        t.book.size = any_number(r);
        break;
    case TICK_STATUS: t.status.state = (uint8_t)(1 + random_below(r, STATUS_STATES - 1)); break;
    default: any_feed(r, &t);
    }
    return t;
}

/* Symbols appear all along the log. */
static void make_world(struct world *w, struct random *r)
{
    struct log_options o = {.capacity = 2048, .symbols_max = 64, .bars_max = 2048};
    w->log = log_create(&o, NULL);
    w->last = last_value_create(64, 2048);
    assert_non_null(w->log);
    assert_non_null(w->last);
    assert_int_equal(heap_init(&w->heap, 1 << 20), 0);
    uint32_t symbols = 0;
    for (uint32_t i = 0; i < TICKS; i++) {
        if (symbols < SYMBOLS && (symbols < 2 || random_below(r, 50) == 0)) {
            assert_int_equal(log_symbol(w->log, text_of(names[symbols]), 1), symbols);
            w->defined_at[symbols++] = log_head(w->log);
            continue;
        }
        struct tick t = any_tick(r, symbols);
        log_append(w->log, &t, 1);
        last_value_fold(w->last, &t);
    }
    while (symbols < SYMBOLS) {
        assert_int_equal(log_symbol(w->log, text_of(names[symbols]), 1), symbols);
        w->defined_at[symbols++] = log_head(w->log);
    }
    w->head = log_head(w->log);
}

static void free_world(struct world *w)
{
    assert_int_equal(w->heap.live, 0);
    log_destroy(w->log);
    last_value_destroy(w->last);
    heap_destroy(&w->heap);
}

static uint32_t symbols_at(const struct world *w, uint64_t position)
{
    uint32_t count = 0;
    while (count < SYMBOLS && w->defined_at[count] <= position) count++;
    return count;
}

/* ---- Reading. ---- */

static const uint8_t *frame(const uint8_t *p, uint8_t opcode, struct text *payload)
{
    assert_int_equal(p[0], 0x80 | opcode);
    size_t size = p[1] == 126 ? load_be16(p + 2) : p[1];
    assert_true(p[1] <= 126);
    const uint8_t *at = p + (p[1] == 126 ? 4 : 2);
    *payload = (struct text){(const char *)at, size};
    return at + size;
}

static struct text decoded(struct client_bin *b, struct text message)
{
    struct text json;
    /* A copy of its very size: what is read beyond it, the address sanitizer sees. */
    uint8_t *copy = malloc(message.size);
    assert_non_null(copy);
    memcpy(copy, message.at, message.size);
    int r = client_bin_json(b, copy, message.size, &json);
    free(copy);
    if (r != 0) printf("seed %llu: a message is not decoded\n", (unsigned long long)seed_now);
    assert_int_equal(r, 0);
    return json;
}

static void same_text(struct text a, struct text b)
{
    if (text_equal(a, b)) return;
    printf("seed %llu:\n%.*s\n%.*s\n", (unsigned long long)seed_now, (int)a.size, a.at, (int)b.size, b.at);
    fail();
}

/* ---- A case: rules, their filters, and a client that knows what was defined at its position. ---- */

struct subject {
    struct rule rules[4];
    uint32_t rule_count;
    struct filter json, bin;
    struct client_bin client;
};

static void subject_make(struct subject *s, struct world *w, struct random *r, uint64_t position)
{
    memset(s, 0, sizeof *s);
    s->rule_count = 1 + (uint32_t)random_below(r, 3);
    for (uint32_t i = 0; i < s->rule_count; i++)
        s->rules[i] =
            rule_make(text_of(patterns[random_below(r, sizeof patterns / sizeof patterns[0])]),
                      random_below(r, 3) ? KINDS_CLIENT : KIND_BIT(1u + (uint32_t)random_below(r, 5)));
    const struct symbol_table *table = log_symbols(w->log);
    uint32_t known = (uint32_t)random_below(r, SYMBOLS + 1);
    assert_int_equal(filter_init(&s->json, &w->heap, s->rules, s->rule_count, table, known), 0);
    assert_int_equal(
        filter_init_with(&s->bin, &w->heap, s->rules, s->rule_count, table, known, KIND_BIT(TICK_SYMBOL)), 0);
    for (uint32_t id = known; id < SYMBOLS; id++) {
        assert_true(filter_add_symbol(&s->json, &w->heap, id, text_of(names[id])) >= 0);
        assert_true(filter_add_symbol(&s->bin, &w->heap, id, text_of(names[id])) >= 0);
    }
    struct snapshot_in in = {
        .symbols = table, .filter = &s->bin, .encoding = ENCODING_BINARY, .id_end = symbols_at(w, position)};
    struct snapshot_out out;
    static uint8_t room[FRAME_BYTES_MAX + RENDER_SLACK];
    struct text message;
    render_definitions(&in, room, &out);
    assert_int_equal(out.id_next, in.id_end);
    if (out.bytes == 0) return;
    assert_ptr_equal(frame(room + out.start, WS_BINARY, &message), room + out.start + out.bytes);
    assert_int_equal(decoded(&s->client, message).size, 0);
}

static void subject_free(struct subject *s, struct world *w)
{
    filter_free(&s->json, &w->heap);
    filter_free(&s->bin, &w->heap);
    client_bin_free(&s->client);
}

/* ---- Frames. ---- */

static struct render_scratch scratch;
static uint8_t room_json[RENDER_BYTES_MAX + RENDER_SLACK], room_bin[RENDER_BYTES_MAX + RENDER_SLACK];

/* The binary frames, decoded, are the JSON frames; messages that define symbols stand between them. */
static void same_frames(struct subject *s, const struct render_out *json, const struct render_out *bin)
{
    const uint8_t *j = room_json + json->start, *j_end = j + json->bytes;
    const uint8_t *b = room_bin + bin->start, *b_end = b + bin->bytes;
    for (uint32_t i = 0; i < bin->frames; i++) {
        struct text message, expected;
        b = frame(b, WS_BINARY, &message);
        assert_int_equal(bin->ends[i].offset, b - (room_bin + bin->start));
        struct text got = decoded(&s->client, message);
        assert_int_equal(got.size == 0, bin->ends[i].definition);
        if (got.size == 0) continue;
        if (json->frames == 0) { /* a batch frame of nothing but definitions */
            assert_int_equal(bin->ticks, 0);
            assert_true(bin->definitions > 0);
            continue;
        }
        j = frame(j, WS_TEXT, &expected);
        same_text(got, expected);
    }
    assert_ptr_equal(b, b_end);
    if (json->frames > 0) assert_ptr_equal(j, j_end);
}

static void one_span(struct world *w, struct random *r)
{
    struct render_in in = {.log = w->log, .bytes_max = RENDER_BYTES_MAX, .conflate = random_below(r, 2)};
    in.from = random_below(r, w->head + 1);
    in.to = in.from + random_below(r, min_u64(w->head - in.from, SPAN_MOST) + 1);
    in.position = random_below(r, 2) ? in.from : random_below(r, in.from + 1);
    in.framing = random_below(r, 2) ? FRAME_BATCH : FRAME_TICK;
    in.force = random_below(r, 3) == 0;
    in.conflated_before = in.framing == FRAME_TICK && random_below(r, 3) == 0 ? 7 : 0;
    struct subject s;
    subject_make(&s, w, r, in.from);
    struct render_out json, bin;
    in.filter = &s.json;
    in.encoding = ENCODING_JSON;
    assert_int_equal(render(&in, &scratch, room_json, &json), 0);
    in.filter = &s.bin;
    in.encoding = ENCODING_BINARY;
    assert_int_equal(render(&in, &scratch, room_bin, &bin), 0);
    assert_int_equal(json.to, bin.to);
    assert_int_equal(json.ticks, bin.ticks);
    if (json.frames > 0) assert_int_equal(json.conflated, bin.conflated);
    if (bin.frames == 0) assert_int_equal(json.frames, 0);
    same_frames(&s, &json, &bin);
    subject_free(&s, w);
}

/* Whole log in one encoding, limits as they come: every tick's JSON in order, without envelopes. */
static char *all_ticks(struct world *w, struct subject *s, struct random *r, enum encoding encoding,
                       size_t *size)
{
    char *all = malloc((size_t)TICKS * (TICK_JSON_MAX + 1));
    assert_non_null(all);
    *size = 0;
    uint8_t *room = encoding == ENCODING_JSON ? room_json : room_bin;
    struct render_in in = {.log = w->log,
                           .filter = encoding == ENCODING_JSON ? &s->json : &s->bin,
                           .encoding = encoding,
                           .to = w->head};
    while (in.from < in.to) {
        struct render_out out;
        in.position = in.from;
        in.framing = random_below(r, 2) ? FRAME_BATCH : FRAME_TICK;
        in.bytes_max = random_below(r, 2) ? RENDER_BYTES_MAX : 700 + (uint32_t)random_below(r, 4000);
        in.scan_max = random_below(r, 2) ? 0 : 1 + (uint32_t)random_below(r, 300);
        assert_int_equal(render(&in, &scratch, room, &out), 0);
        assert_true(out.to > in.from);
        in.from = out.to;
        const uint8_t *p = room + out.start;
        for (uint32_t i = 0; i < out.frames; i++) {
            struct text m;
            p = frame(p, encoding == ENCODING_JSON ? WS_TEXT : WS_BINARY, &m);
            if (encoding == ENCODING_BINARY) m = decoded(&s->client, m);
            const char *first = m.size ? memmem(m.at, m.size, "\"ticks\":[", 9) : NULL;
            if (first) {
                m.size -= (size_t)(first + 9 - m.at) + 2;
                m.at = first + 9;
            }
            if (m.size == 0) continue;
            memcpy(all + *size, m.at, m.size);
            all[*size + m.size] = '\n';
            for (size_t k = 0; k + 1 < m.size; k++) /* one a line, however they were framed */
                if (m.at[k] == '}' && m.at[k + 1] == ',') all[*size + k + 1] = '\n';
            *size += m.size + 1;
        }
    }
    return all;
}

static void one_walk(struct world *w, struct random *r)
{
    struct subject s;
    subject_make(&s, w, r, 0);
    size_t size_json, size_bin;
    char *json = all_ticks(w, &s, r, ENCODING_JSON, &size_json),
         *bin = all_ticks(w, &s, r, ENCODING_BINARY, &size_bin);
    same_text((struct text){json, size_json}, (struct text){bin, size_bin});
    free(json);
    free(bin);
    subject_free(&s, w);
}

static void one_snapshot(struct world *w, struct random *r)
{
    struct subject s, old;
    subject_make(&s, w, r, w->head);
    subject_make(&old, w, r, w->head);
    bool minus = random_below(r, 2);
    struct snapshot_in in = {.last = w->last,
                             .symbols = log_symbols(w->log),
                             .position = w->head,
                             .since = random_below(r, 2) ? 0 : random_below(r, w->head),
                             .since_told = random_below(r, 2)};
    /* One symbol at a time fits a piece in either encoding. */
    in.id_from = (uint32_t)random_below(r, SYMBOLS);
    in.id_end = min_u32(SYMBOLS, in.id_from + 1);
    struct snapshot_out json, bin;
    in.filter = &s.json;
    in.minus = minus ? &old.json : NULL;
    render_snapshot(&in, room_json, &json);
    in.encoding = ENCODING_BINARY;
    in.filter = &s.bin;
    in.minus = minus ? &old.bin : NULL;
    render_snapshot(&in, room_bin, &bin);
    assert_int_equal(json.id_next, bin.id_next);
    struct text expected, message;
    frame(room_json + json.start, WS_TEXT, &expected);
    frame(room_bin + bin.start, WS_BINARY, &message);
    /* What minus has of a symbol is left out kind by kind, in both. */
    same_text(decoded(&s.client, message), expected);
    subject_free(&s, w);
    subject_free(&old, w);
}

static void binary_says_what_json_says(void **state)
{
    (void)state;
    const char *given = getenv("TICKCAST_SEED");
    for (uint64_t seed = given ? strtoull(given, NULL, 0) : 1, last = given ? seed : 25; seed <= last;
         seed++) {
        struct random r;
        random_seed(&r, seed);
        seed_now = seed;
        static struct world w;
        make_world(&w, &r);
        for (int i = 0; i < 200; i++) one_span(&w, &r);
        for (int i = 0; i < 4; i++) one_walk(&w, &r);
        for (int i = 0; i < 30; i++) one_snapshot(&w, &r);
        free_world(&w);
    }
}

/* ---- Notices. ---- */

static void same_notice(const char *json, uint32_t json_size, const char *bin, uint32_t bin_size)
{
    struct client_bin b = {0};
    struct text got = decoded(&b, (struct text){bin, bin_size});
    same_text(got, (struct text){json, json_size});
    client_bin_free(&b);
}

static void one_round_of_notices(struct random *r)
{
    char j[NOTICE_MAX], b[NOTICE_MAX];
    uint64_t x = random_u64(r) >> random_below(r, 64), y = random_u64(r) >> random_below(r, 64);
    uint64_t epoch = random_u64(r) | 1;
    static const char *const ids[] = {"", "1", "\"a\"", "-12.5e3", "\"x\\u0041\\\"\"", "\"\xc3\xa9\""};
    static const char *const reasons[] = {"overrun", "policy", "resume"};
    struct text id = text_of(ids[random_below(r, 6)]);
    bool flag = random_below(r, 2);
    const char *reason = reasons[random_below(r, 3)];
    enum policy policy = (enum policy)random_below(r, POLICIES);
    const struct notices *nj = &notices_json, *nb = &notices_bin;
    same_notice(j, nj->hello(j, "1.2.3", epoch, x), b, nb->hello(b, "1.2.3", epoch, x));
    same_notice(j, nj->heartbeat(j, x, y, flag), b, nb->heartbeat(b, x, y, flag));
    same_notice(j, nj->pong(j, id, x), b, nb->pong(b, id, x));
    same_notice(j, nj->error(j, id, "bad_seq", "a \"thing\" \\ went"), b,
                nb->error(b, id, "bad_seq", "a \"thing\" \\ went"));
    same_notice(j, nj->gap(j, x, y, reason, flag ? epoch : 0, flag ? y : 0), b,
                nb->gap(b, x, y, reason, flag ? epoch : 0, flag ? y : 0));
    same_notice(j, nj->lag(j, x, y, policy), b, nb->lag(b, x, y, policy));
    same_notice(j, nj->drain(j, x), b, nb->drain(b, x));
}

static void one_set(struct random *r)
{
    struct notice_rule rules[21];
    static const char *const each[] = {"*",   "A!",  "A*", "AAPL", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
                                       "B\\", "X\"Y"};
    uint32_t runs[] = {KIND_BIT(TICK_TRADE), KIND_BIT(TICK_QUOTE), KINDS_CLIENT}, count = 0;
    for (uint32_t run = 0; run < 3; run++) /* canonical order: by kinds, then pattern */
        for (uint32_t i = 0; i < 7; i++)
            if (random_below(r, 2)) rules[count++] = (struct notice_rule){text_of(each[i]), runs[run]};
    struct notice_set s = {.unsubscribed = random_below(r, 2),
                           .id = text_of(random_below(r, 2) ? "\"an id\"" : ""),
                           .rules = rules,
                           .rule_count = count,
                           .policy = (enum policy)random_below(r, POLICIES),
                           .frame = (enum framing)random_below(r, FRAMINGS),
                           .rate_interval_ns = random_below(r, 2) * random_below(r, UINT32_MAX),
                           .seq = random_u64(r)};
    char *j = malloc(notice_set_bytes(&s)), *b = malloc(notice_set_bytes(&s));
    assert_non_null(j);
    assert_non_null(b);
    uint32_t b_size = notices_bin.set(b, &s);
    assert_true(b_size < notice_set_bytes(&s));
    same_notice(j, notices_json.set(j, &s), b, b_size);
    free(j);
    free(b);
}

static void every_notice_has_both_forms(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 3);
    for (int i = 0; i < 500; i++) one_round_of_notices(&r);
    for (int i = 0; i < 500; i++) one_set(&r);
}

/* An id is echoed as it stands, so what is no JSON number or string would break the JSON around it. */
static void an_id_that_is_no_json_is_refused(void **state)
{
    (void)state;
    static const struct text bad[] = {
        TEXT(","),   TEXT("\"a"),     TEXT("\"a\"b\""), TEXT("\"\xc3\"\xa9"), TEXT("1,\"x\":2"),
        TEXT("[1]"), TEXT("null"),    TEXT("\"\t\""),   TEXT("01"),           TEXT(" 1"),
        TEXT("1\n"), TEXT("\n\"a\""), TEXT("5\0"), /* jansson takes it */
    };
    struct client_bin b = {0};
    char bin[NOTICE_MAX];
    struct text json;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t pong = notices_bin.pong(bin, bad[i], 1);
        assert_int_equal(client_bin_json(&b, (const uint8_t *)bin, pong, &json), -1);
        uint32_t error = notices_bin.error(bin, bad[i], "bad_seq", "");
        assert_int_equal(client_bin_json(&b, (const uint8_t *)bin, error, &json), -1);
        struct notice_set s = {.id = bad[i], .seq = 1};
        uint32_t set = notices_bin.set(bin, &s);
        assert_int_equal(client_bin_json(&b, (const uint8_t *)bin, set, &json), -1);
    }
    client_bin_free(&b);
}

/* ---- The fast way. ---- */

static void the_fast_reader_agrees(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 11);
    static struct world w;
    make_world(&w, &r);
    struct subject s;
    subject_make(&s, &w, &r, 0);
    filter_free(&s.bin, &w.heap);
    struct rule all = rule_make(TEXT("*"), KINDS_CLIENT);
    assert_int_equal(
        filter_init_with(&s.bin, &w.heap, &all, 1, log_symbols(w.log), SYMBOLS, KIND_BIT(TICK_SYMBOL)), 0);
    struct render_in in = {.log = w.log,
                           .filter = &s.bin,
                           .encoding = ENCODING_BINARY,
                           .to = w.head,
                           .bytes_max = RENDER_BYTES_MAX};
    uint64_t seq = 0;
    while (in.from < in.to) {
        struct render_out out;
        in.position = in.from;
        assert_int_equal(render(&in, &scratch, room_bin, &out), 0);
        struct text m;
        frame(room_bin + out.start, WS_BINARY, &m);
        struct client_bin_message message;
        assert_int_equal(client_bin_open((const uint8_t *)m.at, m.size, &message), 0);
        assert_int_equal(message.scan.type, SCAN_TICKS);
        assert_int_equal(message.scan.from, in.from);
        assert_int_equal(message.scan.to, out.to);
        struct client_bin_tick t;
        struct tick expected;
        while (client_bin_next(&message, &t) == 1) {
            assert_int_equal(t.seq, ++seq); /* "*": every tick and every definition, one by one */
            assert_int_equal(log_read(w.log, seq - 1, &expected, 1), 1);
            assert_int_equal(TICK_BIN_KIND(t.record[0]), expected.kind);
            assert_int_equal(t.type == SCAN_OTHER, expected.kind == TICK_SYMBOL);
            if (expected.kind != TICK_SYMBOL) assert_int_equal(client_bin_ts(&t), expected.event_ns);
        }
        assert_ptr_equal(message.at, message.end);
        in.from = out.to;
    }
    assert_int_equal(seq, w.head);
    subject_free(&s, &w);
    free_world(&w);
}

static void a_trade_takes_32_bytes(void **state)
{
    (void)state;
    struct tick t = {.kind = TICK_TRADE, .trade = {.price = 1, .size = 1}};
    uint8_t out[TICK_BIN_MAX];
    assert_int_equal(tick_bin(out, &t, 0), 32);
    t.trade.id = 7;
    assert_int_equal(tick_bin(out, &t, 0), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_says_what_json_says),       cmocka_unit_test(every_notice_has_both_forms),
        cmocka_unit_test(an_id_that_is_no_json_is_refused), cmocka_unit_test(the_fast_reader_agrees),
        cmocka_unit_test(a_trade_takes_32_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
