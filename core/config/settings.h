/* config/settings.h -- every setting of `serve` and `replay`, in one table: the command line, the
 * configuration file (with _ for -), `tickcast help serve` and docs/operations.md are made from it.
 *
 * U(field, option, default, least, most, unit, what)  a whole number; sizes may end in k, m, g (1024s)
 * S(field, option, default, least, most, what)        seconds, fractions allowed; kept as ns
 * T(field, option, default, value, what)              text
 * B(field, option, default, what)                     yes or no; --no-OPTION turns it off
 * L(field, option, value, what)                       may be given several times
 * A 0 in a default that is described as "measured" or "auto" is worked out at start. */
#ifndef TC_CONFIG_SETTINGS_H
#define TC_CONFIG_SETTINGS_H

#include "base/clock.h"
#include "base/fault.h"
#include "config/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SETTING_LIST_MAX 64u

#define TC_SETTINGS(U, S, T, B, L)                                                                           \
    L(listen, "listen", "ADDR:PORT", "address to serve on; default 127.0.0.1:8080; port 0 takes a free one") \
    L(feed, "feed", "URI",                                                                                   \
      "where ticks come from: sim:?symbols=500&rate=20000, file:PATH?speed=1; default sim:")                 \
    U(workers, "workers", 0, 0, 64, "threads",                                                               \
      "worker threads; 0: processors - 1, at least 1, at most those of --cpus")                              \
    T(cpus, "cpus", NULL, "LIST",                                                                            \
      "processors that threads are pinned to, as in 0,2-3: feed thread first where there is one "            \
      "more than workers")                                                                                   \
    T(io, "io", "auto", "auto|uring|epoll", "the I/O back end; auto probes and says which it took and why")  \
    U(log_capacity, "log-capacity", 262144, 1024, 1u << 28, "ticks", "ticks the log holds; a power of two")  \
    B(huge_pages, "huge-pages", true,                                                                        \
      "ask the kernel for huge pages for the log; it is then touched 2 MiB at a time")                       \
    U(symbols_max, "symbols-max", 65536, 1, 65536, "symbols",                                                \
      "symbols that can be known; beyond it a feed tells its loss")                                          \
    U(connections_max, "max-connections", 16384, 1, 1000000, "connections",                                  \
      "over it: 503 before the upgrade")                                                                     \
    U(connections_per_ip_max, "max-connections-per-ip", 0, 0, 1000000, "connections",                        \
      "over it: 503; 0: no limit")                                                                           \
    U(message_bytes_max, "max-message", 65536, 125, 67108864, "bytes",                                       \
      "a client's message; over it: close 1009")                                                             \
    U(rules_max, "max-rules", 1000, 1, 65536, "rules", "rules of one connection; over it: error too_many")   \
    U(rest_bytes, "rest-memory", 0, 0, UINT64_C(1) << 40, "bytes",                                           \
      "memory for rests of frames, all workers together; 0: connections x 16 KiB")                           \
    U(filter_bytes, "filter-memory", UINT64_C(268435456), 1048576, UINT64_C(1) << 40, "bytes",               \
      "memory for rules and filters, all workers together; over it: 1008")                                   \
    U(memory_max, "max-memory", 0, 0, UINT64_C(1) << 40, "bytes",                                            \
      "if all limits together allow more than this, it does not start; 0: not checked")                      \
    U(handshakes_per_second_max, "max-handshakes", 0, 0, 1000000, "a second",                                \
      "new connections a second, all workers together; over it: 503; 0: no limit")                           \
    U(commands_per_second_max, "max-commands", 100, 0, 50000, "a second",                                    \
      "commands and pings a second and connection; over it: 1008; 0: no limit")                              \
    S(handshake_timeout_ns, "handshake-timeout", 10, 0.01, 3600, "from accept to the last header byte: 408") \
    S(message_timeout_ns, "message-timeout", 10, 0.01, 3600,                                                 \
      "a client's message, from its first byte to its last: 1008")                                           \
    S(keepalive_timeout_ns, "keepalive-timeout", 30, 0.01, 3600,                                             \
      "an HTTP connection with no request: closed")                                                          \
    S(ping_interval_ns, "ping-interval", 20, 0.01, 86400, "quiet time after which a client is pinged")       \
    S(pong_timeout_ns, "pong-timeout", 20, 0.01, 86400,                                                      \
      "unanswered ping: closed with 1001; a slow reader is not cut")                                         \
    S(close_timeout_ns, "close-timeout", 5, 0.01, 3600, "for the closing handshake")                         \
    S(heartbeat_ns, "heartbeat", 5, 0.01, 86400, "between two heartbeats of a subscriber")                   \
    S(slow_after_ns, "slow-after", 1, 0.01, 3600, "a socket full for so long makes its client slow")         \
    S(drain_ns, "drain-seconds", 2, 0, 3600, "over which SIGTERM spreads the closing of connections")        \
    S(stall_bound_ns, "stall-bound", 10, 0.01, 3600,                                                         \
      "pace=complete: a subscriber that takes nothing for so long is let go")                                \
    U(notsent_lowat_bytes, "notsent-lowat", 32768, 0, 1u << 30, "bytes",                                     \
      "unsent bytes the kernel holds per subscriber; 0: no bound")                                           \
    U(sndbuf_bytes, "sndbuf", 0, 0, 1u << 30, "bytes", "SO_SNDBUF of subscriber sockets; 0: the kernel's")   \
    T(tcp_congestion, "tcp-congestion", NULL, "NAME",                                                        \
      "congestion control of subscriber sockets; default: the kernel's")                                     \
    B(no_delay, "nodelay", true, "TCP_NODELAY: no waiting for more data before a segment is sent")           \
    U(spin_us, "spin-us", 50, 0, 1000000, "us",                                                              \
      "how long an idle worker spins before it sleeps; 0 where processors are fewer than threads")           \
    U(batch_us, "batch-us", 0, 0, 1000000, "us",                                                             \
      "between two bursts to the subscribers of one set, on average; 0: as fast as it goes")                 \
    U(cohort_members_max, "cohort-members", 64, 1, 64, "members", "subscribers that share a cursor")         \
    B(deflate, "deflate", true, "agree on permessage-deflate with who offers it; packed once per group")     \
    U(deflate_level, "deflate-level", 1, 1, 9, "", "1 is the fastest, 9 the smallest")                       \
    U(deflate_bytes_least, "deflate-min", 256, 16, 65535, "bytes", "shorter frames go out as they are")      \
    U(deflate_members_least, "deflate-members", 1, 1, 65536, "members",                                      \
      "frames for fewer subscribers of one set go out as they are: packing pays where many share it")        \
    L(host, "host", "NAME", "a Host name that a loopback listener also answers to")                          \
    T(origins, "origins", NULL, "LIST", "comma-separated origins that may connect from a browser; * = any")  \
    T(admin_listen, "admin-listen", "auto", "ADDR:PORT|unix:PATH|none",                                      \
      "where administration answers; auto: a unix socket of this user's own, named by the served port")      \
    T(admin_token, "admin-token", NULL, "FILE",                                                              \
      "a token that opens administration on the public port, and that a TCP --admin-listen then wants")      \
    B(echo, "echo", false, "serve /v1/echo, a WebSocket that echoes, for conformance suites")                \
    S(stats_ns, "stats", 0, 0, 3600, "seconds between lines of live figures; 0: 1 on a terminal, else off")  \
    B(stats_off, "quiet", false, "no line of live figures")                                                  \
    T(log_format, "log-format", "logfmt", "logfmt|json", "form of the program's own log lines")              \
    T(log_level, "log-level", "info", "debug|info|warn|error", "least level of the program's own log lines")

