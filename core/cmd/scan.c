#include "cmd/scan.h"

#include "cmd/scan_json.h"

static bool ticks_usual(struct text json, struct scan_message *out);
static const char *digits(const char *p, const char *end, uint64_t *out);
static int fields(struct scan_message *m, const char *at, const char *end);
static int take_field(struct scan_message *m, const struct json_field *field);
static int number(const struct json_field *field, uint64_t *out, bool *has);

int scan_message(struct text json, struct scan_message *out)
{
    *out = (struct scan_message){0};
    if (ticks_usual(json, out)) return 0;
    const char *end = json.at + json.size, *p = json_space(json.at, end);
    if (p >= end || *p != '{') return -1;
    return fields(out, p + 1, end);
}

/* `ticks` as the server writes it. False: the general way, from the beginning. */
static bool ticks_usual(struct text json, struct scan_message *out)
{
    static const struct text from = TEXT("{\"type\":\"ticks\",\"from\":"), to = TEXT(",\"to\":"),
                             conflated = TEXT(",\"conflated\":"), ticks = TEXT(",\"ticks\":[");
    const char *p = json.at, *end = json.at + json.size;
    uint64_t a, b, k = 0;
    if (!text_begins(json, from)) return false;
    p = digits(p + from.size, end, &a);
    if (!p || !text_begins((struct text){p, (size_t)(end - p)}, to)) return false;
    p = digits(p + to.size, end, &b);
    if (p && text_begins((struct text){p, (size_t)(end - p)}, conflated))
        p = digits(p + conflated.size, end, &k);
    if (!p || !text_begins((struct text){p, (size_t)(end - p)}, ticks)) return false;
    p += ticks.size;
    *out = (struct scan_message){.type = SCAN_TICKS,
                                 .from = a,
                                 .to = b,
                                 .conflated = k,
                                 .has_from = true,
                                 .has_to = true,
                                 .in_ticks = true,
                                 .rest = {.at = p, .size = (size_t)(end - p)}};
    return true;
}

/* Behind 1 to 19 digits, which cannot overflow; NULL: there are others. */
static const char *digits(const char *p, const char *end, uint64_t *out)
{
    uint64_t n = 0;
    const char *first = p;
    while (p < end && (uint8_t)(*p - '0') <= 9) {
        if (p - first == 19) return NULL;
        n = n * 10 + (uint8_t)(*p++ - '0');
    }
    *out = n;
    return p > first ? p : NULL;
}

int scan_message_end(struct scan_message *m)
{
    if (!m->in_ticks) return 0;
    const char *end = m->rest.at + m->rest.size, *p = json_space(m->rest.at, end);
    if (p >= end || *p != ']') return -1; /* scan_tick_next stopped there */
    m->in_ticks = false;
    return fields(m, p + 1, end);
}

/* Up to the closing brace, or to "ticks":[ . */
static int fields(struct scan_message *m, const char *at, const char *end)
{
    for (;;) {
        struct json_field field;
        int r = json_field_next(&at, end, "ticks", &field);
        if (r < 0) return -1;
        if (r == 0) return json_space(at, end) == end ? 0 : -1;
        if (field.first == '[' && text_equal(field.name, TEXT("ticks"))) {
            m->in_ticks = true;
            m->rest = (struct text){.at = at, .size = (size_t)(end - at)};
            return 0;
        }
        if (take_field(m, &field) < 0) return -1;
    }
}

static int take_field(struct scan_message *m, const struct json_field *field)
{
    const struct {
        struct text name;
        uint64_t *number;
        bool *has;
        struct text *string;
    } known[] = {
        {TEXT("seq"), &m->seq, &m->has_seq, NULL},
        {TEXT("from"), &m->from, &m->has_from, NULL},
        {TEXT("to"), &m->to, &m->has_to, NULL},
        {TEXT("conflated"), &m->conflated, NULL, NULL},
        {TEXT("since"), &m->since, &m->has_since, NULL},
        {TEXT("behind"), &m->behind, NULL, NULL},
        {TEXT("ts"), &m->ts, &m->has_ts, NULL},
        {TEXT("epoch"), NULL, NULL, &m->epoch},
        {TEXT("reason"), NULL, NULL, &m->reason},
        {TEXT("code"), NULL, NULL, &m->code},
        {TEXT("reconnect_after_ms"), &m->reconnect_after_ms, NULL, NULL},
        {TEXT("message"), NULL, NULL, &m->message},
        {TEXT("symbol"), NULL, NULL, &m->symbol},
    };
    if (text_equal(field->name, TEXT("type"))) {
        m->type = scan_type_of(field->value);
        return 0;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!text_equal(field->name, known[i].name)) continue;
        if (known[i].number) return number(field, known[i].number, known[i].has);
        *known[i].string = field->value;
        return 0;
    }
    bool yes = text_equal(field->value, TEXT("true"));
    if (text_equal(field->name, TEXT("more"))) m->more = yes;
    if (text_equal(field->name, TEXT("stalled"))) m->stalled = yes;
    return 0;
}

/* A name that is not a number in some message (null, negative) is left alone: only whole numbers are
 * positions. */
static int number(const struct json_field *field, uint64_t *out, bool *has)
{
    if (field->first < '0' || field->first > '9') return 0;
    if (scan_u64(field->value, out) < 0) return -1;
    if (has) *has = true;
    return 0;
}

int scan_u64(struct text digits, uint64_t *out)
{
    uint64_t n = 0;
    if (digits.size == 0 || digits.size > 20) return -1;
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t c = (uint8_t)(digits.at[i] - '0');
        if (c > 9) return -1;
        if (digits.size < 20)
            n = n * 10 + c;
        else if (__builtin_mul_overflow(n, UINT64_C(10), &n) || __builtin_add_overflow(n, (uint64_t)c, &n))
            return -1;
    }
    *out = n;
    return 0;
}
