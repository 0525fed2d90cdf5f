/* admin/admin.h -- the administration thread (decision 26): its own listener, and the connections that
 * workers hand over because they came to the public port with the right token. It asks the workers through
 * their bounded rings (worker/worker_admin.h), one request at a time.
 *
 * Memory, all of it reserved at start and touched on use: ADMIN_CONNS_MAX x 80 KiB, ADMIN_ANSWERS_MAX x 4.5
 * MiB for long answers, ADMIN_TOP_MAX rows, and per worker ADMIN_ASKS - 1 asks of 128 rows. */
#ifndef TC_ADMIN_ADMIN_H
#define TC_ADMIN_ADMIN_H

#include "base/fault.h"
#include "worker/worker.h"

#include <stddef.h>

#define ADMIN_CONNS_MAX   16u   /* connections to it at a time; over it: 503 */
#define ADMIN_ANSWERS_MAX 3u    /* long answers under way at a time; over it: 503 */
#define ADMIN_TOP_MAX     4096u /* rows of one answer; more by pages */
#define ADMIN_TOKEN_LEAST 16u   /* characters */
#define ADMIN_TOKEN_MOST  256u

struct admin;

struct admin_options {
    struct server *server;
    int listen_fd;      /* -1: none; owner: the caller, until admin_stop has returned */
    bool tcp, loopback; /* the listener is no unix socket; it is a loopback one (Host rules) */
    uint64_t ask_ns;    /* how long a worker may take for one answer; 0: 2 s */
};

/* What it reserves, in bytes. */
size_t admin_bytes(const struct settings *s);
/* Its memory, and server->admin: before the workers start. Thread: main, as all that follow. */
int admin_create(struct admin **out, const struct admin_options *o, struct fault *fault);
/* Its thread: after the workers were started. */
int admin_start(struct admin *a, struct fault *fault);
/* Ends and joins its thread. NULL: nothing. */
void admin_stop(struct admin *a);
/* Gives its memory back, after the workers have ended: they may still hold asks. */
void admin_destroy(struct admin *a);

/* ---- admin_token.c: the token of --admin-token. ---- */

/* Reads FILE into out[ADMIN_TOKEN_MOST + 1]. where: "--admin-token". TC_EUSAGE with the remedy. *others: the
 * file may be read by others than its owner. */
int admin_token_read(const char *path, const char *where, char out[ADMIN_TOKEN_MOST + 1], bool *others,
                     struct fault *fault);

/* ---- admin_socket.c: where the default socket lies. ---- */

#define ADMIN_PATH_MAX 108u

/* Folders for it, in this order: $RUNTIME_DIRECTORY (systemd), $XDG_RUNTIME_DIR/tickcast, /run/tickcast for
 * root, else /tmp/tickcast-UID. False: no folder number i. */
bool admin_socket_folder(uint32_t i, char *out, size_t size);
/* "unix:FOLDER/admin-PORT.sock" in the first of them, which is made (0700) if it is not there; sockets of
 * servers that are gone are removed from it. TC_ESYSTEM with the reason. */
int admin_socket_default(uint32_t port, char *out, size_t size, struct fault *fault);
/* The sockets that answer, in the first folder that has any: "unix:PATH" each. Returns how many there are; at
 * most max are written. */
uint32_t admin_socket_find(char (*out)[ADMIN_PATH_MAX], uint32_t max);

#endif
