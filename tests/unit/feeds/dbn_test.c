/* tests/unit/feeds/dbn_test.c -- goal: every record kind of the three versions of DBN, as the format's
 * description places its fields, gives exactly the tick it should or none; names come from the metadata of
 * the day and from the records of a live stream; what is damaged is told with its byte offset, and costs the
 * record where the next one can be found. */
#include "feeds/dbn_write.h"
#include "feeds/read_all.h"
#include "feeds/text_files.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define T0         UINT64_C(1719878281218218853) /* 2024-07-01 */
#define PRICE(x)   (INT64_C(1000000) * (x))      /* of thousandths */
#define NONE       DBN_PRICE_NONE
#define BATCHES(b) for (uint32_t b = 1; b <= 64; b += 63)

static const uint8_t by_name[2] = {1, 0}, by_number[2] = {0, 1};
static const struct dbn_write_mapping esu4[] = {{"ESU4", "118", 20240701, 20240703}};

static struct dbn_writer begin(uint8_t version, bool ts_out)
{
    struct dbn_writer w = {.version = version, .ts_out = ts_out};
    dbn_write_metadata(&w, esu4, 1, by_name);
    return w;
}

static const char *write_out(struct dbn_writer *w)
{
    const char *path = test_file("t.dbn", w->bytes, w->size);
    free(w->bytes);
    *w = (struct dbn_writer){0};
    return path;
}

/* Reads path to its end; every tick is legal and prints as lines say (they end with NULL). */
static void expect(const char *path, const char *const *lines)
{
    BATCHES(batch)
    {
        struct read_all a = read_all(path, NULL, NULL, batch);
        if (a.opened < 0 || a.bad > 0) fail_msg("%s", a.fault.text);
        assert_string_equal(a.format, "dbn");
        uint32_t i = 0;
        for (; lines[i] && i < a.count; i++) {
            assert_null(tick_check(&a.ticks[i], UINT32_MAX));
            assert_string_equal(tick_line(&a, &a.ticks[i]), lines[i]);
        }
        assert_int_equal(a.count, i);
        assert_null(lines[i]);
        read_all_free(&a);
    }
}

#define EXPECT(path, ...) expect(path, (const char *const[]){__VA_ARGS__, NULL})

/* One thing is wrong. good: ticks that are read all the same. */
static void expect_bad(const char *path, const char *format, int opened, bool fatal, uint32_t good,
                       const char *words)
{
    BATCHES(batch)
    {
        struct read_all a = read_all(path, format, NULL, batch);
        assert_int_equal(a.opened, opened);
        if (opened == 0) assert_int_equal(a.bad, 1);
        assert_int_equal(a.fault.code, TC_EINPUT);
        assert_int_equal(a.fatal, fatal);
        if (!strstr(a.fault.text, words)) fail_msg("\"%s\" is not in: %s", words, a.fault.text);
        if (!strstr(a.fault.text, path)) fail_msg("the path is not in: %s", a.fault.text);
        assert_int_equal(a.count, good);
        read_all_free(&a);
    }
}

