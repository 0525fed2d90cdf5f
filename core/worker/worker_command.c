/* worker/worker_command.c -- what a client asked, turned into the answer it is owed. The change itself
 * happens when the answer is written (worker_answer.c). */
#include "worker/worker_internal.h"

#include "base/assert.h"

#include <stdio.h>

static struct answer *answer_new(struct worker *w, struct conn *c, enum answer_kind kind, const char *id,
                                 uint8_t id_size);
static void reject(struct worker *w, struct conn *c, const struct command *cmd, const char *code,
                   const char *message);
static void reject_for(struct worker *w, struct conn *c, const struct command_error *err);
static void change_set(struct worker *w, struct conn *c, const struct command *cmd);
static int new_rules(struct worker *w, struct conn *c, const struct command *cmd, struct rule *rules);
static uint32_t without(struct rule *rules, uint32_t count, const struct command *cmd);
static bool set_start(struct worker *w, struct conn *c, const struct command *cmd, struct answer *a);
static uint64_t since_position(struct worker *w, const struct command *cmd);

void command_run(struct worker *w, struct conn *c, const struct command *cmd)
{
    TC_ASSERT(c->answer == NULL);
    if (cmd->op == COMMAND_PING) {
        struct answer *a = answer_new(w, c, ANSWER_PONG, cmd->id, cmd->id_size);
        if (a) a->seq = w->real_ns; /* the pong's "ts" (decision 25) */
        return;
    }
    change_set(w, c, cmd);
}

static void change_set(struct worker *w, struct conn *c, const struct command *cmd)
{
    bool first = c->group == NULL;
    if (cmd->op == COMMAND_RESUME && !first) {
        reject(w, c, cmd, "subscribed_already",
               "resume stands before the first subscribe; open a new connection to resume");
        return;
    }
    if (cmd->has_since && !first) {
        reject(w, c, cmd, "bad_since", "since goes with the first subscription of a connection");
        return;
    }
    struct rule *rules = (struct rule *)w->arena; /* no submission is under way while input is handled */
    int count = new_rules(w, c, cmd, rules);
    if (count < 0) {
        limit_met(w, LIMIT_RULES);
        char text[120];
        snprintf(text, sizeof text, "a connection may have %llu rules (--max-rules); nothing was changed",
                 (unsigned long long)w->settings->rules_max);
        reject(w, c, cmd, "too_many", text);
        return;
    }
    struct group_key key = {
        .framing = FRAME_BATCH, .encoding = conn_encoding(c), .deflate = (c->flags & CF_DEFLATE) != 0};
    if (!first) key = c->group->key;
    key.rules = rules;
    key.rule_count = (uint32_t)count;
    if (cmd->has_frame) key.framing = cmd->frame;
    if (cmd->has_rate) key.rate_ns = cmd->rate_interval_ns;
    key.policy = cmd->has_policy ? cmd->policy : (enum policy)c->policy;

    struct answer *a = answer_new(w, c, ANSWER_SET, cmd->id, cmd->id_size);
    if (!a) return;
    a->policy = key.policy;
    a->unsubscribed = cmd->op == COMMAND_UNSUBSCRIBE;
    a->snapshot = cmd->has_snapshot ? cmd->snapshot : first || (c->flags & CF_SNAPSHOT);
    a->group = group_get(&w->groups, &key);
    if (!a->group) {
        answer_drop(w, c);
        limit_memory(w, c);
        return;
    }
    if (!set_start(w, c, cmd, a)) {
        answer_drop(w, c);
        reject(w, c, cmd, "bad_seq",
               "seq is farther ahead of the log's head than the log holds; see hello's seq");
        return;
    }
    if (cmd->has_heartbeat) c->heartbeat_ms = ns_to_ms(cmd->heartbeat_ns);
    if (c->cohort) fan_leave_whole(w, c); /* the old set ends where the answer is written */
}

/* The set that will be in force: canonical, in rules. -1: over the limit. */
static int new_rules(struct worker *w, struct conn *c, const struct command *cmd, struct rule *rules)
{
    uint32_t count = c->group ? c->group->key.rule_count : 0;
    if (count > 0) memcpy(rules, c->group->key.rules, count * sizeof *rules);
    if (cmd->op == COMMAND_UNSUBSCRIBE) return (int)group_rules_sort(rules, without(rules, count, cmd));
    if (count + cmd->symbol_count > w->settings->rules_max + COMMAND_SYMBOLS_MAX) return -1;
    for (uint32_t i = 0; i < cmd->symbol_count; i++) rules[count++] = rule_make(cmd->symbols[i], cmd->kinds);
    if (cmd->op == COMMAND_RESUME && !cmd->has_symbols) rules[count++] = rule_make(TEXT("*"), cmd->kinds);
    count = group_rules_sort(rules, count);
    return count > w->settings->rules_max ? -1 : (int)count;
}

