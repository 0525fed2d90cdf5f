/* config/settings_check.c -- what a single range cannot say, and the values that are worked out at start. */
#include "config/settings.h"

#include "base/affinity.h"
#include "base/bytes.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#define UNIX_PATH_MAX_BYTES 107u /* sockaddr_un.sun_path, its end included: 108 */
#define CONGESTION_MAX      15u  /* TCP_CA_NAME_MAX - 1 */
#define REST_BYTES_EACH     FRAME_BYTES_MAX

static int check_capacity(const struct settings *s, struct fault *f);
static int check_listeners(const struct settings *s, struct fault *f);
static int check_admin(const struct settings *s, struct fault *f);
static int check_address(const char *address, const char *where, struct fault *f);
static int check_origins(const char *list, struct fault *f);
static int check_texts(const struct settings *s, struct fault *f);
static void work_out(struct settings *s);

int settings_check(struct settings *s, struct fault *f)
{
    int r = check_capacity(s, f);
    if (r == TC_OK) r = check_listeners(s, f);
    if (r == TC_OK) r = check_admin(s, f);
    if (r == TC_OK) r = check_texts(s, f);
    if (r == TC_OK) work_out(s);
    return r;
}

static int check_capacity(const struct settings *s, struct fault *f)
{
    uint64_t n = s->log_capacity, below = UINT64_C(1) << (63 - __builtin_clzll(n));
    if (n == below) return TC_OK;
    uint64_t nearest = n - below < below * 2 - n ? below : below * 2;
    return fault_set(f, TC_EUSAGE, "--log-capacity: %llu is not a power of two; use %llu",
                     (unsigned long long)n, (unsigned long long)nearest);
}

static int check_listeners(const struct settings *s, struct fault *f)
{
    if (s->listen.count > LISTENERS_MAX)
        return fault_set(f, TC_EUSAGE, "--listen: %u addresses; at most %u are served", s->listen.count,
                         LISTENERS_MAX);
    if (s->feed.count > FEEDS_MAX)
        return fault_set(f, TC_EUSAGE, "--feed: %u feeds; at most %u are read", s->feed.count, FEEDS_MAX);
    for (uint32_t i = 0; i < s->listen.count; i++) {
        int r = check_address(s->listen.at[i], "--listen", f);
        if (r < 0) return r;
    }
    return TC_OK;
}

/* What other machines can reach is not opened without a token. */
static int check_admin(const struct settings *s, struct fault *f)
{
    const char *address = s->admin_listen;
    if (strcmp(address, "auto") == 0 || strcmp(address, "none") == 0) return TC_OK;
    int r = check_address(address, "--admin-listen", f);
    bool local = strncmp(address, "unix:", 5) == 0 || strncmp(address, "127.", 4) == 0 ||
                 strncmp(address, "[::1]:", 6) == 0;
    if (r < 0 || local || s->admin_token) return r;
    return fault_set(
        f, TC_EUSAGE,
        "--admin-listen: %.60s can be reached from other machines; give --admin-token FILE as well, "
        "or use 127.0.0.1 or unix:PATH",
        address);
}

