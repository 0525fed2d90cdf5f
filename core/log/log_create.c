/* log/log_create.c -- makes and frees the log; readers are registered before the threads start. */
#include "base/assert.h"
#include "base/memory.h"
#include "base/random.h"
#include "log/log_shared.h"

#include <stdlib.h>

static int reserve(struct log *l, const struct log_options *o, struct fault *fault);
static bool ask_huge_pages(struct log *l);

struct log *log_create(const struct log_options *o, struct fault *fault)
{
    if (o->capacity < 1024 || (o->capacity & (o->capacity - 1)) != 0) {
        fault_set(fault, TC_EUSAGE, "log-capacity %u is not a power of two of at least 1024", o->capacity);
        return NULL;
    }
    struct log *l = aligned_alloc(TC_CACHE_LINE, sizeof *l);
    if (!l) {
        fault_set(fault, TC_ESYSTEM, "no memory for the log");
        return NULL;
    }
    *l = (struct log){
        .capacity = o->capacity, .mask = o->capacity - 1, .epoch = o->epoch, .stamp_ns = o->stamp_ns};
    l->writer_sleeper.event_fd = -1;
    while (l->epoch == 0) random_secret(&l->epoch, sizeof l->epoch);
    if (reserve(l, o, fault) < 0) {
        log_destroy(l);
        return NULL;
    }
    return l;
}

static int reserve(struct log *l, const struct log_options *o, struct fault *fault)
{
    size_t n = l->capacity;
    l->ticks = memory_reserve(n * sizeof *l->ticks);
    l->jsons = memory_reserve(n * sizeof *l->jsons);
    l->keys = memory_reserve(n * sizeof *l->keys);
    l->symbols = symbol_table_create(o->symbols_max);
    l->last = last_value_create(o->symbols_max, o->bars_max);
    l->readers = aligned_alloc(TC_CACHE_LINE, LOG_READERS_MAX * sizeof *l->readers);
    if (!l->ticks || !l->jsons || !l->keys || !l->symbols || !l->last || !l->readers)
        return fault_set(fault, TC_ESYSTEM,
                         "no address space for a log of %u ticks; make --log-capacity smaller", l->capacity);
    l->huge_pages = o->small_pages ? "off" : ask_huge_pages(l) ? "granted" : "refused";
    for (uint32_t i = 0; i < LOG_READERS_MAX; i++) {
        l->readers[i] = (struct log_reader){.owed = UINT64_MAX};
        l->readers[i].sleeper.event_fd = -1;
    }
    if (sleeper_open(&l->writer_sleeper) < 0)
        return fault_set(fault, TC_ESYSTEM, "no eventfd for the log's writer");
    l->bytes = n * (sizeof *l->ticks + sizeof *l->jsons + sizeof *l->keys) + symbol_table_bytes(l->symbols) +
               last_value_bytes(o->symbols_max, o->bars_max);
    return 0;
}

static bool ask_huge_pages(struct log *l)
{
    size_t n = l->capacity;
    bool ticks = memory_huge_pages(l->ticks, n * sizeof *l->ticks),
         jsons = memory_huge_pages(l->jsons, n * sizeof *l->jsons),
         keys = memory_huge_pages((void *)l->keys, n * sizeof *l->keys);
    return ticks && jsons && keys;
}

void log_destroy(struct log *l)
{
    if (!l) return;
    size_t n = l->capacity;
    memory_release(l->ticks, n * sizeof *l->ticks);
    memory_release(l->jsons, n * sizeof *l->jsons);
    memory_release((void *)l->keys, n * sizeof *l->keys);
    if (l->symbols) symbol_table_destroy(l->symbols);
    if (l->last) last_value_destroy(l->last);
    for (uint32_t i = 0; i < l->reader_count; i++) sleeper_close(&l->readers[i].sleeper);
    free(l->readers);
    sleeper_close(&l->writer_sleeper);
    free(l);
}

uint64_t log_epoch(const struct log *l)
{
    return l->epoch;
}
uint32_t log_capacity(const struct log *l)
{
    return l->capacity;
}
size_t log_bytes(const struct log *l)
{
    return l->bytes;
}
const char *log_huge_pages(const struct log *l)
{
    return l->huge_pages;
}
const struct symbol_table *log_symbols(const struct log *l)
{
    return l->symbols;
}
const struct last_value *log_last_value(const struct log *l)
{
    return l->last;
}
const struct ages *log_ages(const struct log *l)
{
    return &l->ages;
}

struct log_reader *log_reader_add(struct log *l)
{
    if (l->reader_count == LOG_READERS_MAX) return NULL;
    struct log_reader *r = &l->readers[l->reader_count];
    if (sleeper_open(&r->sleeper) < 0) return NULL;
    l->reader_count++;
    return r;
}

uint32_t log_reader_count(const struct log *l)
{
    return l->reader_count;
}

struct log_reader *log_reader_at(struct log *l, uint32_t index)
{
    TC_ASSERT(index < l->reader_count);
    return &l->readers[index];
}

void log_set_paced(struct log *l)
{
    atomic_store_explicit(&l->paced, true, memory_order_seq_cst);
    for (uint32_t i = 0; i < l->reader_count; i++) sleeper_wake(&l->readers[i].sleeper);
}

bool log_paced(const struct log *l)
{
    return atomic_load_explicit(&l->paced, memory_order_seq_cst);
}

void log_reader_progress(struct log *l)
{
    sleeper_wake(&l->writer_sleeper);
}

struct sleeper *log_writer_sleeper(struct log *l)
{
    return &l->writer_sleeper;
}
