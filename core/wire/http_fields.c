#include "wire/http_fields.h"

/* Which field it is; the order is that of the table below. */
enum field {
    FIELD_HOST,
    FIELD_CONTENT_LENGTH,
    FIELD_ORIGIN,
    FIELD_KEY,
    FIELD_VERSION,
    FIELD_AUTHORIZATION,
    FIELD_ONCE, /* those above may stand only once */
    FIELD_IF_NONE_MATCH = FIELD_ONCE,
    FIELD_PROTOCOLS,
    FIELD_EXTENSIONS,
    FIELD_TRANSFER_ENCODING,
    FIELD_CONNECTION,
    FIELD_UPGRADE,
    FIELD_ACCEPT,
    FIELD_ACCEPT_ENCODING,
    FIELD_EXPECT,
    FIELDS
};

static const char *const field_names[FIELDS] = {
    [FIELD_HOST] = "Host",
    [FIELD_CONTENT_LENGTH] = "Content-Length",
    [FIELD_ORIGIN] = "Origin",
    [FIELD_KEY] = "Sec-WebSocket-Key",
    [FIELD_VERSION] = "Sec-WebSocket-Version",
    [FIELD_AUTHORIZATION] = "Authorization",
    [FIELD_IF_NONE_MATCH] = "If-None-Match",
    [FIELD_PROTOCOLS] = "Sec-WebSocket-Protocol",
    [FIELD_EXTENSIONS] = "Sec-WebSocket-Extensions",
    [FIELD_TRANSFER_ENCODING] = "Transfer-Encoding",
    [FIELD_CONNECTION] = "Connection",
    [FIELD_UPGRADE] = "Upgrade",
    [FIELD_ACCEPT] = "Accept",
    [FIELD_ACCEPT_ENCODING] = "Accept-Encoding",
    [FIELD_EXPECT] = "Expect",
};

static int take_length(struct http_request *out, struct text value);
static void take_connection(struct http_seen *seen, struct text value);
static void keep_first(struct text *kept, struct text value);

int http_take_field(struct http_request *out, struct http_seen *seen, struct text name, struct text value)
{
    uint32_t field = 0;
    for (size_t i = 0; i < name.size; i++)
        if (!http_is_token(name.at[i])) return 400;
    while (field < FIELDS && !http_equal(name, text_of(field_names[field]))) field++;
    if (field < FIELD_ONCE) {
        if (seen->once & (1u << field)) return 400;
        seen->once |= 1u << field;
    }
    switch ((enum field)field) {
    case FIELD_HOST:
        out->has_host = true;
        out->host = value;
        return http_host_ok(value) ? 0 : 400;
    case FIELD_CONTENT_LENGTH: return take_length(out, value);
    case FIELD_TRANSFER_ENCODING: return 411; /* no coded body is ever read here */
    case FIELD_ORIGIN:
        out->has_origin = true;
        out->origin = value;
        break;
    case FIELD_KEY:
        out->has_key = true;
        out->ws_key = value;
        break;
    case FIELD_VERSION: out->ws_version = value; break;
    case FIELD_AUTHORIZATION: out->authorization = value; break;
    case FIELD_IF_NONE_MATCH: keep_first(&out->if_none_match, value); break;
    case FIELD_PROTOCOLS:
        if (out->ws_protocol_lines == HTTP_PROTOCOL_LINES) return 431;
        out->ws_protocols[out->ws_protocol_lines++] = value;
        break;
    case FIELD_EXTENSIONS:
        if (out->ws_extension_lines == HTTP_EXTENSION_LINES) return 431;
        out->ws_extensions[out->ws_extension_lines++] = value;
        break;
    case FIELD_CONNECTION: take_connection(seen, value); break;
    case FIELD_UPGRADE: seen->websocket |= http_list_has(value, TEXT("websocket")); break;
    case FIELD_ACCEPT:
        out->accept_html |= http_accepts(value, TEXT("text/html"));
        out->accept_event_stream |= http_accepts(value, TEXT("text/event-stream"));
        break;
    case FIELD_ACCEPT_ENCODING: out->accept_gzip |= http_accepts(value, TEXT("gzip")); break;
    case FIELD_EXPECT: out->expect_continue |= http_equal(value, TEXT("100-continue")); break;
    case FIELDS: break;
    }
    return 0;
}

