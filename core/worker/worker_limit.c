/* worker/worker_limit.c -- a limit was met: counted, and said in the program's log, at most once a second for
 * each limit. */
#include "worker/worker_internal.h"

void limit_met(struct worker *w, enum limit which)
{
    counter_add(&w->counters.limits[which], 1);
    uint32_t suppressed;
    if (!diag_may(&w->limit_rates[which], w->now_ns, 1, &suppressed)) return;
    diag(DIAG_WARN, "limit", D_NUM("worker", w->options.index), D_TEXT("limit", limit_word(which)),
         D_NUM("connections", w->conn_count), D_NUM("suppressed", suppressed));
}

void limit_close(struct worker *w, struct conn *c, enum limit which, uint16_t code, const char *reason)
{
    if (!conn_live(c)) return; /* counted once */
    limit_met(w, which);
    counter_add(code == WS_TOO_SLOW ? &w->counters.closed_slow_total : &w->counters.closed_limit_total, 1);
    conn_want_close(w, c, code, reason);
}

void limit_memory(struct worker *w, struct conn *c)
{
    limit_close(w, c, LIMIT_FILTER_MEMORY, WS_POLICY, "memory");
}
