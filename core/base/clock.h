/* base/clock.h -- the only place that reads a clock (beside core/cmd). Everything else is handed the time. */
#ifndef TC_BASE_CLOCK_H
#define TC_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)
#define NS_PER_US     UINT64_C(1000)

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: for timers and intervals */
uint64_t clock_real_ns(void); /* CLOCK_REALTIME: ns since 1970, for event times */

#endif
