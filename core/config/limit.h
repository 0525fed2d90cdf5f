/* config/limit.h -- every limit that a client can run into, in one table: its word in log lines and in
 * tickcast_limit_total{limit="..."}, and what is seen from outside. docs/operations.md is made from it. The
 * values are settings (settings.h) or fixed (limits.h). */
#ifndef TC_CONFIG_LIMIT_H
#define TC_CONFIG_LIMIT_H

/* X(NAME, word, what a client sees) */
#define TC_LIMITS(X)                                                                                         \
    X(CONNECTIONS, "max-connections", "503 with `Retry-After`, before the upgrade")                          \
    X(DESCRIPTORS, "open-files",                                                                             \
      "503 with `Retry-After`: the limit of open files leaves no room for `--max-connections`")              \
    X(ADDRESS, "max-connections-per-ip", "503 with `Retry-After`")                                           \
    X(HANDSHAKES, "max-handshakes", "503 with `Retry-After`: connections a second, of all workers")          \
    X(UNUPGRADED, "handshaking",                                                                             \
      "503 with `Retry-After`: a quarter of `--max-connections` are connections that have not upgraded yet") \
    X(HANDSHAKE_TIME, "handshake-timeout", "408, connection closed")                                         \
    X(HEAD, "request-head", "431: a request head over 16 KiB, or over 100 fields")                           \
    X(TARGET, "request-target", "414: a request target over 8 KiB")                                          \
    X(BODY, "request-body", "413: a request body over 64 KiB")                                               \
    X(MESSAGE, "max-message", "close 1009 as soon as the frame's head says so")                              \
    X(MESSAGE_TIME, "message-timeout", "close 1008: a message was begun and not finished in time")           \
    X(MESSAGE_MEMORY, "message-memory",                                                                      \
      "too many messages arrive in pieces at the same time (`--max-connections` / 16): close 1008 for the "  \
      "one that has held its memory for longest, if over 1 s, else close 1013 for the newcomer")             \
    X(INPUT_MEMORY, "input-memory",                                                                          \
      "close 1013, or a reset before the upgrade: it sent on while an answer to it waited, and room for "    \
      "more than 4 KiB of that is used up (`--max-connections` / 4 x 4 KiB a worker, at least 4 MiB)")       \
    X(COMMANDS, "max-commands", "close 1008")                                                                \
    X(RULES, "max-rules", "`error` with code `too_many`; nothing has changed")                               \
    X(PATTERNS, "command-patterns", "`error` with code `too_many`: over 4 096 patterns in one command")      \
    X(FILTER_MEMORY, "filter-memory", "close 1008 (a command) or 1013 (a frame in pieces)")                  \
    X(REST_MEMORY, "rest-memory", "the connection whose socket has been full for longest is reset")          \
    X(SLOW, "slow-after", "`lag`; with policy `close`, close 4000")                                          \
    X(STALL, "stall-bound", "`pace=complete`: close 4000 (policy `complete`), or a gap (`conflate`)")        \
    X(PONG, "pong-timeout", "close 1001, or a reset where the close cannot be sent; a slow reader is not cut")

#define LIMIT_ENUM(name, word, what) LIMIT_##name,
enum limit { TC_LIMITS(LIMIT_ENUM) LIMIT_COUNT };
#undef LIMIT_ENUM

#define LIMIT_WORD(name, word, what)                                                                         \
    case LIMIT_##name: return word;
static inline const char *limit_word(enum limit which)
{
    switch (which) {
        TC_LIMITS(LIMIT_WORD)
    case LIMIT_COUNT: break;
    }
    return "";
}
#undef LIMIT_WORD

#endif
