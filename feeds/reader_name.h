/* feeds/reader_name.h -- symbols and dates out of file names, for formats whose rows hold none. Thread: any.
 */
#ifndef TC_FEEDS_READER_NAME_H
#define TC_FEEDS_READER_NAME_H

#include "feeds/reader.h"

/* "/data/XBTUSD.csv.gz" -> "XBTUSD"; the member's name where there is one. */
struct text name_stem(const struct reader_options *o);

/* The first YYYY-MM-DD or YYYYMMDD that stands by itself between - _ . or the ends. */
struct name_date {
    int32_t day;     /* since 1970 */
    size_t at, size; /* where it stands in the stem */
};
bool name_date_find(struct text stem, struct name_date *out);
/* --date, else the stem's, else the path's (of a zip whose members have none). TC_EINPUT with the remedy. */
int name_date_of(const struct reader_options *o, int32_t *day, struct fault *f);

/* The index-th part between _ and - and . ; size 0: there is none. */
struct text name_part(struct text stem, uint32_t index);
/* The part that ends before place `at`. */
struct text name_part_before(struct text stem, size_t at);

#define NAME_UPPER_MAX 48u
/* Upper-case copy in out, cut at NAME_UPPER_MAX (too long for a symbol: told where it is used). */
struct text name_upper(struct text at, char out[NAME_UPPER_MAX]);
/* True if a folder of the path has this name. */
bool name_in_folder(const char *path, const char *folder);

#endif
