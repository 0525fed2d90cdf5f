/* What one subscriber may be told. Everything here is asserted: the seed that breaks it is the bug report. */
#include "tests/sim/client.h"

#include "base/assert.h"
#include "base/clock.h"

#include <string.h>

static void on_hello(struct client *c, const struct message *m);
static void on_set(struct client *c, const struct message *m);
static void begin_stream(struct client *c, const struct asked *a, const struct message *m);
static void change_stream(struct client *c, const struct asked *a, const struct set *old,
                          const struct message *m);
static void on_ticks(struct client *c, const struct message *m);
static void on_tick(struct client *c, const struct message *m);
static void on_covered(struct client *c, const struct message *m);
static void on_gap(struct client *c, const struct message *m);
static void on_snapshot(struct client *c, const struct message *m);
static void on_heartbeat(struct client *c, const struct message *m);
static void on_lag(struct client *c, const struct message *m);
static void on_pong(struct client *c, const struct message *m);
static void on_error(struct client *c, const struct message *m);
static const char *error_of(const struct client *c, const struct asked *a);
static void next_set(const struct client *c, const struct asked *a, struct set *out);

void model_connected(struct client *c)
{
    c->subscribed = c->slow_told = c->drain_told = false;
    c->policy_gaps = 0;
    c->gap = GAP_NONE;
    c->snapshot.due = false;
    c->untold_count = 0; /* frame=tick: ticks after the last `covered` come once more */
    c->last_seq = 0;
    c->set = (struct set){.policy = POLICY_CONFLATE, .framing = FRAME_BATCH};
}

void model_message(struct client *c, const struct message *m)
{
    TC_ASSERT((c->messages++ == 0) == (m->type == MESSAGE_HELLO));
    TC_ASSERT(c->gap != GAP_DUE || m->type == MESSAGE_GAP); /* told with the answer */
    if (m->type != MESSAGE_GAP) c->gap = GAP_NONE;
    TC_ASSERT(!c->drain_told); /* only a close frame follows it */
    switch (m->type) {
    case MESSAGE_HELLO: on_hello(c, m); return;
    case MESSAGE_SET: on_set(c, m); return;
    case MESSAGE_TICKS_BATCH: on_ticks(c, m); return;
    case MESSAGE_TICK: on_tick(c, m); return;
    case MESSAGE_COVERED: on_covered(c, m); return;
    case MESSAGE_GAP: on_gap(c, m); return;
    case MESSAGE_SNAPSHOT: on_snapshot(c, m); return;
    case MESSAGE_HEARTBEAT: on_heartbeat(c, m); return;
    case MESSAGE_LAG: on_lag(c, m); return;
    case MESSAGE_PONG: on_pong(c, m); return;
    case MESSAGE_ERROR: on_error(c, m); return;
    case MESSAGE_DRAIN: c->drain_told = true; return;
    }
    TC_ASSERT(!"a type of message");
}

static void on_hello(struct client *c, const struct message *m)
{
    TC_ASSERT(m->version == 1);
    TC_ASSERT(m->has_epoch && m->epoch == c->epoch);
    TC_ASSERT(m->seq <= c->truth->head);
}

/* ---- which ticks ---- */

static uint32_t kinds_of(const uint8_t *rules, uint32_t number)
{
    uint32_t kinds = 0;
    for (uint32_t p = 0; p < PATTERNS; p++)
        if (rules[p] && pattern_matches(p, number)) kinds |= rules[p];
    return kinds;
}

/* Every subscriber gets every tick of kind feed; definitions of symbols are not told in JSON. */
bool model_wants(const struct client *c, uint64_t seq)
{
    const struct tick *t = &c->truth->ticks[seq];
    if (t->kind == TICK_FEED) return true;
    if (t->kind == TICK_SYMBOL) return false;
    return kinds_of(c->set.kinds, c->truth->numbers[t->symbol]) >> t->kind & 1;
}

static void check_tick(struct client *c, const struct told *t, uint64_t after)
{
    TC_ASSERT(t->seq > after); /* in order, and once */
    TC_ASSERT(t->seq <= c->truth->head);
    TC_ASSERT(model_wants(c, t->seq));
    TC_ASSERT(t->exact);
    c->last_seq = t->seq;
    c->happened->ticks++;
}

/* Every tick wanted in (from, to] is among those told, or was conflated away: counted, allowed by the policy,
 * and (strict) because a newer one of its key is among them. */
