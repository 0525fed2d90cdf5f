#include "tests/sim/truth.h"

#include "base/assert.h"
#include "tick/tick_json.h"

#include <stdio.h>
#include <string.h>

#define NO_KEY UINT32_MAX

static const uint8_t intervals[TRUTH_INTERVALS] = {BAR_1S, BAR_1M, BAR_1H, BAR_1D};

static void draw(struct truth *t, struct random *random, struct tick *out, uint64_t real_ns);
static void draw_feed(struct truth *t, struct random *random, struct tick *out);
static void append(struct truth *t, struct tick *batch, uint32_t count);
static void remember(struct truth *t, const struct tick *tick);
static uint32_t key_of(const struct tick *tick);
static void remember_symbols(struct truth *t, int64_t now_ns, uint32_t number);

void truth_init(struct truth *t, struct log *log, uint32_t symbol_count)
{
    TC_ASSERT(symbol_count <= TRUTH_SYMBOLS);
    t->log = log;
    t->symbol_count = symbol_count;
    for (uint32_t i = 0; i < TRUTH_SYMBOLS; i++) t->ids[i] = -1;
}

void truth_name(uint32_t number, char out[4])
{
    snprintf(out, 4, "%c%u", (char)('A' + number % 4), number / 4 % 100);
}

bool truth_is_full(const struct truth *t, uint32_t count)
{
    return t->head + count + TRUTH_SYMBOLS >= TRUTH_TICKS;
}

void truth_append(struct truth *t, struct random *random, uint32_t count, uint64_t real_ns)
{
    struct tick batch[LOG_BATCH_MAX];
    uint32_t size = 0;
    for (uint32_t i = 0; i < count && !truth_is_full(t, count); i++) {
        uint32_t number = (uint32_t)random_below(random, t->symbol_count);
        if (t->ids[number] < 0) { /* its definition comes first, after what is in hand */
            append(t, batch, size);
            size = 0;
            remember_symbols(t, (int64_t)real_ns, number);
        }
        batch[size] = (struct tick){
            .event_ns = (int64_t)real_ns, .ingest_ns = (int64_t)real_ns, .symbol = (uint32_t)t->ids[number]};
        draw(t, random, &batch[size++], real_ns);
        if (batch[size - 1].kind != TICK_FEED && size < LOG_BATCH_MAX) continue;
        append(t, batch, size);
        size = 0;
    }
    append(t, batch, size);
}

static void draw(struct truth *t, struct random *random, struct tick *out, uint64_t real_ns)
{
    uint32_t r = (uint32_t)random_below(random, 1000);
    (void)real_ns;
    if (r < 350) {
        out->kind = TICK_TRADE;
        out->price_exp = -2;
        out->trade.price = (int64_t)random_below(random, 100000);
        out->trade.size = (int64_t)random_below(random, 100);
    } else if (r < 720) {
        out->kind = TICK_QUOTE;
        out->quote = (struct tick_quote){(int64_t)random_below(random, 100), 1, 100, 7};
    } else if (r < 850) {
        out->kind = TICK_BOOK;
        out->flags = (uint8_t)random_below(random, 2);
        out->book.price = (int64_t)random_below(random, 4);
        out->book.size = (int64_t)random_below(random, 3);
    } else if (r < 960) {
        out->kind = TICK_BAR;
        out->bar = (struct tick_bar){1, 2, 1, (int64_t)random_below(random, 3), 3};
        out->flags =
            (uint8_t)(random_below(random, 2) | (uint64_t)intervals[random_below(random, TRUTH_INTERVALS)]
                                                    << BAR_INTERVAL_SHIFT);
    } else if (r < 992) {
        out->kind = TICK_STATUS;
        out->status.state = (uint8_t)(1 + random_below(random, STATUS_STATES - 1));
    } else {
        draw_feed(t, random, out);
    }
}

/* A feed's state, a loss, or (of one in eight) a reset: the writer forgets its symbols before it is told. */
static void draw_feed(struct truth *t, struct random *random, struct tick *out)
{
    out->kind = TICK_FEED;
    out->symbol = 0;
    memcpy(out->feed.name, "sim", 3);
    uint32_t r = (uint32_t)random_below(random, 8);
    out->feed.state = r > 4 ? FEED_STALLED : r > 0 ? FEED_LOST : FEED_LOOPED;
    if (out->feed.state == FEED_LOST) {
        out->feed.reason = (uint8_t)(1 + random_below(random, FEED_REASONS - 1));
        out->feed.lost = r > 2 ? FEED_LOST_UNKNOWN : random_below(random, 1000);
        t->lost++;
    } else if (out->feed.state == FEED_LOOPED && t->reset_count < TRUTH_RESETS) {
        out->flags = FEED_RESET;
        t->reset++;
    }
}

