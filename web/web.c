/* web/web.c -- finds an embedded file by its path. A handful of files: a walk is enough. */
#include "web/web.h"

#include "web/web_table.h"

#include <string.h>

const struct web_asset *web_find(const char *path, size_t size)
{
    static const char index[] = "/index.html";
    if (size == 1 && path[0] == '/') {
        path = index;
        size = sizeof index - 1;
    }
    for (size_t i = 0; i < web_table_count; i++) {
        const char *name = web_table[i].path;
        if (strlen(name) == size && memcmp(name, path, size) == 0) return &web_table[i];
    }
    return NULL;
}
