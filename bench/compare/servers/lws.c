/* bench/compare/servers/lws.c -- libwebsockets: every tick to every client, one message each, as the library
 * wants it: one lws_write for each writeable callback, ticks in a ring, a cursor for each session. A session
 * that the ring laps goes on at the oldest tick. One service thread; a second one reads the ticks and wakes
 * it. */
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RING     65536u
#define TICK_MAX 256u

struct slot {
    unsigned size;
    unsigned char bytes[LWS_PRE + TICK_MAX];
};

struct session {
    unsigned long next;
};

static struct slot ring[RING];
static _Atomic unsigned long head; /* ticks so far; slots below it are whole */
static struct lws_context *context;
static int ingest_fd;

static void *ingest(void *unused)
{
    (void)unused;
    static char buffer[1 << 20];
    size_t used = 0;
    int fd = accept(ingest_fd, NULL, NULL);
    for (;;) {
        ssize_t n = recv(fd, buffer + used, sizeof buffer - used, 0);
        if (n <= 0) break;
        used += (size_t)n;
        char *at = buffer, *line;
        while ((line = memchr(at, '\n', used - (size_t)(at - buffer))) != NULL) {
            struct slot *s = &ring[head % RING];
            s->size = (unsigned)(line - at) < TICK_MAX ? (unsigned)(line - at) : TICK_MAX;
            memcpy(s->bytes + LWS_PRE, at, s->size);
            head++;
            at = line + 1;
        }
        used -= (size_t)(at - buffer);
        memmove(buffer, at, used);
        lws_cancel_service(context);
    }
    return NULL;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
    (void)in, (void)size;
    struct session *s = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED: s->next = head; break;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        lws_callback_on_writable_all_protocol(context, lws_get_protocol(wsi));
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE: {
        unsigned long all = head;
        if (all - s->next >= RING) s->next = all - RING + 1;
        if (s->next == all) break;
        struct slot *tick = &ring[s->next++ % RING];
        if (lws_write(wsi, tick->bytes + LWS_PRE, tick->size, LWS_WRITE_TEXT) < (int)tick->size) return -1;
        if (s->next < all) lws_callback_on_writable(wsi);
        break;
    }
    default: break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "ticks", .callback = on_event, .per_session_data_size = sizeof(struct session)}, {0}};

static int listen_free(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &size) < 0) {
        perror("lws: listen");
        exit(1);
    }
    *port = ntohs(a.sin_port);
    return fd;
}

int main(void)
{
    lws_set_log_level(LLL_ERR, NULL);
    int ingest_port;
    ingest_fd = listen_free(&ingest_port);
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
                                             .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS};
    context = lws_create_context(&info);
    struct lws_context_creation_info where = {
        .port = 0, .iface = "127.0.0.1", .protocols = protocols, .vhost_name = "localhost"};
    struct lws_vhost *vhost = context ? lws_create_vhost(context, &where) : NULL;
    pthread_t thread;
    if (!vhost || pthread_create(&thread, NULL, ingest, NULL) != 0) return 1;
    printf("{\"port\":%d,\"ingest\":%d,\"version\":\"%s\"}\n", lws_get_vhost_listen_port(vhost), ingest_port,
           LWS_LIBRARY_VERSION);
    fflush(stdout);
    while (lws_service(context, 0) >= 0) continue;
    lws_context_destroy(context);
    return 0;
}