/* Digits and nothing else: no sign, no list of equal values, no blank inside. */
static int take_length(struct http_request *out, struct text value)
{
    if (value.size == 0) return 400;
    uint64_t length = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') return 400;
        length = length * 10 + (uint64_t)(value.at[i] - '0');
        if (length > HTTP_BODY_BYTES_MAX)
            length = HTTP_BODY_BYTES_MAX + 1; /* stays over it; cannot overflow */
    }
    out->body_bytes = length;
    return length > HTTP_BODY_BYTES_MAX ? 413 : 0;
}

static void take_connection(struct http_seen *seen, struct text value)
{
    seen->close |= http_list_has(value, TEXT("close"));
    seen->keep_alive |= http_list_has(value, TEXT("keep-alive"));
    seen->upgrade |= http_list_has(value, TEXT("upgrade"));
}

/* A list that goes on in a second line: its first line has what the client likes best, and is enough. */
static void keep_first(struct text *kept, struct text value)
{
    if (kept->size == 0) *kept = value;
}

/* ---- The grammar of values. ---- */

bool http_is_token(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

struct text http_trim(struct text t)
{
    while (t.size > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
        t.at++;
        t.size--;
    }
    while (t.size > 0 && (t.at[t.size - 1] == ' ' || t.at[t.size - 1] == '\t')) t.size--;
    return t;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool http_equal(struct text a, struct text b)
{
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.at[i]) != lower(b.at[i])) return false;
    return true;
}

bool http_list_next(struct text *rest, struct text *element)
{
    while (rest->size > 0) {
        const char *comma = memchr(rest->at, ',', rest->size);
        size_t size = comma ? (size_t)(comma - rest->at) : rest->size;
        *element = http_trim((struct text){rest->at, size});
        size_t step = comma ? size + 1 : size;
        *rest = (struct text){rest->at + step, rest->size - step};
        if (element->size > 0) return true;
    }
    return false;
}

bool http_list_has(struct text list, struct text token)
{
    struct text element;
    while (http_list_next(&list, &element))
        if (http_equal(element, token)) return true;
    return false;
}

int http_choose_protocol(const struct http_request *r, const char *const *known, int count)
{
    for (uint32_t i = 0; i < r->ws_protocol_lines; i++) {
        struct text rest = r->ws_protocols[i], element;
        while (http_list_next(&rest, &element))
            for (int k = 0; k < count; k++)
                if (text_equal(element, text_of(known[k]))) return k;
    }
    return -1;
}

/* "q=0", "q=0.", "q=0.000": not acceptable. Every other weight is good enough. */
static bool weight_is_zero(struct text parameters)
{
    while (parameters.size > 0) {
        const char *mark = memchr(parameters.at, ';', parameters.size);
        size_t size = mark ? (size_t)(mark - parameters.at) : parameters.size;
        struct text one = http_trim((struct text){parameters.at, size});
        if (one.size >= 3 && lower(one.at[0]) == 'q' && one.at[1] == '=') {
            for (size_t i = 2; i < one.size; i++)
                if (one.at[i] != '0' && one.at[i] != '.') return false;
            return true;
        }
        size_t step = mark ? size + 1 : size;
        parameters = (struct text){parameters.at + step, parameters.size - step};
    }
    return false;
}

bool http_accepts(struct text list, struct text word)
{
    struct text element;
    while (http_list_next(&list, &element)) {
        const char *mark = memchr(element.at, ';', element.size);
        size_t size = mark ? (size_t)(mark - element.at) : element.size;
        if (!http_equal(http_trim((struct text){element.at, size}), word)) continue;
        struct text parameters = {0};
        if (mark) parameters = (struct text){mark + 1, element.size - size - 1};
        return !weight_is_zero(parameters);
    }
    return false;
}

bool http_host_ok(struct text host)
{
    for (size_t i = 0; i < host.size; i++) {
        char c = host.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !strchr("-._~%!$&'()*+,;=:[]", c))) return false;
    }
    return true;
}
