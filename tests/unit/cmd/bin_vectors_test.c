/* tests/unit/cmd/bin_vectors_test.c -- goal: the kept messages of the binary subprotocol are what the server
 * sends today. One of every form, each beside the JSON that the same call makes, in tests/support/
 * binary_vectors.jsonl: a JSON object a line, {"what","bin" (hex),"json" (null: a definition, which JSON does
 * not need)}. Other decoders are held against that file, so a field that one of them drops is seen.
 *
 * Renewed by this program with --renew, where the protocol got something new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cmd/client_bin.h"
#include "render/render.h"
#include "tick/tick_bin.h"
#include "wire/bin.h"
#include "wire/notice.h"

#include <stdio.h>
#include <stdlib.h>

#define SYMBOLS_ROOM 64u
#define TS           INT64_C(1700000000123456789)

static bool renewed; /* --renew: the file is written first */

struct vectors {
    FILE *out;
    struct client_bin client; /* one connection: it knows what was defined before */
    struct log *log;
    struct last_value *last;
    struct heap heap;
    uint64_t told; /* position of that connection */
    uint32_t types, kinds;
};

/* ---- One line. ---- */

/* Bytes behind what is known are ignored, as docs/protocol-binary.md says. */
static void ignores_what_a_later_version_adds(struct vectors *v, struct text bin)
{
    struct text json;
    uint8_t *longer = calloc(1, bin.size + 8);
    assert_non_null(longer);
    memcpy(longer, bin.at, bin.size);
    longer[bin.size] = 0xff;
    assert_int_equal(client_bin_json(&v->client, (const uint8_t *)bin.at, bin.size, &json), 0);
    char *expected = strndup(json.size ? json.at : "", json.size);
    assert_non_null(expected);
    assert_int_equal(client_bin_json(&v->client, longer, bin.size + 8, &json), 0);
    assert_true(text_equal(json, text_of(expected)));
    free(expected);
    free(longer);
}

static struct text decoded(struct vectors *v, struct text bin)
{
    struct text json;
    ignores_what_a_later_version_adds(v, bin);
    assert_int_equal(client_bin_json(&v->client, (const uint8_t *)bin.at, bin.size, &json), 0);
    return json;
}

static void note_forms(struct vectors *v, struct text bin)
{
    struct client_bin_message m;
    struct client_bin_tick t;
    assert_int_equal(client_bin_open((const uint8_t *)bin.at, bin.size, &m), 0);
    v->types |= 1u << m.type;
    while (client_bin_next(&m, &t) > 0) v->kinds |= 1u << TICK_BIN_KIND(t.record[0]);
}

/* json of size 0: null. */
static void put(struct vectors *v, const char *what, struct text bin, struct text json)
{
    struct text got = decoded(v, bin);
    if (!text_equal(got, json)) fail_msg("%s: %.*s", what, (int)got.size, got.at);
    note_forms(v, bin);
    fprintf(v->out, "{\"what\":\"%s\",\"bin\":\"", what);
    for (size_t i = 0; i < bin.size; i++) fprintf(v->out, "%02x", (uint8_t)bin.at[i]);
    fprintf(v->out, "\",\"json\":%.*s}\n", json.size ? (int)json.size : 4, json.size ? json.at : "null");
}

/* ---- Notices: v, what, and a call of the table n into out. ---- */

#define NOTICE(v, what, call)                                                                                \
    do {                                                                                                     \
        char json_[NOTICE_MAX], bin_[NOTICE_MAX], *out = json_;                                              \
        const struct notices *n = &notices_json;                                                             \
        uint32_t json_size_ = n->call;                                                                       \
        out = bin_;                                                                                          \
        n = &notices_bin;                                                                                    \
        uint32_t bin_size_ = n->call;                                                                        \
        put((v), (what), (struct text){bin_, bin_size_}, (struct text){json_, json_size_});                  \
    } while (0)