static void account(struct client *c, uint64_t from, uint64_t to, const uint64_t *told, uint32_t count,
                    uint64_t conflated, bool strict)
{
    uint64_t missing = 0;
    uint32_t at = 0;
    for (uint64_t seq = from + 1; seq <= to; seq++) {
        if (at < count && told[at] == seq) {
            at++;
            continue;
        }
        if (!model_wants(c, seq)) continue;
        TC_ASSERT(c->set.policy == POLICY_CONFLATE || c->set.policy == POLICY_LATEST);
        TC_ASSERT(truth_is_state(c->truth, seq)); /* an event is never conflated */
        bool newer = !strict;
        for (uint32_t i = at; i < count && !newer; i++) newer = truth_same_state(c->truth, seq, told[i]);
        TC_ASSERT(newer);
        missing++;
    }
    TC_ASSERT(at == count);
    TC_ASSERT(missing == conflated);
    c->happened->conflated += missing;
    c->happened->conflated_bin += c->binary ? missing : 0;
    c->happened->conflated_deflate += c->deflate ? missing : 0;
}

static void moved(struct client *c, const struct message *m)
{
    TC_ASSERT(c->subscribed);
    TC_ASSERT(m->from == c->position);
    TC_ASSERT(m->to > m->from);
    TC_ASSERT(m->to <= c->truth->head);
}

static void on_ticks(struct client *c, const struct message *m)
{
    TC_ASSERT(c->set.framing == FRAME_BATCH);
    moved(c, m);
    uint64_t told[MESSAGE_TICKS], after = m->from;
    for (uint32_t i = 0; i < m->tick_count; i++) {
        check_tick(c, &m->ticks[i], after);
        after = told[i] = m->ticks[i].seq;
    }
    TC_ASSERT(after <= m->to);
    account(c, m->from, m->to, told, m->tick_count, m->conflated, true);
    c->position = m->to;
}

static void on_tick(struct client *c, const struct message *m)
{
    TC_ASSERT(c->subscribed && c->set.framing == FRAME_TICK);
    check_tick(c, &m->ticks[0], max_u64(c->position, c->last_seq));
    TC_ASSERT(c->untold_count < UNTOLD_MAX);
    c->untold[c->untold_count++] = m->ticks[0].seq;
}

static void on_covered(struct client *c, const struct message *m)
{
    TC_ASSERT(c->set.framing == FRAME_TICK);
    moved(c, m);
    TC_ASSERT(c->untold_count == 0 || c->untold[c->untold_count - 1] <= m->to);
    account(c, m->from, m->to, c->untold, c->untold_count, m->conflated, false);
    c->untold_count = 0;
    c->position = m->to;
    c->happened->covered++;
}

/* ---- gaps and snapshots ---- */

static void snapshot_due(struct client *c, uint64_t since, bool since_told, const uint8_t *minus)
{
    c->snapshot.due = true;
    c->snapshot.begun = false;
    c->snapshot.id_next = 0;
    c->snapshot.since = since;
    c->snapshot.since_told = since_told;
    c->snapshot.has_minus = minus != NULL;
    if (minus) memcpy(c->snapshot.minus, minus, sizeof c->snapshot.minus);
}

static void on_gap(struct client *c, const struct message *m)
{
    moved(c, m);
    TC_ASSERT(c->untold_count == 0); /* `covered` comes first */
    bool gone = c->truth->head - m->from > c->log_capacity;
    if (strcmp(m->word, "resume") == 0) {
        TC_ASSERT(c->gap != GAP_NONE);
        bool foreign = c->gap_of.start == STARTS_FOREIGN;
        TC_ASSERT(foreign || gone);
        TC_ASSERT(m->has_epoch == foreign);
        if (foreign) TC_ASSERT(m->from == 0 && m->epoch == 77 && m->seq == c->gap_of.seq);
        if (c->snapshots) snapshot_due(c, foreign ? 0 : m->from, !foreign, NULL);
        c->happened->gaps_resume++;
        c->happened->resumes_foreign += foreign;
    } else {
        TC_ASSERT(c->gap != GAP_DUE);
        if (strcmp(m->word, "policy") == 0) {
            TC_ASSERT(c->set.policy == POLICY_LATEST);
            /* Each because its socket had no room at some time since the last. */
            TC_ASSERT(++c->policy_gaps <= sim_peer_cuts(c->sim, c->peer));
            c->happened->gaps_policy++;
        } else {
            TC_ASSERT(strcmp(m->word, "overrun") == 0);
            TC_ASSERT(gone); /* a gap is told only where the log no longer has it */
            c->happened->gaps_overrun++;
        }
        if (c->snapshot.due) /* begins anew, and holds all that may have changed */
            snapshot_due(c, c->snapshot.since, true, NULL);
        else if (c->snapshots)
            snapshot_due(c, m->from, true, NULL);
    }
    c->happened->gaps_bin += c->binary;
    c->happened->gaps_deflate += c->deflate;
    c->gap = GAP_NONE;
    c->position = m->to;
}

