/* web/web.h -- the dashboard's files, embedded into the program when it is built (cmake/embed.cmake).
 * Knows nothing of the rest of tickcast. Thread: any; everything is constant. Owner: the program's image. */
#ifndef TC_WEB_H
#define TC_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct web_asset {
    const char *path;  /* as asked for: "/index.html", "/assets/app-ABCDEFGH.js" */
    const char *type;  /* Content-Type */
    const char *etag;  /* quoted, from the content */
    const uint8_t *at; /* the file itself */
    size_t size;
    const uint8_t *gzip; /* the same, compressed; NULL where that would not be smaller */
    size_t gzip_size;
    bool immutable; /* its name holds a hash of its content: may be cached for ever */
};

/* The asset of a request path without its query; "/" is "/index.html". NULL: there is none. */
const struct web_asset *web_find(const char *path, size_t size);

#ifdef __cplusplus
}
#endif

#endif
