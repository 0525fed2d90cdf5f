/* tests/unit/feeds/source_test.c -- goal: whatever a file is packed in, the same plain bytes come out, and
 * damage is told with its place. */
#include "feeds/source.h"

#include "feeds/text_files.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_BYTES 700000u /* several windows and several reads of the packed file */

static char *plain; /* PLAIN_BYTES of lines */

static int make_plain(void **state)
{
    (void)state;
    plain = malloc(PLAIN_BYTES);
    if (!plain) return -1;
    uint32_t x = 1;
    for (uint32_t i = 0; i < PLAIN_BYTES; i++) {
        x = x * 1664525u + 1013904223u;
        plain[i] = i % 61 == 60 ? '\n' : (char)('0' + (x >> 24) % 40);
    }
    return 0;
}

static int free_plain(void **state)
{
    (void)state;
    free(plain);
    return 0;
}

/* Reads all of path in views of `want` and compares with the plain bytes. */
static void expect_plain(const char *path, const char *member, size_t want, size_t size_expected)
{
    struct source *s;
    struct fault f = {0};
    int rc = source_open(&s, path, member, &f);
    if (rc != 0) fail_msg("%s", f.text);
    size_t at = 0;
    for (;;) {
        const uint8_t *bytes;
        size_t size;
        rc = source_view(s, want, &bytes, &size, &f);
        if (rc != 0) fail_msg("%s", f.text);
        if (size == 0) break;
        assert_true(size >= want || at + size == size_expected);
        size_t take = size < want + 7 ? size : want + 7;
        assert_true(at + take <= size_expected);
        assert_memory_equal(bytes, plain + at, take);
        source_skip(s, take);
        at += take;
        assert_int_equal(source_offset(s), at);
        assert_true(source_permille(s) <= 1000);
    }
    assert_int_equal(at, size_expected);
    assert_int_equal(source_permille(s), 1000);
    source_close(s);
}

static void expect_failure(const char *path, const char *member, int code, const char *words)
{
    struct source *s;
    struct fault f = {0};
    int rc = source_open(&s, path, member, &f);
    if (rc == 0) {
        const uint8_t *bytes;
        size_t size;
        while ((rc = source_view(s, 1, &bytes, &size, &f)) == 0 && size > 0) source_skip(s, size);
        /* The same answer for ever, not more bytes. */
        if (rc < 0) assert_int_equal(source_view(s, 1, &bytes, &size, NULL), rc);
        source_close(s);
    }
    assert_int_equal(rc, code);
    if (!strstr(f.text, words)) fail_msg("\"%s\" is not in: %s", words, f.text);
}

static void plain_file(void **state)
{
    (void)state;
    const char *path = test_file("a.csv", plain, PLAIN_BYTES);
    expect_plain(path, NULL, 1, PLAIN_BYTES);
    expect_plain(path, NULL, 5000, PLAIN_BYTES);
    expect_plain(path, NULL, 300000, PLAIN_BYTES);
    expect_plain(path, NULL, SOURCE_WANT_MAX - 7, PLAIN_BYTES);
    expect_plain(test_file("empty.csv", plain, 0), NULL, 1, 0);
    expect_plain(test_file("short.csv", plain, 1), NULL, 1, 1);
}

static void gzip_of_several_members(void **state)
{
    (void)state;
    expect_plain(test_file_gzip("a.csv.gz", plain, PLAIN_BYTES, 1), NULL, 1, PLAIN_BYTES);
    expect_plain(test_file_gzip("b.csv", plain, PLAIN_BYTES, 5), NULL, 4000, PLAIN_BYTES);
    /* Zero bytes after the end are padding. */
    const char *path = test_file_gzip("padded.csv", plain, 1000, 1);
    test_file_append(path, "\0\0\0\0\0", 5);
    expect_plain(path, NULL, 10, 1000);
}

static void zstd_of_several_frames(void **state)
{
    (void)state;
    expect_plain(test_file_zstd("a.csv.zst", plain, PLAIN_BYTES, 1), NULL, 1, PLAIN_BYTES);
    expect_plain(test_file_zstd("b.csv", plain, PLAIN_BYTES, 6), NULL, 4000, PLAIN_BYTES);
    expect_plain(test_file_zstd("empty.zst", plain, 0, 1), NULL, 1, 0);
}

struct names {
    char text[256];
};

