/* group/group_internal.h -- shared inside group/. */
#ifndef TC_GROUP_GROUP_INTERNAL_H
#define TC_GROUP_GROUP_INTERNAL_H

#include "group/group.h"

/* One more word into a hash. */
static inline uint64_t mix(uint64_t hash, uint64_t v)
{
    hash = (hash ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static inline struct group_news *group_news(const struct groups *gs, uint32_t number)
{
    return (struct group_news *)pool_at(&gs->news, number);
}

/* Truth comes before rate: so much owed, and it is released early (decision 15). */
static inline uint64_t group_far(const struct groups *gs)
{
    return log_capacity(gs->log) / 4;
}

/* Nothing that was marked so far is owed: what is far is counted from here on. Before news are marked. */
void group_release_quiet(struct groups *gs, struct group *g);

/* ---- The index from symbols and patterns to groups (group_index.c, group_pattern.c). Calls that return int:
 * 0, or TC_ELIMIT and nothing has changed. ---- */

int index_add_group(struct groups *gs, struct group *g);
void index_remove_group(struct groups *gs, struct group *g);

/* Puts g into a list: a symbol's or `every` (kinds 0), or a pattern's (the kinds of its rule, never 0). Once
 * at most. */
int list_link(struct groups *gs, struct index_list *list, struct group *g, uint8_t kinds);
/* Takes g out of the list of one of its places (another place may take that number). A pattern whose list is
 * empty is gone. */
void list_unlink(struct groups *gs, struct group *g, uint32_t place);
/* Room for one more. */
int list_reserve(struct groups *gs, struct index_list *list);
/* Gives the room of an empty one back. */
void list_trim(struct groups *gs, struct index_list *list);

/* Has g stand in the table with each rule that may match a symbol yet to come. TC_ELIMIT: some may stand
 * there already; index_remove_group takes them out. */
int patterns_add_group(struct groups *gs, struct group *g);
/* Frees the pattern of an empty list. */
void patterns_drop(struct groups *gs, struct index_list *list);

#endif
