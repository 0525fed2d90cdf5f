/* worker/worker_http.c -- requests on the one port: the page, the WebSocket upgrade, health, metrics,
 * symbols. A request is parsed when its head is whole; a head that arrives in pieces is gathered in a block
 * of the http pool. */
#include "worker/worker_internal.h"

#include "base/assert.h"
#include "web/web.h"
#include "wire/http_reply.h"

#include <stdio.h>
#include <stdlib.h>

static void request_limit(struct worker *w, int status);
static void on_request(struct worker *w, struct conn *c, const struct http_request *r);
static bool origin_allowed(const struct worker *w, const struct http_request *r);
static void upgrade(struct worker *w, struct conn *c, const struct http_request *r, bool echo);
static void serve_asset(struct worker *w, struct conn *c, const struct http_request *r,
                        const struct web_asset *a);
static void serve_ready(struct worker *w, struct conn *c, const struct http_request *r);
static void serve_metrics(struct worker *w, struct conn *c, const struct http_request *r);
static void serve_symbols(struct worker *w, struct conn *c, const struct http_request *r);
static bool is_admin_path(struct text path);
static void serve_admin(struct worker *w, struct conn *c, const struct http_request *r);
static void fail(struct worker *w, struct conn *c, const struct http_request *r, int status, const char *why);

size_t http_input(struct worker *w, struct conn *c, uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    size_t have = size, before = 0;
    if (c->block != POOL_NONE) {
        uint8_t *block = pool_at(&w->http_blocks, c->block);
        before = c->block_size;
        size_t take = min_u64(size, HTTP_HEADER_BYTES_MAX + 1 - before);
        memcpy(block + before, bytes, take);
        at = (const char *)block;
        have = before + take;
    }
    struct http_request r;
    int result = http_parse(at, have, &c->scanned, &r);
    if (result == 0 && c->block == POOL_NONE) {
        c->block = pool_get(&w->http_blocks);
        if (c->block == POOL_NONE || have > HTTP_HEADER_BYTES_MAX) {
            result = c->block == POOL_NONE ? -503 : -431;
        } else {
            memcpy(pool_at(&w->http_blocks, c->block), bytes, have);
            c->block_size = (uint32_t)have;
            return size;
        }
    } else if (result == 0) {
        c->block_size = (uint32_t)have;
        return have - before;
    }
    size_t used = result > 0 ? r.head_bytes - before : size;
    counter_add(&w->counters.requests_total, 1);
    /* The texts of r point into the block; it is given back when the request was answered. */
    uint32_t block = c->block;
    c->block = POOL_NONE;
    c->scanned = c->block_size = 0;
    if (result > 0) {
        on_request(w, c, &r);
    } else {
        memset(&r, 0, sizeof r);
        r.version_minor = 1;
        request_limit(w, -result);
        fail(w, c, &r, -result, "the request is not one this server can read");
    }
    if (block != POOL_NONE) pool_put(&w->http_blocks, block);
    return used;
}

static void request_limit(struct worker *w, int status)
{
    if (status == 431) limit_met(w, LIMIT_HEAD);
    if (status == 414) limit_met(w, LIMIT_TARGET);
    if (status == 413) limit_met(w, LIMIT_BODY);
    if (status == 503) limit_met(w, LIMIT_UNUPGRADED);
}

const char *worker_date(struct worker *w)
{
    uint64_t second = w->real_ns / NS_PER_SECOND;
    if (second != w->date_second || w->date[0] == 0) {
        http_date(w->date, second);
        w->date_second = second;
    }
    return w->date;
}

void http_reply_for(struct worker *w, const struct conn *c, const struct http_request *r,
                    struct http_reply *reply)
{
    reply->date = worker_date(w);
    reply->version_minor = r->version_minor;
    reply->keep_alive = (c->flags & CF_KEEP_ALIVE) != 0;
    reply->head_only = r->method == HTTP_M_HEAD;
}

