/* group/group.h -- who gets the same bytes: groups, and cohorts of members in step.
 *
 * A group is a set of subscribers that want the same bytes (rules, encoding, framing, rate; policy only with
 * a rate). Its in-step members stand in cohorts: up to 64 slots in a dense array that share one cursor, so
 * that a frame is rendered once and one delivery touches no client structure. Members that are behind belong
 * to the group but to no cohort.
 *
 * A cohort has two positions (both inclusive): `read`: the log was looked at up to here and everything
 * matching was sent; `covered`: what the last sent frame told its members. covered <= read; nothing in
 * (covered, read] matches (with frame=tick: nothing in (covered, read] was told as covered, though its ticks
 * were sent).
 *
 * The index leads from a symbol to its groups, never to clients: reading new ticks once per worker marks what
 * has news, and the cohorts of marked groups wait in a round that the worker walks without end (round.h).
 *
 * Thread: one worker owns all of it. */
#ifndef TC_GROUP_GROUP_H
#define TC_GROUP_GROUP_H

#include "base/heap.h"
#include "base/pool.h"
#include "base/timer.h"
#include "config/subscription.h"
#include "group/round.h"
#include "render/filter.h"

#define COHORT_MEMBERS_MAX 64u

/* What makes a group; rules canonical (group_rules_sort). */
struct group_key {
    const struct rule *rules;
    uint32_t rule_count;
    enum framing framing;
    enum encoding encoding;
    bool deflate;       /* frames are packed (worker/worker_deflate.c) */
    uint64_t rate_ns;   /* between two releases; 0: no limit */
    enum policy policy; /* counts only where rate_ns > 0 */
};

struct cohort {
    struct group *group;
    struct cohort *next, *prev; /* in the group */
    uint64_t read, covered;
    uint32_t number;       /* in the round */
    uint32_t ticks_untold; /* frame=tick: sent since the last `covered` */
    uint32_t visit;        /* index in the submission under way; UINT32_MAX: none */
    uint32_t member_count;
    bool cover_wanted; /* frame=tick: somebody needs `covered` == `read` (a joiner, a heartbeat) */
    uint64_t bytes, ticks, frames, conflated; /* sent to each member since the cohort was made */
    uint32_t slots[COHORT_MEMBERS_MAX];
};

/* A list of groups in the index. Entry and place point at each other. */
struct index_entry {
    struct group *group;
    uint32_t place;       /* in group->places */
    uint32_t number : 24; /* the group's, so that a tick that changes nothing need not touch the group */
    uint32_t kinds : 8;   /* those it wants here; 0: its filter knows (rules differ in kinds) */
};
struct index_list {
    struct index_entry *at;
    uint32_t count, room;
};
struct index_place {
    struct index_list *list;
    uint32_t at;   /* in list->at */
    uint8_t kinds; /* of a pattern's list: those of the group's rule; else 0 */
};

struct group {
    struct group *hash_next;
    struct group *next, *prev; /* all groups of the worker */
    struct filter filter;
    struct group_key key; /* rules point into this group's own copy */
    uint64_t hash;
    uint64_t born;   /* 1, 2, ... of all that this worker ever made: never another's */
    uint32_t number; /* of its news */
    struct cohort *cohorts;
    uint32_t cohort_count;
    uint32_t reference_count;   /* whoever holds it: connections, answers, snapshots, visits under way */
    uint32_t subscriber_count;  /* connections that this set is in force for; the worker counts them */
    struct index_place *places; /* every list of the index that it stands in */
    uint32_t place_count, place_room;
    uint32_t deflate_pause; /* frames that are not tried: packing did not pay */

    /* With an interval the log is released to the members piece by piece (group_rate.c). */
    uint64_t interval_ns;     /* key.rate_ns or --batch-us, the longer; 0: all is released at once */
    uint64_t released_seq;    /* frames end here, or where a member began later */
    uint64_t released_before; /* before the last release: members have had an interval's time for it */
    uint64_t release_due_ns;  /* the next release is not earlier, unless much is owed */
    struct timer timer;       /* set: news wait for it */
};

/* What a tick changes of a group, apart from it and side by side: with 10 000 lists a tick is news to
 * hundreds of groups, most of which have news already. */
struct group_news {
    uint64_t maybe_seq; /* newest seq that may match: cohorts that have read it have nothing to do */
    /* News up to here change maybe_seq alone: every cohort has something to do, and waits in the round or for
     * the group's release. 0: look at the cohorts. */
    uint64_t stirred_to;
};
#define GROUPS_MOST (1u << 24)

#define GROUP_PATTERN_BUCKETS 65536u
struct pattern;

struct groups {
    struct heap heap;
    const struct log *log;
    uint32_t symbols_max, symbol_count; /* reserved; known to this worker so far */
    uint64_t seq_read;                  /* ticks up to here were noted */
    uint64_t seq_marked;                /* and groups were marked for all of them */
    uint64_t read_floor;  /* no cohort with something to do has read less: what it has to do came later, or
                             groups_read_least saw it */
    uint32_t members_max; /* of a cohort */
    uint64_t interval_ns_least; /* --batch-us */
    struct pool news;           /* struct group_news, by group->number */
    struct group **buckets;
    uint32_t bucket_count;
    struct group *all;            /* list head */
    struct index_list *by_symbol; /* symbols_max; groups whose named rules match it */
    struct index_list every;      /* groups with a "*" rule */
    struct pattern **patterns;    /* GROUP_PATTERN_BUCKETS; those that may match a symbol yet to come */
    uint64_t pattern_secret, prefix_sizes;       /* bit n: some prefix pattern has n letters */
    uint32_t prefix_counts[SYMBOL_NAME_MAX + 1]; /* of prefix patterns, by size */
    struct round round;                          /* cohorts, and which of them have something to do */
    uint32_t ahead;                              /* number of a cohort that was asked for (cohort.c) */
    struct timer_wheel timers;                   /* of groups whose news wait for release_due_ns */
    /* News of the ticks read this turn, between groups_note and groups_mark. */
    struct note {
        uint64_t seq;
        uint32_t kinds, listed;
    } * notes; /* by symbol */
    uint32_t *noted;
    uint32_t noted_count;
    uint32_t kinds_noted;
    uint64_t seq_noted, seq_feed;
    uint64_t groups_born;
    uint32_t group_count, cohort_count;
    uint32_t list_count; /* groups without a "*" rule: they want their symbols' ticks and no others */
    bool hurry;          /* the feeds have ended: rates no longer hold */
};

