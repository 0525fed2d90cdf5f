#include "io/io_socket.h"

#include "io/io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REFUSE_DRAIN_BYTES 4096
#define REFUSE_DRAINS_MAX  16

void io_socket_close(int fd, int how)
{
    if (how == IO_CLOSE_RESET) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(fd);
}

void io_socket_refuse(int fd, const void *bytes, uint32_t size)
{
    if (size > 0) send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    /* A request that lies there unread would turn our close into a reset, and the reset would take the answer
     * away from the peer again. Bounded: who sends on and on is reset. */
    char drained[REFUSE_DRAIN_BYTES];
    for (int i = 0; i < REFUSE_DRAINS_MAX; i++)
        if (recv(fd, drained, sizeof drained, MSG_DONTWAIT) <= 0) break;
    close(fd);
}

void io_socket_peer(int fd, char *out, size_t size)
{
    struct sockaddr_storage a;
    socklen_t a_size = sizeof a;
    snprintf(out, size, "?");
    if (getpeername(fd, (struct sockaddr *)&a, &a_size) != 0) return;
    if (a.ss_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, out, (socklen_t)size);
    else if (a.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, out, (socklen_t)size);
    else
        snprintf(out, size, "unix");
}

void io_socket_peer_port(int fd, char *out, size_t size)
{
    struct sockaddr_storage a;
    socklen_t a_size = sizeof a;
    char host[INET6_ADDRSTRLEN];
    io_socket_peer(fd, host, sizeof host);
    snprintf(out, size, "%s", host);
    if (getpeername(fd, (struct sockaddr *)&a, &a_size) != 0) return;
    if (a.ss_family == AF_INET)
        snprintf(out, size, "%s:%u", host, ntohs(((struct sockaddr_in *)&a)->sin_port));
    else if (a.ss_family == AF_INET6)
        snprintf(out, size, "[%s]:%u", host, ntohs(((struct sockaddr_in6 *)&a)->sin6_port));
}

int io_socket_dup(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}

int64_t io_socket_unsent(int fd)
{
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : -errno;
}

bool io_socket_accept_rests(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS;
}

bool io_socket_accept_passes(int err)
{
    /* accept(2): errors already pending on the new socket are passed on, and are to be treated like EAGAIN.
     */
    return err == EAGAIN || err == EINTR || err == ECONNABORTED || err == EPROTO || err == ENETDOWN ||
           err == ENOPROTOOPT || err == EHOSTDOWN || err == ENONET || err == EHOSTUNREACH ||
           err == ENETUNREACH || err == EPERM;
}
