/* cmd/client_bin_json.c -- a binary message as the JSON of docs/protocol.md: byte for byte what the server
 * sends to who speaks tickcast.v1.json. */
#include "cmd/client_bin.h"

#include "base/assert.h"
#include "base/fault.h"

#include "tick/tick_bin.h"
#include "render/filter.h"
#include "tick/symbol_table.h"
#include "tick/tick_json.h"
#include "wire/bin.h"
#include "wire/command.h"
#include "wire/notice.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAMES_FIRST 256u
#define NOTHING     1 /* no JSON form */

static int notice(struct client_bin *b, const uint8_t *bytes, size_t size,
                  const struct client_bin_message *m);
static int hello(struct client_bin *b, const uint8_t *bytes);
static int set(struct client_bin *b, const uint8_t *bytes, size_t size);
static int read_rules(const uint8_t *at, const uint8_t *end, uint32_t count, struct notice_rule *rules);
static int pong(struct client_bin *b, const uint8_t *bytes, size_t size);
static int error(struct client_bin *b, const uint8_t *bytes, const struct client_bin_message *m);
static int gap(struct client_bin *b, const uint8_t *bytes, const struct client_bin_message *m);
static int frame(struct client_bin *b, struct client_bin_message *m);
static int ticks(struct client_bin *b, struct client_bin_message *m, const char *between);
static int put_record(struct client_bin *b, const struct client_bin_tick *r, const char *before);
static int define(struct client_bin *b, const struct tick *t);
static bool reserve(struct client_bin *b, size_t bytes);
static void put(struct client_bin *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool id_ok(const uint8_t *at, size_t size);

int client_bin_json(struct client_bin *b, const uint8_t *bytes, size_t size, struct text *json)
{
    struct client_bin_message m;
    *json = (struct text){0};
    b->text_size = 0;
    if (client_bin_open(bytes, size, &m) < 0) return -1;
    /* An upper bound of every form: escaping makes six bytes of one, a record at least 16 bytes long makes
     * TICK_JSON_MAX and its comma. */
    if (!reserve(b, NOTICE_MAX + 6 * size + min_u64(m.records, size / TICK_BIN_MIN) * (TICK_JSON_MAX + 1)))
        return -1;
    int r;
    switch (m.type) {
    case BIN_SNAPSHOT:
    case BIN_TICKS: r = frame(b, &m); break;
    case BIN_SYMBOLS:
    case BIN_TICK: r = ticks(b, &m, ""); break;
    default: r = notice(b, bytes, size, &m);
    }
    if (r < 0) return -1;
    if (r != NOTHING) *json = (struct text){.at = b->text, .size = b->text_size};
    return 0;
}

/* ---- Ticks. ---- */

static int frame(struct client_bin *b, struct client_bin_message *m)
{
    const struct scan_message *s = &m->scan;
    if (m->type == BIN_SNAPSHOT) {
        put(b, "{\"type\":\"snapshot\",\"seq\":%" PRIu64, s->seq);
        if (s->has_since) put(b, ",\"since\":%" PRIu64, s->since);
        if (s->more) put(b, ",\"more\":true");
    } else {
        put(b, "{\"type\":\"ticks\",\"from\":%" PRIu64 ",\"to\":%" PRIu64, s->from, s->to);
        if (s->conflated) put(b, ",\"conflated\":%" PRIu64, s->conflated);
    }
    put(b, ",\"ticks\":[");
    if (ticks(b, m, ",") < 0) return -1;
    put(b, "]}");
    return 0;
}

/* All records of m; definitions are learned. NOTHING: no tick was among them. */
static int ticks(struct client_bin *b, struct client_bin_message *m, const char *between)
{
    struct client_bin_tick record;
    int r, put_any = NOTHING;
    while ((r = client_bin_next(m, &record)) > 0) {
        int one = put_record(b, &record, put_any == NOTHING ? "" : between);
        if (one < 0) return -1;
        if (one == 0) put_any = 0;
    }
    return r < 0 ? -1 : put_any;
}

static int put_record(struct client_bin *b, const struct client_bin_tick *r, const char *before)
{
    struct tick t;
    uint32_t bytes;
    int result = tick_bin_read(r->record, r->bytes, &t, &bytes);
    if (result == TC_ENOTFOUND) return NOTHING;
    if (result < 0) return -1;
    t.seq = r->seq;
    if (tick_check(&t, SYMBOLS_MAX) != NULL) return -1;
    if (t.kind == TICK_SYMBOL) return define(b, &t) < 0 ? -1 : NOTHING;
    struct text name = {0};
    if (t.kind != TICK_FEED) {
        if (t.symbol >= b->name_room || b->names[t.symbol].size == 0) return -1;
        name = (struct text){.at = b->names[t.symbol].json, .size = b->names[t.symbol].size};
    }
    put(b, "%s", before);
    b->text_size += tick_json(b->text + b->text_size, &t, name);
    return 0;
}

static int define(struct client_bin *b, const struct tick *t)
{
    if (t->symbol >= b->name_room) {
        uint32_t room = b->name_room ? b->name_room : NAMES_FIRST;
        while (room <= t->symbol) room *= 2;
        struct client_bin_name *names = realloc(b->names, room * sizeof *names);
        if (!names) return -1;
        memset(names + b->name_room, 0, (room - b->name_room) * sizeof *names);
        b->names = names;
        b->name_room = room;
    }
    struct text name = {.at = t->name.name, .size = strnlen(t->name.name, SYMBOL_NAME_MAX)};
    struct client_bin_name *n = &b->names[t->symbol];
    n->size = (uint8_t)json_escape(n->json, name); /* checked: printable, so at most two bytes for one */
    return 0;
}
_Static_assert(sizeof((struct client_bin_name *)0)->json == 2 * SYMBOL_NAME_MAX, "an escaped name fits");

/* ---- Notices. ---- */

static int notice(struct client_bin *b, const uint8_t *bytes, size_t size, const struct client_bin_message *m)
{
    const struct scan_message *s = &m->scan;
    uint32_t n;
    switch (m->type) {
    case BIN_HELLO: return hello(b, bytes);
    case BIN_SUBSCRIBED:
    case BIN_UNSUBSCRIBED: return set(b, bytes, size);
    case BIN_PONG: return pong(b, bytes, size);
    case BIN_ERROR: return error(b, bytes, m);
    case BIN_GAP: return gap(b, bytes, m);
    case BIN_LAG: {
        uint8_t policy = bytes[offsetof(struct bin_lag, policy)];
        if (policy >= POLICIES) return -1;
        n = notice_lag(b->text, s->behind, load_le64(bytes + offsetof(struct bin_lag, ms)),
                       (enum policy)policy);
        break;
    }
    case BIN_COVERED:
        if (s->from > s->to) return -1;
        n = notice_covered(b->text, s->from, s->to, s->conflated);
        break;
    case BIN_HEARTBEAT: n = notice_heartbeat(b->text, s->seq, s->ts, s->stalled); break;
    case BIN_DRAIN: n = notice_drain(b->text, s->reconnect_after_ms); break;
    default: return NOTHING;
    }
    b->text_size = n;
    return 0;
}

static int hello(struct client_bin *b, const uint8_t *bytes)
{
    struct bin_hello m;
    memcpy(&m, bytes, sizeof m);
    struct text server = {.at = (const char *)bytes + sizeof m, .size = m.server_bytes};
    struct text own = TEXT("tickcast/");
    if (!text_begins(server, own)) return -1;
    char version[257];
    size_t version_bytes = server.size - own.size;
    if (version_bytes >= sizeof version) return -1;
    memcpy(version, server.at + own.size, version_bytes);
    version[version_bytes] = 0;
    b->text_size = notice_hello(b->text, version, m.epoch, m.seq);
    return 0;
}

static int set(struct client_bin *b, const uint8_t *bytes, size_t size)
{
    struct bin_set m = {0};
    memcpy(&m, bytes, BIN_SET_BYTES);
    const uint8_t *at = bytes + BIN_SET_BYTES, *end = bytes + size;
    if (m.policy >= POLICIES || m.frame >= FRAMINGS) return -1;
    if (m.id_bytes > end - at || !id_ok(at, m.id_bytes)) return -1;
    struct notice_set s = {.unsubscribed = m.type == BIN_UNSUBSCRIBED,
                           .id = {(const char *)at, m.id_bytes},
                           .policy = (enum policy)m.policy,
                           .frame = (enum framing)m.frame,
                           .rate_interval_ns = m.rate_ns,
                           .seq = m.seq};
    at += m.id_bytes;
    if (m.rule_count > (size_t)(end - at) / 3) return -1; /* no rule is shorter */
    struct notice_rule *rules = calloc((size_t)m.rule_count + 1, sizeof *rules);
    if (!rules) return -1;
    s.rules = rules;
    int r = read_rules(at, end, m.rule_count, rules);
    s.rule_count = m.rule_count;
    if (r == 0 && !reserve(b, notice_set_bytes(&s))) r = -1;
    if (r == 0) b->text_size = notice_set(b->text, &s);
    free(rules);
    return r;
}

/* In canonical order, as servers send them and notice_set wants them: by kinds, then pattern. */
static int read_rules(const uint8_t *at, const uint8_t *end, uint32_t count, struct notice_rule *rules)
{
    struct rule before = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 2 || end - at - 2 < at[1]) return -1;
        struct text pattern = {(const char *)at + 2, at[1]};
        if (!pattern_ok(pattern) || (at[0] & ~KINDS_CLIENT) != 0 || at[0] == 0) return -1;
        struct rule r = rule_make(pattern, at[0]);
        if (i > 0 && rule_compare(&before, &r) >= 0) return -1;
        rules[i] = (struct notice_rule){pattern, at[0]};
        before = r;
        at += 2 + pattern.size;
    }
    return 0;
}