/* Takes away rules with exactly these patterns, and only these kinds; it excludes nothing from a wider
 * pattern (decision 3). */
static uint32_t without(struct rule *rules, uint32_t count, const struct command *cmd)
{
    for (uint32_t s = 0; s < cmd->symbol_count; s++) {
        struct rule gone = rule_make(cmd->symbols[s], cmd->kinds);
        for (uint32_t i = 0; i < count; i++) {
            struct rule *r = &rules[i];
            if (r->prefix != gone.prefix || r->size != gone.size || memcmp(r->name, gone.name, r->size) != 0)
                continue;
            r->kinds &= (uint8_t)~gone.kinds;
            if (r->kinds == 0) *r-- = rules[--count], i--;
        }
    }
    return count;
}

static bool set_start(struct worker *w, struct conn *c, const struct command *cmd, struct answer *a)
{
    if (c->group) return true;
    if (cmd->has_since) {
        a->start = START_AT;
        a->start_seq = since_position(w, cmd);
        a->snapshot = cmd->has_snapshot && cmd->snapshot;
    }
    if (!cmd->has_resume) return true;
    if (cmd->epoch != log_epoch(w->log)) {
        a->start = START_FOREIGN;
        a->epoch_old = cmd->epoch;
        a->seq_old = cmd->seq;
        return true;
    }
    a->start = START_AT;
    a->start_seq = cmd->seq;
    uint64_t head = log_head(w->log);
    return cmd->seq <= head || cmd->seq - head <= log_capacity(w->log);
}

/* The oldest position that will still be there when it is read: an eighth of the log is left as room. */
static uint64_t oldest_position(const struct worker *w)
{
    uint64_t room = log_capacity(w->log) - log_capacity(w->log) / 8;
    return w->read_seq > room ? w->read_seq - room : 0;
}

static uint64_t since_position(struct worker *w, const struct command *cmd)
{
    uint64_t oldest = oldest_position(w);
    if (cmd->since == SINCE_OLDEST) return oldest;
    if (cmd->since == SINCE_TICKS)
        return cmd->since_value >= w->read_seq - oldest ? oldest : w->read_seq - cmd->since_value;
    /* By the time tickcast saw the ticks: ingest times rise with seq. */
    int64_t after = (int64_t)(w->real_ns - min_u64(cmd->since_value, w->real_ns));
    uint64_t low = oldest, high = w->read_seq;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, at = middle;
        struct tick t = {.kind = TICK_BAR};
        while (at < high && t.kind == TICK_BAR) /* a bar has no ingest time: its neighbour stands for it */
            if (log_read(w->log, at++, &t, 1) != 1) return high;
        if (t.kind == TICK_BAR || t.ingest_ns >= after)
            high = middle;
        else
            low = at;
    }
    return low;
}

static struct answer *answer_new(struct worker *w, struct conn *c, enum answer_kind kind, const char *id,
                                 uint8_t id_size)
{
    struct answer *a = heap_get(&w->groups.heap, sizeof *a);
    if (!a) {
        limit_memory(w, c);
        return NULL;
    }
    memset(a, 0, sizeof *a);
    a->kind = kind;
    a->id_size = id_size;
    memcpy(a->id, id, id_size);
    c->answer = a;
    conn_ready(w, c);
    return a;
}

static void reject(struct worker *w, struct conn *c, const struct command *cmd, const char *code,
                   const char *message)
{
    struct command_error err = {.code = code, .id_size = cmd->id_size};
    memcpy(err.id, cmd->id, cmd->id_size);
    snprintf(err.message, sizeof err.message, "%s", message);
    reject_for(w, c, &err);
}

void command_reject(struct worker *w, struct conn *c, const struct command_error *err)
{
    if (strcmp(err->code, "too_many") == 0) limit_met(w, LIMIT_PATTERNS);
    reject_for(w, c, err);
}

static void reject_for(struct worker *w, struct conn *c, const struct command_error *err)
{
    counter_add(&w->counters.command_errors_total, 1);
    struct answer *a = answer_new(w, c, ANSWER_ERROR, err->id, err->id_size);
    if (!a) return;
    a->code = err->code;
    memcpy(a->message, err->message, sizeof a->message);
}