struct setting_list {
    const char *at[SETTING_LIST_MAX]; /* borrowed from argv or owned by settings->text */
    uint32_t count;
};

#define SETTING_U(field, ...) uint64_t field;
#define SETTING_S(field, ...) uint64_t field;
#define SETTING_T(field, ...) const char *field;
#define SETTING_B(field, ...) bool field;
#define SETTING_L(field, ...) struct setting_list field;
/* Set at start by one thread, then constant: read by all. */
struct settings {
    TC_SETTINGS(SETTING_U, SETTING_S, SETTING_T, SETTING_B, SETTING_L)
    char *text; /* owns the configuration file's text, which fields point into */
};
#undef SETTING_U
#undef SETTING_S
#undef SETTING_T
#undef SETTING_B
#undef SETTING_L

void settings_default(struct settings *s);
/* Sets one from text, name as on the command line without dashes. TC_ENOTFOUND: no such setting (fault
 * empty); TC_EUSAGE with a text that names option, value and remedy. where: "--max-rules" or
 * "tickcast.conf:12: max_rules". */
int settings_set(struct settings *s, const char *name, const char *value, const char *where, struct fault *f);
/* True if name takes no value. */
bool settings_is_flag(const char *name);
/* Reads `key = value` lines (# starts a comment; keys with _ for -; the options of the table). */
int settings_load(struct settings *s, const char *path, struct fault *f);
/* What depends on more than one setting (power of two, listener forms ...), and fills what is 0 = worked out.
 */
int settings_check(struct settings *s, struct fault *f);
/* One line per setting: option, value, default, what. */
void settings_help(FILE *out);
void settings_free(struct settings *s);

#endif
