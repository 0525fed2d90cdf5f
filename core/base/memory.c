#include "base/memory.h"

#include "base/assert.h"

#include <sys/mman.h>
#include <unistd.h>

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

size_t memory_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void memory_small_pages(void *at, size_t bytes)
{
    madvise(at, bytes, MADV_NOHUGEPAGE); /* refused where the kernel has no huge pages */
}

void memory_give_back(void *at, size_t bytes)
{
    TC_ASSERT(bytes == memory_pages(bytes));
    madvise(at, bytes, MADV_DONTNEED); /* refused for locked memory alone: that was to stay */
}
