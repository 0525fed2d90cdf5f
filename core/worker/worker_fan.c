/* worker/worker_fan.c -- rolling over cohorts: render once, send to all members in one submission.
 *
 * Not turns in which everybody gets the same ticks: cohorts with news are visited round and round, each is
 * rendered what there is at the moment of its visit, and before each submission the log is looked at again.
 * One delivery touches no client structure unless it fails. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static uint32_t fan_gather(struct worker *w);
static uint32_t visit_share(const struct visit *v);
static bool visit_render(struct worker *w, struct cohort *c);
static void fan_flush(struct worker *w);
static void member_failed(struct worker *w, const struct io_sent *s);
static void visit_done(struct worker *w, struct visit *v);
static void visit_count_up(struct worker *w, struct visit *v);
static void visit_next(struct worker *w, struct cohort *c);
static void dissolve(struct worker *w, struct cohort *c);
static struct cohort *merge_partner(struct worker *w, struct cohort *c);
static bool merge(struct worker *w, struct cohort *from, struct cohort *into);

uint32_t fan_turn(struct worker *w)
{
    uint32_t share = 0;
    w->turn_packs_left = TURN_PACKS;
    while (share < TURN_SENDS && w->turn_packs_left > 0) {
        if (share > 0) fold_more(w); /* what came meanwhile: the next cohorts need not wait a turn for it */
        uint32_t gathered = fan_gather(w);
        if (w->visit_count == 0) break;
        fan_flush(w);
        share += gathered;
    }
    return share;
}

/* Renders and offers cohorts until FLUSH_SENDS sends are gathered. Returns what they take of TURN_SENDS. */
static uint32_t fan_gather(struct worker *w)
{
    uint32_t share = 0;
    w->visit_count = w->send_count = w->arena_used = 0;
    while (w->send_count < FLUSH_SENDS && w->turn_packs_left > 0) {
        if (w->arena_used + RENDER_BYTES_MAX + RENDER_SLACK > w->arena_bytes) break;
        struct cohort *c = groups_next(&w->groups, w->now_ns);
        if (!c) break;
        if (!visit_render(w, c)) continue;
        const struct visit *v = &w->visits[w->visit_count - 1];
        for (uint32_t i = 0; i < c->member_count; i++)
            w->io->ops->send_add(w->io, c->slots[i], v->bytes, v->out->bytes);
        w->send_count += c->member_count;
        share += c->member_count * visit_share(v);
    }
    return share;
}

/* A large send costs the kernel about what as many frames of full size do one by one: it counts as those, or
 * a turn of 256 would be up to four times as long for everybody else. */
static uint32_t visit_share(const struct visit *v)
{
    if (v->cohort->group->key.framing == FRAME_BATCH) return v->out->frames; /* bytes may be packed already */
    return (v->out->bytes + FRAME_BYTES_MAX - 1) / FRAME_BYTES_MAX;
}

/* True: a visit was added. False: there was nothing to send. */
static bool visit_render(struct worker *w, struct cohort *c)
{
    struct group *g = c->group;
    bool cover = c->cover_wanted || c->ticks_untold >= COVER_TICKS;
    c->cover_wanted = false;
    uint64_t to = max_u64(group_released(&w->groups, g), c->read);
    if (c->read >= to && !cover) { /* what it waited for was sent by a visit before */
        cohort_schedule(&w->groups, c, w->now_ns);
        return false;
    }
    struct visit *v = &w->visits[w->visit_count];
    struct render_out *out = &w->outs[w->visit_count];
    uint8_t *room = arena_room(w, RENDER_BYTES_MAX + RENDER_SLACK);
    TC_ASSERT(room != NULL);
    struct render_in in = {.log = w->log,
                           .filter = &g->filter,
                           .trail = &w->trail,
                           .from = c->read,
                           .to = to,
                           .position = c->covered,
                           .bytes_max = RENDER_BYTES_MAX,
                           .framing = g->key.framing,
                           .encoding = g->key.encoding,
                           .conflate = group_conflates(g),
                           .force = cover};
    int result =
        g->key.deflate ? deflate_visit(w, g, &in, room, out) : render_run(&in, &w->scratch, room, out);
    if (result < 0) {
        dissolve(w, c);
        return false;
    }
    counter_add(&w->counters.renders_total, 1);
    w->arena_used -= RENDER_BYTES_MAX + RENDER_SLACK - (out->start + out->bytes);
    if (out->frames == 0) {
        c->read = out->to; /* looked at, nothing matched: covered stays */
        cohort_schedule(&w->groups, c, w->now_ns);
        return false;
    }
    *v = (struct visit){.cohort = c,
                        .bytes = room + out->start,
                        .out = out,
                        .rendered_ns = age_rendered(w, out),
                        .read_before = c->read,
                        .covered_before = c->covered};
    c->visit = w->visit_count++;
    g->reference_count++; /* the last member may go while the visit is under way */
    return true;
}

