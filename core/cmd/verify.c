#include "cmd/verify.h"

#include "base/assert.h"
#include "cmd/verify_internal.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 64u

static void fill(struct verify *v, uint64_t seq, uint64_t hash, uint64_t key, uint32_t symbol);
static uint64_t flags_of(const struct verify *v, enum scan_type type, bool final);
static uint32_t symbol_row(struct verify *v, struct text name, uint64_t hash);
static bool list_has(const char *list, struct text word, bool patterns);
static struct text unescape(struct text in, char out[NAME_MAX_BYTES]);
static uint64_t mix(uint64_t a, uint64_t b);

bool verify_open(struct verify *v, uint64_t capacity, const char *const *lists, uint32_t list_count,
                 const char *kinds)
{
    TC_ASSERT(capacity > 0 && (capacity & (capacity - 1)) == 0);
    TC_ASSERT(list_count > 0);
    *v = (struct verify){.mask = capacity - 1,
                         .lists = lists,
                         .list_count = list_count,
                         .row_words = (list_count + 63) / 64,
                         .kinds = kinds};
    v->ring = calloc(capacity, sizeof *v->ring);
    v->rows = calloc(VERIFY_SYMBOLS_MAX, v->row_words * sizeof *v->rows); /* touched row by row */
    v->names = calloc(VERIFY_NAMES, sizeof *v->names);
    if (v->ring && v->rows && v->names) return true;
    verify_close(v);
    return false;
}

void verify_close(struct verify *v)
{
    free(v->ring);
    free(v->rows);
    free(v->names);
    v->ring = NULL;
    v->rows = NULL;
    v->names = NULL;
}

void verify_reference_start(struct verify *v, uint64_t seq)
{
    v->last = seq;
    atomic_store_explicit(&v->position, seq, memory_order_relaxed);
    atomic_store_explicit(&v->first, seq + 1, memory_order_release);
}

void verify_reference_tick(struct verify *v, const struct scan_tick *tick)
{
    struct scan_key key;
    if (tick->seq <= v->last || scan_tick_key(tick->json, &key) < 0) return; /* continuity has told it */
    while (v->last + 1 < tick->seq) fill(v, v->last + 1, 0, ENTRY_NONE, 0);
    uint64_t flags = flags_of(v, tick->type, key.final), symbol = verify_hash(key.symbol);
    uint32_t row = key.symbol.size ? symbol_row(v, key.symbol, symbol) : 0;
    uint64_t id = mix(symbol, (uint64_t)tick->type);
    id = mix(id, verify_hash(key.interval));
    if (tick->type == SCAN_BOOK) id = mix(mix(id, verify_hash(key.side)), verify_hash(key.price));
    fill(v, tick->seq, verify_hash(tick->json), (id & ~(uint64_t)ENTRY_FLAGS) | flags, row);
}

void verify_reference_reach(struct verify *v, uint64_t seq)
{
    while (v->last < seq) fill(v, v->last + 1, 0, ENTRY_NONE, 0);
    atomic_store_explicit(&v->position, v->last, memory_order_release);
}

void verify_reference_gap(struct verify *v, uint64_t to)
{
    if (to > v->last + v->mask + 1) v->last = to - v->mask - 1; /* older ones would be overwritten at once */
    while (v->last < to) fill(v, v->last + 1, 0, ENTRY_UNKNOWN, 0);
    atomic_store_explicit(&v->position, v->last, memory_order_release);
}

/* A checker that reads an entry while it is overwritten sees another seq before or after: see entry_read. */
static void fill(struct verify *v, uint64_t seq, uint64_t hash, uint64_t key, uint32_t symbol)
{
    struct verify_entry *e = &v->ring[seq & v->mask];
    atomic_store_explicit(&e->seq, 0, memory_order_relaxed);
    atomic_store_explicit(&e->hash, hash, memory_order_release);
    atomic_store_explicit(&e->key, key, memory_order_release);
    atomic_store_explicit(&e->symbol, symbol, memory_order_release);
    atomic_store_explicit(&e->seq, seq, memory_order_release);
    v->last = seq;
}

static uint64_t flags_of(const struct verify *v, enum scan_type type, bool final)
{
    static const char *const words[SCAN_TYPES] = {[SCAN_TRADE] = "trade",
                                                  [SCAN_QUOTE] = "quote",
                                                  [SCAN_BAR] = "bar",
                                                  [SCAN_BOOK] = "book",
                                                  [SCAN_STATUS] = "status"};
    if (type == SCAN_FEED) return ENTRY_ALL; /* a feed's states go to everybody */
    if (!words[type]) return 0;
    uint64_t flags = scan_is_state(type, final) ? ENTRY_STATE : 0;
    return !v->kinds || list_has(v->kinds, text_of(words[type]), false) ? flags | ENTRY_MATCHES : flags;
}

/* The symbol's row; at its first tick it is made: which lists have it. */
static uint32_t symbol_row(struct verify *v, struct text name, uint64_t hash)
{
    if (hash == 0) hash = 1;
    uint32_t at = (uint32_t)(hash >> 20) & (VERIFY_NAMES - 1);
    while (v->names[at].hash != 0) {
        if (v->names[at].hash == hash) return v->names[at].symbol;
        at = (at + 1) & (VERIFY_NAMES - 1);
    }
    char plain[NAME_MAX_BYTES];
    TC_ASSERT(v->symbol_count < VERIFY_SYMBOLS_MAX);
    v->names[at] = (struct verify_name){.hash = hash, .symbol = v->symbol_count};
    uint64_t *row = &v->rows[(size_t)v->symbol_count * v->row_words];
    for (uint32_t i = 0; i < v->list_count; i++)
        if (list_has(v->lists[i], unescape(name, plain), true)) row[i / 64] |= UINT64_C(1) << (i % 64);
    return v->symbol_count++;
}

/* word is one of a comma-separated list; patterns: a final * means "begins with". */
static bool list_has(const char *list, struct text word, bool patterns)
{
    for (;;) {
        struct text item = {.at = list, .size = strcspn(list, ",")};
        bool prefix = patterns && item.size > 0 && item.at[item.size - 1] == '*';
        struct text head = {.at = item.at, .size = item.size - (prefix ? 1 : 0)};
        if (prefix ? text_begins(word, head) : text_equal(word, item)) return true;
        if (list[item.size] == 0) return false;
        list += item.size + 1;
    }
}

static struct text unescape(struct text in, char out[NAME_MAX_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < in.size && used < NAME_MAX_BYTES; i++) {
        if (in.at[i] == '\\' && i + 1 < in.size) i++;
        out[used++] = in.at[i];
    }
    return (struct text){.at = out, .size = used};
}

/* Two lanes, so that a multiplication need not wait for the one before. */
uint64_t verify_hash(struct text bytes)
{
    uint64_t a = bytes.size * UINT64_C(0x9E3779B97F4A7C15), b = UINT64_C(0xD6E8FEB86659FD93), tail = 0;
    size_t i = 0;
    for (; i + 16 <= bytes.size; i += 16) {
        a = (a ^ load_le64(bytes.at + i)) * UINT64_C(0xBF58476D1CE4E5B9);
        b = (b ^ load_le64(bytes.at + i + 8)) * UINT64_C(0x94D049BB133111EB);
        a ^= a >> 29;
        b ^= b >> 31;
    }
    if (i + 8 <= bytes.size) {
        a = mix(a, load_le64(bytes.at + i));
        i += 8;
    }
    if (i < bytes.size) memcpy(&tail, bytes.at + i, bytes.size - i);
    return mix(mix(a, b), tail);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b) * UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 29;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 32) ^ (a << 7);
}
