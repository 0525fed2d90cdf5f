#include "cmd/client_request.h"

#include "base/clock.h"
#include "cmd/client_answer.h"
#include "cmd/client_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOM_FIRST 65536u

static int connect_unix(const char *path, struct fault *f);
static int receive(int fd, uint32_t timeout_ms, struct client_reply *out, struct fault *f);
static int take_apart(struct client_reply *out, size_t size, struct fault *f);

int client_server(const char *text, const char *where, struct client_server *out, struct fault *f)
{
    *out = (struct client_server){.unix_path = NULL};
    if (strncmp(text, "unix:", 5) != 0) return client_url_parse(text, where, &out->url, f);
    struct sockaddr_un a;
    if (text[5] == 0 || strlen(text + 5) >= sizeof a.sun_path)
        return fault_set(f, TC_EUSAGE, "%s: the path of \"%.60s\" has %zu bytes; use 1 to %zu", where, text,
                         strlen(text + 5), sizeof a.sun_path - 1);
    out->unix_path = text + 5;
    return TC_OK;
}

int client_request(const struct client_server *server, const char *method, const char *target,
                   const char *token, uint32_t timeout_ms, struct client_reply *out, struct fault *f)
{
    *out = (struct client_reply){.status = 0};
    char request[CLIENT_TARGET_MAX + 2048];
    int size =
        snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s%s%s%s\r\n",
                 method, target, server->unix_path ? "localhost" : server->url.authority,
                 strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "",
                 token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "");
    if (size < 0 || (size_t)size >= sizeof request) return fault_set(f, TC_EUSAGE, "the request is too long");
    int fd =
        server->unix_path ? connect_unix(server->unix_path, f) : client_connect(&server->url, timeout_ms, f);
    if (fd < 0) return fd;
    int r = client_send_all(fd, request, (size_t)size, timeout_ms, f);
    if (r == 0) r = receive(fd, timeout_ms, out, f);
    close(fd);
    if (r == 0) return 0;
    free(out->bytes);
    out->bytes = NULL;
    return fault_within(f, "%s", server->unix_path ? server->unix_path : server->url.authority);
}

static int connect_unix(const char *path, struct fault *f)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fault_errno(f, "socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    int err = errno;
    close(fd);
    const char *remedy = err == ECONNREFUSED || err == ENOENT
                             ? "is the server running? its line admin_listening says where it answers"
                         : err == EACCES
                             ? "it belongs to another user; ask as that one, or with --url and --token"
                         : err == EAGAIN ? "it is busy; ask again"
                                         : "check the path";
    char words[96];
    return fault_set(f, TC_ESYSTEM, "%s: %s; %s", path, strerror_r(err, words, sizeof words), remedy);
}

/* To the end of the stream: the request asked for it to be closed. */
static int receive(int fd, uint32_t timeout_ms, struct client_reply *out, struct fault *f)
{
    size_t room = 0, used = 0;
    uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
    for (;;) {
        if (room - used < 2) {
            room = room ? 2 * room : ROOM_FIRST;
            char *grown = room <= CLIENT_REPLY_MAX ? realloc(out->bytes, room) : NULL;
            if (!grown) return fault_set(f, TC_EINPUT, "the answer is larger than 16 MiB");
            out->bytes = grown;
        }
        ssize_t n = recv(fd, out->bytes + used, room - used - 1, 0);
        if (n == 0) return take_apart(out, used, f);
        if (n > 0) {
            used += (size_t)n;
            end = clock_mono_ns() + timeout_ms * NS_PER_MS;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) return fault_errno(f, "the connection broke");
        uint64_t now = clock_mono_ns();
        if (now >= end)
            return fault_set(f, TC_ESYSTEM, "no answer within %u ms; is it overloaded?", timeout_ms);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        poll(&p, 1, (int)((end - now) / NS_PER_MS) + 1);
    }
}

static int take_apart(struct client_reply *out, size_t size, struct fault *f)
{
    struct client_answer answer;
    if (client_answer_read(out->bytes, size, &answer) < 0)
        return fault_set(f, TC_EINPUT, "the answer is not HTTP; is tickcast there?");
    out->status = answer.status;
    out->body = answer.body;
    return 0;
}
