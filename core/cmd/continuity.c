#include "cmd/continuity.h"

static const char *check_range(const struct continuity *c, const struct scan_message *m);
static const char *check_live(const struct continuity *c, uint64_t seq);

const char *continuity_begin(struct continuity *c, const struct scan_message *m)
{
    if (m->type == SCAN_SUBSCRIBED) {
        if (!m->has_seq) return "`subscribed` has no seq";
        if (c->subscribed && m->seq != c->position) return "a later `subscribed` is not at the position";
        if (c->resumed && m->seq != c->position) return "after a resume `subscribed` is not at the position";
        c->position = m->seq;
        c->subscribed = true;
        c->resumed = false;
        return NULL;
    }
    bool positioned = m->type == SCAN_TICKS || m->type == SCAN_COVERED || m->type == SCAN_GAP ||
                      m->type == SCAN_SNAPSHOT || scan_is_tick(m->type);
    if (!positioned && m->type != SCAN_HEARTBEAT) return NULL;
    if (!c->subscribed) return positioned ? "data before `subscribed`" : NULL;
    switch (m->type) {
    case SCAN_TICKS:
    case SCAN_COVERED:
    case SCAN_GAP: return check_range(c, m);
    case SCAN_SNAPSHOT:
        return m->has_seq && m->seq == c->position ? NULL : "a snapshot is not at the position";
    case SCAN_HEARTBEAT:
        if (!m->has_seq || m->seq < c->position) return "a heartbeat is below the position";
        if (m->seq < c->heartbeat_seq) return "a heartbeat is below the one before";
        c->heartbeat_seq = m->seq;
        return NULL;
    default: /* a tick by itself */
        if (!m->has_seq) return "a tick has no seq";
        const char *broken = check_live(c, m->seq);
        c->last_seq = m->seq;
        return broken;
    }
}

static const char *check_range(const struct continuity *c, const struct scan_message *m)
{
    if (!m->has_from || !m->has_to) return "a frame lacks from or to";
    if (m->from > c->position) return "a hole: from is above the position";
    if (m->from < c->position) return "an overlap: from is below the position";
    if (m->to < m->from) return "a frame ends before it begins";
    if (m->type == SCAN_COVERED && c->last_seq > m->to) return "`covered` ends before the last tick";
    return NULL;
}

const char *continuity_tick(struct continuity *c, const struct scan_message *m, uint64_t seq)
{
    if (m->type == SCAN_SNAPSHOT) {
        if (seq > m->seq) return "a snapshot holds a tick newer than itself";
        return m->has_since && seq <= m->since ? "a snapshot after a gap holds a tick from before it" : NULL;
    }
    if (seq > m->to) return "a tick is newer than its frame's end";
    const char *broken = check_live(c, seq);
    c->last_seq = seq;
    return broken;
}

static const char *check_live(const struct continuity *c, uint64_t seq)
{
    if (seq <= c->position) return "a tick comes again: it is at or below the position";
    if (seq <= c->last_seq) return "ticks are out of order";
    if (seq <= c->heartbeat_seq) return "a heartbeat lied: it covered a tick that came later";
    return NULL;
}

const char *continuity_end(struct continuity *c, const struct scan_message *m)
{
    if (m->type == SCAN_TICKS || m->type == SCAN_COVERED || m->type == SCAN_GAP) c->position = m->to;
    return NULL;
}
