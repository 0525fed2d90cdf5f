#include "tests/sim/simnet.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_MAX 4096u

struct peer {
    struct simnet *net;
    int32_t handle;
    uint32_t slot, generation;
    bool attached, accepted, paused, armed, ended, end_told, reset, closed_by_server;
    uint8_t *in; /* to the server */
    size_t in_size, in_room;
    uint8_t *window; /* from the server */
    uint32_t window_size, window_used;
};

struct offer {
    uint32_t slot, size;
    const uint8_t *bytes;
    uint64_t sum;
};

struct simnet {
    struct io base;
    struct io_options options;
    struct faults faults;
    struct random random;
    struct peer *peers[PEERS_MAX];
    uint32_t peer_count;
    struct peer **slots;
    struct offer offers[1024];
    uint32_t offer_count;
    uint8_t *buffers;
    bool *lent;
    bool listening;
};

static const struct io_ops ops;

static bool chance(struct simnet *n, uint32_t ppm)
{
    return ppm > 0 && random_below(&n->random, 1000000) < ppm;
}

struct simnet *simnet_open(uint64_t seed, const struct faults *f, const struct io_options *o)
{
    struct simnet *n = calloc(1, sizeof *n);
    TC_ASSERT(n != NULL);
    n->base.ops = &ops;
    n->options = *o;
    n->faults = *f;
    random_seed(&n->random, seed);
    n->slots = calloc(o->slots, sizeof(struct peer *));
    n->buffers = calloc(o->buffers, o->buffer_bytes);
    n->lent = calloc(o->buffers, sizeof *n->lent);
    TC_ASSERT(n->slots && n->buffers && n->lent);
    return n;
}

struct io *simnet_io(struct simnet *n)
{
    return &n->base;
}

void simnet_heal(struct simnet *n)
{
    n->faults = (struct faults){0};
}

/* ---- The peers' side. ---- */

struct peer *peer_connect(struct simnet *n, uint32_t window)
{
    struct peer *p = calloc(1, sizeof *p);
    TC_ASSERT(p && n->peer_count < PEERS_MAX);
    *p = (struct peer){
        .net = n, .handle = (int32_t)n->peer_count, .window_size = window, .window = malloc(window)};
    n->peers[n->peer_count++] = p;
    return p;
}

void peer_send(struct peer *p, const void *bytes, size_t size)
{
    if (p->in_size + size > p->in_room) {
        p->in_room = 2 * (p->in_size + size);
        p->in = realloc(p->in, p->in_room);
        TC_ASSERT(p->in != NULL);
    }
    memcpy(p->in + p->in_size, bytes, size);
    p->in_size += size;
}

size_t peer_take(struct peer *p, void *out, size_t size)
{
    size_t n = size < p->window_used ? size : p->window_used;
    memcpy(out, p->window, n);
    p->window_used -= (uint32_t)n;
    memmove(p->window, p->window + n, p->window_used);
    return n;
}

size_t peer_waiting(const struct peer *p)
{
    return p->window_used;
}

void peer_close(struct peer *p, int reset)
{
    p->ended = true;
    p->reset = reset;
}

bool peer_closed(const struct peer *p)
{
    return p->closed_by_server;
}

void peer_free(struct peer *p)
{
    peer_close(p, 1);
    p->window_used = 0;
}

/* ---- The worker's side. ---- */

static struct simnet *net(struct io *io)
{
    return (struct simnet *)io;
}

static struct peer *at(struct io *io, uint32_t slot)
{
    TC_ASSERT(slot < net(io)->options.slots);
    TC_ASSERT(net(io)->slots[slot] != NULL); /* nothing is asked of a slot that is not attached */
    return net(io)->slots[slot];
}

static int sim_listen(struct io *io, int fd, uint32_t listener, struct fault *f)
{
    (void)fd;
    (void)listener;
    (void)f;
    net(io)->listening = true;
    return 0;
}

static void sim_listen_stop(struct io *io)
{
    net(io)->listening = false;
}

static int sim_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle)
{
    struct peer *p = net(io)->peers[handle];
    TC_ASSERT(net(io)->slots[slot] == NULL);
    p->slot = slot;
    p->generation = generation;
    p->attached = true;
    net(io)->slots[slot] = p;
    return 0;
}

static void put(struct peer *p, const uint8_t *bytes, uint32_t size)
{
    memcpy(p->window + p->window_used, bytes, size);
    p->window_used += size;
}

static void sim_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size)
{
    struct peer *p = net(io)->peers[handle];
    uint32_t room = p->window_size - p->window_used;
    put(p, bytes, size < room ? size : room);
    p->closed_by_server = true;
}

static void sim_pause(struct io *io, uint32_t slot)
{
    at(io, slot)->paused = true;
}
static void sim_resume(struct io *io, uint32_t slot)
{
    at(io, slot)->paused = false;
}
static void sim_arm(struct io *io, uint32_t slot)
{
    at(io, slot)->armed = true;
}
static void sim_shutdown(struct io *io, uint32_t slot)
{
    at(io, slot)->closed_by_server = true;
}

static void sim_buffer_done(struct io *io, uint32_t buffer)
{
    TC_ASSERT(buffer < net(io)->options.buffers);
    TC_ASSERT(net(io)->lent[buffer]);
    net(io)->lent[buffer] = false;
}

static void sim_detach(struct io *io, uint32_t slot, int how)
{
    (void)how;
    struct peer *p = at(io, slot);
    p->attached = false;
    p->closed_by_server = true;
    net(io)->slots[slot] = NULL;
}

