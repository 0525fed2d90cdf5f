/* The first rows of an order out of any number of them, in place: a heap with the last of the kept on top. */
#include "admin/admin_internal.h"

#include "base/assert.h"

const char *const admin_sort_names[ADMIN_SORTS] = {"lag", "bytes", "age", "queue", "id"};

static void sink(struct admin_found *f, enum admin_sort sort, uint32_t at, uint32_t count);
static int by_number(uint64_t a, uint64_t b);

void admin_heap_offer(struct admin_found *f, const struct admin_query *q, const struct admin_row *row)
{
    if (f->count < q->top) {
        uint32_t at = f->count++;
        for (; at > 0 && admin_row_before(q->sort, &f->rows[(at - 1) / 2], row); at = (at - 1) / 2)
            f->rows[at] = f->rows[(at - 1) / 2];
        f->rows[at] = *row;
        return;
    }
    f->more = true;
    if (!admin_row_before(q->sort, row, &f->rows[0])) return;
    f->rows[0] = *row;
    sink(f, q->sort, 0, f->count);
}

void admin_heap_sort(struct admin_found *f, enum admin_sort sort)
{
    for (uint32_t end = f->count; end > 1; end--) {
        struct admin_row last = f->rows[end - 1];
        f->rows[end - 1] = f->rows[0];
        f->rows[0] = last;
        sink(f, sort, 0, end - 1);
    }
}

static void sink(struct admin_found *f, enum admin_sort sort, uint32_t at, uint32_t count)
{
    struct admin_row row = f->rows[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && admin_row_before(sort, &f->rows[child], &f->rows[child + 1])) child++;
        if (!admin_row_before(sort, &row, &f->rows[child])) break;
        f->rows[at] = f->rows[child];
        at = child;
    }
    f->rows[at] = row;
}

bool admin_row_before(enum admin_sort sort, const struct admin_row *a, const struct admin_row *b)
{
    int order = 0;
    switch (sort) {
    case ADMIN_BY_LAG:
        order = by_number(b->lag_ticks, a->lag_ticks);
        if (order == 0) order = by_number(b->lag_ms, a->lag_ms);
        break;
    case ADMIN_BY_BYTES: order = by_number(b->sent_bytes, a->sent_bytes); break;
    case ADMIN_BY_AGE: order = by_number(b->age_ms, a->age_ms); break;
    case ADMIN_BY_QUEUE:
        order = by_number(b->unsent_bytes + b->rest_bytes, a->unsent_bytes + a->rest_bytes);
        break;
    case ADMIN_BY_ID: break;
    default: TC_ASSERT(false);
    }
    if (order == 0) order = by_number(a->worker, b->worker);
    if (order == 0) order = by_number(a->slot, b->slot);
    return order < 0;
}

static int by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}
