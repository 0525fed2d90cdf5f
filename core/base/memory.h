/* base/memory.h -- memory reserved at start and touched on use. */
#ifndef TC_BASE_MEMORY_H
#define TC_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed, page-aligned address space that takes no memory until it is touched. NULL: out of address space. */
void *memory_reserve(size_t bytes);
void memory_release(void *at, size_t bytes);
/* Asks for huge pages here (fewer TLB misses; memory is then touched 2 MiB at a time). False: the kernel has
 * none, or they are switched off for the machine or for this process. True is no promise: the kernel may find
 * no 2 MiB in a piece. Thread: main, at start: it reads a file. */
bool memory_huge_pages(void *at, size_t bytes);
/* bytes, rounded up to whole pages. */
size_t memory_pages(size_t bytes);
/* Never huge pages here, not even where the machine makes them by itself: what is given back a few pages at a
 * time would come back with its neighbours. */
void memory_small_pages(void *at, size_t bytes);
/* Whole pages back to the kernel; they read as zero when they are touched again. About 1 us a call. */
void memory_give_back(void *at, size_t bytes);

#endif
