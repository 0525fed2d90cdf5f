/* feeds/reader_name.c -- see reader_name.h. */
#include "feeds/reader_name.h"

#include "feeds/reader_csv.h"
#include "feeds/reader_time.h"

#include <ctype.h>

static struct text stem_of(const char *path);

static bool parts_names(char c)
{
    return c == '-' || c == '_' || c == '.';
}

struct text name_stem(const struct reader_options *o)
{
    return stem_of(o->member ? o->member : o->path);
}

static struct text stem_of(const char *path)
{
    static const char *const endings[] = {".gz", ".zst", ".zip", ".csv", ".txt", ".tsv"};
    const char *slash = strrchr(path, '/');
    struct text stem = text_of(slash ? slash + 1 : path);
    for (bool cut = true; cut;) {
        cut = false;
        for (uint32_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
            size_t size = strlen(endings[i]);
            if (stem.size <= size) continue;
            if (!text_same((struct text){stem.at + stem.size - size, size}, endings[i])) continue;
            stem.size -= size;
            cut = true;
        }
    }
    return stem;
}

bool name_date_find(struct text stem, struct name_date *out)
{
    static const size_t sizes[] = {10, 8};
    for (size_t at = 0; at < stem.size; at++) {
        if (at > 0 && !parts_names(stem.at[at - 1])) continue;
        for (uint32_t i = 0; i < 2; i++) {
            size_t size = sizes[i];
            if (at + size > stem.size || (at + size < stem.size && !parts_names(stem.at[at + size])))
                continue;
            if (time_date_parse((struct text){stem.at + at, size}, &out->day) != 0) continue;
            out->at = at;
            out->size = size;
            return true;
        }
    }
    return false;
}

int name_date_of(const struct reader_options *o, int32_t *day, struct fault *f)
{
    char label[100];
    struct name_date date;
    if (o->date.size > 0) {
        if (time_date_parse(o->date, day) == 0) return 0;
        return fault_set(f, TC_EUSAGE, "date \"%.*s\" is not a day; write it like 2012-06-21",
                         (int)min_u64(o->date.size, 40), o->date.at);
    }
    if (name_date_find(name_stem(o), &date) || name_date_find(stem_of(o->path), &date)) {
        *day = date.day;
        return 0;
    }
    struct text stem = name_stem(o);
    size_t used = 0;
    for (; used < stem.size && used < sizeof label - 1; used++) {
        label[used] = isprint((unsigned char)stem.at[used]) ? stem.at[used] : '?';
    }
    label[used] = 0;
    return fault_set(f, TC_EINPUT,
                     "%s: the rows hold times of day and the name holds no date; give date=YYYY-MM-DD",
                     label);
}

struct text name_part(struct text stem, uint32_t index)
{
    size_t at = 0;
    for (; index > 0 && at < stem.size; index--) {
        while (at < stem.size && !parts_names(stem.at[at])) at++;
        if (at < stem.size) at++;
    }
    size_t end = at;
    while (end < stem.size && !parts_names(stem.at[end])) end++;
    return (struct text){.at = stem.at + at, .size = end - at};
}

struct text name_part_before(struct text stem, size_t at)
{
    size_t end = at > 0 ? at - 1 : 0, begin = end;
    while (begin > 0 && !parts_names(stem.at[begin - 1])) begin--;
    return (struct text){.at = stem.at + begin, .size = end - begin};
}

struct text name_upper(struct text at, char out[NAME_UPPER_MAX])
{
    size_t used = 0;
    for (; used < at.size && used < NAME_UPPER_MAX; used++)
        out[used] = (char)toupper((unsigned char)at.at[used]);
    return (struct text){.at = out, .size = used};
}

bool name_in_folder(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    for (const char *slash = strchr(path, '/'); path; slash = strchr(path, '/')) {
        if (!slash) return false;
        if ((size_t)(slash - path) == size && memcmp(path, folder, size) == 0) return true;
        path = slash + 1;
    }
    return false;
}
