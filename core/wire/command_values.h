/* wire/command_values.h -- the values of a command, one setter each: JSON members and query parameters end
 * here, so that both take the same and refuse with the same code. Internal to wire/. Each returns 0, or
 * TC_EINPUT with err filled: what came, where, and what would do. */
#ifndef TC_WIRE_COMMAND_VALUES_H
#define TC_WIRE_COMMAND_VALUES_H

#include "wire/command.h"

#define COMMAND_RATE_LEAST      0.001 /* frames a second; 0 itself means no limit */
#define COMMAND_RATE_MOST       1000.0
#define COMMAND_HEARTBEAT_LEAST 0.01 /* seconds */
#define COMMAND_HEARTBEAT_MOST  86400.0
#define COMMAND_SINCE_NS_MOST                                                                                \
    (400ull * 86400 * 1000000000) /* "since" goes back at most this far: over a year */
#define COMMAND_SINCE_TICKS_MOST ((uint64_t)INT64_MAX)

/* Starts out with what holds where nothing is said. */
void command_defaults(struct command *c, struct command_error *err);

/* The patterns of `symbols`: reserve room for count of them, then add each. The texts are kept, not copied.
 */
int command_symbols_begin(struct command *c, struct command_error *err, size_t count);
int command_symbols_add(struct command *c, struct command_error *err, struct text pattern);

int command_kinds_add(struct command *c, struct command_error *err, struct text word);
int command_policy_set(struct command *c, struct command_error *err, struct text word);
int command_frame_set(struct command *c, struct command_error *err, struct text word);
int command_rate_set(struct command *c, struct command_error *err, double rate);
int command_heartbeat_set(struct command *c, struct command_error *err, double seconds);
/* "5000" ticks, "30s" (ms, s, m, h; fractions allowed) or "oldest". */
int command_since_set(struct command *c, struct command_error *err, struct text text);
int command_since_ticks_set(struct command *c, struct command_error *err, int64_t ticks);

/* A number as people write it: digits and at most one point. False for anything else. */
bool command_number_parse(struct text text, double *out);

/* Fills err and returns TC_EINPUT. */
int command_error_set(struct command_error *err, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As command_error_set, for a value that does not do: `name "value" is wrong: remedy`. */
int command_error_value(struct command_error *err, const char *code, const char *name, struct text value,
                        const char *remedy);

#endif
