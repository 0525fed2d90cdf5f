/* wire/json_escape.h -- text of unknown origin as the inside of a JSON string. Internal to wire/ (json_escape
 * itself is in notice.h). Spec: RFC 8259 7. */
#ifndef TC_WIRE_JSON_ESCAPE_H
#define TC_WIRE_JSON_ESCAPE_H

#include "base/bytes.h"

#define JSON_CHARACTER_MAX 6u /* bytes that one byte of input can become */

/* Writes the first character of s (size > 0) to out; *written: its bytes there. Returns the bytes of s it
 * was. A byte that is not UTF-8 becomes U+FFFD, so that the result is always valid. */
uint32_t json_escape_one(char out[JSON_CHARACTER_MAX], struct text s, uint32_t *written);

#endif
