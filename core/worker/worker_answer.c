/* worker/worker_answer.c -- the one answer a connection owes: a pong, an error, or the set now in force.
 *
 * A change of set takes effect where its answer is written (decision 8): the old set up to N in frames as
 * usual, then `subscribed` with N, the snapshot of what is new, then the new set from N. An answer that a
 * socket takes in part is made again and sent on from where it was cut: its values are fixed once the first
 * byte is out. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static uint32_t write_answer(struct worker *w, struct conn *c, uint8_t *out);
static uint32_t write_set(struct worker *w, struct conn *c, uint8_t *out);
static void fix_position(struct worker *w, struct conn *c, struct answer *a);
static void apply_set(struct worker *w, struct conn *c, struct answer *a);
static uint32_t notice_frame(uint8_t *out, const struct conn *c, const char *text, uint32_t size);

bool answer_is_due(struct worker *w, struct conn *c)
{
    struct answer *a = c->answer;
    if (a->kind != ANSWER_SET) return true;
    if (!c->group) { /* a gap to here and the snapshot after it must be exact (decision 4) */
        if (w->read_seq >= w->exact_seq) return true;
        conn_ready(w, c);
        return false;
    }
    TC_ASSERT(c->cohort == NULL); /* command_run took it out */
    return c->position == w->read_seq && !c->snapshot;
}

bool answer_unit(struct worker *w, struct conn *c, struct unit *u)
{
    struct answer *a = c->answer;
    if (a->kind == ANSWER_SET && a->sent == 0) fix_position(w, c, a);
    uint8_t *room = w->arena + w->arena_used;
    uint32_t size = write_answer(w, c, room);
    TC_ASSERT(size <= w->arena_bytes - w->arena_used);
    w->arena_used += size;
    u->kind = UNIT_ANSWER;
    u->bytes = room + a->sent;
    u->size = size - a->sent;
    return true;
}

static uint32_t write_answer(struct worker *w, struct conn *c, uint8_t *out)
{
    struct answer *a = c->answer;
    struct text id = {a->id, a->id_size};
    char text[NOTICE_MAX];
    const struct notices *n = conn_notices(c);
    switch (a->kind) {
    case ANSWER_PONG: return notice_frame(out, c, text, n->pong(text, id, a->seq));
    case ANSWER_ERROR: return notice_frame(out, c, text, n->error(text, id, a->code, a->message));
    case ANSWER_SET: break;
    }
    uint32_t size = write_set(w, c, out);
    if (a->gap)
        size += notice_frame(out + size, c, text,
                             n->gap(text, a->seq, a->gap_to, "resume", a->epoch_old, a->seq_old));
    return size;
}

static uint32_t notice_frame(uint8_t *out, const struct conn *c, const char *text, uint32_t size)
{
    uint32_t head = ws_frame_head(out, conn_notices(c)->opcode, size);
    memcpy(out + head, text, size);
    return head + size;
}

/* The rules as notices want them are laid out behind the room that the message itself may take. */
static uint32_t write_set(struct worker *w, struct conn *c, uint8_t *out)
{
    struct answer *a = c->answer;
    const struct group *g = a->group ? a->group : c->group;
    uint32_t count = g->key.rule_count;
    uint8_t *end = w->arena + w->arena_bytes;
    char *names = (char *)end - (size_t)count * (SYMBOL_NAME_MAX + 1);
    struct notice_rule *rules =
        (struct notice_rule *)((uintptr_t)(names - count * sizeof *rules) & ~(uintptr_t)15);
    for (uint32_t i = 0; i < count; i++) {
        char *name = names + (size_t)i * (SYMBOL_NAME_MAX + 1);
        rules[i] = (struct notice_rule){{name, rule_pattern(&g->key.rules[i], name)}, g->key.rules[i].kinds};
    }
    struct notice_set set = {.unsubscribed = a->unsubscribed,
                             .id = {a->id, a->id_size},
                             .rules = rules,
                             .rule_count = count,
                             .policy = a->policy,
                             .frame = g->key.framing,
                             .rate_interval_ns = g->key.rate_ns,
                             .seq = a->seq};
    TC_ASSERT(out + WS_HEAD_MAX + notice_set_bytes(&set) <= (uint8_t *)rules);
    uint8_t *payload = out + WS_HEAD_MAX;
    uint32_t size = conn_notices(c)->set((char *)payload, &set);
    uint32_t head = ws_frame_head(out, conn_notices(c)->opcode, size);
    memmove(out + head, payload, size);
    return head + size;
}

