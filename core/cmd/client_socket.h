/* cmd/client_socket.h -- a client's TCP sockets. Thread: any. */
#ifndef TC_CMD_CLIENT_SOCKET_H
#define TC_CMD_CLIENT_SOCKET_H

#include "base/fault.h"
#include "cmd/client_url.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* One resolved address; name look-up is done once, before any load. */
struct client_address {
    struct sockaddr_storage at;
    socklen_t size;
};

#define CLIENT_ADDRESSES_MAX 8u
/* Addresses of the host, in the order to try. Blocks: on name look-up. Returns how many, or TC_ESYSTEM. */
int client_resolve(const struct client_url *url, struct client_address *out, struct fault *f);

/* Connects, blocking for at most timeout_ms; the socket stays non-blocking. Tries each address; the fault has
 * the last error and the remedy. Returns the descriptor (owner: caller). */
int client_connect(const struct client_url *url, uint32_t timeout_ms, struct fault *f);

/* Begins a connection without waiting: writable when done. rcvbuf: bytes, 0: the kernel's. Descriptor or
 * TC_ESYSTEM. */
int client_connect_begin(const struct client_address *address, uint32_t rcvbuf, struct fault *f);

/* All bytes, waiting for room for at most timeout_ms. 0 or TC_ESYSTEM. */
int client_send_all(int fd, const void *bytes, size_t size, uint32_t timeout_ms, struct fault *f);

#endif
