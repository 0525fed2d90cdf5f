/* base/affinity.h -- the processors this process may run on, and pinning a thread to one of them. */
#ifndef TC_BASE_AFFINITY_H
#define TC_BASE_AFFINITY_H

#include "base/fault.h"

#include <stdint.h>

#define AFFINITY_CPUS_MAX 1024u /* ids 0 to 1023, as in cpu_set_t */

/* How many processors the calling thread may run on (not how many the machine has); at least 1. Thread: any.
 */
uint32_t affinity_count(void);

/* Pins the calling thread to one processor. 0 or -errno. */
int affinity_pin(int cpu);

/* Reads "0,2-3" into cpus in the order written. Returns how many, or TC_EUSAGE with a text (an empty list, a
 * word that is no number, a range backwards, an id over 1023, a processor named twice, more than cpus_max).
 */
int affinity_parse_list(const char *text, uint32_t *cpus, uint32_t cpus_max, struct fault *f);

#endif