/* Every kind that is known, and one that is not. */
static void write_every_kind(struct dbn_writer *w)
{
    uint8_t *at;
    dbn_write_mbp(w, 0x00, 118, T0, 'T', 'B', PRICE(5528750), 2);
    dbn_write_mbp(w, 0x00, 118, T0 + 1, 'T', 'A', PRICE(-250), 0);
    dbn_write_mbp(w, 0x00, 118, T0 + 2, 'T', 'N', INT64_C(123456789), 4294967294u);
    at = dbn_write_mbp(w, 0x01, 118, T0 + 3, 'T', 'A', PRICE(5528500), 3); /* the book of before the trade */
    dbn_put_level(at, 0, PRICE(5528500), 29, PRICE(5528750), 6);
    at = dbn_write_mbp(w, 0x01, 118, T0 + 4, 'A', 'B', PRICE(5528500), 3);
    dbn_put_level(at, 0, PRICE(5528500), 29, PRICE(5529000), 6);
    at = dbn_write_mbp(w, 0x01, 118, T0 + 5, 'C', 'A', PRICE(5528500), 3);
    dbn_put_level(at, 0, PRICE(5528500), 29, NONE, 0);
    at = dbn_write_mbp(w, 0x01, 118, T0 + 6, 'R', 'N', NONE, 0);
    dbn_put_level(at, 0, NONE, 0, NONE, 0);
    at = dbn_write_mbp(w, 0x0A, 118, T0 + 7, 'A', 'B', PRICE(1000), 1);
    for (uint32_t i = 0; i < 10; i++) dbn_put_level(at, i, PRICE(1001 - i), 10 + i, PRICE(1002 + i), 20 + i);
    dbn_write_mbp(w, 0x0A, 118, T0 + 8, 'T', 'B', PRICE(1002), 5);
    dbn_write_mbo(w, 118, T0 + 9, 'T', 'B', PRICE(5214250), 1);
    dbn_write_mbo(w, 118, T0 + 9, 'F', 'A', PRICE(5214250), 1);
    dbn_write_mbo(w, 118, T0 + 10, 'A', 'A', PRICE(5214250), 1);
    dbn_write_mbo(w, 118, T0 + 10, 'R', 'N', NONE, 0);
    at = dbn_write_mbp(w, 0xB1, 118, T0 + 11, 'A', 'N', NONE, 0);
    dbn_put_level(at, 0, NONE, 0, PRICE(12500), 7);
    dbn_write_mbp(w, 0xC2, 118, T0 + 12, 'T', 'A', PRICE(12500), 8);
    const int64_t ohlc[4] = {PRICE(5527250), PRICE(5527500), PRICE(5527000), PRICE(5527500)};
    for (uint8_t rtype = 0x20; rtype <= 0x24; rtype++)
        dbn_write_bar(w, rtype, 118, T0 + rtype, ohlc, UINT64_C(5000000000));
    dbn_write_record(w, 0x12, 40, 118, T0);                          /* status: passed over */
    dbn_write_record(w, 0x7F, 16, 118, T0);                          /* no such type, nothing but a header */
    dbn_write_record(w, 0x7F, 996, 118, T0);                         /* and a long one */
    at = dbn_write_mbp(w, 0xC3, 118, T0, 0, 'A', PRICE(3702500), 2); /* ts_event is that of the last sale */
    dbn_put_level(at, 0, PRICE(3702250), 18, PRICE(3702750), 13);
    at = dbn_write_mbp(w, 0xC0, 118, DBN_TIME_NONE, 0, 'N', NONE, 0); /* no sale yet */
    dbn_put(at + 32, T0 + 100, 8);
    dbn_put_level(at, 0, PRICE(1), 1, PRICE(2), 2);
    at = dbn_write_mbp(w, 0x00, 118, DBN_TIME_NONE, 'T', 'B', PRICE(1), 1);
    dbn_put(at + 32, T0 + 101, 8);
    at = dbn_write_mbo(w, 118, DBN_TIME_NONE, 'T', 'B', PRICE(1), 1);
    dbn_put(at + 40, T0 + 102, 8);
}

static const char *const every_kind[] = {
    "ESU4 trade 1 1719878281218218853 5528.75 2",
    "ESU4 trade 2 1719878281218218854 -0.25 0",
    "ESU4 trade 0 1719878281218218855 0.123456789 4294967294",
    "ESU4 trade 2 1719878281218218856 5528.5 3",
    "ESU4 quote 0 1719878281218218857 5528.5 29 5529.0 6",
    "ESU4 quote 2 1719878281218218858 5528.5 29 0.0 0",
    "ESU4 quote 3 1719878281218218859 0 0 0 0",
    "ESU4 quote 0 1719878281218218860 1.001 10 1.002 20",
    "ESU4 trade 1 1719878281218218861 1.002 5",
    "ESU4 trade 1 1719878281218218862 5214.25 1",
    "ESU4 quote 1 1719878281218218864 0.0 0 12.5 7",
    "ESU4 trade 2 1719878281218218865 12.5 8",
    "ESU4 bar 1 1719878281218218885 5527.25 5527.50 5527.00 5527.50 5000000000",
    "ESU4 bar 11 1719878281218218886 5527.25 5527.50 5527.00 5527.50 5000000000",
    "ESU4 bar 25 1719878281218218887 5527.25 5527.50 5527.00 5527.50 5000000000",
    "ESU4 bar 37 1719878281218218888 5527.25 5527.50 5527.00 5527.50 5000000000",
    "ESU4 bar 37 1719878281218218889 5527.25 5527.50 5527.00 5527.50 5000000000",
    "ESU4 quote 0 1719878281218219853 3702.25 18 3702.75 13",
    "ESU4 quote 0 1719878281218218953 0.001 1 0.002 2",
    "ESU4 trade 1 1719878281218218954 0.001 1",
    "ESU4 trade 1 1719878281218218955 0.001 1",
    NULL,
};

