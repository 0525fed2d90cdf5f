/* base/assert.h -- what must hold, checked in release builds too.
 * Wrong input from outside is never an assertion: it is an error with a text. */
#ifndef TC_BASE_ASSERT_H
#define TC_BASE_ASSERT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Prints file, line and condition to standard error and aborts. Thread: any. */
__attribute__((noreturn)) void assert_failed(const char *condition, const char *file, int line);

#define TC_ASSERT(condition)                                                                                 \
    (__builtin_expect(!!(condition), 1) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))

/* For checks that walk a structure: in debug and sanitizer builds only. */
#ifdef TC_ASSERT_SLOW_ON
#define TC_ASSERT_SLOW(condition) TC_ASSERT(condition)
#else
#define TC_ASSERT_SLOW(condition) ((void)0)
#endif

#ifdef __cplusplus
}
#endif
#endif
