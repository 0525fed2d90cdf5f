/* worker/worker_internal.h -- a worker's whole state, and what its files call of each other. For worker/
 * only. Thread: everything here is the worker's own, save for what worker.h says. */
#ifndef TC_WORKER_WORKER_INTERNAL_H
#define TC_WORKER_WORKER_INTERNAL_H

#include "base/diag.h"
#include "base/pool.h"
#include "base/random.h"
#include "io/io.h"
#include "ops/metrics.h"
#include "render/render.h"
#include "wire/command.h"
#include "wire/http_reply.h"
#include "wire/notice.h"
#include "wire/ws_deflate.h"
#include "worker/conn.h"
#include "worker/worker.h"
#include "worker/worker_admin.h"

#include <pthread.h>

#define FLUSH_SENDS          64u                                /* sends of one submission (decision 18) */
#define FLUSH_ROOM           (FLUSH_SENDS + COHORT_MEMBERS_MAX) /* a cohort is never split over two */
#define TURN_SENDS           256u   /* of a frame each, then events and single connections have their share */
#define TURN_UNITS           256u   /* single sends of one turn */
#define TURN_PACKS           64u    /* frames that either may pack: one costs as much as several sends */
#define PACKED_KEPT          8u     /* large groups whose cohorts may take turns in the round */
#define COVER_TICKS          1000u  /* frame=tick: `covered` after so many (decision 16) */
#define TURN_SCAN            16384u /* log positions scanned for those behind in one turn (decision 19) */
#define OWED_SCAN            2048u  /* log positions looked at for the oldest tick owed */
#define FOLD_TICKS           8192u  /* ticks read from the log in one turn */
#define EVENTS_MAX           256u
#define ARENA_BYTES          (2u << 20) /* of a submission; more where --max-rules makes answers longer */
#define RECEIVE_BUFFERS      1024u
#define RECEIVE_BUFFER_BYTES 4088u /* with the head of an input_block: a page */
#define LINGER_MS            2000u
#define SAMPLED              16u /* of the newest sampled ticks; a power of two */
#define BODIES               8u  /* answers of METRICS_BYTES_MAX under way */
_Static_assert(FLUSH_SENDS < NO_UNIT, "an index of a unit fits its byte");
_Static_assert(RECEIVE_BUFFER_BYTES + 16 <= FRAME_BYTES_MAX,
               "an echo out of a receive buffer fits a rest block");

/* Bytes of a connection that wait until it may be read on. */
struct input_block {
    uint32_t next;     /* in the worker's pool of inputs; POOL_NONE: the last */
    uint16_t at, size; /* handled so far; held */
    uint8_t bytes[RECEIVE_BUFFER_BYTES];
};
_Static_assert(sizeof(struct input_block) == 4096, "a pool's blocks are whole pages");

/* A request of a cohort of a group that has others, and what it came to. */
struct packed {
    struct render_in in;
    struct render_out out;
    uint8_t bytes[RENDER_BYTES_MAX + RENDER_SLACK];
};

/* The last ones of a group. */
struct packed_set {
    uint64_t group_born; /* 0: none */
    uint64_t used;       /* packing.uses then; the least is the first to be given up */
    struct packed ahead; /* up to all that was there */
    struct packed apart; /* of one that stood elsewhere, up to where the other ended; no frames: none */
};

/* What permessage-deflate works with: reserved at start, touched by the first who agreed on it. */
struct packing {
    struct deflater *deflater;
    uint8_t *message; /* a client's, unpacked: --max-message and one byte */
    uint64_t uses;
    struct packed_set kept[PACKED_KEPT];            /* of different groups */
    uint8_t plain[RENDER_BYTES_MAX + RENDER_SLACK]; /* rendered, to be packed */
};

/* A tick whose age is looked at, as it was read. */
struct sampled {
    uint64_t seq; /* 0: none yet */
    int64_t event_ns;
    bool timed;
};

