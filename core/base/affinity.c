#include "base/affinity.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

static bool read_id(const char **at, uint32_t *id);
static int add_range(uint32_t *cpus, uint32_t count, uint32_t cpus_max, const uint32_t range[2]);

_Static_assert(AFFINITY_CPUS_MAX <= CPU_SETSIZE, "an id fits cpu_set_t");

uint32_t affinity_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1; /* more than 1024 processors: assume no room to spin */
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}

int affinity_pin(int cpu)
{
    if (cpu < 0 || cpu >= (int)AFFINITY_CPUS_MAX) return -EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int affinity_parse_list(const char *text, uint32_t *cpus, uint32_t cpus_max, struct fault *f)
{
    const char *at = text;
    uint32_t count = 0;
    for (;;) {
        uint32_t range[2];
        if (!read_id(&at, &range[0]))
            return fault_set(
                f, TC_EUSAGE,
                "processor list `%s`: a number from 0 to 1023 is wanted at `%s`; write it as in 0,2-3", text,
                at);
        range[1] = range[0];
        if (*at == '-') {
            at++;
            if (!read_id(&at, &range[1]) || range[1] < range[0])
                return fault_set(f, TC_EUSAGE,
                                 "processor list `%s`: the range from %u does not end at or after it", text,
                                 range[0]);
        }
        int added = add_range(cpus, count, cpus_max, range);
        if (added < 0)
            return fault_set(f, TC_EUSAGE, "processor list `%s`: names a processor twice, or more than %u",
                             text, cpus_max);
        count += (uint32_t)added;
        if (*at == '\0') return (int)count;
        if (*at != ',')
            return fault_set(f, TC_EUSAGE, "processor list `%s`: unexpected `%s`; separate with commas", text,
                             at);
        at++;
    }
}

static bool read_id(const char **at, uint32_t *id)
{
    const char *p = *at;
    if (*p < '0' || *p > '9') return false;
    uint32_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (uint32_t)(*p - '0');
        if (value >= AFFINITY_CPUS_MAX) return false;
    }
    *id = value;
    *at = p;
    return true;
}

static int add_range(uint32_t *cpus, uint32_t count, uint32_t cpus_max, const uint32_t range[2])
{
    uint32_t begin = count;
    for (uint32_t id = range[0]; id <= range[1]; id++) {
        for (uint32_t i = 0; i < count; i++)
            if (cpus[i] == id) return -1;
        if (count == cpus_max) return -1;
        cpus[count++] = id;
    }
    return (int)(count - begin);
}
