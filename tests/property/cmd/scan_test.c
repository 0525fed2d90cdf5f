/* tests/property/cmd/scan_test.c -- goal: the fast scanner reads what jansson reads, for the order of fields
 * the server writes and for any other, with names full of quotes, braces and backslashes; and never reads
 * past the end, whatever the bytes. */
#include "cmd/scan.h"

#include "base/random.h"

#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SEEDS 3000
static uint64_t seed;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) fail_msg("seed %llu: %s", (unsigned long long)seed, #condition);                   \
    } while (0)

static void put_name(char *out, struct random *r)
{
    static const char letters[] = "AB}{],[:\"\\ ts1*";
    size_t size = 1 + random_below(r, 12);
    for (size_t i = 0; i < size; i++) {
        char c = letters[random_below(r, sizeof letters - 1)];
        if (c == '"' || c == '\\') *out++ = '\\';
        *out++ = c;
    }
    *out = 0;
}

/* One tick object; the usual order in most cases. Returns its bytes. */
static int put_tick(char *out, size_t size, struct random *r, uint64_t seq)
{
    static const char *const forms[] = {
        "{\"type\":\"%s\",\"seq\":%llu,\"symbol\":\"%s\",\"price\":1.50,\"size\":3,\"ts\":%llu}",
        "{\"type\":\"%s\",\"seq\":%llu,\"symbol\":\"%s\",\"bid\":null,\"x\":{\"y\":[1,\"}\"]},\"ts\":%llu}",
        "{ \"type\" : \"%s\" , \"seq\" : %llu , \"symbol\":\"%s\", \"ts\" :%llu }",
        "{\"type\":\"%s\",\"seq\":%llu,\"symbol\":\"%s\",\"ts\":%llu,\"final\":true}",
    };
    static const char *const types[] = {"trade", "quote", "bar", "book", "status", "feed"};
    char name[64];
    put_name(name, r);
    uint32_t form = random_below(r, 4) ? 0 : (uint32_t)random_below(r, 4);
    return snprintf(out, size, forms[form], types[random_below(r, 6)], (unsigned long long)seq, name,
                    (unsigned long long)random_u64(r) >> 2);
}

static size_t put_message(char *out, size_t size, struct random *r)
{
    static const char *const heads[] = {
        "{\"type\":\"ticks\",\"from\":%u,\"to\":%u,\"conflated\":%u,\"ticks\":[",
        "{\"to\":%2$u,\"note\":\"]}\",\"type\":\"ticks\",\"from\":%1$u,\"ticks\":["};
    bool late = random_below(r, 2);
    uint32_t count = (uint32_t)random_below(r, 20);
    int n = snprintf(out, size, heads[late], 5, 900, 7);
    size_t used = (size_t)n;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) out[used++] = ',';
        used += (size_t)put_tick(out + used, size - used, r, 10 + i);
    }
    n = snprintf(out + used, size - used, late ? "],\"conflated\":7}" : "]}");
    return used + (size_t)n;
}

