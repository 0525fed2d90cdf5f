/* io/io_sim_inner.h -- the simulated network's own structure, for io_sim*.c only. */
#ifndef TC_IO_IO_SIM_INNER_H
#define TC_IO_IO_SIM_INNER_H

#include "base/random.h"
#include "config/limits.h"
#include "io/io_buffers.h"
#include "io/io_sim.h"

#define SIM_NONE         UINT32_MAX
#define SIM_ADDRESS_SIZE 48

struct sim_pipe { /* one direction: a ring of bytes that begins anew when it is empty */
    uint8_t *at;
    uint32_t first, count, capacity;
};

enum sim_side { /* the worker's side of a connection */
                SIM_FREE,
                SIM_BACKLOG,
                SIM_ACCEPTED, /* in an IO_ACCEPTED event, or with the worker as a handle */
                SIM_ATTACHED,
                SIM_CLOSING, /* detached; closed inside the next wait */
                SIM_CLOSED,
};

struct sim_conn {
    enum sim_side side;
    uint32_t listener, slot, generation;
    int closing_how;
    bool wanted, polled, offered; /* by the worker: receiving, waiting for room, a send in this flush */
    bool ended_told, half_told;   /* to the worker */
    bool out_ended;               /* the worker ended its stream */
    bool in_ended;                /* the peer ended its stream */
    bool reset;                   /* dead for both */
    bool peer_closed, peer_freed;
    bool half_open;                                       /* fault: the peer takes nothing */
    uint64_t accept_at_ns, receive_at_ns, writable_at_ns; /* visible from then on */
    struct sim_pipe out, in;                              /* to the peer; from the peer */
    uint32_t window, unacked; /* unacked: bytes of out that count against the window */
    uint32_t cuts;            /* sends that it did not take whole */
    char address[SIM_ADDRESS_SIZE];
};

struct sim_send {
    const uint8_t *bytes;
    uint32_t conn, size;
};

struct sim_slot {
    uint32_t conn; /* SIM_NONE: not attached */
    uint32_t generation;
    bool used; /* had a generation before */
};

struct sim_listener {
    bool on;
    uint64_t rest_until_ns;
};

struct sim {
    struct io io; /* first: what the worker sees */
    struct io_options options;
    struct sim_options sim_options;
    struct random random;
    struct sim_seen seen;
    uint64_t now_ns, sleep_until_ns, digest;
    uint32_t wakes;
    struct sim_conn *conns; /* peers_max; the index is handle and peer number */
    uint32_t conns_high;    /* conns in use are below */
    struct sim_slot *slots;
    struct sim_listener listeners[LISTENERS_MAX];
    struct sim_send *sends;
    uint32_t send_count;
    struct io_event *events; /* in hand, in order */
    uint32_t event_count, events_max;
    struct io_buffers buffers;
};

/* io_sim_net.c: streams and faults */
bool sim_roll(struct sim *sim, uint32_t ppm);
uint64_t sim_delayed(struct sim *sim); /* now + a random delay */
void sim_pipe_put(struct sim_pipe *p, const uint8_t *bytes, uint32_t size);
void sim_pipe_get(struct sim_pipe *p, uint8_t *out, uint32_t size); /* out NULL: drops them */
uint32_t sim_room(const struct sim_conn *c);
void sim_out(struct sim *sim, struct sim_conn *c, const uint8_t *bytes, uint32_t size); /* to the peer */
void sim_reset(struct sim *sim, struct sim_conn *c);
void sim_side_close(struct sim *sim, struct sim_conn *c, int how);
void sim_conn_reclaim(struct sim *sim, struct sim_conn *c); /* if neither side holds it any more */

/* io_sim_send.c */
void sim_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size);
uint32_t sim_send_flush(struct io *io, struct io_sent *failed);

/* io_sim_wait.c */
uint32_t sim_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns);
void sim_collect(struct sim *sim); /* what is visible now -> events in hand */

/* io_sim.c */
struct sim_conn *sim_attached(struct sim *sim, uint32_t slot); /* asserts */
void sim_buffer_done(struct io *io, uint32_t buffer);

#endif
