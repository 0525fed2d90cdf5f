/* wire/http_fields.h -- header fields: what http_parse.c keeps of each. Internal to wire/, but for the
 * grammar of values. Spec: RFC 9110 5.6. */
#ifndef TC_WIRE_HTTP_FIELDS_H
#define TC_WIRE_HTTP_FIELDS_H

#include "wire/http_parse.h"

/* What the fields of one head said so far, beside the request itself. */
struct http_seen {
    bool close, keep_alive, upgrade; /* options of Connection */
    bool websocket;                  /* in Upgrade */
    uint32_t once;                   /* fields that may stand only once, by their number */
};

/* Keeps one header field (value without blanks around it). Returns 0, or the status to refuse the request
 * with. */
int http_take_field(struct http_request *out, struct http_seen *seen, struct text name, struct text value);

bool http_is_token(char c);                    /* a character of a token (5.6.2); '\0' is none */
struct text http_trim(struct text t);          /* without blanks at either end */
bool http_equal(struct text a, struct text b); /* case-insensitive, ASCII */
/* Steps through a comma-separated list: the next element, trimmed, empty ones left out. False at the end. */
bool http_list_next(struct text *rest, struct text *element);
/* True if a list of ranges with parameters (Accept, Accept-Encoding) names `word` with a weight above 0. */
bool http_accepts(struct text list, struct text word);
/* True if it could be a Host value: name or address and port, no user, no path. */
bool http_host_ok(struct text host);

#endif
