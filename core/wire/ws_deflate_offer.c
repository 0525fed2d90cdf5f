/* Offers and answers of permessage-deflate: RFC 7692 5 and 7.1, grammar of RFC 6455 9.1. */
#include "wire/http_fields.h"
#include "wire/ws_deflate.h"

#include <stdio.h>

/* Parameters, each at most once. */
enum { SERVER_NO_TAKEOVER = 1, CLIENT_NO_TAKEOVER = 2, SERVER_BITS = 4, CLIENT_BITS = 8 };

static bool next_part(struct text *rest, char separator, struct text *part);
static bool parameter_read(struct text parameter, uint32_t *seen, struct ws_deflate_parameters *out);
static bool bits_value(struct text value, uint8_t *bits);

struct ws_deflate_terms ws_deflate_accept(const struct http_request *r, uint8_t bits_least)
{
    for (uint32_t line = 0; line < r->ws_extension_lines; line++) {
        struct text rest = r->ws_extensions[line], offer;
        while (next_part(&rest, ',', &offer)) {
            struct ws_deflate_parameters p;
            if (!ws_deflate_parameters_read(offer, &p)) continue;
            uint8_t bits = p.server_bits ? p.server_bits : WS_DEFLATE_BITS;
            /* client_max_window_bits, whatever it is: we unpack any. */
            if (bits >= bits_least) return (struct ws_deflate_terms){.agreed = true, .bits = bits};
        }
    }
    return (struct ws_deflate_terms){.agreed = false};
}

/* Up to the next separator that stands outside quotes. */
static bool next_part(struct text *rest, char separator, struct text *part)
{
    if (rest->size == 0) return false;
    size_t size = 0;
    bool quoted = false;
    for (; size < rest->size && (quoted || rest->at[size] != separator); size++) {
        if (rest->at[size] == '"') quoted = !quoted;
        if (quoted && rest->at[size] == '\\' && size + 1 < rest->size) size++;
    }
    *part = http_trim((struct text){rest->at, size});
    size_t step = size < rest->size ? size + 1 : size;
    *rest = (struct text){rest->at + step, rest->size - step};
    return true;
}

bool ws_deflate_parameters_read(struct text element, struct ws_deflate_parameters *out)
{
    struct text rest = element, part;
    *out = (struct ws_deflate_parameters){.server_bits = 0};
    if (!next_part(&rest, ';', &part) || !http_equal(part, TEXT("permessage-deflate"))) return false;
    uint32_t seen = 0;
    while (next_part(&rest, ';', &part))
        if (!parameter_read(part, &seen, out)) return false;
    out->server_no_takeover = (seen & SERVER_NO_TAKEOVER) != 0;
    out->client_no_takeover = (seen & CLIENT_NO_TAKEOVER) != 0;
    out->client_bits_named = (seen & CLIENT_BITS) != 0;
    return true;
}

static bool parameter_read(struct text parameter, uint32_t *seen, struct ws_deflate_parameters *out)
{
    struct text value = parameter, name = {.size = 0};
    bool has_value = memchr(parameter.at, '=', parameter.size) != NULL;
    next_part(&value, '=', &name); /* an empty parameter has none */
    value = http_trim(value);
    uint32_t which = http_equal(name, TEXT("server_no_context_takeover"))   ? SERVER_NO_TAKEOVER
                     : http_equal(name, TEXT("client_no_context_takeover")) ? CLIENT_NO_TAKEOVER
                     : http_equal(name, TEXT("server_max_window_bits"))     ? SERVER_BITS
                     : http_equal(name, TEXT("client_max_window_bits"))     ? CLIENT_BITS
                                                                            : 0;
    if (which == 0 || (*seen & which)) return false;
    *seen |= which;
    switch (which) {
    case SERVER_BITS: return has_value && bits_value(value, &out->server_bits);
    case CLIENT_BITS: return !has_value || bits_value(value, &out->client_bits);
    default: return !has_value;
    }
}

/* 8 to 15, no leading zero (7.1.2), bare or in quotes. */
static bool bits_value(struct text value, uint8_t *bits)
{
    if (value.size >= 2 && value.at[0] == '"' && value.at[value.size - 1] == '"')
        value = (struct text){value.at + 1, value.size - 2};
    if (value.size == 1 && (value.at[0] == '8' || value.at[0] == '9')) {
        *bits = (uint8_t)(value.at[0] - '0');
        return true;
    }
    if (value.size != 2 || value.at[0] != '1' || value.at[1] < '0' || value.at[1] > '5') return false;
    *bits = (uint8_t)(10 + value.at[1] - '0');
    return true;
}

uint32_t ws_deflate_answer(char out[WS_DEFLATE_ANSWER], const struct ws_deflate_terms *terms)
{
    int size = snprintf(out, WS_DEFLATE_ANSWER,
                        "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    if (terms->bits < WS_DEFLATE_BITS)
        size += snprintf(out + size, WS_DEFLATE_ANSWER - (size_t)size, "; server_max_window_bits=%u",
                         terms->bits);
    return (uint32_t)size;
}