static void name_add(void *context, const char *member)
{
    struct names *n = context;
    size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "%s;", member);
}

static void zip_members(void **state)
{
    (void)state;
    const char *one[] = {"one.csv", NULL}, *three[] = {"b.csv", "sub/a.csv", "c.csv", NULL};
    expect_plain(test_file_zip("one.zip", one, plain, PLAIN_BYTES), NULL, 1, PLAIN_BYTES);
    const char *path = test_file_zip("three", three, plain, 1000);
    expect_plain(path, "sub/a.csv", 1, 1000);
    struct names names = {""};
    assert_int_equal(source_members(path, name_add, &names, NULL), 0);
    assert_string_equal(names.text, "b.csv;sub/a.csv;c.csv;");
    assert_int_equal(source_members(test_file("no.zip", "PK", 2), name_add, &names, NULL), TC_ENOTFOUND);
    expect_failure(path, NULL, TC_EUSAGE, "holds 3 files; name the member");
    expect_failure(path, "d.csv", TC_ENOTFOUND, "has no member \"d.csv\"");
    expect_failure(test_file("plain.csv", "x", 1), "d.csv", TC_EUSAGE, "is no zip archive");
}

static void damage_is_told_with_its_place(void **state)
{
    (void)state;
    const char *path = test_file_gzip("cut.gz", plain, PLAIN_BYTES, 1);
    test_file_cut(path, 100000);
    expect_failure(path, NULL, TC_EINPUT, "at byte 100000 of the packed file: the gzip data ends too early");
    path = test_file_gzip("trail.gz", plain, 1000, 1);
    test_file_append(path, "hello", 5);
    expect_failure(path, NULL, TC_EINPUT, "bytes after the end of the gzip data");
    path = test_file_gzip("sum.gz", plain, 1000, 1);
    test_file_flip(path, -6); /* in the checksum */
    expect_failure(path, NULL, TC_EINPUT, "the gzip data is damaged (incorrect data check)");
    path = test_file_zstd("cut.zst", plain, PLAIN_BYTES, 2);
    test_file_cut(path, 99999);
    expect_failure(path, NULL, TC_EINPUT, "at byte 99999 of the packed file: the zstd data ends too early");
    path = test_file_zstd("trail.zst", plain, 1000, 1);
    test_file_append(path, "hello", 5);
    expect_failure(path, NULL, TC_EINPUT, "the zstd data is damaged");
    const char *one[] = {"one.csv", NULL};
    path = test_file_zip("flip.zip", one, plain, PLAIN_BYTES);
    test_file_flip(path, 5000);
    expect_failure(path, NULL, TC_EINPUT, "flip.zip(one.csv): at byte");
    path = test_file_zip("cut.zip", one, plain, 1000);
    test_file_cut(path, 300);
    expect_failure(path, NULL, TC_EINPUT, "the zip archive cannot be read");
}

static void what_cannot_be_opened(void **state)
{
    (void)state;
    expect_failure("/nonexistent/x.csv", NULL, TC_ESYSTEM,
                   "/nonexistent/x.csv: cannot be opened: No such file");
    expect_failure("/", NULL, TC_EINPUT, "is a folder");
}

static void odd_names_are_safe(void **state)
{
    (void)state;
    const char *path = test_file("odd %s%n \n\x1b[31m name.csv", plain, 100);
    expect_plain(path, NULL, 1, 100);
    struct source *s;
    assert_int_equal(source_open(&s, path, NULL, NULL), 0);
    assert_non_null(strstr(source_name(s), "odd %s%n  ?[31m name.csv"));
    source_close(s);
    char name[240];
    memset(name, 'n', sizeof name);
    memcpy(name + sizeof name - 5, ".csv", 5);
    assert_int_equal(source_open(&s, test_file(name, plain, 100), NULL, NULL), 0);
    assert_memory_equal(source_name(s), "...nnn", 6);
    assert_string_equal(source_name(s) + strlen(source_name(s)) - 5, "n.csv");
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_file),
        cmocka_unit_test(gzip_of_several_members),
        cmocka_unit_test(zstd_of_several_frames),
        cmocka_unit_test(zip_members),
        cmocka_unit_test(damage_is_told_with_its_place),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(odd_names_are_safe),
    };
    int failed = cmocka_run_group_tests(tests, make_plain, free_plain);
    test_files_remove();
    return failed;
}
