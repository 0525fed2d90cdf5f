/* cmd/client_stream.h -- one WebSocket connection of a client that waits: connect, messages, pongs, close.
 * Thread: one owner. */
#ifndef TC_CMD_CLIENT_STREAM_H
#define TC_CMD_CLIENT_STREAM_H

#include "cmd/client_ws.h"

struct client_stream {
    int fd;
    uint8_t *buffer; /* owned; room grows up to a message and its head */
    size_t room, start, used;
    struct client_reader reader;
    uint8_t mask[4];
};

/* Connects and shakes hands, within timeout_ms each. 0 or a negative tc_err with the remedy. */
int client_stream_open(struct client_stream *s, const struct client_url *url, uint32_t timeout_ms,
                       struct fault *f);
/* As client_stream_open, which asks for tickcast.v1.json, with another subprotocol. A server that does not
 * speak it answers without one and sends JSON. */
int client_stream_open_as(struct client_stream *s, const struct client_url *url, const char *subprotocol,
                          uint32_t timeout_ms, struct fault *f);
/* The next text, binary or close message, or pong; pings are answered inside. Valid until the next call.
 * CLIENT_MORE: nothing came within timeout_ms (0: only what is there). CLIENT_BAD: the connection is over;
 * fail says why. */
enum client_event client_stream_next(struct client_stream *s, uint32_t timeout_ms,
                                     struct client_message *out);
/* Sends a text message. 0 or TC_ESYSTEM. */
int client_stream_send(struct client_stream *s, const char *text, uint32_t size, struct fault *f);
/* Says close 1000 and gives everything back. */
void client_stream_close(struct client_stream *s);

#endif