/* A cohort in the submission under way. */
struct visit {
    struct cohort *cohort;
    const uint8_t *bytes;
    struct render_out *out;
    uint64_t rendered_ns; /* realtime, where out has sampled ticks */
    uint64_t read_before, covered_before;
};

enum unit_kind {
    UNIT_REST,
    UNIT_BODY,
    UNIT_CLOSE,
    UNIT_DRAIN,
    UNIT_PONG,
    UNIT_PING,
    UNIT_ANSWER,
    UNIT_LAG,
    UNIT_GAP,
    UNIT_DEFINITIONS,
    UNIT_SNAPSHOT,
    UNIT_DATA,
    UNIT_HEARTBEAT
};

/* Bytes for one connection in the submission under way. */
struct unit {
    uint32_t slot;
    enum unit_kind kind;
    const uint8_t *bytes;
    uint32_t size;
    struct render_out *out; /* UNIT_DATA */
    uint64_t rendered_ns;   /* UNIT_DATA: realtime, where out has sampled ticks */
    uint64_t value;         /* UNIT_GAP: to; UNIT_SNAPSHOT, UNIT_DEFINITIONS: next id; UNIT_LAG: behind */
    uint64_t to; /* UNIT_DATA: what was asked for, so that another member's like request shares the bytes */
    bool force;
};

/* Begins each block of the assemblies. Those held by messages that arrive are chained, in the order in which
 * they were taken. */
struct assembly_head {
    uint32_t slot; /* whose message; UINT32_MAX: not chained */
    uint32_t older, newer;
    uint32_t since_ms;
};

/* What a socket did with a unit. */
enum outcome { OUTCOME_WHOLE, OUTCOME_PART, OUTCOME_NONE, OUTCOME_DEAD };

/* Administration: the rings' ends. */
struct admin_door {
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t asked; /* asks ever put; written by the asker */
    struct ring asks, handed;
    ck_ring_buffer_t ask_slots[ADMIN_ASKS], handed_slots[ADMIN_HANDED];
    uint64_t taken;                 /* asks ever got; the worker's */
    _Atomic uint64_t handed_count;  /* connections ever handed over; written by the worker */
    uint64_t handed_taken;          /* the administration's */
    struct admin_handed *handed_at; /* ADMIN_HANDED of them; by the in_use of each, its worker's or not */
};

struct worker {
    struct server *server;
    const struct settings *settings;
    struct log *log;
    struct log_reader *reader;
    struct worker_options options;
    struct io *io;

    /* Written by this thread, read by any: /metrics does not share a line with what a turn works on. */
    _Alignas(TC_CACHE_LINE) struct counters counters;

    /* Time of this turn. */
    _Alignas(TC_CACHE_LINE) uint64_t now_ns;
    uint64_t real_ns, start_ns;
    uint32_t now_ms;      /* since start_ns */
    uint64_t date_second; /* date holds this second; see worker_date */
    char date[HTTP_DATE_SIZE];

    /* The log, folded. */
    uint64_t read_seq;        /* ticks up to here were folded and noted */
    uint64_t swept_seq;       /* those behind that were owed nothing went along up to here */
    uint64_t complete_ns;     /* feeds' time at which read_seq was complete (decision 13) */
    uint64_t exact_seq;       /* snapshots are exact from this position on (decision 4) */
    uint64_t *symbol_seqs;    /* by id, rising: the symbol's definition stands at or before this seq */
    uint32_t symbols_located; /* ids that have one; the others were learned out of the writer's table alone */
    struct last_value *last;
    struct trail trail;
    struct groups groups;

