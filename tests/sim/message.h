/* tests/sim/message.h -- what one message of the server says, whatever bytes it came in. One decoder per
 * encoding (message_json.c); the model (model.c) sees only this. A decoder judges the bytes of each tick: it
 * must be exactly the tick that has this seq. */
#ifndef TC_TESTS_SIM_MESSAGE_H
#define TC_TESTS_SIM_MESSAGE_H

#include "config/subscription.h"
#include "tests/sim/truth.h"

/* The patterns that subscribers use here: "*", "A*" to "D*", each name, and one that nothing matches. */
#define PATTERN_NAMES 5u
#define PATTERNS      (PATTERN_NAMES + TRUTH_SYMBOLS + 1)
#define MESSAGE_TICKS 2048u

enum message_type {
    MESSAGE_HELLO,
    MESSAGE_SET, /* subscribed, unsubscribed */
    MESSAGE_SNAPSHOT,
    MESSAGE_TICKS_BATCH,
    MESSAGE_TICK, /* one tick by itself: ticks[0] */
    MESSAGE_COVERED,
    MESSAGE_GAP,
    MESSAGE_LAG,
    MESSAGE_HEARTBEAT,
    MESSAGE_PONG,
    MESSAGE_ERROR,
    MESSAGE_DRAIN,
};

struct told {
    uint64_t seq;
    bool exact; /* the bytes say what was appended with this seq, digit for digit */
};

struct message {
    enum message_type type;
    uint64_t seq, from, to, conflated, since, ts, behind, ms, version, epoch, rate, id, reconnect_ms;
    bool has_id, has_since, has_epoch, more, unsubscribed, stalled;
    char word[32];            /* reason of a gap, code of an error */
    uint32_t policy, framing; /* POLICIES, FRAMINGS: not told */
    uint8_t rules[PATTERNS];  /* kinds by pattern */
    uint32_t kinds;           /* the union, as told */
    uint32_t tick_count;
    struct told ticks[MESSAGE_TICKS];
};

void pattern_text(uint32_t pattern, char out[8]);
/* True if the pattern matches the name of that number. */
bool pattern_matches(uint32_t pattern, uint32_t number);

/* False: not a message of the protocol. Unknown members are ignored, as a client does. */
bool message_json(const struct truth *truth, const char *text, size_t size, struct message *out);

#endif
