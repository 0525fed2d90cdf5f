/* worker/conn.h -- one connection of a worker, and its states. For worker/ only.
 *
 *     FREE    --accepted-->                     HTTP
 *     HTTP    --a body to send-->               BODY    --all of it sent--> HTTP
 *     HTTP    --101 sent-->                     OPEN
 *     HTTP    --error, or not keep-alive-->     LINGER
 *     OPEN    --our close frame-->              CLOSING --the peer's, or the timer--> LINGER
 *     OPEN    --the peer's close, answered-->   LINGER  --end of file, or the timer--> FREE
 *     any     --dead socket-->                  FREE
 *
 * HTTP     request bytes are gathered; timer: handshake or keep-alive
 * BODY     the page, or metrics, is being sent as the socket takes it; requests that follow wait
 * OPEN     WebSocket. group != NULL: subscribed. cohort != NULL: in step, and then no rest, not full, nothing
 *          half told
 * CLOSING  our close frame is out; data is read and dropped until the peer's; nothing is sent any more
 * LINGER   our side is shut down; bytes are dropped until the peer's end of file or the timer (so that what
 * we sent last is not destroyed by a reset)
 *
 * Who does not read is not read (decision 8): a connection owes at most one answer and one pong. While an
 * answer is owed, input waits: bytes in hand are copied out of their receive buffer, which goes back at once
 * (all connections share them), and once the socket is full the receive is paused. */
#ifndef TC_WORKER_CONN_H
#define TC_WORKER_CONN_H

#include "base/timer.h"
#include "config/limits.h"
#include "config/subscription.h"
#include "group/group.h"
#include "wire/ws.h"

enum conn_state { CONN_FREE, CONN_HTTP, CONN_BODY, CONN_OPEN, CONN_CLOSING, CONN_LINGER };

enum {                           /* conn.flags */
       CF_ECHO = 1 << 0,         /* /v1/echo: messages are sent back */
       CF_FULL = 1 << 1,         /* the socket refused bytes; writable is armed */
       CF_PAUSED = 1 << 2,       /* receiving is paused */
       CF_READY = 1 << 3,        /* stands in the worker's ready ring */
       CF_PONG = 1 << 4,         /* a pong is owed; its payload is in c->pong */
       CF_PING = 1 << 5,         /* a ping is to be sent */
       CF_PING_OUT = 1 << 6,     /* our ping is unanswered */
       CF_HEARTBEAT = 1 << 7,    /* a heartbeat is due */
       CF_CLOSE = 1 << 8,        /* a close frame is to be sent: close_code, close_reason */
       CF_CLOSE_REPLY = 1 << 9,  /* it answers the peer's */
       CF_KEEP_ALIVE = 1 << 10,  /* HTTP: another request may follow */
       CF_SLOW_TOLD = 1 << 11,   /* a lag notice was sent; `"behind":0` is owed at rejoining */
       CF_POSITIONED = 1 << 12,  /* a first `subscribed` was sent: position means something */
       CF_SNAPSHOT = 1 << 13,    /* snapshot is on */
       CF_LAG_ZERO = 1 << 14,    /* lag with behind 0 is owed */
       CF_LATEST_SKIP = 1 << 15, /* policy latest and the socket was full: a gap is owed */
       CF_UPGRADED = 1 << 16,
       CF_DRAIN = 1 << 17,      /* a drain notice is owed */
       CF_CLOSE_SENT = 1 << 19, /* our close frame was taken by the socket, or is the rest */
       CF_SLOW_NOW = 1 << 20,   /* full for slow-after: slow (decision 15) */
       CF_FAILED = 1 << 18,     /* protocol error: after our close frame nothing is read */
       CF_STALL_SEEN = 1 << 21, /* full while a feed waits for it: stall_unsent and stall_ms hold */
       CF_LET_GO = 1 << 22,     /* took nothing for stall-bound: no feed waits for it until it takes again */
       CF_DEAF = 1 << 23,   /* what arrives is dropped: the peer's close frame, or an error, came before it */
       CF_BINARY = 1 << 24, /* speaks tickcast.v1.bin */
       CF_RESUMING = 1 << 25, /* inside input_resume: what its bytes lead to must not begin it again */
       CF_DEFLATE = 1 << 26,  /* permessage-deflate was agreed; window bits - 8 from CF_WINDOW_SHIFT on */
};
#define CF_WINDOW_SHIFT 27 /* 3 bits */

/* What goes before live data, under way: definitions (binary), then last values. In the worker's heap. */
struct snapshotting {
    struct group *minus; /* a reference; NULL: none */
    uint64_t since;
    uint32_t id_next;     /* of the snapshot's next piece */
    uint32_t define_next; /* of the next piece of definitions */
    bool since_told;
    bool define;   /* definitions are under way */
    bool snapshot; /* last values follow */
};

enum answer_kind { ANSWER_PONG, ANSWER_ERROR, ANSWER_SET };
enum answer_start { START_NOW, START_AT, START_FOREIGN };

