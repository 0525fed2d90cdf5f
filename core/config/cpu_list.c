#include "config/cpu_list.h"

#include "base/bytes.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>

static int number_parse(const char **at, uint32_t *out);
static int add(struct cpu_list *out, uint32_t cpu, const cpu_set_t *allowed, const char *where,
               struct fault *f);

int cpu_list_parse(const char *text, const char *where, struct cpu_list *out, struct fault *f)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return fault_errno(f, "%s: sched_getaffinity", where);
    out->count = 0;
    const char *p = text;
    for (;;) {
        uint32_t first, last;
        if (number_parse(&p, &first) < 0) break;
        last = first;
        if (*p == '-' && (p++, number_parse(&p, &last) < 0)) break;
        if (last < first) break;
        for (uint32_t cpu = first; cpu <= last; cpu++) {
            int r = add(out, cpu, &allowed, where, f);
            if (r < 0) return r;
        }
        if (*p == 0) return TC_OK;
        if (*p++ != ',') break;
    }
    return fault_set(f, TC_EUSAGE,
                     "%s: \"%.60s\" is not a list of processors; use numbers and ranges, as in 0,2-3", where,
                     text);
}

uint32_t cpus_allowed(void)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0) return 1;
    int count = CPU_COUNT(&allowed);
    return count > 0 ? (uint32_t)count : 1;
}

static int number_parse(const char **at, uint32_t *out)
{
    const char *p = *at;
    uint32_t n = 0;
    while (isdigit((unsigned char)*p) && p - *at < 6) n = n * 10 + (uint32_t)(*p++ - '0');
    if (p == *at) return TC_EINPUT;
    *at = p;
    *out = n;
    return TC_OK;
}

static int add(struct cpu_list *out, uint32_t cpu, const cpu_set_t *allowed, const char *where,
               struct fault *f)
{
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed))
        return fault_set(f, TC_EUSAGE,
                         "%s: processor %u is not one this process may use; see `taskset -p $$`", where, cpu);
    for (uint32_t i = 0; i < out->count; i++)
        if (out->at[i] == cpu)
            return fault_set(f, TC_EUSAGE, "%s: processor %u is named twice; name it once", where, cpu);
    if (out->count == CPU_LIST_MAX)
        return fault_set(f, TC_EUSAGE, "%s: more than %u processors; name fewer", where, CPU_LIST_MAX);
    out->at[out->count++] = (uint16_t)cpu;
    return TC_OK;
}
