/* feeds/feed_writer.c -- from a feed into the log: gathers a batch, stamps it, tells what was lost (decision
 * 10) and forgets the feed's symbols when it is reset (decision 11). Thread: the feed thread. */
#include "feeds/feed_writer.h"

#include "base/assert.h"
#include "base/clock.h"

#include <stdlib.h>

struct feed_loss {
    uint64_t count; /* not told yet */
    bool unknown;   /* some of it of unknown size: told as null */
    bool pending, told;
    uint64_t told_ns; /* monotonic; when `told` */
};

struct feed_writer {
    struct log *log;
    struct feed_clock clock;
    char name[FEED_NAME_MAX]; /* zero-padded, as in the tick */
    uint64_t ticks, lost;
    struct feed_loss losses[FEED_REASONS];
    uint64_t symbols[SYMBOLS_MAX / 64]; /* bit = id: a symbol of this feed */
    uint32_t count;
    struct tick batch[LOG_BATCH_MAX];
};

static void append_state(struct feed_writer *w, const struct tick_feed *payload, uint8_t flags);
static void tell_loss(struct feed_writer *w, enum feed_reason reason);
static uint64_t loss_due_ns(const struct feed_loss *loss);
static void forget_symbols(struct feed_writer *w);

struct feed_writer *feed_writer_open(struct log *log, const char *name)
{
    struct feed_writer *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->log = log;
    feed_writer_rename(w, name);
    return w;
}

void feed_writer_rename(struct feed_writer *w, const char *name)
{
    memset(w->name, 0, sizeof w->name);
    memcpy(w->name, name, strnlen(name, FEED_NAME_MAX));
}

void feed_writer_close(struct feed_writer *w)
{
    if (!w) return;
    TC_ASSERT(w->count == 0);
    free(w);
}

void feed_writer_clock(struct feed_writer *w, const struct feed_clock *clock)
{
    w->clock = *clock;
}

int64_t feed_symbol(struct feed_writer *w, struct text name)
{
    int64_t id = log_symbol(w->log, name, (int64_t)w->clock.real_ns);
    if (id == TC_ELIMIT) feed_lost(w, FEED_REASON_SYMBOLS, 1);
    if (id < 0) return id;
    TC_ASSERT(id < SYMBOLS_MAX);
    w->symbols[id / 64] |= UINT64_C(1) << (id % 64);
    return id;
}

void feed_push(struct feed_writer *w, const struct tick *t)
{
    struct tick *slot = &w->batch[w->count];
    *slot = *t;
    if (t->kind != TICK_BAR) slot->ingest_ns = (int64_t)w->clock.real_ns;
    w->ticks++;
    if (++w->count == LOG_BATCH_MAX) feed_flush(w);
}

void feed_flush(struct feed_writer *w)
{
    if (w->count == 0) return;
    log_append(w->log, w->batch, w->count);
    w->count = 0;
}

void feed_lost(struct feed_writer *w, enum feed_reason reason, uint64_t count)
{
    TC_ASSERT(reason > FEED_REASON_NONE);
    TC_ASSERT(reason < FEED_REASONS);
    if (count == 0) return;
    struct feed_loss *loss = &w->losses[reason];
    loss->pending = true;
    if (count == FEED_LOST_UNKNOWN) {
        loss->unknown = true;
        return;
    }
    loss->count += count;
    w->lost += count;
}

void feed_state(struct feed_writer *w, enum feed_state state, bool reset)
{
    TC_ASSERT(state != FEED_LOST); /* losses carry a count: feed_lost */
    feed_flush(w);
    for (uint32_t reason = 1; reason < FEED_REASONS; reason++)
        if (w->losses[reason].pending)
            tell_loss(w, (enum feed_reason)reason); /* before anything later is said */
    /* Before the reset can be read: who has passed it must not find old values in the writer's table. */
    if (reset) forget_symbols(w);
    append_state(w, &(struct tick_feed){.state = (uint8_t)state}, reset ? FEED_RESET : 0);
}

static void append_state(struct feed_writer *w, const struct tick_feed *payload, uint8_t flags)
{
    int64_t now_ns = (int64_t)w->clock.real_ns;
    struct tick t = {.event_ns = now_ns, .kind = TICK_FEED, .flags = flags, .ingest_ns = now_ns};
    t.feed = *payload;
    memcpy(t.feed.name, w->name, sizeof t.feed.name);
    log_append(w->log, &t, 1);
}

void feed_writer_tell_losses(struct feed_writer *w)
{
    for (uint32_t reason = 1; reason < FEED_REASONS; reason++) {
        if (loss_due_ns(&w->losses[reason]) > w->clock.mono_ns) continue;
        feed_flush(w);
        tell_loss(w, (enum feed_reason)reason);
    }
}

uint64_t feed_writer_losses_due_ns(const struct feed_writer *w)
{
    uint64_t due_ns = FEED_NEVER;
    for (uint32_t reason = 1; reason < FEED_REASONS; reason++)
        due_ns = min_u64(due_ns, loss_due_ns(&w->losses[reason]));
    return due_ns;
}

static uint64_t loss_due_ns(const struct feed_loss *loss)
{
    if (!loss->pending) return FEED_NEVER;
    return loss->told ? loss->told_ns + NS_PER_SECOND : 0;
}

static void tell_loss(struct feed_writer *w, enum feed_reason reason)
{
    struct feed_loss *loss = &w->losses[reason];
    append_state(w,
                 &(struct tick_feed){.state = FEED_LOST,
                                     .reason = (uint8_t)reason,
                                     .lost = loss->unknown ? FEED_LOST_UNKNOWN : loss->count},
                 0);
    *loss = (struct feed_loss){.told = true, .told_ns = w->clock.mono_ns};
}

static void forget_symbols(struct feed_writer *w)
{
    for (uint32_t word = 0; word < SYMBOLS_MAX / 64; word++)
        for (uint64_t bits = w->symbols[word]; bits != 0; bits &= bits - 1)
            log_forget(w->log, word * 64 + (uint32_t)__builtin_ctzll(bits));
}

uint64_t feed_writer_ticks(const struct feed_writer *w)
{
    return w->ticks;
}
uint64_t feed_writer_lost(const struct feed_writer *w)
{
    return w->lost;
}
