#include "base/memory.h"

#include "base/assert.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool switched_off(void);

void *memory_reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* madvise alone says too little: it takes the wish also where nothing will come of it. */
bool memory_huge_pages(void *at, size_t bytes)
{
    return madvise(at, bytes, MADV_HUGEPAGE) == 0 && prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 1 &&
           !switched_off();
}

/* The words are "always [madvise] never". Not to be read: madvise is believed. */
static bool switched_off(void)
{
    char words[64] = "";
    int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t size = read(fd, words, sizeof words - 1);
    close(fd);
    return size > 0 && strstr(words, "[never]") != NULL;
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
