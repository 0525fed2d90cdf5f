/* io/io_epoll_inner.h -- the epoll back end's own structure, for io_epoll*.c only.
 *
 * Level-triggered. A connection's registration always equals what it waits for (epoll_apply); one that waits
 * for nothing is not registered at all, since the kernel would report its death again and again. */
#ifndef TC_IO_IO_EPOLL_INNER_H
#define TC_IO_IO_EPOLL_INNER_H

#include "config/limits.h"
#include "io/io.h"
#include "io/io_buffers.h"
#include "io/io_queue.h"
#include "io/io_tag.h"

#include <sys/epoll.h>

#define EPOLL_READY_MAX 256u /* descriptors per wait */
#define EPOLL_RECEIVES_MAX                                                                                   \
    4u /* buffers per descriptor and wait: one that talks much does not starve others */
/* A wait asks the kernel only when the queue is empty, so one wait's worth is the most in it. */
#define EPOLL_EVENTS_MAX (EPOLL_READY_MAX * (EPOLL_RECEIVES_MAX + 2) + IO_ACCEPTS_MAX + LISTENERS_MAX + 1)

enum epoll_conn_flags {
    EPOLL_OPEN = 1,
    EPOLL_WANTED = 2,   /* the worker wants to receive */
    EPOLL_ENDED = 4,    /* end of file or error was received: nothing more will come */
    EPOLL_STARVED = 8,  /* waits for a buffer, not for bytes */
    EPOLL_LISTED = 16,  /* stands in the line for buffers; outlives the connection */
    EPOLL_POLLED = 32,  /* waits for room */
    EPOLL_HALF = 64,    /* the peer closed its side: no longer asked for */
    EPOLL_OFFERED = 128 /* has a send in this flush */
};

struct epoll_conn {
    int32_t fd;
    uint32_t generation;
    uint32_t mask; /* as registered */
    uint32_t flags;
};

struct epoll_send {
    const void *bytes;
    uint32_t slot, size;
};

struct epoll_closing {
    int32_t fd, how;
};

struct epoll_listener {
    int fd; /* the caller's */
    bool on;
    uint64_t rest_until_ns; /* 0: not resting */
};

struct epoll {
    struct io io; /* first: what the worker sees */
    struct io_options options;
    int fd;
    uint32_t accepts_left; /* of this wait */
    bool no_pwait2;        /* the kernel or a sandbox lacks it: milliseconds only */
    struct epoll_conn *conns;
    struct io_queue events;
    struct io_buffers buffers;
    struct io_line starved;
    struct epoll_listener listeners[LISTENERS_MAX];
    struct epoll_send *sends;
    uint32_t send_count;
    struct epoll_closing *closing; /* closed inside the next wait */
    uint32_t closing_count, closing_max;
    struct epoll_event ready[EPOLL_READY_MAX];
};

/* io_epoll.c */
struct epoll_conn *epoll_conn_of(struct epoll *e, uint32_t slot); /* asserts that it is open */
/* Makes the registration equal to what the connection waits for now. */
void epoll_apply(struct epoll *e, uint32_t slot);

/* io_epoll_recv.c */
void epoll_receive(struct epoll *e, uint32_t slot);
void epoll_receive_starved(struct epoll *e); /* asks again for as many as there are buffers */
void epoll_receive_pause(struct io *io, uint32_t slot);
void epoll_receive_resume(struct io *io, uint32_t slot);
void epoll_buffer_done(struct io *io, uint32_t buffer);

/* io_epoll_accept.c */
int epoll_listen(struct io *io, int listen_fd, uint32_t listener, struct fault *fault);
void epoll_listen_stop(struct io *io);
void epoll_accept(struct epoll *e, uint32_t listener);
/* Ends rests that are over; returns how long the next one lasts still, or wait_ns if that is less. */
uint64_t epoll_accept_rest(struct epoll *e, uint64_t wait_ns);

/* io_epoll_send.c */
void epoll_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size);
uint32_t epoll_send_flush(struct io *io, struct io_sent *failed);

#endif
