/* A client's frames: RFC 6455 5 and 8.1. The reader goes head -> payload -> head; what is checked in a head
 * is checked at one place (read_head_lead for its first two bytes, read_head_length for the rest), so that
 * the same bytes fail the same way however they were cut. Two ways for a payload: whole in the input, then it
 * is unmasked there and never copied; or in pieces (or fragments), then each piece is copied to the assembly
 * and unmasked there. */
#include "base/assert.h"
#include "base/utf8.h"
#include "wire/ws.h"

#define HEAD_LEAD   2u /* flags, opcode, mask bit, short length: says how long the head is */
#define BIT_FINAL   0x80u
#define BITS_RSV    0x70u
#define BIT_PACKED  0x40u /* RSV1 with permessage-deflate: RFC 7692 6 */
#define BIT_MASKED  0x80u
#define BIT_CONTROL 0x08u /* in the opcode */

/* What a call works on; lives on ws_read's stack. */
struct reading {
    struct ws_reader *r;
    uint8_t *bytes;
    size_t size, at;
    struct ws_assembly *assembly;
    uint32_t message_bytes_max;
    struct ws_message *message;
};

/* The frame goes on: no event yet. Not one of ws_event, so that no caller can see it. */
#define GO_ON ((enum ws_event)(-1))

static enum ws_event read_head(struct reading *c);
static enum ws_event read_head_lead(struct reading *c);
static enum ws_event read_head_length(struct reading *c);
static enum ws_event read_data(struct reading *c);
static enum ws_event read_data_in_place(struct reading *c);
static enum ws_event read_data_piece(struct reading *c);
static enum ws_event read_data_end(struct reading *c);
static enum ws_event read_control(struct reading *c);
static enum ws_event read_control_end(struct reading *c, uint8_t *payload);
static enum ws_event read_close(struct reading *c, const uint8_t *payload, uint32_t size);
static enum ws_event fail(struct reading *c, uint16_t code, const char *word);

enum ws_event ws_read(struct ws_reader *r, uint8_t *bytes, size_t size, size_t *used,
                      struct ws_assembly *assembly, uint32_t message_bytes_max, struct ws_message *message)
{
    struct reading c = {r, bytes, size, 0, assembly, message_bytes_max, message};
    *message = (struct ws_message){.opcode = WS_CONTINUATION};
    enum ws_event event = GO_ON;
    if (r->closed) {
        c.at = size;
        event = WS_EVENT_MORE;
    }
    while (event == GO_ON) {
        if (!r->in_payload)
            event = read_head(&c);
        else if (r->opcode & BIT_CONTROL)
            event = read_control(&c);
        else
            event = read_data(&c);
    }
    TC_ASSERT(c.at <= size);
    if (event == WS_EVENT_MORE) TC_ASSERT(c.at == size);
    *used = c.at;
    return event;
}

bool ws_reader_idle(const struct ws_reader *r)
{
    return r->closed || (!r->in_payload && r->message_opcode == 0 && r->head_size == 0);
}

/* ---- The head. ---- */

static enum ws_event read_head(struct reading *c)
{
    struct ws_reader *r = c->r;
    if (r->head_size == 0) r->head_need = HEAD_LEAD;
    for (;;) {
        uint8_t take = (uint8_t)min_u64((uint64_t)r->head_need - r->head_size, c->size - c->at);
        if (take > 0) memcpy(r->head + r->head_size, c->bytes + c->at, take);
        r->head_size = (uint8_t)(r->head_size + take);
        c->at += take;
        if (r->head_size < r->head_need) return WS_EVENT_MORE;
        if (r->head_size > HEAD_LEAD) return read_head_length(c);
        enum ws_event event = read_head_lead(c);
        if (event != GO_ON) return event;
        TC_ASSERT(r->head_need > HEAD_LEAD);
    }
}