static void every_kind_of_each_version(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 3; version++) {
        for (int ts_out = 0; ts_out < 2; ts_out++) {
            struct dbn_writer w = begin(version, ts_out);
            write_every_kind(&w);
            expect(write_out(&w), every_kind);
        }
    }
}

static void packed_in_two_frames(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 3; version++) {
        struct dbn_writer w = begin(version, true);
        write_every_kind(&w);
        const char *zstd = test_file_zstd("t.dbn.zst", (const char *)w.bytes, w.size, 2);
        expect(zstd, every_kind);
        expect(test_file_gzip("t.dbn.gz", (const char *)w.bytes, w.size, 1), every_kind);
        free(w.bytes);
    }
}

/* More than one window of a source: records lie across its ends. */
static void longer_than_a_window(void **state)
{
    (void)state;
    struct dbn_writer w = begin(2, true);
    for (uint32_t i = 0; i < 20000; i++) {
        if (i % 7 == 0) dbn_write_record(&w, 0x7F, 16 + i % 97 * 4, 118, T0);
        dbn_write_mbp(&w, 0x00, 118, T0 + i, 'T', 'B', PRICE(1000 + i), i);
    }
    const char *path = write_out(&w);
    BATCHES(batch)
    {
        struct read_all a = read_all(path, NULL, NULL, batch);
        if (a.bad > 0) fail_msg("%s", a.fault.text);
        assert_int_equal(a.count, 20000);
        for (uint32_t i = 0; i < a.count; i++) {
            int64_t price;
            assert_int_equal(
                decimal_at((struct decimal){a.ticks[i].trade.price, a.ticks[i].price_exp}, -3, &price), 0);
            assert_int_equal(price, 1000 + i);
            assert_int_equal(a.ticks[i].trade.size, i);
            assert_int_equal(a.ticks[i].event_ns, T0 + i);
        }
        read_all_free(&a);
    }
}

static void names_by_day(void **state)
{
    (void)state;
    static const struct dbn_write_mapping mappings[] = {
        {"ES.c.0", "118", 20240701, 20240702},
        {"ES.c.0", "207", 20240702, 20240801},
        {"OLD", "207", 20240601, 20240702},
        {"BRN FMJ0024!", "5", 0, 0},
    };
    const uint64_t day = UINT64_C(86400000000000);
    for (uint8_t version = 1; version <= 3; version++) {
        struct dbn_writer w = {.version = version};
        dbn_write_metadata(&w, mappings, 4, by_name);
        dbn_write_mbp(&w, 0x00, 118, 1, 'T', 'N', PRICE(1000), 1); /* 1970: nothing names it yet */
        dbn_write_mbp(&w, 0x00, 118, T0, 'T', 'N', PRICE(1000), 2);
        dbn_write_mbp(&w, 0x00, 207, T0, 'T', 'N', PRICE(1000), 3);
        dbn_write_mbp(&w, 0x00, 207, T0 + day, 'T', 'N', PRICE(1000), 4);
        dbn_write_mbp(&w, 0x00, 118, T0 + day, 'T', 'N', PRICE(1000), 5); /* the end is not included */
        dbn_write_mbp(&w, 0x00, 5, T0, 'T', 'N', PRICE(1000), 6);
        EXPECT(write_out(&w), "118 trade 0 1 1 1", "ES.c.0 trade 0 1719878281218218853 1 2",
               "OLD trade 0 1719878281218218853 1 3", "ES.c.0 trade 0 1719964681218218853 1 4",
               "118 trade 0 1719964681218218853 1 5", "BRN FMJ0024! trade 0 1719878281218218853 1 6");
        w = (struct dbn_writer){.version = version};
        dbn_write_metadata(&w, &(struct dbn_write_mapping){"118", "ESU4", 20240701, 20240702}, 1, by_number);
        dbn_write_mbp(&w, 0x00, 118, T0, 'T', 'N', PRICE(1000), 1);
        EXPECT(write_out(&w), "ESU4 trade 0 1719878281218218853 1 1");
    }
}

