#include "base/memory.h"

#include <sys/mman.h>

void *memory_reserve(size_t bytes, int huge)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return NULL;
    if (huge) madvise(at, bytes, MADV_HUGEPAGE); /* a wish: kernels without huge pages refuse it */
    return at;
}

void memory_release(void *at, size_t bytes)
{
    if (at) munmap(at, bytes);
}
