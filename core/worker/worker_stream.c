/* worker/worker_stream.c -- the data of a subscriber that is behind: one unit at a time from its own
 * position.
 *
 * Order (docs/protocol.md): what was lost is told before anything later; lag before the catch-up; a
 * snapshot's piece only where the client stands at the piece's own position; then catch-up frames that end
 * exactly where a cohort of its group stands, which it joins.
 *
 * The positions of a gap: it reaches to the worker's own position, so that the snapshot `since` that follows
 * is exact (the table holds the values of that position, not of an earlier one); without a snapshot it
 * reaches only to the middle of the log (decision 15). */
#include "worker/worker_internal.h"

#include "base/assert.h"

static bool lag_unit(struct worker *w, struct conn *c, struct unit *u);
static uint64_t age_ms(const struct worker *w, uint64_t seq);
static bool gap_unit(struct worker *w, struct conn *c, struct unit *u);
static bool definitions_unit(struct worker *w, struct conn *c, struct unit *u);
static bool snapshot_unit(struct worker *w, struct conn *c, struct unit *u);
static struct snapshot_in snapshot_in(const struct worker *w, const struct conn *c);
static bool catch_up_unit(struct worker *w, struct conn *c, struct unit *u, uint64_t to, bool force);
static bool rejoin(struct worker *w, struct conn *c, struct cohort *target);
static bool share_unit(struct worker *w, const struct conn *c, struct unit *u, const struct render_in *in);
static void notice_unit(struct worker *w, const struct conn *c, struct unit *u, enum unit_kind kind,
                        const char *text, uint32_t size);

bool stream_unit(struct worker *w, struct conn *c, struct unit *u)
{
    if (c->read > w->read_seq) return false; /* a resume ahead of the head: its timer looks again */
    if (gap_unit(w, c, u)) return true;
    if (lag_unit(w, c, u)) return true;
    if (c->snapshot && c->snapshot->define && definitions_unit(w, c, u)) return true;
    /* As for those in step; by itself, for behind more ticks a slow socket would cut it off again and again.
     */
    if (c->ticks_untold >= COVER_TICKS) return catch_up_unit(w, c, u, c->read, true);
    bool change =
        c->answer && c->answer->kind == ANSWER_SET; /* old set first, up to the position its answer tells */
    if (c->snapshot || change) { /* a snapshot under way is finished before the set changes */
        if (catch_up_unit(w, c, u, w->read_seq, change && !c->snapshot)) return true;
        if (c->read < w->read_seq) {
            conn_ready(w, c); /* out of budget for this turn */
            return false;
        }
        if (!c->snapshot) return false;
        if (c->ticks_untold > 0 || c->untold_conflated > 0) /* frame=tick: a piece is exact at its own seq */
            return catch_up_unit(w, c, u, c->read, true);
        return snapshot_unit(w, c, u);
    }
    /* What is not released yet is not caught up with either: a rate binds those behind, too. */
    uint64_t released = max_u64(group_released(&w->groups, c->group), c->position);
    struct cohort *target = cohort_find(&w->groups, c->group, c->position, released);
    if (target && target->ticks_untold > 0) { /* frame=tick: it must first tell its members what it covered */
        target->cover_wanted = true;
        cohort_schedule(&w->groups, target, w->now_ns);
        conn_ready(w, c);
        if (c->read >= released) return false;
        target = NULL;
    }
    bool at_target =
        target && target->covered == c->position && target->read <= c->read && c->ticks_untold == 0;
    if (!at_target) {
        uint64_t to = max_u64(target && target->covered > c->read ? target->covered : released, c->read);
        if (catch_up_unit(w, c, u, to, target != NULL && target->covered > c->position)) return true;
        if (c->read < to) {
            conn_ready(w, c);
            return false;
        }
    }
    if (c->ticks_untold > 0 || c->untold_conflated > 0) return catch_up_unit(w, c, u, c->read, true);
    return rejoin(w, c, target) ? false : lag_unit(w, c, u);
}

/* Notices of lag (decision 15): when it has become slow, at most once a second while it lasts, and
 * `"behind":0` before rejoining. */
