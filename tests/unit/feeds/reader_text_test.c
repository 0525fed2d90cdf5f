/* tests/unit/feeds/reader_text_test.c -- goal: each text format, as its venue writes it, is found by its
 * content and read exactly; what is wrong in a row is told with file, line, field and remedy, and costs that
 * row only. */
#include "feeds/read_all.h"
#include "feeds/text_files.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Reads text under the name; compares format and every tick. lines ends with NULL. */
static void expect_with(const char *name, const char *text, const struct reader_options *o,
                        const char *format, const char *const *lines)
{
    for (uint32_t batch = 1; batch <= 64; batch += 63) {
        struct read_all a = read_all(test_file_text(name, text), NULL, o, batch);
        if (a.opened < 0 || a.bad > 0) fail_msg("%s: %s", name, a.fault.text);
        assert_string_equal(a.format, format);
        uint32_t i = 0;
        for (; lines[i] && i < a.count; i++) assert_string_equal(tick_line(&a, &a.ticks[i]), lines[i]);
        assert_int_equal(a.count, i);
        assert_null(lines[i]);
        read_all_free(&a);
    }
}

#define EXPECT(name, text, o, format, ...)                                                                   \
    expect_with(name, text, o, format, (const char *const[]){__VA_ARGS__, NULL})

/* One row is wrong: the text names it; `good` others are read. */
static void expect_bad(const char *name, const char *text, const char *format, uint32_t good,
                       const char *words)
{
    for (uint32_t batch = 1; batch <= 64; batch += 63) {
        const char *path = test_file_text(name, text);
        struct read_all a = read_all(path, format, NULL, batch);
        if (a.opened == 0) assert_int_equal(a.bad, 1);
        if (a.opened == 0) assert_false(a.fatal);
        if (!strstr(a.fault.text, words)) fail_msg("\"%s\" is not in: %s", words, a.fault.text);
        assert_int_equal(a.count, good);
        read_all_free(&a);
    }
}

static void tickcast_csv(void **state)
{
    (void)state;
    EXPECT("AAPL.csv", "ts,price,size\n1700000000000000000,189.230,100\r\n1700000000000000001,0.10,0\n\n",
           NULL, "csv", "AAPL trade 0 1700000000000000000 189.23 100",
           "AAPL trade 0 1700000000000000001 0.1 0");
    EXPECT("t.csv",
           "\xef\xbb\xbfsize,TS,side,symbol,price,id,odd\n1,2023-02-02T09:20:00.138Z,buy,\"A,\"\"B\",5,77,"
           "\"x,y\"\n"
           "2.50,2023-02-02 09:20:00+01:00,sell,C D,-0.5,no,z",
           NULL, "csv", "A,\"B trade 1 1675329600138000000 5 1 id 77",
           "C D trade 2 1675326000000000000 -0.5 2.5");
    EXPECT("q.csv", "ts_ms,symbol,bid,bid_size,ask,ask_size\n1,X,189.2,3,189.25,4\n2,X,,,1.5,1\n3,X,1,2,,\n",
           NULL, "csv", "X quote 0 1000000 189.20 3 189.25 4", "X quote 1 2000000 0.0 0 1.5 1",
           "X quote 2 3000000 1 2 0 0");
    EXPECT("b.csv",
           "ts_s,symbol,open,high,low,close,volume,interval,final\n60,X,1,2.5,0.75,2,1000,1m,true\n61,X,1,1,"
           "1,1,1,1s,false\n",
           NULL, "csv", "X bar 11 60000000000 1.00 2.50 0.75 2.00 1000", "X bar 0 61000000000 1 1 1 1 1");
    EXPECT("mix.csv",
           "ts,symbol,kind,price,size,side,state,bid\n1,X,trade,1,2,s,,\n2,X,book,3,0,ask,,\n3,X,status,,,,"
           "halted,\n"
           "4,X,quote,,,,,7\n",
           NULL, "csv", "X trade 2 1 1 2", "X book 1 2 3 0", "X status 0 3 halted", "X quote 2 4 7 0 0 0");
    EXPECT("semi.csv", "ts;price;size\n1;2.5;3\n", NULL, "csv", "semi trade 0 1 2.5 3");
}

