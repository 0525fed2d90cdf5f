/* tests/fuzz/client_scan_fuzz.c -- plan: any bytes as a server's JSON message. Reading ends, and every text
 * lies inside. What jansson calls an object without repeated names is read as jansson reads it, whichever of
 * the two ways of scan.c and scan_tick.c takes it: the one for the usual order of fields, or the general
 * one. */
#include "cmd/scan_json.h"

#include "base/assert.h"
#include "cmd/continuity.h"

#include <jansson.h>
#include <string.h>

#define DEPTH_LEAST 24u /* scan_json.c reads at least so many arrays and objects in each other */

static void walk(struct text json);
static void compare_message(struct text json, const json_t *expected);
static void compare_tick(const struct scan_tick *t, const json_t *expected);
static bool comparable(const json_t *value, uint32_t depth);
static bool position(const json_t *object, const char *name, uint64_t *out);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct text json = {(const char *)input, size};
    struct scan_tick t;
    struct scan_key key;
    uint64_t seq;
    walk(json);
    (void)scan_tick_key(json, &key);
    bool usual = scan_tick_usual(json, &t);
    /* A name spelled so is another to the scanner; -0 is negative to it; jansson passes over a zero byte. */
    if (memmem(input, size, "\\u", 2) || memmem(input, size, "-0", 2) || memchr(input, 0, size)) return 0;
    json_t *all = json_loadb(json.at, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(all) && comparable(all, 0)) {
        compare_message(json, all);
        bool alone = json.at[0] == '{' && json.at[size - 1] == '}' && position(all, "seq", &seq);
        if (alone) TC_ASSERT(scan_tick(json, &t) == 0);
        if (usual) TC_ASSERT(alone);
        if (alone) compare_tick(&t, all);
    }
    json_decref(all);
    return 0;
}

static void inside(struct text t, struct text whole)
{
    TC_ASSERT(t.size == 0 || (t.at >= whole.at && t.at + t.size <= whole.at + whole.size));
}

/* As tail and bench do, whatever it is. */
static void walk(struct text json)
{
    struct continuity at = {.subscribed = true};
    struct scan_message m;
    struct scan_tick t;
    struct scan_key key;
    uint64_t number;
    size_t count = 0;
    if (scan_message(json, &m) < 0) return;
    (void)continuity_begin(&at, &m);
    while (scan_tick_next(&m, &t) > 0) {
        inside(t.json, json);
        inside(t.ts, json);
        (void)scan_u64(t.ts, &number);
        if (scan_tick_key(t.json, &key) == 0) inside(key.symbol, json);
        (void)continuity_tick(&at, &m, t.seq);
        TC_ASSERT(++count <= json.size);
    }
    (void)scan_message_end(&m);
    const struct text texts[] = {m.epoch, m.reason, m.code, m.message, m.symbol, m.rest};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) inside(texts[i], json);
    (void)continuity_end(&at, &m);
}

static void compare_message(struct text json, const json_t *expected)
{
    struct scan_message m;
    struct scan_tick t;
    uint64_t n = 0;
    const json_t *ticks = json_object_get(expected, "ticks");
    TC_ASSERT(scan_message(json, &m) == 0);
    TC_ASSERT(m.in_ticks == json_is_array(ticks));
    for (size_t i = 0; i < json_array_size(ticks); i++) {
        const json_t *one = json_array_get(ticks, i);
        if (!position(one, "seq", &n)) return; /* no tick: malformed */
        TC_ASSERT(scan_tick_next(&m, &t) == 1);
        compare_tick(&t, one);
    }
    TC_ASSERT(scan_tick_next(&m, &t) == 0);
    TC_ASSERT(scan_message_end(&m) == 0);
    const char *type = json_string_value(json_object_get(expected, "type"));
    if (type) TC_ASSERT(m.type == scan_type_of(text_of(type)));
    TC_ASSERT(m.has_seq == position(expected, "seq", &n) && (!m.has_seq || m.seq == n));
    TC_ASSERT(m.has_from == position(expected, "from", &n) && (!m.has_from || m.from == n));
    TC_ASSERT(m.has_to == position(expected, "to", &n) && (!m.has_to || m.to == n));
    TC_ASSERT(m.has_since == position(expected, "since", &n) && (!m.has_since || m.since == n));
    TC_ASSERT(m.has_ts == position(expected, "ts", &n) && (!m.has_ts || m.ts == n));
    if (position(expected, "conflated", &n)) TC_ASSERT(m.conflated == n);
    TC_ASSERT(m.more == json_is_true(json_object_get(expected, "more")));
}

static void compare_tick(const struct scan_tick *t, const json_t *expected)
{
    uint64_t seq = 0, ts = 0, got = 0;
    TC_ASSERT(position(expected, "seq", &seq) && t->seq == seq);
    const char *type = json_string_value(json_object_get(expected, "type"));
    if (type) TC_ASSERT(t->type == scan_type_of(text_of(type)));
    TC_ASSERT((t->ts.size > 0) == position(expected, "ts", &ts));
    if (t->ts.size > 0) TC_ASSERT(scan_u64(t->ts, &got) == 0 && got == ts);
    json_t *whole = json_loadb(t->json.at, t->json.size, 0, NULL);
    TC_ASSERT(whole != NULL && json_equal(whole, expected));
    json_decref(whole);
}

/* What a server of ours, of whatever version, may send: no numbers but whole ones, and no depth without a
 * bound. Words that stand where a string is expected are compared by nobody. */
static bool comparable(const json_t *value, uint32_t depth)
{
    const char *name;
    json_t *inner;
    size_t i;
    if (json_is_real(value) || depth > DEPTH_LEAST) return false;
    json_object_foreach((json_t *)(uintptr_t)value, name,
                        inner) if (!comparable(inner, depth + 1)) return false;
    json_array_foreach(value, i, inner) if (!comparable(inner, depth + 1)) return false;
    return true;
}

static bool position(const json_t *object, const char *name, uint64_t *out)
{
    const json_t *n = json_object_get(object, name);
    if (!json_is_integer(n) || json_integer_value(n) < 0) return false;
    *out = (uint64_t)json_integer_value(n);
    return true;
}
