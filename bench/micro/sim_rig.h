/* bench/micro/sim_rig.h -- the simulator as a feed on a log, behind plain calls (see core_rig.h). */
#ifndef TC_BENCH_SIM_RIG_H
#define TC_BENCH_SIM_RIG_H

#include <stdint.h>

typedef struct sim_rig sim_rig;

/* uri: "sim:?rate=0&..." */
sim_rig *sim_rig_make(const char *uri);
void sim_rig_free(sim_rig *r);
/* One poll into the log, with a clock that goes on by elapsed_ns. Returns the ticks. */
uint32_t sim_rig_poll(sim_rig *r, uint64_t elapsed_ns);

#endif
