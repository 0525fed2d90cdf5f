/* cmd/scan_json.h -- steps through a JSON object's fields. For scan.c and scan_tick.c. */
#ifndef TC_CMD_SCAN_JSON_H
#define TC_CMD_SCAN_JSON_H

#include "cmd/scan.h"

struct json_field {
    struct text name, value; /* value: raw; of a string without its quotes */
    char first;              /* the value's first character: " { [ digit ... */
};

/* Position behind white space, or end. */
const char *json_space(const char *p, const char *end);
/* Behind a whole value; NULL if it is cut or malformed. Depth is bounded by counting, not by the stack. */
const char *json_skip(const char *p, const char *end);
/* The next field; *at begins behind `{` and moves on. 1: a field; 0: the closing brace (*at behind it); -1:
 * malformed. If the field's name is `stop` and its value begins with [, *at is left behind that bracket and
 * value is empty. */
int json_field_next(const char **at, const char *end, const char *stop, struct json_field *out);
enum scan_type scan_type_of(struct text word);

#endif