static enum ws_event read_head_lead(struct reading *c)
{
    struct ws_reader *r = c->r;
    uint8_t opcode = r->head[0] & 0x0F, length = r->head[1] & 0x7F;
    bool final = r->head[0] & BIT_FINAL;
    bool first = opcode == WS_TEXT || opcode == WS_BINARY, packed = r->head[0] & BIT_PACKED;
    if (r->head[0] & (r->deflate && first ? BITS_RSV & ~BIT_PACKED : BITS_RSV))
        return fail(c, WS_PROTOCOL_ERROR, "reserved_bits");
    if ((opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG)
        return fail(c, WS_PROTOCOL_ERROR, "unknown_opcode");
    if (!(r->head[1] & BIT_MASKED)) return fail(c, WS_PROTOCOL_ERROR, "not_masked");
    if (opcode & BIT_CONTROL) {
        if (!final) return fail(c, WS_PROTOCOL_ERROR, "control_fragmented");
        if (length > WS_CONTROL_BYTES_MAX) return fail(c, WS_PROTOCOL_ERROR, "control_too_long");
    } else if (opcode == WS_CONTINUATION) {
        if (r->message_opcode == 0) return fail(c, WS_PROTOCOL_ERROR, "continuation_without_start");
    } else if (r->message_opcode != 0) {
        return fail(c, WS_PROTOCOL_ERROR, "message_in_message");
    }
    r->opcode = opcode;
    r->final = final;
    if (first) r->packed = packed;
    r->head_need = (uint8_t)(HEAD_LEAD + (length == 127 ? 8 : length == 126 ? 2 : 0) + sizeof r->key);
    return GO_ON;
}

static enum ws_event read_head_length(struct reading *c)
{
    struct ws_reader *r = c->r;
    uint64_t length = r->head[1] & 0x7F;
    if (length == 126) {
        length = load_be16(r->head + HEAD_LEAD);
        if (length < 126) return fail(c, WS_PROTOCOL_ERROR, "length_not_minimal");
    } else if (length == 127) {
        length = load_be64(r->head + HEAD_LEAD);
        if (length >> 63) return fail(c, WS_PROTOCOL_ERROR, "length_top_bit");
        if (length < 65536) return fail(c, WS_PROTOCOL_ERROR, "length_not_minimal");
    }
    bool control = r->opcode & BIT_CONTROL;
    if (!control && r->message_bytes + length > c->message_bytes_max)
        return fail(c, WS_TOO_BIG, "message_too_big");
    memcpy(r->key, r->head + r->head_need - sizeof r->key, sizeof r->key);
    r->frame_bytes = r->left = length;
    r->control_size = 0;
    r->head_size = 0;
    r->in_payload = true;
    return GO_ON;
}

/* ---- Data frames. ---- */

static enum ws_event read_data(struct reading *c)
{
    struct ws_reader *r = c->r;
    size_t here = c->size - c->at;
    bool whole_message = r->final && r->message_opcode == 0 && r->left == r->frame_bytes;
    if (whole_message && r->left <= here) return read_data_in_place(c);
    if (r->left > 0) return read_data_piece(c);
    return read_data_end(c);
}

static enum ws_event read_data_in_place(struct reading *c)
{
    struct ws_reader *r = c->r;
    uint8_t *payload = c->bytes + c->at;
    uint32_t size = (uint32_t)r->frame_bytes;
    ws_mask(payload, size, r->key, 0);
    c->at += size;
    r->in_payload = false;
    if (r->opcode == WS_TEXT && !r->packed && utf8_feed(UTF8_OK, payload, size) != UTF8_OK)
        return fail(c, WS_BAD_DATA, "invalid_utf8");
    *c->message = (struct ws_message){
        .opcode = (enum ws_opcode)r->opcode, .payload = payload, .size = size, .packed = r->packed};
    return WS_EVENT_MESSAGE;
}

/* From the first piece on the message is "under way", an unfragmented frame that arrives in pieces included.
 */
static enum ws_event read_data_piece(struct reading *c)
{
    struct ws_reader *r = c->r;
    size_t take = min_u64(r->left, c->size - c->at);
    if (take == 0) return WS_EVENT_MORE; /* the whole frame may still lie in the next input */
    if (!c->assembly) return WS_EVENT_NEED_ASSEMBLY;
    if (r->message_opcode == 0) r->message_opcode = r->opcode;
    TC_ASSERT(r->message_bytes + r->left <= c->message_bytes_max);
    uint8_t *piece = c->assembly->message + r->message_bytes;
    memcpy(piece, c->bytes + c->at, take);
    ws_mask(piece, take, r->key, r->frame_bytes - r->left);
    c->at += take;
    r->left -= take;
    r->message_bytes += (uint32_t)take;
    if (r->message_opcode == WS_TEXT && !r->packed) {
        r->utf8 = utf8_feed(r->utf8, piece, take);
        if (r->utf8 == UTF8_BAD) return fail(c, WS_BAD_DATA, "invalid_utf8");
    }
    return r->left > 0 ? WS_EVENT_MORE : read_data_end(c);
}

/* A frame's last byte was taken. */
static enum ws_event read_data_end(struct reading *c)
{
    struct ws_reader *r = c->r;
    TC_ASSERT(r->left == 0);
    r->in_payload = false;
    if (r->message_opcode == 0) r->message_opcode = r->opcode;
    if (!r->final) return GO_ON;
    if (r->utf8 != UTF8_OK) return fail(c, WS_BAD_DATA, "invalid_utf8");
    TC_ASSERT(r->message_bytes == 0 || c->assembly != NULL);
    c->message->opcode = (enum ws_opcode)r->message_opcode;
    c->message->payload = r->message_bytes > 0 ? c->assembly->message : c->bytes + c->at;
    c->message->size = r->message_bytes;
    c->message->packed = r->packed;
    r->message_opcode = 0;
    r->message_bytes = 0;
    return WS_EVENT_MESSAGE;
}

/* ---- Control frames. ---- */

static enum ws_event read_control(struct reading *c)
{
    struct ws_reader *r = c->r;
    size_t here = c->size - c->at, take = min_u64(r->left, here);
    uint8_t *payload = c->bytes + c->at;
    if (r->control_size == 0 && r->left <= here) { /* whole in the input */
        ws_mask(payload, take, r->key, 0);
        c->at += take;
        return read_control_end(c, payload);
    }
    if (take == 0) return WS_EVENT_MORE;
    if (!c->assembly) return WS_EVENT_NEED_ASSEMBLY;
    TC_ASSERT(r->control_size + take <= WS_CONTROL_BYTES_MAX);
    memcpy(c->assembly->control + r->control_size, payload, take);
    ws_mask(c->assembly->control + r->control_size, take, r->key, r->control_size);
    c->at += take;
    r->control_size = (uint8_t)(r->control_size + take);
    r->left -= take;
    return r->left > 0 ? WS_EVENT_MORE : read_control_end(c, c->assembly->control);
}

static enum ws_event read_control_end(struct reading *c, uint8_t *payload)
{
    struct ws_reader *r = c->r;
    uint32_t size = (uint32_t)r->frame_bytes;
    r->in_payload = false;
    c->message->opcode = (enum ws_opcode)r->opcode;
    c->message->payload = payload;
    c->message->size = size;
    if (r->opcode == WS_CLOSE) return read_close(c, payload, size);
    return r->opcode == WS_PING ? WS_EVENT_PING : WS_EVENT_PONG;
}

/* Which codes a peer may send: 7.4.1 and the registry (1012 to 1014), 3000 to 4999 for libraries and
 * programs. */
static bool close_code_ok(uint16_t code)
{
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

static enum ws_event read_close(struct reading *c, const uint8_t *payload, uint32_t size)
{
    c->message->close_code = WS_NO_CODE;
    if (size == 1) return fail(c, WS_PROTOCOL_ERROR, "close_payload");
    if (size >= 2) {
        uint16_t code = load_be16(payload);
        if (!close_code_ok(code)) return fail(c, WS_PROTOCOL_ERROR, "close_code");
        if (utf8_feed(UTF8_OK, payload + 2, size - 2) != UTF8_OK) return fail(c, WS_BAD_DATA, "invalid_utf8");
        c->message->close_code = code;
        c->message->payload += 2;
        c->message->size -= 2;
    }
    c->r->closed = true;
    return WS_EVENT_CLOSE;
}

static enum ws_event fail(struct reading *c, uint16_t code, const char *word)
{
    c->r->closed = true;
    *c->message = (struct ws_message){.close_code = code, .fail = word};
    return WS_EVENT_FAIL;
}
