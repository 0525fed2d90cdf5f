/* cmd/verify_conn.c -- one connection's frames against the reference.
 * A record in the queue: RECORD words (kind, from, to, conflated, count), then count pairs (seq, hash). */
#include "cmd/verify_internal.h"

#include <stdlib.h>

#define RECORD    5u
#define KEY_SLOTS 8192u /* more keys than fit in one frame; a run of single ticks ends at 1000 */
#define KEYS_MOST (KEY_SLOTS / 2)
#define NO_RECORD UINT32_MAX

enum record_kind { RECORD_OPEN, RECORD_FRAME, RECORD_COVERED, RECORD_SNAPSHOT };
enum known { KNOWN, UNKNOWN, GONE };

struct entry {
    uint64_t hash, key;
    uint32_t symbol;
};

static const char not_followed[] = "a state tick was left out with nothing newer of its key in the frame";

/* Keys of the ticks met so far on the way from a frame's end to its beginning. */
struct keys {
    uint64_t at[KEY_SLOTS];
    uint32_t count, slots; /* slots: a power of two, as many as this frame can need */
};

static bool room_for(struct verify_conn *c, uint32_t words);
static bool open_record(struct verify_conn *c);
static bool close_record(struct verify_conn *c, enum record_kind kind, uint64_t from, uint64_t to,
                         uint64_t k);
static bool check_frame(struct verify_conn *c, const struct verify *v, const uint64_t *record,
                        uint64_t position, struct verify_counts *counts);
static bool comes_later(struct verify_conn *c, const struct verify *v, uint64_t seq, uint64_t key,
                        uint64_t to, uint64_t position);
static void check_snapshot(struct verify_conn *c, const struct verify *v, const uint64_t *record,
                           struct verify_counts *counts);
static enum known entry_read(const struct verify *v, uint64_t seq, struct entry *out);
static void keys_open(struct keys *keys, uint64_t ticks);
static bool matches(const struct verify *v, const struct entry *e, uint32_t list);
static const char *check_tick(const struct entry *e, bool matching, bool delivered, uint64_t hash,
                              struct keys *keys, uint64_t *left);
static void keys_add(struct keys *keys, uint64_t key);
static bool keys_have(const struct keys *keys, uint64_t key);
static void lie(struct verify_conn *c, struct verify_counts *counts, const char *what, uint64_t seq);

bool verify_conn_tick(struct verify_conn *c, const struct scan_tick *tick)
{
    if (!open_record(c) || !room_for(c, 2)) return false;
    c->words[c->end++] = tick->seq;
    c->words[c->end++] = verify_hash(tick->json);
    c->words[c->open_at + 4]++;
    return true;
}

bool verify_conn_frame(struct verify_conn *c, uint64_t from, uint64_t to, uint64_t conflated)
{
    return close_record(c, RECORD_FRAME, from, to, conflated);
}

bool verify_conn_covered(struct verify_conn *c, uint64_t from, uint64_t to, uint64_t conflated)
{
    return close_record(c, RECORD_COVERED, from, to, conflated);
}

bool verify_conn_snapshot(struct verify_conn *c, uint64_t seq)
{
    return close_record(c, RECORD_SNAPSHOT, 0, seq, 0);
}

static bool close_record(struct verify_conn *c, enum record_kind kind, uint64_t from, uint64_t to, uint64_t k)
{
    if (!open_record(c)) return false;
    uint64_t *record = &c->words[c->open_at];
    record[0] = kind;
    record[1] = from;
    record[2] = to;
    record[3] = k;
    c->open_at = NO_RECORD;
    return true;
}

static bool open_record(struct verify_conn *c)
{
    if (c->words && c->open_at != NO_RECORD) return true;
    if (!room_for(c, RECORD)) return false;
    c->open_at = c->end;
    memset(&c->words[c->end], 0, RECORD * sizeof c->words[0]);
    c->end += RECORD;
    return true;
}