static void put_notices(struct vectors *v)
{
    struct text none = TEXT(""), number = TEXT("-12.5"), string = TEXT("\"a \\\"\xc3\xa9\\u0041\"");
    NOTICE(v, "hello", hello(out, "1.2.3", 0x00f3c1a7be2d0445, 9007199254740993));
    NOTICE(v, "gap: overrun", gap(out, 9007199254740993, UINT64_MAX, "overrun", 0, 0));
    NOTICE(v, "gap: policy", gap(out, 1, 2, "policy", 0, 0));
    NOTICE(v, "gap: resume", gap(out, 1, 2, "resume", 0, 0));
    NOTICE(v, "gap: resume from another epoch", gap(out, 0, 700, "resume", 0xab, 9007199254740993));
    NOTICE(v, "lag: conflate", lag(out, 40210, 1830, POLICY_CONFLATE));
    NOTICE(v, "lag: complete", lag(out, 1, 2, POLICY_COMPLETE));
    NOTICE(v, "lag: latest", lag(out, 1, 2, POLICY_LATEST));
    NOTICE(v, "lag: close, over", lag(out, 0, 0, POLICY_CLOSE));
    NOTICE(v, "heartbeat", heartbeat(out, 52100, (uint64_t)TS, false));
    NOTICE(v, "heartbeat: stalled", heartbeat(out, 52100, (uint64_t)TS, true));
    NOTICE(v, "pong", pong(out, none, (uint64_t)TS));
    NOTICE(v, "pong: id a number", pong(out, number, (uint64_t)TS));
    NOTICE(v, "pong: id a string", pong(out, string, (uint64_t)TS));
    NOTICE(v, "error", error(out, none, "bad_json", "a \"text\" with \\ and \xc3\xa9"));
    NOTICE(v, "error: id", error(out, string, "bad_seq", "ahead of the head"));
    NOTICE(v, "drain", drain(out, 850));
}

static void put_set(struct vectors *v, const char *what, const struct notice_set *s)
{
    char json[4096], bin[4096];
    assert_true(notice_set_bytes(s) <= sizeof json);
    uint32_t json_size = notices_json.set(json, s), bin_size = notices_bin.set(bin, s);
    put(v, what, (struct text){bin, bin_size}, (struct text){json, json_size});
}

static void put_sets(struct vectors *v)
{
    const struct notice_rule rules[] = {{TEXT("AAPL"), KIND_BIT(TICK_TRADE)},
                                        {TEXT("X\"Y"), KIND_BIT(TICK_TRADE)},
                                        {TEXT("AAPL"), KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_STATUS)},
                                        {TEXT("BRK*"), KINDS_CLIENT}};
    struct notice_set s = {.rules = rules, .rule_count = 4, .id = TEXT("7"), .seq = 9007199254740993};
    put_set(v, "subscribed: rules of several kinds", &s);
    s.id = TEXT("\"a \\\"\xc3\xa9\\u0041\"");
    s.rules += 3;
    s.rule_count = 1;
    s.policy = POLICY_COMPLETE;
    s.frame = FRAME_TICK;
    s.rate_interval_ns = 50000000;
    put_set(v, "subscribed: rate 20, frame tick", &s);
    s.id = TEXT("");
    s.policy = POLICY_LATEST;
    s.rate_interval_ns = 41666667;
    put_set(v, "subscribed: rate 24, no id", &s);
    s.policy = POLICY_CLOSE;
    s.rate_interval_ns = 2048000;
    put_set(v, "subscribed: a rate of several decimals", &s);
    s.unsubscribed = true;
    put_set(v, "unsubscribed", &s);
    s.rule_count = 0;
    s.rate_interval_ns = 0;
    put_set(v, "unsubscribed: nothing is left", &s);
}

/* ---- Frames: rendered twice, of the same log. ---- */

static const uint8_t *payload(const uint8_t *p, uint8_t opcode, struct text *out)
{
    assert_int_equal(p[0], 0x80 | opcode);
    assert_true(p[1] <= 126);
    size_t size = p[1] == 126 ? load_be16(p + 2) : p[1];
    const uint8_t *at = p + (p[1] == 126 ? 4 : 2);
    *out = (struct text){(const char *)at, size};
    return at + size;
}

