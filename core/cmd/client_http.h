/* cmd/client_http.h -- one GET of a small document. Blocks. Thread: any. */
#ifndef TC_CMD_CLIENT_HTTP_H
#define TC_CMD_CLIENT_HTTP_H

#include "base/fault.h"
#include "cmd/client_fields.h"
#include "cmd/client_url.h"

#include <stdint.h>

#define CLIENT_BODY_MAX 1048576u

struct client_body {
    char *at; /* owned until client_body_free */
    size_t size;
    char *whole;
};

/* The body of a 200, read to the end of the connection. fields: client_fields_make's lines. TC_ESYSTEM or
 * TC_EINPUT with place and remedy. */
int client_http_get(const struct client_url *url, const char *fields, uint32_t timeout_ms,
                    struct client_body *out, struct fault *f);
void client_body_free(struct client_body *b);

#endif
