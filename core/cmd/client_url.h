/* cmd/client_url.h -- where a client connects: ws://HOST[:PORT][/PATH][?QUERY], and queries put together.
 * Pure. */
#ifndef TC_CMD_CLIENT_URL_H
#define TC_CMD_CLIENT_URL_H

#include "base/bytes.h"
#include "base/fault.h"

#define CLIENT_TARGET_MAX  8192u
#define CLIENT_URL_DEFAULT "ws://127.0.0.1:8080/v1/ws"

struct client_url {
    char host[256]; /* name, IPv4 or IPv6 without brackets */
    char port[6];
    char authority[272];            /* for the Host field */
    char target[CLIENT_TARGET_MAX]; /* path and query */
};

/* ws:// or http://, or none: HOST:PORT. No path: /v1/ws. where: "--url". TC_EUSAGE with the remedy in f. */
int client_url_parse(const char *text, const char *where, struct client_url *out, struct fault *f);
/* Adds name=value to the query; the value is percent-encoded but for the characters that lists need (, * - .
 * _ ~). value NULL: nothing is added. TC_EUSAGE if it gets too long. */
int client_url_query(struct client_url *url, const char *name, const char *value, struct fault *f);
/* The same with items joined by commas; commas inside an item are encoded. */
int client_url_query_list(struct client_url *url, const char *name, const char *const *items, uint32_t count,
                          struct fault *f);

#endif
