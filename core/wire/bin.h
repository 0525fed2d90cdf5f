/* wire/bin.h -- the messages of the binary subprotocol, as they stand on the wire (docs/protocol-binary.md).
 * Little-endian, every field at its natural alignment; what is marked as a tail follows the fixed part byte
 * by byte. Bytes named zero are 0 when written and ignored when read. A message is one WebSocket message; a
 * reader ignores types and flags that it does not know, and bytes behind what it knows. */
#ifndef TC_WIRE_BIN_H
#define TC_WIRE_BIN_H

#include <stddef.h>
#include <stdint.h>

enum bin_type {
    BIN_HELLO = 1,
    BIN_SUBSCRIBED = 2,
    BIN_UNSUBSCRIBED = 3,
    BIN_SYMBOLS = 4,
    BIN_SNAPSHOT = 5,
    BIN_TICKS = 6,
    BIN_TICK = 7,
    BIN_COVERED = 8,
    BIN_GAP = 9,
    BIN_LAG = 10,
    BIN_HEARTBEAT = 11,
    BIN_PONG = 12,
    BIN_ERROR = 13,
    BIN_DRAIN = 14,
    BIN_TYPES
};

enum {                  /* flags by type */
       BIN_MORE = 1,    /* symbols, snapshot: another piece follows */
       BIN_SINCE = 2,   /* snapshot: `since` is told */
       BIN_FOREIGN = 1, /* gap: epoch and seq are told */
       BIN_STALLED = 1, /* heartbeat */
};

enum bin_reason { BIN_OVERRUN = 1, BIN_POLICY = 2, BIN_RESUME = 3, BIN_REASONS };
static const char *const bin_reason_names[BIN_REASONS] = {"", "overrun", "policy", "resume"};

struct bin_head {
    uint8_t type, flags;
    uint16_t count; /* records that follow the fixed part; 0 where none can */
};
struct bin_hello {
    struct bin_head head;
    uint16_t version, server_bytes;
    uint64_t epoch, seq;
    /* tail: server */
};
struct bin_set { /* subscribed, unsubscribed; policy and frame: enums of config/subscription.h */
    uint8_t type, flags, policy, frame;
    uint32_t rule_count;
    uint64_t seq, rate_ns; /* rate_ns: least time between two frames; 0: no limit */
    uint8_t id_bytes;
    /* tail: id; then rule_count times: kinds (one byte, bit (1 << kind)), pattern's size (one byte), pattern
     */
};
#define BIN_SET_BYTES 25u /* before the tail: sizeof counts padding */
struct bin_symbols {
    struct bin_head head;
    uint32_t zero;
    /* tail: records of kind symbol */
};
struct bin_snapshot {
    struct bin_head head;
    uint32_t zero;
    uint64_t seq, since;
    /* tail: count times: seq (8 bytes), record */
};
struct bin_ticks {
    struct bin_head head;
    uint32_t conflated;
    uint64_t from, to;
    /* tail: records; the seq of each is `to` - its `back` */
};
struct bin_tick {
    struct bin_head head;
    uint32_t zero;
    uint64_t seq;
    /* tail: one record */
};
struct bin_covered {
    struct bin_head head;
    uint32_t conflated;
    uint64_t from, to;
};
struct bin_gap {
    uint8_t type, flags, reason, zero;
    uint32_t zero4;
    uint64_t from, to, epoch, seq;
};
struct bin_lag {
    uint8_t type, flags, policy, zero;
    uint32_t zero4;
    uint64_t behind, ms;
};
struct bin_heartbeat {
    struct bin_head head;
    uint32_t zero;
    uint64_t seq, ts;
};
struct bin_pong {
    uint8_t type, flags, id_bytes, zero;
    uint32_t zero4;
    uint64_t ts;
    /* tail: id */
};
struct bin_error {
    uint8_t type, flags, id_bytes, code_bytes;
    uint16_t message_bytes, zero;
    /* tail: id, code, message */
};
struct bin_drain {
    struct bin_head head;
    uint32_t zero;
    uint64_t reconnect_after_ms;
};

#ifndef __cplusplus
#define BIN_AT(type, field, offset)                                                                          \
    _Static_assert(offsetof(struct type, field) == (offset), "layout: docs/protocol-binary.md")
BIN_AT(bin_head, type, 0);
BIN_AT(bin_head, flags, 1);
BIN_AT(bin_head, count, 2);
BIN_AT(bin_hello, version, 4);
BIN_AT(bin_hello, server_bytes, 6);
BIN_AT(bin_hello, epoch, 8);
BIN_AT(bin_hello, seq, 16);
BIN_AT(bin_set, policy, 2);
BIN_AT(bin_set, frame, 3);
BIN_AT(bin_set, rule_count, 4);
BIN_AT(bin_set, seq, 8);
BIN_AT(bin_set, rate_ns, 16);
BIN_AT(bin_set, id_bytes, 24);
BIN_AT(bin_snapshot, seq, 8);
BIN_AT(bin_snapshot, since, 16);
BIN_AT(bin_ticks, conflated, 4);
BIN_AT(bin_ticks, from, 8);
BIN_AT(bin_ticks, to, 16);
BIN_AT(bin_tick, seq, 8);
BIN_AT(bin_covered, conflated, 4);
BIN_AT(bin_covered, from, 8);
BIN_AT(bin_covered, to, 16);
BIN_AT(bin_gap, reason, 2);
BIN_AT(bin_gap, from, 8);
BIN_AT(bin_gap, to, 16);
BIN_AT(bin_gap, epoch, 24);
BIN_AT(bin_gap, seq, 32);
BIN_AT(bin_lag, policy, 2);
BIN_AT(bin_lag, behind, 8);
BIN_AT(bin_lag, ms, 16);
BIN_AT(bin_heartbeat, seq, 8);
BIN_AT(bin_heartbeat, ts, 16);
BIN_AT(bin_pong, id_bytes, 2);
BIN_AT(bin_pong, ts, 8);
BIN_AT(bin_error, id_bytes, 2);
BIN_AT(bin_error, code_bytes, 3);
BIN_AT(bin_error, message_bytes, 4);
BIN_AT(bin_drain, reconnect_after_ms, 8);
_Static_assert(sizeof(struct bin_hello) == 24, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_symbols) == 8, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_snapshot) == 24, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_ticks) == 24, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_tick) == 16, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_covered) == 24, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_gap) == 40, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_lag) == 24, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_heartbeat) == 24, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_pong) == 16, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_error) == 8, "layout: docs/protocol-binary.md");
_Static_assert(sizeof(struct bin_drain) == 16, "layout: docs/protocol-binary.md");
#endif
#endif