static void names_in_the_stream(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 3; version++) {
        struct dbn_writer w = {.version = version, .ts_out = version == 2};
        dbn_write_metadata(&w, NULL, 0, (const uint8_t[2]){255, 0});
        dbn_write_mbp(&w, 0x00, 9, T0, 'T', 'N', PRICE(1000), 1);
        dbn_write_mapped(&w, 9, T0, "ES.FUT", "ESZ4");
        dbn_write_mbp(&w, 0x00, 9, T0, 'T', 'N', PRICE(1000), 2);
        dbn_write_definition(&w, 10, T0, "MSFT");
        dbn_write_mbp(&w, 0x00, 10, T0, 'T', 'N', PRICE(1000), 3);
        dbn_write_mapped(&w, 9, T0, "ES.FUT", "ESH5");
        dbn_write_mapped(&w, 11, T0, "X", ""); /* an end of a mapping names nothing */
        dbn_write_mbp(&w, 0x00, 9, T0, 'T', 'N', PRICE(1000), 4);
        dbn_write_mbp(&w, 0x00, 11, T0, 'T', 'N', PRICE(1000), 5);
        EXPECT(write_out(&w), "9 trade 0 1719878281218218853 1 1", "ESZ4 trade 0 1719878281218218853 1 2",
               "MSFT trade 0 1719878281218218853 1 3", "ESH5 trade 0 1719878281218218853 1 4",
               "11 trade 0 1719878281218218853 1 5");
    }
}

/* A market's instruments, mixed; and the same ones told again and again, which must not add up. */
static void many_names(void **state)
{
    (void)state;
    enum { NAMES = 20000 };
    struct dbn_writer w = begin(3, false);
    char name[16];
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "S%u", i);
        dbn_write_mapped(&w, i, T0, name, name);
    }
    for (uint32_t i = 0; i < 250000; i++) dbn_write_mapped(&w, 7, T0, "S7", "S7");
    for (uint32_t i = 0; i < NAMES; i++)
        dbn_write_mbp(&w, 0x00, i * 7919 % NAMES, T0, 'T', 'N', PRICE(1000), i);
    struct read_all a = read_all(write_out(&w), NULL, NULL, 64);
    if (a.bad > 0) fail_msg("%s", a.fault.text);
    assert_int_equal(a.count, NAMES);
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "S%u", i * 7919 % NAMES);
        assert_true(text_equal(a.reader->ops->symbol(a.reader, a.ticks[i].symbol), text_of(name)));
    }
    read_all_free(&a);
}

/* Larger than a source's view: an option market's list of names. */
static void long_metadata(void **state)
{
    (void)state;
    enum { NAMES = 12000 };
    static struct dbn_write_mapping mappings[NAMES];
    static char texts[NAMES][2][12];
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(texts[i][0], sizeof texts[i][0], "N%u", i);
        snprintf(texts[i][1], sizeof texts[i][1], "%u", 4000000000u + i);
        mappings[i] = (struct dbn_write_mapping){texts[i][0], texts[i][1], 20240101, 20250101};
    }
    struct dbn_writer w = {.version = 3};
    dbn_write_metadata(&w, mappings, NAMES, by_name);
    assert_true(w.size > SOURCE_WANT_MAX);
    dbn_write_mbp(&w, 0x00, 4000011999u, T0, 'T', 'N', PRICE(1000), 1);
    EXPECT(write_out(&w), "N11999 trade 0 1719878281218218853 1 1");
}

static void only_metadata(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 3; version++) {
        struct dbn_writer w = begin(version, false);
        expect(write_out(&w), (const char *const[]){NULL});
    }
}

