/* Who asks for whom: Host and Origin (decision 26). Spec: RFC 9110 7.2, RFC 6454 7. */
#include "wire/http_fields.h"

#define PORT_NONE 0u

/* Host as name and port. */
struct authority {
    struct text name;
    uint32_t port; /* PORT_NONE: not given */
};

static bool authority_parse(struct text host, struct authority *out);
static bool origin_parse(struct text origin, struct authority *out, uint32_t *port_default);

bool http_host_is_loopback(struct text host)
{
    struct authority a;
    if (!authority_parse(host, &a)) return false;
    return http_equal(a.name, TEXT("localhost")) || text_equal(a.name, TEXT("127.0.0.1")) ||
           text_equal(a.name, TEXT("[::1]"));
}

bool http_host_name_is(struct text host, struct text name)
{
    struct authority a;
    return authority_parse(host, &a) && http_equal(a.name, name);
}

bool http_origin_is_host(struct text origin, struct text host)
{
    struct authority from, to;
    uint32_t port_default;
    if (!origin_parse(origin, &from, &port_default) || !authority_parse(host, &to)) return false;
    /* A host without a port means its scheme's, and that is the page's: http or https. */
    if (from.port == PORT_NONE) from.port = port_default;
    if (to.port == PORT_NONE) to.port = port_default;
    return from.port == to.port && http_equal(from.name, to.name);
}

bool http_origin_is_loopback(struct text origin)
{
    struct authority from;
    uint32_t port_default;
    if (!origin_parse(origin, &from, &port_default)) return false;
    const char *host = memchr(origin.at, ':', origin.size) + 3; /* origin_parse saw the "://" */
    return http_host_is_loopback((struct text){host, origin.size - (size_t)(host - origin.at)});
}

/* "name", "name:port", "[address]:port". False for anything else, an empty name included. */
static bool authority_parse(struct text host, struct authority *out)
{
    if (host.size == 0 || !http_host_ok(host)) return false;
    size_t end = 0;
    if (host.at[0] == '[') {
        const char *bracket = memchr(host.at, ']', host.size);
        if (!bracket) return false;
        end = (size_t)(bracket - host.at) + 1;
    } else {
        while (end < host.size && host.at[end] != ':') end++;
    }
    out->name = (struct text){host.at, end};
    out->port = PORT_NONE;
    if (end == 0) return false;
    if (end == host.size) return true;
    if (host.at[end] != ':' || host.size - end > 6) return false;
    for (size_t i = end + 1; i < host.size; i++) {
        if (host.at[i] < '0' || host.at[i] > '9') return false;
        out->port = out->port * 10 + (uint32_t)(host.at[i] - '0');
    }
    return out->port <= 65535;
}

/* "null" and every scheme but http and https are nobody's host. */
static bool origin_parse(struct text origin, struct authority *out, uint32_t *port_default)
{
    struct text http = TEXT("http://"), https = TEXT("https://");
    struct text scheme = origin.size > 5 && (origin.at[4] | 0x20) == 's' ? https : http;
    if (origin.size <= scheme.size || !http_equal((struct text){origin.at, scheme.size}, scheme))
        return false;
    *port_default = scheme.size == https.size ? 443 : 80;
    return authority_parse((struct text){origin.at + scheme.size, origin.size - scheme.size}, out);
}
