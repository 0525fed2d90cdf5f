#include "feeds/sim_bars.h"

#include "base/assert.h"

static void book_tick(struct tick *out, bool is_ask, int64_t price, int64_t size);
static int32_t *find_passed(struct sim_book *book, int64_t bid, int64_t ask, bool *is_ask);
static int32_t *find_price(int32_t *levels, int32_t price);

bool sim_bar_trade(struct sim_bar *bar, uint64_t second, const struct tick_trade *trade, struct tick *done)
{
    bool over = bar->second != 0 && bar->second != second + 1;
    if (over) sim_bar_tick(bar, true, done);
    if (over || bar->second == 0)
        *bar = (struct sim_bar){
            .open = trade->price, .high = trade->price, .low = trade->price, .second = second + 1};
    if (trade->price > bar->high) bar->high = trade->price;
    if (trade->price < bar->low) bar->low = trade->price;
    bar->close = trade->price;
    bar->volume += trade->size;
    return over;
}

void sim_bar_tick(const struct sim_bar *bar, bool final, struct tick *out)
{
    TC_ASSERT(bar->second != 0);
    *out = (struct tick){.kind = TICK_BAR,
                         .flags = (uint8_t)(BAR_1S << BAR_INTERVAL_SHIFT | (final ? BAR_FINAL : 0)),
                         .price_exp = -2,
                         .bar = {.open = bar->open,
                                 .high = bar->high,
                                 .low = bar->low,
                                 .close = bar->close,
                                 .volume = bar->volume}};
}

void sim_book_change(struct sim_book *book, int64_t bid, int64_t ask, uint64_t random, struct tick *out)
{
    bool is_ask = false;
    int32_t *level = find_passed(book, bid, ask, &is_ask);
    if (level) {
        book_tick(out, is_ask, *level, 0);
        *level = 0;
        return;
    }
    is_ask = random & 1;
    int64_t distance = (int64_t)((random >> 1) % 3 + (random >> 8) % 4 +
                                 (random >> 16) % 3); /* 0 to 7, most near the middle */
    int64_t price = is_ask ? ask + distance : bid - distance;
    if (price < 1) price = 1;
    int32_t *side = is_ask ? book->ask : book->bid;
    level = find_price(side, (int32_t)price);
    bool remove = level && (random >> 24) % 5 == 0;
    if (!level) level = find_price(side, 0);
    if (!level) { /* full: one makes room */
        level = &side[(random >> 32) % SIM_LEVELS];
        price = *level;
        remove = true;
    }
    *level = remove ? 0 : (int32_t)price;
    book_tick(out, is_ask, price, remove ? 0 : (int64_t)(1 + (random >> 40) % 30) * 100);
}

static void book_tick(struct tick *out, bool is_ask, int64_t price, int64_t size)
{
    *out = (struct tick){.kind = TICK_BOOK, .flags = is_ask ? BOOK_ASK : 0, .price_exp = -2};
    out->book = (struct tick_book){.price = price, .size = size};
}

static int32_t *find_passed(struct sim_book *book, int64_t bid, int64_t ask, bool *is_ask)
{
    for (uint32_t i = 0; i < SIM_LEVELS; i++) {
        if (book->bid[i] > bid) return *is_ask = false, &book->bid[i];
        if (book->ask[i] != 0 && book->ask[i] < ask) return *is_ask = true, &book->ask[i];
    }
    return NULL;
}

static int32_t *find_price(int32_t *levels, int32_t price)
{
    for (uint32_t i = 0; i < SIM_LEVELS; i++)
        if (levels[i] == price) return &levels[i];
    return NULL;
}
