/* tests/sim/simnet.h -- a simulated network behind core/io/io.h: no kernel, a seed instead of chance.
 *
 * One process side (struct io, used by a worker) and one peer side (the functions here, used by a test). A
 * peer is two byte streams: what it sent waits until the worker reads it; what it was sent waits in its
 * window until the test takes it. A full window makes sends short or refused. Faults shorten and refuse sends
 * without cause, reset connections, delay and reorder events, use up receive buffers and fail accepts. The
 * same seed gives the same run.
 *
 * It asserts the seam's rules, so that a worker that breaks them fails: two sends to one slot in one
 * submission, a call for a slot that is not attached, a buffer given back twice, bytes that change while they
 * are offered. */
#ifndef TC_TESTS_SIM_SIMNET_H
#define TC_TESTS_SIM_SIMNET_H

#include "base/random.h"
#include "io/io.h"

struct simnet;
struct peer;

struct faults { /* parts per million of the chances there are */
    uint32_t short_ppm, full_ppm, reset_ppm, delay_ppm, no_buffer_ppm, accept_error_ppm;
};

struct simnet *simnet_open(uint64_t seed, const struct faults *f, const struct io_options *o);
struct io *simnet_io(struct simnet *n);
void simnet_heal(struct simnet *n); /* no more faults */

/* A new connection with room for window bytes. Never NULL. */
struct peer *peer_connect(struct simnet *n, uint32_t window);
void peer_send(struct peer *p, const void *bytes, size_t size);
/* Takes at most size bytes of what was sent to it. */
size_t peer_take(struct peer *p, void *out, size_t size);
size_t peer_waiting(const struct peer *p);
/* The peer goes: 0: end of file, 1: reset. */
void peer_close(struct peer *p, int reset);
/* The server side is closed (and everything it sent can still be taken). */
bool peer_closed(const struct peer *p);
void peer_free(struct peer *p);

#endif