static void all_symbols(struct vectors *v, struct filter *json, struct filter *bin)
{
    struct rule all = rule_make(TEXT("*"), KINDS_CLIENT);
    const struct symbol_table *table = log_symbols(v->log);
    uint32_t known = symbol_table_count(table);
    assert_int_equal(filter_init(json, &v->heap, &all, 1, table, known), 0);
    assert_int_equal(filter_init_with(bin, &v->heap, &all, 1, table, known, KIND_BIT(TICK_SYMBOL)), 0);
}

static uint8_t room_json[RENDER_BYTES_MAX + RENDER_SLACK], room_bin[RENDER_BYTES_MAX + RENDER_SLACK];

static void put_frames(struct vectors *v, const char *what, const struct render_out *json,
                       const struct render_out *bin)
{
    const uint8_t *j = room_json + json->start, *b = room_bin + bin->start;
    for (uint32_t i = 0; i < bin->frames; i++) {
        struct text message, twin = {0};
        b = payload(b, WS_BINARY, &message);
        if (!bin->ends[i].definition) j = payload(j, WS_TEXT, &twin);
        put(v, what, message, twin);
    }
    assert_ptr_equal(b, room_bin + bin->start + bin->bytes);
    assert_ptr_equal(j, room_json + json->start + json->bytes);
}

/* What is new in the log, in one framing. */
static void put_new(struct vectors *v, const char *what, enum framing framing, bool conflate)
{
    static struct render_scratch scratch;
    struct filter json_filter, bin_filter;
    all_symbols(v, &json_filter, &bin_filter);
    struct render_in in = {.log = v->log,
                           .filter = &json_filter,
                           .from = v->told,
                           .position = v->told,
                           .to = log_head(v->log),
                           .bytes_max = RENDER_BYTES_MAX,
                           .framing = framing,
                           .conflate = conflate,
                           .force = framing == FRAME_BATCH};
    struct render_out json, bin;
    assert_int_equal(render(&in, &scratch, room_json, &json), 0);
    in.filter = &bin_filter;
    in.encoding = ENCODING_BINARY;
    assert_int_equal(render(&in, &scratch, room_bin, &bin), 0);
    assert_true(bin.frames > 0);
    put_frames(v, what, &json, &bin);
    filter_free(&json_filter, &v->heap);
    filter_free(&bin_filter, &v->heap);
}

static void append(struct vectors *v, struct tick t)
{
    t.event_ns += TS;
    log_append(v->log, &t, 1);
    last_value_fold(v->last, &t);
}

/* As a frame of its own, and as a message of its own. */
static void put_tick(struct vectors *v, const char *what, struct tick t)
{
    char name[128];
    append(v, t);
    for (int framing = 0; framing < FRAMINGS; framing++) {
        snprintf(name, sizeof name, "%s, frame=%s", what, framing_names[framing]);
        put_new(v, name, (enum framing)framing, false);
    }
    v->told = log_head(v->log);
}

static void put_symbol(struct vectors *v, const char *what, struct text name)
{
    assert_true(log_symbol(v->log, name, TS) >= 0);
    for (int framing = 0; framing < FRAMINGS; framing++) put_new(v, what, (enum framing)framing, false);
    v->told = log_head(v->log);
}

/* ---- Ticks of every kind. ---- */

static void put_trades(struct vectors *v)
{
    struct tick t = {.kind = TICK_TRADE, .price_exp = -2, .trade = {.price = 18920, .size = 100}};
    put_tick(v, "trade", t);
    t.flags = TRADE_BUY;
    t.trade.id = UINT64_MAX;
    put_tick(v, "trade: bought, with the venue's id", t);
    t = (struct tick){.kind = TICK_TRADE, .flags = TRADE_SELL, .symbol = 1, .price_exp = -18, .size_exp = -8};
    t.trade = (struct tick_trade){INT64_MIN, 1, 0, 0};
    put_tick(v, "trade: sold, 18 decimals", t);
}