struct groups_options {
    const struct log *log;
    size_t heap_bytes;
    uint32_t symbols_max, members_max;
    uint64_t interval_ns_least;
    uint64_t now_ns;
};

int groups_init(struct groups *gs, const struct groups_options *o); /* 0 or TC_ESYSTEM */
void groups_destroy(struct groups *gs);
/* What it reserves beside the heap. */
size_t groups_table_bytes(uint32_t symbols_max, size_t heap_bytes);

/* ---- Groups. ---- */

/* Canonical form: sorted, one rule per pattern (kinds joined). Returns the new count. */
uint32_t group_rules_sort(struct rule *rules, uint32_t count);
/* The group of a key, made if there is none; one more reference. NULL: the heap is used up. `now`: position
 * that a new group starts at. */
struct group *group_get(struct groups *gs, const struct group_key *key);
void group_put(struct groups *gs, struct group *g);
static inline uint64_t group_maybe_seq(const struct groups *gs, const struct group *g)
{
    return ((const struct group_news *)pool_at(&gs->news, g->number))->maybe_seq;
}
/* True if frames of the group are conflated while in step (rate with conflate or latest). */
bool group_conflates(const struct group *g);

/* ---- Rates (decision 15): what is released to a group, its members get in as few frames as hold it, in step
 * or behind. ---- */

/* Frames for members go up to here; one that began at a later position has nothing to get now. */
static inline uint64_t group_released(const struct groups *gs, const struct group *g)
{
    return g->interval_ns == 0 || gs->hurry ? gs->seq_read : g->released_seq;
}
/* What members should have by now: what is released later than this is not a member's delay. */
uint64_t group_expected(const struct groups *gs, const struct group *g, uint64_t now_ns);
/* Releases to g what was read, if it has news and it is time; else sees to it that the timer does. */
void group_release(struct groups *gs, struct group *g, uint64_t now_ns);
/* The feeds have ended: nothing waits for a release any more. */
void groups_hurry(struct groups *gs, uint64_t now_ns);

/* ---- Cohorts. ---- */

/* A cohort of g with room that stands at a position from `least` to `most`; the fullest first. NULL: none. */
struct cohort *cohort_find(struct groups *gs, struct group *g, uint64_t least, uint64_t most);
/* A new one at a position. NULL: the heap is used up. */
struct cohort *cohort_make(struct groups *gs, struct group *g, uint64_t position);
/* Returns the member's index. */
uint32_t cohort_add(struct cohort *c, uint32_t slot);
/* Takes out the member at index; the last takes its place. Returns the slot that moved there, or UINT32_MAX.
 * The cohort stays, even empty, until cohort_free. */
uint32_t cohort_remove(struct cohort *c, uint32_t index);
void cohort_free(struct groups *gs, struct cohort *c);

/* ---- News. ---- */

/* A symbol appeared; ids in order. TC_ELIMIT: some filter could not grow (*full: its group; call again after
 * dealing with it). */
int groups_add_symbol(struct groups *gs, uint32_t id, struct text name, struct group **full);
/* Notes one tick that was read (in order). */
static inline void groups_note(struct groups *gs, uint32_t key, uint64_t seq)
{
    uint8_t kind = log_key_kind(key);
    gs->kinds_noted |= KIND_BIT(kind);
    gs->seq_noted = seq;
    if (kind == TICK_FEED) {
        gs->seq_feed = seq;
        return;
    }
    uint32_t id = log_key_symbol(key);
    if (gs->by_symbol[id].count == 0) return;
    struct note *n = &gs->notes[id];
    if (!n->listed) {
        n->listed = 1;
        gs->noted[gs->noted_count++] = id;
    }
    n->kinds |= KIND_BIT(kind);
    n->seq = seq;
}
/* Marks groups that may have news among the noted ticks and has their cohorts wait for a visit. */
void groups_mark(struct groups *gs, uint64_t now_ns);
/* Marks one group up to seq by hand (a new group, a resume). A cohort with nothing to do until now has, in
 * effect, read everything that was marked: however long its symbols were quiet, it is not lapped. */
void group_mark(struct groups *gs, struct group *g, uint64_t seq, uint64_t now_ns);
/* Has cohort c wait for a visit if it has something to do, or for its group's release. */
void cohort_schedule(struct groups *gs, struct cohort *c, uint64_t now_ns);
/* The next cohort to visit; it waits no more. NULL: none. Releases that are due come first. */
struct cohort *groups_next(struct groups *gs, uint64_t now_ns);
/* Looks at every cohort: the least `read` of those that have not read all that may match; UINT64_MAX: none.
 * Raises read_floor. */
uint64_t groups_read_least(struct groups *gs);
/* True where no cohort has anything to do: no look is needed to know that. */
static inline bool groups_read_all(const struct groups *gs)
{
    return gs->round.count == 0 && gs->timers.count == 0;
}

/* Walks everything and asserts what must hold. For tests and debug builds. */
void groups_check(const struct groups *gs);

#endif
