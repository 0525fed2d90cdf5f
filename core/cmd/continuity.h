/* cmd/continuity.h -- is one connection's stream complete? The client's half of the proof (decision 3): each
 * frame begins where the last one ended, and nothing comes twice, late or from before a heartbeat. Pure.
 * Thread: the connection's own. */
#ifndef TC_CMD_CONTINUITY_H
#define TC_CMD_CONTINUITY_H

#include "cmd/scan.h"

struct continuity {
    uint64_t position;      /* everything matching up to here was delivered or told as gap */
    uint64_t last_seq;      /* of the last tick delivered */
    uint64_t heartbeat_seq; /* the server said: complete up to here */
    bool subscribed;
    bool resumed; /* the next `subscribed` must be at the position */
};

/* Each returns NULL, or a sentence that says what is broken. Order for one message: continuity_begin with
 * what scan_message gave; continuity_tick for each tick inside; continuity_end. A tick object by itself is a
 * message of its own: begin and end are enough. */
const char *continuity_begin(struct continuity *c, const struct scan_message *m);
const char *continuity_tick(struct continuity *c, const struct scan_message *m, uint64_t seq);
const char *continuity_end(struct continuity *c, const struct scan_message *m);

/* Where to resume: the greater of position and last heartbeat. */
static inline uint64_t continuity_resume_seq(const struct continuity *c)
{
    return max_u64(c->position, c->heartbeat_seq);
}

/* The connection is lost; the next one goes on at continuity_resume_seq. Single ticks above the position, not
 * yet covered, come again there and are no repetition. */
static inline void continuity_resume(struct continuity *c)
{
    c->position = continuity_resume_seq(c);
    c->last_seq = c->position;
    c->resumed = c->resumed || c->subscribed;
    c->subscribed = false;
}

#endif
