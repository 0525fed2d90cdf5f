#include "tests/sim/message.h"

#include "tick/tick_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reader that knows JSON's shape and nothing else. bad: it is not JSON. */
struct json {
    const char *at, *end;
    bool bad;
};

static void member(const struct truth *truth, struct json *j, struct text key, struct message *m);
static void read_ticks(const struct truth *truth, struct json *j, struct message *m);
static void read_rules(struct json *j, struct message *m);
static uint32_t read_kinds(struct json *j);
static bool judge(const struct truth *truth, struct text object, struct told *out);

void pattern_text(uint32_t pattern, char out[8])
{
    if (pattern == 0)
        snprintf(out, 8, "*");
    else if (pattern < PATTERN_NAMES)
        snprintf(out, 8, "%c*", (char)('A' + pattern - 1));
    else if (pattern == PATTERNS - 1)
        snprintf(out, 8, "NOBODY");
    else
        truth_name(pattern - PATTERN_NAMES, out);
}

bool pattern_matches(uint32_t pattern, uint32_t number)
{
    if (pattern == 0) return true;
    if (pattern < PATTERN_NAMES) return number % 4 == pattern - 1;
    return pattern - PATTERN_NAMES == number;
}

/* ---- JSON ---- */

static bool take(struct json *j, char c)
{
    if (j->at < j->end && *j->at == c) {
        j->at++;
        return true;
    }
    return false;
}

static void must(struct json *j, char c)
{
    if (!take(j, c)) j->bad = true;
}

/* The inside of a string; escapes are left as they stand (no name here needs one). */
static struct text string(struct json *j)
{
    must(j, '"');
    const char *from = j->at;
    while (j->at < j->end && *j->at != '"') {
        if ((unsigned char)*j->at < ' ') j->bad = true;
        j->at += *j->at == '\\' ? 2 : 1;
    }
    if (j->at > j->end) j->at = j->end;
    struct text t = {from, (size_t)(j->at - from)};
    must(j, '"');
    return t;
}

/* Any value; its bytes. */
static struct text value(struct json *j)
{
    const char *from = j->at;
    int depth = 0;
    do {
        if (j->at >= j->end) {
            j->bad = true;
            break;
        }
        char c = *j->at;
        if (c == '"') {
            string(j);
        } else {
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            if (depth < 0) break;
            j->at++;
        }
    } while (!j->bad && (depth > 0 || (j->at < j->end && !strchr(",}]", *j->at))));
    if (j->at == from) j->bad = true;
    return (struct text){from, (size_t)(j->at - from)};
}

static uint64_t number(struct json *j)
{
    if (j->at >= j->end || *j->at < '0' || *j->at > '9') j->bad = true;
    uint64_t n = 0;
    while (j->at < j->end && *j->at >= '0' && *j->at <= '9') n = n * 10 + (uint64_t)(*j->at++ - '0');
    return n;
}

static bool is(struct text t, const char *word)
{
    return t.size == strlen(word) && memcmp(t.at, word, t.size) == 0;
}

/* ---- a message ---- */

static const struct {
    const char *word;
    enum message_type type;
} types[] = {{"hello", MESSAGE_HELLO},       {"subscribed", MESSAGE_SET},    {"unsubscribed", MESSAGE_SET},
             {"snapshot", MESSAGE_SNAPSHOT}, {"ticks", MESSAGE_TICKS_BATCH}, {"covered", MESSAGE_COVERED},
             {"gap", MESSAGE_GAP},           {"lag", MESSAGE_LAG},           {"heartbeat", MESSAGE_HEARTBEAT},
             {"pong", MESSAGE_PONG},         {"error", MESSAGE_ERROR},       {"drain", MESSAGE_DRAIN}};

bool message_json(const struct truth *truth, const char *text, size_t size, struct message *m)
{
    struct json j = {text, text + size, false};
    m->tick_count = 0;
    must(&j, '{');
    if (!is(string(&j), "type")) return false;
    must(&j, ':');
    struct text type = string(&j);
    uint32_t i = 0;
    while (i < sizeof types / sizeof types[0] && !is(type, types[i].word)) i++;
    if (i == sizeof types / sizeof types[0]) { /* a tick by itself, or nothing that is known */
        m->type = MESSAGE_TICK;
        m->tick_count = 1;
        return judge(truth, (struct text){text, size}, &m->ticks[0]);
    }
    memset(m, 0, offsetof(struct message, ticks));
    m->type = types[i].type;
    m->unsubscribed = is(type, "unsubscribed");
    m->policy = POLICIES;
    m->framing = FRAMINGS;
    while (!j.bad && take(&j, ',')) {
        struct text key = string(&j);
        must(&j, ':');
        member(truth, &j, key, m);
    }
    must(&j, '}');
    return !j.bad && j.at == j.end;
}

