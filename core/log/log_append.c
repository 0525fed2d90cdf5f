/* log/log_append.c -- the writer's side: stamp, encode once, publish, wake.
 * Thread: the feed thread alone. Never waits for a reader. */
#include "base/assert.h"
#include "log/log_shared.h"

/* A few ticks are made text before any is stored: their slots, last touched a lap ago, are on their way from
 * memory meanwhile, and no word is loaded while its bytes are still being stored (docs/performance.md). */
#define ENCODED_MAX 8u
#define USUAL_BYTES 192u /* of a slot that a trade or a quote takes, its head included */

struct encoded {
    char text[TICK_JSON_MAX];
    uint32_t size;
};

static void append_few(struct log *l, const struct tick *ticks, uint32_t count);
static void fetch_slots(const struct log *l, uint64_t seq);
static void encode(const struct log *l, const struct tick *t, struct encoded *out);
static void put_tick(struct log *l, const struct tick *t);
static void put_json(struct log *l, uint64_t seq, const struct encoded *json);
static void count_ages(struct log *l, const struct tick *ticks, uint64_t head, uint32_t count);
static void wake_readers(struct log *l);

uint64_t log_append(struct log *l, struct tick *ticks, uint32_t count)
{
    TC_ASSERT(count >= 1);
    TC_ASSERT(count <= LOG_BATCH_MAX);
    uint64_t head = atomic_load_explicit(&l->head, memory_order_relaxed); /* ours: nobody else writes it */
    /* Before any slot changes; the release stores below carry it to whoever sees a new word. */
    atomic_store_explicit(&l->claimed, head + count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) ticks[i].seq = head + 1 + i;
    for (uint32_t at = 0; at < count; at += ENCODED_MAX)
        append_few(l, ticks + at, count - at < ENCODED_MAX ? count - at : ENCODED_MAX);
    if (l->stamp_ns && age_sampled(head, head + count)) count_ages(l, ticks, head, count);
    /* Published once a batch. seq_cst and not just release: pairs with sleeper_prepare in a worker that is
     * about to sleep (decision 24), and, as a release, with log_head. */
    atomic_exchange_explicit(&l->head, head + count, memory_order_seq_cst);
    wake_readers(l);
    return head + count;
}

static void append_few(struct log *l, const struct tick *ticks, uint32_t count)
{
    struct encoded json[ENCODED_MAX];
    for (uint32_t i = 0; i < count; i++) fetch_slots(l, ticks[i].seq);
    for (uint32_t i = 0; i < count; i++) encode(l, &ticks[i], &json[i]);
    for (uint32_t i = 0; i < count; i++) {
        put_tick(l, &ticks[i]);
        put_json(l, ticks[i].seq, &json[i]);
        last_value_fold(l->last, &ticks[i]);
    }
}

static void fetch_slots(const struct log *l, uint64_t seq)
{
    uint32_t index = (uint32_t)seq & l->mask;
    __builtin_prefetch(&l->ticks[index], 1);
    for (uint32_t at = 0; at < USUAL_BYTES; at += TC_CACHE_LINE)
        __builtin_prefetch((const char *)&l->jsons[index] + at, 1);
}

static void encode(const struct log *l, const struct tick *t, struct encoded *out)
{
    TC_ASSERT(t->kind > 0 && t->kind < TICK_KINDS);
    TC_ASSERT_SLOW(tick_check(t, symbol_table_count(l->symbols)) == NULL);
    struct text symbol = {0};
    if (t->kind != TICK_FEED) symbol = symbol_table_json(l->symbols, t->symbol);
    out->size = tick_json(out->text, t, symbol);
    TC_ASSERT(out->size <= TICK_JSON_MAX);
}

static void put_tick(struct log *l, const struct tick *t)
{
    uint32_t index = (uint32_t)t->seq & l->mask;
    uint64_t words[TICK_WORDS];
    memcpy(words, t, sizeof words);
    struct log_tick_slot *slot = &l->ticks[index];
    for (uint32_t i = 0; i < TICK_WORDS; i++)
        atomic_store_explicit(&slot->word[i], words[i], memory_order_release); /* pairs with log_read */
    uint32_t key = log_key(t->symbol, t->kind, tick_is_state(t->kind, t->flags));
    atomic_store_explicit(&l->keys[index], key, memory_order_release); /* pairs with log_read_keys */
}

static void put_json(struct log *l, uint64_t seq, const struct encoded *json)
{
    struct log_json_slot *slot = &l->jsons[(uint32_t)seq & l->mask];
    uint64_t head = json->size | seq << 32;
    atomic_store_explicit(&slot->head, head, memory_order_release); /* pairs with log_read_json */
    for (uint32_t i = 0; i * 8 < json->size; i++)
        atomic_store_explicit(&slot->word[i], load_le64(json->text + (size_t)i * 8), memory_order_release);
}

/* Before they are published: a reader's stamp of the same tick is never the earlier one. Apart: every append
 * would save registers for it. */
__attribute__((noinline)) static void count_ages(struct log *l, const struct tick *ticks, uint64_t head,
                                                 uint32_t count)
{
    uint64_t now_ns = l->stamp_ns();
    for (uint64_t seq = age_sample_after(head); seq <= head + count; seq += AGE_SAMPLE) {
        const struct tick *t = &ticks[seq - head - 1];
        if (tick_is_timed(t->kind)) ages_record(&l->ages, now_ns, t->event_ns, 1);
    }
}

static void wake_readers(struct log *l)
{
    for (uint32_t i = 0; i < l->reader_count; i++) sleeper_wake(&l->readers[i].sleeper);
}

int64_t log_symbol(struct log *l, struct text name, int64_t now_ns)
{
    bool added = false;
    int64_t id = symbol_table_add(l->symbols, name, &added);
    if (id < 0 || !added) return id;
    struct tick t = {.event_ns = now_ns, .symbol = (uint32_t)id, .kind = TICK_SYMBOL, .ingest_ns = now_ns};
    memcpy(t.name.name, name.at, name.size);
    log_append(l, &t, 1);
    return id;
}

void log_forget(struct log *l, uint32_t symbol)
{
    last_value_forget(l->last, symbol);
}

void log_set_drained(struct log *l, uint64_t real_ns)
{
    /* After head, so that who sees this time also sees every tick up to it. */
    atomic_store_explicit(&l->drained_ns, real_ns, memory_order_release); /* pairs with log_drained */
}
