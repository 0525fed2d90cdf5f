/* admin_ask.c -- asks the workers, one after the other. Bounded: an ask that finds no room in the ring, or is
 * not taken in time, is given up, and the request is answered with 503 (decision 29). */
#include "admin/admin_internal.h"

#include "base/assert.h"
#include "base/clock.h"

static struct admin_ask *ask_get(struct admin *a, uint32_t worker);
static int ask_wait(struct admin *a, uint32_t worker, struct admin_ask *ask);
static bool answered(struct admin_ask *ask);
static int find_in(struct admin *a, const struct admin_query *q, uint32_t worker, uint32_t slot);
static void take_row(struct admin_found *f, const struct admin_query *q, const struct admin_row *row);

int admin_find(struct admin *a, const struct admin_query *q)
{
    struct admin_found *f = &a->found;
    *f = (struct admin_found){.rows = f->rows};
    uint32_t first = q->after ? q->worker : 0;
    for (uint32_t w = first; w < a->options.server->worker_count && !(f->more && q->sort == ADMIN_BY_ID);
         w++) {
        int r = find_in(a, q, w, q->after && w == first ? q->slot + 1 : 0);
        if (r < 0) return r;
    }
    if (q->sort != ADMIN_BY_ID) admin_heap_sort(f, q->sort);
    return 0;
}

static int find_in(struct admin *a, const struct admin_query *q, uint32_t worker, uint32_t slot)
{
    struct admin_found *f = &a->found;
    while (slot != UINT32_MAX && !(f->more && q->sort == ADMIN_BY_ID)) {
        struct admin_ask *ask = ask_get(a, worker);
        if (!ask) return TC_EAGAIN;
        ask->op = ADMIN_LIST;
        ask->slot = slot;
        int r = ask_wait(a, worker, ask);
        if (r < 0) return r;
        for (uint32_t i = 0; i < ask->count; i++) take_row(f, q, &ask->rows[i]);
        TC_ASSERT(ask->slot_next > slot);
        slot = ask->slot_next;
        atomic_store(&ask->state, ADMIN_FREE);
    }
    return 0;
}

static void take_row(struct admin_found *f, const struct admin_query *q, const struct admin_row *row)
{
    f->looked_at++;
    f->full += row->full;
    f->slow += row->slow;
    f->unsent_bytes += row->unsent_bytes;
    f->rest_bytes += row->rest_bytes;
    if (q->sort != ADMIN_BY_ID)
        admin_heap_offer(f, q, row);
    else if (f->count < q->top) /* rows come in this order */
        f->rows[f->count++] = *row;
    else
        f->more = true;
}

int admin_kick(struct admin *a, uint32_t worker, uint32_t slot, uint32_t generation, uint16_t code,
               const char *reason, enum admin_result *result)
{
    *result = ADMIN_GONE;
    if (worker >= a->options.server->worker_count) return 0;
    struct admin_ask *ask = ask_get(a, worker);
    if (!ask) return TC_EAGAIN;
    ask->op = ADMIN_KICK;
    ask->slot = slot;
    ask->generation = generation;
    ask->code = code;
    size_t size = strlen(reason);
    TC_ASSERT(size <= ADMIN_REASON_MAX);
    memcpy(ask->reason, reason, size + 1);
    int r = ask_wait(a, worker, ask);
    if (r < 0) return r;
    *result = ask->result;
    atomic_store(&ask->state, ADMIN_FREE);
    return 0;
}

/* One that no worker holds; NULL: all wait in the ring of a worker that does not come round. */
static struct admin_ask *ask_get(struct admin *a, uint32_t worker)
{
    for (uint32_t i = 0; i < ADMIN_ASKS - 1; i++) {
        struct admin_ask *ask = &a->asks[worker * (ADMIN_ASKS - 1) + i];
        if (atomic_load(&ask->state) == ADMIN_FREE) return ask;
    }
    return NULL;
}

static int ask_wait(struct admin *a, uint32_t worker, struct admin_ask *ask)
{
    if (!worker_ask(a->options.server->workers[worker], ask)) return TC_EAGAIN;
    uint64_t end_ns = clock_mono_ns() + a->options.ask_ns, now_ns = 0;
    while (!answered(ask) && (now_ns = clock_mono_ns()) < end_ns && !atomic_load(&a->stop)) {
        sleeper_prepare(&a->sleeper);
        if (answered(ask) || atomic_load(&a->stop))
            sleeper_cancel(&a->sleeper);
        else
            sleeper_wait(&a->sleeper, end_ns - now_ns);
    }
    if (answered(ask)) return 0;
    uint32_t state = ADMIN_ASKED;
    if (atomic_compare_exchange_strong(&ask->state, &state, ADMIN_DROPPED)) return TC_EAGAIN;
    /* It is being served at this moment: bounded work, no system call that blocks. */
    while (!answered(ask)) sched_yield();
    return 0;
}

static bool answered(struct admin_ask *ask)
{
    return atomic_load(&ask->state) == ADMIN_ANSWERED;
}