static bool lag_unit(struct worker *w, struct conn *c, struct unit *u)
{
    uint64_t behind = w->read_seq - c->position;
    bool pending = c->read < group_maybe_seq(&w->groups, c->group);
    bool slow = (c->flags & CF_SLOW_NOW) || (pending && stream_far(w, c->group, c->position));
    if (c->flags & CF_LAG_ZERO) {
        behind = 0;
    } else {
        if (!slow || !pending) return false;
        if ((c->flags & CF_SLOW_TOLD) && ms_since(w->now_ms, c->lag_ms) < 1000) return false;
        if (c->policy == POLICY_CLOSE) {
            limit_close(w, c, LIMIT_SLOW, WS_TOO_SLOW, "too_slow");
            return false;
        }
    }
    char text[NOTICE_MAX];
    uint32_t size = conn_notices(c)->lag(text, behind, behind ? stream_owed_ms(w, c->group, c->read) : 0,
                                         (enum policy)c->policy);
    notice_unit(w, c, u, UNIT_LAG, text, size);
    u->value = behind;
    return true;
}

bool stream_far(const struct worker *w, const struct group *g, uint64_t position)
{
    return group_expected(&w->groups, g, w->now_ns) > position + log_capacity(w->log) / 8;
}

uint64_t stream_owed_ms(const struct worker *w, const struct group *g, uint64_t read)
{
    uint32_t keys[64];
    uint64_t end = min_u64(w->read_seq, read + OWED_SCAN), at = read;
    for (bool found = false; at < end && !found;) {
        int count =
            log_read_keys(w->log, at, keys, (uint32_t)min_u64(end - at, sizeof keys / sizeof keys[0]));
        if (count <= 0) return 0;
        uint32_t passed = 0;
        while (passed < (uint32_t)count && !filter_match(&g->filter, keys[passed])) passed++;
        found = passed < (uint32_t)count;
        at += passed;
    }
    return age_ms(w, at);
}

/* Of the tick after seq; where that is a bar, which has no ingest time, of one close behind it. */
static uint64_t age_ms(const struct worker *w, uint64_t seq)
{
    struct tick t;
    for (uint64_t last = min_u64(w->read_seq, seq + 64); seq < last; seq++) {
        if (log_read(w->log, seq, &t, 1) != 1) return 0;
        if (t.kind == TICK_BAR) continue;
        int64_t age = (int64_t)w->real_ns - t.ingest_ns;
        return age > 0 ? (uint64_t)age / NS_PER_MS : 0;
    }
    return 0;
}

static bool gap_unit(struct worker *w, struct conn *c, struct unit *u)
{
    bool skip = (c->flags & CF_LATEST_SKIP) && c->read < group_maybe_seq(&w->groups, c->group);
    c->flags &= ~(uint32_t)CF_LATEST_SKIP;
    if (!skip && (c->read >= w->read_seq || log_holds(w->log, c->read))) return false;
    if (c->read >= group_maybe_seq(&w->groups, c->group) &&
        !skip) { /* lapped over ticks that are not for it */
        c->read = w->read_seq;
        return false;
    }
    if (w->read_seq < w->exact_seq) { /* a lapped worker: no snapshot yet */
        conn_ready(w, c);
        return false;
    }
    /* frame=tick: what was sent is told as covered before the gap (decision 16). */
    if (c->ticks_untold > 0 || c->untold_conflated > 0) {
        if (skip) c->flags |= CF_LATEST_SKIP;
        return catch_up_unit(w, c, u, c->read, true);
    }
    uint64_t to = skip || (c->flags & CF_SNAPSHOT) ? w->read_seq : max_u64(log_after_lap(w->log), c->read);
    char text[NOTICE_MAX];
    uint32_t size = conn_notices(c)->gap(text, c->position, to, skip ? "policy" : "overrun", 0, 0);
    notice_unit(w, c, u, UNIT_GAP, text, size);
    u->value = to;
    return true;
}

/* Definitions of what the worker knows now: a symbol that is newer than that stands in the log behind the
 * client's position, so that its own frames define it (decision 27). False: none is left; they are done. */