    /* Connections. */
    struct conn *conns;
    uint32_t conns_max, conn_touched, conn_count, conn_handshaking;
    uint32_t *free_slots, free_count;
    uint32_t *ready, ready_first, ready_count; /* ring of conns_max: slots with something owed, each once */
    uint32_t *behind;                          /* slots of those with a subscription and no cohort */
    uint32_t behind_count, subscriber_count;
    uint64_t owed_looked_ns,
        owed_looks; /* last and how often cohorts were looked at for what they are owed */
    struct timer_wheel timers;
    struct pool rests, http_blocks, assemblies, inputs, bodies;
    uint32_t inputs_more;                      /* blocks beyond each connection's first */
    uint32_t assembly_oldest, assembly_newest; /* held by messages that arrive; POOL_NONE: none */

    /* The submission under way. */
    uint8_t *arena;
    uint32_t arena_used, arena_bytes;
    struct render_scratch scratch;
    struct render_out outs[FLUSH_ROOM];
    struct visit visits[FLUSH_ROOM];
    struct unit units[FLUSH_SENDS];
    struct io_sent failed[FLUSH_ROOM];
    uint32_t visit_count, unit_count, send_count;
    bool any_sampled; /* the submission holds ticks whose age is looked at */
    struct sampled sampled[SAMPLED];
    uint64_t offered_real_ns; /* when the last one that did had returned */
    struct packing *packing;  /* NULL: --deflate is off */

    uint32_t turn_scan_left, turn_fold_left, turn_packs_left;
    bool draining;         /* seen server->draining or ->ended */
    uint32_t stalled_seen; /* of server->stalled_looks */
    uint64_t drain_start_ns;
    uint32_t drain_next;              /* slots below it were dealt with */
    uint64_t drain_count, drain_done; /* connections when it began; sent away since */
    _Atomic bool stop;                /* main: end at once */
    _Atomic bool drained;             /* for main */
    _Atomic bool opened;              /* io is open and listening, or start_fault says why not */
    struct fault start_fault;
    int start_result;
    pthread_t thread;
    bool thread_started;
    struct random random;
    bool admitted; /* server->admission was opened */
    struct diag_rate limit_rates[LIMIT_COUNT], accept_rate, admin_rate;
    void *command_arena;
    struct admin_door admin;
};

_Static_assert(offsetof(struct worker, counters) % TC_CACHE_LINE == 0, "the counters begin a line");
_Static_assert(offsetof(struct worker, now_ns) % TC_CACHE_LINE == 0, "and nothing else is on their last");
_Static_assert(offsetof(struct worker, now_ns) >= offsetof(struct worker, counters) + sizeof(struct counters),
               "what a turn works on is behind them");

/* ---- worker_fold.c: the log into tables and marks. ---- */
uint32_t fold_turn(struct worker *w);
/* What has come since, as far as the turn's FOLD_TICKS still go. Not while a submission is under way: members
 * may be closed. */
uint32_t fold_more(struct worker *w);
/* The first symbol that may be defined after position: a client that was told everything up to there knows
 * those before it. */
uint32_t fold_symbols_before(const struct worker *w, uint64_t position);

/* ---- worker_fan.c: cohorts. ---- */
uint32_t fan_turn(struct worker *w);
/* Takes c out of its cohort, standing at the given positions; it is behind from now on. */
void fan_leave(struct worker *w, struct conn *c, uint64_t position, uint64_t read);
void fan_leave_whole(struct worker *w, struct conn *c); /* at the cohort's own positions */
void fan_join(struct worker *w, struct conn *c, struct cohort *cohort);
/* Of a render's output, what a socket that took so many bytes has or will have whole (the frame that was cut
 * is finished as a rest). In: position and read before. */
struct cut {
    uint64_t position, read;
    uint64_t told_conflated;     /* counted in a frame that arrives */
    uint32_t untold_conflated;   /* frame=tick: to be counted in the next `covered` */
    uint32_t end, frames, ticks; /* bytes of the frames that arrive; how many; ticks in them */
};
void cut_frames(const struct render_out *out, enum framing framing, uint32_t taken, struct cut *cut);
/* Room in the arena for one render call, or NULL. */
uint8_t *arena_room(struct worker *w, uint32_t bytes);