/* Answers from out; what follows the answer depends on keep-alive. */
static void answer(struct worker *w, struct conn *c, const struct http_request *r, struct http_reply *reply)
{
    http_reply_for(w, c, r, reply);
    int size = http_reply_whole((char *)w->arena, FRAME_BYTES_MAX, reply);
    TC_ASSERT(size > 0);
    c->deadline_ms = w->now_ms + ns_to_ms(w->settings->keepalive_timeout_ns);
    conn_timer_set(w, c);
    conn_send_now(w, c, w->arena, (uint32_t)size);
    if (c->state != CONN_FREE && c->rest_block == POOL_NONE && !reply->keep_alive) conn_linger(w, c);
}

/* For Allow: a WebSocket's path has nothing that HEAD could tell of. */
static const char *methods_of(const struct http_request *r)
{
    bool ws = text_equal(r->path, TEXT("/v1/ws")) || text_equal(r->path, TEXT("/v1/echo"));
    return ws ? "GET" : "GET, HEAD";
}

static void fail(struct worker *w, struct conn *c, const struct http_request *r, int status, const char *why)
{
    counter_add(&w->counters.request_errors_total, 1);
    bool goes_on = status == 404 || status == 405 || status == 426 || status == 403;
    if (!goes_on) c->flags &= ~(uint32_t)CF_KEEP_ALIVE;
    struct http_reply base = {.date = worker_date(w),
                              .version_minor = r->version_minor,
                              .keep_alive = (c->flags & CF_KEEP_ALIVE) != 0,
                              .head_only = r->method == HTTP_M_HEAD,
                              .allow = status == 405 ? methods_of(r) : NULL,
                              .upgrade = status == 426 ? "websocket" : NULL,
                              .authenticate = status == 401 ? "Bearer" : NULL,
                              .retry_after_s = status == 503 ? 2 : 0};
    int size = http_reply_error((char *)w->arena, FRAME_BYTES_MAX, status, why, &base);
    TC_ASSERT(size > 0);
    conn_send_now(w, c, w->arena, (uint32_t)size);
    if (c->state != CONN_FREE && c->rest_block == POOL_NONE && !base.keep_alive) conn_linger(w, c);
}

static void on_request(struct worker *w, struct conn *c, const struct http_request *r)
{
    if (!r->keep_alive || r->body_bytes > 0 || w->draining) c->flags &= ~(uint32_t)CF_KEEP_ALIVE;
    if (!server_host_ok(w->server, w->server->loopback, r)) {
        fail(w, c, r, 421, "this listener does not answer to that Host; add it with --host");
        return;
    }
    if (w->server->admin_token && is_admin_path(r->path)) {
        serve_admin(w, c, r);
        return;
    }
    bool ws = text_equal(r->path, TEXT("/v1/ws"));
    bool echo = w->settings->echo && text_equal(r->path, TEXT("/v1/echo"));
    const struct web_asset *asset = web_find(r->path.at, r->path.size);
    bool known = ws || echo || asset || text_equal(r->path, TEXT("/metrics")) ||
                 text_equal(r->path, TEXT("/healthz")) || text_equal(r->path, TEXT("/readyz")) ||
                 text_equal(r->path, TEXT("/v1/symbols"));
    if (!known) {
        fail(w, c, r, 404, "there is nothing at this path; see / and /v1/ws");
        return;
    }
    if (r->method != HTTP_M_GET && !(r->method == HTTP_M_HEAD && !ws && !echo)) {
        fail(w, c, r, 405, ws || echo ? "this path takes GET" : "this path takes GET and HEAD");
        return;
    }
    if (ws || echo)
        upgrade(w, c, r, echo);
    else if (asset)
        serve_asset(w, c, r, asset);
    else if (text_equal(r->path, TEXT("/metrics")))
        serve_metrics(w, c, r);
    else if (text_equal(r->path, TEXT("/v1/symbols")))
        serve_symbols(w, c, r);
    else if (text_equal(r->path, TEXT("/readyz")))
        serve_ready(w, c, r);
    else
        answer(w, c, r,
               &(struct http_reply){.status = 200, .body = TEXT("alive\n"), .cache_control = "no-store"});
}

static bool is_admin_path(struct text path)
{
    return text_equal(path, TEXT("/v1/connections")) || text_begins(path, TEXT("/v1/connections/"));
}

/* Administration on the public port: with the token alone, whatever the address (decision 26). The
 * administration thread answers: it is the one that may ask every worker. */