static bool definitions_unit(struct worker *w, struct conn *c, struct unit *u)
{
    struct snapshot_in in = snapshot_in(w, c);
    in.id_from = c->snapshot->define_next;
    struct snapshot_out out;
    uint8_t *room = arena_room(w, FRAME_BYTES_MAX + RENDER_SLACK);
    TC_ASSERT(room != NULL);
    render_definitions(&in, room, &out);
    if (out.bytes == 0) {
        w->arena_used -= FRAME_BYTES_MAX + RENDER_SLACK;
        c->snapshot->define = false;
        if (!c->snapshot->snapshot) stream_snapshot_drop(w, c);
        return false;
    }
    u->kind = UNIT_DEFINITIONS;
    u->bytes = room + out.start;
    u->size = out.bytes;
    u->value = out.id_next;
    return true;
}

static struct snapshot_in snapshot_in(const struct worker *w, const struct conn *c)
{
    return (struct snapshot_in){.last = w->last,
                                .symbols = log_symbols(w->log),
                                .encoding = conn_encoding(c),
                                .filter = &c->group->filter,
                                .minus = c->snapshot->minus ? &c->snapshot->minus->filter : NULL,
                                .position = c->position,
                                .since = c->snapshot->since,
                                .since_told = c->snapshot->since_told,
                                .id_from = c->snapshot->id_next,
                                .id_end = w->groups.symbol_count};
}

static bool snapshot_unit(struct worker *w, struct conn *c, struct unit *u)
{
    if (w->read_seq < w->exact_seq) {
        conn_ready(w, c);
        return false;
    }
    struct snapshot_in in = snapshot_in(w, c);
    struct snapshot_out out;
    uint8_t *room = arena_room(w, FRAME_BYTES_MAX + RENDER_SLACK);
    TC_ASSERT(room != NULL);
    bool pack = c->group->key.deflate;
    uint8_t *frame = pack ? w->packing->plain : room;
    render_snapshot(&in, frame, &out);
    u->kind = UNIT_SNAPSHOT;
    u->bytes = pack ? room : room + out.start;
    u->size = pack ? deflate_frame(w, c->group, frame + out.start, out.bytes, room) : out.bytes;
    u->value = out.id_next < in.id_end ? out.id_next : UINT64_MAX;
    return true;
}

/* One frame (or run of tick frames) from c->read on, at most to `to`. False: nothing matched; c->read has
 * moved. */
static bool catch_up_unit(struct worker *w, struct conn *c, struct unit *u, uint64_t to, bool force)
{
    if (c->read >= to && !(force && c->position < to)) return false;
    struct group *g = c->group;
    struct render_in in = {.log = w->log,
                           .filter = &g->filter,
                           .trail = &w->trail,
                           .from = min_u64(c->read, to),
                           .to = to,
                           .position = c->position,
                           .scan_max = w->turn_scan_left,
                           .bytes_max = FRAME_BYTES_MAX,
                           .framing = g->key.framing,
                           .encoding = g->key.encoding,
                           .conflate = c->policy == POLICY_CONFLATE || c->policy == POLICY_LATEST,
                           .conflated_before = c->untold_conflated};
    in.force = force && in.to - in.from <= in.scan_max;
    if (share_unit(w, c, u, &in)) return true;
    uint8_t *room = arena_room(w, RENDER_BYTES_MAX + RENDER_SLACK);
    TC_ASSERT(room != NULL);
    int result =
        g->key.deflate ? deflate_render(w, g, &in, room, u->out) : render(&in, &w->scratch, room, u->out);
    if (result < 0) { /* lapped meanwhile: the gap comes at its next step */
        conn_ready(w, c);
        w->arena_used -= RENDER_BYTES_MAX + RENDER_SLACK;
        return false;
    }
    w->arena_used -= RENDER_BYTES_MAX + RENDER_SLACK - (u->out->start + u->out->bytes);
    uint64_t scanned = u->out->to - in.from;
    w->turn_scan_left -= min_u32((uint32_t)scanned, w->turn_scan_left);
    if (u->out->frames == 0) {
        c->read = max_u64(c->read, u->out->to);
        return false;
    }
    counter_add(&w->counters.renders_total, 1);
    u->kind = UNIT_DATA;
    u->rendered_ns = age_rendered(w, u->out);
    u->bytes = room + u->out->start;
    u->size = u->out->bytes;
    return true;
}

