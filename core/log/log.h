/* log/log.h -- the tick log: the only queue. One thread appends, any number read.
 *
 * A reader is a cursor: the seq of the last tick it has. Nobody waits for it; more than `capacity` behind it
 * is lapped. Ranges are (from, to]: from exclusive, to inclusive, as on the wire. seq counts from 1 within an
 * epoch (a random id of this log's life); head is the seq of the newest complete tick, 0 while there is none.
 */
#ifndef TC_LOG_LOG_H
#define TC_LOG_LOG_H

#include "base/age.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "base/sleeper.h"
#include "tick/last_value.h"
#include "tick/symbol_table.h"
#include "tick/tick.h"
#include "tick/tick_json.h"

struct log;

#define LOG_BATCH_MAX   256u /* ticks in one log_append */
#define LOG_READERS_MAX 64u

struct log_options {
    uint32_t capacity; /* ticks; a power of two, at least 1024 */
    uint32_t symbols_max;
    uint32_t bars_max;
    uint64_t epoch;   /* 0: draw one */
    bool small_pages; /* do not ask for huge ones */
    /* CLOCK_REALTIME ns, for log_ages; read in log_append once for each AGE_SAMPLE ticks. NULL: no ages. */
    uint64_t (*stamp_ns)(void);
};

struct log *log_create(const struct log_options *options, struct fault *fault);
void log_destroy(struct log *l);

uint64_t log_epoch(const struct log *l);
uint32_t log_capacity(const struct log *l);
size_t log_bytes(const struct log *l);           /* reserved, for the start-up line */
const char *log_huge_pages(const struct log *l); /* the same: "off" (not asked for), "granted" or "refused" */
const struct symbol_table *log_symbols(const struct log *l);
const struct last_value *log_last_value(const struct log *l);

/* Ages of timed ticks (one in AGE_SAMPLE) at the moment before they are published. Thread: any. */
const struct ages *log_ages(const struct log *l);

/* ---- The writer's side. Thread: the feed thread alone. ---- */

/* Stamps seq (and nothing else) into ticks, encodes their JSON, folds them into the writer's last values and
 * publishes them all at once; then wakes sleeping readers. 1 <= count <= LOG_BATCH_MAX. Never blocks. Asserts
 * tick_check. Returns the new head. */
uint64_t log_append(struct log *l, struct tick *ticks, uint32_t count);

/* The id of a name; where it is new, its symbol tick is appended first (event_ns, ingest_ns = now_ns).
 * TC_EINPUT: not a legal name; TC_ELIMIT: table full. */
int64_t log_symbol(struct log *l, struct text name, int64_t now_ns);

/* The writer's table, for feeds that were reset. */
void log_forget(struct log *l, uint32_t symbol);

/* Tells readers the time (CLOCK_REALTIME ns) at which every feed was found drained (decision 13). */
void log_set_drained(struct log *l, uint64_t real_ns);

/* ---- The readers' side. Thread: any; a reader owns its cursor. None of these blocks. ---- */

uint64_t log_head(const struct log *l);    /* acquire: ticks up to it can be read */
uint64_t log_drained(const struct log *l); /* never newer than the head loaded after it */

/* The first `from` that is safe to read on from after a lap: head - capacity / 2 (decision 15). */
uint64_t log_after_lap(const struct log *l);
/* True while (from, ...] is wholly in the log. */
bool log_holds(const struct log *l, uint64_t from);

/* Copies ticks from + 1, from + 2, ... into out. Returns how many (0: nothing new) or TC_LAPPED. */
int log_read(const struct log *l, uint64_t from, struct tick *out, uint32_t count_max);

/* The key of a tick: symbol id, kind, and whether it is state; 4 bytes each, so that scans stay off the
 * ticks. */
static inline uint32_t log_key(uint32_t symbol, uint8_t kind, bool state)
{
    return symbol | (uint32_t)kind << 16 | (uint32_t)state << 20;
}
static inline uint32_t log_key_symbol(uint32_t key)
{
    return key & 0xffff;
}
static inline uint8_t log_key_kind(uint32_t key)
{
    return (uint8_t)((key >> 16) & 15);
}
static inline bool log_key_state(uint32_t key)
{
    return (key >> 20) & 1;
}
TC_STATIC_ASSERT(SYMBOLS_MAX <= 65536, "a symbol id fits a key");

/* As log_read, for keys. */
int log_read_keys(const struct log *l, uint64_t from, uint32_t *out, uint32_t count_max);
/* One key, seq <= head: it may be of a newer lap, and counts only if log_holds(l, from) with from < seq
 * says so afterwards. */
uint32_t log_key_at(const struct log *l, uint64_t seq);

/* Copies the JSON object of tick seq into out (at least TICK_JSON_MAX bytes). Returns its size (0 for a kind
 * without JSON) or TC_LAPPED. */
int log_read_json(const struct log *l, uint64_t seq, char *out);

/* Packs tick seq into out as tick_bin does (TICK_BIN_MAX bytes; those past the record's end may be
 * overwritten), word by word out of the log. Returns its bytes (0 for a hole) or TC_LAPPED. */
int log_read_bin(const struct log *l, uint64_t seq, uint16_t back, uint8_t *out);

/* The size alone: 8 bytes are read. */
int log_json_size(const struct log *l, uint64_t seq);

/* ---- Who reads, for pace (decision 17) and for waking. ---- */

/* One per worker, written by that worker alone (seq_cst: the feed thread may be about to sleep on them), read
 * by the feed thread. Written in this order: members and taking, owed, read, handed; a feed thread that reads
 * the later ones first never takes an old `owed` for one that speaks of a newer `read`. */
struct log_reader {
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t handed; /* every member that takes was handed all up to here */
    _Atomic uint64_t read; /* ticks up to here were read: `owed` speaks of them; 0 until log_paced is seen */
    _Atomic uint64_t
        owed; /* oldest matching tick owed to a complete or conflate subscriber; UINT64_MAX: none */
    _Atomic uint32_t members; /* subscribed connections */
    _Atomic uint32_t taking;  /* of them those whose sockets take bytes: in step, or behind and not full */
    struct sleeper sleeper;   /* woken by log_append */
};

/* Some feed waits for its readers: from now on they publish `read`, `owed` and `handed`, which costs them a
 * look at every group and at everyone behind in each turn. Thread: main or the feed thread, before that
 * feed's first tick. Wakes them. Never undone. */
void log_set_paced(struct log *l);
bool log_paced(const struct log *l);

/* Thread: main, before the threads start. NULL: LOG_READERS_MAX are in use. The reader's sleeper is opened.
 */
struct log_reader *log_reader_add(struct log *l);
uint32_t log_reader_count(const struct log *l);
struct log_reader *log_reader_at(struct log *l, uint32_t index);
/* Thread: a reader. It made progress: wakes the feed thread if it sleeps, waiting for that (pace). */
void log_reader_progress(struct log *l);
/* What the feed thread sleeps on. */
struct sleeper *log_writer_sleeper(struct log *l);

#endif
