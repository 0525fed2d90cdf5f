/* cmd/bench_deflate.c -- permessage-deflate from the client's side. A server without context takeover, as
 * tickcast, needs one inflater for all of a thread's connections; any other feed may need one each. */
#include "cmd/bench_internal.h"

#include <stdlib.h>

static void count(struct bench_thread *t, const struct bench_conn *c, uint64_t packed, uint64_t plain);

bool bench_deflate_prepare(struct bench_thread *t)
{
    if (!bench_plan_deflate(t)) return true;
    t->inflater = inflater_create(WS_DEFLATE_BITS, false);
    t->plain = malloc(CLIENT_MESSAGE_MAX + 1);
    return t->inflater && t->plain;
}

const char *bench_deflate_agree(struct bench_thread *t, struct bench_conn *c, const struct client_deflate *d)
{
    if (!bench_plan_deflate(t)) return NULL;
    struct bench_counts *n = &t->counts[c->role];
    if (!d->agreed) {
        n->deflate_refused++;
        return t->bench->options.any
                   ? NULL
                   : "the server did not take permessage-deflate: it runs with --no-deflate,"
                     " or a proxy in between drops the offer; leave --deflate out";
    }
    n->deflate_agreed++;
    c->reader.deflate = true;
    if (!d->takeover) return NULL;
    n->deflate_takeover++;
    c->inflater = inflater_create(d->bits, true);
    return c->inflater ? NULL : "no memory to unpack its messages; use fewer --connections";
}

bool bench_deflate_unpack(struct bench_thread *t, struct bench_conn *c, struct client_message *m)
{
    uint32_t bytes;
    struct inflater *inflater = c->inflater ? c->inflater : t->inflater;
    enum deflater_result r =
        inflater_unpack(inflater, m->payload, (uint32_t)m->size, t->plain, CLIENT_MESSAGE_MAX, &bytes);
    if (r == DEFLATER_OK) {
        count(t, c, m->size, bytes);
        m->payload = t->plain;
        m->size = bytes;
        m->packed = false;
        return true;
    }
    bench_broken(t, c,
                 r == DEFLATER_TOO_BIG ? "a packed message is larger than 4 MiB when it is unpacked"
                                       : "a message is marked as packed, and is no deflate",
                 c->at.position);
    return false;
}

static void count(struct bench_thread *t, const struct bench_conn *c, uint64_t packed, uint64_t plain)
{
    if (!bench_measuring(t)) return;
    struct bench_counts *n = &t->counts[c->role];
    n->packed++;
    n->packed_bytes += packed;
    n->plain_bytes += plain;
    if (c->role == ROLE_READER)
        series_now(t->series, clock_mono_ns())->saved_bytes += (int64_t)plain - (int64_t)packed;
}
