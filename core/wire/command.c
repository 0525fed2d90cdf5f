/* A JSON command. One table of members, read in its order, so that what is wrong first is told first. */
#include "wire/command.h"

#include "base/assert.h"
#include "base/fault.h"
#include "wire/command_values.h"
#include "wire/json_arena.h"

#include <jansson.h>
#include <stdio.h>

#define DUMP_MAX 64u /* bytes of a wrong value, as JSON, that an error may need */

struct dump {
    char bytes[DUMP_MAX];
    size_t size;
};

typedef int (*member_take)(struct command *c, struct command_error *err, const json_t *value);

static int parse_object(const json_t *root, struct command *c, struct command_error *err);
static int take_id(struct command *c, struct command_error *err, const json_t *value);
static int take_op(struct command *c, struct command_error *err, const json_t *value);
static int take_symbols(struct command *c, struct command_error *err, const json_t *value);
static int take_kinds(struct command *c, struct command_error *err, const json_t *value);
static int take_snapshot(struct command *c, struct command_error *err, const json_t *value);
static int take_policy(struct command *c, struct command_error *err, const json_t *value);
static int take_rate(struct command *c, struct command_error *err, const json_t *value);
static int take_frame(struct command *c, struct command_error *err, const json_t *value);
static int take_since(struct command *c, struct command_error *err, const json_t *value);
static int take_heartbeat(struct command *c, struct command_error *err, const json_t *value);
static int take_position(const json_t *root, struct command *c, struct command_error *err);
static int check_whole(struct command *c, struct command_error *err);
static int wrong(struct command_error *err, const char *code, const char *name, const json_t *value,
                 const char *remedy);
static int dump_some(const char *bytes, size_t size, void *state);

void command_thread_init(void *arena, size_t bytes)
{
    json_arena_set(arena, bytes);
}

int command_parse(const char *bytes, size_t size, struct command *out, struct command_error *err)
{
    command_defaults(out, err);
    json_arena_begin();
    json_error_t where;
    const char *zero = size ? memchr(bytes, 0, size) : NULL; /* jansson passes over one behind a number */
    const json_t *root = zero ? NULL : json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &where);
    int status;
    if (root)
        status = parse_object(root, out, err);
    else if (json_arena_full())
        status = command_error_set(err, "too_big", "the command is too large to be read; send it in several");
    else
        status = command_error_set(err, "bad_json",
                                   "not JSON at byte %d; send one object, such as {\"op\":\"ping\",\"id\":1}",
                                   zero ? (int)(zero - bytes) : where.position);
    json_arena_end(); /* the tree stays where it is until the next call: texts of out point into it */
    return status;
}

static int parse_object(const json_t *root, struct command *c, struct command_error *err)
{
    static const struct {
        const char *name;
        member_take take;
    } members[] = {
        {"id", take_id},
        {"op", take_op},
        {"symbols", take_symbols},
        {"kinds", take_kinds},
        {"snapshot", take_snapshot},
        {"policy", take_policy},
        {"rate", take_rate},
        {"frame", take_frame},
        {"since", take_since},
        {"heartbeat", take_heartbeat},
    };
    if (!json_is_object(root))
        return command_error_set(err, "bad_json",
                                 "a command is one JSON object, such as {\"op\":\"ping\",\"id\":1}");
    if (!json_object_get(root, "op"))
        return wrong(err, "bad_op", "op", NULL, "subscribe, unsubscribe, resume or ping");
    for (uint32_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(root, members[i].name);
        int status = value ? members[i].take(c, err, value) : 0;
        if (status != 0) return status;
        if (c->op == COMMAND_PING && members[i].take == take_op) return 0;
    }
    int status = c->op == COMMAND_RESUME ? take_position(root, c, err) : 0;
    return status != 0 ? status : check_whole(c, err);
}

static int take_id(struct command *c, struct command_error *err, const json_t *value)
{
    char text[COMMAND_ID_MAX];
    size_t size = 0;
    if (json_is_number(value) || json_is_string(value))
        size = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_COMPACT);
    if (size == 0 || size > sizeof text)
        return command_error_set(err, "bad_id", "id must be a number or a string, at most %u bytes as JSON",
                                 COMMAND_ID_MAX);
    memcpy(c->id, text, size);
    memcpy(err->id, text, size);
    c->id_size = err->id_size = (uint8_t)size;
    return 0;
}

static int take_op(struct command *c, struct command_error *err, const json_t *value)
{
    static const char *const ops[] = {"subscribe", "unsubscribe", "resume", "ping"};
    if (json_is_string(value))
        for (int i = 0; i < 4; i++)
            if (strcmp(json_string_value(value), ops[i]) == 0) {
                c->op = (enum command_op)i;
                return 0;
            }
    return wrong(err, "bad_op", "op", value, "subscribe, unsubscribe, resume or ping");
}

/* ---- Members. ---- */

static struct text text_in(const json_t *string)
{
    return (struct text){json_string_value(string), json_string_length(string)};
}

