/* wire/command.h -- what a client asks: a JSON command or a URL's query, as one plain value. No I/O; JSON by
 * jansson, whose memory comes from a bounded arena of the calling thread (command_thread_init), never from
 * malloc. */
#ifndef TC_WIRE_COMMAND_H
#define TC_WIRE_COMMAND_H

#include "base/bytes.h"
#include "config/limits.h"
#include "config/subscription.h"

enum command_op { COMMAND_SUBSCRIBE, COMMAND_UNSUBSCRIBE, COMMAND_RESUME, COMMAND_PING };

struct command {
    enum command_op op;
    char id[COMMAND_ID_MAX]; /* JSON text of a number or string, to be echoed as it stands */
    uint8_t id_size;         /* 0: none */
    bool has_symbols, has_kinds, has_snapshot, snapshot, has_policy, has_rate, has_frame, has_since,
        has_heartbeat, has_resume;
    enum policy policy;
    enum framing frame;
    enum since since;
    uint32_t kinds; /* KIND_BIT set of tick/tick.h's client kinds; all of them where not given */
    uint32_t symbol_count;
    /* Patterns, checked (decision 22); valid until the next call in this thread. */
    const struct text *symbols;
    uint64_t rate_interval_ns; /* 1 / rate; 0: no limit */
    uint64_t since_value;      /* ticks or ns */
    uint64_t heartbeat_ns;
    uint64_t epoch, seq; /* resume */
};

struct command_error {
    /* bad_json, bad_op, bad_id, bad_symbols, bad_pattern, bad_kinds, bad_snapshot, bad_policy, bad_rate,
     * bad_frame, bad_since, bad_heartbeat, bad_resume, bad_query, too_many, too_big. */
    const char *code;
    char message[160];
    char id[COMMAND_ID_MAX]; /* of the command, where it could be read */
    uint8_t id_size;
};

/* Thread: once in each thread that parses, before its first parse. Owner: the caller keeps the arena, 16-byte
 * aligned; bytes: its size (1 MiB is plenty for the subscriptions that 64 KiB messages can hold). */
void command_thread_init(void *arena, size_t bytes);

/* 0 or TC_EINPUT with err filled. Unknown members are ignored; depth and size are bounded by the arena. */
int command_parse(const char *bytes, size_t size, struct command *out, struct command_error *err);
/* The query of ws, stream and poll (lists split at ',' first, percent-decoded after). op is COMMAND_RESUME if
 * resume= is there, else COMMAND_SUBSCRIBE; has_symbols tells whether anything is asked at all. */
int command_parse_query(struct text query, struct command *out, struct command_error *err);

/* A pattern: 1 to 32 characters 0x20-0x7E, no space at either end (no name has one); a final '*' means
 * "begins with", "*" alone everything. */
bool pattern_ok(struct text pattern);

/* 16 hex digits <-> epoch. */
void epoch_print(char out[16], uint64_t epoch);
bool epoch_parse(struct text text, uint64_t *epoch);

#endif