static bool room_for(struct verify_conn *c, uint32_t words)
{
    if (!c->words) c->open_at = NO_RECORD;
    if (c->end + words <= c->room) return true;
    if (c->begin > 0) { /* move what waits to the front first */
        memmove(c->words, c->words + c->begin, (c->end - c->begin) * sizeof c->words[0]);
        if (c->open_at != NO_RECORD) c->open_at -= c->begin;
        c->end -= c->begin;
        c->begin = 0;
        if (c->end + words <= c->room / 2) return true;
    }
    uint32_t room = c->room ? c->room * 2 : 256;
    uint64_t *grown = realloc(c->words, room * sizeof c->words[0]);
    if (!grown) return false;
    c->words = grown;
    c->room = room;
    return true;
}

bool verify_conn_check(struct verify_conn *c, struct verify *v, struct verify_counts *counts)
{
    uint64_t position = atomic_load_explicit(&v->position, memory_order_acquire);
    while (c->begin < c->end && c->begin != c->open_at) {
        const uint64_t *record = &c->words[c->begin];
        if (record[2] > position) return false;
        if (record[0] == RECORD_SNAPSHOT)
            check_snapshot(c, v, record, counts);
        else if (!check_frame(c, v, record, position, counts))
            return false;
        c->held_seq = 0;
        c->begin += RECORD + 2 * (uint32_t)record[4];
    }
    if (c->begin == c->end) c->begin = c->end = 0;
    return c->begin == c->end || c->begin == c->open_at;
}

void verify_conn_give_up(struct verify_conn *c, struct verify_counts *counts)
{
    if (c->held_seq) lie(c, counts, not_followed, c->held_seq);
    if (c->held_seq) c->begin += RECORD + 2 * (uint32_t)c->words[c->begin + 4];
    c->held_seq = 0;
    while (c->begin < c->end && c->begin != c->open_at) {
        counts->unverified++;
        c->begin += RECORD + 2 * (uint32_t)c->words[c->begin + 4];
    }
}

void verify_conn_forget(struct verify_conn *c)
{
    if (!c->words || c->open_at == NO_RECORD) return;
    c->end = c->open_at;
    c->open_at = NO_RECORD;
}

void verify_conn_free(struct verify_conn *c)
{
    free(c->words);
    *c = (struct verify_conn){.open_at = NO_RECORD, .list = c->list};
}

/* False: to be held. Backwards, so that a state tick left out meets the newer one of its key first. */
static bool check_frame(struct verify_conn *c, const struct verify *v, const uint64_t *record,
                        uint64_t position, struct verify_counts *counts)
{
    struct keys keys;
    keys_open(&keys, record[4]);
    uint64_t from = record[1], left_out = 0, pair = record[4];
    const uint64_t *pairs = record + RECORD;
    for (uint64_t seq = record[2]; seq > from; seq--) {
        struct entry e;
        enum known known = entry_read(v, seq, &e);
        bool delivered = pair > 0 && pairs[2 * (pair - 1)] == seq;
        if (delivered) pair--;
        if (known != KNOWN) {
            counts->unverified++;
            return true;
        }
        const char *what = check_tick(&e, matches(v, &e, c->list), delivered,
                                      delivered ? pairs[2 * pair + 1] : 0, &keys, &left_out);
        if (what == not_followed && record[0] == RECORD_COVERED) {
            if (!comes_later(c, v, seq, e.key, record[2], position)) return false;
            keys_add(&keys, e.key);
            left_out++;
        } else if (what) {
            lie(c, counts, what, seq);
            return true;
        }
    }
    if (pair > 0)
        lie(c, counts, "a tick lies outside its frame, or comes twice", pairs[0]);
    else if (left_out != record[3])
        lie(c, counts, "the count of conflated ticks is wrong", record[2]);
    else {
        counts->frames++;
        counts->ticks += record[4];
        counts->conflated += record[3];
    }
    return true;
}

/* What the state tick seq of this key gave way to, behind the run's end. */
static bool comes_later(struct verify_conn *c, const struct verify *v, uint64_t seq, uint64_t key,
                        uint64_t to, uint64_t position)
{
    if (c->held_seq != seq) c->held_to = to;
    c->held_seq = seq;
    for (; c->held_to < position; c->held_to++) {
        struct entry e;
        if (entry_read(v, c->held_to + 1, &e) != KNOWN) return true; /* nothing can be said any more */
        if ((e.key | ENTRY_FLAGS) == (key | ENTRY_FLAGS)) return true;
    }
    return false;
}

