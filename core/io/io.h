/* io/io.h -- the only door to the kernel for a worker: io_uring, epoll and a simulated network, equal in
 * behaviour.
 *
 * One `struct io` per worker, used by that worker's thread alone (it is opened in that thread: a ring with
 * DEFER_TASKRUN belongs to its maker). A connection is named by slot and generation, never by descriptor; an
 * event for a slot that was reused meanwhile is dropped inside by that pair. Nothing here calls back: events
 * are collected and returned by io_wait. */
#ifndef TC_IO_IO_H
#define TC_IO_IO_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io;

enum io_op {
    IO_ACCEPTED, /* result: a handle to give to io_attach or io_refuse, or -errno (EMFILE ...: accepting goes
                    on by itself after a pause) */
    IO_RECEIVED, /* result: bytes (> 0), 0: the peer closed its side, < 0: -errno, the connection is dead.
                    bytes: borrowed until io_buffer_done(buffer); writable (unmask in place) */
    IO_WRITABLE, /* the socket can take data again (or is dead: the next send tells). One per io_writable_arm
                  */
    IO_WOKEN,    /* somebody woke the sleeper */
};

struct io_event {
    enum io_op op;
    uint32_t slot, generation; /* not for IO_ACCEPTED, IO_WOKEN */
    int32_t result;
    uint32_t listener; /* IO_ACCEPTED: index of the listener */
    uint32_t buffer;   /* IO_RECEIVED with result > 0 */
    uint8_t *bytes;
};

/* A send that did not go out whole. taken: bytes the socket took (0 <= taken < offered). error: 0 if the
 * socket is just full, else -errno: the connection is dead. */
struct io_sent {
    uint32_t slot, taken;
    int32_t error;
};

#define IO_ACCEPTS_MAX 64u

struct io_options {
    uint32_t slots;   /* connections: slot < slots */
    uint32_t buffers; /* receive buffers; a power of two, at most 32768 */
    uint32_t buffer_bytes;
    uint32_t sends_max; /* sends in one flush */
    int wake_fd;        /* eventfd of the worker's sleeper; -1: none */
    /* Accepted connections that one wait hands out, behind what came from others: those before them have been
     * read by then, so that a crowd that stood at the door does not look like one that says nothing (decision
     * 29). At most IO_ACCEPTS_MAX; 0: that. */
    uint32_t accepts_max;
};

static inline uint32_t io_accepts_max(const struct io_options *o)
{
    return o->accepts_max > 0 && o->accepts_max < IO_ACCEPTS_MAX ? o->accepts_max : IO_ACCEPTS_MAX;
}

struct io_ops {
    const char *name;
    /* Starts accepting on a listening descriptor. Index `listener` comes back in IO_ACCEPTED. */
    int (*listen)(struct io *, int listen_fd, uint32_t listener, struct fault *);
    void (*listen_stop)(struct io *);
    /* An accepted handle becomes the connection (slot, generation) and starts receiving. 0 or -errno (then
     * the handle is closed). */
    int (*attach)(struct io *, uint32_t slot, uint32_t generation, int32_t handle);
    /* An accepted handle is not wanted: sends bytes at once, as far as the socket takes them, and closes. */
    void (*refuse)(struct io *, int32_t handle, const void *bytes, uint32_t size);
    /* Stops receiving (the kernel's window then stops the peer). Bytes already received may still arrive as
     * events. */
    void (*receive_pause)(struct io *, uint32_t slot);
    void (*receive_resume)(struct io *, uint32_t slot);
    void (*buffer_done)(struct io *, uint32_t buffer);
    /* One IO_WRITABLE when the socket can take data or the peer is gone. Arming twice is no error. */
    void (*writable_arm)(struct io *, uint32_t slot);
    /* No more events for this (slot, generation); everything armed is cancelled and the descriptor is closed
     * at the end of the turn (decision 23). how: IO_CLOSE_FIN (unread data may turn it into RST by the
     * kernel) or IO_CLOSE_RESET. */
    void (*detach)(struct io *, uint32_t slot, int how);
    /* shutdown(SHUT_WR): the peer sees end of file after what was sent; receiving goes on. */
    void (*shutdown_write)(struct io *, uint32_t slot);
    /* Offers bytes to a socket. At most one per slot between two flushes (asserted: decision 2); at most
     * sends_max. The bytes stay put until send_flush returns. */
    void (*send_add)(struct io *, uint32_t slot, const void *bytes, uint32_t size);
    /* Makes the sends; on return nothing of them is pending. Returns how many did not go out whole, in failed
     * (room for sends_max). Other events that are met on the way are kept for the next wait (every flush gets
     * events: 18). */
    uint32_t (*send_flush)(struct io *, struct io_sent *failed);
    /* Up to count_max events; waits at most wait_ns for the first (0: does not wait; still collects what is
     * there). */
    uint32_t (*wait)(struct io *, struct io_event *out, uint32_t count_max, uint64_t wait_ns);
    /* Bytes in the socket's send queue not yet acknowledged (SIOCOUTQ), or -errno. */
    int64_t (*unsent)(struct io *, uint32_t slot);
    /* The peer's address as text ("192.0.2.1" or "2001:db8::1"), for an accepted handle. */
    void (*peer)(struct io *, int32_t handle, char *out, size_t size);
    /* The same with the port ("192.0.2.1:40112", "[2001:db8::1]:40112", "unix"), for a connection. */
    void (*slot_peer)(struct io *, uint32_t slot, char *out, size_t size);
    /* A second descriptor of a connection, for another thread to go on with it after the detach that follows
     * (IO_CLOSE_FIN), or -errno. What was received before is with the caller. */
    int (*slot_dup)(struct io *, uint32_t slot);
    void (*close)(struct io *);
};

#define IO_CLOSE_FIN   0
#define IO_CLOSE_RESET 1

/* Counters of one io; written by its thread. Plain: the worker publishes them. */
struct io_counters {
    uint64_t enters, sends, sent_bytes, sends_full, sends_part, sends_dead;
    uint64_t accepts, accept_errors, receives, received_bytes, receive_no_buffer, cq_overflow;
};

/* Every implementation begins with this. */
struct io {
    const struct io_ops *ops;
    struct io_counters counters;
};

/* Thread: the one that will use it. */
struct io *io_uring_open(const struct io_options *options, struct fault *fault);
struct io *io_epoll_open(const struct io_options *options, struct fault *fault);
/* What they reserve, all of it touched: the most memory that one can ever take. Thread: any. */
size_t io_uring_bytes(const struct io_options *options);
size_t io_epoll_bytes(const struct io_options *options);

/* What the kernel can do, found by trying (never from its version). Thread: any. */
struct io_probe {
    bool uring;                        /* a ring with everything that io_uring_open needs can be made here */
    bool uring_bundles, uring_send_zc; /* for the log line: not used */
    char missing[160];                 /* if not: the first thing missing, and the remedy */
    char summary[160];                 /* "single_issuer, defer_taskrun, multishot accept and receive, ..." */
};
void io_probe(struct io_probe *out);

#endif
