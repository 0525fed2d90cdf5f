#include "cmd/scan_json.h"

#define DEPTH_MAX 32u

static const char *string_end(const char *p, const char *end);
static const char *plain_end(const char *p, const char *end);

const char *json_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

int json_field_next(const char **at, const char *end, const char *stop, struct json_field *out)
{
    const char *p = json_space(*at, end);
    if (p < end && *p == ',')
        p = json_space(p + 1, end);
    else if (p < end && *p == '}') {
        *at = p + 1;
        return 0;
    }
    if (p >= end || *p != '"') return -1;
    const char *name_end = string_end(p, end);
    if (!name_end) return -1;
    out->name = (struct text){.at = p + 1, .size = (size_t)(name_end - p) - 2};
    p = json_space(name_end, end);
    if (p >= end || *p != ':') return -1;
    p = json_space(p + 1, end);
    if (p >= end) return -1;
    out->first = *p;
    if (stop && *p == '[' && text_equal(out->name, text_of(stop))) {
        out->value = (struct text){.at = p + 1, .size = 0};
        *at = p + 1;
        return 1;
    }
    const char *value_end = json_skip(p, end);
    if (!value_end) return -1;
    out->value = *p == '"' ? (struct text){.at = p + 1, .size = (size_t)(value_end - p) - 2}
                           : (struct text){.at = p, .size = (size_t)(value_end - p)};
    *at = value_end;
    return 1;
}

const char *json_skip(const char *p, const char *end)
{
    if (p >= end) return NULL;
    if (*p == '"') return string_end(p, end);
    if (*p != '{' && *p != '[') return plain_end(p, end);
    char open[DEPTH_MAX];
    uint32_t depth = 0;
    do {
        if (p >= end) return NULL;
        if (*p == '"') {
            p = string_end(p, end);
            if (!p) return NULL;
            continue;
        }
        if (*p == '{' || *p == '[') {
            if (depth == DEPTH_MAX) return NULL;
            open[depth++] = *p;
        } else if (*p == '}' || *p == ']') {
            if (open[--depth] != (*p == '}' ? '{' : '[')) return NULL;
        }
        p++;
    } while (depth > 0);
    return p;
}

/* p at the opening quote; behind the closing one. */
static const char *string_end(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\')
            p++;
        else if (*p == '"')
            return p + 1;
    }
    return NULL;
}

/* A number, true, false or null. */
static const char *plain_end(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ' ' && *p != '\n' && *p != '\r' &&
           *p != '\t')
        p++;
    return p > start ? p : NULL;
}

enum scan_type scan_type_of(struct text word)
{
    static const char *const names[SCAN_TYPES] = {
        NULL,    "hello", "subscribed", "unsubscribed", "snapshot", "ticks", "covered",
        "gap",   "lag",   "heartbeat",  "pong",         "error",    "drain", "trade",
        "quote", "bar",   "book",       "status",       "feed",
    };
    for (int i = 1; i < SCAN_TYPES; i++)
        if (text_equal(word, text_of(names[i]))) return (enum scan_type)i;
    return SCAN_OTHER;
}
