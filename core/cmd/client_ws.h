/* cmd/client_ws.h -- a client's side of WebSocket (RFC 6455): opening handshake, frames in, masked frames
 * out. Bytes in, meaning out: no I/O. Thread: one owner per reader. */
#ifndef TC_CMD_CLIENT_WS_H
#define TC_CMD_CLIENT_WS_H

#include "base/bytes.h"
#include "base/fault.h"
#include "cmd/client_fields.h"
#include "cmd/client_url.h"
#include "wire/ws.h"
#include "wire/ws_deflate.h"

#define CLIENT_MESSAGE_MAX    4194304u /* a server's message; beyond it the client closes */
#define CLIENT_HANDSHAKE_MAX  8192u    /* the server's answer */
#define CLIENT_KEY_BYTES      24u      /* Sec-WebSocket-Key as sent */
#define CLIENT_FRAME_HEAD_MAX 14u

struct client_handshake {
    char key[CLIENT_KEY_BYTES + 1];
    char request[CLIENT_TARGET_MAX + CLIENT_FIELDS_MAX + 1024];
    uint32_t request_bytes;
    bool deflate; /* permessage-deflate was offered */
};

/* What a handshake asks for; zeroed: nothing but a stream. */
struct client_wishes {
    const char *subprotocol; /* NULL: none */
    const char *fields;      /* client_fields_make's lines; NULL: none */
    bool deflate; /* offers permessage-deflate with the words that browsers use; we ourselves pack nothing */
};

/* What the server answered to an offer of permessage-deflate (RFC 7692 7.1); zeroed: nothing was agreed. */
struct client_deflate {
    bool agreed, takeover; /* takeover: the server's messages may refer to earlier ones */
    uint8_t bits;          /* of the server's window: 8 to 15 */
};

/* secret: 16 random bytes. */
void client_handshake_make(struct client_handshake *h, const struct client_url *url,
                           const struct client_wishes *wishes, const uint8_t secret[16]);
/* Bytes of the answer that were used (frames may follow at once), 0: more is needed, or TC_EINPUT with a text
 * that has the server's status and the remedy. deflate: set once the answer is whole; NULL where it was not
 * offered. */
int client_handshake_check(const struct client_handshake *h, const char *subprotocol, const char *bytes,
                           size_t size, struct client_deflate *deflate, struct fault *f);

/* A whole masked frame; out has size + CLIENT_FRAME_HEAD_MAX bytes. Returns its bytes. */
uint32_t client_frame_make(uint8_t *out, enum ws_opcode opcode, const void *payload, uint32_t size,
                           const uint8_t mask[4]);

enum client_event {
    CLIENT_MORE,
    CLIENT_TEXT,
    CLIENT_BINARY,
    CLIENT_PING,
    CLIENT_PONG,
    CLIENT_CLOSE,
    CLIENT_BAD
};

struct client_message {
    const uint8_t *payload; /* in the input, or in the reader's assembly until the next call */
    size_t size;
    uint16_t close_code; /* CLIENT_CLOSE */
    bool packed;         /* CLIENT_TEXT, CLIENT_BINARY: the payload is still to be unpacked (RFC 7692 6.2) */
    const char *fail;    /* CLIENT_BAD */
};

/* Fragments of one message are put together here; zeroed at the start. */
struct client_reader {
    uint8_t *assembly;
    size_t assembly_size;
    uint8_t opcode; /* of the message under way; 0: none */
    bool assembled; /* the last event gave the assembly away */
    bool packed;    /* the message under way is */
    bool deflate; /* permessage-deflate was agreed on: RSV1 is legal; set by the owner after the handshake */
};

/* The next message in bytes; *used: what it took. CLIENT_MORE: the rest must be given again with more behind
 * it. */
enum client_event client_read(struct client_reader *r, const uint8_t *bytes, size_t size, size_t *used,
                              struct client_message *out);
/* As at the start. */
void client_reader_free(struct client_reader *r);

#endif
