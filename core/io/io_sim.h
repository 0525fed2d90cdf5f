/* io/io_sim.h -- a simulated network behind the seam: the third `struct io`, and the other side of it for
 * tests.
 *
 * One thread, one seed, one virtual clock: the same calls give the same events and the same bytes. Nothing
 * waits: a wait that finds nothing notes until when its caller would have slept and returns 0; the test moves
 * the clock.
 *
 *     struct sim *sim = sim_open(&io_options, &sim_options, &fault);
 *     worker uses sim_io(sim); the test plays the peers:
 *     int32_t peer = sim_connect(sim, 0);              a connection stands in the listener's backlog
 *     sim_peer_send(sim, peer, "GET ...", n);          bytes to the worker
 *     sim_peer_read(sim, peer, out, size);             bytes from the worker: makes room
 *     sim_advance_to(sim, sim_next_ns(sim));           to the next thing that happens
 *
 * What the seam forbids is asserted: two sends for one slot in one flush, anything on a slot that is not
 * attached (so: use after detach), a buffer given back twice, a handle attached or refused twice, a slot
 * attached again with the generation it had before, a wait while offered sends are not flushed.
 *
 * A peer's socket: `window` bytes from us fit until it reads. Faults (per million chances, each taken from
 * the seed) act only through things that real networks do, and never break the order of one stream. */
#ifndef TC_IO_IO_SIM_H
#define TC_IO_IO_SIM_H

#include "io/io.h"

#include <stdbool.h>
#include <stdint.h>

struct sim;

struct sim_faults {
    uint64_t seed;
    uint32_t short_ppm;   /* per send: a random part of it is taken */
    uint32_t full_ppm;    /* per send: nothing is taken though there is room */
    uint32_t room_ppm;    /* before each send: the network moved some bytes on to its peer, room came free */
    uint32_t reset_ppm;   /* per send, receive, accept: the connection is reset */
    uint32_t reorder_ppm; /* per event: another connection's comes first */
    uint32_t
        early_ppm; /* per flush: what arrived meanwhile is met now, so that it is in hand before the wait */
    uint32_t accept_error_ppm; /* per accept: EMFILE, and accepting rests */
    uint32_t no_buffer_ppm;    /* per receive: no buffer, the bytes come later */
    uint32_t half_open_ppm;    /* per connection: its peer never takes a byte (sim_peer_read gives none) */
    uint32_t writable_ppm;     /* per wait and armed slot: told of room that there is not */
    uint32_t queue_ppm;    /* per wait: the completion queue is full at a few events, the rest comes later */
    uint64_t delay_ns_max; /* bytes, room and connections become visible up to this much later */
};

struct sim_options {
    struct sim_faults faults;
    uint32_t peers_max;  /* at the same time, until sim_peer_free */
    uint32_t window_max; /* bytes; every peer starts with this window */
    uint64_t start_ns;   /* of the virtual clock */
};

/* How often each fault happened: a test that wants one proves that it came. */
struct sim_seen {
    uint64_t shorts, fulls, rooms, resets, reorders, earlies, accept_errors, no_buffers, half_opens, spurious,
        stale, queues;
};

/* NULL: out of address space. Owner: the caller; closed by sim_io(sim)->ops->close. */
struct sim *sim_open(const struct io_options *options, const struct sim_options *sim_options,
                     struct fault *fault);
struct io *sim_io(struct sim *sim);
const struct sim_seen *sim_seen(const struct sim *sim);
uint32_t sim_buffers_lent(const struct sim *sim); /* receive buffers that the worker has */
/* Of all bytes that went out so far, to whom and in which order: equal runs have equal digests. */
uint64_t sim_digest(const struct sim *sim);
/* No faults from here on, whoever was half open reads again. Delays that were rolled stay. */
void sim_heal(struct sim *sim);
/* Walks everything and asserts that it fits together. */
void sim_check(const struct sim *sim);

/* ---- clock ---- */
uint64_t sim_now_ns(const struct sim *sim);
void sim_advance_to(struct sim *sim, uint64_t now_ns); /* never back */
/* The earliest of: something becomes visible to the worker; the end of the sleep it asked for last. At least
 * now. */
uint64_t sim_next_ns(const struct sim *sim);
/* Until when the last wait would have slept; 0: it found something or did not want to wait. */
uint64_t sim_sleep_until_ns(const struct sim *sim);
/* The worker's next wait has an IO_WOKEN. (One that is sent through io_options.wake_fd is seen as well.) */
void sim_wake(struct sim *sim);

/* ---- peers: small numbers, reused after sim_peer_free ---- */
enum sim_end {
    SIM_OPEN,
    SIM_EOF,   /* the worker ended the stream, and every byte was read */
    SIM_RESET, /* the connection is dead, and the bytes that survived were read */
};
#define SIM_REFUSED (-1)
/* SIM_REFUSED: nobody listens there, or peers_max peers exist. From 192.0.2.1. */
int32_t sim_connect(struct sim *sim, uint32_t listener);
int32_t sim_connect_from(struct sim *sim, uint32_t listener, const char *address);
/* Bytes taken: 0 if the stream is full (window_max unread by the worker) or over. */
uint32_t sim_peer_send(struct sim *sim, int32_t peer, const void *bytes, uint32_t size);
uint32_t sim_peer_read(struct sim *sim, int32_t peer, void *out, uint32_t size);
uint32_t sim_peer_readable(const struct sim *sim, int32_t peer);
/* Sends of the worker to this peer that were not taken whole so far. */
uint32_t sim_peer_cuts(const struct sim *sim, int32_t peer);
enum sim_end sim_peer_end(const struct sim *sim, int32_t peer);
/* Bytes from the worker that fit until the peer reads; at most window_max. */
void sim_peer_window(struct sim *sim, int32_t peer, uint32_t bytes);
/* shutdown: end of file for the worker, the peer still reads. */
void sim_peer_shutdown(struct sim *sim, int32_t peer);
/* IO_CLOSE_FIN (a reset if it leaves bytes unread) or IO_CLOSE_RESET. */
void sim_peer_close(struct sim *sim, int32_t peer, int how);
/* Closes if it is open (IO_CLOSE_FIN), and gives the number back. */
void sim_peer_free(struct sim *sim, int32_t peer);

#endif
