#include "cmd/client_socket.h"

#include "base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

static int connect_one(const struct client_address *address, uint32_t timeout_ms);
static int wait_for(int fd, short events, uint32_t timeout_ms);

int client_resolve(const struct client_url *url, struct client_address *out, struct fault *f)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int r = getaddrinfo(url->host, url->port, &hints, &list);
    if (r != 0)
        return fault_set(f, TC_ESYSTEM, "%s: %s; check the host's name", url->authority, gai_strerror(r));
    uint32_t count = 0;
    for (struct addrinfo *a = list; a && count < CLIENT_ADDRESSES_MAX; a = a->ai_next) {
        if (a->ai_addrlen > sizeof out->at) continue;
        memcpy(&out[count].at, a->ai_addr, a->ai_addrlen);
        out[count++].size = a->ai_addrlen;
    }
    freeaddrinfo(list);
    return count > 0 ? (int)count : fault_set(f, TC_ESYSTEM, "%s: has no address", url->authority);
}

int client_connect(const struct client_url *url, uint32_t timeout_ms, struct fault *f)
{
    struct client_address addresses[CLIENT_ADDRESSES_MAX];
    int count = client_resolve(url, addresses, f);
    if (count < 0) return count;
    for (int i = 0; i < count; i++) {
        int fd = connect_one(&addresses[i], timeout_ms);
        if (fd >= 0) return fd;
    }
    const char *remedy = errno == ECONNREFUSED ? "is the server running there? start it with `tickcast serve`"
                         : errno == ETIMEDOUT  ? "no answer in time; check the address and the firewall"
                                               : "check the address";
    int err = errno;
    char words[96];
    return fault_set(f, TC_ESYSTEM, "%s: %s; %s", url->authority, strerror_r(err, words, sizeof words),
                     remedy);
}

/* Descriptor, or -1 with errno. */
static int connect_one(const struct client_address *address, uint32_t timeout_ms)
{
    struct fault f;
    int fd = client_connect_begin(address, 0, &f);
    if (fd < 0) return -1;
    int err = 0;
    socklen_t size = sizeof err;
    if (wait_for(fd, POLLOUT, timeout_ms) < 0)
        err = errno;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
        err = errno;
    if (err == 0) return fd;
    close(fd);
    errno = err;
    return -1;
}

int client_connect_begin(const struct client_address *address, uint32_t rcvbuf, struct fault *f)
{
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        if (errno == EMFILE)
            return fault_set(f, TC_ESYSTEM,
                             "out of descriptors; raise the limit (ulimit -n) or use fewer connections");
        return fault_errno(f, "socket");
    }
    int one = 1, bytes = (int)rcvbuf;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (rcvbuf) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (connect(fd, (const struct sockaddr *)&address->at, address->size) == 0 || errno == EINPROGRESS)
        return fd;
    int err = errno;
    close(fd);
    errno = err;
    return fault_errno(f, "connect");
}

int client_send_all(int fd, const void *bytes, size_t size, uint32_t timeout_ms, struct fault *f)
{
    const char *p = bytes;
    while (size > 0) {
        ssize_t n = send(fd, p, size, MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            size -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            if (wait_for(fd, POLLOUT, timeout_ms) < 0) return fault_errno(f, "send");
        } else if (n < 0 && errno != EINTR) {
            return fault_errno(f, "send");
        }
    }
    return TC_OK;
}

/* 0, or -1 with errno (ETIMEDOUT). */
static int wait_for(int fd, short events, uint32_t timeout_ms)
{
    uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
    for (;;) {
        uint64_t now = clock_mono_ns();
        struct pollfd p = {.fd = fd, .events = events};
        int r = now < end ? poll(&p, 1, (int)((end - now) / NS_PER_MS) + 1) : 0;
        if (r > 0) return 0;
        if (r == 0) errno = ETIMEDOUT;
        if (r == 0 || errno != EINTR) return -1;
    }
}