static void append(struct truth *t, struct tick *batch, uint32_t count)
{
    if (count == 0) return;
    struct tick *last =
        &batch[count - 1]; /* a reset stands last in its batch; of every second symbol or all */
    if (last->kind == TICK_FEED && (last->flags & FEED_RESET)) {
        if (count > 1) append(t, batch, count - 1);
        uint64_t gone = t->reset % 2 ? UINT64_MAX : UINT64_C(0x5555555555555555);
        for (uint32_t i = 0; i < TRUTH_SYMBOLS; i++)
            if (t->ids[i] >= 0 && (gone >> t->ids[i] & 1)) log_forget(t->log, (uint32_t)t->ids[i]);
        t->resets[t->reset_count].seq = t->head + 1;
        t->resets[t->reset_count++].symbols = gone;
        log_append(t->log, last, 1);
        remember(t, last);
        return;
    }
    log_append(t->log, batch, count);
    for (uint32_t i = 0; i < count; i++) remember(t, &batch[i]);
}

static void remember_symbols(struct truth *t, int64_t now_ns, uint32_t number)
{
    char name[4];
    truth_name(number, name);
    int64_t id = log_symbol(t->log, text_of(name), now_ns);
    TC_ASSERT(id >= 0 && id < (int64_t)TRUTH_SYMBOLS);
    t->ids[number] = id;
    t->numbers[id] = number;
    remember(t, &(struct tick){.seq = t->head + 1, .kind = TICK_SYMBOL, .symbol = (uint32_t)id});
    TC_ASSERT(log_head(t->log) == t->head);
}

static void remember(struct truth *t, const struct tick *tick)
{
    TC_ASSERT(tick->seq == t->head + 1 && tick->seq < TRUTH_TICKS);
    t->head = tick->seq;
    t->ticks[tick->seq] = *tick;
    uint32_t key = key_of(tick);
    if (key == NO_KEY) return;
    t->previous[tick->seq] = t->newest[tick->symbol][key];
    t->newest[tick->symbol][key] = tick->seq;
}

/* In the order of a snapshot: trade, quote, bars by interval, status. */
static uint32_t key_of(const struct tick *tick)
{
    if (tick->kind == TICK_TRADE) return 0;
    if (tick->kind == TICK_QUOTE) return 1;
    if (tick->kind == TICK_STATUS) return 2 + TRUTH_INTERVALS;
    if (tick->kind != TICK_BAR) return NO_KEY;
    for (uint32_t i = 0; i < TRUTH_INTERVALS; i++)
        if (intervals[i] == tick_bar_interval(tick)) return 2 + i;
    return NO_KEY;
}

enum tick_kind truth_key_kind(uint32_t key)
{
    return key == 0                     ? TICK_TRADE
           : key == 1                   ? TICK_QUOTE
           : key == 2 + TRUTH_INTERVALS ? TICK_STATUS
                                        : TICK_BAR;
}

uint64_t truth_as_of(const struct truth *t, uint32_t id, uint32_t key, uint64_t seq)
{
    uint64_t at = t->newest[id][key];
    while (at > seq) at = t->previous[at];
    for (uint32_t i = t->reset_count; i > 0; i--) {
        if (t->resets[i - 1].seq > seq) continue;
        if (t->resets[i - 1].seq < at) break;
        if (t->resets[i - 1].symbols >> id & 1) return 0;
    }
    return at;
}

bool truth_is_state(const struct truth *t, uint64_t seq)
{
    const struct tick *k = &t->ticks[seq];
    return k->kind == TICK_QUOTE || k->kind == TICK_BOOK || (k->kind == TICK_BAR && !(k->flags & BAR_FINAL));
}

bool truth_same_state(const struct truth *t, uint64_t a, uint64_t b)
{
    const struct tick *x = &t->ticks[a], *y = &t->ticks[b];
    if (!truth_is_state(t, a) || !truth_is_state(t, b) || x->kind != y->kind || x->symbol != y->symbol)
        return false;
    if (x->kind == TICK_BAR) return tick_bar_interval(x) == tick_bar_interval(y);
    if (x->kind == TICK_BOOK)
        return x->book.price == y->book.price && (x->flags & BOOK_ASK) == (y->flags & BOOK_ASK);
    return true;
}

uint32_t truth_json(const struct truth *t, uint64_t seq, char *out)
{
    char name[4]; /* needs no escape */
    const struct tick *k = &t->ticks[seq];
    truth_name(t->numbers[k->symbol], name);
    return tick_json(out, k, text_of(name));
}