static bool matches(const struct verify *v, const struct entry *e, uint32_t list)
{
    if (!(e->key & ENTRY_MATCHES)) return (e->key & ENTRY_ALL) != 0;
    return v->rows[(size_t)e->symbol * v->row_words + list / 64] >> (list % 64) & 1;
}

static const char *check_tick(const struct entry *e, bool matching, bool delivered, uint64_t hash,
                              struct keys *keys, uint64_t *left)
{
    bool state = e->key & ENTRY_STATE;
    if (delivered) {
        if (e->key & ENTRY_NONE) return "a tick was delivered that the reference does not have";
        if (!matching) return "a tick was delivered that does not match the subscription";
        if (hash != e->hash) return "a tick differs from the reference's";
        if (state) keys_add(keys, e->key);
        return NULL;
    }
    if (!matching) return NULL;
    if (!state) return "an event tick was left out and not told";
    if (!keys_have(keys, e->key)) return not_followed;
    ++*left;
    return NULL;
}

static void check_snapshot(struct verify_conn *c, const struct verify *v, const uint64_t *record,
                           struct verify_counts *counts)
{
    const uint64_t *pairs = record + RECORD;
    for (uint64_t i = 0; i < record[4]; i++) {
        struct entry e;
        if (entry_read(v, pairs[2 * i], &e) != KNOWN) continue; /* from before the reference began */
        if (e.hash != pairs[2 * i + 1]) {
            lie(c, counts, "a snapshot's tick differs from the reference's", pairs[2 * i]);
            return;
        }
        counts->snapshot_ticks++;
    }
}

/* Pairs with fill in verify.c: words are written by release stores between two of seq. */
static enum known entry_read(const struct verify *v, uint64_t seq, struct entry *out)
{
    const struct verify_entry *e = &v->ring[seq & v->mask];
    if (atomic_load_explicit(&e->seq, memory_order_acquire) != seq) return GONE;
    out->hash = atomic_load_explicit(&e->hash, memory_order_acquire);
    out->key = atomic_load_explicit(&e->key, memory_order_acquire);
    out->symbol = atomic_load_explicit(&e->symbol, memory_order_acquire);
    if (atomic_load_explicit(&e->seq, memory_order_relaxed) != seq) return GONE;
    return out->key & ENTRY_UNKNOWN ? UNKNOWN : KNOWN;
}

/* Cleared is what this frame's ticks can need: most frames are small. */
static void keys_open(struct keys *keys, uint64_t ticks)
{
    keys->count = 0;
    for (keys->slots = 64; keys->slots < KEY_SLOTS && keys->slots < 2 * ticks;) keys->slots *= 2;
    memset(keys->at, 0, keys->slots * sizeof keys->at[0]);
}

/* The bits above the flags are a hash already. Beyond KEYS_MOST the check is left out: keys_have says yes. */
static void keys_add(struct keys *keys, uint64_t key)
{
    key |= ENTRY_FLAGS;
    if (keys->count >= KEYS_MOST || keys->count + 1 >= keys->slots) return;
    uint32_t mask = keys->slots - 1, slot = (uint32_t)(key >> 20) & mask;
    while (keys->at[slot] && keys->at[slot] != key) slot = (slot + 1) & mask;
    if (!keys->at[slot]) keys->count++;
    keys->at[slot] = key;
}

static bool keys_have(const struct keys *keys, uint64_t key)
{
    key |= ENTRY_FLAGS;
    if (keys->count >= KEYS_MOST) return true;
    uint32_t mask = keys->slots - 1, slot = (uint32_t)(key >> 20) & mask;
    while (keys->at[slot] && keys->at[slot] != key) slot = (slot + 1) & mask;
    return keys->at[slot] == key;
}

static void lie(struct verify_conn *c, struct verify_counts *counts, const char *what, uint64_t seq)
{
    counts->lies++;
    if (c->lie) return;
    c->lie = what;
    c->lie_seq = seq;
}
