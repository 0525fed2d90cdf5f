#include "cmd/client_ws.h"

#include <stdlib.h>

struct frame {
    uint8_t opcode;
    bool final, packed; /* packed: RSV1 */
    const uint8_t *payload;
    size_t size;
};

static size_t frame_read(const struct client_reader *r, const uint8_t *bytes, size_t size, struct frame *out,
                         const char **fail);
static const char *reserved(uint8_t lead, bool deflate);
static void message_over(struct client_reader *r);
static enum client_event control(const struct frame *frame, struct client_message *out);
static enum client_event data(struct client_reader *r, const struct frame *frame, struct client_message *out);
static enum client_event append(struct client_reader *r, const struct frame *frame,
                                struct client_message *out);
static enum client_event fail_with(struct client_message *out, const char *why);

enum client_event client_read(struct client_reader *r, const uint8_t *bytes, size_t size, size_t *used,
                              struct client_message *out)
{
    *used = 0;
    if (r->assembled) message_over(r);
    for (;;) {
        struct frame frame;
        const char *why = NULL;
        size_t n = frame_read(r, bytes + *used, size - *used, &frame, &why);
        if (why) return fail_with(out, why);
        if (n == 0) return CLIENT_MORE;
        *used += n;
        enum client_event event = frame.opcode >= WS_CLOSE ? control(&frame, out) : data(r, &frame, out);
        if (event != CLIENT_MORE) return event;
    }
}

void client_reader_free(struct client_reader *r)
{
    free(r->assembly);
    *r = (struct client_reader){0};
}

static void message_over(struct client_reader *r)
{
    free(r->assembly);
    *r = (struct client_reader){.deflate = r->deflate};
}

/* Whole frames only: a head without all its payload is "more". */
static size_t frame_read(const struct client_reader *r, const uint8_t *bytes, size_t size, struct frame *out,
                         const char **fail)
{
    if (size < 2) return 0;
    uint64_t length = bytes[1] & 127;
    size_t head = length == 126 ? 4 : length == 127 ? 10 : 2;
    *fail = reserved(bytes[0], r->deflate);
    if (bytes[1] & 0x80) *fail = "a server's frame is masked";
    if (*fail || size < head) return 0;
    if (head == 4) length = load_be16(bytes + 2);
    if (head == 10) length = load_be64(bytes + 2);
    if ((head == 4 && length < 126) || (head == 10 && length < 65536))
        *fail = "a frame's length is not in its shortest form";
    else if (length > CLIENT_MESSAGE_MAX)
        *fail = "a message is larger than 4 MiB";
    if (*fail || size - head < length) return 0;
    *out = (struct frame){.opcode = bytes[0] & 15,
                          .final = bytes[0] >> 7,
                          .packed = (bytes[0] & WS_DEFLATE_RSV1) != 0,
                          .payload = bytes + head,
                          .size = (size_t)length};
    return head + (size_t)length;
}

/* RSV1 says "packed", on the first frame of a message alone (RFC 7692 6). NULL: as it should be. */
static const char *reserved(uint8_t lead, bool deflate)
{
    uint8_t opcode = lead & 15;
    if (lead & 0x70 && !deflate) return "a reserved bit is set, though no extension was agreed";
    if (lead & 0x30) return "a reserved bit is set that permessage-deflate does not use";
    if (lead & WS_DEFLATE_RSV1 && (opcode == WS_CONTINUATION || opcode >= WS_CLOSE))
        return "a continuation or a control frame is marked as packed";
    return NULL;
}

static enum client_event control(const struct frame *frame, struct client_message *out)
{
    if (!frame->final || frame->size > WS_CONTROL_BYTES_MAX)
        return fail_with(out, "a control frame is long or in fragments");
    *out = (struct client_message){.payload = frame->payload, .size = frame->size};
    switch (frame->opcode) {
    case WS_PING: return CLIENT_PING;
    case WS_PONG: return CLIENT_PONG;
    case WS_CLOSE: break;
    default: return fail_with(out, "an unknown opcode");
    }
    if (frame->size == 1) return fail_with(out, "a close frame of one byte");
    out->close_code = frame->size ? load_be16(frame->payload) : (uint16_t)WS_NO_CODE;
    if (frame->size) {
        out->payload += 2;
        out->size -= 2;
    }
    return CLIENT_CLOSE;
}

static enum client_event data(struct client_reader *r, const struct frame *frame, struct client_message *out)
{
    if (frame->opcode > WS_BINARY) return fail_with(out, "an unknown opcode");
    if ((frame->opcode == WS_CONTINUATION) != (r->opcode != 0))
        return fail_with(out, "fragments out of order");
    if (r->opcode == 0 && frame->final) {
        *out =
            (struct client_message){.payload = frame->payload, .size = frame->size, .packed = frame->packed};
        return frame->opcode == WS_TEXT ? CLIENT_TEXT : CLIENT_BINARY;
    }
    if (r->opcode == 0) {
        r->opcode = frame->opcode;
        r->packed = frame->packed;
    }
    return append(r, frame, out);
}

static enum client_event append(struct client_reader *r, const struct frame *frame,
                                struct client_message *out)
{
    size_t size = r->assembly_size + frame->size;
    if (size > CLIENT_MESSAGE_MAX) return fail_with(out, "a message is larger than 4 MiB");
    uint8_t *grown = realloc(r->assembly, size ? size : 1);
    if (!grown) return fail_with(out, "no memory for a message in fragments");
    r->assembly = grown;
    if (frame->size) memcpy(grown + r->assembly_size, frame->payload, frame->size);
    r->assembly_size = size;
    if (!frame->final) return CLIENT_MORE;
    *out = (struct client_message){.payload = grown, .size = size, .packed = r->packed};
    r->assembled = true;
    return r->opcode == WS_TEXT ? CLIENT_TEXT : CLIENT_BINARY;
}

static enum client_event fail_with(struct client_message *out, const char *why)
{
    *out = (struct client_message){.fail = why};
    return CLIENT_BAD;
}

uint32_t client_frame_make(uint8_t *out, enum ws_opcode opcode, const void *payload, uint32_t size,
                           const uint8_t mask[4])
{
    uint32_t head = ws_frame_head(out, opcode, size);
    out[1] |= 0x80;
    memcpy(out + head, mask, 4);
    if (size) memcpy(out + head + 4, payload, size);
    ws_mask(out + head + 4, size, mask, 0);
    return head + 4 + size;
}