static void mapped_columns(void **state)
{
    (void)state;
    struct reader_options o = {.columns = TEXT("ts:time_ms,price:px,size:qty"), .symbol = TEXT("SYM")};
    EXPECT("m.csv", "qty,px,time_ms\n2,1.5,1700000000123\n", &o, "csv",
           "SYM trade 0 1700000000123000000 1.5 2");
    o.columns = TEXT("ts:when:s,price:Last Price,size:qty,symbol:who");
    EXPECT("m.csv", "who,when,Last Price,qty\nZ,1.5,2,3\n", &o, "csv", "Z trade 0 1500000000 2 3");
    o.columns = TEXT("ts:#1:us,price:#3,size:#2");
    EXPECT("m.csv", "5,1,2\n6,3,4\n", &o, "csv", "SYM trade 0 5000 2 1", "SYM trade 0 6000 4 3");
    o.columns = TEXT("ts:t:ms,open:o,high:h,low:l,close:c,volume:v,interval:=5m");
    EXPECT("m.csv", "t,o,h,l,c,v\n1,1,2,0,1,9\n", &o, "csv", "SYM bar 17 1000000 1 2 0 1 9");
}

static void venue_formats(void **state)
{
    (void)state;
    EXPECT("XBTUSD.csv",
           "1672620536,90.070000,1.10000000\n1672620536,90.070000,1.10000000\n1672621569.5,90.000000,0.05\n",
           NULL, "kraken", "XBTUSD trade 0 1672620536000000000 90.07 1.1",
           "XBTUSD trade 0 1672620536000000000 90.07 1.1", "XBTUSD trade 0 1672621569500000000 90 0.05");
    struct reader_options o = {.symbol = TEXT("BTC/USDT")};
    EXPECT(
        "ccxt.csv",
        ",timestamp,id,type,side,price,amount,cost,date\n0,1675329600138,1206419187,,buy,1666.8,2e-05,4,x\n",
        &o, "ccxt", "BTC/USDT trade 1 1675329600138000000 1666.8 0.00002 id 1206419187");
    EXPECT("tt.csv",
           "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
           "bitmex,XBTUSD,1583020803145000,1583020803307160,ccc3c1fa-212c,sell,8531.5,2152\n"
           "bitmex,XBTUSD,1583020803145000,1583020803307160,12,unknown,8531.5,1\n",
           NULL, "tardis", "XBTUSD trade 2 1583020803145000000 8531.5 2152",
           "XBTUSD trade 0 1583020803145000000 8531.5 1 id 12");
    EXPECT("tq.csv",
           "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
           "h,BTC-USD,1588291201099000,1588291201234268,5494,8629.3,8629,806\nh,BTC-USD,1588291201099001,1,"
           "5494,8629.3,,\n",
           NULL, "tardis", "BTC-USD quote 0 1588291201099000000 8629.0 806 8629.3 5494",
           "BTC-USD quote 1 1588291201099001000 0.0 0 8629.3 5494");
    EXPECT("tb.csv",
           "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
           "d,B,1,1,true,ask,6421.5,10\nd,B,1,1,true,bid,6421,2\nd,B,2,1,false,bid,6421,0\nd,B,3,1,true,ask,"
           "6422,1\nd,B,3,1,true,bid,6420,1\n",
           NULL, "tardis", "B book 1 1000 6421.5 10", "B book 0 1000 6421 2", "B book 0 2000 6421 0",
           "- feed 1 3000", "B book 1 3000 6422 1", "B book 0 3000 6420 1");
    EXPECT("AAPL_2012-06-21_34200000_37800000_message_50.csv",
           "34200.004241176,1,16113575,18,5853300,1\n34200.02,4,1,18,5853300,1\n35821.088778456004,5,0,100,"
           "5853350,-1\n"
           "36000.0,7,0,0,-1,-1\n36001.9999999996,7,0,0,0,-1\n36002,7,0,0,1,-1\n",
           NULL, "lobster", "AAPL trade 2 1340285400020000000 585.33 18",
           "AAPL trade 1 1340287021088778456 585.335 100", "AAPL status 0 1340287200000000000 halted",
           "AAPL status 0 1340287202000000000 quoting", "AAPL status 0 1340287202000000000 trading");
}

