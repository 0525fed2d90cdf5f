/* bench/micro/group_rig.h -- watch lists as groups of a worker, behind plain calls (see core_rig.h). */
#ifndef TC_BENCH_GROUP_RIG_H
#define TC_BENCH_GROUP_RIG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct group_rig group_rig;

/* Lists of `size` exact names each, drawn from `symbols` known ones; none stands yet. */
group_rig *group_rig_make(uint32_t lists, uint32_t size, uint32_t symbols);
void group_rig_free(group_rig *r);
void group_rig_add(group_rig *r, uint32_t list);
void group_rig_remove(group_rig *r, uint32_t list);
/* A symbol appears that no list names. False: the symbol table is full. */
bool group_rig_symbol(group_rig *r);

#endif
