/* render/trail.c -- its memory. See trail.h. */
#include "render/trail.h"

#include "base/memory.h"

int trail_init(struct trail *t, uint32_t symbols_max)
{
    *t = (struct trail){.symbols_max = symbols_max};
    t->newest = memory_reserve((symbols_max + 1) * sizeof *t->newest);
    t->back = memory_reserve(TRAIL_POSITIONS * sizeof *t->back);
    return t->newest && t->back ? 0 : TC_ESYSTEM;
}

void trail_destroy(struct trail *t)
{
    memory_release(t->newest, (t->symbols_max + 1) * sizeof *t->newest);
    memory_release(t->back, TRAIL_POSITIONS * sizeof *t->back);
    *t = (struct trail){.newest = NULL};
}

size_t trail_bytes(uint32_t symbols_max)
{
    struct trail *t;
    return (symbols_max + 1) * sizeof *t->newest + TRAIL_POSITIONS * sizeof *t->back;
}
