/* tests/unit/wire/command_test.c -- goal: a command and a query say the same in the same words, and each
 * wrong value has its code. */
#include "support/command_check.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

static struct command c;
static struct command_error err;

static void right(const char *json)
{
    int status = command_parse(json, strlen(json), &c, &err);
    if (status != 0) print_error("%s: %s: %s\n", json, err.code, err.message);
    assert_int_equal(status, 0);
    command_check(status, &c, &err);
}

static void right_query(const char *query)
{
    int status = command_parse_query(text_of(query), &c, &err);
    if (status != 0) print_error("%s: %s: %s\n", query, err.code, err.message);
    assert_int_equal(status, 0);
    command_check(status, &c, &err);
}

static void assert_symbols(uint32_t count, const char *const *names)
{
    assert_int_equal(c.symbol_count, count);
    for (uint32_t i = 0; i < count; i++) assert_true(text_equal(c.symbols[i], text_of(names[i])));
}

static void every_member(void **state)
{
    (void)state;
    right("{\"op\":\"subscribe\",\"id\":1,\"symbols\":[\"AAPL\",\"BRK*\"],\"kinds\":[\"trade\",\"quote\"],"
          "\"snapshot\":false,"
          "\"policy\":\"latest\",\"rate\":20,\"frame\":\"tick\",\"since\":\"1.5s\",\"heartbeat\":0.25,"
          "\"unknown\":[{}]}");
    assert_int_equal(c.op, COMMAND_SUBSCRIBE);
    assert_int_equal(c.id_size, 1);
    assert_memory_equal(c.id, "1", 1);
    assert_symbols(2, (const char *const[]){"AAPL", "BRK*"});
    assert_int_equal(c.kinds, KIND_BIT(TICK_TRADE) | KIND_BIT(TICK_QUOTE));
    assert_true(c.has_snapshot && !c.snapshot);
    assert_int_equal(c.policy, POLICY_LATEST);
    assert_int_equal(c.rate_interval_ns, 50000000);
    assert_int_equal(c.frame, FRAME_TICK);
    assert_int_equal(c.since, SINCE_NS);
    assert_int_equal(c.since_value, 1500000000);
    assert_int_equal(c.heartbeat_ns, 250000000);
}

static void what_is_not_said(void **state)
{
    (void)state;
    right("{\"op\":\"subscribe\",\"symbols\":\"*\"}");
    assert_int_equal(c.id_size, 0);
    assert_symbols(1, (const char *const[]){"*"});
    assert_int_equal(c.kinds, KINDS_CLIENT);
    assert_true(c.snapshot);
    assert_false(c.has_snapshot || c.has_kinds || c.has_policy || c.has_rate || c.has_frame || c.has_since ||
                 c.has_heartbeat || c.has_resume);
    right("{\"op\":\"subscribe\",\"rate\":0}"); /* changes the rate, adds nothing */
    assert_true(c.has_rate && !c.has_symbols);
    assert_int_equal(c.rate_interval_ns, 0);
    right("{\"op\":\"ping\",\"rate\":\"a ping has no rate\"}");
    assert_int_equal(c.op, COMMAND_PING);
}

static void resume_and_since(void **state)
{
    (void)state;
    right("{\"op\":\"resume\",\"id\":\"x\",\"epoch\":\"00ff00000000abcd\",\"seq\":9223372036854775807,"
          "\"symbols\":[\"*\"]}");
    assert_int_equal(c.op, COMMAND_RESUME);
    assert_int_equal(c.epoch, 0x00ff00000000abcd);
    assert_int_equal(c.seq, INT64_MAX);
    right_query("resume=00FF00000000ABCD-42");
    assert_int_equal(c.op, COMMAND_RESUME);
    assert_int_equal(c.epoch, 0x00ff00000000abcd);
    assert_int_equal(c.seq, 42);
    static const struct {
        const char *text;
        enum since since;
        uint64_t value;
    } rows[] = {{"oldest", SINCE_OLDEST, 0},    {"5000", SINCE_TICKS, 5000},
                {"0", SINCE_TICKS, 0},          {"250ms", SINCE_NS, 250000000},
                {"2m", SINCE_NS, 120000000000}, {"0.5h", SINCE_NS, 1800000000000},
                {".5s", SINCE_NS, 500000000}};
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char query[64], json[96];
        snprintf(query, sizeof query, "since=%s", rows[i].text);
        right_query(query);
        assert_int_equal(c.since, rows[i].since);
        assert_int_equal(c.since_value, rows[i].value);
        snprintf(json, sizeof json, "{\"op\":\"subscribe\",\"symbols\":\"*\",\"since\":\"%s\"}",
                 rows[i].text);
        right(json);
        assert_int_equal(c.since, rows[i].since);
        assert_int_equal(c.since_value, rows[i].value);
    }
}

