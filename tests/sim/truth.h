/* tests/sim/truth.h -- what really happened: every tick that was appended, by seq. The reference that every
 * simulated subscriber holds what it is told against. Written the obvious way, and none of the server's own
 * filters, tables or renderers stands behind it. */
#ifndef TC_TESTS_SIM_TRUTH_H
#define TC_TESTS_SIM_TRUTH_H

#include "base/bytes.h"
#include "base/random.h"
#include "log/log.h"
#include "tick/tick.h"

#define TRUTH_TICKS     60000u
#define TRUTH_SYMBOLS   64u                    /* a set of them fits 64 bits */
#define TRUTH_INTERVALS 4u                     /* as many bars a symbol as tables have room for */
#define TRUTH_KEYS      (3u + TRUTH_INTERVALS) /* what a snapshot holds of a symbol, in its order */
#define TRUTH_RESETS    4096u

struct truth {
    struct log *log;
    struct tick ticks[TRUTH_TICKS]; /* by seq */
    uint64_t previous[TRUTH_TICKS]; /* the seq before it of the same symbol and key; 0: none */
    uint64_t newest[TRUTH_SYMBOLS][TRUTH_KEYS];
    struct {
        uint64_t seq, symbols;
    } resets[TRUTH_RESETS]; /* from seq on, nothing is known of these symbols */
    uint32_t reset_count;
    uint32_t symbol_count;      /* names that ticks are drawn for; each enters the log with its first tick */
    int64_t ids[TRUTH_SYMBOLS]; /* by number of the name; -1: not in the log yet */
    uint32_t numbers[TRUTH_SYMBOLS]; /* by id: number of the name */
    uint64_t head, drained_ns;       /* drained_ns: the time the feeds told last */
    uint64_t lost, reset;            /* ticks of kind feed that say so */
};

void truth_init(struct truth *t, struct log *log, uint32_t symbol_count);
/* Appends count ticks of every kind, drawn from random, some of them to symbols that are new. Stops before
 * the truth is full. */
void truth_append(struct truth *t, struct random *random, uint32_t count, uint64_t real_ns);
bool truth_is_full(const struct truth *t, uint32_t count);

/* "A0", "B0", ... "A1": number -> name; a letter names a group of symbols. */
void truth_name(uint32_t number, char out[4]);
bool truth_is_state(const struct truth *t, uint64_t seq);
/* Both are state of the same key: a newer one may stand for an older one. */
bool truth_same_state(const struct truth *t, uint64_t a, uint64_t b);
/* The last value of a symbol (by id) and key as of seq; 0: none. */
uint64_t truth_as_of(const struct truth *t, uint32_t id, uint32_t key, uint64_t seq);
enum tick_kind truth_key_kind(uint32_t key);
/* The JSON object of a tick into out[TICK_JSON_MAX]; its size. */
uint32_t truth_json(const struct truth *t, uint64_t seq, char *out);

#endif
