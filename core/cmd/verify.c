#include "cmd/verify.h"

#include "base/assert.h"
#include "cmd/verify_internal.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 64u

static void fill(struct verify *v, uint64_t seq, uint64_t hash, uint64_t key);
static bool matches(const struct verify *v, enum scan_type type, const struct scan_key *key);
static bool list_has(const char *list, struct text word, bool patterns);
static struct text unescape(struct text in, char out[NAME_MAX_BYTES]);
static uint64_t mix(uint64_t a, uint64_t b);

bool verify_open(struct verify *v, uint64_t capacity, const char *symbols, const char *kinds)
{
    TC_ASSERT(capacity > 0 && (capacity & (capacity - 1)) == 0);
    *v = (struct verify){.mask = capacity - 1, .symbols = symbols, .kinds = kinds};
    v->ring = calloc(capacity, sizeof *v->ring);
    return v->ring != NULL;
}

void verify_close(struct verify *v)
{
    free(v->ring);
    v->ring = NULL;
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
    while (v->last + 1 < tick->seq) fill(v, v->last + 1, 0, ENTRY_NONE);
    uint64_t flags = 0;
    if (scan_is_state(tick->type, key.final)) flags |= ENTRY_STATE;
    if (matches(v, tick->type, &key)) flags |= ENTRY_MATCHES;
    uint64_t id = mix(verify_hash(key.symbol), (uint64_t)tick->type);
    id = mix(id, verify_hash(key.interval));
    if (tick->type == SCAN_BOOK) id = mix(mix(id, verify_hash(key.side)), verify_hash(key.price));
    fill(v, tick->seq, verify_hash(tick->json), (id & ~(uint64_t)ENTRY_FLAGS) | flags);
}

void verify_reference_reach(struct verify *v, uint64_t seq)
{
    while (v->last < seq) fill(v, v->last + 1, 0, ENTRY_NONE);
    atomic_store_explicit(&v->position, v->last, memory_order_release);
}

void verify_reference_gap(struct verify *v, uint64_t to)
{
    if (to > v->last + v->mask + 1) v->last = to - v->mask - 1; /* older ones would be overwritten at once */
    while (v->last < to) fill(v, v->last + 1, 0, ENTRY_UNKNOWN);
    atomic_store_explicit(&v->position, v->last, memory_order_release);
}

/* A checker that reads an entry while it is overwritten sees another seq before or after: see entry_read. */
static void fill(struct verify *v, uint64_t seq, uint64_t hash, uint64_t key)
{
    struct verify_entry *e = &v->ring[seq & v->mask];
    atomic_store_explicit(&e->seq, 0, memory_order_relaxed);
    atomic_store_explicit(&e->hash, hash, memory_order_release);
    atomic_store_explicit(&e->key, key, memory_order_release);
    atomic_store_explicit(&e->seq, seq, memory_order_release);
    v->last = seq;
}

static bool matches(const struct verify *v, enum scan_type type, const struct scan_key *key)
{
    static const char *const words[SCAN_TYPES] = {[SCAN_TRADE] = "trade",
                                                  [SCAN_QUOTE] = "quote",
                                                  [SCAN_BAR] = "bar",
                                                  [SCAN_BOOK] = "book",
                                                  [SCAN_STATUS] = "status"};
    char name[NAME_MAX_BYTES];
    if (type == SCAN_FEED) return true; /* a feed's states go to everybody */
    if (!words[type]) return false;
    if (v->kinds && !list_has(v->kinds, text_of(words[type]), false)) return false;
    return !v->symbols || list_has(v->symbols, unescape(key->symbol, name), true);
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

uint64_t verify_hash(struct text bytes)
{
    uint64_t h = bytes.size * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = 0;
    for (; i + 8 <= bytes.size; i += 8) h = mix(h, load_le64(bytes.at + i));
    uint64_t tail = 0;
    if (i < bytes.size) memcpy(&tail, bytes.at + i, bytes.size - i);
    return mix(h, tail);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b) * UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 29;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 32) ^ (a << 7);
}