/* ---- worker_pace.c: what feeds that wait for their readers want to know (decision 17). ---- */
void behind_add(struct worker *w, struct conn *c);
void behind_remove(struct worker *w, struct conn *c);
void pace_publish(struct worker *w);
/* Looks at those that a feed has been waiting for. Returns how many were closed or let go. */
uint32_t pace_turn(struct worker *w);

/* ---- worker_single.c: one connection at a time. ---- */
uint32_t single_turn(struct worker *w);
/* The socket took only part of a frame: holds what is left of it. False: no memory, the connection was reset.
 */
bool rest_keep(struct worker *w, struct conn *c, const uint8_t *bytes, uint32_t size);
void rest_drop(struct worker *w, struct conn *c);
/* The socket is full: arms writable. */
void conn_full(struct worker *w, struct conn *c);
/* Sends at once (outside of a submission): HTTP answers, echoes, pongs. What a full socket does not take is
 * kept as rest. May close c. */
void conn_send_now(struct worker *w, struct conn *c, const uint8_t *bytes, uint32_t size);

/* ---- worker_stream.c: the data of those behind. ---- */
bool stream_unit(struct worker *w, struct conn *c, struct unit *u);
void stream_done(struct worker *w, struct conn *c, const struct unit *u, enum outcome outcome,
                 uint32_t taken);
bool stream_heartbeat_unit(struct worker *w, struct conn *c, struct unit *u);
void stream_gap_done(struct worker *w, struct conn *c, uint64_t to);
/* More than an eighth of the log behind what members of g should have by now (decision 15). */
bool stream_far(const struct worker *w, const struct group *g, uint64_t position);
/* Age of the oldest tick after `read` that g wants. Never less; more where none is among the next OWED_SCAN:
 * then it is the age of what comes behind them. */
uint64_t stream_owed_ms(const struct worker *w, const struct group *g, uint64_t read);
/* What `first` says goes out before data; its reference to minus is taken over. Nothing to do where it says
 * neither define nor snapshot. */
void stream_snapshot_start(struct worker *w, struct conn *c, const struct snapshotting *first);
void stream_snapshot_drop(struct worker *w, struct conn *c);
/* Forgets subscription, snapshot and answer. */
void stream_drop(struct worker *w, struct conn *c);

/* ---- worker_answer.c: answers to commands. ---- */
bool answer_is_due(struct worker *w, struct conn *c);
bool answer_unit(struct worker *w, struct conn *c, struct unit *u);
void answer_done(struct worker *w, struct conn *c, const struct unit *u, enum outcome outcome,
                 uint32_t taken);
void answer_drop(struct worker *w, struct conn *c);

/* ---- worker_command.c: commands into answers. ---- */
void command_run(struct worker *w, struct conn *c, const struct command *cmd);
void command_reject(struct worker *w, struct conn *c, const struct command_error *err);

/* ---- worker_conn.c: life of a connection. ---- */
struct conn *conn_at(struct worker *w, uint32_t slot);
uint32_t conn_slot(const struct worker *w, const struct conn *c);
void conn_accept(struct worker *w, const struct io_event *e);
/* Gone at once: everything is given back. how: IO_CLOSE_FIN or IO_CLOSE_RESET. */
void conn_close(struct worker *w, struct conn *c, int how);
/* As conn_close, where io has let go of the slot already. */
void conn_release(struct worker *w, struct conn *c);
/* Wants a close frame sent; reason is a literal. */
void conn_want_close(struct worker *w, struct conn *c, uint16_t code, const char *reason);
/* Our close frame is out: waits for the peer's, or lingers if there is nothing to wait for. */
void conn_closed_our_side(struct worker *w, struct conn *c);
/* Our side is done: shuts down, drops input until the peer's end. */
void conn_linger(struct worker *w, struct conn *c);
void conn_ready(struct worker *w, struct conn *c);
/* When a client that is sent away is to come back: anywhere in a second and --drain-seconds, so that a crowd
 * comes back at a bounded rate. */
