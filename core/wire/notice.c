#include "wire/notice.h"

#include "base/assert.h"
#include "tick/tick.h"
#include "wire/command.h"
#include "wire/json_escape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* One notice under way. No text from outside enters it unbounded, so it fits; that it does is asserted. */
struct notice {
    char *at;
    size_t size, max; /* size < max: the terminator that vsnprintf writes has its place */
};

#define MESSAGE_ESCAPED_MAX 800u /* of an error's message; with all the rest below NOTICE_MAX */

static void put(struct notice *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_id(struct notice *n, struct text id);
static void put_escaped(struct notice *n, struct text s, size_t size_max);
static void put_kinds(struct notice *n, uint32_t kinds);
static void put_symbols(struct notice *n, const struct notice_set *s);
static void put_rules(struct notice *n, const struct notice_set *s);
static void put_rate(struct notice *n, uint64_t interval_ns);

const struct notices notices_json = {.opcode = WS_TEXT,
                                     .hello = notice_hello,
                                     .heartbeat = notice_heartbeat,
                                     .pong = notice_pong,
                                     .error = notice_error,
                                     .gap = notice_gap,
                                     .lag = notice_lag,
                                     .drain = notice_drain,
                                     .set = notice_set};

uint32_t notice_hello(char *out, const char *version, uint64_t epoch, uint64_t seq)
{
    struct notice n = {out, 0, NOTICE_MAX};
    char digits[16];
    epoch_print(digits, epoch);
    put(&n, "{\"type\":\"hello\",\"version\":1,\"server\":\"tickcast/");
    put_escaped(&n, text_of(version), 256);
    put(&n, "\",\"epoch\":\"%.16s\",\"seq\":%" PRIu64 "}", digits, seq);
    return (uint32_t)n.size;
}

uint32_t notice_heartbeat(char *out, uint64_t seq, uint64_t ts_ns, bool stalled)
{
    struct notice n = {out, 0, NOTICE_MAX};
    put(&n, "{\"type\":\"heartbeat\",\"seq\":%" PRIu64 ",\"ts\":%" PRIu64 "%s}", seq, ts_ns,
        stalled ? ",\"stalled\":true" : "");
    return (uint32_t)n.size;
}

uint32_t notice_pong(char *out, struct text id, uint64_t ts_ns)
{
    struct notice n = {out, 0, NOTICE_MAX};
    put(&n, "{\"type\":\"pong\"");
    put_id(&n, id);
    put(&n, ",\"ts\":%" PRIu64 "}", ts_ns);
    return (uint32_t)n.size;
}

uint32_t notice_error(char *out, struct text id, const char *code, const char *message)
{
    struct notice n = {out, 0, NOTICE_MAX};
    put(&n, "{\"type\":\"error\"");
    put_id(&n, id);
    put(&n, ",\"code\":\"%s\",\"message\":\"", code);
    put_escaped(&n, text_of(message), MESSAGE_ESCAPED_MAX);
    put(&n, "\"}");
    return (uint32_t)n.size;
}

uint32_t notice_gap(char *out, uint64_t from, uint64_t to, const char *reason, uint64_t epoch_old,
                    uint64_t seq_old)
{
    struct notice n = {out, 0, NOTICE_MAX};
    put(&n, "{\"type\":\"gap\",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"reason\":\"%s\"", from, to, reason);
    if (epoch_old != 0) {
        char digits[16];
        epoch_print(digits, epoch_old);
        put(&n, ",\"epoch\":\"%.16s\",\"seq\":%" PRIu64, digits, seq_old);
    }
    put(&n, "}");
    return (uint32_t)n.size;
}

uint32_t notice_lag(char *out, uint64_t behind, uint64_t ms, enum policy policy)
{
    struct notice n = {out, 0, NOTICE_MAX};
    TC_ASSERT(policy < POLICIES);
    put(&n, "{\"type\":\"lag\",\"behind\":%" PRIu64 ",\"ms\":%" PRIu64 ",\"policy\":\"%s\"}", behind, ms,
        policy_names[policy]);
    return (uint32_t)n.size;
}

uint32_t notice_covered(char *out, uint64_t from, uint64_t to, uint64_t conflated)
{
    struct notice n = {out, 0, NOTICE_MAX};
    TC_ASSERT(from <= to);
    put(&n, "{\"type\":\"covered\",\"from\":%" PRIu64 ",\"to\":%" PRIu64, from, to);
    if (conflated > 0) put(&n, ",\"conflated\":%" PRIu64, conflated);
    put(&n, "}");
    return (uint32_t)n.size;
}

uint32_t notice_drain(char *out, uint64_t reconnect_after_ms)
{
    struct notice n = {out, 0, NOTICE_MAX};
    put(&n, "{\"type\":\"drain\",\"reconnect_after_ms\":%" PRIu64 "}", reconnect_after_ms);
    return (uint32_t)n.size;
}

/* ---- The set in force. ---- */

#define SET_FIXED_BYTES 512u /* everything that is there once: words, numbers, the union's kinds, the id */
#define RULE_FIXED_BYTES                                                                                     \
    96u                /* around one pattern in "rules" with kinds of its own, and its quotes in "symbols" */
#define ESCAPED_MAX 6u /* bytes for one byte, in a JSON string */

size_t notice_set_bytes(const struct notice_set *s)
{
    size_t bytes = SET_FIXED_BYTES;
    for (uint32_t i = 0; i < s->rule_count; i++)
        bytes += RULE_FIXED_BYTES + 2 * ESCAPED_MAX * s->rules[i].pattern.size;
    return bytes;
}

uint32_t notice_set(char *out, const struct notice_set *s)
{
    struct notice n = {out, 0, notice_set_bytes(s)};
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < s->rule_count; i++) kinds |= s->rules[i].kinds;
    TC_ASSERT(s->policy < POLICIES);
    TC_ASSERT(s->frame < FRAMINGS);
    put(&n, "{\"type\":\"%s\"", s->unsubscribed ? "unsubscribed" : "subscribed");
    put_id(&n, s->id);
    put(&n, ",\"symbols\":[");
    put_symbols(&n, s);
    put(&n, "],\"kinds\":[");
    put_kinds(&n, kinds);
    put(&n, "],\"rules\":[");
    put_rules(&n, s);
    put(&n, "],\"policy\":\"%s\",\"rate\":", policy_names[s->policy]);
    put_rate(&n, s->rate_interval_ns);
    put(&n, ",\"frame\":\"%s\",\"seq\":%" PRIu64 "}", framing_names[s->frame], s->seq);
    return (uint32_t)n.size;
}

