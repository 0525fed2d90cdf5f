/* base/diag.h -- the program's own text output ("log" means the tick log here): one event a line on standard
 * error, as logfmt (level=info event=listening address=127.0.0.1:8080) or as a JSON object.
 * Thread: any; each call writes its line with one write(2). */
#ifndef TC_BASE_DIAG_H
#define TC_BASE_DIAG_H

#include <stdbool.h>
#include <stdint.h>

enum diag_level { DIAG_DEBUG, DIAG_INFO, DIAG_WARN, DIAG_ERROR };
enum diag_format { DIAG_LOGFMT, DIAG_JSON };

/* Before the first thread starts. */
void diag_setup(enum diag_level least, enum diag_format format);

/* One key and its value; build with the macros below. */
struct diag_field {
    const char *key;
    enum { DIAG_TEXT, DIAG_NUMBER } type;
    const char *text;
    int64_t number;
};
#define D_TEXT(k, v) ((struct diag_field){.key = (k), .type = DIAG_TEXT, .text = (v)})
#define D_NUM(k, v)  ((struct diag_field){.key = (k), .type = DIAG_NUMBER, .number = (int64_t)(v)})

/* diag(DIAG_INFO, "listening", D_TEXT("address", a), D_NUM("port", p)); event is a short snake_case word. */
#define diag(level, event, ...)                                                                              \
    diag_write((level), (event), (const struct diag_field[]){{.key = 0}, ##__VA_ARGS__},                     \
               (uint32_t)(sizeof((const struct diag_field[]){{.key = 0}, ##__VA_ARGS__}) /                   \
                          sizeof(struct diag_field)))
void diag_write(enum diag_level level, const char *event, const struct diag_field *fields, uint32_t count);

/* At most `per_second` lines a second of one kind: owner keeps the state, one thread. Returns true if the
 * line may be written; *suppressed then has how many were not since the last one. */
struct diag_rate {
    uint64_t second;
    uint32_t written, suppressed;
};
bool diag_may(struct diag_rate *rate, uint64_t now_ns, uint32_t per_second, uint32_t *suppressed);

#endif
