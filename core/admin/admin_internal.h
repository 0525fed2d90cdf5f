/* admin/admin_internal.h -- the administration thread's state, and what its files call of each other. For
 * admin/ only. Thread: its own, but for the fields that say otherwise. */
#ifndef TC_ADMIN_ADMIN_INTERNAL_H
#define TC_ADMIN_ADMIN_INTERNAL_H

#include "admin/admin.h"
#include "base/diag.h"
#include "base/sleeper.h"
#include "wire/http_parse.h"
#include "worker/worker_admin.h"

#include <pthread.h>

#define ADMIN_SMALL_MAX  65536u /* an answer that is no list */
#define ADMIN_HEAD_ROOM  1024u  /* before a long answer's body, for its head */
#define ADMIN_ROW_TEXT   1024u  /* a row as JSON, at most (asserted) */
#define ADMIN_ANSWER_MAX (ADMIN_HEAD_ROOM + 4096u + ADMIN_TOP_MAX * ADMIN_ROW_TEXT)
#define ADMIN_NO_ANSWER  UINT32_MAX

enum admin_conn_state { ADMIN_CONN_FREE, ADMIN_CONN_READ, ADMIN_CONN_WRITE, ADMIN_CONN_DRAIN };

struct admin_conn {
    enum admin_conn_state state;
    int fd;
    bool handed;     /* came by the public port: Host, Origin and token were looked at there */
    bool keep_alive; /* another request may follow the answer */
    uint64_t deadline_ns;
    uint32_t have, scanned; /* READ: bytes in `in`, how far they were searched */
    const char *out;        /* WRITE: what is left to send */
    size_t out_left;
    uint32_t answer; /* WRITE: the long answer it came from; ADMIN_NO_ANSWER: `small` */
    char in[HTTP_HEADER_BYTES_MAX + 16];
    char small[ADMIN_SMALL_MAX];
};

/* What /v1/connections was asked for. */
enum admin_sort { ADMIN_BY_LAG, ADMIN_BY_BYTES, ADMIN_BY_AGE, ADMIN_BY_QUEUE, ADMIN_BY_ID, ADMIN_SORTS };
extern const char *const admin_sort_names[ADMIN_SORTS];
struct admin_query {
    enum admin_sort sort;
    uint32_t top;
    bool after; /* BY_ID: behind this one */
    uint32_t worker, slot;
};

/* What was found: rows in order, and sums over all connections that were looked at. */
struct admin_found {
    struct admin_row *rows; /* ADMIN_TOP_MAX */
    uint32_t count;
    bool more;
    uint32_t looked_at, full, slow;
    uint64_t unsent_bytes, rest_bytes;
};

struct admin {
    struct admin_options options;
    struct sleeper sleeper; /* woken by workers and by admin_stop */
    _Atomic bool stop;
    pthread_t thread;
    bool thread_started;
    bool listen_rests; /* no descriptors: accepting waits for a conn to end or the next second */
    struct admin_conn *conns;
    char *answers[ADMIN_ANSWERS_MAX];
    bool answer_used[ADMIN_ANSWERS_MAX];
    struct admin_found found;
    struct admin_ask *asks; /* (ADMIN_ASKS - 1) for each worker */
    struct diag_rate refuse_rate;
};

/* ---- admin.c ---- */
/* One pass of the thread's loop: waits for news of its descriptors, at most a second, and serves it. */
void admin_thread_turn(struct admin *a);

/* ---- admin_answer.c: a whole request in, an answer in the conn. ---- */
void admin_answer(struct admin *a, struct admin_conn *c, const struct http_request *r);
void admin_answer_error(struct admin_conn *c, const struct http_request *r, int status, const char *why);
/* For a connection that there is no room for: the bytes of a 503, and how many. */
int admin_answer_busy(char *out, size_t size);

/* ---- admin_ask.c: asks the workers. 0; TC_EAGAIN: a ring was full or there was no answer in time (nothing
 * was done). ---- */
int admin_find(struct admin *a, const struct admin_query *q);
int admin_kick(struct admin *a, uint32_t worker, uint32_t slot, uint32_t generation, uint16_t code,
               const char *reason, enum admin_result *result);

/* ---- admin_heap.c: the first `top` rows of an order, out of any number. ---- */
void admin_heap_offer(struct admin_found *f, const struct admin_query *q, const struct admin_row *row);
void admin_heap_sort(struct admin_found *f, enum admin_sort sort);
/* True if a comes before b. */
bool admin_row_before(enum admin_sort sort, const struct admin_row *a, const struct admin_row *b);

/* ---- admin_json.c: pure text. ---- */
/* Both return the bytes written. out: ADMIN_ROW_TEXT / ADMIN_ANSWER_MAX - ADMIN_HEAD_ROOM. */
uint32_t admin_row_json(char *out, const struct admin_row *row);
uint32_t admin_list_json(char *out, const struct admin *a, const struct admin_query *q, uint64_t real_ns);

#endif
