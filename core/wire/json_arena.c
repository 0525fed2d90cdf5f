#include "wire/json_arena.h"

#include "base/assert.h"

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define ALIGNMENT 16u

/* Written and read by its own thread only. */
static _Thread_local struct {
    uint8_t *memory;
    size_t bytes, used;
    bool on, full;
} arena;

static void *arena_or_malloc(size_t bytes)
{
    return arena.on ? json_arena_take(bytes) : malloc(bytes);
}

/* Whose block it is, its address says: one made before json_arena_begin is malloc's even while the arena is
 * on. */
static void arena_or_free(void *block)
{
    uintptr_t at = (uintptr_t)block, from = (uintptr_t)arena.memory;
    if (arena.memory && at >= from && at < from + arena.bytes) return;
    free(block);
}

static void install(void)
{
    json_set_alloc_funcs(arena_or_malloc, arena_or_free);
    json_object_seed(0); /* from the kernel, now: not at a client's first message */
}

void json_arena_set(void *memory, size_t bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int error = pthread_once(&once, install);
    TC_ASSERT(error == 0);
    TC_ASSERT(memory != NULL);
    TC_ASSERT((uintptr_t)memory % ALIGNMENT == 0);
    TC_ASSERT(!arena.on);
    arena.memory = memory;
    arena.bytes = bytes;
    arena.used = 0;
}

void json_arena_begin(void)
{
    TC_ASSERT(arena.memory != NULL); /* command_thread_init comes first */
    TC_ASSERT(!arena.on);
    arena.used = 0;
    arena.full = false;
    arena.on = true;
}

void json_arena_end(void)
{
    TC_ASSERT(arena.on);
    arena.on = false;
}

void *json_arena_take(size_t bytes)
{
    TC_ASSERT(arena.used <= arena.bytes);
    size_t left = arena.bytes - arena.used;
    if (bytes > left || left - bytes < ALIGNMENT) {
        arena.full = true;
        return NULL;
    }
    void *block = arena.memory + arena.used;
    arena.used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return block;
}

bool json_arena_full(void)
{
    return arena.full;
}
