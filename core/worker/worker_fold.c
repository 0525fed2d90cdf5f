/* worker/worker_fold.c -- reads new ticks once per worker: last values, symbols, and marks for the groups
 * that want them. A worker that was lapped rebuilds its tables from the writer's (decision 4). */
#include "worker/worker_internal.h"

#include "base/assert.h"

static void fold_tick(struct worker *w, const struct tick *t);
static void sweep_quiet(struct worker *w);
static void locate_symbol(struct worker *w, uint32_t id, uint64_t seq);
static void learn_symbols(struct worker *w, uint32_t count);
static bool refers_to(const struct conn *c, const struct group *g);
static void copy_tables(struct worker *w);
static void lapped(struct worker *w);

uint32_t fold_turn(struct worker *w)
{
    w->turn_fold_left = FOLD_TICKS;
    return fold_more(w);
}

uint32_t fold_more(struct worker *w)
{
    /* Loaded before head: every tick up to this time is at or below the head seen next. */
    uint64_t drained_ns = log_drained(w->log);
    uint64_t head = log_head(w->log);
    uint32_t done = 0;
    struct tick ticks[128];
    while (w->read_seq < head && w->turn_fold_left > 0) {
        uint32_t most = min_u32(128, w->turn_fold_left);
        int count = log_read(w->log, w->read_seq, ticks, (uint32_t)min_u64(most, head - w->read_seq));
        if (count < 0) {
            lapped(w);
            head = log_head(w->log);
            continue;
        }
        for (int i = 0; i < count; i++) fold_tick(w, &ticks[i]);
        if (age_sampled(w->read_seq, w->read_seq + (uint64_t)count))
            age_read(w, w->read_seq, ticks, (uint32_t)count);
        w->read_seq += (uint64_t)count;
        w->turn_fold_left -= (uint32_t)count;
        done += (uint32_t)count;
    }
    w->groups.seq_read = w->read_seq;
    if (done > 0) groups_mark(&w->groups, w->now_ns);
    if (w->read_seq - w->swept_seq >= log_capacity(w->log) / 16) sweep_quiet(w);
    if (w->read_seq >= head) w->complete_ns = drained_ns;
    counter_set(&w->counters.read_seq, w->read_seq);
    return done;
}

/* Who is behind and owed nothing (full, and its symbols are quiet) goes along with the log, or it would be
 * lapped over ticks that are not for it. Cohorts go along in group_mark. */
static void sweep_quiet(struct worker *w)
{
    w->swept_seq = w->read_seq;
    for (uint32_t i = 0; i < w->behind_count; i++) {
        struct conn *c = &w->conns[w->behind[i]];
        if (c->read >= group_maybe_seq(&w->groups, c->group)) c->read = max_u64(c->read, w->read_seq);
    }
}

static void fold_tick(struct worker *w, const struct tick *t)
{
    if (t->kind == TICK_SYMBOL) {
        learn_symbols(w, t->symbol + 1);
        locate_symbol(w, t->symbol, t->seq);
    } else if (t->kind == TICK_FEED) {
        /* The feed's symbols are unknown from here; the writer forgot them before it appended this tick, so
         * its table is the truth from this position on (decision 11). */
        if (t->flags & FEED_RESET) copy_tables(w);
    } else {
        last_value_fold(w->last, t);
    }
    uint32_t key = log_key(t->symbol, t->kind, false);
    if (w->groups.list_count > 0) trail_note(&w->trail, key, t->seq);
    groups_note(&w->groups, key, t->seq);
}

/* Definitions stand in the log in the order of ids: those not seen themselves (they fell to a lap) are before
 * this one. */
static void locate_symbol(struct worker *w, uint32_t id, uint64_t seq)
{
    while (w->symbols_located <= id) w->symbol_seqs[w->symbols_located++] = seq;
}

uint32_t fold_symbols_before(const struct worker *w, uint64_t position)
{
    uint32_t low = 0, high = w->symbols_located;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (w->symbol_seqs[middle] <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void learn_symbols(struct worker *w, uint32_t count)
{
    while (w->groups.symbol_count < count) {
        uint32_t id = w->groups.symbol_count;
        struct group *full = NULL;
        if (groups_add_symbol(&w->groups, id, symbol_table_name(log_symbols(w->log), id), &full) == 0)
            continue;
        /* No memory for one group's filter: its members are closed, the others go on. */
        for (uint32_t slot = 0; slot < w->conn_touched; slot++)
            if (refers_to(&w->conns[slot], full)) {
                limit_met(w, LIMIT_FILTER_MEMORY);
                counter_add(&w->counters.closed_limit_total, 1);
                conn_close(w, &w->conns[slot], IO_CLOSE_RESET);
            }
    }
}

/* In whatever way: the group must go with the last of them, or it would be met again. */
static bool refers_to(const struct conn *c, const struct group *g)
{
    if (c->state == CONN_FREE) return false;
    return c->group == g || (c->answer && c->answer->group == g) || (c->snapshot && c->snapshot->minus == g);
}

static void copy_tables(struct worker *w)
{
    uint32_t count = symbol_table_count(log_symbols(w->log));
    w->exact_seq = last_value_copy(w->last, log_last_value(w->log), count);
}

static void lapped(struct worker *w)
{
    counter_add(&w->counters.lapped_total, 1);
    uint64_t from = w->read_seq;
    w->read_seq = w->groups.seq_read = log_after_lap(w->log);
    learn_symbols(w, symbol_table_count(log_symbols(w->log)));
    copy_tables(w);
    diag(DIAG_WARN, "worker_lapped", D_NUM("worker", w->options.index), D_NUM("from", from),
         D_NUM("to", w->read_seq));
    /* Every cohort has news: its visit finds that the log no longer has it, and tells the gap. */
    for (struct group *g = w->groups.all; g; g = g->next) group_mark(&w->groups, g, w->read_seq, w->now_ns);
}
