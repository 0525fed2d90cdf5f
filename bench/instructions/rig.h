/* bench/instructions/rig.h -- a log, a worker and subscribers on the null network, all in one thread, with a
 * clock that only the rig moves: the same calls execute the same instructions. */
#ifndef TC_BENCH_INSTRUCTIONS_RIG_H
#define TC_BENCH_INSTRUCTIONS_RIG_H

#include <stdbool.h>
#include <stdint.h>

#define RIG_SYMBOLS   500u
#define RIG_LIST      20u /* symbols of a watch list */
#define RIG_BATCH_MAX 256u

struct rig;

struct rig_options {
    uint32_t subscribers;
    bool lists;       /* each has a watch list of its own; false: all have "*" */
    bool tick_frames; /* a frame per tick */
    bool binary;      /* tickcast.v1.bin */
    bool deflate;     /* permessage-deflate */
};

struct rig *rig_open(const struct rig_options *o);
void rig_close(struct rig *r);
/* The subscribers stand in the backlog; turns accept, answer and subscribe them. */
void rig_connect(struct rig *r);
/* Turns until nobody has anything to do. */
void rig_settle(struct rig *r);
/* One turn; returns the work it reported. */
uint32_t rig_turn(struct rig *r);
/* Makes a batch of trades and quotes of all symbols; appends a part of it. */
void rig_make(struct rig *r, uint32_t count);
void rig_append_made(struct rig *r, uint32_t first, uint32_t count);
/* Both, of one batch. */
void rig_append(struct rig *r, uint32_t count);
uint64_t rig_sends(const struct rig *r);
uint64_t rig_bytes(const struct rig *r); /* sent */
uint64_t rig_subscribed(const struct rig *r);

#endif
