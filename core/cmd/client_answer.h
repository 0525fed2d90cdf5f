/* cmd/client_answer.h -- what came back for one HTTP request, whole, as the connection was closed behind it.
 * Bytes in, meaning out: no I/O. Thread: any. */
#ifndef TC_CMD_CLIENT_ANSWER_H
#define TC_CMD_CLIENT_ANSWER_H

#include "base/bytes.h"

struct client_answer {
    int status;             /* 100 to 999 */
    struct text line, body; /* in the bytes; line: status and reason, without the line's end */
};

/* 0, or -1: that is no answer in HTTP/1.x, or its head is cut. */
int client_answer_read(const char *bytes, size_t size, struct client_answer *out);

#endif
