/* cmd/scan.h -- reads the server's JSON messages fast: only the fields a load generator checks. Pure, no
 * allocation; every text points into the message. Fields may stand in any order; the order the server writes
 * is the fast one. A message is read in three steps: scan_message, then scan_tick_next until it returns 0,
 * then scan_message_end. */
#ifndef TC_CMD_SCAN_H
#define TC_CMD_SCAN_H

#include "base/bytes.h"

enum scan_type {
    SCAN_OTHER,
    SCAN_HELLO,
    SCAN_SUBSCRIBED,
    SCAN_UNSUBSCRIBED,
    SCAN_SNAPSHOT,
    SCAN_TICKS,
    SCAN_COVERED,
    SCAN_GAP,
    SCAN_LAG,
    SCAN_HEARTBEAT,
    SCAN_PONG,
    SCAN_ERROR,
    SCAN_DRAIN,
    SCAN_TRADE,
    SCAN_QUOTE,
    SCAN_BAR,
    SCAN_BOOK,
    SCAN_STATUS,
    SCAN_FEED, /* tick objects from here on */
    SCAN_TYPES
};

struct scan_message {
    enum scan_type type;
    uint64_t seq, from, to, conflated, since, behind, ts, reconnect_after_ms;
    bool has_seq, has_from, has_to, has_since, has_ts, more, stalled;
    struct text epoch, reason, code, message, symbol; /* strings as in the JSON, escapes kept */
    struct text rest;                                 /* from behind "ticks":[ on; size 0: no ticks */
    bool in_ticks;
};

/* A tick object. */
struct scan_tick {
    enum scan_type type;
    uint64_t seq;
    struct text json; /* the whole object */
    struct text ts;   /* its digits; size 0: none */
};

/* Fields that make a tick's key, for what needs them (slower). */
struct scan_key {
    struct text symbol, side, price, interval; /* strings without quotes, escapes kept */
    bool final;
};

/* 0, or -1: not a JSON object. Without a type, or of one not known here: SCAN_OTHER. Stops at "ticks". For a
 * tick object by itself seq and ts are filled. */
int scan_message(struct text json, struct scan_message *out);
/* 1: a tick; 0: no more; -1: malformed. */
int scan_tick_next(struct scan_message *m, struct scan_tick *out);
/* The fields behind the ticks. 0 or -1. */
int scan_message_end(struct scan_message *m);

/* One tick object that is all of json. 0 or -1. */
int scan_tick(struct text json, struct scan_tick *out);
/* The same, only where the fields stand as the server writes them; false: use scan_message and scan_tick. */
bool scan_tick_usual(struct text json, struct scan_tick *out);
int scan_tick_key(struct text json, struct scan_key *out);
/* Digits as a number; -1 if there are none, others, or too many. */
int scan_u64(struct text digits, uint64_t *out);

/* State (may be conflated) or event, as in tick/tick.h. */
static inline bool scan_is_state(enum scan_type type, bool bar_final)
{
    return type == SCAN_QUOTE || type == SCAN_BOOK || (type == SCAN_BAR && !bar_final);
}
static inline bool scan_is_tick(enum scan_type type)
{
    return type >= SCAN_TRADE;
}

#endif
