/* admin_answer.c -- one request of administration into one answer. Who may, then what. */
#include "admin/admin_internal.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "ops/metrics.h"
#include "wire/http_reply.h"
#include "wire/ws.h"

#include <stdio.h>

#define KICK_SUFFIX "/kick"

struct kick {
    uint32_t worker, slot, generation;
    uint16_t code;
    char reason[ADMIN_REASON_MAX + 1];
};

static int refuse(const struct admin *a, const struct admin_conn *c, const struct http_request *r,
                  const char **why);
static void answer(struct admin_conn *c, const struct http_request *r, const struct http_reply *what);
static void answer_error(struct admin_conn *c, const struct http_request *r, int status, const char *why,
                         const char *allow);
static void answer_list(struct admin *a, struct admin_conn *c, const struct http_request *r);
static void answer_kick(struct admin *a, struct admin_conn *c, const struct http_request *r, struct text id);
static void answer_metrics(struct admin *a, struct admin_conn *c, const struct http_request *r);
static void answer_ready(struct admin *a, struct admin_conn *c, const struct http_request *r);
static const char *query_read(struct text query, struct admin_query *out);
static const char *kick_read(struct text query, struct kick *out);
static bool id_read(struct text id, uint32_t *worker, uint32_t *slot, uint32_t *generation);
static bool number_read(struct text value, uint64_t most, uint64_t *out);
static bool code_may_be_sent(uint64_t code);
static const char *date_now(char out[HTTP_DATE_SIZE]);

void admin_answer(struct admin *a, struct admin_conn *c, const struct http_request *r)
{
    c->keep_alive = r->keep_alive && r->body_bytes == 0 && !c->handed;
    const char *why = NULL;
    int status = refuse(a, c, r, &why);
    if (status != 0) {
        admin_answer_error(c, r, status, why);
        return;
    }
    struct text path = r->path, prefix = TEXT("/v1/connections/"), suffix = TEXT(KICK_SUFFIX);
    bool kick = text_begins(path, prefix) && path.size > prefix.size + suffix.size &&
                text_equal((struct text){path.at + path.size - suffix.size, suffix.size}, suffix);
    if (kick && r->method != HTTP_M_POST) {
        answer_error(c, r, 405, "changes are POST", "POST");
        return;
    }
    if (kick) {
        answer_kick(a, c, r, (struct text){path.at + prefix.size, path.size - prefix.size - suffix.size});
        return;
    }
    bool list = text_equal(path, TEXT("/v1/connections")), metrics = text_equal(path, TEXT("/metrics"));
    bool alive = text_equal(path, TEXT("/healthz")), ready = text_equal(path, TEXT("/readyz"));
    if (!list && !metrics && !alive && !ready)
        admin_answer_error(c, r, 404,
                           "administration has /v1/connections, /v1/connections/ID/kick, /metrics, "
                           "/healthz and /readyz");
    else if (r->method != HTTP_M_GET && r->method != HTTP_M_HEAD)
        answer_error(c, r, 405, "this path takes GET and HEAD", "GET, HEAD");
    else if (list)
        answer_list(a, c, r);
    else if (metrics)
        answer_metrics(a, c, r);
    else if (ready)
        answer_ready(a, c, r);
    else
        answer(c, r, &(struct http_reply){.status = 200, .body = TEXT("alive\n")});
}

/* Who may ask (decision 26); a handed connection was let in by its worker, with the token. A unix socket's
 * guard is its file. */
static int refuse(const struct admin *a, const struct admin_conn *c, const struct http_request *r,
                  const char **why)
{
    if (c->handed) return 0;
    if (!server_host_ok(a->options.server, a->options.tcp && a->options.loopback, r)) {
        *why = "this listener does not answer to that Host; add it with --host";
        return 421;
    }
    if (r->has_origin && !http_origin_is_host(r->origin, r->host)) {
        *why = "pages of another Origin have no business here";
        return 403;
    }
    const char *token = a->options.server->admin_token;
    if (a->options.tcp && token && !http_bearer_is(r->authorization, text_of(token))) {
        *why = "administration wants the token of --admin-token, as Authorization: Bearer TOKEN";
        return 401;
    }
    return 0;
}

static void begin(struct admin_conn *c, const char *out, int size)
{
    TC_ASSERT(size > 0);
    c->state = ADMIN_CONN_WRITE;
    c->out = out;
    c->out_left = (size_t)size;
}

static void answer(struct admin_conn *c, const struct http_request *r, const struct http_reply *what)
{
    char date[HTTP_DATE_SIZE];
    struct http_reply reply = *what;
    reply.date = date_now(date);
    reply.version_minor = r->version_minor;
    reply.keep_alive = c->keep_alive;
    reply.head_only = r->method == HTTP_M_HEAD;
    reply.cache_control = "no-store";
    begin(c, c->small, http_reply_whole(c->small, sizeof c->small, &reply));
}