static int pong(struct client_bin *b, const uint8_t *bytes, size_t size)
{
    struct bin_pong m;
    memcpy(&m, bytes, sizeof m);
    const uint8_t *id = bytes + sizeof m;
    if (m.id_bytes > size - sizeof m || !id_ok(id, m.id_bytes)) return -1;
    b->text_size = notice_pong(b->text, (struct text){(const char *)id, m.id_bytes}, m.ts);
    return 0;
}

static int error(struct client_bin *b, const uint8_t *bytes, const struct client_bin_message *m)
{
    char code[256], message[1024];
    const uint8_t *id = bytes + sizeof(struct bin_error);
    size_t id_bytes = bytes[offsetof(struct bin_error, id_bytes)];
    const struct scan_message *s = &m->scan;
    if (!id_ok(id, id_bytes) || s->message.size >= sizeof message) return -1;
    for (size_t i = 0; i < s->code.size; i++) /* a word */
        if (s->code.at[i] != '_' && (s->code.at[i] < 'a' || s->code.at[i] > 'z')) return -1;
    if (s->code.size > 64) return -1;
    memcpy(code, s->code.at, s->code.size);
    code[s->code.size] = 0;
    memcpy(message, s->message.at, s->message.size);
    message[s->message.size] = 0;
    b->text_size = notice_error(b->text, (struct text){(const char *)id, id_bytes}, code, message);
    return 0;
}

