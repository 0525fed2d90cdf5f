/* worker/worker_body.c -- HTTP answers whose body may be longer than a rest block: head at once, then the
 * body from where it is, as the socket takes it (CONN_BODY). A body is static, or stands in a block of a
 * small pool; when the pool is used up, of those whose sockets are full the one that has been at it for
 * longest is reset, so that who reads is answered however many do not. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static bool reset_longest_stuck(struct worker *w);

uint32_t body_get(struct worker *w)
{
    uint32_t block = pool_get(&w->bodies);
    if (block == POOL_NONE && reset_longest_stuck(w)) block = pool_get(&w->bodies);
    return block;
}

static bool reset_longest_stuck(struct worker *w)
{
    struct conn *longest = NULL;
    for (uint32_t slot = 0; slot < w->conn_touched; slot++) {
        struct conn *c = &w->conns[slot];
        if (c->state != CONN_BODY || c->body_block == POOL_NONE || c->unit != NO_UNIT ||
            !(c->flags & CF_FULL))
            continue;
        if (!longest || (int32_t)(c->deadline_ms - longest->deadline_ms) < 0) longest = c;
    }
    if (longest) conn_close(w, longest, IO_CLOSE_RESET);
    return longest != NULL;
}

void body_send(struct worker *w, struct conn *c, const struct http_request *r, struct http_reply *reply,
               uint32_t block)
{
    http_reply_for(w, c, r, reply);
    int size = http_reply_head((char *)w->arena, FRAME_BYTES_MAX, reply);
    TC_ASSERT(size > 0);
    c->deadline_ms = w->now_ms + ns_to_ms(w->settings->keepalive_timeout_ns);
    if (reply->head_only) {
        if (block != POOL_NONE) pool_put(&w->bodies, block);
    } else {
        c->state = CONN_BODY;
        c->body = (const uint8_t *)reply->body.at;
        c->body_left = (uint32_t)reply->body.size;
        c->body_block = block;
    }
    conn_timer_set(w, c);
    conn_send_now(w, c, w->arena, (uint32_t)size);
    if (c->state == CONN_FREE) return;
    if (c->state == CONN_BODY)
        conn_ready(w, c);
    else if (c->rest_block == POOL_NONE && !reply->keep_alive)
        conn_linger(w, c);
}

void body_drop(struct worker *w, struct conn *c)
{
    if (c->state != CONN_BODY || c->body_block == POOL_NONE) return;
    pool_put(&w->bodies, c->body_block);
    c->body_block = POOL_NONE;
}
