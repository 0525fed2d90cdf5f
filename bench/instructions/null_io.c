#include "bench/instructions/null_io.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCEPTS_MAX 64u

struct arrival {
    uint32_t slot, generation, number;
};

struct null_io {
    struct io base;
    struct io_options options;
    null_io_request *request;
    void *context;
    uint32_t accepted, backlog;            /* numbers below: handed out; there at all */
    uint32_t arrival_count, arrived, lent; /* requests that wait, those received, buffers out */
    struct arrival *arrivals;              /* by attach; options.slots of them */
    char (*buffers)[NULL_IO_REQUEST_MAX];  /* options.buffers of them */
    uint32_t send_count;
};

static struct null_io *of(struct io *io)
{
    return (struct null_io *)io;
}

static int null_listen(struct io *io, int fd, uint32_t listener, struct fault *f)
{
    (void)io, (void)fd, (void)listener, (void)f;
    return 0;
}

static void null_listen_stop(struct io *io)
{
    of(io)->backlog = of(io)->accepted;
}

static int null_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle)
{
    struct null_io *n = of(io);
    TC_ASSERT(n->arrival_count < n->options.slots);
    n->arrivals[n->arrival_count++] = (struct arrival){slot, generation, (uint32_t)handle};
    return 0;
}

static void null_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size)
{
    (void)io, (void)handle, (void)bytes, (void)size;
    TC_ASSERT(!"a connection was refused"); /* then nothing that is counted means what it says */
}

static void null_slot(struct io *io, uint32_t slot)
{
    (void)io, (void)slot;
}

static void null_buffer_done(struct io *io, uint32_t buffer)
{
    TC_ASSERT(of(io)->lent > 0);
    TC_ASSERT(buffer < of(io)->options.buffers);
    of(io)->lent--;
}

static void null_detach(struct io *io, uint32_t slot, int how)
{
    (void)io, (void)slot, (void)how;
}

static void null_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size)
{
    (void)slot, (void)bytes;
    struct null_io *n = of(io);
    TC_ASSERT(n->send_count < n->options.sends_max);
    n->send_count++;
    n->base.counters.sent_bytes += size;
}

static uint32_t null_send_flush(struct io *io, struct io_sent *failed)
{
    (void)failed;
    struct null_io *n = of(io);
    n->base.counters.enters++;
    n->base.counters.sends += n->send_count;
    n->send_count = 0;
    return 0;
}

static uint32_t null_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns)
{
    (void)wait_ns;
    struct null_io *n = of(io);
    uint32_t count = 0;
    /* A few at a time, as from a listener: a worker bounds those that have not asked yet (decision 29). */
    bool all_asked = n->arrived == n->arrival_count;
    while (all_asked && count < ACCEPTS_MAX && count < count_max && n->accepted < n->backlog)
        out[count++] = (struct io_event){.op = IO_ACCEPTED, .result = (int32_t)n->accepted++};
    while (count < count_max && n->arrived < n->arrival_count && n->lent < n->options.buffers) {
        const struct arrival *a = &n->arrivals[n->arrived];
        uint32_t buffer = n->arrived++ % n->options.buffers;
        uint32_t size = n->request(n->context, a->number, n->buffers[buffer]);
        n->lent++;
        out[count++] = (struct io_event){.op = IO_RECEIVED,
                                         .slot = a->slot,
                                         .generation = a->generation,
                                         .result = (int32_t)size,
                                         .buffer = buffer,
                                         .bytes = (uint8_t *)n->buffers[buffer]};
    }
    return count;
}

static int64_t null_unsent(struct io *io, uint32_t slot)
{
    (void)io, (void)slot;
    return 0;
}

static void null_peer(struct io *io, int32_t handle, char *out, size_t size)
{
    (void)io, (void)handle;
    snprintf(out, size, "192.0.2.1");
}

static void null_close(struct io *io)
{
    free(of(io)->arrivals);
    free(of(io)->buffers);
    free(io);
}

static const struct io_ops null_ops = {.name = "null",
                                       .listen = null_listen,
                                       .listen_stop = null_listen_stop,
                                       .attach = null_attach,
                                       .refuse = null_refuse,
                                       .receive_pause = null_slot,
                                       .receive_resume = null_slot,
                                       .buffer_done = null_buffer_done,
                                       .writable_arm = null_slot,
                                       .detach = null_detach,
                                       .shutdown_write = null_slot,
                                       .send_add = null_send_add,
                                       .send_flush = null_send_flush,
                                       .wait = null_wait,
                                       .unsent = null_unsent,
                                       .peer = null_peer,
                                       .close = null_close};

struct null_io *null_io_open(const struct io_options *o, null_io_request *request, void *context)
{
    struct null_io *n = calloc(1, sizeof *n);
    TC_ASSERT(n != NULL);
    n->base.ops = &null_ops;
    n->options = *o;
    n->request = request;
    n->context = context;
    n->arrivals = calloc(o->slots, sizeof *n->arrivals);
    n->buffers = calloc(o->buffers, sizeof *n->buffers);
    TC_ASSERT(n->arrivals && n->buffers);
    return n;
}

struct io *null_io_base(struct null_io *n)
{
    return &n->base;
}

void null_io_connect(struct null_io *n, uint32_t count)
{
    TC_ASSERT(count <= n->options.slots);
    n->backlog = count;
}
