/* The embedded files: the page is there, its scripts are, and what is compressed is the same file. */
#include "web/web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct web_asset *find(const char *path)
{
    return web_find(path, strlen(path));
}

static void slash_is_the_page(void **state)
{
    (void)state;
    const struct web_asset *page = find("/");
    assert_non_null(page);
    assert_ptr_equal(page, find("/index.html"));
    assert_string_equal(page->type, "text/html; charset=utf-8");
    assert_true(page->size > 100);
    assert_memory_equal(page->at, "<!doctype html>", 15);
    assert_false(page->immutable);
}

static void unknown_paths_are_none(void **state)
{
    (void)state;
    assert_null(find(""));
    assert_null(find("/index.htm"));
    assert_null(find("/index.htmlx"));
    assert_null(find("//"));
    assert_null(find("/../web.c"));
    assert_null(web_find("/index.html", 5));
}

static void etag_is_quoted(void **state)
{
    (void)state;
    const char *etag = find("/")->etag;
    size_t size = strlen(etag);
    assert_true(size >= 10);
    assert_int_equal(etag[0], '"');
    assert_int_equal(etag[size - 1], '"');
}

/* Every file that the page names is embedded, has a hashed name where it is in assets/, and is whole. */
static void page_finds_its_files(void **state)
{
    (void)state;
    const struct web_asset *page = find("/");
    char *text = strndup((const char *)page->at, page->size);
    assert_non_null(text);
    for (char *at = text; (at = strstr(at, "\"/assets/")) != NULL;) {
        char *path = at + 1, *end = strchr(path, '"');
        assert_non_null(end);
        const struct web_asset *file = web_find(path, (size_t)(end - path));
        assert_non_null(file);
        assert_true(file->immutable);
        assert_true(file->size > 0);
        at = end;
    }
    free(text);
}

static void gzip_is_smaller_and_gzip(void **state)
{
    (void)state;
    const struct web_asset *page = find("/");
    if (page->gzip == NULL) return; /* the plain page has none */
    assert_true(page->gzip_size < page->size);
    assert_int_equal(page->gzip[0], 0x1f);
    assert_int_equal(page->gzip[1], 0x8b);
    const uint8_t *tail =
        page->gzip + page->gzip_size - 4; /* RFC 1952: the size of the whole, little-endian */
    uint32_t size =
        (uint32_t)tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 | (uint32_t)tail[3] << 24;
    assert_int_equal(size, page->size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slash_is_the_page),        cmocka_unit_test(unknown_paths_are_none),
        cmocka_unit_test(etag_is_quoted),           cmocka_unit_test(page_finds_its_files),
        cmocka_unit_test(gzip_is_smaller_and_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
