/* feeds/reader_file.h -- a file by its path, as one reader: opens the source and finds the format; a zip's
 * members are read together, merged by event time (equal times in the archive's order). Thread: one owner. */
#ifndef TC_FEEDS_READER_FILE_H
#define TC_FEEDS_READER_FILE_H

#include "feeds/reader.h"

#define READER_MEMBERS_MAX 256u

/* o->member: only this one of a zip. o is looked at during the call only. The reader's ops->format is that of
 * the file. */
int reader_file_open(struct reader **out, struct text format, const struct reader_options *o,
                     struct fault *f);
/* How much was read, 0..1000; r is of reader_file_open. It may step back a little where the packing varies.
 */
uint32_t reader_file_permille(const struct reader *r);

#endif
