/* tick/kind.c -- the words of the wire for kinds, intervals, states and reasons. */
#include "base/bytes.h"
#include "tick/tick.h"

#define NS UINT64_C(1000000000)

struct interval {
    const char *name;
    uint64_t ns;
};

static const char *const kind_names[TICK_KINDS] = {
    [TICK_TRADE] = "trade",   [TICK_QUOTE] = "quote", [TICK_BAR] = "bar",       [TICK_BOOK] = "book",
    [TICK_STATUS] = "status", [TICK_FEED] = "feed",   [TICK_SYMBOL] = "symbol", [TICK_HOLE] = "hole",
};

static const struct interval intervals[BAR_INTERVALS] = {
    [BAR_1S] = {"1s", 1 * NS},     [BAR_5S] = {"5s", 5 * NS},         [BAR_10S] = {"10s", 10 * NS},
    [BAR_15S] = {"15s", 15 * NS},  [BAR_30S] = {"30s", 30 * NS},      [BAR_1M] = {"1m", 60 * NS},
    [BAR_2M] = {"2m", 120 * NS},   [BAR_3M] = {"3m", 180 * NS},       [BAR_5M] = {"5m", 300 * NS},
    [BAR_10M] = {"10m", 600 * NS}, [BAR_15M] = {"15m", 900 * NS},     [BAR_30M] = {"30m", 1800 * NS},
    [BAR_1H] = {"1h", 3600 * NS},  [BAR_2H] = {"2h", 7200 * NS},      [BAR_4H] = {"4h", 14400 * NS},
    [BAR_6H] = {"6h", 21600 * NS}, [BAR_8H] = {"8h", 28800 * NS},     [BAR_12H] = {"12h", 43200 * NS},
    [BAR_1D] = {"1d", 86400 * NS}, [BAR_1W] = {"1w", 7 * 86400 * NS}, [BAR_1MO] = {"1M", 0},
};

static const char *const status_names[STATUS_STATES] = {
    [STATUS_TRADING] = "trading", [STATUS_HALTED] = "halted",     [STATUS_PAUSED] = "paused",
    [STATUS_QUOTING] = "quoting", [STATUS_PRE_OPEN] = "pre_open", [STATUS_OPEN] = "open",
    [STATUS_CLOSED] = "closed",   [STATUS_AUCTION] = "auction",
};

static const char *const feed_names[FEED_STATES] = {
    [FEED_STARTED] = "started", [FEED_ENDED] = "ended",         [FEED_STALLED] = "stalled",
    [FEED_FAILED] = "failed",   [FEED_LOST] = "lost",           [FEED_LOOPED] = "looped",
    [FEED_SEEKED] = "seeked",   [FEED_RESTARTED] = "restarted", [FEED_RESUMED] = "resumed",
};

static const char *const reason_names[FEED_REASONS] = {
    [FEED_REASON_RING] = "ring",       [FEED_REASON_LINE] = "line",         [FEED_REASON_SYMBOLS] = "symbols",
    [FEED_REASON_SKIPPED] = "skipped", [FEED_REASON_UPSTREAM] = "upstream",
};

const char *tick_kind_name(uint8_t kind)
{
    return kind < TICK_KINDS ? kind_names[kind] : NULL;
}

int tick_kind_parse(const char *at, size_t size)
{
    struct text word = {.at = at, .size = size};
    for (int kind = 1; kind < TICK_KINDS; kind++)
        if ((KINDS_CLIENT & KIND_BIT(kind)) && text_equal(word, text_of(kind_names[kind]))) return kind;
    return -1;
}

const char *bar_interval_name(uint8_t interval)
{
    return interval < BAR_INTERVALS ? intervals[interval].name : NULL;
}

int bar_interval_parse(const char *at, size_t size)
{
    struct text word = {.at = at, .size = size};
    for (int i = 0; i < BAR_INTERVALS; i++)
        if (text_equal(word, text_of(intervals[i].name))) return i;
    return -1;
}

uint64_t bar_interval_ns(uint8_t interval)
{
    return interval < BAR_INTERVALS ? intervals[interval].ns : 0;
}

const char *status_state_name(uint8_t state)
{
    return state < STATUS_STATES ? status_names[state] : NULL;
}

const char *feed_state_name(uint8_t state)
{
    return state < FEED_STATES ? feed_names[state] : NULL;
}

const char *feed_reason_name(uint8_t reason)
{
    return reason < FEED_REASONS ? reason_names[reason] : NULL;
}
