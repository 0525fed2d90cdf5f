/* io/listen.c -- listening sockets: from an address in words to a descriptor, with the options that accepted
 * sockets inherit. Cold: main thread, at start. */
#include "io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST_BYTES_MAX 256

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
        struct sockaddr_storage room;
    };
    socklen_t size;
};

static int parse_address(const char *text, struct address *out, struct fault *fault);
static int parse_unix(const char *path, struct address *out, struct fault *fault);
static int parse_host_port(const char *text, char *host, const char **port, struct fault *fault);
static int resolve(const char *text, const char *host, uint16_t port, struct address *out,
                   struct fault *fault);
static int set_options(int fd, const struct listen_options *o, bool tcp, struct fault *fault);
static int bind_and_listen(int fd, const struct listen_options *o, struct address *a, struct fault *fault);
static void remove_stale(const struct address *a);
static int explain(const struct listen_options *o, int err, struct fault *fault);

int listen_open(const struct listen_options *o, struct fault *fault)
{
    struct address a;
    int err = parse_address(o->address, &a, fault);
    if (err != 0) return err;
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fault_errno(fault, "%s: no socket of this kind here; choose another with --listen",
                           o->address);
    err = set_options(fd, o, a.any.sa_family != AF_UNIX, fault);
    if (err == 0) err = bind_and_listen(fd, o, &a, fault);
    if (err == 0) return fd;
    close(fd);
    return err;
}

static int parse_address(const char *text, struct address *out, struct fault *fault)
{
    *out = (struct address){.size = 0};
    if (strncmp(text, "unix:", 5) == 0) return parse_unix(text + 5, out, fault);
    char host[HOST_BYTES_MAX];
    const char *port_text = NULL;
    int err = parse_host_port(text, host, &port_text, fault);
    if (err != 0) return err;
    char *end;
    errno = 0;
    unsigned long port = strtoul(port_text, &end, 10);
    if (port_text[0] < '0' || port_text[0] > '9' || *end != 0 || errno != 0 || port > 65535)
        return fault_set(fault, TC_EUSAGE, "%s: \"%s\" is not a port; use 0 to 65535 (0: a free one)", text,
                         port_text);
    return resolve(text, host, (uint16_t)port, out, fault);
}

static int parse_unix(const char *path, struct address *out, struct fault *fault)
{
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof out->local.sun_path)
        return fault_set(fault, TC_EUSAGE, "unix:%s: the path has %zu bytes; use 1 to %zu", path, size,
                         sizeof out->local.sun_path - 1);
    out->local.sun_family = AF_UNIX;
    memcpy(out->local.sun_path, path, size + 1);
    out->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
    return 0;
}

/* "host:port" or "[host]:port". A bare IPv6 address has colons of its own, hence the brackets. */
static int parse_host_port(const char *text, char *host, const char **port, struct fault *fault)
{
    const char *colon = strrchr(text, ':');
    const char *from = text, *to = colon;
    if (!colon || colon == text)
        return fault_set(
            fault, TC_EUSAGE,
            "\"%s\" is not an address to listen on; write 127.0.0.1:8080, [::1]:8080 or unix:/path", text);
    if (*text == '[') {
        if (colon[-1] != ']')
            return fault_set(fault, TC_EUSAGE, "%s: the port is missing; write [::1]:8080", text);
        from++;
        to--;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return fault_set(fault, TC_EUSAGE, "%s: put an IPv6 address in brackets: [::1]:8080", text);
    }
    size_t size = (size_t)(to - from);
    if (to < from || size == 0 || size >= HOST_BYTES_MAX)
        return fault_set(fault, TC_EUSAGE, "%s: the host is empty or too long; write 127.0.0.1:8080", text);
    memcpy(host, from, size);
    host[size] = 0;
    *port = colon + 1;
    return 0;
}

static int resolve(const char *text, const char *host, uint16_t port, struct address *out,
                   struct fault *fault)
{
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        out->size = sizeof out->v4;
        return 0;
    }
    struct in6_addr v6;
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = v6};
        out->size = sizeof out->v6;
        return 0;
    }
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE},
                    *found;
    int err = getaddrinfo(host, NULL, &hints, &found);
    if (err != 0)
        return fault_set(fault, TC_EUSAGE,
                         "%s: no address for \"%s\" (%s); use a number, as in 127.0.0.1:8080", text, host,
                         gai_strerror(err));
    memcpy(&out->room, found->ai_addr, found->ai_addrlen);
    out->size = found->ai_addrlen;
    freeaddrinfo(found);
    if (out->any.sa_family == AF_INET)
        out->v4.sin_port = htons(port);
    else
        out->v6.sin6_port = htons(port);
    return 0;
}