static void binance_dumps(void **state)
{
    (void)state;
    EXPECT("BTCUSDT-trades-2024-01-01.csv",
           "7,42283.58,0.001,42.28,1704067200123,True,True\n8,1,2,2,1735689600123456,False,True\n", NULL,
           "binance", "BTCUSDT trade 2 1704067200123000000 42283.58 0.001 id 7",
           "BTCUSDT trade 1 1735689600123456000 1 2 id 8");
    EXPECT("BTCUSDT-trades-2024-01-01.csv",
           "id,price,qty,quote_qty,time,is_buyer_maker\n7,1.10,2,3,1704067200123,true\n", NULL, "binance",
           "BTCUSDT trade 2 1704067200123000000 1.1 2 id 7");
    EXPECT("ETHUSDT-aggTrades-2024-01.csv", "9,2281.87,0.5,100,101,1704067200123,false,true\n", NULL,
           "binance", "ETHUSDT trade 1 1704067200123000000 2281.87 0.5 id 9");
    EXPECT("ETHUSDT-aggTrades-2024-01.csv",
           "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n9,1,2,100,"
           "101,1704067200123,true\n",
           NULL, "binance", "ETHUSDT trade 2 1704067200123000000 1 2 id 9");
    EXPECT("ETHUSDT-bookTicker-2024-01.csv",
           "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n"
           "1,2.5,3,2.51,4,1704067200123,1704067200125\n",
           NULL, "binance", "ETHUSDT quote 0 1704067200123000000 2.50 3 2.51 4");
}

static void polygon_flat_files(void **state)
{
    (void)state;
    EXPECT("2024-01-02.csv",
           "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,sip_"
           "timestamp,size,"
           "tape,trf_id,trf_timestamp\nA,\"12,37\",0,11,55,1704186002175000000,139.0800,3,"
           "1704186002175300000,10,1,0,0\n"
           "BRK.A,,0,4,1,1704186002175000001,1,4,,2,1,201,1704186002175000002\n",
           NULL, "polygon", "A trade 0 1704186002175300000 139.08 10 id 55",
           "BRK.A trade 0 1704186002175000001 1 2 id 1");
    EXPECT("q.csv",
           "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,conditions,indicators,"
           "participant_timestamp,sequence_number,sip_timestamp,tape,trf_timestamp\nA,0,0,0,12,138.5,1,\"1,"
           "81\",,5,1,6,1,0\n",
           NULL, "polygon", "A quote 2 6 138.5 1 0.0 0");
}

