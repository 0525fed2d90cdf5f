/* io/listen.h -- listening sockets and their options, inherited by accepted sockets. Thread: main, at start.
 */
#ifndef TC_IO_LISTEN_H
#define TC_IO_LISTEN_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct listen_options {
    const char *address;      /* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:0" (a free port), "unix:/path" */
    bool reuse_port;          /* one socket per worker, the kernel spreads connections */
    bool no_delay;            /* TCP_NODELAY; default true */
    uint32_t notsent_lowat;   /* bytes, 0: the kernel's */
    uint32_t sndbuf;          /* bytes, 0: the kernel's */
    uint32_t user_timeout_ms; /* TCP_USER_TIMEOUT; 0: the kernel's. Dead peers are the kernel's job (decision
                                 14) */
    const char *congestion;   /* TCP_CONGESTION, NULL: the kernel's */
    int backlog;
    uint32_t mode; /* of a unix socket's file, as in 0600; 0: as the umask says */
};

/* The listening descriptor (CLOEXEC, non-blocking), or a negative tc_err with a text that names the remedy
 * (address in use, no permission, bad address, unknown congestion control ...). */
int listen_open(const struct listen_options *options, struct fault *fault);
/* What it really listens on ("127.0.0.1:39211", "unix:/run/x.sock"). */
void listen_name(int fd, char *out, uint32_t size);
/* True if the bound address is a loopback one (or a unix socket). */
bool listen_is_loopback(int fd);

#endif