int admin_answer_busy(char *out, size_t size)
{
    char date[HTTP_DATE_SIZE];
    struct http_reply base = {.date = date_now(date), .version_minor = 1, .retry_after_s = 1};
    return http_reply_error(out, size, 503, "administration is busy elsewhere", &base);
}

void admin_answer_error(struct admin_conn *c, const struct http_request *r, int status, const char *why)
{
    answer_error(c, r, status, why, NULL);
}

static void answer_error(struct admin_conn *c, const struct http_request *r, int status, const char *why,
                         const char *allow)
{
    bool goes_on =
        status == 404 || status == 405 || status == 403 || status == 409 || status == 400 || status == 503;
    if (!goes_on) c->keep_alive = false;
    char date[HTTP_DATE_SIZE];
    struct http_reply base = {.date = date_now(date),
                              .version_minor = r->version_minor,
                              .keep_alive = c->keep_alive,
                              .head_only = r->method == HTTP_M_HEAD,
                              .allow = allow,
                              .authenticate = status == 401 ? "Bearer" : NULL,
                              .cache_control = "no-store",
                              .retry_after_s = status == 503 ? 1 : 0};
    begin(c, c->small, http_reply_error(c->small, sizeof c->small, status, why, &base));
}

static const char *date_now(char out[HTTP_DATE_SIZE])
{
    http_date(out, clock_real_ns() / NS_PER_SECOND);
    return out;
}

/* ---- /v1/connections. ---- */

static void answer_list(struct admin *a, struct admin_conn *c, const struct http_request *r)
{
    struct admin_query q;
    const char *wrong = query_read(r->query, &q);
    if (wrong) {
        admin_answer_error(c, r, 400, wrong);
        return;
    }
    uint32_t i = 0;
    while (i < ADMIN_ANSWERS_MAX && a->answer_used[i]) i++;
    if (i == ADMIN_ANSWERS_MAX) {
        admin_answer_error(c, r, 503, "other long answers are still being read; ask again");
        return;
    }
    if (admin_find(a, &q) < 0) {
        admin_answer_error(c, r, 503, "a worker did not answer in time; ask again");
        return;
    }
    char *body = a->answers[i] + ADMIN_HEAD_ROOM;
    uint32_t size = admin_list_json(body, a, &q, clock_real_ns());
    char date[HTTP_DATE_SIZE];
    struct http_reply reply = {.status = 200,
                               .date = date_now(date),
                               .type = "application/json",
                               .body = {body, size},
                               .version_minor = r->version_minor,
                               .keep_alive = c->keep_alive,
                               .cache_control = "no-store"};
    char head[ADMIN_HEAD_ROOM];
    int head_size = http_reply_head(head, sizeof head, &reply);
    TC_ASSERT(head_size > 0);
    char *start = body - head_size;
    memcpy(start, head, (size_t)head_size);
    a->answer_used[i] = true;
    c->answer = i;
    begin(c, start, head_size + (r->method == HTTP_M_HEAD ? 0 : (int)size));
}

static const char *query_read(struct text query, struct admin_query *out)
{
    *out = (struct admin_query){.sort = ADMIN_BY_LAG, .top = 1000};
    struct text name, value;
    uint32_t generation;
    while (http_query_next(&query, &name, &value)) {
        uint64_t n;
        if (text_equal(name, TEXT("top"))) {
            if (!number_read(value, ADMIN_TOP_MAX, &n) || n == 0) return "top takes a number from 1 to 4096";
            out->top = (uint32_t)n;
        } else if (text_equal(name, TEXT("sort"))) {
            uint32_t i = 0;
            while (i < ADMIN_SORTS && !text_equal(value, text_of(admin_sort_names[i]))) i++;
            if (i == ADMIN_SORTS) return "sort takes lag, bytes, age, queue or id";
            out->sort = (enum admin_sort)i;
        } else if (text_equal(name, TEXT("after"))) {
            out->after = true;
            if (!id_read(value, &out->worker, &out->slot, &generation))
                return "after takes an id, as in 0-17-3";
        } else {
            return "the parameters are top, sort and after";
        }
    }
    return out->after && out->sort != ADMIN_BY_ID ? "after goes with sort=id" : NULL;
}

/* ---- Kick. ---- */

