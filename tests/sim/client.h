/* tests/sim/client.h -- a subscriber on the simulated network. client.c: its connection, its frames, what it
 * asks. encoding.c: the form of its stream. model.c: what it may be told; it asserts every word, message by
 * message.
 *
 * Held for every client: positions chain; each tick of its set in (from, to] is in the frame, exact, or was
 * conflated away under a policy that allows it (and counted, and in a batch frame a newer one of its key
 * stands there), or is inside one told gap; nothing is told twice; a heartbeat is complete up to its seq;
 * every snapshot is exactly the last values of its position; answers come in the order of the commands and
 * say the set that follows from them; a close has a reason that the client knows. */
#ifndef TC_TESTS_SIM_CLIENT_H
#define TC_TESTS_SIM_CLIENT_H

#include "cmd/client_bin.h"
#include "io/io_sim.h"
#include "tests/sim/happened.h"
#include "tests/sim/message.h"

#define ASKED_MAX 8u
#define UNTOLD_MAX                                                                                           \
    2200u /* frame=tick: `covered` comes at least every 1 000 ticks, at the end of a render                  \
           */

struct set { /* one subscription: decision 3 */
    uint8_t kinds[PATTERNS];
    enum policy policy;
    enum framing framing;
    uint64_t rate;
};

enum ask { ASK_PING, ASK_SUBSCRIBE, ASK_UNSUBSCRIBE, ASK_RESUME, ASK_NONSENSE };
enum start { STARTS_NOW, STARTS_AT, STARTS_SINCE, STARTS_FOREIGN, STARTS_FAR_AHEAD };

struct asked { /* a command under way */
    enum ask what;
    uint64_t id; /* 0: none (in the URL) */
    enum start start;
    uint64_t seq;
    uint8_t kinds[PATTERNS];
    bool has_policy, has_framing, has_rate, has_snapshot, snapshot;
    enum policy policy;
    enum framing framing;
    uint64_t rate;
    const char *code; /* ASK_NONSENSE: the error */
};

struct client {
    const struct truth *truth;
    struct happened *happened;
    struct random *random; /* the world's */
    uint32_t number;
    uint32_t rules_max;
    bool alike;          /* wants mostly what the others want, packed: a set has several cohorts */
    uint64_t alike_rate; /* ... and is conflated; 0: not */
    struct client_world {
        const uint64_t *now_ns, *ending_since_ns; /* 0: the server does not end */
        const uint64_t *real_most_ns;             /* the wall clock jumps: the latest it has shown */
        uint64_t exit_ns;                         /* for so long what is in the log is delivered first */
        bool paced;
    } world;
    uint64_t epoch;
    uint32_t log_capacity;

    /* The connection. */
    struct sim *sim; /* NULL: not connected */
    uint32_t worker;
    int32_t peer;
    uint32_t window, shut_turns;               /* shut: its window is closed for so many turns */
    bool upgraded, mute;                       /* mute: does not answer pings */
    bool close_sent, close_seen, ended, broke; /* broke: it sent what is no frame */
    bool binary, deflate;                      /* what this connection asked for: encoding.h */
    struct client_bin bin;                     /* binary: the symbols it was told of */
    uint16_t close_code;
    uint8_t in[1 << 17], out[4096];
    size_t in_at, in_size, out_size;
    uint32_t messages;
    struct message message; /* the one in hand */

    /* What it asked, and what holds. */
    struct asked asked[ASKED_MAX];
    uint32_t asked_count;
    uint64_t next_id;
    struct set set;
    bool subscribed, snapshots;   /* of this connection */
    uint8_t wants[TRUTH_SYMBOLS]; /* by id: kinds of the set */

    /* Its stream. */
    bool positioned; /* ever */
    uint64_t position, heartbeat, last_seq;
    uint64_t untold[UNTOLD_MAX]; /* frame=tick: ticks since position */
    uint32_t untold_count;
    enum {
        GAP_NONE,
        GAP_MAY,
        GAP_DUE
    } gap; /* right behind `subscribed`, where its start is gone or foreign */
    struct asked gap_of;
    uint32_t policy_gaps; /* told on this connection */
    bool slow_told, drain_told, verbose;
    struct {
        bool due, begun, since_told, has_minus;
        uint8_t minus[PATTERNS];
        uint64_t since, before; /* before: position of the piece before */
        uint32_t id_next;
    } snapshot;
};

/* ---- client.c ---- */
void client_connect(struct client *c, struct sim *sim, uint32_t worker, uint32_t window_max);
/* Its peer is gone: by a reset, or by an end of file. */
void client_go(struct client *c, bool reset);
/* The server's whole side is gone. */
void client_lost(struct client *c);
/* The world is over. */
void client_free(struct client *c);
/* Takes up to size bytes and looks at what is whole; answers pings; ends what is over. */
void client_read(struct client *c, size_t size);
void client_ask(struct client *c); /* one random command, if there is room */
void client_ping(struct client *c);
void client_close(struct client *c);         /* begins the closing handshake */
void client_garbage(struct client *c);       /* a frame that breaks RFC 6455 */
bool client_is_done(const struct client *c); /* subscribed, at the head, nothing under way */

/* ---- model.c ---- */
void model_connected(struct client *c);
void model_message(struct client *c, const struct message *m);
void model_closed(struct client *c, uint16_t code);
bool model_wants(const struct client *c, uint64_t seq);

#endif
