/* tests/feeds/read_all.h -- a whole file through reader_file into one array, for tests. */
#ifndef TC_TESTS_READ_ALL_H
#define TC_TESTS_READ_ALL_H

#include "feeds/reader_file.h"
#include "tick/decimal.h"

#include <stdio.h>
#include <stdlib.h>

struct read_all {
    int opened; /* of reader_file_open */
    const char *format;
    struct tick *ticks;
    uint32_t count, bad; /* bad rows passed over */
    bool fatal;
    struct fault fault;    /* the first one */
    struct reader *reader; /* for symbols; closed by read_all_free */
};

/* batch: count_max of each call. The file is read to its end, over bad rows, unless something is fatal. */
static inline struct read_all read_all(const char *path, const char *format,
                                       const struct reader_options *extra, uint32_t batch)
{
    struct read_all a = {0};
    struct reader_options o = extra ? *extra : (struct reader_options){0};
    o.path = path;
    a.opened = reader_file_open(&a.reader, format ? text_of(format) : (struct text){0}, &o, &a.fault);
    if (a.opened < 0) {
        a.reader = NULL;
        return a;
    }
    a.format = a.reader->ops->format;
    uint32_t room = 0;
    for (;;) {
        if (room - a.count < batch) {
            room = (a.count + batch) * 2;
            a.ticks = realloc(a.ticks, room * sizeof *a.ticks);
            if (!a.ticks) abort();
        }
        struct fault fault;
        int rc = a.reader->ops->next(a.reader, a.ticks + a.count, batch, &a.fatal, &fault);
        if (rc == 0) return a;
        if (rc < 0 && a.bad++ == 0) a.fault = fault;
        if (rc < 0 && a.fatal) return a;
        if (rc > 0) a.count += (uint32_t)rc;
    }
}

static inline void read_all_free(struct read_all *a)
{
    if (a->reader) a->reader->ops->close(a->reader);
    free(a->ticks);
    *a = (struct read_all){0};
}

/* "SYMBOL kind flags event price/size or bid*bid_size/ask*ask_size ..." with exact decimals: what tests
 * compare. */
static inline const char *tick_line(const struct read_all *a, const struct tick *t)
{
    static char line[400];
    struct text name = t->kind == TICK_FEED ? TEXT("-") : a->reader->ops->symbol(a->reader, t->symbol);
    int used = snprintf(line, sizeof line, "%.*s %s %u %lld", (int)name.size, name.at,
                        tick_kind_name(t->kind), t->flags, (long long)t->event_ns);
    int64_t values[5] = {0};
    uint32_t count = 0, sizes = 0; /* bit i: values[i] is a size */
    if (t->kind == TICK_TRADE || t->kind == TICK_BOOK) {
        values[0] = t->trade.price, values[1] = t->trade.size;
        count = 2, sizes = 2;
    } else if (t->kind == TICK_QUOTE) {
        values[0] = t->quote.bid, values[1] = t->quote.bid_size, values[2] = t->quote.ask,
        values[3] = t->quote.ask_size;
        count = 4, sizes = 10;
    } else if (t->kind == TICK_BAR) {
        values[0] = t->bar.open, values[1] = t->bar.high, values[2] = t->bar.low, values[3] = t->bar.close;
        values[4] = t->bar.volume;
        count = 5, sizes = 16;
    }
    for (uint32_t i = 0; i < count; i++) {
        char text[DECIMAL_TEXT_MAX];
        uint32_t size = decimal_print(text, values[i], sizes & (1u << i) ? t->size_exp : t->price_exp);
        used += snprintf(line + used, sizeof line - (size_t)used, " %.*s", (int)size, text);
    }
    if (t->kind == TICK_TRADE && t->trade.id) {
        snprintf(line + used, sizeof line - (size_t)used, " id %llu", (unsigned long long)t->trade.id);
    }
    if (t->kind == TICK_STATUS)
        snprintf(line + used, sizeof line - (size_t)used, " %s", status_state_name(t->status.state));
    return line;
}

#endif
