/* A worker in its own thread: what came while it looked for events, or slept, is answered at a time after it
 * came (decision 25: from the pong's `ts` a client knows how its clock stands to the server's). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#include <stdatomic.h>
#include <time.h>

#define PINGS 20u /* every other one to a worker that sleeps */
#define APART 6u  /* waits from one to the next: its pong is out by then */

static struct rig r;
static struct client c;
static const struct io_ops *sim_ops;
/* Written by the worker's thread while it runs; main looks when it has ended. */
static uint64_t sent_ns[PINGS];
static uint32_t waits, sent, sent_at;
static _Atomic bool done;

/* Each wait takes a while, at the end of which a ping may come. */
static uint32_t wait_a_while(struct io *io, struct io_event *out, uint32_t out_max, uint64_t wait_ns)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    sim_advance_to(r.sim, sim_now_ns(r.sim) + NS_PER_MS);
    bool sleeps = wait_ns > 0;
    if (++waits >= sent_at + APART && sent < PINGS && sleeps == (sent % 2 == 1)) {
        char ping[48];
        snprintf(ping, sizeof ping, "{\"op\":\"ping\",\"id\":%u}", sent);
        sent_ns[sent++] = clock_real_ns();
        sent_at = waits;
        client_command(&c, ping);
    }
    if (sent == PINGS && waits >= sent_at + APART) atomic_store(&done, true);
    return sim_ops->wait(io, out, out_max, 0);
}

/* The rig has had it listen. */
static int listens_already(struct io *io, int fd, uint32_t index, struct fault *f)
{
    (void)io, (void)fd, (void)index, (void)f;
    return 0;
}

static void a_pong_tells_a_time_after_its_ping(void **state)
{
    (void)state;
    rig_open(&r, &(struct rig_options){.connections = 4, .log_capacity = 1024, .symbols = 64});
    client_connect(&r, &c, "symbols=NOBODY&snapshot=0");
    sim_ops = sim_io(r.sim)->ops;
    struct io_ops ops = *sim_ops;
    ops.wait = wait_a_while;
    ops.listen = listens_already;
    sim_io(r.sim)->ops = &ops;
    assert_int_equal(worker_start(r.worker, NULL), 0);
    uint64_t until_ns = clock_mono_ns() + 20 * NS_PER_SECOND;
    while (!atomic_load(&done) && clock_mono_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    worker_stop(r.worker);
    uint64_t stopped_ns = clock_real_ns();
    sim_io(r.sim)->ops = sim_ops;
    assert_true(atomic_load(&done));
    assert_true(client_upgraded(&c));
    for (uint32_t i = 0; i < PINGS; i++) {
        const char *pong = client_until(&c, "pong");
        assert_int_equal(json_number(pong, "id"), i);
        assert_true(json_number(pong, "ts") >= sent_ns[i]);
        assert_true(json_number(pong, "ts") <= stopped_ns);
    }
    client_close(&c);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_pong_tells_a_time_after_its_ping)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
