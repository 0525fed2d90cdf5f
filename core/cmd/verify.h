/* cmd/verify.h -- the lie detector of `tickcast bench --verify`. One reference connection (policy complete,
 * all symbols) records for each seq what the tick was; each other connection's frames are held against that
 * record: every tick delivered is the very same object; every matching seq was delivered, or counted as
 * conflated (state only, and something newer of its key came in the same frame), or told in a gap.
 *
 * A frame may arrive before the reference has that stretch: it waits as a record in the connection's own
 * queue. Thread: verify_reference_* one writer; verify_conn_* the connection's own; the ring between is
 * lock-free. */
#ifndef TC_CMD_VERIFY_H
#define TC_CMD_VERIFY_H

#include "cmd/scan.h"

#include <stdatomic.h>
#include <stdbool.h>

#define VERIFY_QUEUE_WORDS 16384u /* beyond it the connection is not read until the reference has come up */

struct verify_entry {
    _Atomic uint64_t seq, hash, key; /* key: its low bits are flags */
    _Atomic uint32_t symbol;         /* its row in verify.rows */
};

#define VERIFY_SYMBOLS_MAX 65536u /* as many as a log has */
#define VERIFY_NAMES       (2 * VERIFY_SYMBOLS_MAX)

struct verify {
    struct verify_entry *ring; /* owned */
    uint64_t mask;
    uint64_t last;             /* writer: entries are filled up to here */
    _Atomic uint64_t first;    /* entries exist from here on; 0: the reference has not begun */
    _Atomic uint64_t position; /* entries are right up to here; pairs with verify_conn_check */
    const char *const *lists;  /* symbols of the checked connections, comma-separated; borrowed */
    uint32_t list_count;
    const char *kinds; /* of all of them; NULL: all kinds */
    /* Which lists have which symbol: a row of bits per symbol, filled by the writer when the symbol first
     * comes, before `position` is moved past it. */
    uint64_t *rows; /* owned */
    uint32_t row_words, symbol_count;
    struct verify_name {
        uint64_t hash;
        uint32_t symbol;
    } * names; /* owned: VERIFY_NAMES, open addressing; the writer's alone */
};

/* capacity: a power of two. A list is "*", or names and prefixes with commas between; a checked connection
 * says which is its own. False: no memory. */
bool verify_open(struct verify *v, uint64_t capacity, const char *const *lists, uint32_t list_count,
                 const char *kinds);
void verify_close(struct verify *v);

/* ---- The reference's side. ---- */
void verify_reference_start(struct verify *v, uint64_t seq);
void verify_reference_tick(struct verify *v, const struct scan_tick *tick);
/* Complete up to seq (a frame's end, a heartbeat). */
void verify_reference_reach(struct verify *v, uint64_t seq);
/* The reference itself lost (v->last, to]: nothing can be said about that stretch. */
void verify_reference_gap(struct verify *v, uint64_t to);

/* ---- A checked connection's side. ---- */
struct verify_counts {
    uint64_t frames, ticks, snapshot_ticks, conflated; /* held against the reference and found right */
    uint64_t unverified; /* frames that the reference no longer or not yet had */
    uint64_t lies;
};

struct verify_conn {
    uint64_t *words; /* owned; records, see verify_conn.c */
    uint32_t begin, end, room;
    uint32_t open_at;           /* of the record that ticks are added to; UINT32_MAX: none */
    uint32_t list;              /* index in verify.lists */
    uint64_t held_seq, held_to; /* a state tick whose newer one is still looked for; looked up to here */
    const char *lie;            /* the first one */
    uint64_t lie_seq;
};

/* A message's ticks, then what they were. False: no memory. */
bool verify_conn_tick(struct verify_conn *c, const struct scan_tick *tick);
/* The ticks since the last end were the frame (from, to] with K conflated. */
bool verify_conn_frame(struct verify_conn *c, uint64_t from, uint64_t to, uint64_t conflated);
/* The same of a run of single ticks. A run may be cut (its reader was full) and what comes next told first:
 * what a state tick gave way to may then come after `to`. */
bool verify_conn_covered(struct verify_conn *c, uint64_t from, uint64_t to, uint64_t conflated);
bool verify_conn_snapshot(struct verify_conn *c, uint64_t seq);
/* The connection broke: ticks not yet in a frame will come again after a resume, or never. */
void verify_conn_forget(struct verify_conn *c);
/* Checks what the reference has reached. True if nothing waits any more but a run of single ticks. */
bool verify_conn_check(struct verify_conn *c, struct verify *v, struct verify_counts *counts);
/* The end: what still waits is counted as unverified, but for a state tick that nothing newer ever followed.
 */
void verify_conn_give_up(struct verify_conn *c, struct verify_counts *counts);
static inline uint32_t verify_conn_waiting(const struct verify_conn *c)
{
    return c->end - c->begin;
}
void verify_conn_free(struct verify_conn *c);

/* Of a tick's bytes. */
uint64_t verify_hash(struct text bytes);

#endif
