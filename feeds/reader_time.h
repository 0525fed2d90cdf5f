/* feeds/reader_time.h -- times as files write them, to ns since 1970 UTC. Integers only; the local zones are
 * those of the United States by rule (since 1967), so nothing depends on the machine's own zone or tables.
 * Thread: any. */
#ifndef TC_FEEDS_READER_TIME_H
#define TC_FEEDS_READER_TIME_H

#include "base/bytes.h"

#include <stdint.h>

enum time_unit {
    TIME_NS, /* integers or decimals of the unit; also RFC 3339 text, which cannot be mistaken for a number */
    TIME_US,
    TIME_MS,
    TIME_S,
    TIME_TEXT, /* RFC 3339 only */
};

enum time_zone { ZONE_UTC, ZONE_NEW_YORK, ZONE_CHICAGO };

#define DAY_NS INT64_C(86400000000000)

/* A number of units since 1970 (or since any start: the caller adds it), rounded half up to ns, or RFC 3339
 * text
 * ("2023-02-02T09:20:00.138Z", a space for the T, an offset, no zone = UTC). 0 or TC_EINPUT; *ns is then
 * unchanged. */
int time_parse(struct text at, enum time_unit unit, int64_t *ns);
/* "ns", "us", "ms", "s", "rfc3339". 0 or TC_EINPUT. */
int time_unit_parse(struct text at, enum time_unit *unit);
/* HH:MM[:SS[.fraction]], as ns since midnight. 0 or TC_EINPUT. */
int time_of_day_parse(struct text at, int64_t *ns);

/* Whole years that 64 bits of ns since 1970 hold. */
#define TIME_YEAR_LEAST 1678
#define TIME_YEAR_MOST  2261

/* YYYY-MM-DD or YYYYMMDD as days since 1970. 0 or TC_EINPUT (no such day, or none of those years). */
int time_date_parse(struct text at, int32_t *day);
int32_t time_day(int32_t year, uint32_t month, uint32_t day_of_month);

/* UTC, America/New_York, America/Chicago. 0 or TC_EINPUT. */
int time_zone_parse(struct text at, enum time_zone *zone);
/* A wall clock's day (as time_date_parse takes it) and ns since its midnight, less than two days. Of the hour
 * that comes twice in autumn the first is meant; a time in the hour that is left out in spring is read as
 * standard time. */
int64_t time_local_ns(enum time_zone zone, int32_t day, int64_t ns_of_day);

#endif