/* The last values of one symbol as of seq. Returns how many. */
static uint32_t values(const struct client *c, uint32_t id, uint64_t seq, uint64_t *out)
{
    uint32_t number = c->truth->numbers[id], count = 0;
    uint32_t kinds = kinds_of(c->set.kinds, number);
    if (c->snapshot.has_minus) kinds &= ~kinds_of(c->snapshot.minus, number);
    for (uint32_t key = 0; key < TRUTH_KEYS; key++) {
        if (!(kinds >> truth_key_kind(key) & 1)) continue;
        uint64_t value = truth_as_of(c->truth, id, key, seq);
        if (value > c->snapshot.since) out[count++] = value;
    }
    return count;
}

/* One piece: symbols in the order of ids, each whole and as of this position. A symbol that is left out had
 * no value, or had none as of the piece before (then it came as a tick). */
static void on_snapshot(struct client *c, const struct message *m)
{
    TC_ASSERT(c->subscribed && c->snapshot.due);
    TC_ASSERT(m->seq == c->position);
    TC_ASSERT(c->untold_count == 0);
    TC_ASSERT(m->has_since == c->snapshot.since_told);
    if (m->has_since) TC_ASSERT(m->since == c->snapshot.since);
    uint32_t at = 0, known = 0, next = c->snapshot.id_next;
    for (uint32_t i = 0; i < TRUTH_SYMBOLS; i++) known += c->truth->ids[i] >= 0;
    for (uint32_t id = next; id < known; id++) {
        uint64_t is[TRUTH_KEYS], was[TRUTH_KEYS];
        uint32_t count = values(c, id, m->seq, is);
        if (count == 0) continue;
        bool told = at < m->tick_count && m->ticks[at].seq == is[0];
        if (!told && m->more && at == m->tick_count) break;
        if (!told) {
            TC_ASSERT(c->snapshot.begun && values(c, id, c->snapshot.before, was) == 0);
            continue;
        }
        next = id + 1; /* where the server cut may be later, by symbols without a value */
        for (uint32_t i = 0; i < count; i++, at++)
            TC_ASSERT(at < m->tick_count && m->ticks[at].seq == is[i] && m->ticks[at].exact);
    }
    TC_ASSERT(at == m->tick_count);
    c->snapshot.begun = true;
    c->snapshot.before = m->seq;
    c->snapshot.id_next = next;
    c->happened->snapshot_pieces += m->more;
    c->happened->snapshot_pieces_bin += m->more && c->binary;
    c->happened->snapshot_pieces_deflate += m->more && c->deflate;
    if (m->more) {
        TC_ASSERT(m->tick_count > 0);
        return;
    }
    c->snapshot.due = false;
    if (c->snapshot.since_told)
        c->happened->snapshots_since++;
    else if (c->snapshot.has_minus)
        c->happened->snapshots_minus++;
    else
        c->happened->snapshots++;
}

/* Complete up to seq: nothing wanted may be missing before it. */
static void on_heartbeat(struct client *c, const struct message *m)
{
    TC_ASSERT(c->subscribed);
    TC_ASSERT(m->seq >= c->position);
    TC_ASSERT(m->seq <= max_u64(c->truth->head, c->position));
    TC_ASSERT(m->ts <= c->truth->drained_ns);
    if (c->untold_count > 0) TC_ASSERT(!"covered comes before a heartbeat");
    for (uint64_t seq = c->position + 1; seq <= m->seq; seq++) TC_ASSERT(!model_wants(c, seq));
    c->heartbeat = m->seq;
    c->happened->heartbeats++;
}

/* No tick after the position can be older than this, wherever the wall clock jumped to: the latest that it
 * has shown less the least that one of them has. (What it is to the millisecond: unit/worker/lag_test.) */