static void ids_are_echoed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"7", "7"},
        {"-3", "-3"},
        {"1.5", "1.5"},
        {"\"a b\"", "\"a b\""},
        {"\"\\u20ac\\n\"", "\"\xE2\x82\xAC\\n\""},
        {"\"\"", "\"\""},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[96];
        snprintf(json, sizeof json, "{\"op\":\"ping\",\"id\":%s}", rows[i][0]);
        right(json);
        assert_int_equal(c.id_size, strlen(rows[i][1]));
        assert_memory_equal(c.id, rows[i][1], c.id_size);
    }
}

static void a_whole_query(void **state)
{
    (void)state;
    right_query("symbols=A%2CB,ES%20U4,%2A&kinds=bar,status&snapshot=0&policy=complete&rate=2.5&frame=tick&"
                "heartbeat=10&x=%zz");
    assert_int_equal(c.op, COMMAND_SUBSCRIBE);
    assert_symbols(3, (const char *const[]){"A,B", "ES U4", "*"});
    assert_int_equal(c.kinds, KIND_BIT(TICK_BAR) | KIND_BIT(TICK_STATUS));
    assert_true(c.has_snapshot && !c.snapshot);
    assert_int_equal(c.policy, POLICY_COMPLETE);
    assert_int_equal(c.rate_interval_ns, 400000000);
    assert_int_equal(c.heartbeat_ns, 10000000000);
    right_query("");
    assert_false(c.has_symbols);
}

static const struct wrong_row {
    const char *json, *query; /* either may be NULL */
    const char *code;
} wrong_rows[] = {
    {"", NULL, "bad_json"},
    {"[]", NULL, "bad_json"},
    {"\"op\"", NULL, "bad_json"},
    {"{\"op\":\"ping\"} x", NULL, "bad_json"},
    {"{\"op\":\"ping\",\"op\":\"ping\"}", NULL, "bad_json"},
    {"{\"op\":\"\xff\"}", NULL, "bad_json"},
    {"{\"id\":1}", NULL, "bad_op"},
    {"{\"op\":\"fly\"}", NULL, "bad_op"},
    {"{\"op\":1}", NULL, "bad_op"},
    {"{\"op\":\"ping\",\"id\":null}", NULL, "bad_id"},
    {"{\"op\":\"ping\",\"id\":[1]}", NULL, "bad_id"},
    {"{\"op\":\"ping\",\"id\":\"0123456789012345678901234567890123456789012345678901234567890123\"}", NULL,
     "bad_id"},
    {"{\"op\":\"subscribe\"}", NULL, "bad_symbols"},
    {"{\"op\":\"subscribe\",\"kinds\":[\"trade\"]}", NULL, "bad_symbols"},
    {"{\"op\":\"unsubscribe\"}", NULL, "bad_symbols"},
    {"{\"op\":\"subscribe\",\"symbols\":[]}", "symbols=", "bad_symbols"},
    {"{\"op\":\"subscribe\",\"symbols\":[1]}", NULL, "bad_symbols"},
    {"{\"op\":\"subscribe\",\"symbols\":{}}", NULL, "bad_symbols"},
    {"{\"op\":\"subscribe\",\"symbols\":[\"\"]}", "symbols=A,,B", "bad_pattern"},
    {"{\"op\":\"subscribe\",\"symbols\":[\" A\"]}", "symbols=%20A", "bad_pattern"},
    {"{\"op\":\"subscribe\",\"symbols\":[\"A \"]}", "symbols=A%20", "bad_pattern"},
    {"{\"op\":\"subscribe\",\"symbols\":[\"\\u00e9\"]}", "symbols=%c3%a9", "bad_pattern"},
    {"{\"op\":\"subscribe\",\"symbols\":[\"012345678901234567890123456789012\"]}",
     "symbols=012345678901234567890123456789012", "bad_pattern"},
    {NULL, "symbols=%4", "bad_pattern"},
    {NULL, "symbols=A&symbols=B", "bad_query"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"kinds\":[]}", "kinds=", "bad_kinds"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"kinds\":[\"feed\"]}", "kinds=feed", "bad_kinds"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"kinds\":7}", "kinds=trade,x", "bad_kinds"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"snapshot\":1}", "snapshot=yes", "bad_snapshot"},
    {"{\"op\":\"subscribe\",\"policy\":\"all\"}", "policy=all", "bad_policy"},
    {"{\"op\":\"subscribe\",\"policy\":null}", "policy=", "bad_policy"},
    {"{\"op\":\"subscribe\",\"frame\":\"one\"}", "frame=one", "bad_frame"},
    {"{\"op\":\"subscribe\",\"rate\":-1}", "rate=-1", "bad_rate"},
    {"{\"op\":\"subscribe\",\"rate\":1000.5}", "rate=1000.5", "bad_rate"},
    {"{\"op\":\"subscribe\",\"rate\":1e-300}", "rate=0.0001", "bad_rate"},
    {"{\"op\":\"subscribe\",\"rate\":\"5\"}", "rate=", "bad_rate"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"since\":-1}", "since=-1", "bad_since"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"since\":\"3d\"}", "since=3d", "bad_since"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"since\":1.5}", "since=1.5", "bad_since"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"since\":\"10000h\"}", "since=99999999999999999999",
     "bad_since"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"heartbeat\":0}", "heartbeat=0", "bad_heartbeat"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"heartbeat\":86401}", "heartbeat=86401", "bad_heartbeat"},
    {"{\"op\":\"subscribe\",\"symbols\":\"*\",\"heartbeat\":\"5\"}", "heartbeat=5s", "bad_heartbeat"},
    {"{\"op\":\"resume\",\"seq\":1}", "resume=1", "bad_resume"},
    {"{\"op\":\"resume\",\"epoch\":\"0123456789abcdeg\",\"seq\":1}", "resume=0123456789abcdeg-1",
     "bad_resume"},
    {"{\"op\":\"resume\",\"epoch\":\"0123456789abcdef\"}", "resume=0123456789abcdef-", "bad_resume"},
    {"{\"op\":\"resume\",\"epoch\":\"0123456789abcdef\",\"seq\":-1}", "resume=0123456789abcdef--1",
     "bad_resume"},
    {NULL, "resume=0123456789abcdef-9223372036854775808", "bad_resume"},
};

