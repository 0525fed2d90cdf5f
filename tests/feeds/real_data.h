/* tests/feeds/real_data.h -- recorded files for tests: from the folder that TICKCAST_REAL_DATA names. For
 * cmocka programs: include cmocka.h before. */
#ifndef TC_TESTS_REAL_DATA_H
#define TC_TESTS_REAL_DATA_H

#include "feeds/read_all.h"

#include <string.h>

/* For main: NULL, having said why, where the program is to be skipped (exit code 77). */
static inline const char *real_data_folder(void)
{
    const char *folder = getenv("TICKCAST_REAL_DATA");
    if (folder && folder[0]) return folder;
    fprintf(stderr, "skipped: TICKCAST_REAL_DATA does not name the folder of recorded files\n");
    return NULL;
}

/* A whole file, of that format, without a bad row. */
static inline struct read_all read_real(const char *name, const char *format)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", getenv("TICKCAST_REAL_DATA"), name);
    struct read_all a = read_all(path, NULL, NULL, 100);
    if (a.opened < 0 || a.bad > 0) fail_msg("%s", a.fault.text);
    assert_string_equal(a.format, format);
    return a;
}

/* What `tick_line` prints of one tick. */
#define LINE(a, i) tick_line(&(a), &(a).ticks[i])

#endif
