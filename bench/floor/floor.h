/* bench/floor/floor.h -- what the kernel allows: a yardstick, not a server.
 *
 * The least that can be done to hand the same WebSocket frames to N clients over io_uring: no subscriptions,
 * no pings, no time-outs, no log, no conflation, no care for a hostile client. tickcast is measured beside it
 * (bench/path/table.py): what it takes longer than this is its own, the rest is the kernel's and the
 * receiver's.
 *
 *     floor --port 9000 --clients 1000 --burst 16                  closed loop: 16 frames a send
 *     floor --port 9000 --clients 1000 --burst 64 --frame batch    one frame of 64 ticks a send
 *     floor --port 9000 --clients 1000 --burst 64 --frame binary   the same as packed records
 *     floor --port 9000 --clients 1000 --rate 500                  500 ticks/s, each with the time it was due
 *
 * It begins once so many clients have upgraded (any path), and walks cohorts of neighbours without end: one
 * submission each, a send per member. A client is a position in a stream of bytes, nothing else; one whose
 * socket is full is passed over until it takes again and goes on at that byte, so no frame is torn.
 *   floor.c         options, the walk, the ring
 *   floor_client.c  accept, upgrade, what clients say
 *   floor_stream.c  the frames
 * One thread. SIGTERM ends it with a line of JSON about what was done. */
#ifndef TC_BENCH_FLOOR_FLOOR_H
#define TC_BENCH_FLOOR_FLOOR_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_BYTES_MAX 4096u
#define BURST_MAX         1024u

enum floor_frame { FLOOR_TICK, FLOOR_BATCH, FLOOR_BINARY }; /* the last two: a burst is one frame */

struct floor_options {
    uint32_t port, clients, burst, cohort; /* cohort: members that a submission serves */
    double rate;                           /* ticks a second; 0: closed loop */
    enum floor_frame frame;
};

/* Positions count bytes from the start. bytes[] repeats itself: position p stands at bytes[p % size]. In
 * closed loop that is one burst, made once; at a rate it is a ring of frames that are all of one size. */
struct floor_stream {
    uint8_t *bytes;        /* owned */
    uint64_t size, head;   /* head: what is published */
    uint64_t tick_bytes;   /* at a rate: of each tick's frame */
    uint64_t ticks;        /* published */
    uint64_t start_ns;     /* real time; tick k is due at start + k / rate */
    uint64_t next_mono_ns; /* when the next tick is due, for who sleeps until then */
};

enum client_state { CLIENT_FREE, CLIENT_SHAKING, CLIENT_LIVE };

struct floor_client {
    int fd;
    uint32_t generation; /* tells late completions of whoever had the slot before */
    enum client_state state;
    bool full;             /* until its socket takes again */
    uint32_t request_size; /* of the request so far */
    char *request;         /* owned; while SHAKING */
    uint64_t from, at;     /* positions: where the last send began, what comes next */
};

struct floor_counts {
    uint64_t sends, full, part, dropped, enters;
};

struct floor {
    struct floor_options o;
    struct io_uring ring;
    struct floor_stream stream;
    struct floor_client *clients; /* owned; slots of them, the members of a cohort side by side */
    uint32_t slots, live;
    int listener;
    bool running; /* the last of --clients has come */
    struct floor_counts counts;
};

enum floor_op { OP_ACCEPT, OP_HEAR, OP_SEND, OP_TAKES };

/* ---- floor.c ---- */
/* A free submission entry, submitting what is there if need be. */
struct io_uring_sqe *floor_sqe(struct floor *f);
void floor_tag(struct io_uring_sqe *sqe, const struct floor *f, enum floor_op op, uint32_t slot);
_Noreturn void floor_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- floor_client.c ---- */
void clients_accept(struct floor *f);
/* A new descriptor, or -errno. */
void clients_accepted(struct floor *f, int fd);
/* Arms the watch over what a client says, and over its going. */
void client_hear(struct floor *f, uint32_t slot);
/* It has said something, or is gone: its request at first, then only a close frame matters. */
void client_heard(struct floor *f, uint32_t slot);
void client_drop(struct floor *f, uint32_t slot);

/* ---- floor_stream.c ---- */
void stream_open(struct floor_stream *s, const struct floor_options *o);
/* At a rate: makes every tick that is due by now. */
void stream_publish(struct floor_stream *s, const struct floor_options *o);
/* Bytes that the client can be sent in one piece from c->at on, which moves over bursts it has missed whole;
 * 0: none. False: its place in the ring of ticks was written over, and it cannot go on. */
bool stream_range(const struct floor_stream *s, const struct floor_options *o, struct floor_client *c,
                  const uint8_t **bytes, uint64_t *size);

#endif
