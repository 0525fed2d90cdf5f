/* base/sanitize.h -- which sanitizer this build has, and the marks that tell it what it cannot see. */
#ifndef TC_BASE_SANITIZE_H
#define TC_BASE_SANITIZE_H

#if defined(__SANITIZE_THREAD__) /* gcc */
#define TC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) /* clang 14 does not define the gcc name */
#define TC_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TC_ASAN 1
#endif
#endif

/* A buffer the kernel owns: poisoned, so that our own early read of it is caught. */
#ifdef TC_ASAN
#include <sanitizer/asan_interface.h>
#define TC_POISON(at, size)   ASAN_POISON_MEMORY_REGION((at), (size))
#define TC_UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#else
#define TC_POISON(at, size)   ((void)(at), (void)(size))
#define TC_UNPOISON(at, size) ((void)(at), (void)(size))
#endif

#ifdef TC_TSAN
void __tsan_acquire(void *);
void __tsan_release(void *);
void AnnotateIgnoreReadsBegin(const char *, int);
void AnnotateIgnoreReadsEnd(const char *, int);
void AnnotateIgnoreWritesBegin(const char *, int);
void AnnotateIgnoreWritesEnd(const char *, int);
#endif

#endif