static uint64_t sum(const uint8_t *bytes, uint32_t size)
{
    uint64_t h = 1469598103934665603u;
    for (uint32_t i = 0; i < size; i++) h = (h ^ bytes[i]) * 1099511628211u;
    return h;
}

static void sim_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size)
{
    struct simnet *n = net(io);
    TC_ASSERT(!at(io, slot)->closed_by_server);
    TC_ASSERT(size > 0);
    TC_ASSERT(n->offer_count < n->options.sends_max);
    for (uint32_t i = 0; i < n->offer_count; i++) TC_ASSERT(n->offers[i].slot != slot); /* decision 2 */
    n->offers[n->offer_count++] = (struct offer){slot, size, bytes, sum(bytes, size)};
}

static uint32_t sim_flush(struct io *io, struct io_sent *failed)
{
    struct simnet *n = net(io);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->offer_count; i++) {
        struct offer *o = &n->offers[i];
        struct peer *p = at(io, o->slot);
        TC_ASSERT(sum(o->bytes, o->size) == o->sum); /* the bytes stay put until the flush */
        n->base.counters.sends++;
        if (p->reset || chance(n, n->faults.reset_ppm)) {
            p->reset = p->ended = true;
            failed[count++] = (struct io_sent){o->slot, 0, -ECONNRESET};
            continue;
        }
        uint32_t room = p->window_size - p->window_used, taken = o->size < room ? o->size : room;
        if (chance(n, n->faults.full_ppm)) taken = 0;
        if (taken > 1 && chance(n, n->faults.short_ppm)) taken = (uint32_t)random_below(&n->random, taken);
        put(p, o->bytes, taken);
        n->base.counters.sent_bytes += taken;
        if (taken < o->size) failed[count++] = (struct io_sent){o->slot, taken, 0};
    }
    n->offer_count = 0;
    return count;
}

static bool receive(struct simnet *n, struct peer *p, struct io_event *e)
{
    if (p->paused || !p->attached) return false;
    if (p->in_size == 0 || p->reset) {
        if (!p->ended || p->end_told) return false;
        p->end_told = true;
        *e = (struct io_event){.op = IO_RECEIVED,
                               .slot = p->slot,
                               .generation = p->generation,
                               .result = p->reset ? -ECONNRESET : 0};
        return true;
    }
    if (chance(n, n->faults.no_buffer_ppm)) return false;
    for (uint32_t b = 0; b < n->options.buffers; b++) {
        if (n->lent[b]) continue;
        size_t most = p->in_size < n->options.buffer_bytes ? p->in_size : n->options.buffer_bytes;
        size_t size = 1 + random_below(&n->random, most); /* any split of the bytes */
        uint8_t *to = n->buffers + (size_t)b * n->options.buffer_bytes;
        memcpy(to, p->in, size);
        p->in_size -= size;
        memmove(p->in, p->in + size, p->in_size);
        n->lent[b] = true;
        *e = (struct io_event){.op = IO_RECEIVED,
                               .slot = p->slot,
                               .generation = p->generation,
                               .result = (int32_t)size,
                               .buffer = b,
                               .bytes = to};
        return true;
    }
    n->base.counters.receive_no_buffer++;
    return false;
}

static uint32_t sim_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns)
{
    (void)wait_ns;
    struct simnet *n = net(io);
    uint32_t count = 0, first = n->peer_count ? (uint32_t)random_below(&n->random, n->peer_count) : 0;
    for (uint32_t i = 0; i < n->peer_count && count + 3 < count_max; i++) {
        struct peer *p = n->peers[(first + i) % n->peer_count]; /* in another order each time */
        if (chance(n, n->faults.delay_ppm)) continue;
        if (!p->accepted && n->listening) {
            if (chance(n, n->faults.accept_error_ppm)) {
                out[count++] = (struct io_event){.op = IO_ACCEPTED, .result = -EMFILE};
                continue;
            }
            p->accepted = true;
            out[count++] = (struct io_event){.op = IO_ACCEPTED, .result = p->handle};
            continue;
        }
        if (receive(n, p, &out[count])) count++;
        if (p->attached && p->armed && (p->window_used < p->window_size || p->reset)) {
            p->armed = false;
            out[count++] = (struct io_event){.op = IO_WRITABLE, .slot = p->slot, .generation = p->generation};
        }
    }
    return count;
}

static int64_t sim_unsent(struct io *io, uint32_t slot)
{
    return at(io, slot)->window_used;
}

static void sim_peer(struct io *io, int32_t handle, char *out, size_t size)
{
    (void)io;
    (void)handle;
    if (size > 9) memcpy(out, "127.0.0.1", 10);
}

static void sim_close(struct io *io)
{
    struct simnet *n = net(io);
    for (uint32_t i = 0; i < n->peer_count; i++) {
        free(n->peers[i]->in);
        free(n->peers[i]->window);
        free(n->peers[i]);
    }
    free(n->slots);
    free(n->buffers);
    free(n->lent);
    free(n);
}

static const struct io_ops ops = {
    .name = "sim",
    .listen = sim_listen,
    .listen_stop = sim_listen_stop,
    .attach = sim_attach,
    .refuse = sim_refuse,
    .receive_pause = sim_pause,
    .receive_resume = sim_resume,
    .buffer_done = sim_buffer_done,
    .writable_arm = sim_arm,
    .detach = sim_detach,
    .shutdown_write = sim_shutdown,
    .send_add = sim_send_add,
    .send_flush = sim_flush,
    .wait = sim_wait,
    .unsent = sim_unsent,
    .peer = sim_peer,
    .close = sim_close,
};
