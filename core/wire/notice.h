/* wire/notice.h -- the server's own messages, without ticks: as JSON (docs/protocol.md) and, by the table of
 * the same functions at the end, in binary (docs/protocol-binary.md). Pure: values in, bytes out. Each
 * returns the bytes written to out, which must have NOTICE_MAX bytes (subscribed: see there). */
#ifndef TC_WIRE_NOTICE_H
#define TC_WIRE_NOTICE_H

#include "base/bytes.h"
#include "config/subscription.h"
#include "wire/ws.h"

#define NOTICE_MAX 1024u

struct notice_rule {
    struct text pattern;
    uint32_t kinds;
};

uint32_t notice_hello(char *out, const char *version, uint64_t epoch, uint64_t seq);
uint32_t notice_heartbeat(char *out, uint64_t seq, uint64_t ts_ns, bool stalled);
uint32_t notice_pong(char *out, struct text id, uint64_t ts_ns);
uint32_t notice_error(char *out, struct text id, const char *code, const char *message);
/* epoch_old: 0, or the foreign epoch of a resume, with its seq (decision 12). */
uint32_t notice_gap(char *out, uint64_t from, uint64_t to, const char *reason, uint64_t epoch_old,
                    uint64_t seq_old);
uint32_t notice_lag(char *out, uint64_t behind, uint64_t ms, enum policy policy);
uint32_t notice_covered(char *out, uint64_t from, uint64_t to, uint64_t conflated);
uint32_t notice_drain(char *out, uint64_t reconnect_after_ms);

/* subscribed / unsubscribed: the whole set in force. kinds of the message: the union. rate_interval_ns: 0 =
 * none. "symbols" lists each pattern once; "rules" groups patterns with the same kinds. out must have
 * notice_set_bytes(). */
struct notice_set {
    bool unsubscribed;
    struct text id;
    const struct notice_rule *rules; /* sorted by kinds, then pattern */
    uint32_t rule_count;
    enum policy policy;
    enum framing frame;
    uint64_t rate_interval_ns, seq;
};
size_t notice_set_bytes(const struct notice_set *s);
uint32_t notice_set(char *out, const struct notice_set *s);

/* The messages in one encoding; the functions as above. */
struct notices {
    enum ws_opcode opcode; /* of the WebSocket messages that carry them */
    uint32_t (*hello)(char *out, const char *version, uint64_t epoch, uint64_t seq);
    uint32_t (*heartbeat)(char *out, uint64_t seq, uint64_t ts_ns, bool stalled);
    uint32_t (*pong)(char *out, struct text id, uint64_t ts_ns);
    uint32_t (*error)(char *out, struct text id, const char *code, const char *message);
    uint32_t (*gap)(char *out, uint64_t from, uint64_t to, const char *reason, uint64_t epoch_old,
                    uint64_t seq_old);
    uint32_t (*lag)(char *out, uint64_t behind, uint64_t ms, enum policy policy);
    uint32_t (*drain)(char *out, uint64_t reconnect_after_ms);
    uint32_t (*set)(char *out, const struct notice_set *s);
};
extern const struct notices notices_json, notices_bin;

/* Appends s as a JSON string's inside, escaped. Returns bytes (at most 6 per byte of s). */
uint32_t json_escape(char *out, struct text s);

#endif