static void each_wrong_value_has_its_code(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof wrong_rows / sizeof wrong_rows[0]; i++) {
        const struct wrong_row *row = &wrong_rows[i];
        if (row->json) {
            assert_int_equal(command_parse(row->json, strlen(row->json), &c, &err), TC_EINPUT);
            assert_string_equal(err.code, row->code);
            command_check_error(&err);
        }
        if (row->query) {
            assert_int_equal(command_parse_query(text_of(row->query), &c, &err), TC_EINPUT);
            assert_string_equal(err.code, row->code);
            command_check_error(&err);
        }
    }
}

/* What an array that is not written would hold. */
__attribute__((noinline)) static void leave_on_stack(void)
{
    volatile char room[8192];
    for (size_t i = 0; i < sizeof room; i++) room[i] = 'S';
}

/* However long it is, the beginning of it is shown, and nothing that lay in memory. */
static void a_long_value_is_shown_by_its_beginning(void **state)
{
    (void)state;
    char json[1024];
    for (int size = 40; size < 900; size += 43) {
        for (int escapes = 0; escapes < 2; escapes++) {
            char value[901] = "";
            memset(value, 'v', (size_t)size);
            for (int i = 15; escapes && i + 1 < size; i += 31) memcpy(value + i, "\\n", 2);
            snprintf(json, sizeof json, "{\"op\":\"%s\"}", value);
            leave_on_stack();
            assert_int_equal(command_parse(json, strlen(json), &c, &err), TC_EINPUT);
            char expected[64];
            snprintf(expected, sizeof expected, "op: '\"%.39s", value);
            if (strncmp(err.message, expected, strlen(expected)) != 0)
                fail_msg("size %d: %s", size, err.message);
        }
    }
}