uint64_t conn_reconnect_ms(struct worker *w);
void conn_timer_set(struct worker *w, struct conn *c);
void conn_timer_fired(struct worker *w, struct conn *c);
void conn_writable(struct worker *w, struct conn *c);

/* ---- worker_memory.c: sizes of what a worker reserves. ---- */
#define HTTP_BLOCK_BYTES    (HTTP_HEADER_BYTES_MAX + 16u)
#define COMMAND_ARENA_BYTES (4u << 20)
uint32_t memory_rest_blocks(const struct settings *s);
uint32_t memory_http_blocks(const struct settings *s);
uint32_t memory_assembly_blocks(const struct settings *s);
/* Blocks beyond the first of each connection, of one worker. */
uint32_t memory_inputs_more(const struct settings *s);
size_t memory_assembly_bytes(const struct settings *s);
size_t memory_filter_bytes(const struct settings *s);
uint32_t memory_arena_bytes(const struct settings *s);

/* ---- worker_limit.c: what happens at a limit (config/limit.h). ---- */
void limit_met(struct worker *w, enum limit which);
/* ... and the connection is closed for it; reason is a literal. */
void limit_close(struct worker *w, struct conn *c, enum limit which, uint16_t code, const char *reason);
/* The heap is used up: closed with 1008. */
void limit_memory(struct worker *w, struct conn *c);

/* ---- worker_admin.c: what administration asks. ---- */
void admin_door_init(struct admin_door *d, struct admin_handed *handed);
/* At most one ask a turn. */
uint32_t admin_turn(struct worker *w);
/* A request with the right token: its connection is the administration's from now on. False: no room there.
 */
bool admin_hand_over(struct worker *w, struct conn *c, const char *head, size_t size);

/* ---- worker_input.c: bytes in. ---- */
void input_received(struct worker *w, struct conn *c, const struct io_event *e);
/* Goes on with bytes that waited, if nothing holds them back any more. */
void input_resume(struct worker *w, struct conn *c);
void input_drop(struct worker *w, struct conn *c);
bool input_may_go_on(const struct conn *c);

/* ---- worker_incoming.c: messages of which not all bytes have come. ---- */
/* Keeps what the reader knows until the next input, or forgets it where nothing is under way. False: no
 * memory. */
bool incoming_keep(struct worker *w, struct conn *c, const struct ws_reader *reader);
/* Takes an assembly for c, from who has held one for longest if need be. False: there is none. */
bool incoming_hold(struct worker *w, struct conn *c);
struct ws_assembly *incoming_assembly(struct worker *w, struct conn *c); /* NULL: it holds none */
/* The message has come; what stays in its assembly is on its way out. */
void incoming_outbound(struct worker *w, struct conn *c);
void incoming_give_back(struct worker *w, struct conn *c); /* the assembly, if it holds one */
void incoming_drop(struct worker *w, struct conn *c);      /* all of it */
/* Closes c for it with 1008: the rest of its message is of no use. Not from within c's own input. */
void incoming_end(struct worker *w, struct conn *c, enum limit which);
void incoming_check(const struct worker *w); /* asserts */

/* ---- worker_ws.c, worker_http.c ---- */
/* Both take bytes and return how many they used; fewer: the rest waits. */
size_t ws_input(struct worker *w, struct conn *c, uint8_t *bytes, size_t size);
size_t http_input(struct worker *w, struct conn *c, uint8_t *bytes, size_t size);
/* The time of this turn for the Date field of HTTP answers; made once a second. */
const char *worker_date(struct worker *w);
/* What every answer to r says of itself: date, version, whether the connection stays, whether it is a head
 * alone. */
void http_reply_for(struct worker *w, const struct conn *c, const struct http_request *r,
                    struct http_reply *reply);

