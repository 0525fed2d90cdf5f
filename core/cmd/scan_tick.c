/* cmd/scan_tick.c -- tick objects: the hot path of the load generator.
 * The server writes {"type":"trade","seq":7, ... ,"ts":1700000000000000000}. That form is read by looking at
 * its two ends only; any other order of fields goes the general way, and so does an object within the tick (a
 * later version's). Looking for the end is safe: inside a JSON string a quote is always escaped, so
 * `,"ts":digits}` with bare quotes can only be the last field of an object, and no other one began. */
#include "cmd/scan_json.h"

static const char *tick_fast(const char *p, const char *end, struct scan_tick *out);
static const char *tick_general(const char *p, const char *end, struct scan_tick *out);
static const char *number_fast(const char *p, const char *end, uint64_t *out);

int scan_tick_next(struct scan_message *m, struct scan_tick *out)
{
    if (!m->in_ticks) return 0;
    const char *p = m->rest.at, *end = p + m->rest.size;
    if (p < end && *p == ',') p++;
    if (p < end && *p != '{') p = json_space(p, end);
    if (p < end && *p == ']') {
        m->rest = (struct text){.at = p, .size = (size_t)(end - p)};
        return 0;
    }
    const char *next = tick_fast(p, end, out);
    if (!next) next = tick_general(p, end, out);
    if (!next) return -1;
    if (next < end && *next != ',') next = json_space(next, end);
    if (next < end && *next != ',' && *next != ']') return -1;
    m->rest = (struct text){.at = next, .size = (size_t)(end - next)};
    return 1;
}

int scan_tick(struct text json, struct scan_tick *out)
{
    const char *end = json.at + json.size, *next = tick_fast(json.at, end, out);
    if (!next) next = tick_general(json.at, end, out);
    return next == end ? 0 : -1;
}

bool scan_tick_usual(struct text json, struct scan_tick *out)
{
    const char *end = json.at + json.size;
    return tick_fast(json.at, end, out) == end;
}

/* Behind the object, or NULL if it does not have the usual form. */
static const char *tick_fast(const char *p, const char *end, struct scan_tick *out)
{
    static const struct {
        char word[24];
        uint32_t size;
        enum scan_type type;
    } heads[] = {
        {"trade\",\"seq\":", 13, SCAN_TRADE},   {"quote\",\"seq\":", 13, SCAN_QUOTE},
        {"bar\",\"seq\":", 11, SCAN_BAR},       {"book\",\"seq\":", 12, SCAN_BOOK},
        {"status\",\"seq\":", 14, SCAN_STATUS},
    };
    if (end - p < 48 || memcmp(p, "{\"type\":\"", 9) != 0) return NULL;
    const char *at = p + 9;
    uint32_t i = *at == 't' ? 0 : *at == 'q' ? 1 : *at == 's' ? 4 : at[1] == 'a' ? 2 : 3;
    if (memcmp(at, heads[i].word, heads[i].size) != 0) return NULL;
    out->type = heads[i].type;
    at = number_fast(at + heads[i].size, end, &out->seq);
    if (!at) return NULL;
    const char *brace = memchr(at, '}', (size_t)(end - at));
    if (!brace || memchr(at, '{', (size_t)(brace - at))) return NULL;
    const char *digit = brace;
    while (digit > at && (uint8_t)(digit[-1] - '0') <= 9) digit--;
    if (digit == brace || digit - at < 6 || memcmp(digit - 6, ",\"ts\":", 6) != 0) return NULL;
    out->json = (struct text){.at = p, .size = (size_t)(brace + 1 - p)};
    out->ts = (struct text){.at = digit, .size = (size_t)(brace - digit)};
    return brace + 1;
}

/* Digits up to a comma. */
static const char *number_fast(const char *p, const char *end, uint64_t *out)
{
    uint64_t n = 0;
    const char *first = p;
    while (p < end && (uint8_t)(*p - '0') <= 9) n = n * 10 + (uint8_t)(*p++ - '0');
    if (p == first || p - first > 19 || p == end || *p != ',') return NULL;
    *out = n;
    return p;
}

static const char *tick_general(const char *p, const char *end, struct scan_tick *out)
{
    *out = (struct scan_tick){0};
    const char *at = p + 1;
    bool has_seq = false;
    if (p >= end || *p != '{') return NULL;
    for (;;) {
        struct json_field field;
        int r = json_field_next(&at, end, NULL, &field);
        if (r < 0) return NULL;
        if (r == 0) break;
        if (text_equal(field.name, TEXT("type")))
            out->type = scan_type_of(field.value);
        else if (text_equal(field.name, TEXT("seq")))
            has_seq = scan_u64(field.value, &out->seq) == 0;
        else if (text_equal(field.name, TEXT("ts")) && field.first >= '0' && field.first <= '9')
            out->ts = field.value;
    }
    out->json = (struct text){.at = p, .size = (size_t)(at - p)};
    return has_seq ? at : NULL;
}

int scan_tick_key(struct text json, struct scan_key *out)
{
    *out = (struct scan_key){0};
    const char *end = json.at + json.size, *at = json.at + 1;
    if (json.size < 2 || json.at[0] != '{') return -1;
    for (;;) {
        struct json_field field;
        int r = json_field_next(&at, end, NULL, &field);
        if (r <= 0) return r;
        if (text_equal(field.name, TEXT("symbol")))
            out->symbol = field.value;
        else if (text_equal(field.name, TEXT("side")))
            out->side = field.value;
        else if (text_equal(field.name, TEXT("price")))
            out->price = field.value;
        else if (text_equal(field.name, TEXT("interval")))
            out->interval = field.value;
        else if (text_equal(field.name, TEXT("final")))
            out->final = text_equal(field.value, TEXT("true"));
    }
}
