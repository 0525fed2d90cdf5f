#include "cmd/client_http.h"

#include "base/clock.h"
#include "base/shown.h"
#include "cmd/client_answer.h"
#include "cmd/client_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int read_all(int fd, uint64_t end_ns, struct client_body *out);
static int split(struct client_body *b, const struct client_url *url, struct fault *f);

int client_http_get(const struct client_url *url, const char *fields, uint32_t timeout_ms,
                    struct client_body *out, struct fault *f)
{
    *out = (struct client_body){.at = NULL};
    char request[CLIENT_TARGET_MAX + CLIENT_FIELDS_MAX + 512];
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n",
                        url->target, url->authority, fields);
    uint64_t end_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
    int fd = client_connect(url, timeout_ms, f);
    if (fd < 0) return fd;
    int r = client_send_all(fd, request, (size_t)size, timeout_ms, f);
    if (r == TC_OK && read_all(fd, end_ns, out) < 0) r = fault_errno(f, "%s%s", url->authority, url->target);
    if (r == TC_OK) r = split(out, url, f);
    close(fd);
    if (r < 0) client_body_free(out);
    return r;
}

/* 0, or -1 with errno. */
static int read_all(int fd, uint64_t end_ns, struct client_body *out)
{
    out->whole = malloc(CLIENT_BODY_MAX);
    if (!out->whole) return -1;
    for (;;) {
        ssize_t n = recv(fd, out->whole + out->size, CLIENT_BODY_MAX - out->size, 0);
        if (n == 0) return 0;
        if (n < 0 && errno != EAGAIN && errno != EINTR) return -1;
        if (n > 0) out->size += (size_t)n;
        uint64_t now = clock_mono_ns();
        errno = out->size == CLIENT_BODY_MAX ? EMSGSIZE : ETIMEDOUT;
        if (out->size == CLIENT_BODY_MAX || now >= end_ns) return -1;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (n < 0) poll(&p, 1, (int)((end_ns - now) / NS_PER_MS) + 1);
    }
}

static int split(struct client_body *b, const struct client_url *url, struct fault *f)
{
    struct client_answer answer;
    char line[61];
    if (client_answer_read(b->whole, b->size, &answer) < 0)
        return fault_set(f, TC_EINPUT, "%s%s: the answer is not HTTP; is there another service on this port?",
                         url->authority, url->target);
    if (answer.status != 200)
        return fault_set(f, TC_EINPUT, "%s%s: answered with %s; is this a tickcast server?", url->authority,
                         url->target, shown_copy(line, sizeof line, answer.line));
    b->at = b->whole + (answer.body.at - b->whole);
    b->size = answer.body.size;
    return TC_OK;
}

void client_body_free(struct client_body *b)
{
    free(b->whole);
    *b = (struct client_body){.at = NULL};
}