/* The one answer owed; in the worker's heap. */
struct answer {
    enum answer_kind kind;
    char id[COMMAND_ID_MAX];
    uint8_t id_size;
    bool unsubscribed, snapshot;
    enum answer_start start;
    const char *code; /* ANSWER_ERROR: a literal */
    char message[160];
    struct group *group; /* ANSWER_SET: a reference, handed to the connection when the answer is written */
    enum policy policy;
    uint64_t seq; /* the position told; set when it is first offered */
    bool gap;     /* a gap (seq, gap_to] follows in the same unit; reason resume */
    uint64_t gap_to;
    uint64_t start_seq, epoch_old, seq_old;
    uint32_t sent; /* bytes already taken by the socket (answers are made again, not kept) */
};

/* An idle connection costs at most this much of the program's memory: this structure, its place in the lists
 * of worker and io, its share of a full cohort (docs/reliability.md). */
#define CONN_IDLE_BYTES_MAX 256u

#define REST_IN_ASSEMBLY (POOL_NONE - 1)
#define NO_UNIT          UINT8_MAX

/* A message (or a frame between messages) of which not all bytes have come; in the worker's heap. */
struct incoming {
    struct ws_reader reader;
    uint32_t begun_ms; /* its first byte: what comes later does not begin its time anew */
};

/* Blocks in the order in which a turn needs them. What only some connections have is behind a pointer and
 * comes out of the worker's heap: an idle connection has none of it. */
struct conn {
    uint32_t generation;
    uint32_t flags;
    uint8_t state;
    uint8_t policy;       /* enum policy */
    uint8_t member_index; /* in the cohort */
    uint8_t unit;         /* index in the submission under way; NO_UNIT: none */
    uint16_t close_code;
    uint16_t command_count; /* in second command_second */

    /* The stream. */
    struct group *group;
    struct cohort *cohort;     /* in step; NULL: behind */
    uint64_t position;         /* behind: what the client was told (in step: the cohort's covered) */
    uint32_t untold_conflated; /* frame=tick: conflated away before `read`, not yet told in a `covered` */
    uint32_t ticks_untold;     /* frame=tick: sent since position */
    uint64_t read; /* behind: nothing in (position, read] matches or all of it was sent as ticks */
    struct snapshotting *snapshot;
    struct answer *answer;
    uint32_t behind_index; /* behind: in worker.behind */

    /* The rest of one frame that the socket took in part. */
    uint32_t rest_block; /* in the worker's rest pool; POOL_NONE: no rest; REST_IN_ASSEMBLY: an echo */
    uint32_t rest_at, rest_size;

    /* Input. */
    uint32_t held_first; /* bytes that wait, in blocks of the inputs pool, chained; POOL_NONE: none */
    uint32_t block;      /* HTTP: request bytes so far (http pool); OPEN: assembly; POOL_NONE */
    union {
        struct {                 /* HTTP */
            uint32_t block_size; /* bytes in the block */
            uint32_t scanned;    /* how far the head was searched */
        };
        struct {                 /* BODY: bytes to send */
            const uint8_t *body; /* what is left: static, or in the block */
            uint32_t body_left;
            uint32_t body_block; /* in the worker's pool of bodies; POOL_NONE: static */
        };
        struct {                       /* OPEN and after it (CF_UPGRADED) */
            struct incoming *incoming; /* NULL: between messages, as is usual */
            uint8_t *pong;             /* heap: size, payload, while one is owed */
        };
    };

    /* Timers; ms since the worker started (wrap-safe differences). */
    struct timer timer;
    union {
        uint32_t deadline_ms; /* HTTP, CLOSING, LINGER; CF_CLOSE: end of patience */
        uint32_t lag_ms;      /* OPEN, CF_SLOW_TOLD: last notice */
    };
    uint32_t alive_ms; /* OPEN: the peer's last whole message or control frame, for parts of one prove
                        * nothing; CF_PING_OUT: the answer's time runs from here */
    uint32_t heartbeat_next_ms, heartbeat_ms;
    uint32_t full_ms;      /* CF_FULL: since */
    uint32_t unsent_seen;  /* CF_FULL: bytes in the socket's send queue when last looked at */
    uint32_t stall_ms;     /* CF_STALL_SEEN: since when the send queue has been the same */
    uint32_t stall_unsent; /* CF_STALL_SEEN: bytes in it */
    uint32_t opened_ms;

    uint32_t command_second;
    uint32_t address;         /* entry in the table of addresses; UINT32_MAX: not counted */
    uint32_t gaps;            /* told so far */
    const char *close_reason; /* a literal */

    /* Told so far, without the cohort's share (added when it leaves). */
    uint64_t sent_bytes, ticks;
    uint64_t conflated;
};

/* A worker's own memory for one: the structure, and its place in the free list, the ready ring and the list
 * of those behind. */
#define CONN_BYTES (sizeof(struct conn) + 3 * sizeof(uint32_t))

/* Beside that: the io's own record (at most 16), a 64th of a cohort (a heap block of 512). */
_Static_assert(CONN_BYTES + 16 + 512 / COHORT_MEMBERS_MAX <= CONN_IDLE_BYTES_MAX,
               "an idle connection's memory");

#endif
