/* io/io_uring_inner.h -- the io_uring back end's own structure, for io_uring*.c and io_probe.c only.
 *
 * One ring per worker, made in the worker's thread (SINGLE_ISSUER, DEFER_TASKRUN). Nothing of a send is ever
 * pending in it. What is pending: one multishot accept per listener, one multishot receive per connection
 * that receives, one poll per connection that waits for room, one poll on the sleeper's eventfd.
 *
 * A receive has these states: not armed; armed; armed and being cancelled. It is armed again only after the
 * last completion of the one before (the one without IORING_CQE_F_MORE), so that two never exist for one
 * connection. */
#ifndef TC_IO_IO_URING_INNER_H
#define TC_IO_IO_URING_INNER_H

#include "config/limits.h"
#include "io/io.h"
#include "io/io_queue.h"
#include "io/io_tag.h"

#include <liburing.h>

/* Newer than the header of liburing 2.3. Only for the probe's report. */
#ifndef IORING_FEAT_RECVSEND_BUNDLE
#define IORING_FEAT_RECVSEND_BUNDLE (1U << 14)
#endif

#define URING_SQ_ENTRIES     1024u
#define URING_SQ_ENTRIES_MIN 64u
#define URING_CQ_PER_SQ      4u /* decision 29 */
#define URING_SETUP_FLAGS                                                                                    \
    (IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |                            \
     IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG)
/* Whole: no completion. Part: one with the count. Full: one with -EAGAIN. Without MSG_WAITALL a short send
 * counts as success and its rest is lost in silence; without MSG_DONTWAIT a send waits inside the kernel. */
#define URING_SEND_FLAGS (MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL)

enum uring_conn_flags {
    URING_OPEN = 1,
    URING_WANTED = 2,     /* the worker wants to receive */
    URING_ARMED = 4,      /* the kernel has (or will have after the next enter) a receive */
    URING_CANCELLING = 8, /* ... that is being cancelled */
    URING_ENDED = 16,     /* end of file or error was received: nothing more will come */
    URING_LISTED = 32,    /* stands in the line for buffers; outlives the connection */
    URING_POLLED = 64,    /* a poll for room is armed */
    URING_HALF = 128,     /* the peer closed its side, and that was told */
    URING_OFFERED = 256,  /* has a send in this flush */
};

struct uring_conn { /* 12 bytes per slot */
    int32_t fd;
    uint32_t generation;
    uint16_t flags;
};

struct uring_send {
    const void *bytes;
    uint32_t slot, size;
};

struct uring_closing {
    int32_t fd;
    int32_t how;
};

struct uring_listener {
    int fd; /* the caller's */
    bool on, armed;
    uint64_t rest_until_ns; /* 0: not resting */
};

struct uring {
    struct io io; /* first: what the worker sees */
    struct io_uring ring;
    struct io_options options;
    bool ring_made, buffers_registered;

    struct uring_conn *conns;         /* slots */
    struct io_queue events, accepted; /* apart: accepts come by parts */
    struct uring_listener listeners[LISTENERS_MAX];
    uint32_t listener_epoch; /* generation of the accepts; a stop moves it */
    bool wake_armed;

    /* Receive buffers: buffers x buffer_bytes, lent one by one to the worker, else the kernel's. */
    struct io_uring_buf_ring *buffer_ring;
    uint8_t *buffer_memory;
    uint8_t *buffer_lent;     /* 1: the worker has it */
    uint32_t buffers_in_ring; /* as far as completions seen tell */
    struct io_line starved;   /* receives that ended for want of a buffer */

    /* Sends of this flush. failed is set only within send_flush. */
    struct uring_send *sends;
    uint32_t send_count, flush_number;
    struct io_sent *failed;
    uint32_t failed_count;

    struct uring_closing *closing; /* closed inside the next wait */
    uint32_t closing_count, closing_max;
    uint32_t overflow_seen;
};

/* io_uring.c */
struct io_uring_sqe *uring_sqe(struct uring *u); /* makes room by an enter if there is none */
void uring_enter_events(struct uring *u);        /* submits everything, runs the kernel's task work */
void uring_reap(struct uring *u);                /* every completion that is there -> state and event queue */
void uring_cancel(struct uring *u, uint64_t tag); /* of the request with this tag */

/* io_uring_recv.c */
int uring_buffers_open(struct uring *u, struct fault *fault);
void uring_buffers_close(struct uring *u);
void uring_receive_arm(struct uring *u, uint32_t slot);
void uring_receive_starved(struct uring *u); /* arms again as many as there are buffers */
void uring_receive_complete(struct uring *u, struct tag tag, int32_t result, uint32_t cqe_flags);
void uring_receive_pause(struct io *io, uint32_t slot);
void uring_receive_resume(struct io *io, uint32_t slot);
void uring_buffer_done(struct io *io, uint32_t buffer);

/* io_uring_accept.c */
int uring_listen(struct io *io, int listen_fd, uint32_t listener, struct fault *fault);
void uring_listen_stop(struct io *io);
void uring_accept_complete(struct uring *u, struct tag tag, int32_t result, uint32_t cqe_flags);
/* Ends rests that are over; returns how long the next one lasts still, or wait_ns if that is less. */
uint64_t uring_accept_rest(struct uring *u, uint64_t wait_ns);

/* io_uring_send.c */
void uring_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size);
uint32_t uring_send_flush(struct io *io, struct io_sent *failed);
void uring_send_complete(struct uring *u, struct tag tag, int32_t result);

/* io_probe.c: why a ring could not be made, and what helps. err > 0 */
const char *uring_remedy(int err);

#endif