static void serve_admin(struct worker *w, struct conn *c, const struct http_request *r)
{
    if (!origin_allowed(w, r)) {
        fail(w, c, r, 403, "pages of this Origin may not connect; allow it with --origins");
    } else if (!http_bearer_is(r->authorization, text_of(w->server->admin_token))) {
        fail(w, c, r, 401, "administration wants the token of --admin-token, as Authorization: Bearer TOKEN");
        uint32_t suppressed;
        if (diag_may(&w->admin_rate, w->now_ns, 1, &suppressed))
            diag(DIAG_WARN, "admin_refused", D_TEXT("why", "token"), D_NUM("suppressed", suppressed));
    } else if (!w->server->admin || !admin_hand_over(w, c, r->head, r->head_bytes)) {
        fail(w, c, r, 503, "administration is busy");
    }
}

static bool origin_allowed(const struct worker *w, const struct http_request *r)
{
    if (!r->has_origin || http_origin_is_host(r->origin, r->host)) return true;
    if (w->server->loopback && http_origin_is_loopback(r->origin)) return true;
    struct text list = {w->settings->origins, w->settings->origins ? strlen(w->settings->origins) : 0};
    return text_equal(list, TEXT("*")) || (list.size > 0 && http_list_has(list, r->origin));
}

static void upgrade(struct worker *w, struct conn *c, const struct http_request *r, bool echo)
{
    if (!origin_allowed(w, r)) {
        fail(w, c, r, 403, "pages of this Origin may not connect; allow it with --origins");
        return;
    }
    int status = ws_handshake_check(r);
    if (status != 0) {
        fail(w, c, r, status, "this path speaks WebSocket (RFC 6455, version 13)");
        return;
    }
    if (w->draining) {
        fail(w, c, r, 503, "draining");
        return;
    }
    int chosen = echo ? -1 : http_choose_protocol(r, subprotocol_names, ENCODINGS);
    struct ws_deflate_terms terms = {.agreed = false};
    if (w->packing) terms = ws_deflate_accept(r, echo ? WS_DEFLATE_BITS_LEAST : WS_DEFLATE_BITS);
    char extensions[WS_DEFLATE_ANSWER];
    if (terms.agreed) ws_deflate_answer(extensions, &terms);
    int size =
        ws_handshake_reply((char *)w->arena, 1024, r->ws_key, chosen < 0 ? NULL : subprotocol_names[chosen],
                           terms.agreed ? extensions : NULL);
    TC_ASSERT(size > 0);
    uint32_t bytes = (uint32_t)size;
    if (!echo) {
        char hello[NOTICE_MAX];
        const struct notices *n = chosen == ENCODING_BINARY ? &notices_bin : &notices_json;
        uint32_t hello_size = n->hello(hello, w->server->version, log_epoch(w->log), w->read_seq);
        bytes += ws_frame_head(w->arena + bytes, n->opcode, hello_size);
        memcpy(w->arena + bytes, hello, hello_size);
        bytes += hello_size;
    }
    w->conn_handshaking--;
    admission_upgraded(&w->server->admission);
    c->state = CONN_OPEN;
    c->flags = (c->flags & ~(uint32_t)CF_KEEP_ALIVE) | CF_UPGRADED | (echo ? CF_ECHO : 0);
    if (chosen == ENCODING_BINARY) c->flags |= CF_BINARY;
    if (terms.agreed) c->flags |= CF_DEFLATE | (uint32_t)(terms.bits - 8) << CF_WINDOW_SHIFT;
    c->incoming = NULL;
    c->pong = NULL;
    c->alive_ms = w->now_ms;
    counter_add(&w->counters.upgrades_total, 1);
    conn_timer_set(w, c);
    /* The query is read before the arena is reused. */
    struct command cmd;
    struct command_error err;
    bool asked = !echo && r->query.size > 0;
    int result = asked ? command_parse_query(r->query, &cmd, &err) : 0;
    conn_send_now(w, c, w->arena, bytes);
    if (c->state != CONN_OPEN || !asked) return;
    if (result < 0)
        command_reject(w, c, &err);
    else if (cmd.has_symbols || cmd.has_resume)
        command_run(w, c, &cmd);
    else if (cmd.has_heartbeat)
        c->heartbeat_ms = ns_to_ms(cmd.heartbeat_ns);
}