static uint64_t oldest_ms(const struct client *c)
{
    int64_t least = INT64_MAX, now = (int64_t)*c->world.real_most_ns;
    for (uint64_t seq = c->position + 1; seq <= c->truth->head; seq++) {
        const struct tick *t = &c->truth->ticks[seq];
        if (t->kind != TICK_BAR && t->ingest_ns < least) least = t->ingest_ns; /* a bar has no such time */
    }
    return now > least ? (uint64_t)(now - least) / NS_PER_MS : 0;
}

static void on_lag(struct client *c, const struct message *m)
{
    TC_ASSERT(c->subscribed);
    TC_ASSERT(m->policy == c->set.policy);
    TC_ASSERT(m->behind > 0 || c->slow_told);
    TC_ASSERT(m->behind == 0 || c->set.policy != POLICY_CLOSE);
    /* Made when the position was the same: the head has only grown since, the oldest tick owed only aged. */
    TC_ASSERT(m->behind <= c->truth->head - c->position);
    TC_ASSERT(m->ms <= oldest_ms(c));
    c->slow_told = m->behind > 0;
    c->happened->slow_bin += c->slow_told && c->binary;
    c->happened->slow_deflate += c->slow_told && c->deflate;
    if (m->behind > 0)
        c->happened->lags++;
    else
        c->happened->lags_over++;
}

/* ---- answers: in the order of the commands ---- */

static struct asked answered(struct client *c, const struct message *m)
{
    TC_ASSERT(c->asked_count > 0);
    struct asked a = c->asked[0];
    c->asked_count--;
    memmove(&c->asked[0], &c->asked[1], c->asked_count * sizeof a);
    TC_ASSERT(m->has_id == (a.id > 0));
    TC_ASSERT(m->id == a.id);
    return a;
}

static void on_pong(struct client *c, const struct message *m)
{
    TC_ASSERT(answered(c, m).what == ASK_PING);
    c->happened->pongs++;
}

static void on_error(struct client *c, const struct message *m)
{
    struct asked a = answered(c, m);
    const char *code = error_of(c, &a);
    TC_ASSERT(code != NULL && strcmp(m->word, code) == 0);
    c->happened->errors++;
    c->happened->too_many += strcmp(code, "too_many") == 0;
}

/* The error that a command earns as things stand; NULL: none. */
static const char *error_of(const struct client *c, const struct asked *a)
{
    if (a->what == ASK_NONSENSE) return a->code;
    if (a->what == ASK_PING) return NULL;
    if (a->what == ASK_RESUME && c->subscribed) return "subscribed_already";
    if (a->start == STARTS_SINCE && c->subscribed) return "bad_since";
    struct set next;
    next_set(c, a, &next);
    uint32_t rules = 0;
    for (uint32_t p = 0; p < PATTERNS; p++) rules += next.kinds[p] != 0;
    if (rules > c->rules_max && a->what != ASK_UNSUBSCRIBE) return "too_many";
    return a->start == STARTS_FAR_AHEAD ? "bad_seq" : NULL;
}

static void next_set(const struct client *c, const struct asked *a, struct set *out)
{
    *out = c->set;
    for (uint32_t p = 0; p < PATTERNS; p++)
        out->kinds[p] =
            a->what == ASK_UNSUBSCRIBE ? out->kinds[p] & (uint8_t)~a->kinds[p] : out->kinds[p] | a->kinds[p];
    if (a->has_policy) out->policy = a->policy;
    if (a->has_framing) out->framing = a->framing;
    if (a->has_rate) out->rate = a->rate;
}

static void on_set(struct client *c, const struct message *m)
{
    struct asked a = answered(c, m);
    TC_ASSERT(a.what == ASK_SUBSCRIBE || a.what == ASK_UNSUBSCRIBE || a.what == ASK_RESUME);
    TC_ASSERT(error_of(c, &a) == NULL);
    TC_ASSERT(m->unsubscribed == (a.what == ASK_UNSUBSCRIBE));
    struct set old = c->set;
    next_set(c, &a, &c->set);
    uint32_t kinds = 0;
    for (uint32_t p = 0; p < PATTERNS; p++) {
        TC_ASSERT(m->rules[p] == c->set.kinds[p]);
        kinds |= c->set.kinds[p];
    }
    TC_ASSERT(m->kinds == kinds);
    TC_ASSERT(m->policy == c->set.policy);
    TC_ASSERT(m->framing == c->set.framing);
    TC_ASSERT(m->rate == c->set.rate);
    TC_ASSERT(c->untold_count == 0);
    c->happened->subscribes += !m->unsubscribed;
    c->happened->unsubscribes += m->unsubscribed;
    if (c->subscribed)
        change_stream(c, &a, &old, m);
    else
        begin_stream(c, &a, m);
    c->subscribed = c->positioned = true;
}