static void answer_kick(struct admin *a, struct admin_conn *c, const struct http_request *r, struct text id)
{
    struct kick k;
    enum admin_result result;
    const char *wrong = kick_read(r->query, &k);
    if (wrong) {
        admin_answer_error(c, r, 400, wrong);
    } else if (!id_read(id, &k.worker, &k.slot, &k.generation)) {
        admin_answer_error(c, r, 404, "no connection has such an id; ids look like 0-17-3");
    } else if (admin_kick(a, k.worker, k.slot, k.generation, k.code, k.reason, &result) < 0) {
        admin_answer_error(c, r, 503, "its worker did not answer in time; nothing was done, ask again");
    } else if (result == ADMIN_GONE) {
        admin_answer_error(c, r, 404, "the connection with this id is gone");
    } else if (result == ADMIN_CLOSING) {
        admin_answer_error(c, r, 409, "the connection is being closed already");
    } else {
        diag(DIAG_INFO, "kicked", D_NUM("worker", k.worker), D_NUM("slot", k.slot),
             D_NUM("generation", k.generation), D_NUM("code", k.code), D_TEXT("reason", k.reason));
        char body[128];
        int size = snprintf(body, sizeof body, "{\"id\":\"%u-%u-%u\",\"kicked\":true,\"code\":%u}\n",
                            k.worker, k.slot, k.generation, k.code);
        answer(c, r,
               &(struct http_reply){.status = 200, .type = "application/json", .body = {body, (size_t)size}});
    }
}

static const char *kick_read(struct text query, struct kick *out)
{
    *out = (struct kick){.code = WS_POLICY, .reason = "kicked"};
    struct text name, value;
    while (http_query_next(&query, &name, &value)) {
        uint64_t n;
        if (text_equal(name, TEXT("code"))) {
            if (!number_read(value, 4999, &n) || !code_may_be_sent(n))
                return "code takes 1000, 1001, 1008, 1011, 1012, 1013 or 3000 to 4999";
            out->code = (uint16_t)n;
        } else if (text_equal(name, TEXT("reason"))) {
            int size = http_percent_decode(value, out->reason, ADMIN_REASON_MAX);
            bool ok = size >= 0 && utf8_feed(UTF8_OK, (const uint8_t *)out->reason, (size_t)size) == UTF8_OK;
            for (int i = 0; ok && i < size; i++)
                ok = (unsigned char)out->reason[i] >= ' ' && out->reason[i] != 127;
            if (!ok) return "reason takes up to 123 bytes of text, percent-encoded";
            out->reason[size] = 0;
        } else {
            return "the parameters are code and reason";
        }
    }
    return NULL;
}

/* RFC 6455 7.4: what a server may say to a client, and what applications agree on. */
static bool code_may_be_sent(uint64_t code)
{
    return code == WS_NORMAL || code == WS_GOING_AWAY || code == WS_POLICY || code == WS_INTERNAL ||
           code == WS_RESTART || code == WS_TRY_LATER || code >= 3000;
}

/* WORKER-SLOT-GENERATION */
static bool id_read(struct text id, uint32_t *worker, uint32_t *slot, uint32_t *generation)
{
    uint32_t *parts[] = {worker, slot, generation};
    for (uint32_t i = 0; i < 3; i++) {
        const char *end = i < 2 ? memchr(id.at, '-', id.size) : id.at + id.size;
        uint64_t n;
        if (!end || !number_read((struct text){id.at, (size_t)(end - id.at)}, UINT32_MAX - 1, &n))
            return false;
        *parts[i] = (uint32_t)n;
        size_t step = (size_t)(end - id.at) + (i < 2 ? 1 : 0);
        id = (struct text){id.at + step, id.size - step};
    }
    return true;
}

static bool number_read(struct text value, uint64_t most, uint64_t *out)
{
    *out = 0;
    if (value.size == 0 || value.size > 10) return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') return false;
        *out = *out * 10 + (uint64_t)(value.at[i] - '0');
    }
    return *out <= most;
}

/* ---- What the public port has as well. ---- */

static void answer_metrics(struct admin *a, struct admin_conn *c, const struct http_request *r)
{
    char text[METRICS_BYTES_MAX];
    _Static_assert(METRICS_BYTES_MAX <= ADMIN_SMALL_MAX - ADMIN_HEAD_ROOM, "it is answered whole");
    uint32_t size = server_metrics(a->options.server, clock_real_ns(), text, sizeof text);
    answer(c, r,
           &(struct http_reply){
               .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = {text, size}});
}

static void answer_ready(struct admin *a, struct admin_conn *c, const struct http_request *r)
{
    const char *why = server_not_ready(a->options.server);
    answer(c, r,
           &(struct http_reply){.status = why ? 503 : 200,
                                .body = why ? text_of(why) : TEXT("ready\n"),
                                .retry_after_s = why ? 2 : 0});
}