/* Members of a group that fell back together share frames: the same request in this submission was rendered
 * already (decision 19). */
static bool share_unit(struct worker *w, const struct conn *c, struct unit *u, const struct render_in *in)
{
    for (uint32_t i = w->unit_count; i > 0; i--) {
        const struct unit *o = &w->units[i - 1];
        if (o->kind != UNIT_DATA || o->slot == UINT32_MAX) continue;
        const struct conn *other = conn_at(w, o->slot);
        if (other->group != c->group || other->policy != c->policy || other->position != c->position ||
            other->read != in->from || other->untold_conflated != c->untold_conflated || o->to != in->to ||
            o->force != in->force)
            continue;
        render_out_copy(u->out, o->out);
        u->kind = UNIT_DATA;
        u->rendered_ns = o->rendered_ns;
        u->bytes = o->bytes;
        u->size = o->size;
        return true;
    }
    u->to = in->to;
    u->force = in->force;
    return false;
}

/* In step again: with a cohort that stands where c stands, else one of its own. False: something must be told
 * first. */
static bool rejoin(struct worker *w, struct conn *c, struct cohort *target)
{
    if (c->flags & CF_SLOW_TOLD) {
        c->flags |= CF_LAG_ZERO;
        return false;
    }
    if (!target || target->covered != c->position || target->read > c->read || target->ticks_untold > 0) {
        target = cohort_make(&w->groups, c->group, c->position);
        if (!target) {
            limit_memory(w, c);
            return false;
        }
        target->read = c->read;
    }
    c->flags &= ~(uint32_t)CF_SLOW_NOW;
    fan_join(w, c, target);
    counter_add(&w->counters.rejoined_total, 1);
    return true;
}

void stream_done(struct worker *w, struct conn *c, const struct unit *u, enum outcome outcome, uint32_t taken)
{
    if (outcome == OUTCOME_NONE) return; /* made again */
    if (u->kind == UNIT_DATA) {
        struct cut cut = {.position = c->position, .read = c->read};
        cut_frames(u->out, c->group->key.framing, taken, &cut);
        age_delivered(w, u->out, u->rendered_ns, cut.read, 1);
        c->read = max_u64(cut.read, cut.position);
        c->ticks += cut.ticks;
        c->conflated += cut.told_conflated;
        bool told = cut.position > c->position;
        c->untold_conflated = told ? 0 : cut.untold_conflated;
        c->ticks_untold = told || c->group->key.framing == FRAME_BATCH ? 0 : c->ticks_untold + cut.ticks;
        c->position = cut.position;
        counter_add(&w->counters.ticks_total, cut.ticks);
        counter_add(&w->counters.conflated_total, cut.told_conflated);
        counter_add(&w->counters.frames_total, cut.frames);
        if (taken < cut.end) rest_keep(w, c, u->bytes + taken, cut.end - taken);
        return;
    }
    if (outcome == OUTCOME_PART && !rest_keep(w, c, u->bytes + taken, u->size - taken)) return;
    switch (u->kind) {
    case UNIT_LAG:
        counter_add(&w->counters.lags_total, 1);
        c->lag_ms = w->now_ms;
        c->flags &= ~(uint32_t)(CF_LAG_ZERO | CF_SLOW_TOLD | CF_SLOW_NOW);
        if (u->value > 0) c->flags |= CF_SLOW_TOLD;
        return;
    case UNIT_GAP: stream_gap_done(w, c, u->value); return;
    case UNIT_DEFINITIONS: c->snapshot->define_next = (uint32_t)u->value; return;
    case UNIT_SNAPSHOT:
        if (u->value != UINT64_MAX) {
            c->snapshot->id_next = (uint32_t)u->value;
            return;
        }
        stream_snapshot_drop(w, c);
        return;
    default: TC_ASSERT(false);
    }
}