/* Where the new set begins. */
static void fix_position(struct worker *w, struct conn *c, struct answer *a)
{
    a->gap = false;
    a->gap_to = 0;
    if (c->group) {
        a->seq = c->position;
        return;
    }
    if (a->start == START_FOREIGN) {
        a->seq = 0;
        a->gap_to = w->read_seq;
        a->gap = true; /* even while this log is empty: what it held of the other is gone */
    } else if (a->start == START_AT) {
        a->seq = a->start_seq;
        a->gap = a->seq < w->read_seq && !log_holds(w->log, a->seq);
        if (a->gap) a->gap_to = w->read_seq;
    } else {
        /* A joiner takes the position of the cohort it will join, if nothing matching is pending there
         * (decision 6). */
        const struct cohort *target = cohort_find(&w->groups, a->group, 0, UINT64_MAX);
        bool quiet =
            target && target->read >= group_maybe_seq(&w->groups, a->group) && target->ticks_untold == 0;
        a->seq = quiet ? target->covered : w->read_seq;
    }
}

void answer_done(struct worker *w, struct conn *c, const struct unit *u, enum outcome outcome, uint32_t taken)
{
    struct answer *a = c->answer;
    if (outcome == OUTCOME_NONE) return;
    if (a->kind == ANSWER_SET && a->sent == 0) apply_set(w, c, a);
    a->sent += taken;
    if (taken < u->size) return;
    counter_add(&w->counters.commands_total, 1);
    answer_drop(w, c);
    input_resume(w, c);
}

static void apply_set(struct worker *w, struct conn *c, struct answer *a)
{
    struct group *old = c->group;
    c->group = a->group;
    c->group->subscriber_count++;
    if (old) old->subscriber_count--;
    a->group = NULL;
    c->policy = (uint8_t)a->policy;
    /* The socket may have become full under the old policy, or with this very answer. */
    c->flags &= ~(uint32_t)CF_LATEST_SKIP;
    if (c->policy == POLICY_LATEST && (c->flags & CF_FULL)) c->flags |= CF_LATEST_SKIP;
    c->flags = a->snapshot ? c->flags | CF_SNAPSHOT : c->flags & ~(uint32_t)CF_SNAPSHOT;
    c->flags |= CF_POSITIONED;
    c->position = c->read = a->seq;
    struct snapshotting first = {.minus = old, .define = (c->flags & CF_BINARY) != 0};
    if (old) { /* of what is new */
        bool grown = old != c->group && !a->unsubscribed;
        first.define &= grown;
        first.snapshot = a->snapshot && grown;
        stream_snapshot_start(w, c, &first);
        return;
    }
    w->subscriber_count++;
    behind_add(w, c);
    c->heartbeat_next_ms = w->now_ms + c->heartbeat_ms;
    conn_timer_set(w, c);
    if (a->gap) { /* told with the answer */
        uint64_t since = a->start == START_FOREIGN ? 0 : a->seq;
        counter_add(&w->counters.gaps_total, 1);
        c->gaps++;
        c->position = c->read = a->gap_to;
        first.snapshot = a->snapshot;
        first.since = since;
        first.since_told = a->start != START_FOREIGN;
    } else if (a->start == START_NOW) {
        c->read = w->read_seq; /* nothing in (position, read] matches */
        first.snapshot = a->snapshot;
    }
    stream_snapshot_start(w, c, &first);
}

void answer_drop(struct worker *w, struct conn *c)
{
    if (!c->answer) return;
    if (c->answer->group) group_put(&w->groups, c->answer->group);
    heap_put(&w->groups.heap, c->answer, sizeof *c->answer);
    c->answer = NULL;
}