static int take_symbols(struct command *c, struct command_error *err, const json_t *value)
{
    if (json_is_string(value)) {
        int status = command_symbols_begin(c, err, 1);
        return status != 0 ? status : command_symbols_add(c, err, text_in(value));
    }
    if (!json_is_array(value))
        return wrong(err, "bad_symbols", "symbols", value, "a list, such as [\"AAPL\"]");
    int status = command_symbols_begin(c, err, json_array_size(value));
    for (size_t i = 0; status == 0 && i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        if (!json_is_string(one)) return wrong(err, "bad_symbols", "symbols", one, "strings in the list");
        status = command_symbols_add(c, err, text_in(one));
    }
    return status;
}

static int take_kinds(struct command *c, struct command_error *err, const json_t *value)
{
    static const char remedy[] = "a list of trade, quote, bar, book, status";
    if (json_is_string(value)) return command_kinds_add(c, err, text_in(value));
    if (!json_is_array(value) || json_array_size(value) == 0)
        return wrong(err, "bad_kinds", "kinds", value, remedy);
    int status = 0;
    for (size_t i = 0; status == 0 && i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        if (!json_is_string(one)) return wrong(err, "bad_kinds", "kinds", one, remedy);
        status = command_kinds_add(c, err, text_in(one));
    }
    return status;
}

static int take_snapshot(struct command *c, struct command_error *err, const json_t *value)
{
    if (!json_is_boolean(value)) return wrong(err, "bad_snapshot", "snapshot", value, "true or false");
    c->snapshot = json_is_true(value);
    c->has_snapshot = true;
    return 0;
}

static int take_policy(struct command *c, struct command_error *err, const json_t *value)
{
    if (json_is_string(value)) return command_policy_set(c, err, text_in(value));
    return wrong(err, "bad_policy", "policy", value, "\"conflate\", \"complete\", \"latest\" or \"close\"");
}

static int take_frame(struct command *c, struct command_error *err, const json_t *value)
{
    if (json_is_string(value)) return command_frame_set(c, err, text_in(value));
    return wrong(err, "bad_frame", "frame", value, "\"batch\" or \"tick\"");
}

static int take_rate(struct command *c, struct command_error *err, const json_t *value)
{
    if (json_is_number(value)) return command_rate_set(c, err, json_number_value(value));
    return wrong(err, "bad_rate", "rate", value, "a number: frames a second, 0 for no limit");
}

static int take_heartbeat(struct command *c, struct command_error *err, const json_t *value)
{
    if (json_is_number(value)) return command_heartbeat_set(c, err, json_number_value(value));
    return wrong(err, "bad_heartbeat", "heartbeat", value, "a number of seconds");
}

static int take_since(struct command *c, struct command_error *err, const json_t *value)
{
    if (json_is_integer(value)) return command_since_ticks_set(c, err, json_integer_value(value));
    if (json_is_string(value)) return command_since_set(c, err, text_in(value));
    return wrong(err, "bad_since", "since", value, "a number of ticks, a time as \"30s\", or \"oldest\"");
}

static int take_position(const json_t *root, struct command *c, struct command_error *err)
{
    const json_t *epoch = json_object_get(root, "epoch"), *seq = json_object_get(root, "seq");
    if (!json_is_string(epoch) || !epoch_parse(text_in(epoch), &c->epoch))
        return wrong(err, "bad_resume", "epoch", epoch, "the 16 hex digits that hello gave");
    if (!json_is_integer(seq) || json_integer_value(seq) < 0)
        return wrong(err, "bad_resume", "seq", seq, "the whole number your stream stopped at");
    c->seq = (uint64_t)json_integer_value(seq);
    c->has_resume = true;
    return 0;
}

/* What no member alone can tell. */
static int check_whole(struct command *c, struct command_error *err)
{
    if (c->op == COMMAND_UNSUBSCRIBE && !c->has_symbols)
        return command_error_set(err, "bad_symbols",
                                 "unsubscribe needs symbols: exactly the patterns to take away");
    bool changes = c->has_policy || c->has_rate || c->has_frame;
    if (c->op == COMMAND_SUBSCRIBE && !c->has_symbols && !changes)
        return command_error_set(err, "bad_symbols",
                                 "subscribe needs symbols, such as [\"AAPL\",\"BRK*\"] or [\"*\"]");
    return 0;
}

/* For a value of the wrong type; NULL: there is none. */
static int wrong(struct command_error *err, const char *code, const char *name, const json_t *value,
                 const char *remedy)
{
    struct dump dump = {.size = 0};
    if (!value) return command_error_set(err, code, "%s is missing; use %s", name, remedy);
    if (json_is_object(value)) return command_error_value(err, code, name, TEXT("{...}"), remedy);
    if (json_is_array(value)) return command_error_value(err, code, name, TEXT("[...]"), remedy);
    json_dump_callback(value, dump_some, &dump, JSON_ENCODE_ANY | JSON_COMPACT);
    return command_error_value(err, code, name, (struct text){dump.bytes, dump.size}, remedy);
}

/* What fits. (json_dumpb leaves a piece out that does not fit whole, and counts it.) */
static int dump_some(const char *bytes, size_t size, void *state)
{
    struct dump *d = state;
    size_t some = min_u64(size, sizeof d->bytes - d->size);
    memcpy(d->bytes + d->size, bytes, some);
    d->size += some;
    return 0;
}