void stream_gap_done(struct worker *w, struct conn *c, uint64_t to)
{
    counter_add(&w->counters.gaps_total, 1);
    c->gaps++;
    uint64_t since = c->position;
    c->position = c->read = to;
    c->untold_conflated = c->ticks_untold = 0;
    /* Binary: what the gap swallowed was also the definitions of symbols that appeared in it. */
    struct snapshotting first = {.since = since,
                                 .since_told = true,
                                 .define = (c->flags & CF_BINARY) != 0,
                                 .define_next = fold_symbols_before(w, since),
                                 .snapshot = (c->flags & CF_SNAPSHOT) != 0};
    if (c->snapshot) { /* interrupted: once more from its own start, and of the old set too, which has the gap
                          as well */
        if (c->snapshot->snapshot) first.since = c->snapshot->since;
        if (c->snapshot->define) first.define_next = min_u32(first.define_next, c->snapshot->define_next);
        stream_snapshot_drop(w, c);
    }
    stream_snapshot_start(w, c, &first);
}

void stream_snapshot_start(struct worker *w, struct conn *c, const struct snapshotting *first)
{
    TC_ASSERT(c->snapshot == NULL);
    bool wanted = first->define || first->snapshot;
    c->snapshot = wanted ? heap_get(&w->groups.heap, sizeof *c->snapshot) : NULL;
    if (c->snapshot) {
        *c->snapshot = *first;
        return;
    }
    if (first->minus) group_put(&w->groups, first->minus);
    if (wanted) limit_memory(w, c);
}

void stream_snapshot_drop(struct worker *w, struct conn *c)
{
    if (!c->snapshot) return;
    if (c->snapshot->minus) group_put(&w->groups, c->snapshot->minus);
    heap_put(&w->groups.heap, c->snapshot, sizeof *c->snapshot);
    c->snapshot = NULL;
}

/* A member in step is complete up to what its cohort read; one behind up to its own position (decision 13).
 */
bool stream_heartbeat_unit(struct worker *w, struct conn *c, struct unit *u)
{
    if (!c->group || !(c->flags & CF_POSITIONED)) {
        c->flags &= ~(uint32_t)CF_HEARTBEAT;
        return false;
    }
    if (c->cohort &&
        c->cohort->ticks_untold > 0) { /* frame=tick: `covered` comes before a heartbeat (decision 16) */
        c->cohort->cover_wanted = true;
        cohort_schedule(&w->groups, c->cohort, w->now_ns);
        conn_ready(w, c);
        return false;
    }
    if (!c->cohort && (c->ticks_untold > 0 || c->untold_conflated > 0))
        return catch_up_unit(w, c, u, c->read, true); /* the same for one behind; the heartbeat comes next */
    uint64_t seq = c->cohort ? max_u64(c->cohort->read, c->cohort->covered) : c->position;
    if (c->cohort && c->cohort->read >= group_maybe_seq(&w->groups, c->group))
        seq = max_u64(seq, w->read_seq);
    uint64_t ts = w->complete_ns;
    bool stalled = w->real_ns > ts + NS_PER_SECOND;
    char text[NOTICE_MAX];
    notice_unit(w, c, u, UNIT_HEARTBEAT, text, conn_notices(c)->heartbeat(text, seq, ts, stalled));
    return true;
}

static void notice_unit(struct worker *w, const struct conn *c, struct unit *u, enum unit_kind kind,
                        const char *text, uint32_t size)
{
    uint8_t *room = arena_room(w, size + WS_HEAD_MAX);
    TC_ASSERT(room != NULL);
    uint32_t head = ws_frame_head(room, conn_notices(c)->opcode, size);
    memcpy(room + head, text, size);
    u->kind = kind;
    u->bytes = room;
    u->size = head + size;
}

void stream_drop(struct worker *w, struct conn *c)
{
    answer_drop(w, c);
    stream_snapshot_drop(w, c);
    if (!c->group) return;
    if (c->cohort) fan_leave_whole(w, c);
    behind_remove(w, c);
    w->subscriber_count--;
    c->group->subscriber_count--;
    group_put(&w->groups, c->group);
    c->group = NULL;
}
