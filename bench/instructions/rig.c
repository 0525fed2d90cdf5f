#include "bench/instructions/rig.h"

#include "base/aligned.h"
#include "base/assert.h"
#include "base/random.h"
#include "bench/instructions/null_io.h"
#include "bench/tick_mix.h"
#include "worker/worker.h"

#include <stdio.h>
#include <stdlib.h>

#define TURNS_MAX 1000000u

struct rig {
    struct rig_options options;
    struct settings settings;
    struct server server;
    struct null_io *net;
    struct worker *worker;
    struct random random; /* of the lists */
    uint64_t now_ns, ticks;
    struct tick made[RIG_BATCH_MAX];
};

/* Ages are counted as in the program, without its system call: a tick is a millisecond old wherever it is
 * seen. */
static uint64_t stamp_now;
static uint64_t stamp(void)
{
    return stamp_now;
}

static struct io *open_io(void *context, int wake_fd, struct fault *f)
{
    (void)wake_fd, (void)f;
    return null_io_base(((struct rig *)context)->net);
}

/* Every list: RIG_LIST symbols, the same list for the same number in every run. */
static uint32_t request(void *context, uint32_t number, char *out)
{
    struct rig *r = context;
    char symbols[NULL_IO_REQUEST_MAX / 2] = "*";
    uint32_t used = 0;
    for (uint32_t i = 0; r->options.lists && i < RIG_LIST; i++) {
        uint32_t first = i * (RIG_SYMBOLS / RIG_LIST); /* one of each stretch: no symbol twice */
        uint32_t symbol = first + (uint32_t)random_below(&r->random, RIG_SYMBOLS / RIG_LIST);
        used += (uint32_t)snprintf(symbols + used, sizeof symbols - used, "%sS%03u", i ? "," : "", symbol);
    }
    int size = snprintf(out, NULL_IO_REQUEST_MAX,
                        "GET /v1/ws?symbols=%s&snapshot=0&heartbeat=86400&frame=%s HTTP/1.1\r\n"
                        "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %05uaaaaaaaaaaaaaaaaa==\r\n%s%s\r\n",
                        symbols, r->options.tick_frames ? "tick" : "batch", number,
                        r->options.binary ? "Sec-WebSocket-Protocol: tickcast.v1.bin\r\n" : "",
                        r->options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    TC_ASSERT(size > 0 && size < (int)NULL_IO_REQUEST_MAX);
    return (uint32_t)size;
}

struct rig *rig_open(const struct rig_options *o)
{
    struct rig *r = aligned_zeroed(sizeof *r);
    TC_ASSERT(r != NULL);
    r->options = *o;
    r->now_ns = NS_PER_SECOND;
    random_seed(&r->random, 1);
    settings_default(&r->settings);
    r->settings.connections_max = o->subscribers + 16;
    r->settings.log_capacity = 16384;
    r->settings.symbols_max = 512;
    r->settings.ping_interval_ns = 3600 * NS_PER_SECOND;
    struct log_options lo = {
        .capacity = 16384, .symbols_max = 512, .bars_max = 64, .epoch = 1, .stamp_ns = stamp};
    r->server = (struct server){.settings = &r->settings, .version = "bench", .log = log_create(&lo, NULL)};
    struct io_options io = {.slots = o->subscribers + 16, .buffers = 1024, .sends_max = 128, .wake_fd = -1};
    r->net = null_io_open(&io, request, r);
    int fd = -1;
    struct worker_options wo = {.server = &r->server,
                                .cpu = -1,
                                .io_open = open_io,
                                .io_context = r,
                                .listen_fds = &fd,
                                .listen_count = 1,
                                .stamp_ns = stamp,
                                .seed = 1};
    TC_ASSERT(r->server.log && worker_create(&r->worker, &wo, NULL) == 0);
    r->server.workers[0] = r->worker;
    r->server.worker_count = 1;
    worker_clock(r->worker, r->now_ns);
    TC_ASSERT(worker_open_io(r->worker, NULL) == 0);
    for (uint32_t i = 0; i < RIG_SYMBOLS; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "S%03u", i);
        TC_ASSERT(log_symbol(r->server.log, (struct text){name, (size_t)size}, (int64_t)r->now_ns) >= 0);
    }
    rig_settle(r);
    return r;
}

void rig_close(struct rig *r)
{
    worker_destroy(r->worker);
    log_destroy(r->server.log);
    settings_free(&r->settings);
    free(r);
}

void rig_connect(struct rig *r)
{
    null_io_connect(r->net, r->options.subscribers);
}

uint32_t rig_turn(struct rig *r)
{
    r->now_ns += 1000;
    return worker_turn(r->worker, r->now_ns, r->now_ns, 0);
}

void rig_settle(struct rig *r)
{
    for (uint32_t turns = 0; rig_turn(r) > 0; turns++) TC_ASSERT(turns < TURNS_MAX);
}

void rig_append(struct rig *r, uint32_t count)
{
    rig_make(r, count);
    rig_append_made(r, 0, count);
}

void rig_make(struct rig *r, uint32_t count)
{
    TC_ASSERT(count <= RIG_BATCH_MAX);
    for (uint32_t i = 0; i < count; i++) r->made[i] = tick_mix(r->ticks++, RIG_SYMBOLS);
    stamp_now = (uint64_t)r->made[0].event_ns + NS_PER_MS;
}

void rig_append_made(struct rig *r, uint32_t first, uint32_t count)
{
    TC_ASSERT(first + count <= RIG_BATCH_MAX);
    log_append(r->server.log, r->made + first, count);
}

uint64_t rig_sends(const struct rig *r)
{
    return null_io_base(r->net)->counters.sends;
}

uint64_t rig_bytes(const struct rig *r)
{
    return null_io_base(r->net)->counters.sent_bytes;
}

uint64_t rig_subscribed(const struct rig *r)
{
    return worker_counters(r->worker)->subscribers;
}