/* Bytes at the very end of their own memory: a read past them is seen by the sanitizer. */
static char *copy_of(const char *bytes, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

static void check_tick(const struct scan_tick *tick, const json_t *expected)
{
    static const char *const types[SCAN_TYPES] = {
        [SCAN_TRADE] = "trade", [SCAN_QUOTE] = "quote",   [SCAN_BAR] = "bar",
        [SCAN_BOOK] = "book",   [SCAN_STATUS] = "status", [SCAN_FEED] = "feed"};
    uint64_t ts = 0;
    CHECK(types[tick->type] &&
          strcmp(types[tick->type], json_string_value(json_object_get(expected, "type"))) == 0);
    CHECK((json_int_t)tick->seq == json_integer_value(json_object_get(expected, "seq")));
    CHECK(scan_u64(tick->ts, &ts) == 0);
    CHECK((json_int_t)ts == json_integer_value(json_object_get(expected, "ts")));
    json_t *whole = json_loadb(tick->json.at, tick->json.size, 0, NULL);
    CHECK(whole && json_equal(whole, expected));
    json_decref(whole);
    struct scan_key key;
    CHECK(scan_tick_key(tick->json, &key) == 0);
    CHECK(key.final == json_is_true(json_object_get(expected, "final")));
}

static void messages_are_read_as_jansson_reads_them(void **state)
{
    (void)state;
    static char text[16384];
    for (seed = 1; seed <= SEEDS; seed++) {
        struct random r;
        random_seed(&r, seed);
        size_t size = put_message(text, sizeof text, &r);
        char *bytes = copy_of(text, size);
        json_t *expected = json_loadb(bytes, size, 0, NULL);
        CHECK(expected != NULL);
        struct scan_message m;
        struct scan_tick tick;
        CHECK(scan_message((struct text){.at = bytes, .size = size}, &m) == 0);
        CHECK(m.type == SCAN_TICKS && m.has_from && m.has_to && m.from == 5 && m.to == 900);
        json_t *ticks = json_object_get(expected, "ticks");
        size_t count = 0;
        int more;
        while ((more = scan_tick_next(&m, &tick)) > 0) check_tick(&tick, json_array_get(ticks, count++));
        CHECK(more == 0);
        CHECK(count == json_array_size(ticks));
        CHECK(scan_message_end(&m) == 0);
        CHECK(m.conflated == 7);
        json_decref(expected);
        free(bytes);
    }
}

/* Changed and cut messages: any answer, but an end, and no byte outside. What is still JSON and is accepted
 * as a tick object must have the seq that jansson sees. */
static void damaged_messages_end(void **state)
{
    (void)state;
    static char text[16384];
    for (seed = 1; seed <= SEEDS; seed++) {
        struct random r;
        random_seed(&r, seed + 1000000);
        size_t size = put_message(text, sizeof text, &r);
        size = random_below(&r, 2) ? size : random_below(&r, size + 1);
        for (uint32_t i = 0; size && i < 1 + random_below(&r, 3); i++)
            text[random_below(&r, size)] = "\"{}[],:\\x0 "[random_below(&r, 11)];
        char *bytes = copy_of(text, size);
        struct scan_message m;
        struct scan_tick tick;
        size_t count = 0;
        if (scan_message((struct text){.at = bytes, .size = size}, &m) == 0) {
            while (scan_tick_next(&m, &tick) > 0) {
                CHECK(tick.json.at >= bytes && tick.json.at + tick.json.size <= bytes + size);
                CHECK(++count <= size);
            }
            scan_message_end(&m);
        }
        free(bytes);
    }
}

/* Fields may be added to any object: one that looks like a tick's end within a tick is not its end. */
static void an_object_within_a_tick_is_no_end(void **state)
{
    (void)state;
    static const char *const ticks[] = {
        "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"A\",\"venue\":{\"id\":5,\"ts\":6},\"ts\":17}",
        "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"A\",\"legs\":[{\"seq\":5,\"ts\":6}],\"ts\":17}",
        "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"A\",\"legs\":[{\"seq\":5,\"ts\":6},{\"seq\":5,\"ts\":6}],"
        "\"ts\":17}",
        "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"{}{}\",\"price\":1.50,\"size\":3,\"ts\":17}",
    };
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        char text[1024];
        struct scan_message m;
        struct scan_tick tick;
        json_t *expected = json_loads(ticks[i], 0, NULL);
        assert_non_null(expected);
        assert_int_equal(scan_tick(text_of(ticks[i]), &tick), 0);
        check_tick(&tick, expected);
        snprintf(text, sizeof text, "{\"type\":\"ticks\",\"from\":6,\"to\":8,\"ticks\":[%s,%s]}", ticks[i],
                 ticks[i]);
        assert_int_equal(scan_message(text_of(text), &m), 0);
        for (int n = 0; n < 2; n++) {
            assert_int_equal(scan_tick_next(&m, &tick), 1);
            check_tick(&tick, expected);
        }
        assert_int_equal(scan_tick_next(&m, &tick), 0);
        assert_int_equal(scan_message_end(&m), 0);
        json_decref(expected);
    }
}

static void notices(void **state)
{
    (void)state;
    struct scan_message m;
    assert_int_equal(
        scan_message(TEXT("{\"type\":\"hello\",\"version\":1,\"server\":\"t\",\"epoch\":\"00ff\",\"seq\":9}"),
                     &m),
        0);
    assert_int_equal(m.type, SCAN_HELLO);
    assert_true(text_equal(m.epoch, TEXT("00ff")));
    assert_int_equal(
        scan_message(TEXT("{\"type\":\"snapshot\",\"seq\":9,\"since\":3,\"more\":true,\"ticks\":[]}"), &m),
        0);
    struct scan_tick tick;
    assert_int_equal(scan_tick_next(&m, &tick), 0);
    assert_int_equal(scan_message_end(&m), 0);
    assert_true(m.more && m.has_since && m.since == 3);
    assert_int_equal(
        scan_message(TEXT("{\"type\":\"feed\",\"feed\":\"s\",\"state\":\"lost\",\"lost\":null,\"seq\":4}"),
                     &m),
        0);
    assert_true(m.type == SCAN_FEED && m.has_seq && m.seq == 4);
    assert_int_equal(scan_message(TEXT("{\"type\":\"news\"}"), &m), 0); /* a later version's: left alone */
    assert_int_equal(m.type, SCAN_OTHER);
    assert_int_equal(scan_message(TEXT("{\"type\":\"gap\",\"from\":99999999999999999999999}"), &m), -1);
    assert_int_equal(scan_message(TEXT("[]"), &m), -1);
    assert_int_equal(scan_message(TEXT(""), &m), -1);
    assert_int_equal(scan_message(TEXT("{\"type\":\"pong\"} x"), &m), -1);
    assert_true(scan_is_state(SCAN_QUOTE, false) && scan_is_state(SCAN_BAR, false) &&
                !scan_is_state(SCAN_BAR, true));
    uint64_t n;
    assert_int_equal(scan_u64(TEXT("18446744073709551615"), &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(scan_u64(TEXT("18446744073709551616"), &n), -1);
    assert_int_equal(scan_u64(TEXT(""), &n), -1);
    assert_int_equal(scan_u64(TEXT("1.5"), &n), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read_as_jansson_reads_them),
        cmocka_unit_test(damaged_messages_end),
        cmocka_unit_test(an_object_within_a_tick_is_no_end),
        cmocka_unit_test(notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
