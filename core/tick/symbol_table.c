/* tick/symbol_table.c -- one block of memory without pointers in it: head, entries, hash slots.
 * Order of publication: the entry's bytes, then count (release), then the hash slot (release). So whoever
 * reads the slot or a count above the id by acquire sees the whole entry, and who finds an id finds count
 * above it. */
#include "tick/symbol_table.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/random.h"

#include <stdatomic.h>

#define JSON_MAX  (2 * SYMBOL_NAME_MAX) /* each character a quote */
#define ID_BITS   17                    /* of a slot: id + 1, 0 for none; above it bits of the hash */
#define ID_MASK   ((1u << ID_BITS) - 1u)
#define NAME_WORD (SYMBOL_NAME_MAX / 8)

struct entry {
    _Alignas(TC_CACHE_LINE) char name[SYMBOL_NAME_MAX]; /* zero-padded */
    uint8_t name_size, json_size;
    bool escaped; /* else the JSON form is the name, and the second line is never touched */
    _Alignas(TC_CACHE_LINE) char json[JSON_MAX];
};

struct symbol_table {
    uint64_t seed; /* set once, as the next four: names from outside cannot be chosen to collide */
    size_t bytes;
    size_t slots_at; /* offset of the slots from here */
    uint32_t capacity, slot_mask;
    _Alignas(
        TC_CACHE_LINE) _Atomic uint32_t count; /* writer: the feed thread; pairs with symbol_table_count */
    _Alignas(TC_CACHE_LINE) struct entry entries[];
};
_Static_assert(SYMBOLS_MAX < ID_MASK, "an id and a mark for none fit a slot");

struct key {
    uint64_t words[NAME_WORD]; /* the name, zero-padded */
    size_t size;               /* tells a name from one with zeros behind it */
    uint64_t hash;
};

static bool make_key(const struct symbol_table *t, struct text name, struct key *key);
static int64_t find(const struct symbol_table *t, const struct key *key, uint32_t *slot);
static void fill_entry(struct entry *e, struct text name);

static inline _Atomic uint32_t *slots(const struct symbol_table *t)
{
    return (_Atomic uint32_t *)((char *)(uintptr_t)t + t->slots_at);
}

struct symbol_table *symbol_table_create(uint32_t capacity)
{
    TC_ASSERT(capacity >= 1);
    TC_ASSERT(capacity <= SYMBOLS_MAX);
    uint32_t slot_count = 16;
    while (slot_count < capacity * 2)
        slot_count *= 2; /* at most half full: short probes, always a free slot */
    size_t slots_at = sizeof(struct symbol_table) + capacity * sizeof(struct entry);
    size_t bytes = slots_at + slot_count * sizeof(_Atomic uint32_t);
    struct symbol_table *t = memory_reserve(bytes);
    if (!t) return NULL;
    random_secret(&t->seed, sizeof t->seed);
    t->bytes = bytes;
    t->slots_at = slots_at;
    t->capacity = capacity;
    t->slot_mask = slot_count - 1;
    return t;
}

size_t symbol_table_bytes(const struct symbol_table *t)
{
    return t->bytes;
}

void symbol_table_destroy(struct symbol_table *t)
{
    if (t) memory_release(t, t->bytes);
}

int64_t symbol_table_add(struct symbol_table *t, struct text name, bool *added)
{
    *added = false;
    struct key key;
    if (!make_key(t, name, &key)) return TC_EINPUT;
    uint32_t slot;
    int64_t known = find(t, &key, &slot);
    if (known >= 0) return known;
    if (!symbol_name_ok(name.at, name.size)) return TC_EINPUT;
    uint32_t id = atomic_load_explicit(&t->count, memory_order_relaxed); /* ours: nobody else writes it */
    if (id == t->capacity) return TC_ELIMIT;
    fill_entry(&t->entries[id], name);
    atomic_store_explicit(&t->count, id + 1, memory_order_release); /* pairs with symbol_table_count */
    uint32_t value = ((uint32_t)(key.hash >> 32) & ~ID_MASK) | (id + 1);
    atomic_store_explicit(&slots(t)[slot], value, memory_order_release); /* pairs with find */
    *added = true;
    return id;
}

int64_t symbol_table_find(const struct symbol_table *t, struct text name)
{
    struct key key;
    uint32_t slot;
    return make_key(t, name, &key) ? find(t, &key, &slot) : TC_ENOTFOUND;
}

/* False if the name is too long or empty to be one. */
static bool make_key(const struct symbol_table *t, struct text name, struct key *key)
{
    if (name.size == 0 || name.size > SYMBOL_NAME_MAX) return false;
    memset(key->words, 0, sizeof key->words);
    memcpy(key->words, name.at, name.size);
    key->size = name.size;
    uint64_t h = t->seed;
    for (uint32_t i = 0; i < NAME_WORD && i * 8 < name.size; i++) {
        h = (h ^ key->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    key->hash = h ^ h >> 32;
    return true;
}

/* The id, or TC_ENOTFOUND and in *slot the free slot where it belongs. */
static int64_t find(const struct symbol_table *t, const struct key *key, uint32_t *slot)
{
    uint32_t tag = (uint32_t)(key->hash >> 32) & ~ID_MASK;
    for (uint32_t i = (uint32_t)key->hash & t->slot_mask;; i = (i + 1) & t->slot_mask) {
        uint32_t value = atomic_load_explicit(&slots(t)[i], memory_order_acquire); /* pairs with add */
        if (value == 0) {
            *slot = i;
            return TC_ENOTFOUND;
        }
        uint32_t id = (value & ID_MASK) - 1;
        const struct entry *e = &t->entries[id];
        if ((value & ~ID_MASK) == tag && e->name_size == key->size &&
            memcmp(e->name, key->words, SYMBOL_NAME_MAX) == 0)
            return id;
    }
}

static void fill_entry(struct entry *e, struct text name)
{
    memcpy(e->name, name.at, name.size);
    e->name_size = (uint8_t)name.size;
    uint32_t marks = 0;
    for (size_t i = 0; i < name.size; i++) marks += name.at[i] == '"' || name.at[i] == '\\';
    e->escaped = marks > 0;
    e->json_size = (uint8_t)(e->name_size + marks);
    if (!e->escaped) return;
    char *p = e->json;
    for (size_t i = 0; i < name.size; i++) {
        if (name.at[i] == '"' || name.at[i] == '\\') *p++ = '\\';
        *p++ = name.at[i];
    }
}

uint32_t symbol_table_count(const struct symbol_table *t)
{
    return atomic_load_explicit(&t->count, memory_order_acquire); /* pairs with symbol_table_add */
}

struct text symbol_table_name(const struct symbol_table *t, uint32_t id)
{
    TC_ASSERT(id < symbol_table_count(t));
    return (struct text){.at = t->entries[id].name, .size = t->entries[id].name_size};
}

struct text symbol_table_json(const struct symbol_table *t, uint32_t id)
{
    TC_ASSERT(id < symbol_table_count(t));
    const struct entry *e = &t->entries[id];
    return (struct text){.at = e->escaped ? e->json : e->name, .size = e->json_size};
}