/* jansson by itself passes over one behind a number. */
static void a_zero_byte_is_no_json(void **state)
{
    (void)state;
    static const struct text commands[] = {
        TEXT("{\"op\":\"ping\",\"id\":5\0}"), TEXT("{\"op\":\"ping\",\"id\":\"\0\"}"),
        TEXT("\0{\"op\":\"ping\"}"), TEXT("{\"op\":\"ping\"}\0"), TEXT("{\"rate\":5\0,\"op\":\"ping\"}")};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        assert_int_equal(command_parse(commands[i].at, commands[i].size, &c, &err), TC_EINPUT);
        assert_string_equal(err.code, "bad_json");
    }
    assert_non_null(strstr(err.message, "not JSON at byte 9;"));
}

static void errors_name_value_place_and_remedy(void **state)
{
    (void)state;
    const char *json =
        "{\"op\":\"subscribe\",\"id\":9,\"policy\":\"a\\u0001 very very very long word that nobody wants to "
        "read\",\"symbols\":\"*\"}";
    assert_int_equal(command_parse(json, strlen(json), &c, &err), TC_EINPUT);
    assert_string_equal(err.message, "policy: 'a? very very very long word that nobody ...' will not do; use "
                                     "conflate, complete, latest or close");
    assert_int_equal(err.id_size, 1);
    assert_memory_equal(err.id, "9", 1);
}

struct growing {
    char *at;
    size_t size, room;
};

static void add(struct growing *g, const char *text)
{
    size_t size = strlen(text);
    assert_true(size <= g->room - g->size);
    memcpy(g->at + g->size, text, size);
    g->size += size;
}

static void too_many_and_too_big(void **state)
{
    (void)state;
    struct growing g = {malloc(1u << 20), 0, 1u << 20};
    assert_non_null(g.at);
    add(&g, "{\"op\":\"subscribe\",\"symbols\":[\"S\"");
    for (uint32_t i = 1; i < COMMAND_SYMBOLS_MAX; i++) add(&g, ",\"S\"");
    size_t before_end = g.size;
    add(&g, "]}");
    assert_int_equal(command_parse(g.at, g.size, &c, &err), 0);
    assert_int_equal(c.symbol_count, COMMAND_SYMBOLS_MAX);
    g.size = before_end;
    add(&g, ",\"one more\"]}");
    assert_int_equal(command_parse(g.at, g.size, &c, &err), TC_EINPUT);
    assert_string_equal(err.code, "too_many");

    g.size = 0;
    add(&g, "{\"op\":\"ping\",\"x\":[1");
    while (g.size < 65000) add(&g, ",{}");
    add(&g, "]}"); /* twenty thousand objects: more than the arena holds */
    assert_int_equal(command_parse(g.at, g.size, &c, &err), TC_EINPUT);
    assert_string_equal(err.code, "too_big");
    right("{\"op\":\"ping\"}"); /* and the next one is fine */
    memset(g.at, '[', 65000);
    assert_int_equal(command_parse(g.at, 65000, &c, &err), TC_EINPUT);
    free(g.at);
}

static void jansson_works_for_others_meanwhile(void **state)
{
    (void)state;
    json_t *own = json_pack("{s:i}", "a", 1); /* from malloc; freed after a parse came between */
    assert_non_null(own);
    right("{\"op\":\"ping\",\"id\":1}");
    assert_int_equal(json_integer_value(json_object_get(own, "a")), 1);
    json_decref(own); /* the address sanitizer sees it if it went to the wrong place */
}

static void epochs(void **state)
{
    (void)state;
    char out[16];
    uint64_t epoch;
    epoch_print(out, 0x0123456789abcdef);
    assert_memory_equal(out, "0123456789abcdef", 16);
    assert_true(epoch_parse((struct text){out, 16}, &epoch));
    assert_int_equal(epoch, 0x0123456789abcdef);
    assert_false(epoch_parse((struct text){out, 15}, &epoch));
    assert_false(epoch_parse(TEXT("0x23456789abcdef"), &epoch));
}

static int setup(void **state)
{
    (void)state;
    command_check_setup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member),
        cmocka_unit_test(what_is_not_said),
        cmocka_unit_test(resume_and_since),
        cmocka_unit_test(ids_are_echoed),
        cmocka_unit_test(a_whole_query),
        cmocka_unit_test(each_wrong_value_has_its_code),
        cmocka_unit_test(a_long_value_is_shown_by_its_beginning),
        cmocka_unit_test(a_zero_byte_is_no_json),
        cmocka_unit_test(errors_name_value_place_and_remedy),
        cmocka_unit_test(too_many_and_too_big),
        cmocka_unit_test(jansson_works_for_others_meanwhile),
        cmocka_unit_test(epochs),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
