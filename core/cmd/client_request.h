/* cmd/client_request.h -- one HTTP request of a command-line tool, over TCP or a unix socket, waiting for its
 * answer. Thread: any. */
#ifndef TC_CMD_CLIENT_REQUEST_H
#define TC_CMD_CLIENT_REQUEST_H

#include "base/fault.h"
#include "cmd/client_url.h"

#define CLIENT_REPLY_MAX 16777216u /* an answer, at most */

struct client_server {
    const char *unix_path; /* NULL: TCP, at url; else borrowed from the text */
    struct client_url url;
};
struct client_reply {
    int status;
    char *bytes; /* owned: free() */
    struct text body;
};

/* "unix:/path", "http://HOST:PORT" or "HOST:PORT"; a path in it is left out. where: "--url". */
int client_server(const char *text, const char *where, struct client_server *out, struct fault *f);
/* token: NULL, or sent as a bearer token. Within timeout_ms for each step. 0, TC_ESYSTEM (nobody there, no
 * answer: with the remedy) or TC_EINPUT (no HTTP). An answer of any status is 0. */
int client_request(const struct client_server *server, const char *method, const char *target,
                   const char *token, uint32_t timeout_ms, struct client_reply *out, struct fault *f);

#endif
