#include "wire/json_escape.h"

#include "base/utf8.h"
#include "wire/notice.h"

static uint32_t character_bytes(struct text s);
static uint32_t put_code(char out[JSON_CHARACTER_MAX], uint32_t code);

uint32_t json_escape(char *out, struct text s)
{
    uint32_t size = 0;
    while (s.size > 0) {
        char one[JSON_CHARACTER_MAX];
        uint32_t bytes, taken = json_escape_one(one, s, &bytes);
        memcpy(out + size, one, bytes);
        size += bytes;
        s = (struct text){s.at + taken, s.size - taken};
    }
    return size;
}

uint32_t json_escape_one(char out[JSON_CHARACTER_MAX], struct text s, uint32_t *written)
{
    unsigned char c = (unsigned char)s.at[0];
    const char *shorts = "\b\f\n\r\t\"\\", *words = "bfnrt\"\\";
    const char *found = c != '\0' ? strchr(shorts, c) : NULL;
    uint32_t bytes = character_bytes(s);
    if (found) {
        out[0] = '\\';
        out[1] = words[found - shorts];
        *written = 2;
    } else if (c < 0x20 || c == 0x7F) {
        *written = put_code(out, c);
    } else if (bytes == 0) {
        *written = put_code(out, 0xFFFD);
        bytes = 1;
    } else {
        memcpy(out, s.at, bytes);
        *written = bytes;
    }
    return bytes;
}

/* Of the character s begins with; 0 if it is none. */
static uint32_t character_bytes(struct text s)
{
    uint32_t state = UTF8_OK, size = 0;
    while (size < s.size && size < 4) {
        state = utf8_feed(state, (const uint8_t *)s.at + size, 1);
        size++;
        if (state == UTF8_OK) return size;
        if (state == UTF8_BAD) return 0;
    }
    return 0;
}

static uint32_t put_code(char out[JSON_CHARACTER_MAX], uint32_t code)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    for (uint32_t i = 0; i < 4; i++) out[2 + i] = digits[(code >> (12 - 4 * i)) & 15];
    return JSON_CHARACTER_MAX;
}
