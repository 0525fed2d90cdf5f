/* A connection that goes while it stands in the line of those with something owed: who gets its slot next
 * must not stand there twice, or two sends for one socket would go into one submission (decision 2). */
#include "base/clock.h"
#include "io/io_sim.h"
#include "worker/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SLOTS 1024u
#define MANY  1000u /* several turns' worth of single sends */

struct rig {
    struct settings settings;
    struct server server;
    struct sim *sim;
    struct worker *worker;
    int32_t peers[MANY];
};

static struct io *open_io(void *context, int wake_fd, struct fault *f)
{
    (void)wake_fd;
    (void)f;
    return sim_io(context);
}

static void turn_after(struct rig *r, uint64_t ns)
{
    uint64_t now_ns = sim_now_ns(r->sim) + ns;
    sim_advance_to(r->sim, now_ns);
    worker_turn(r->worker, now_ns, now_ns, 0);
    worker_check(r->worker);
}

static void open_rig(struct rig *r)
{
    settings_default(&r->settings);
    r->settings.connections_max = SLOTS;
    r->settings.log_capacity = 1024;
    r->settings.symbols_max = 64;
    r->settings.ping_interval_ns = 3600 * NS_PER_SECOND; /* nobody here answers pings */
    struct log_options lo = {.capacity = 1024, .symbols_max = 64, .bars_max = 64};
    r->server = (struct server){.settings = &r->settings, .version = "sim", .log = log_create(&lo, NULL)};
    struct io_options io = {
        .slots = SLOTS, .buffers = SLOTS, .buffer_bytes = 4096, .sends_max = 128, .wake_fd = -1};
    struct sim_options so = {.peers_max = SLOTS, .window_max = 1 << 16, .start_ns = NS_PER_SECOND};
    r->sim = sim_open(&io, &so, NULL);
    int fd = 0;
    struct worker_options o = {.server = &r->server,
                               .cpu = -1,
                               .io_open = open_io,
                               .io_context = r->sim,
                               .listen_fds = &fd,
                               .listen_count = 1,
                               .seed = 1};
    assert_int_equal(worker_create(&r->worker, &o, NULL), 0);
    worker_clock(r->worker, sim_now_ns(r->sim));
    assert_int_equal(worker_open_io(r->worker, NULL), 0);
}

static int32_t join(struct rig *r)
{
    static const char request[] =
        "GET /v1/ws?symbols=*&heartbeat=1&snapshot=0 HTTP/1.1\r\nHost: localhost\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    int32_t peer = sim_connect(r->sim, 0);
    assert_true(peer >= 0);
    assert_int_equal(sim_peer_send(r->sim, peer, request, sizeof request - 1), sizeof request - 1);
    return peer;
}

static uint32_t drain(struct rig *r, int32_t peer, char *out, uint32_t room)
{
    uint32_t used = 0, got;
    do {
        got = sim_peer_read(r->sim, peer, out + used, room - used);
        used += got;
    } while (got > 0 && used < room);
    return used;
}

static void a_slot_that_is_taken_again_stands_once_in_line(void **state)
{
    (void)state;
    static struct rig r;
    static char bytes[1 << 16];
    open_rig(&r);
    for (uint32_t i = 0; i < MANY; i++) { /* few at a time: most slots are for those that shook hands */
        r.peers[i] = join(&r);
        if (i % 64 == 63) turn_after(&r, NS_PER_US);
    }
    for (int i = 0; i < 20; i++) turn_after(&r, NS_PER_MS);
    for (uint32_t i = 0; i < MANY; i++) assert_true(drain(&r, r.peers[i], bytes, sizeof bytes) > 0);
    assert_int_equal(counter_get(&worker_counters(r.worker)->subscribers), MANY);
    turn_after(&r, 2 * NS_PER_SECOND); /* a heartbeat is owed to all: more than one turn can send */
    int32_t newcomer = -1;
    for (uint32_t i = MANY - 40; i < MANY; i += 20) { /* whoever is last in line goes, and others come */
        sim_peer_close(r.sim, r.peers[i], IO_CLOSE_RESET);
        newcomer = join(&r);
        turn_after(&r, NS_PER_US);
    }
    for (int i = 0; i < 20; i++) turn_after(&r, NS_PER_MS);
    uint32_t size = drain(&r, newcomer, bytes, sizeof bytes);
    assert_non_null(memmem(bytes, size, "\"type\":\"subscribed\"", 19));
    assert_int_equal(counter_get(&worker_counters(r.worker)->subscribers), MANY);
    worker_destroy(r.worker);
    log_destroy(r.server.log);
    settings_free(&r.settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_slot_that_is_taken_again_stands_once_in_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
