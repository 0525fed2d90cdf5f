/* The query of a stream's URL (docs/protocol.md): the same values as a command's members. */
#include "base/assert.h"
#include "base/fault.h"
#include "wire/command_values.h"
#include "wire/http_parse.h"
#include "wire/json_arena.h"

typedef int (*parameter_take)(struct command *c, struct command_error *err, struct text raw);

static int parse_parameters(struct text query, struct command *c, struct command_error *err);
static int take_symbols(struct command *c, struct command_error *err, struct text raw);
static int take_kinds(struct command *c, struct command_error *err, struct text raw);
static int take_snapshot(struct command *c, struct command_error *err, struct text raw);
static int take_policy(struct command *c, struct command_error *err, struct text raw);
static int take_rate(struct command *c, struct command_error *err, struct text raw);
static int take_frame(struct command *c, struct command_error *err, struct text raw);
static int take_resume(struct command *c, struct command_error *err, struct text raw);
static int take_since(struct command *c, struct command_error *err, struct text raw);
static int take_heartbeat(struct command *c, struct command_error *err, struct text raw);
static int decode(struct command_error *err, const char *code, const char *name, struct text raw,
                  struct text *out);

int command_parse_query(struct text query, struct command *out, struct command_error *err)
{
    command_defaults(out, err);
    json_arena_begin();
    int status = parse_parameters(query, out, err);
    json_arena_end();
    if (out->has_resume) out->op = COMMAND_RESUME;
    return status;
}

static int parse_parameters(struct text query, struct command *c, struct command_error *err)
{
    static const struct {
        const char *name;
        parameter_take take;
    } parameters[] = {
        {"symbols", take_symbols}, {"kinds", take_kinds}, {"snapshot", take_snapshot},
        {"policy", take_policy},   {"rate", take_rate},   {"frame", take_frame},
        {"resume", take_resume},   {"since", take_since}, {"heartbeat", take_heartbeat},
    };
    struct text name, value;
    uint32_t seen = 0;
    while (http_query_next(&query, &name, &value)) {
        for (uint32_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
            if (!text_equal(name, text_of(parameters[i].name))) continue;
            if (seen & (1u << i))
                return command_error_set(err, "bad_query", "%s stands twice in the query; once, with commas",
                                         parameters[i].name);
            seen |= 1u << i;
            int status = parameters[i].take(c, err, value);
            if (status != 0) return status;
        }
    }
    return 0;
}

/* ---- Lists: split first, decoded after, so that an element may hold a comma. ---- */

static size_t list_count(struct text list)
{
    size_t count = list.size > 0 ? 1 : 0;
    for (size_t i = 0; i < list.size; i++) count += list.at[i] == ',';
    return count;
}

static bool list_next(struct text *rest, struct text *element)
{
    if (rest->at == NULL) return false;
    const char *comma = rest->size > 0 ? memchr(rest->at, ',', rest->size) : NULL;
    *element = (struct text){rest->at, comma ? (size_t)(comma - rest->at) : rest->size};
    *rest = comma ? (struct text){comma + 1, rest->size - element->size - 1} : (struct text){NULL, 0};
    return true;
}

static int take_symbols(struct command *c, struct command_error *err, struct text raw)
{
    int status = command_symbols_begin(c, err, list_count(raw));
    struct text element, pattern;
    while (status == 0 && list_next(&raw, &element)) {
        status = decode(err, "bad_pattern", "symbols", element, &pattern);
        if (status == 0) status = command_symbols_add(c, err, pattern);
    }
    return status;
}

static int take_kinds(struct command *c, struct command_error *err, struct text raw)
{
    int status = 0;
    struct text element, word;
    while (status == 0 && list_next(&raw, &element)) {
        status = decode(err, "bad_kinds", "kinds", element, &word);
        if (status == 0) status = command_kinds_add(c, err, word);
    }
    return status;
}

/* ---- Single values. ---- */

static int take_snapshot(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    int status = decode(err, "bad_snapshot", "snapshot", raw, &value);
    if (status != 0) return status;
    c->snapshot = text_equal(value, TEXT("1")) || text_equal(value, TEXT("true"));
    c->has_snapshot = true;
    if (c->snapshot || text_equal(value, TEXT("0")) || text_equal(value, TEXT("false"))) return 0;
    return command_error_value(err, "bad_snapshot", "snapshot", value, "1 or 0");
}

static int take_policy(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    int status = decode(err, "bad_policy", "policy", raw, &value);
    return status != 0 ? status : command_policy_set(c, err, value);
}

static int take_frame(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    int status = decode(err, "bad_frame", "frame", raw, &value);
    return status != 0 ? status : command_frame_set(c, err, value);
}

static int take_rate(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    double rate;
    int status = decode(err, "bad_rate", "rate", raw, &value);
    if (status != 0) return status;
    if (!command_number_parse(value, &rate))
        return command_error_value(err, "bad_rate", "rate", value,
                                   "a number: frames a second, 0 for no limit");
    return command_rate_set(c, err, rate);
}

static int take_heartbeat(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    double seconds;
    int status = decode(err, "bad_heartbeat", "heartbeat", raw, &value);
    if (status != 0) return status;
    if (!command_number_parse(value, &seconds))
        return command_error_value(err, "bad_heartbeat", "heartbeat", value, "a number of seconds");
    return command_heartbeat_set(c, err, seconds);
}

static int take_since(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    int status = decode(err, "bad_since", "since", raw, &value);
    return status != 0 ? status : command_since_set(c, err, value);
}

static int take_resume(struct command *c, struct command_error *err, struct text raw)
{
    struct text value;
    int status = decode(err, "bad_resume", "resume", raw, &value);
    if (status != 0) return status;
    struct text seq = {0};
    if (value.size > 17 && value.at[16] == '-') seq = (struct text){value.at + 17, value.size - 17};
    bool right = seq.size > 0 && epoch_parse((struct text){value.at, 16}, &c->epoch);
    c->seq = 0;
    for (size_t i = 0; right && i < seq.size; i++) {
        uint64_t digit = (uint64_t)(unsigned char)seq.at[i] - '0';
        right = digit <= 9 && c->seq <= (INT64_MAX - digit) / 10;
        c->seq = c->seq * 10 + digit;
    }
    if (!right)
        return command_error_value(err, "bad_resume", "resume", value,
                                   "EPOCH-SEQ: 16 hex digits, -, a number");
    c->has_resume = true;
    return 0;
}

/* ---- Bytes. ---- */

static int decode(struct command_error *err, const char *code, const char *name, struct text raw,
                  struct text *out)
{
    char *copy = json_arena_take(raw.size + 1);
    if (!copy) return command_error_set(err, "too_big", "the query is too long to be read; name less");
    int size = http_percent_decode(raw, copy, raw.size);
    if (size < 0)
        return command_error_value(err, code, name, raw, "% and two hex digits, %25 for a % itself");
    *out = (struct text){copy, (size_t)size};
    return 0;
}
