/* tests/feeds/text_files.h -- small files for tests of sources and readers, packed with the libraries
 * themselves, in a folder of the test program's own. Included by one .c per program. Paths stay valid until
 * test_files_remove. */
#ifndef TC_TESTS_TEXT_FILES_H
#define TC_TESTS_TEXT_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

#define TEST_FILES_MAX 512

static char test_folder[64];
static char *test_paths[TEST_FILES_MAX];
static unsigned test_path_count;

#define TEST_NEED(condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "test file: %s:%d: %s\n", __FILE__, __LINE__, #condition);                       \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* The path of `name` in the program's folder. */
static inline const char *test_path(const char *name)
{
    if (!test_folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(test_folder, sizeof test_folder, "%.40s/tickcast-XXXXXX", base ? base : "/tmp");
        TEST_NEED(mkdtemp(test_folder));
    }
    char path[512];
    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    for (unsigned i = 0; i < test_path_count; i++) {
        if (strcmp(test_paths[i], path) == 0) return test_paths[i];
    }
    TEST_NEED(test_path_count < TEST_FILES_MAX);
    test_paths[test_path_count] = strdup(path);
    return test_paths[test_path_count++];
}

static inline void test_files_remove(void)
{
    for (unsigned i = 0; i < test_path_count; i++) {
        unlink(test_paths[i]);
        free(test_paths[i]);
    }
    test_path_count = 0;
    if (test_folder[0]) rmdir(test_folder);
    test_folder[0] = 0;
}

static inline const char *test_file(const char *name, const void *bytes, size_t size)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    TEST_NEED(file);
    TEST_NEED(fwrite(bytes, 1, size, file) == size);
    TEST_NEED(fclose(file) == 0);
    return path;
}

static inline const char *test_file_text(const char *name, const char *text)
{
    return test_file(name, text, strlen(text));
}

static inline void test_file_append(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "ab");
    TEST_NEED(file);
    TEST_NEED(fwrite(bytes, 1, size, file) == size);
    TEST_NEED(fclose(file) == 0);
}

static inline void test_file_cut(const char *path, long size)
{
    TEST_NEED(truncate(path, size) == 0);
}

/* Inverts the byte at `at`, from the end if negative. */
static inline void test_file_flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    TEST_NEED(file);
    TEST_NEED(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET) == 0);
    int c = fgetc(file);
    TEST_NEED(c != EOF);
    TEST_NEED(fseek(file, -1, SEEK_CUR) == 0);
    TEST_NEED(fputc(~c & 0xff, file) != EOF);
    TEST_NEED(fclose(file) == 0);
}

/* In `parts` gzip members, one behind the other. */
static inline const char *test_file_gzip(const char *name, const char *bytes, size_t size, unsigned parts)
{
    const char *path = test_path(name);
    unlink(path);
    for (unsigned i = 0; i < parts; i++) {
        size_t from = size * i / parts, to = size * (i + 1) / parts;
        gzFile file = gzopen(path, "ab");
        TEST_NEED(file);
        if (to > from) TEST_NEED(gzwrite(file, bytes + from, (unsigned)(to - from)) == (int)(to - from));
        TEST_NEED(gzclose(file) == Z_OK);
    }
    return path;
}

static inline const char *test_file_zstd(const char *name, const char *bytes, size_t size, unsigned parts)
{
    const char *path = test_file(name, "", 0);
    for (unsigned i = 0; i < parts; i++) {
        size_t from = size * i / parts, to = size * (i + 1) / parts, room = ZSTD_compressBound(to - from);
        void *packed = malloc(room);
        TEST_NEED(packed);
        size_t used = ZSTD_compress(packed, room, bytes + from, to - from, 3);
        TEST_NEED(!ZSTD_isError(used));
        test_file_append(path, packed, used);
        free(packed);
    }
    return path;
}

/* Every member holds the same bytes. */
static inline const char *test_file_zip(const char *name, const char *const *members, const char *bytes,
                                        size_t size)
{
    const char *path = test_path(name);
    unlink(path);
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    TEST_NEED(archive);
    for (; *members; members++) {
        zip_source_t *source = zip_source_buffer(archive, bytes, size, 0);
        TEST_NEED(source && zip_file_add(archive, *members, source, ZIP_FL_OVERWRITE) >= 0);
    }
    TEST_NEED(zip_close(archive) == 0);
    return path;
}

/* Members with bytes of their own: pairs of name and text, ended by NULL. */
static inline const char *test_file_zip_of(const char *name, const char *const *pairs)
{
    const char *path = test_path(name);
    unlink(path);
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    TEST_NEED(archive);
    for (; pairs[0]; pairs += 2) {
        zip_source_t *source = zip_source_buffer(archive, pairs[1], strlen(pairs[1]), 0);
        TEST_NEED(source && zip_file_add(archive, pairs[0], source, ZIP_FL_OVERWRITE) >= 0);
    }
    TEST_NEED(zip_close(archive) == 0);
    return path;
}

#endif
