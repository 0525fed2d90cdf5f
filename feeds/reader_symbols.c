/* feeds/reader_symbols.c -- open addressing over names that stand zero-padded in blocks. */
#include "feeds/reader_symbols.h"

#include "base/assert.h"
#include "base/fault.h"

#include <stdlib.h>

#define BLOCK_NAMES 1024u
#define BLOCKS      (READER_SYMBOLS_MAX / BLOCK_NAMES)

struct reader_symbol {
    char name[SYMBOL_NAME_MAX]; /* zero-padded */
    uint8_t size;
};

static uint64_t name_hash(const char *padded);
static int grow(struct reader_symbols *s);
static int64_t append(struct reader_symbols *s, const char *padded, struct text name, uint32_t slot);

static struct reader_symbol *symbol_at(const struct reader_symbols *s, uint32_t index)
{
    return &s->blocks[index / BLOCK_NAMES][index % BLOCK_NAMES];
}

int64_t reader_symbols_add(struct reader_symbols *s, struct text name)
{
    if (name.size == 0 || name.size > SYMBOL_NAME_MAX) return TC_EINPUT;
    char padded[SYMBOL_NAME_MAX] = {0};
    memcpy(padded, name.at, name.size);
    if (s->slot_count < 2 * (s->count + 1) && grow(s) != 0) return TC_ESYSTEM;
    uint32_t slot = (uint32_t)name_hash(padded) & (s->slot_count - 1);
    for (; s->slots[slot] != 0; slot = (slot + 1) & (s->slot_count - 1)) {
        uint32_t index = s->slots[slot] - 1;
        if (memcmp(symbol_at(s, index)->name, padded, sizeof padded) == 0) return index;
    }
    return append(s, padded, name, slot);
}

static uint64_t name_hash(const char *padded)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < SYMBOL_NAME_MAX; i += 8) {
        h = (h ^ load_le64(padded + i)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static int grow(struct reader_symbols *s)
{
    if (!s->blocks) s->blocks = calloc(BLOCKS, sizeof *s->blocks);
    uint32_t slot_count = s->slot_count ? s->slot_count * 2 : 64;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (!s->blocks || !slots) {
        free(slots);
        return TC_ESYSTEM;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t slot = (uint32_t)name_hash(symbol_at(s, i)->name) & (slot_count - 1);
        while (slots[slot] != 0) slot = (slot + 1) & (slot_count - 1);
        slots[slot] = i + 1;
    }
    free(s->slots);
    s->slots = slots;
    s->slot_count = slot_count;
    return 0;
}

static int64_t append(struct reader_symbols *s, const char *padded, struct text name, uint32_t slot)
{
    if (!symbol_name_ok(name.at, name.size)) return TC_EINPUT;
    if (s->count == READER_SYMBOLS_MAX) return TC_ELIMIT;
    struct reader_symbol **block = &s->blocks[s->count / BLOCK_NAMES];
    if (!*block) *block = calloc(BLOCK_NAMES, sizeof **block);
    if (!*block) return TC_ESYSTEM;
    struct reader_symbol *symbol = symbol_at(s, s->count);
    memcpy(symbol->name, padded, SYMBOL_NAME_MAX);
    symbol->size = (uint8_t)name.size;
    s->slots[slot] = s->count + 1;
    return s->count++;
}

struct text reader_symbols_name(const struct reader_symbols *s, uint32_t index)
{
    TC_ASSERT(index < s->count);
    const struct reader_symbol *symbol = symbol_at(s, index);
    return (struct text){.at = symbol->name, .size = symbol->size};
}

void reader_symbols_free(struct reader_symbols *s)
{
    for (uint32_t i = 0; s->blocks && i < BLOCKS; i++) free(s->blocks[i]);
    free(s->blocks);
    free(s->slots);
    *s = (struct reader_symbols){0};
}