static void lean_zips(void **state)
{
    (void)state;
    const char *equity[] = {"20131007_aig_Trade_Tick.csv",
                            "14400688,491800,300,P,2000,0\n14581540,488705,2000,Q,20002020,0", NULL};
    struct read_all a = read_all(test_file_zip_of("20131007_trade.zip", equity), NULL, NULL, 10);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.format, "lean");
    assert_string_equal(tick_line(&a, &a.ticks[0]), "AIG trade 0 1381132800688000000 49.18 300");
    assert_string_equal(tick_line(&a, &a.ticks[1]), "AIG trade 0 1381132981540000000 48.8705 2000");
    read_all_free(&a);
    /* The pair is the exchange's own: P's bid and P's ask, never Q's ask. */
    const char *quotes[] = {"20131007_ibm_Quote_Tick.csv",
                            "1000,0,0,1836300,100,Q,1,0\n2000,1800100,300,0,0,P,1,0\n3000,0,0,1818000,3000,P,"
                            "1,0\n4000,0,0,0,0,P,1,0\n",
                            NULL};
    a = read_all(test_file_zip_of("20131007_quote.zip", quotes), NULL, NULL, 10);
    assert_int_equal(a.count, 4);
    assert_string_equal(tick_line(&a, &a.ticks[0]), "IBM quote 1 1381118401000000000 0.00 0 183.63 100");
    assert_string_equal(tick_line(&a, &a.ticks[1]), "IBM quote 2 1381118402000000000 180.01 300 0.00 0");
    assert_string_equal(tick_line(&a, &a.ticks[2]), "IBM quote 0 1381118403000000000 180.01 300 181.80 3000");
    assert_int_equal(a.ticks[3].flags, QUOTE_NO_BID | QUOTE_NO_ASK);
    read_all_free(&a);
    /* Contract months, merged by time; equal times in the archive's order. */
    const char *months[] = {"20131007_gc_tick_trade_201312.csv", "100,1313.7,1,usa,,0\n300,1313.8,0,usa,,0\n",
                            "20131007_gc_tick_trade_201402.csv",
                            "50,1314,1,usa,,0\n100,1315,1,usa,,0\n200,1316,1,usa,,0\n", NULL};
    a = read_all(test_file_zip_of("gc.zip", months), NULL, NULL, 10);
    assert_int_equal(a.count, 5);
    assert_string_equal(tick_line(&a, &a.ticks[0]), "GC201402 trade 0 1381118400050000000 1314 1");
    assert_string_equal(tick_line(&a, &a.ticks[1]), "GC201312 trade 0 1381118400100000000 1313.7 1");
    assert_string_equal(tick_line(&a, &a.ticks[2]), "GC201402 trade 0 1381118400100000000 1315 1");
    assert_string_equal(tick_line(&a, &a.ticks[4]), "GC201312 trade 0 1381118400300000000 1313.8 0");
    read_all_free(&a);
    struct reader_options one = {.member = "20131007_gc_tick_trade_201402.csv"};
    a = read_all(test_path("gc.zip"), NULL, &one, 10);
    assert_int_equal(a.count, 3);
    read_all_free(&a);
}

static void bad_rows_are_told_and_passed(void **state)
{
    (void)state;
    expect_bad("x.csv", "ts,price,size\n1,2,3\n\n2,\"18,20\",1\n3,4,5\n", NULL, 2,
               "x.csv:4: price \"18,20\" is not a decimal; use \".\"");
    expect_bad("x.csv", "ts,price,size\n1,2\n2,3,4\n", NULL, 1, "x.csv:2: size \"\" is empty");
    expect_bad("x.csv", "ts,price,size\nnow,2,1\n2,3,4\n", NULL, 1, "x.csv:2: ts \"now\" is not a time");
    expect_bad("x.csv", "ts,price,size\n1,0.0000000000000000001,1\n2,3,4\n", NULL, 1,
               "more digits than can be held exactly");
    expect_bad("x.csv", "ts,price,size\n1,\"2,1\n2,3,4\n", NULL, 1,
               "x.csv:2: a quoted field does not end on its line");
    expect_bad("x.csv", "ts,price,size\n1,\"2\"x,1\n2,3,4\n", NULL, 1, "text behind a quoted field");
    expect_bad("x.csv", "ts,symbol,price,size\n1, A,2,1\n2,B,3,4\n", NULL, 1, "symbol \" A\" is not a name");
    expect_bad("x.csv", "ts,price,size\n1,2\x01\x1b[31m,1\n2,3,4\n", NULL, 1, "price \"2??[31m\"");
    expect_bad("x.csv", "ts,kind,price,size\n1,tick,2,1\n2,trade,3,4\n", NULL, 1,
               "kind \"tick\" is not trade, quote");
    expect_bad("x.csv", "1672620536,90.07\n1672620536,1,2\n", "kraken", 1,
               "x.csv:1: the row has 2 fields and needs 3");
    expect_bad("A_2012-06-21_1.csv", "1,9,1,1,1,1\n1.5,4,1,1,1,1\n", "lobster", 1,
               "type \"9\" is not 1 to 7");
    expect_bad("A_2012-06-21_1.csv", "1.5,4,1,1,1,2\n1.5,4,1,1,1,1\n", "lobster", 1,
               "direction \"2\" is not 1 or -1");
}