/* A file cut at every byte: whole records are read, the rest is one fault at the place of the first of its
 * bytes. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 3; version++) {
        struct dbn_writer w = begin(version, true);
        size_t metadata = w.size;
        dbn_write_mbp(&w, 0x00, 118, T0, 'T', 'N', PRICE(1000), 1);
        dbn_write_mbp(&w, 0x01, 118, T0, 'T', 'N', PRICE(1000), 2);
        char words[64];
        for (size_t size = 8; size < w.size; size++) {
            const char *path = test_file("t.dbn", w.bytes, size);
            size_t first = metadata + 56, begun = size < first ? metadata : first;
            if (size == metadata || size == first) continue;
            if (size < metadata) {
                snprintf(words, sizeof words, "byte %zu: the file ends within its metadata", size);
                expect_bad(path, NULL, TC_EINPUT, false, 0, words);
            } else {
                snprintf(words, sizeof words, "byte %zu: the file ends within a record", begun);
                expect_bad(path, NULL, 0, true, begun == first, words);
            }
        }
        free(w.bytes);
    }
}

static void damaged_metadata(void **state)
{
    (void)state;
    static const struct {
        uint8_t version;
        size_t at;
        uint64_t value;
        uint32_t bytes;
        const char *words;
    } cases[] = {
        {2, 3, 9, 1, "byte 3: version is not 1, 2 or 3"},
        {2, 3, 0, 1, "byte 3: version is not 1, 2 or 3"},
        {2, 0, 'X', 1, "byte 0: does not begin with \"DBN\""},
        {3, 4, 99, 4, "byte 4: metadata length is out of range"},
        {3, 4, UINT32_MAX, 4, "byte 4: metadata length is out of range"},
        {1, 4, 1000000, 4, "the file ends within its metadata"},
        {2, 53, 0, 2, "byte 53: symbol length is out of range"},
        {2, 53, 257, 2, "byte 53: symbol length is out of range"},
        {1, 108, UINT32_MAX, 4, "symbol lists run over the end"},
        {2, 112, UINT32_MAX, 4, "byte 116: symbol lists run over the end"},
        {1, 112 + 4 + 22 + 4 + 22 + 4, 2, 4, "mappings run over the end"},
        {1, 112 + 4 + 22 + 4 + 22 + 4 + 4 + 22, UINT32_MAX, 4, "mappings run over the end"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dbn_writer w = begin(cases[i].version, false);
        dbn_put(w.bytes + cases[i].at, cases[i].value, cases[i].bytes);
        expect_bad(write_out(&w), "dbn", TC_EINPUT, false, 0, cases[i].words);
    }
    const char *path = test_file("t.dbn", "DBN\2", 4);
    expect_bad(path, NULL, TC_EINPUT, false, 0, "byte 0: does not begin with");
}

/* A trade, what `spoil` makes of the record behind it, and one more trade. */
static const char *with_bad_record(uint8_t version, void (*spoil)(struct dbn_writer *w), char *offset)
{
    struct dbn_writer w = begin(version, version == 2);
    dbn_write_mbp(&w, 0x00, 118, T0, 'T', 'N', PRICE(1000), 1);
    snprintf(offset, 32, "byte %zu: ", w.size);
    spoil(&w);
    dbn_write_mbp(&w, 0x00, 118, T0, 'T', 'N', PRICE(1000), 2);
    return write_out(&w);
}

static void price_undefined(struct dbn_writer *w)
{
    dbn_write_mbp(w, 0x00, 118, T0, 'T', 'N', NONE, 2);
}
static void size_undefined(struct dbn_writer *w)
{
    dbn_write_mbo(w, 118, T0, 'T', 'N', PRICE(1), UINT32_MAX);
}
static void bid_size_undefined(struct dbn_writer *w)
{
    uint8_t *at = dbn_write_mbp(w, 0x01, 118, T0, 'A', 'N', PRICE(1), 1);
    dbn_put_level(at, 0, PRICE(1), UINT32_MAX, PRICE(2), 1);
}
static void close_undefined(struct dbn_writer *w)
{
    dbn_write_bar(w, 0x21, 118, T0, (const int64_t[4]){1, 1, 1, NONE}, 1);
}
static void volume_too_large(struct dbn_writer *w)
{
    dbn_write_bar(w, 0x21, 118, T0, (const int64_t[4]){1, 1, 1, 1}, UINT64_MAX);
}
static void time_undefined(struct dbn_writer *w)
{
    uint8_t *at = dbn_write_mbp(w, 0x00, 118, DBN_TIME_NONE, 'T', 'N', PRICE(1), 2);
    dbn_put(at + 32, DBN_TIME_NONE, 8);
}
static void bar_time_undefined(struct dbn_writer *w)
{
    dbn_write_bar(w, 0x21, 118, DBN_TIME_NONE, (const int64_t[4]){1, 1, 1, 1}, 1);
}
static void time_too_large(struct dbn_writer *w)
{
    dbn_write_mbp(w, 0x00, 118, UINT64_C(1) << 63, 'T', 'N', PRICE(1), 2);
}
static void trade_short(struct dbn_writer *w)
{
    dbn_write_record(w, 0x00, 44, 118, T0);
}
static void book_short(struct dbn_writer *w)
{
    dbn_write_record(w, 0x0A, 364, 118, T0);
}
static void definition_short(struct dbn_writer *w)
{
    dbn_write_record(w, 0x13, 356, 118, T0);
}
static void name_too_long(struct dbn_writer *w)
{
    dbn_write_definition(w, 12, T0, "A name of more than 32 characters");
    dbn_write_mbp(w, 0x00, 12, T0, 'T', 'N', PRICE(1), 2);
}