static void put_quotes(struct vectors *v)
{
    struct tick t = {.kind = TICK_QUOTE, .price_exp = -2, .size_exp = -1};
    t.quote = (struct tick_quote){18922, 3000, 18924, 5};
    put_tick(v, "quote", t);
    t.flags = QUOTE_NO_BID;
    t.quote = (struct tick_quote){0, 0, 18924, 5};
    put_tick(v, "quote: nobody bids", t);
    t.flags = QUOTE_NO_ASK;
    t.quote = (struct tick_quote){18922, 3000, 0, 0};
    put_tick(v, "quote: nobody asks", t);
    t.flags = QUOTE_NO_BID | QUOTE_NO_ASK;
    t.quote = (struct tick_quote){0};
    put_tick(v, "quote: nobody", t);
}

static void put_bars(struct vectors *v)
{
    struct tick t = {.kind = TICK_BAR, .symbol = 1, .price_exp = -1, .size_exp = -3};
    t.bar = (struct tick_bar){1892, 1893, -1891, 0, INT64_MAX};
    t.flags = BAR_FINAL | BAR_1S << BAR_INTERVAL_SHIFT;
    put_tick(v, "bar: 1s, final", t);
    t.flags = BAR_1MO << BAR_INTERVAL_SHIFT;
    put_tick(v, "bar: 1M, in progress", t);
}

static void put_books(struct vectors *v)
{
    struct tick t = {.kind = TICK_BOOK, .price_exp = -1, .book = {.price = 1892, .size = 500}};
    put_tick(v, "book: bid", t);
    t.flags = BOOK_ASK;
    t.book.size = 0;
    put_tick(v, "book: ask, removed", t);
}

static void put_states(struct vectors *v)
{
    char what[64];
    for (uint8_t state = 1; state < STATUS_STATES; state++) {
        struct tick t = {.kind = TICK_STATUS, .symbol = 1, .status = {.state = state}};
        snprintf(what, sizeof what, "status: %s", status_state_name(state));
        put_tick(v, what, t);
    }
}

static void put_feeds(struct vectors *v)
{
    char what[64];
    struct tick t = {.kind = TICK_FEED, .feed = {.name = "day.csv"}};
    for (uint8_t state = 1; state < FEED_STATES; state++) {
        if (state == FEED_LOST) continue;
        t.flags = state == FEED_LOOPED ? FEED_RESET : 0;
        t.feed.state = state;
        snprintf(what, sizeof what, "feed: %s", feed_state_name(state));
        put_tick(v, what, t);
    }
    t = (struct tick){.kind = TICK_FEED, .feed = {.state = FEED_LOST, .lost = 5}};
    memcpy(t.feed.name, "sixteen\"letters\\", FEED_NAME_MAX);
    for (uint8_t reason = 1; reason < FEED_REASONS; reason++) {
        t.feed.reason = reason;
        snprintf(what, sizeof what, "feed: lost, %s", feed_reason_name(reason));
        put_tick(v, what, t);
    }
    t.feed.lost = FEED_LOST_UNKNOWN;
    put_tick(v, "feed: lost, nobody knows how many", t);
}

/* Two quotes of one symbol, of which the newer is enough. */
static void put_conflated(struct vectors *v)
{
    struct tick t = {.kind = TICK_QUOTE, .quote = {1, 2, 3, 4}};
    append(v, t);
    append(v, t);
    put_new(v, "ticks: conflated", FRAME_BATCH, true);
    put_new(v, "covered: conflated", FRAME_TICK, true);
    v->told = log_head(v->log);
}

/* ---- Snapshots and definitions. ---- */