/* ---- worker_body.c: HTTP answers with a long body. ---- */
/* A block of METRICS_BYTES_MAX for a body; POOL_NONE: all are being taken by sockets. */
uint32_t body_get(struct worker *w);
/* Sends head and body; block: where the body is (body_get), or POOL_NONE: it is static. May close c. */
void body_send(struct worker *w, struct conn *c, const struct http_request *r, struct http_reply *reply,
               uint32_t block);
/* Gives c's block back, if it has one. */
void body_drop(struct worker *w, struct conn *c);

/* ---- worker_age.c: ages of ticks at the end of a stage (base/age.h). Most visits have no tick whose age is
 * looked at: the guards are here. ---- */
/* Realtime ns, not the turn's: the stages of one turn are what is told apart. */
uint64_t age_now(const struct worker *w);
/* The ticks of (from, from + count] were folded; there is a multiple of AGE_SAMPLE among them. */
void age_read(struct worker *w, uint64_t from, const struct tick *ticks, uint32_t count);
void age_count(struct worker *w, const struct render_out *out, uint64_t rendered_ns, uint64_t read,
               uint32_t deliveries);
/* The time at which out was made, where it has sampled ticks. */
static inline uint64_t age_rendered(struct worker *w, const struct render_out *out)
{
    if (out->sampled == 0) return 0;
    w->any_sampled = true;
    return age_now(w);
}
/* The submission has returned. */
static inline void age_offered(struct worker *w)
{
    if (!w->any_sampled) return;
    w->any_sampled = false;
    w->offered_real_ns = age_now(w);
}
/* Of what was rendered then and offered now, the ticks up to `read` were delivered so many times. */
static inline void age_delivered(struct worker *w, const struct render_out *out, uint64_t rendered_ns,
                                 uint64_t read, uint32_t deliveries)
{
    if (out->sampled > 0 && deliveries > 0) age_count(w, out, rendered_ns, read, deliveries);
}

/* ---- worker_deflate.c: permessage-deflate. ---- */
/* render_run(), its frames packed, at the start of room (RENDER_BYTES_MAX + RENDER_SLACK). */
int deflate_render(struct worker *w, struct group *g, const struct render_in *in, uint8_t *room,
                   struct render_out *out);
/* The same for a cohort: what another of its group has just asked for is answered out of memory. */
int deflate_visit(struct worker *w, struct group *g, const struct render_in *in, uint8_t *room,
                  struct render_out *out);
/* One data frame into room (size and 8 bytes), packed if it pays. Returns its size. */
uint32_t deflate_frame(struct worker *w, struct group *g, const uint8_t *frame, uint32_t size, uint8_t *room);
/* A client's message; false: m->close_code and m->fail say why. Its bytes are good until the next message. */
bool deflate_unpack(struct worker *w, struct ws_message *m);
/* An echo, packed with the window that was agreed, into out (m->size bytes). 0: no smaller. */
uint32_t deflate_echo(struct worker *w, const struct conn *c, const struct ws_message *m, uint8_t *out);

/* ---- small helpers ---- */
/* Open, and no close frame of ours is owed or out. */
static inline bool conn_live(const struct conn *c)
{
    return c->state == CONN_OPEN && !(c->flags & (CF_CLOSE | CF_CLOSE_SENT));
}
static inline enum encoding conn_encoding(const struct conn *c)
{
    return c->flags & CF_BINARY ? ENCODING_BINARY : ENCODING_JSON;
}
static inline const struct notices *conn_notices(const struct conn *c)
{
    return c->flags & CF_BINARY ? &notices_bin : &notices_json;
}
static inline uint32_t ms_since(uint32_t now_ms, uint32_t then_ms)
{
    return now_ms - then_ms;
}
static inline uint32_t ns_to_ms(uint64_t ns)
{
    return (uint32_t)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

#endif
