/* config/cpu_list.h -- processors: a list as "0,2-3", and what this process may use. */
#ifndef TC_CONFIG_CPU_LIST_H
#define TC_CONFIG_CPU_LIST_H

#include "base/fault.h"

#include <stdint.h>

#define CPU_LIST_MAX 256u

struct cpu_list {
    uint16_t at[CPU_LIST_MAX]; /* in the order given */
    uint32_t count;
};

/* Numbers and ranges with commas between, each once, each one that this process may run on. where: "--cpus".
 * TC_EUSAGE with the remedy in f. */
int cpu_list_parse(const char *text, const char *where, struct cpu_list *out, struct fault *f);
/* Processors in this process's affinity mask, at least 1. */
uint32_t cpus_allowed(void);

#endif