static void put_snapshot(struct vectors *v, const char *what, uint64_t since)
{
    struct filter json_filter, bin_filter;
    all_symbols(v, &json_filter, &bin_filter);
    struct snapshot_in in = {.last = v->last,
                             .symbols = log_symbols(v->log),
                             .filter = &json_filter,
                             .position = log_head(v->log),
                             .since = since,
                             .since_told = since > 0,
                             .id_end = 2};
    struct snapshot_out json, bin;
    render_snapshot(&in, room_json, &json);
    in.filter = &bin_filter;
    in.encoding = ENCODING_BINARY;
    render_snapshot(&in, room_bin, &bin);
    struct text message, twin;
    payload(room_json + json.start, WS_TEXT, &twin);
    payload(room_bin + bin.start, WS_BINARY, &message);
    put(v, what, message, twin);
    if (since == 0) { /* one that does not hold all would be long: the same, marked */
        room_bin[message.at - (const char *)room_bin + 1] |= BIN_MORE;
        twin = decoded(v, message);
        assert_non_null(memmem(twin.at, twin.size, "\"more\":true", 11));
        char *kept = strndup(twin.at, twin.size);
        put(v, "snapshot: more follows", message, (struct text){kept, twin.size});
        free(kept);
    }
    filter_free(&json_filter, &v->heap);
    filter_free(&bin_filter, &v->heap);
}

static void put_definitions(struct vectors *v)
{
    struct filter json_filter, bin_filter;
    all_symbols(v, &json_filter, &bin_filter);
    struct snapshot_in in = {.symbols = log_symbols(v->log),
                             .filter = &bin_filter,
                             .encoding = ENCODING_BINARY,
                             .id_end = symbol_table_count(log_symbols(v->log))};
    struct snapshot_out out;
    render_definitions(&in, room_bin, &out);
    struct text message;
    payload(room_bin + out.start, WS_BINARY, &message);
    put(v, "symbols", message, (struct text){0});
    filter_free(&json_filter, &v->heap);
    filter_free(&bin_filter, &v->heap);
    v->told = log_head(v->log);
}

/* ---- The file. ---- */

static void put_all(struct vectors *v)
{
    assert_int_equal(log_symbol(v->log, TEXT("AAPL"), TS), 0);
    assert_int_equal(log_symbol(v->log, TEXT("X\"Y\\ Z"), TS), 1);
    put_notices(v);
    put_sets(v);
    put_definitions(v);
    put_trades(v);
    put_quotes(v);
    put_bars(v);
    put_books(v);
    put_states(v);
    put_feeds(v);
    put_conflated(v);
    put_symbol(v, "a symbol that appears later", TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"));
    put_tick(v, "trade of it", (struct tick){.kind = TICK_TRADE, .symbol = 2, .trade = {.price = 1}});
    put_snapshot(v, "snapshot", 0);
    put_snapshot(v, "snapshot: since", 9);
}

static char *made(size_t *size)
{
    struct vectors v = {0};
    char *text = NULL;
    struct log_options o = {
        .capacity = 1024, .symbols_max = SYMBOLS_ROOM, .bars_max = 64, .epoch = 1, .small_pages = true};
    assert_non_null(v.out = open_memstream(&text, size));
    assert_non_null(v.log = log_create(&o, NULL));
    assert_non_null(v.last = last_value_create(SYMBOLS_ROOM, 64));
    assert_int_equal(heap_init(&v.heap, 1 << 20), 0);
    put_all(&v);
    assert_int_equal(v.types, (1u << BIN_TYPES) - 2); /* each message of the protocol */
    assert_int_equal(v.kinds, (1u << TICK_HOLE) - 2); /* and each record */
    fclose(v.out);
    client_bin_free(&v.client);
    log_destroy(v.log);
    last_value_destroy(v.last);
    heap_destroy(&v.heap);
    return text;
}

static void the_kept_messages_are_those_of_today(void **state)
{
    (void)state;
    size_t size, kept_size = 0;
    char *text = made(&size), *kept = malloc(size + 1);
    assert_non_null(kept);
    FILE *f = fopen(VECTORS, renewed ? "w+" : "r");
    if (!f) fail_msg("%s cannot be opened", VECTORS);
    if (renewed) {
        assert_int_equal(fwrite(text, 1, size, f), size);
        rewind(f);
    }
    kept_size = fread(kept, 1, size + 1, f);
    assert_int_equal(fclose(f), 0);
    if (kept_size != size || memcmp(kept, text, size) != 0)
        fail_msg("%s is not what is sent today: if that is meant, renew it (--renew)", VECTORS);
    free(kept);
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_kept_messages_are_those_of_today)};
    renewed = argc > 1 && strcmp(argv[1], "--renew") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