static int set_number(int fd, int level, int option, uint32_t value, const char *what, const char *address,
                      struct fault *fault)
{
    int number = value > INT32_MAX ? INT32_MAX : (int)value;
    if (setsockopt(fd, level, option, &number, sizeof number) == 0) return 0;
    return fault_errno(fault, "%s: %s %u was refused", address, what, value);
}

static int set_options(int fd, const struct listen_options *o, bool tcp, struct fault *fault)
{
    int err = 0;
    if (o->sndbuf > 0) err = set_number(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf, "SO_SNDBUF", o->address, fault);
    if (err != 0 || !tcp) return err;
    err = set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", o->address, fault);
    if (err == 0 && o->reuse_port)
        err = set_number(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", o->address, fault);
    if (err == 0)
        err = set_number(fd, IPPROTO_TCP, TCP_NODELAY, o->no_delay ? 1 : 0, "TCP_NODELAY", o->address, fault);
    if (err == 0 && o->notsent_lowat > 0)
        err = set_number(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, o->notsent_lowat, "TCP_NOTSENT_LOWAT",
                         o->address, fault);
    if (err == 0 && o->user_timeout_ms > 0)
        err = set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, o->user_timeout_ms, "TCP_USER_TIMEOUT",
                         o->address, fault);
    if (err != 0 || !o->congestion) return err;
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, o->congestion, (socklen_t)strlen(o->congestion)) == 0)
        return 0;
    return fault_errno(fault, "%s: congestion control \"%s\" is not to be had; see net.ipv4.%s", o->address,
                       o->congestion,
                       errno == EPERM ? "tcp_allowed_congestion_control for those a plain user may take"
                                      : "tcp_available_congestion_control for those of this kernel");
}

static int bind_and_listen(int fd, const struct listen_options *o, struct address *a, struct fault *fault)
{
    if (a->any.sa_family == AF_UNIX) remove_stale(a);
    /* Before bind, so that the file is never there with another mode. */
    if (a->any.sa_family == AF_UNIX && o->mode != 0 && fchmod(fd, o->mode) != 0)
        return fault_errno(fault, "%s: mode %03o was refused", o->address, o->mode);
    if (bind(fd, &a->any, a->size) != 0) return explain(o, errno, fault);
    if (listen(fd, o->backlog > 0 ? o->backlog : SOMAXCONN) != 0) return explain(o, errno, fault);
    return 0;
}

/* A socket file that outlived its server: nobody answers there. Anything else stays, and bind tells. */
static void remove_stale(const struct address *a)
{
    struct stat st;
    if (lstat(a->local.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    if (connect(fd, &a->any, a->size) != 0 && errno == ECONNREFUSED) unlink(a->local.sun_path);
    close(fd);
}

static int explain(const struct listen_options *o, int err, struct fault *fault)
{
    errno = err;
    switch (err) {
    case EADDRINUSE:
        return fault_set(fault, TC_ESYSTEM, "%s is in use; choose another with --listen or port 0",
                         o->address);
    case EADDRNOTAVAIL:
        return fault_set(fault, TC_ESYSTEM,
                         "%s: this machine has no such address; use one of its own, or 0.0.0.0 for all",
                         o->address);
    case EACCES:
        return fault_errno(fault,
                           "%s: not permitted; use a port from 1024 on (or grant CAP_NET_BIND_SERVICE), "
                           "or a path that this user may write",
                           o->address);
    case ENOENT:
    case ENOTDIR:
        return fault_errno(fault, "%s: make the folder first, or choose another with --listen", o->address);
    default: return fault_errno(fault, "%s: cannot listen there; choose another with --listen", o->address);
    }
}

void listen_name(int fd, char *out, uint32_t size)
{
    struct address a = {.size = sizeof a.room};
    char host[INET6_ADDRSTRLEN] = "?";
    snprintf(out, size, "?");
    if (getsockname(fd, &a.any, &a.size) != 0) return;
    if (a.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(a.v4.sin_port));
    } else if (a.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, ntohs(a.v6.sin6_port));
    } else if (a.any.sa_family == AF_UNIX) {
        snprintf(out, size, "unix:%s", a.local.sun_path);
    }
}

bool listen_is_loopback(int fd)
{
    struct address a = {.size = sizeof a.room};
    if (getsockname(fd, &a.any, &a.size) != 0) return false;
    if (a.any.sa_family == AF_UNIX) return true;
    if (a.any.sa_family == AF_INET) return (ntohl(a.v4.sin_addr.s_addr) >> 24) == 127;
    if (a.any.sa_family != AF_INET6) return false;
    if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) return a.v6.sin6_addr.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr);
}