static int gap(struct client_bin *b, const uint8_t *bytes, const struct client_bin_message *m)
{
    struct bin_gap g;
    memcpy(&g, bytes, sizeof g);
    char reason[16];
    snprintf(reason, sizeof reason, "%.*s", (int)m->scan.reason.size, m->scan.reason.at);
    bool foreign = g.flags & BIN_FOREIGN;
    b->text_size = notice_gap(b->text, g.from, g.to, reason, foreign ? g.epoch : 0, foreign ? g.seq : 0);
    return 0;
}

/* JSON text of a number or string, or nothing. It is put into JSON as it stands: no blank stands around it,
 * for a line break would make two lines of a message, and no zero byte, which jansson passes over behind a
 * number. */
static bool id_ok(const uint8_t *at, size_t size)
{
    if (size == 0) return true;
    if (size > COMMAND_ID_MAX || at[0] <= ' ' || at[size - 1] <= ' ') return false;
    json_t *id = json_loadb((const char *)at, size, JSON_DECODE_ANY, NULL);
    bool ok = json_is_number(id) || json_is_string(id);
    json_decref(id);
    return ok;
}

/* ---- The text. ---- */

static bool reserve(struct client_bin *b, size_t bytes)
{
    if (bytes <= b->text_room) return true;
    char *text = realloc(b->text, bytes);
    if (!text) return false;
    b->text = text;
    b->text_room = bytes;
    return true;
}

static void put(struct client_bin *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(b->text + b->text_size, b->text_room - b->text_size, format, args);
    va_end(args);
    TC_ASSERT(n >= 0);
    TC_ASSERT((size_t)n < b->text_room - b->text_size);
    b->text_size += (size_t)n;
}

void client_bin_free(struct client_bin *b)
{
    free(b->names);
    free(b->text);
    *b = (struct client_bin){0};
}
