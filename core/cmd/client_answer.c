#include "cmd/client_answer.h"

#define STATUS_AT 9u /* behind "HTTP/1.1 " */

int client_answer_read(const char *bytes, size_t size, struct client_answer *out)
{
    *out = (struct client_answer){.status = 0};
    if (!text_begins((struct text){bytes, size}, TEXT("HTTP/1."))) return -1;
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end) return -1;
    const char *line_end = memmem(bytes, size, "\r\n", 2), *line = bytes + STATUS_AT;
    if ((size_t)(line_end - bytes) < STATUS_AT + 3 || line[-1] != ' ') return -1;
    for (int i = 0; i < 3; i++) {
        uint8_t digit = (uint8_t)(line[i] - '0');
        if (digit > 9) return -1;
        out->status = out->status * 10 + digit;
    }
    if (out->status < 100 || (line + 3 < line_end && line[3] != ' ')) return -1;
    out->line = (struct text){line, (size_t)(line_end - line)};
    out->body = (struct text){end + 4, size - (size_t)(end + 4 - bytes)};
    return 0;
}
