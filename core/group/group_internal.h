/* group/group_internal.h -- shared inside group/. */
#ifndef TC_GROUP_GROUP_INTERNAL_H
#define TC_GROUP_GROUP_INTERNAL_H

#include "group/group.h"

/* The index from symbol to groups (group_index.c). index_add_group: 0 or TC_ELIMIT, and then nothing is kept.
 */
int index_add_group(struct groups *gs, struct group *g);
void index_remove_group(struct groups *gs, struct group *g);

#endif