/* The shortest decimal that means this interval, so that a client reads the rate it asked for: 24, though
 * 1e9 / 41 666 667 is 23.9999998. */
static void put_rate(struct notice *n, uint64_t interval_ns)
{
    double rate = interval_ns > 0 ? 1e9 / (double)interval_ns : 0;
    char text[32];
    for (int decimals = 0; decimals <= 9; decimals++) {
        snprintf(text, sizeof text, "%.*f", decimals, rate);
        double read = strtod(text, NULL);
        if (rate == 0 || (read > 0 && (uint64_t)(1e9 / read + 0.5) == interval_ns)) break;
    }
    put(n, "%s", text);
}

static int text_order(struct text a, struct text b)
{
    int order = memcmp(a.at, b.at, min_u64(a.size, b.size));
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Is pattern among rules [first, end), which are sorted by pattern? */
static bool rules_have(const struct notice_rule *rules, uint32_t first, uint32_t end, struct text pattern)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        int order = text_order(rules[middle].pattern, pattern);
        if (order == 0) return true;
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return false;
}

/* End of the run of rules with the same kinds that begins at first. */
static uint32_t run_end(const struct notice_set *s, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < s->rule_count && s->rules[end].kinds == s->rules[first].kinds) end++;
    return end;
}

/* Each pattern once: one that an earlier run has was printed there. Runs are few (sets of kinds), so it is
 * quick. */
static bool printed_before(const struct notice_set *s, uint32_t run_first, struct text pattern)
{
    for (uint32_t first = 0; first < run_first; first = run_end(s, first))
        if (rules_have(s->rules, first, run_end(s, first), pattern)) return true;
    return false;
}

static void put_symbols(struct notice *n, const struct notice_set *s)
{
    const char *comma = "";
    for (uint32_t first = 0, end = 0; first < s->rule_count; first = end) {
        end = run_end(s, first);
        for (uint32_t i = first; i < end; i++) {
            struct text pattern = s->rules[i].pattern;
            bool same = i > first && text_equal(pattern, s->rules[i - 1].pattern);
            if (i > first) TC_ASSERT(text_order(s->rules[i - 1].pattern, pattern) <= 0);
            if (same || printed_before(s, first, pattern)) continue;
            put(n, "%s\"", comma);
            put_escaped(n, pattern, SIZE_MAX);
            put(n, "\"");
            comma = ",";
        }
    }
}

static void put_rules(struct notice *n, const struct notice_set *s)
{
    for (uint32_t first = 0, end = 0; first < s->rule_count; first = end) {
        end = run_end(s, first);
        put(n, "%s{\"symbols\":[", first > 0 ? "," : "");
        for (uint32_t i = first; i < end; i++) {
            put(n, "%s\"", i > first ? "," : "");
            put_escaped(n, s->rules[i].pattern, SIZE_MAX);
            put(n, "\"");
        }
        put(n, "],\"kinds\":[");
        put_kinds(n, s->rules[first].kinds);
        put(n, "]}");
    }
}

static void put_kinds(struct notice *n, uint32_t kinds)
{
    const char *comma = "";
    for (uint32_t kind = TICK_TRADE; kind <= TICK_STATUS; kind++) {
        if (!(kinds & KIND_BIT(kind))) continue;
        put(n, "%s\"%s\"", comma, tick_kind_name((uint8_t)kind));
        comma = ",";
    }
}

/* ---- Bytes. ---- */

static void put(struct notice *n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(n->at + n->size, n->max - n->size, format, args);
    va_end(args);
    TC_ASSERT(size >= 0);
    TC_ASSERT((size_t)size < n->max - n->size);
    n->size += (size_t)size;
}

static void put_id(struct notice *n, struct text id)
{
    TC_ASSERT(id.size <= COMMAND_ID_MAX);
    if (id.size > 0) put(n, ",\"id\":%.*s", (int)id.size, id.at);
}

/* At most size_max bytes, cut between two characters. */
static void put_escaped(struct notice *n, struct text s, size_t size_max)
{
    size_t most = min_u64(size_max, n->max - 1 - n->size), size = 0;
    while (s.size > 0) {
        char one[JSON_CHARACTER_MAX];
        uint32_t bytes, taken = json_escape_one(one, s, &bytes);
        if (size + bytes > most) break;
        memcpy(n->at + n->size + size, one, bytes);
        size += bytes;
        s = (struct text){s.at + taken, s.size - taken};
    }
    n->size += size;
}