static void bad_records_cost_themselves(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct dbn_writer *w);
        const char *words;
    } cases[] = {
        {price_undefined, "price of a trade is undefined"},
        {size_undefined, "size of a trade is undefined"},
        {bid_size_undefined, "size of a quote is undefined"},
        {close_undefined, "price of a bar is undefined"},
        {volume_too_large, "volume of a bar is out of range"},
        {time_undefined, "time of a record is undefined"},
        {bar_time_undefined, "time of a record is undefined"},
        {time_too_large, "time of a record is undefined or out of range"},
        {trade_short, "record type 0x00 has"},
        {book_short, "record type 0x0a has"},
        {definition_short, "record type 0x13 has"},
    };
    for (uint8_t version = 1; version <= 3; version++) {
        for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char words[128];
            const char *path = with_bad_record(version, cases[i].spoil, words);
            snprintf(words + strlen(words), 96, "%s", cases[i].words);
            expect_bad(path, NULL, 0, false, 2, words);
        }
    }
    char words[128];
    expect_bad(with_bad_record(3, name_too_long, words), NULL, 0, false, 2,
               "the name of instrument 12 is not");
}

static void length_below_a_header(struct dbn_writer *w)
{
    dbn_write_record(w, 0x00, 48, 118, T0)[0] = 3;
}
static void length_zero(struct dbn_writer *w)
{
    dbn_write_record(w, 0x00, 48, 118, T0)[0] = 0;
}

static void nothing_follows_a_lost_place(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 3; version++) {
        char words[128];
        const char *path = with_bad_record(version, length_below_a_header, words);
        snprintf(words + strlen(words), 96, "a record's length is less than its header's 16 bytes");
        expect_bad(path, NULL, 0, true, 1, words);
        expect_bad(with_bad_record(version, length_zero, words), NULL, 0, true, 1, "less than its header's");
    }
}

/* What was unpacked before the damage is read: here all records but those of the last frame. */
static void damaged_packing(void **state)
{
    (void)state;
    struct dbn_writer w = begin(1, false);
    for (uint32_t i = 0; i < 10; i++) dbn_write_mbp(&w, 0x00, 118, T0, 'T', 'N', PRICE(1000), i);
    const char *path = test_file_zstd("cut.dbn.zst", (const char *)w.bytes, w.size, 1);
    test_file_append(path, "\x28\xb5\x2f\xfd", 4); /* a second frame that ends within its header */
    expect_bad(path, NULL, 0, true, 10, "the zstd data ends too early");
    free(w.bytes);
}

static int clean(void **state)
{
    (void)state;
    test_files_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_each_version),
        cmocka_unit_test(packed_in_two_frames),
        cmocka_unit_test(longer_than_a_window),
        cmocka_unit_test(names_by_day),
        cmocka_unit_test(names_in_the_stream),
        cmocka_unit_test(many_names),
        cmocka_unit_test(long_metadata),
        cmocka_unit_test(only_metadata),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(damaged_metadata),
        cmocka_unit_test(bad_records_cost_themselves),
        cmocka_unit_test(nothing_follows_a_lost_place),
        cmocka_unit_test(damaged_packing),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