uint8_t *arena_room(struct worker *w, uint32_t bytes)
{
    if (w->arena_bytes - w->arena_used < bytes) return NULL;
    uint8_t *at = w->arena + w->arena_used;
    w->arena_used += bytes;
    return at;
}

static void fan_flush(struct worker *w)
{
    uint32_t failed = w->io->ops->send_flush(w->io, w->failed);
    age_offered(w);
    for (uint32_t i = 0; i < failed; i++) member_failed(w, &w->failed[i]);
    for (uint32_t i = 0; i < w->visit_count; i++) visit_done(w, &w->visits[i]);
    w->visit_count = 0;
}

/* A member whose socket did not take everything leaves its cohort, with the positions of what it has whole.
 */
static void member_failed(struct worker *w, const struct io_sent *s)
{
    struct conn *c = conn_at(w, s->slot);
    TC_ASSERT(c->cohort != NULL);
    const struct visit *v = &w->visits[c->cohort->visit];
    const struct render_out *out = v->out;
    if (s->error != 0) {
        conn_close(w, c, IO_CLOSE_RESET);
        return;
    }
    struct cut cut = {.position = v->covered_before, .read = v->read_before};
    cut_frames(out, v->cohort->group->key.framing, s->taken, &cut);
    age_delivered(w, out, v->rendered_ns, cut.read, 1);
    counter_add(&w->counters.ticks_total, cut.ticks);
    counter_add(&w->counters.frames_total, cut.frames);
    counter_add(&w->counters.conflated_total, cut.told_conflated);
    c->ticks += cut.ticks;
    c->sent_bytes += s->taken;
    c->conflated += cut.told_conflated;
    c->untold_conflated = cut.untold_conflated;
    c->ticks_untold = cut.position > v->covered_before ? 0 : v->cohort->ticks_untold;
    if (v->cohort->group->key.framing == FRAME_TICK && cut.position == v->covered_before)
        c->ticks_untold += cut.ticks;
    fan_leave(w, c, cut.position, cut.read);
    counter_add(&w->counters.left_step_total, 1);
    if (s->taken < cut.end && !rest_keep(w, c, v->bytes + s->taken, cut.end - s->taken)) return;
    conn_full(w, c);
}

void cut_frames(const struct render_out *out, enum framing framing, uint32_t taken, struct cut *cut)
{
    for (uint32_t i = 0; i < out->frames && cut->end < taken;
         i++) { /* the frame that the cut falls in is finished later */
        const struct frame_end *e = &out->ends[i];
        cut->end = e->offset;
        cut->frames++;
        cut->read = max_u64(cut->read, e->position);
        if (framing == FRAME_BATCH || e->covered) { /* told: everything up to here */
            cut->position = e->position;
            cut->told_conflated = framing == FRAME_BATCH ? e->conflated : out->conflated;
            cut->untold_conflated = 0;
            if (framing == FRAME_BATCH) cut->ticks = e->ticks;
        } else {
            cut->ticks += !e->definition;
            cut->untold_conflated = e->conflated;
        }
    }
    if (out->frames > 0 && cut->end == out->bytes) cut->read = out->to;
}

static void visit_done(struct worker *w, struct visit *v)
{
    struct group *g = v->cohort->group;
    visit_count_up(w, v);
    visit_next(w, v->cohort);
    group_put(&w->groups, g);
}

static void visit_count_up(struct worker *w, struct visit *v)
{
    struct cohort *c = v->cohort;
    const struct render_out *out = v->out;
    c->visit = UINT32_MAX;
    c->read = out->to;
    bool told =
        c->group->key.framing == FRAME_BATCH || (out->frames > 0 && out->ends[out->frames - 1].covered);
    if (told) c->covered = out->to;
    c->ticks_untold = told ? 0 : c->ticks_untold + out->ticks;
    c->bytes += out->bytes;
    c->ticks += out->ticks;
    c->frames += out->frames;
    c->conflated += out->conflated;
    age_delivered(w, out, v->rendered_ns, out->to, c->member_count);
    counter_add(&w->counters.ticks_total, (uint64_t)out->ticks * c->member_count);
    counter_add(&w->counters.frames_total, (uint64_t)out->frames * c->member_count);
    counter_add(&w->counters.conflated_total, out->conflated * c->member_count);
}

