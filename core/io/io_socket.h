/* io/io_socket.h -- what io_uring and epoll do with a descriptor in the same way: plain system calls, none of
 * which blocks. Thread: the io's own. */
#ifndef TC_IO_IO_SOCKET_H
#define TC_IO_IO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After an accept that failed for want of descriptors or memory, accepting rests this long. */
#define IO_ACCEPT_REST_NS (100 * UINT64_C(1000000))

/* Closes; how: IO_CLOSE_FIN or IO_CLOSE_RESET. */
void io_socket_close(int fd, int how);
/* Sends as much as the socket takes at once, ends the stream, and closes. */
void io_socket_refuse(int fd, const void *bytes, uint32_t size);
/* Peer's address as text, without port; "unix" for a unix socket, "?" if it has gone already. */
void io_socket_peer(int fd, char *out, size_t size);
/* The same with the port: "192.0.2.1:40112", "[2001:db8::1]:40112". */
void io_socket_peer_port(int fd, char *out, size_t size);
/* A second descriptor (CLOEXEC), or -errno. */
int io_socket_dup(int fd);
int64_t io_socket_unsent(int fd);
/* True if accept failed for a want that time may cure (descriptors, memory). */
bool io_socket_accept_rests(int err);
/* True if the connection died before it was accepted: accepting simply goes on. */
bool io_socket_accept_passes(int err);

#endif