/* 127.0.0.1:8080, [::1]:8080 or unix:/path. Names are not looked up: what is served where must be plain. */
static int check_address(const char *address, const char *where, struct fault *f)
{
    static const char use[] = "use 127.0.0.1:8080, [::1]:8080, 0.0.0.0:8080 or unix:/path";
    if (strncmp(address, "unix:", 5) == 0) {
        size_t size = strlen(address + 5);
        if (size > 0 && size <= UNIX_PATH_MAX_BYTES) return TC_OK;
        return fault_set(f, TC_EUSAGE, "%s: the path of \"%.60s\" has %zu bytes; use 1 to %u", where, address,
                         size, UNIX_PATH_MAX_BYTES);
    }
    const char *colon = strrchr(address, ':');
    char host[64];
    size_t size = colon ? (size_t)(colon - address) : 0;
    if (!colon || size == 0 || size >= sizeof host)
        return fault_set(f, TC_EUSAGE, "%s: \"%.60s\" is not an address and a port; %s", where, address, use);
    memcpy(host, address, size);
    host[size] = 0;
    uint8_t parsed[16];
    bool bracketed = host[0] == '[' && host[size - 1] == ']';
    if (bracketed) host[size - 1] = 0;
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, bracketed ? host + 1 : host, parsed) != 1)
        return fault_set(f, TC_EUSAGE, "%s: \"%.60s\" does not begin with a numeric address; %s", where,
                         address, use);
    char *end;
    unsigned long port = isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 65536;
    if (port > 65535 || *end)
        return fault_set(f, TC_EUSAGE, "%s: the port of \"%.60s\" is not 0 to 65535; %s", where, address,
                         use);
    return TC_OK;
}

static int check_texts(const struct settings *s, struct fault *f)
{
    if (s->cpus) {
        uint32_t cpus[AFFINITY_CPUS_MAX];
        int count = affinity_parse_list(s->cpus, cpus, AFFINITY_CPUS_MAX, f);
        if (count < 0) return fault_within(f, "--cpus");
        if (s->workers && (uint64_t)count < s->workers)
            return fault_set(f, TC_EUSAGE,
                             "--cpus: %d processors for %llu workers; name one for each worker, and one"
                             " more for the feed thread",
                             count, (unsigned long long)s->workers);
    }
    if (s->tcp_congestion && strlen(s->tcp_congestion) > CONGESTION_MAX)
        return fault_set(f, TC_EUSAGE,
                         "--tcp-congestion: \"%.60s\" is too long a name; see"
                         " /proc/sys/net/ipv4/tcp_available_congestion_control",
                         s->tcp_congestion);
    return s->origins ? check_origins(s->origins, f) : TC_OK;
}

static int check_origins(const char *list, struct fault *f)
{
    if (strcmp(list, "*") == 0) return TC_OK;
    const char *p = list;
    for (;;) {
        size_t size = strcspn(p, ",");
        const char *scheme = memmem(p, size, "://", 3);
        bool ok = scheme && scheme > p && scheme + 3 < p + size &&
                  !memchr(scheme + 3, '/', size - (size_t)(scheme + 3 - p));
        if (!ok)
            return fault_set(f, TC_EUSAGE,
                             "--origins: \"%.*s\" is not an origin; use https://example.org[:PORT],"
                             " with commas between, or *",
                             (int)min_u64(size, 60), p);
        if (p[size] == 0) return TC_OK;
        p += size + 1;
    }
}

/* One for each processor but the feed thread's; where processors are named, no two share one. */
static uint32_t workers_wanted(const struct settings *s, uint32_t cpus)
{
    uint32_t most = min_u32(cpus > 1 ? cpus - 1 : 1, WORKERS_MAX), named[AFFINITY_CPUS_MAX];
    int count = s->cpus ? affinity_parse_list(s->cpus, named, AFFINITY_CPUS_MAX, NULL) : 0;
    return count > 0 ? min_u32(most, (uint32_t)count) : most;
}

static void work_out(struct settings *s)
{
    if (s->listen.count == 0) s->listen = (struct setting_list){.at = {"127.0.0.1:8080"}, .count = 1};
    if (s->feed.count == 0) s->feed = (struct setting_list){.at = {"sim:"}, .count = 1};
    uint32_t cpus = affinity_count();
    if (s->workers == 0) s->workers = workers_wanted(s, cpus);
    if (cpus < s->workers + 1)
        s->spin_us = 0; /* a spinning worker would hold up the feed thread (decision 24) */
    if (s->rest_bytes == 0) s->rest_bytes = s->connections_max * REST_BYTES_EACH;
    if (s->stats_ns == 0 && isatty(STDERR_FILENO)) s->stats_ns = NS_PER_SECOND;
    if (s->stats_off) s->stats_ns = 0;
}
