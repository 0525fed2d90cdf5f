#include "wire/command_values.h"

#include "base/assert.h"
#include "base/fault.h"
#include "tick/tick.h"
#include "wire/json_arena.h"

#include <stdarg.h>
#include <stdio.h>

#define NS_PER_SECOND_F 1e9
#define SHOWN_MAX       40u /* of a value, in an error's text */

static int word_of(struct text word, const char *const *words, int count);
static void show(char out[SHOWN_MAX + 4], struct text value);

void command_defaults(struct command *c, struct command_error *err)
{
    *c = (struct command){.snapshot = true, .kinds = KINDS_CLIENT};
    *err = (struct command_error){.code = ""};
}

/* ---- Symbols. ---- */

bool pattern_ok(struct text pattern)
{
    if (pattern.size == 0 || pattern.size > SYMBOL_NAME_MAX) return false;
    for (size_t i = 0; i < pattern.size; i++)
        if (pattern.at[i] < 0x20 || pattern.at[i] > 0x7E) return false;
    return pattern.at[0] != ' ' && pattern.at[pattern.size - 1] != ' ';
}

int command_symbols_begin(struct command *c, struct command_error *err, size_t count)
{
    c->has_symbols = true;
    c->symbol_count = 0;
    if (count == 0)
        return command_error_set(err, "bad_symbols",
                                 "symbols is empty; name at least one, such as \"AAPL\", \"BRK*\" or \"*\"");
    if (count > COMMAND_SYMBOLS_MAX)
        return command_error_set(err, "too_many", "symbols has %zu patterns; at most %u in one command",
                                 count, COMMAND_SYMBOLS_MAX);
    c->symbols = json_arena_take(count * sizeof *c->symbols);
    if (!c->symbols)
        return command_error_set(err, "too_big",
                                 "symbols is too long to be read; send it in several commands");
    return 0;
}

int command_symbols_add(struct command *c, struct command_error *err, struct text pattern)
{
    TC_ASSERT(c->symbol_count < COMMAND_SYMBOLS_MAX);
    if (!pattern_ok(pattern))
        return command_error_value(err, "bad_pattern", "symbols", pattern,
                                   "1 to 32 printable ASCII characters, no space at either end");
    struct text *symbols = (struct text *)(uintptr_t)c->symbols; /* ours until the command is handed out */
    symbols[c->symbol_count++] = pattern;
    return 0;
}

int command_kinds_add(struct command *c, struct command_error *err, struct text word)
{
    int kind = tick_kind_parse(word.at, word.size);
    if (kind < 0)
        return command_error_value(err, "bad_kinds", "kinds", word, "trade, quote, bar, book or status");
    if (!c->has_kinds) c->kinds = 0;
    c->has_kinds = true;
    c->kinds |= KIND_BIT((uint32_t)kind);
    return 0;
}

/* ---- Words. ---- */

int command_policy_set(struct command *c, struct command_error *err, struct text word)
{
    int policy = word_of(word, policy_names, POLICIES);
    if (policy < 0)
        return command_error_value(err, "bad_policy", "policy", word, "conflate, complete, latest or close");
    c->policy = (enum policy)policy;
    c->has_policy = true;
    return 0;
}

int command_frame_set(struct command *c, struct command_error *err, struct text word)
{
    int frame = word_of(word, framing_names, FRAMINGS);
    if (frame < 0) return command_error_value(err, "bad_frame", "frame", word, "batch or tick");
    c->frame = (enum framing)frame;
    c->has_frame = true;
    return 0;
}

static int word_of(struct text word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (text_equal(word, text_of(words[i]))) return i;
    return -1;
}

/* ---- Numbers. ---- */

int command_rate_set(struct command *c, struct command_error *err, double rate)
{
    bool right = rate == 0 || (rate >= COMMAND_RATE_LEAST && rate <= COMMAND_RATE_MOST);
    if (!right)
        return command_error_set(err, "bad_rate",
                                 "rate %.6g is out of range; frames a second, %g to %g, or 0 for no limit",
                                 rate, COMMAND_RATE_LEAST, COMMAND_RATE_MOST);
    c->rate_interval_ns = rate > 0 ? (uint64_t)(NS_PER_SECOND_F / rate + 0.5) : 0;
    c->has_rate = true;
    return 0;
}

