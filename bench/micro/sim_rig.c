#include "bench/micro/sim_rig.h"

#include "base/assert.h"
#include "feeds/feed_writer.h"

#include <stdlib.h>

struct sim_rig {
    struct log *log;
    struct feed_writer *writer;
    struct feed *feed;
    struct feed_clock clock;
};

sim_rig *sim_rig_make(const char *text)
{
    struct feed_uri uri;
    struct sim_rig *r = calloc(1, sizeof *r);
    TC_ASSERT(r);
    r->log = log_create(&(struct log_options){.capacity = 1u << 18, .symbols_max = 65536, .bars_max = 65536},
                        NULL);
    TC_ASSERT(r->log);
    r->writer = feed_writer_open(r->log, "sim");
    TC_ASSERT(r->writer);
    TC_ASSERT(feed_uri_parse(&uri, text, NULL) == 0);
    TC_ASSERT(feed_sim.open(&r->feed, &uri, NULL) == 0);
    r->clock = (struct feed_clock){.mono_ns = 1, .real_ns = UINT64_C(1700000000000000000)};
    return r;
}

void sim_rig_free(sim_rig *r)
{
    r->feed->ops->close(r->feed);
    feed_writer_close(r->writer);
    log_destroy(r->log);
    free(r);
}

uint32_t sim_rig_poll(sim_rig *r, uint64_t elapsed_ns)
{
    r->clock.mono_ns += elapsed_ns;
    r->clock.real_ns += elapsed_ns;
    feed_writer_clock(r->writer, &r->clock);
    int rc = r->feed->ops->poll(r->feed, r->writer, &r->clock, 4096, NULL);
    TC_ASSERT(rc >= 0);
    feed_flush(r->writer);
    return (uint32_t)rc;
}