/* What becomes of a cohort after its visit: freed, merged, or waiting again. */
static void visit_next(struct worker *w, struct cohort *c)
{
    if (c->member_count == 0) {
        cohort_free(&w->groups, c);
        return;
    }
    for (struct cohort *other; (other = merge_partner(w, c)) != NULL;) {
        bool larger = c->member_count > other->member_count;
        if (merge(w, larger ? other : c, larger ? c : other) && !larger) return;
    }
    cohort_schedule(&w->groups, c, w->now_ns);
}

/* Another cohort of its group at the very same place; the smaller one of the two is to fill up the larger
 * (decision 30). With a rate all come to stand there at each release, so that all are full but one; else only
 * one under half looks around, for the others are elsewhere most of the time. */
static struct cohort *merge_partner(struct worker *w, struct cohort *c)
{
    uint32_t most = w->groups.members_max, looks = c->group->interval_ns > 0 ? most - 1 : most / 2;
    if (c->member_count > looks || c->group->cohort_count < 2) return NULL;
    struct cohort *fullest = NULL;
    for (struct cohort *o = c->group->cohorts; o; o = o->next) {
        bool same =
            o->covered == c->covered && o->read == c->read && o->ticks_untold == 0 && c->ticks_untold == 0;
        if (!same || o == c || o->visit != UINT32_MAX || o->member_count >= most) continue;
        if (!fullest || o->member_count > fullest->member_count) fullest = o;
    }
    return fullest;
}

/* As many as there is room for. True: all, and `from` has gone with its last member. */
static bool merge(struct worker *w, struct cohort *from, struct cohort *into)
{
    uint32_t count = from->member_count, room = w->groups.members_max - into->member_count;
    for (uint32_t left = count; left > 0 && count - left < room; left--) {
        struct conn *c = conn_at(w, from->slots[left - 1]);
        fan_leave_whole(w, c);
        fan_join(w, c, into);
    }
    return count <= room;
}

/* The log no longer has what the cohort wants: each member is behind and will be told its gap. */
static void dissolve(struct worker *w, struct cohort *c)
{
    uint32_t count = c->member_count;
    for (uint32_t i = count; i > 0; i--) {
        struct conn *m = conn_at(w, c->slots[i - 1]);
        fan_leave_whole(w, m);
        conn_ready(w, m);
    }
}

void fan_leave(struct worker *w, struct conn *c, uint64_t position, uint64_t read)
{
    struct cohort *cohort = c->cohort;
    TC_ASSERT(cohort->slots[c->member_index] == conn_slot(w, c));
    uint32_t moved = cohort_remove(cohort, c->member_index);
    if (moved != UINT32_MAX) conn_at(w, moved)->member_index = c->member_index;
    c->cohort = NULL;
    c->position = position;
    c->read = read;
    behind_add(w, c);
    c->sent_bytes += cohort->bytes;
    c->ticks += cohort->ticks;
    c->conflated += cohort->conflated;
    if (cohort->member_count == 0 && cohort->visit == UINT32_MAX) cohort_free(&w->groups, cohort);
}

void fan_leave_whole(struct worker *w, struct conn *c)
{
    c->ticks_untold = c->cohort->ticks_untold;
    fan_leave(w, c, c->cohort->covered, c->cohort->read);
}

void fan_join(struct worker *w, struct conn *c, struct cohort *cohort)
{
    TC_ASSERT(c->cohort == NULL);
    TC_ASSERT(c->rest_block == POOL_NONE);
    TC_ASSERT(cohort->ticks_untold == 0);
    c->member_index = (uint8_t)cohort_add(cohort, conn_slot(w, c));
    c->cohort = cohort;
    behind_remove(w, c);
    /* Its own share of the cohort's sums is what is added from now on. */
    c->sent_bytes -= cohort->bytes;
    c->ticks -= cohort->ticks;
    c->conflated -= cohort->conflated;
    cohort_schedule(&w->groups, cohort, w->now_ns);
}
