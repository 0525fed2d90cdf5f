/* wire/json_arena.h -- the memory of one thread's JSON. Internal to wire/.
 * jansson has one allocator for the whole process; ours looks whether the calling thread is inside a parse.
 * If so, it takes from that thread's arena, which is emptied as a whole at the next parse; otherwise (a
 * client tool that uses jansson for itself) it is malloc and free. An arena's blocks are never given back one
 * by one. */
#ifndef TC_WIRE_JSON_ARENA_H
#define TC_WIRE_JSON_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* Thread: the one that will parse, once. Owner: the caller, who keeps `memory` until the thread ends. */
void json_arena_set(void *memory, size_t bytes);
/* Empties the arena and turns it on for jansson's calls in this thread; end turns it off, what was parsed
 * stays. */
void json_arena_begin(void);
void json_arena_end(void);
/* NULL if there is not enough left; then json_arena_full is true until the next begin. */
void *json_arena_take(size_t bytes);
bool json_arena_full(void);

#endif
