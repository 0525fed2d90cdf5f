/* worker/worker_admin.h -- what the administration thread asks a worker, and what a worker hands to it.
 *
 * Workers share nothing: the administration thread (one, the only asker) puts an ask into a worker's bounded
 * ring and wakes it; the worker serves at most one ask a turn, with a bounded share of work, into the ask's
 * own memory, and wakes the asker. The other way, a worker whose public port was asked for administration
 * with the right token hands the connection over whole. Full rings are told at once (503: decision 29). */
#ifndef TC_WORKER_WORKER_ADMIN_H
#define TC_WORKER_WORKER_ADMIN_H

#include "base/ring.h"
#include "base/sleeper.h"
#include "config/limits.h"
#include "worker/worker.h"

#define ADMIN_ROWS        128u  /* connections in one answer: a worker's share of one turn */
#define ADMIN_SCAN        2048u /* slots looked at for it */
#define ADMIN_ASKS        4u    /* ring of asks; one fewer fit */
#define ADMIN_HANDED      4u    /* ring of connections handed over; one fewer fit */
#define ADMIN_PATTERNS    4u    /* of a connection's rules, in a row */
#define ADMIN_PATTERN_MAX 34u
#define ADMIN_REASON_MAX  123u /* RFC 6455 5.5: a control frame's payload, without the code */
#define ADMIN_PEER_MAX    56u

/* One connection as it was in the turn that served the ask. */
struct admin_row {
    uint32_t worker, slot, generation;
    uint32_t age_ms, full_ms; /* full_ms: for how long the socket has refused bytes; 0: it does not */
    uint64_t rate_ns;         /* least time between two frames; 0: no limit */
    uint64_t position;        /* what the client was told to be complete up to */
    uint64_t lag_ticks;       /* log positions from there to the head, where something is owed; else 0 */
    uint64_t lag_ms;          /* age of the oldest tick owed */
    uint64_t sent_bytes, ticks, conflated;
    uint64_t unsent_bytes; /* in the kernel's send queue, not yet acknowledged (SIOCOUTQ) */
    uint32_t rest_bytes;   /* held of a frame that the socket took in part */
    uint32_t gaps, rule_count;
    uint8_t state; /* enum conn_state */
    uint8_t policy, framing, encoding;
    bool subscribed, in_step, full, slow, echo, closing;
    uint8_t pattern_count;
    char peer[ADMIN_PEER_MAX];
    char patterns[ADMIN_PATTERNS][ADMIN_PATTERN_MAX];
};

enum admin_op { ADMIN_LIST, ADMIN_KICK };
enum admin_result { ADMIN_DONE, ADMIN_GONE, ADMIN_CLOSING };
/* FREE -asker-> ASKED -worker-> TAKEN -worker-> ANSWERED -asker-> FREE; an asker that has waited long enough
 * ASKED -> DROPPED, which the worker frees unserved: what was answered with 503 was not done. */
enum admin_state { ADMIN_FREE, ADMIN_ASKED, ADMIN_TAKEN, ADMIN_ANSWERED, ADMIN_DROPPED };

/* Owner: the asker; the worker's from ASKED to ANSWERED. */
struct admin_ask {
    _Atomic uint32_t state;
    enum admin_op op;
    uint32_t slot, generation; /* LIST: the first slot; KICK: whose */
    uint16_t code;             /* KICK */
    char reason[ADMIN_REASON_MAX + 1];
    /* The answer. */
    enum admin_result result;
    uint32_t slot_next; /* LIST: where to go on; UINT32_MAX: that was all */
    uint32_t count;
    struct admin_row rows[ADMIN_ROWS];
};

/* A connection of the public port that is the administration's from now on. */
struct admin_handed {
    _Atomic bool in_use;
    int fd;        /* owner: the taker; not non-blocking */
    uint32_t size; /* of the request as it was received */
    char head[HTTP_HEADER_BYTES_MAX];
};

/* Thread: the administration's. False: the ring is full. ask->state must be FREE. */
bool worker_ask(struct worker *w, struct admin_ask *ask);
/* The next connection handed over, or NULL. When the bytes were copied: in_use = false (release). */
struct admin_handed *worker_handed(struct worker *w);
/* seq_cst: for one about to sleep. */
bool worker_has_handed(const struct worker *w);

#endif
