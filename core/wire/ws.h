/* wire/ws.h -- WebSocket (RFC 6455): handshake answer, frame heads, and the reader of a client's frames.
 * Bytes in, meaning out: no I/O, no allocation. Any split of the bytes gives the same events. */
#ifndef TC_WIRE_WS_H
#define TC_WIRE_WS_H

#include "base/bytes.h"
#include "config/limits.h"
#include "wire/http_parse.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

#define WS_HEAD_MAX 10u /* of an unmasked frame */

/* Close codes (RFC 6455 7.4.1; 4000 up: ours). */
enum ws_close_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_UNSUPPORTED = 1003,
    WS_NO_CODE = 1005,
    WS_BAD_DATA = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011,
    WS_RESTART = 1012,
    WS_TRY_LATER = 1013,
    WS_TOO_SLOW = 4000,
    WS_TOKEN_EXPIRED = 4001,
};

/* ---- Handshake (4.2). ---- */

/* 0 if r is a right opening handshake, else the status to answer: 400 (no or bad key, not GET, HTTP/1.0), 426
 * (other version, or no upgrade). */
int ws_handshake_check(const struct http_request *r);
/* The 101 answer. subprotocol, extensions: NULL or what was chosen. Returns bytes, or -1. */
int ws_handshake_reply(char *out, size_t out_size, struct text key, const char *subprotocol,
                       const char *extensions);
/* Sec-WebSocket-Accept for a key: 28 characters, no terminator. */
void ws_accept_value(struct text key, char out[28]);

/* ---- Frames out. ---- */

/* Writes the head of an unmasked, final frame: 2, 4 or 10 bytes. */
uint32_t ws_frame_head(uint8_t *out, enum ws_opcode opcode, uint64_t payload_bytes);
/* The head that ends just before `payload`: for a payload written first. Returns the head's bytes; it starts
 * at payload - bytes. */
uint32_t ws_frame_head_before(uint8_t *payload, enum ws_opcode opcode, uint64_t payload_bytes);
/* A whole close frame (2 + 2 + reason): code and a reason of at most 123 bytes. Code 1005: empty payload. */
uint32_t ws_close_frame(uint8_t *out, uint16_t code, struct text reason);
/* Masks or unmasks in place; offset: position of bytes[0] in the payload. */
void ws_mask(uint8_t *bytes, size_t size, const uint8_t key[4], uint64_t offset);

/* ---- Frames in. ---- */

/* State between two pieces of input; lives in the connection. Zeroed at the start. */
struct ws_reader {
    uint64_t left;          /* payload bytes of the frame under way still to come */
    uint64_t frame_bytes;   /* its payload size */
    uint32_t message_bytes; /* of the message so far (fragments before, and this frame's share) */
    uint32_t utf8;          /* decoder state across fragments (base/utf8.h) */
    uint8_t head[14];       /* the head so far */
    uint8_t head_size, head_need;
    uint8_t key[4];
    uint8_t opcode;         /* of the frame under way */
    uint8_t message_opcode; /* of the message under way; 0: none */
    uint8_t control_size;
    bool final, in_payload, closed;
    bool deflate; /* set by the caller: permessage-deflate was agreed (wire/ws_deflate.h) */
    bool packed;  /* the message under way is */
};

/* Room for what does not arrive in one piece: a message in fragments, or a control frame cut by a read. Owned
 * by the caller; `message` has room for message_bytes_max. */
struct ws_assembly {
    uint8_t control[WS_CONTROL_BYTES_MAX + 3];
    uint8_t message[];
};

enum ws_event {
    WS_EVENT_MORE,          /* all input was used; nothing complete */
    WS_EVENT_NEED_ASSEMBLY, /* call again with the same reader, the rest of the input and an assembly */
    WS_EVENT_MESSAGE,       /* message->opcode WS_TEXT (valid UTF-8, unless packed) or WS_BINARY */
    WS_EVENT_PING,
    WS_EVENT_PONG,
    WS_EVENT_CLOSE, /* message->close_code (WS_NO_CODE if none was given) and reason in payload */
    WS_EVENT_FAIL,  /* message->close_code and fail say why; the reader is closed */
};

struct ws_message {
    enum ws_opcode opcode;
    uint8_t *payload; /* unmasked; points into the input or the assembly */
    uint32_t size;
    uint16_t close_code;
    bool packed;      /* to be unpacked first; only where the reader's `deflate` is set */
    const char *fail; /* a short machine-readable word */
};

/* Reads frames from bytes (unmasked in place) until one event. *used: bytes of the input taken. assembly:
 * NULL while none was asked for; once given it must be given until ws_reader_idle. message_bytes_max: over it
 * WS_EVENT_FAIL with 1009 as soon as the frame's head says so. Client frames must be masked (5.1), no
 * extension bits (but RSV1 on a message's first frame where `deflate` is set: RFC 7692 6), known opcodes,
 * minimal lengths (5.2), control frames whole and short (5.5), legal close codes (7.4), UTF-8 in text and
 * close reasons, failing at the first bad byte (8.1). */
enum ws_event ws_read(struct ws_reader *r, uint8_t *bytes, size_t size, size_t *used,
                      struct ws_assembly *assembly, uint32_t message_bytes_max, struct ws_message *message);
/* True between messages and frames: an assembly can be given back. */
bool ws_reader_idle(const struct ws_reader *r);

#endif
