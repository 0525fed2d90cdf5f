/* base/promptness.h -- for a thread that mostly sleeps and whose work others wait for. */
#ifndef TC_BASE_PROMPTNESS_H
#define TC_BASE_PROMPTNESS_H

/* Has the calling thread run as soon as it wakes, even on a processor that another thread keeps busy, and
 * wake when its time has come, not up to 50 us later. It asks for a short slice (sched_setattr(2): EEVDF in
 * Linux 6.12 lets who has one go first; an older kernel takes note and does nothing) and for no timer slack
 * (prctl(2), PR_SET_TIMERSLACK). No more of the processor is had by it, and no privilege is needed. What the
 * kernel or a sandbox refuses is left as it was. */
void promptness_ask(void);

#endif