static void begin_stream(struct client *c, const struct asked *a, const struct message *m)
{
    c->snapshots = a->has_snapshot ? a->snapshot : a->start != STARTS_SINCE;
    switch (a->start) {
    case STARTS_NOW:
        TC_ASSERT(m->seq <= c->truth->head);
        if (c->snapshots) snapshot_due(c, 0, false, NULL);
        break;
    case STARTS_AT:
        TC_ASSERT(m->seq == a->seq);
        c->happened->resumes++;
        c->happened->resumes_ahead += a->seq > c->truth->head;
        break;
    case STARTS_FOREIGN: TC_ASSERT(m->seq == 0); break;
    default: TC_ASSERT(m->seq <= c->truth->head);
    }
    /* A start that is gone has its gap in the same breath; whether it was gone then, only the server knows.
     */
    c->gap_of = *a;
    c->gap = a->start == STARTS_FOREIGN ? GAP_DUE : a->start == STARTS_NOW ? GAP_NONE : GAP_MAY;
    c->position = c->last_seq = c->heartbeat = m->seq;
}

static void change_stream(struct client *c, const struct asked *a, const struct set *old,
                          const struct message *m)
{
    TC_ASSERT(m->seq == c->position); /* the old set ends where the new one begins */
    TC_ASSERT(!c->snapshot.due);
    if (a->has_snapshot) c->snapshots = a->snapshot;
    struct happened *h = c->happened;
    h->policy_changes += old->policy != c->set.policy;
    h->frame_changes += old->framing != c->set.framing;
    h->rate_changes += old->rate != c->set.rate;
    bool same = memcmp(old->kinds, c->set.kinds, sizeof old->kinds) == 0 && old->framing == c->set.framing &&
                old->rate == c->set.rate && (c->set.rate == 0 || old->policy == c->set.policy);
    if (c->snapshots && !m->unsubscribed && !same) snapshot_due(c, 0, false, old->kinds);
    c->last_seq = c->position;
}

/* ---- the end ---- */

/* --at-end exit: what is in the log is delivered before the close. */
static void all_delivered(const struct client *c)
{
    bool conflates = c->set.policy == POLICY_CONFLATE || c->set.policy == POLICY_LATEST;
    uint32_t at = 0;
    for (uint64_t seq = c->position + 1; c->subscribed && seq <= c->truth->head; seq++) {
        bool told = at < c->untold_count && c->untold[at] == seq;
        at += told;
        if (!told && model_wants(c, seq)) TC_ASSERT(conflates && truth_is_state(c->truth, seq) && at > 0);
    }
}

void model_closed(struct client *c, uint16_t code)
{
    struct happened *h = c->happened;
    bool may_be_slow = c->set.policy == POLICY_CLOSE || (c->set.policy == POLICY_COMPLETE && c->world.paced);
    TC_ASSERT(c->drain_told || code != 1012);
    TC_ASSERT(!c->drain_told || code == 1012 || c->close_sent); /* or it answers the client's own */
    switch (code) {
    case 1000: /* the answer to its own, or the end of a replay */
        TC_ASSERT((c->close_sent && !c->broke) || *c->world.ending_since_ns > 0);
        if (!c->close_sent && *c->world.now_ns - *c->world.ending_since_ns < c->world.exit_ns)
            all_delivered(c);
        h->closed_1000++;
        return;
    case 1001: h->closed_1001++; return; /* it did not answer a ping */
    case 1002:
        TC_ASSERT(c->broke);
        h->closed_1002++;
        return;
    case 1008: h->closed_1008++; return; /* too many commands, a message cut for long, or memory used up */
    case 1012: h->closed_1012++; return;
    case 4000:
        TC_ASSERT(may_be_slow);
        h->closed_4000++;
        return;
    default: TC_ASSERT(!"a close code that somebody told the client of");
    }
}