int command_heartbeat_set(struct command *c, struct command_error *err, double seconds)
{
    if (!(seconds >= COMMAND_HEARTBEAT_LEAST && seconds <= COMMAND_HEARTBEAT_MOST))
        return command_error_set(err, "bad_heartbeat", "heartbeat %.6g is out of range; seconds, %g to %g",
                                 seconds, COMMAND_HEARTBEAT_LEAST, COMMAND_HEARTBEAT_MOST);
    c->heartbeat_ns = (uint64_t)(seconds * NS_PER_SECOND_F + 0.5);
    c->has_heartbeat = true;
    return 0;
}

int command_since_ticks_set(struct command *c, struct command_error *err, int64_t ticks)
{
    if (ticks < 0)
        return command_error_set(
            err, "bad_since", "since %lld is negative; a number of ticks, a time as \"30s\", or \"oldest\"",
            (long long)ticks);
    c->since = SINCE_TICKS;
    c->since_value = (uint64_t)ticks;
    c->has_since = true;
    return 0;
}

/* Nanoseconds of a unit; 0: there is no such unit. */
static double unit_ns(struct text unit)
{
    if (text_equal(unit, TEXT("ms"))) return 1e6;
    if (text_equal(unit, TEXT("s"))) return 1e9;
    if (text_equal(unit, TEXT("m"))) return 60e9;
    if (text_equal(unit, TEXT("h"))) return 3600e9;
    return 0;
}

int command_since_set(struct command *c, struct command_error *err, struct text text)
{
    static const char remedy[] = "a number of ticks, a time as 30s (ms, s, m, h; at most 9600h) or oldest";
    c->has_since = true;
    if (text_equal(text, TEXT("oldest"))) {
        c->since = SINCE_OLDEST;
        return 0;
    }
    size_t end = 0;
    while (end < text.size && ((text.at[end] >= '0' && text.at[end] <= '9') || text.at[end] == '.')) end++;
    struct text digits = {text.at, end}, unit = {text.at + end, text.size - end};
    double number;
    if (!command_number_parse(digits, &number))
        return command_error_value(err, "bad_since", "since", text, remedy);
    if (unit.size == 0) {
        bool whole = !memchr(digits.at, '.', digits.size);
        if (!whole || number >= (double)INT64_MAX)
            return command_error_value(err, "bad_since", "since", text, remedy);
        return command_since_ticks_set(c, err, (int64_t)number);
    }
    double ns = number * unit_ns(unit);
    if (unit_ns(unit) == 0 || ns > (double)COMMAND_SINCE_NS_MOST)
        return command_error_value(err, "bad_since", "since", text, remedy);
    c->since = SINCE_NS;
    c->since_value = (uint64_t)(ns + 0.5);
    return 0;
}

bool command_number_parse(struct text text, double *out)
{
    double value = 0, scale = 1;
    uint32_t digits = 0;
    bool point = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++digits > 30) return false;
        value = value * 10 + (c - '0');
        if (point) scale *= 10;
    }
    *out = value / scale;
    return digits > 0;
}

/* ---- Errors. ---- */

int command_error_set(struct command_error *err, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    return TC_EINPUT;
}

int command_error_value(struct command_error *err, const char *code, const char *name, struct text value,
                        const char *remedy)
{
    char shown[SHOWN_MAX + 4];
    show(shown, value);
    return command_error_set(err, code, "%s: '%s' will not do; use %s", name, shown, remedy);
}

/* A value of a stranger in our text: short, and printable ASCII only. */
static void show(char out[SHOWN_MAX + 4], struct text value)
{
    size_t size = min_u64(value.size, SHOWN_MAX);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value.at[i];
        out[i] = c >= 0x20 && c < 0x7F ? (char)c : '?';
    }
    memcpy(out + size, value.size > size ? "..." : "", value.size > size ? 4 : 1);
}

/* ---- Epochs. ---- */

void epoch_print(char out[16], uint64_t epoch)
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < 16; i++) out[i] = digits[(epoch >> (60 - 4 * i)) & 15];
}

bool epoch_parse(struct text text, uint64_t *epoch)
{
    if (text.size != 16) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        uint64_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint64_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint64_t)(c - 'A') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *epoch = value;
    return true;
}