static void serve_asset(struct worker *w, struct conn *c, const struct http_request *r,
                        const struct web_asset *a)
{
    struct http_reply reply = {.status = 200,
                               .type = a->type,
                               .etag = a->etag,
                               .cache_control =
                                   a->immutable ? "public, max-age=31536000, immutable" : "no-cache"};
    if (r->if_none_match.size > 0 && http_list_has(r->if_none_match, text_of(a->etag))) {
        reply.status = 304;
        answer(w, c, r, &reply);
        return;
    }
    bool gzip = r->accept_gzip && a->gzip;
    if (gzip) reply.encoding = "gzip";
    reply.body = (struct text){(const char *)(gzip ? a->gzip : a->at), gzip ? a->gzip_size : a->size};
    body_send(w, c, r, &reply, POOL_NONE);
}

static void serve_ready(struct worker *w, struct conn *c, const struct http_request *r)
{
    const char *why = w->draining ? "draining\n" : server_not_ready(w->server);
    struct http_reply reply = {.status = why ? 503 : 200,
                               .body = why ? text_of(why) : TEXT("ready\n"),
                               .cache_control = "no-store",
                               .retry_after_s = why ? 2 : 0};
    answer(w, c, r, &reply);
}

static void serve_metrics(struct worker *w, struct conn *c, const struct http_request *r)
{
    uint32_t block = body_get(w);
    if (block == POOL_NONE) {
        fail(w, c, r, 503, "too many ask for this at the same time");
        return;
    }
    char *text = (char *)pool_at(&w->bodies, block);
    uint32_t size = server_metrics(w->server, w->real_ns, text, METRICS_BYTES_MAX);
    struct http_reply reply = {.status = 200,
                               .type = "text/plain; version=0.0.4; charset=utf-8",
                               .body = {text, size},
                               .cache_control = "no-store"};
    body_send(w, c, r, &reply, block);
}

/* Names that begin with prefix, in order of id, at most limit; bounded by the size of one answer. */
static void serve_symbols(struct worker *w, struct conn *c, const struct http_request *r)
{
    char prefix[SYMBOL_NAME_MAX + 1], limit_text[8] = "";
    struct text rest = r->query, name, value, wanted = {prefix, 0};
    while (http_query_next(&rest, &name, &value)) {
        int size = 0;
        if (text_equal(name, TEXT("prefix"))) {
            size = http_percent_decode(value, prefix, sizeof prefix);
            wanted.size = size > 0 ? (size_t)size : 0;
        } else if (text_equal(name, TEXT("limit"))) {
            size = http_percent_decode(value, limit_text, sizeof limit_text - 1);
        }
        if (size < 0) {
            fail(w, c, r, 400, "prefix takes up to 32 characters, limit a number from 1 to 1000");
            return;
        }
    }
    long limit = limit_text[0] ? strtol(limit_text, NULL, 10) : 1000;
    if (limit < 1 || limit > 1000) limit = 1000;
    char text[FRAME_BYTES_MAX - 1024], epoch[16];
    epoch_print(epoch, log_epoch(w->log));
    uint32_t size = (uint32_t)snprintf(text, sizeof text, "{\"epoch\":\"%.16s\",\"seq\":%llu,\"symbols\":[",
                                       epoch, (unsigned long long)w->read_seq);
    bool more = false, first = true;
    for (uint32_t id = 0; id < w->groups.symbol_count && !more; id++) {
        if (!text_begins(symbol_table_name(log_symbols(w->log), id), wanted)) continue;
        struct text json = symbol_table_json(log_symbols(w->log), id);
        more = limit-- == 0 || size + json.size + 32 > sizeof text;
        if (more) break;
        size += (uint32_t)snprintf(text + size, sizeof text - size, "%s\"%.*s\"", first ? "" : ",",
                                   (int)json.size, json.at);
        first = false;
    }
    size += (uint32_t)snprintf(text + size, sizeof text - size, "],\"more\":%s}\n", more ? "true" : "false");
    answer(w, c, r,
           &(struct http_reply){
               .status = 200, .type = "application/json", .body = {text, size}, .cache_control = "no-store"});
}
