/* bench/floor/floor_client.c -- accept, upgrade, what clients say; see floor.h. */
#include "bench/floor/floor.h"
#include "wire/ws.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY_BYTES 24u

static void hear_request(struct floor *f, uint32_t slot);
static bool upgrade(struct floor *f, uint32_t slot);

void clients_accept(struct floor *f)
{
    struct io_uring_sqe *sqe = floor_sqe(f);
    io_uring_prep_multishot_accept(sqe, f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    floor_tag(sqe, f, OP_ACCEPT, 0);
}

void clients_accepted(struct floor *f, int fd)
{
    if (fd < 0) {
        if (fd == -EMFILE || fd == -ENFILE) floor_die("no more descriptors; raise the limit (ulimit -Hn)");
        return; /* it went before it was accepted */
    }
    uint32_t slot = 0;
    while (slot < f->slots && f->clients[slot].state != CLIENT_FREE) slot++;
    if (slot == f->slots || f->running) { /* who comes late would change what is measured */
        close(fd);
        return;
    }
    struct floor_client *c = &f->clients[slot];
    *c = (struct floor_client){.fd = fd, .generation = c->generation, .state = CLIENT_SHAKING};
    c->request = malloc(REQUEST_BYTES_MAX + 1);
    if (!c->request) floor_die("no memory for a request");
    client_hear(f, slot);
}

void client_hear(struct floor *f, uint32_t slot)
{
    struct io_uring_sqe *sqe = floor_sqe(f);
    io_uring_prep_poll_multishot(sqe, f->clients[slot].fd, POLLIN | POLLRDHUP);
    floor_tag(sqe, f, OP_HEAR, slot);
}

void client_heard(struct floor *f, uint32_t slot)
{
    struct floor_client *c = &f->clients[slot];
    if (c->state == CLIENT_SHAKING) {
        hear_request(f, slot);
        return;
    }
    uint8_t bytes[4096];
    ssize_t n;
    while ((n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        if ((bytes[0] & 15) == WS_CLOSE) break;
    if (n >= 0 || (errno != EAGAIN && errno != EINTR)) client_drop(f, slot);
}

static void hear_request(struct floor *f, uint32_t slot)
{
    struct floor_client *c = &f->clients[slot];
    ssize_t n = recv(c->fd, c->request + c->request_size, REQUEST_BYTES_MAX - c->request_size, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) c->request_size += (uint32_t)n;
    c->request[c->request_size] = 0;
    bool whole = n > 0 && strstr(c->request, "\r\n\r\n") != NULL;
    bool more = n > 0 && c->request_size < REQUEST_BYTES_MAX;
    if (whole ? !upgrade(f, slot) : !more) client_drop(f, slot);
}

static bool upgrade(struct floor *f, uint32_t slot)
{
    static const char name[] = "\r\nSec-WebSocket-Key:";
    struct floor_client *c = &f->clients[slot];
    const char *key = strcasestr(c->request, name);
    if (!key) return false;
    key += sizeof name - 1;
    key += strspn(key, " \t");
    if (strcspn(key, " \t\r\n") != KEY_BYTES) return false;
    char answer[512];
    int n =
        ws_handshake_reply(answer, sizeof answer, (struct text){.at = key, .size = KEY_BYTES}, NULL, NULL);
    if (n < 0 || send(c->fd, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n) return false;
    free(c->request);
    c->request = NULL;
    c->state = CLIENT_LIVE;
    c->at = f->stream.head;
    if (++f->live == f->o.clients) f->running = true;
    return true;
}

void client_drop(struct floor *f, uint32_t slot)
{
    struct floor_client *c = &f->clients[slot];
    if (c->state == CLIENT_LIVE) f->live--;
    if (c->state == CLIENT_LIVE && f->running) f->counts.dropped++;
    shutdown(c->fd, SHUT_RDWR); /* ends the polls, which hold the file */
    close(c->fd);
    free(c->request);
    *c = (struct floor_client){.fd = -1, .generation = c->generation + 1, .state = CLIENT_FREE};
}
