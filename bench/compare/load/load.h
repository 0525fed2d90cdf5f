/* bench/compare/load/load.h -- the neutral load of `make compare`: N WebSocket subscribers of any server, and
 * a publisher that hands it the ticks.
 *
 * The client knows no server. What arrives is a stream of bytes in which ticks stand: every `"symbol":"` up
 * to the next `}` is one delivered tick, whatever framing is around it, so that WebSocket text, NATS MSG,
 * MQTT PUBLISH and a batch of ticks are counted alike. `"seq":` before it shows holes, `"ts":` behind it is
 * the tick's intended time (ns or us since 1970), from which latency is taken.
 *
 * Every subscriber is read at once when something came for it; or (-E) one in E is, evenly spread over the
 * order of connecting, and the others are read in turn, each every 20 ms, which costs less: no event and
 * no read of its own for each tick, and no waking of this thread by the server's send. All of them count
 * every tick and are checked for holes; latency is taken from those that are waited for. So it is with fixed
 * rates, against every server alike: there this thread was out of processor at 1000 subscribers before any
 * server was.
 *
 * Two threads: the subscribers' (main, pinned to --cpu) and the publisher's (pinned to --publish-cpu, beside
 * the server, as a feed would be). They share struct flow. */
#ifndef TC_BENCH_COMPARE_LOAD_H
#define TC_BENCH_COMPARE_LOAD_H

#include "find.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLOS_MAX    4
#define PIDS_MAX      8
#define READ_BYTES    (256 * 1024)
#define READY_SECONDS 30
#define CARRY_MAX     768     /* bytes of a tick that a read cut, with what is in front of it */
#define LATENCY_STEP  10000   /* ns: width of a bucket */
#define LATENCY_MOST  1000000 /* buckets: up to 10 s; above it counts as the last */

enum publish { PUBLISH_NONE, PUBLISH_LINES, PUBLISH_NATS, PUBLISH_MQTT, PUBLISH_HTTP };

struct options {
    const char *path, *subprotocol;
    struct {
        uint8_t bytes[256];
        size_t size;
    } hellos[HELLOS_MAX];
    int hello_count;
    bool hello_binary;
    int port, connections, stuck, cpu, publish_cpu, publish_port;
    int first; /* so many connect before memory is read the first time: what they touch others find there */
    enum publish publish;
    double rate, warmup, duration, idle; /* rate: ticks a second; 0: closed loop */
    int burst, window;                   /* closed loop: so many bursts of ticks are under way */
    int sample;                          /* every so manieth tick of a subscriber is timed */
    int waited;                          /* one in so many subscribers is waited for; the others are swept */
    int pids[PIDS_MAX], pid_count;
};

/* Between the threads. */
struct flow {
    _Atomic uint64_t delivered; /* ticks to all readers; written by the subscribers' thread */
    _Atomic uint64_t wanted;    /* the publisher sleeps until so many are; UINT64_MAX: it does not */
    _Atomic bool stop;
    int credit_fd; /* eventfd: so many were delivered, or stop */
    /* The publisher's, read after it was joined. */
    uint64_t published, stalls; /* stalls: a second passed without a delivery while the window was full */
};

struct usage {
    double user_s, system_s;
    uint64_t rss;
};

struct subscriber {
    int fd;
    bool open, stuck, swept, over;
    uint32_t head_size;        /* of the answer to the handshake, while !open */
    uint32_t carry_size, from; /* bytes kept; where the search goes on in them */
    uint64_t ticks, seq_first, seq_last;
    char carry[CARRY_MAX];
};

struct measured {
    uint64_t ticks, bytes, reads;
    uint64_t *latency; /* LATENCY_MOST buckets */
    uint64_t latency_count, latency_max_ns, latency_bad;
};

/* The subscribers' thread's. */
struct load {
    struct options o;
    struct flow flow;
    struct subscriber *subscribers;
    struct measured m;
    int epoll;
    uint32_t open, ticking, over;
    bool measuring;
    char *buffer;          /* CARRY_MAX + READ_BYTES + FIND_PAD */
    uint64_t delivered;    /* ticks to all readers; told in flow now and then */
    uint32_t swept;        /* subscribers that are open and swept */
    int sweep_at;          /* whose turn it is */
    uint64_t sweep_due_ns; /* and when */
};

uint64_t now_real_ns(void);
uint64_t now_mono_ns(void);
void pin(int cpu);
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
int connect_loopback(int port, int rcvbuf);
void write_all(int fd, const void *bytes, size_t size);

/* usage.c: of all --pid processes together. */
struct usage usage_read(const struct options *o);

/* options.c */
void options_read(struct options *o, int argc, char **argv);

/* connect.c: connections up to number end are made; what the handshake of s was answered with. */
void connect_up_to(struct load *l, int end);
void connect_answer(struct load *l, struct subscriber *s, const char *bytes, size_t size);

/* read.c: takes what comes until then, or until *count has reached enough (NULL: until then). */
void read_until(struct load *l, uint64_t end_ns, const uint32_t *count, uint32_t enough);

/* stream.c: bytes[0..size) are the carry and what was read behind it, with FIND_PAD bytes of room behind;
 * updates the carry. */
void stream_take(struct subscriber *s, struct measured *m, const struct options *o, const char *bytes,
                 size_t size, bool measuring);

/* publisher.c: the thread. */
struct publisher {
    const struct options *o;
    struct flow *flow;
};
void *publisher_main(void *publisher);

#endif
