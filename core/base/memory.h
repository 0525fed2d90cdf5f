/* base/memory.h -- memory reserved at start and touched on use. */
#ifndef TC_BASE_MEMORY_H
#define TC_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed, page-aligned address space that takes no memory until it is touched. NULL: out of address space.
 * huge: ask for huge pages (fewer TLB misses; memory is then touched 2 MiB at a time). */
void *memory_reserve(size_t bytes, int huge);
void memory_release(void *at, size_t bytes);

#endif