static void long_lines_cost_one_row(void **state)
{
    (void)state;
    size_t size = 300000;
    char *text = malloc(size + 64);
    assert_non_null(text);
    int used = snprintf(text, 64, "ts,price,size\n1,2,3\n");
    memset(text + used, 'x', size - (size_t)used);
    snprintf(text + size, 64, "\n4,5,6\n");
    const char *path = test_file("long.csv", text, size + 7);
    struct read_all a = read_all(path, NULL, NULL, 16);
    assert_int_equal(a.bad, 1);
    assert_int_equal(a.count, 2);
    assert_non_null(strstr(a.fault.text, "long.csv:3: the line is longer than 65536 bytes"));
    assert_string_equal(tick_line(&a, &a.ticks[1]), "long trade 0 4 5 6");
    read_all_free(&a);
    free(text);
}

static void what_is_no_format(void **state)
{
    (void)state;
    expect_bad("e.csv", "", NULL, 0, "the file is empty");
    expect_bad("n.csv", "hello\nworld\n", NULL, 0, "not a known format; name one with --format (csv, kraken");
    expect_bad("n.csv", "a,b\n", "nope", 0, "format \"nope\" is not known; there are csv");
    expect_bad("n.csv", "a,b\n1,2\n", "csv", 0,
               "n.csv:1: the header has no column ts; name the columns with columns=");
    expect_bad("n.csv", "ts,price\n1,2\n", NULL, 0, "the header has no column size; map it");
    expect_bad("n.csv", "timestamp,price,amount\n1,2,3\n", "tardis", 0, "has no column \"symbol\"");
    expect_bad("34200.csv", "34200.5,4,1,1,1,1\n", NULL, 0, "the name holds no date; give date=YYYY-MM-DD");
    expect_bad("a name far too long for a symbol of ours.csv", "1672620536,1,1\n", NULL, 0,
               "give one with --symbol NAME");
}

static void line_numbers_hold_in_packed_files(void **state)
{
    (void)state;
    char *text = malloc(3000000);
    assert_non_null(text);
    size_t used = 0;
    for (uint32_t i = 1; i <= 100001; i++) { /* a header and 100000 rows; line 70001 is wrong */
        used += (size_t)snprintf(text + used, 40,
                                 i == 1       ? "ts,price,size\n"
                                 : i == 70001 ? "%u,x,%u\n"
                                              : "%u,0.%u,1\n",
                                 i, i);
    }
    const char *path = test_file_gzip("rows.csv.gz", text, used, 3);
    struct read_all a = read_all(path, NULL, NULL, 100);
    assert_int_equal(a.bad, 1);
    assert_int_equal(a.count, 99999);
    assert_non_null(strstr(a.fault.text, "rows.csv.gz:70001: price \"x\" is not a decimal"));
    read_all_free(&a);
    path = test_file_zstd("cut.csv.zst", text, used, 1);
    test_file_cut(path, 20000);
    a = read_all(path, NULL, NULL, 100);
    assert_true(a.fatal);
    assert_true(a.count > 1000); /* the rows before the damage */
    assert_non_null(
        strstr(a.fault.text, "cut.csv.zst: at byte 20000 of the packed file: the zstd data ends too early"));
    read_all_free(&a);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickcast_csv),
        cmocka_unit_test(mapped_columns),
        cmocka_unit_test(venue_formats),
        cmocka_unit_test(binance_dumps),
        cmocka_unit_test(polygon_flat_files),
        cmocka_unit_test(lean_zips),
        cmocka_unit_test(bad_rows_are_told_and_passed),
        cmocka_unit_test(long_lines_cost_one_row),
        cmocka_unit_test(what_is_no_format),
        cmocka_unit_test(line_numbers_hold_in_packed_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_files_remove();
    return failed;
}
