/* base/fault.h -- a cold path's error: what happened, where, and what to do about it.
 * Functions that can fail this way return >= 0 or a negative tc_err and fill the fault the caller passed. */
#ifndef TC_BASE_FAULT_H
#define TC_BASE_FAULT_H

enum tc_err {
    TC_OK = 0,
    TC_EINPUT = -1,    /* bytes from outside are not what they should be */
    TC_ELIMIT = -2,    /* a limit of ours was reached */
    TC_ESYSTEM = -3,   /* the kernel refused; the text has its words */
    TC_EUSAGE = -4,    /* wrong call or configuration: exit status 2 */
    TC_ENOTFOUND = -5, /* no such thing */
    TC_LAPPED = -6,    /* the log no longer has it */
    TC_EAGAIN = -7,    /* nothing now; try again */
    TC_EABSENT = -8,   /* the kernel lacks a feature that is needed */
};

struct fault {
    enum tc_err code;
    char text[480]; /* one line: place, what, remedy. What it quotes is cleaned for terminals (shown.h) */
};

/* Fills f (which may be NULL) and returns code, so that `return fault_set(...)` reads well.
 * The text is cut at the end of the field, never overrun. */
int fault_set(struct fault *f, enum tc_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As fault_set with TC_ESYSTEM, ending in ": " and the text of errno. */
int fault_errno(struct fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "prefix: " in front of the text: the error stack on the way up. */
int fault_within(struct fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