static void word(struct json *j, struct message *m)
{
    struct text t = string(j);
    snprintf(m->word, sizeof m->word, "%.*s", (int)t.size, t.at);
}

static uint32_t one_of(struct json *j, const char *const *names, uint32_t count)
{
    struct text t = string(j);
    for (uint32_t i = 0; i < count; i++)
        if (is(t, names[i])) return i;
    j->bad = true;
    return count;
}

static void member(const struct truth *truth, struct json *j, struct text key, struct message *m)
{
    if (is(key, "seq")) {
        m->seq = number(j);
    } else if (is(key, "from")) {
        m->from = number(j);
    } else if (is(key, "to")) {
        m->to = number(j);
    } else if (is(key, "conflated")) {
        m->conflated = number(j);
        if (m->conflated == 0) j->bad = true; /* it is there where it is not 0 */
    } else if (is(key, "ts")) {
        m->ts = number(j);
    } else if (is(key, "behind")) {
        m->behind = number(j);
    } else if (is(key, "ms")) {
        m->ms = number(j);
    } else if (is(key, "version")) {
        m->version = number(j);
    } else if (is(key, "rate")) {
        m->rate = number(j);
    } else if (is(key, "reconnect_after_ms")) {
        m->reconnect_ms = number(j);
    } else if (is(key, "id")) {
        m->has_id = true;
        m->id = number(j);
    } else if (is(key, "since")) {
        m->has_since = true;
        m->since = number(j);
    } else if (is(key, "epoch")) {
        struct text t = string(j);
        m->has_epoch = true;
        m->epoch = strtoull(t.at, NULL, 16);
        if (t.size != 16) j->bad = true;
    } else if (is(key, "more")) {
        m->more = is(value(j), "true");
    } else if (is(key, "stalled")) {
        m->stalled = is(value(j), "true");
    } else if (is(key, "reason") || is(key, "code")) {
        word(j, m);
    } else if (is(key, "policy")) {
        m->policy = one_of(j, policy_names, POLICIES);
    } else if (is(key, "frame")) {
        m->framing = one_of(j, framing_names, FRAMINGS);
    } else if (is(key, "kinds")) {
        m->kinds = read_kinds(j);
    } else if (is(key, "rules")) {
        read_rules(j, m);
    } else if (is(key, "ticks")) {
        read_ticks(truth, j, m);
    } else {
        value(j);
    }
}

static uint32_t read_kinds(struct json *j)
{
    uint32_t kinds = 0;
    must(j, '[');
    while (!j->bad && !take(j, ']')) {
        struct text t = string(j);
        int kind = tick_kind_parse(t.at, t.size);
        if (kind < 0)
            j->bad = true;
        else
            kinds |= KIND_BIT(kind);
        take(j, ',');
    }
    return kinds;
}

/* "rules":[{"symbols":["A0","B*"],"kinds":["trade"]}] */
static void read_rules(struct json *j, struct message *m)
{
    must(j, '[');
    while (!j->bad && !take(j, ']')) {
        bool named[PATTERNS] = {false};
        must(j, '{');
        if (!is(string(j), "symbols")) j->bad = true;
        must(j, ':');
        must(j, '[');
        while (!j->bad && !take(j, ']')) {
            struct text t = string(j);
            uint32_t p = 0;
            for (char name[8]; p < PATTERNS; p++) {
                pattern_text(p, name);
                if (is(t, name)) break;
            }
            if (p == PATTERNS || m->rules[p]) j->bad = true; /* unknown here, or told twice */
            if (!j->bad) named[p] = true;
            take(j, ',');
        }
        must(j, ',');
        if (!is(string(j), "kinds")) j->bad = true;
        must(j, ':');
        uint32_t kinds = read_kinds(j);
        for (uint32_t p = 0; p < PATTERNS; p++)
            if (named[p]) m->rules[p] = (uint8_t)kinds;
        must(j, '}');
        take(j, ',');
    }
}

static void read_ticks(const struct truth *truth, struct json *j, struct message *m)
{
    must(j, '[');
    while (!j->bad && !take(j, ']')) {
        if (m->tick_count == MESSAGE_TICKS || !judge(truth, value(j), &m->ticks[m->tick_count++]))
            j->bad = true;
        if (j->at < j->end && *j->at != ']') must(j, ',');
    }
}

/* False: it has no seq. */
static bool judge(const struct truth *truth, struct text object, struct told *out)
{
    const char *at = memmem(object.at, object.size, "\"seq\":", 6);
    if (!at || object.size > TICK_JSON_MAX) return false;
    struct json j = {at + 6, object.at + object.size, false};
    out->seq = number(&j);
    char expected[TICK_JSON_MAX];
    out->exact = out->seq <= truth->head && truth_json(truth, out->seq, expected) == object.size &&
                 memcmp(expected, object.at, object.size) == 0;
    return !j.bad;
}
