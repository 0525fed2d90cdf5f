/* feeds/reader_time.c -- see reader_time.h. */
#include "feeds/reader_time.h"

#include "base/assert.h"
#include "base/fault.h"

#include <stdbool.h>
#include <string.h>

#define HOUR_NS INT64_C(3600000000000)

static int text_parse(struct text at, int64_t *ns);
static int offset_parse(struct text at, int64_t *ns);
static bool two_digits(const char *at, uint32_t most, uint32_t *out);
static bool is_daylight(int32_t day, int64_t ns_of_day);
static int32_t nth_sunday(int32_t year, uint32_t month, uint32_t nth);
static int32_t year_of(int32_t day);

/* Decimals of a second that one unit stands for, as powers of ten of ns. */
static const uint32_t unit_digits[] = {
    [TIME_NS] = 0, [TIME_US] = 3, [TIME_MS] = 6, [TIME_S] = 9, [TIME_TEXT] = 0};
static const int64_t power10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

int time_parse(struct text at, enum time_unit unit, int64_t *ns)
{
    if (unit == TIME_TEXT || (at.size >= 10 && at.at[4] == '-')) return text_parse(at, ns);
    size_t i = 0;
    bool negative = at.size > 0 && at.at[0] == '-';
    if (negative) i++;
    size_t first = i;
    int64_t whole = 0;
    for (; i < at.size && (uint8_t)(at.at[i] - '0') <= 9; i++) {
        if (i - first >= 18 && (__builtin_mul_overflow(whole, 10, &whole) ||
                                __builtin_add_overflow(whole, at.at[i] - '0', &whole)))
            return TC_EINPUT;
        if (i - first < 18) whole = whole * 10 + (at.at[i] - '0');
    }
    if (i == first) return TC_EINPUT;
    uint32_t digits = unit_digits[unit];
    int64_t value, part = 0;
    if (__builtin_mul_overflow(whole, power10[digits], &value)) return TC_EINPUT;
    if (i < at.size) {
        if (at.at[i++] != '.') return TC_EINPUT;
        int32_t left = (int32_t)digits;
        for (; i < at.size && (uint8_t)(at.at[i] - '0') <= 9; i++) {
            int32_t digit = at.at[i] - '0';
            if (left > 0) {
                part += digit * power10[--left];
            } else if (left-- == 0) {
                part += digit >= 5; /* the first one that is too fine */
            }
        }
        if (i != at.size) return TC_EINPUT;
    }
    if (__builtin_add_overflow(value, part, &value)) return TC_EINPUT;
    *ns = negative ? -value : value;
    return 0;
}

int time_unit_parse(struct text at, enum time_unit *unit)
{
    static const char *const names[] = {
        [TIME_NS] = "ns", [TIME_US] = "us", [TIME_MS] = "ms", [TIME_S] = "s", [TIME_TEXT] = "rfc3339"};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!text_equal(at, text_of(names[i]))) continue;
        *unit = (enum time_unit)i;
        return 0;
    }
    return TC_EINPUT;
}

static int text_parse(struct text at, int64_t *ns)
{
    int32_t day;
    int64_t of_day, shift = 0;
    if (at.size < 16 || time_date_parse((struct text){at.at, 10}, &day) != 0) return TC_EINPUT;
    if (at.at[10] != 'T' && at.at[10] != 't' && at.at[10] != ' ') return TC_EINPUT;
    size_t end = 11;
    while (end < at.size && (at.at[end] == ':' || at.at[end] == '.' || (uint8_t)(at.at[end] - '0') <= 9))
        end++;
    if (time_of_day_parse((struct text){at.at + 11, end - 11}, &of_day) != 0) return TC_EINPUT;
    if (offset_parse((struct text){at.at + end, at.size - end}, &shift) != 0) return TC_EINPUT;
    int64_t value;
    if (__builtin_mul_overflow((int64_t)day, DAY_NS, &value)) return TC_EINPUT;
    if (__builtin_add_overflow(value, of_day - shift, &value)) return TC_EINPUT;
    *ns = value;
    return 0;
}

static int offset_parse(struct text at, int64_t *ns)
{
    if (at.size == 0 || (at.size == 1 && (at.at[0] == 'Z' || at.at[0] == 'z'))) return 0;
    uint32_t hour, minute;
    if (at.size != 6 || (at.at[0] != '+' && at.at[0] != '-') || at.at[3] != ':') return TC_EINPUT;
    if (!two_digits(at.at + 1, 23, &hour) || !two_digits(at.at + 4, 59, &minute)) return TC_EINPUT;
    *ns = (at.at[0] == '-' ? -1 : 1) * ((int64_t)hour * 60 + minute) * 60 * INT64_C(1000000000);
    return 0;
}

int time_of_day_parse(struct text at, int64_t *ns)
{
    uint32_t hour, minute;
    int64_t second = 0;
    if (at.size < 5 || at.at[2] != ':') return TC_EINPUT;
    if (!two_digits(at.at, 23, &hour) || !two_digits(at.at + 3, 59, &minute)) return TC_EINPUT;
    if (at.size > 5) {
        uint32_t whole;
        if (at.size < 8 || at.at[5] != ':' || !two_digits(at.at + 6, 59, &whole)) return TC_EINPUT;
        if (at.size > 8 && at.at[8] != '.') return TC_EINPUT;
        if (time_parse((struct text){at.at + 6, at.size - 6}, TIME_S, &second) != 0) return TC_EINPUT;
    }
    *ns = ((int64_t)hour * 60 + minute) * 60 * INT64_C(1000000000) + second;
    return 0;
}

static bool two_digits(const char *at, uint32_t most, uint32_t *out)
{
    if ((uint8_t)(at[0] - '0') > 9 || (uint8_t)(at[1] - '0') > 9) return false;
    *out = (uint32_t)(at[0] - '0') * 10 + (uint32_t)(at[1] - '0');
    return *out <= most;
}

int time_date_parse(struct text at, int32_t *day)
{
    if (at.size != 8 && at.size != 10) return TC_EINPUT;
    if (at.size == 10 && (at.at[4] != '-' || at.at[7] != '-')) return TC_EINPUT;
    size_t gap = at.size == 10;
    uint32_t century, year, month, of_month;
    if (!two_digits(at.at, 99, &century) || !two_digits(at.at + 2, 99, &year)) return TC_EINPUT;
    if (!two_digits(at.at + 4 + gap, 12, &month) || !two_digits(at.at + 6 + 2 * gap, 31, &of_month))
        return TC_EINPUT;
    if (month == 0 || of_month == 0) return TC_EINPUT;
    int32_t y = (int32_t)(century * 100 + year);
    if (y < TIME_YEAR_LEAST || y > TIME_YEAR_MOST) return TC_EINPUT;
    int32_t next = month == 12 ? time_day(y + 1, 1, 1) : time_day(y, month + 1, 1);
    int32_t value = time_day(y, month, of_month);
    if (value >= next) return TC_EINPUT;
    *day = value;
    return 0;
}

/* Counts from 1 March of year 0, so that the odd day comes last. */
int32_t time_day(int32_t year, uint32_t month, uint32_t day_of_month)
{
    TC_ASSERT(year >= 0 && month >= 1 && month <= 12);
    int32_t y = month <= 2 ? year - 1 : year;
    int32_t m = (int32_t)(month + 9) % 12;
    int32_t leap = y >= 0 ? y / 4 - y / 100 + y / 400 : -1;
    return y * 365 + leap + (m * 306 + 5) / 10 + (int32_t)day_of_month - 1 - 719468;
}

int time_zone_parse(struct text at, enum time_zone *zone)
{
    static const struct {
        const char *name;
        enum time_zone zone;
    } zones[] = {{"UTC", ZONE_UTC}, {"America/New_York", ZONE_NEW_YORK}, {"America/Chicago", ZONE_CHICAGO}};
    for (uint32_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (!text_equal(at, text_of(zones[i].name))) continue;
        *zone = zones[i].zone;
        return 0;
    }
    return TC_EINPUT;
}

int64_t time_local_ns(enum time_zone zone, int32_t day, int64_t ns_of_day)
{
    int64_t local = (int64_t)day * DAY_NS + ns_of_day;
    if (zone == ZONE_UTC) return local;
    int64_t behind = (zone == ZONE_NEW_YORK ? 5 : 6) * HOUR_NS;
    int32_t extra = (int32_t)(ns_of_day / DAY_NS); /* times past 24:00 belong to the day after */
    return local + behind - (is_daylight(day + extra, ns_of_day - extra * DAY_NS) ? HOUR_NS : 0);
}

/* By wall clock: from 3:00 (2:00 does not exist) on the first day to 2:00 daylight time on the last.
 * 2007: second Sunday in March to first in November; 1987: first in April, 1967: last in April, to last in
 * October. */
static bool is_daylight(int32_t day, int64_t ns_of_day)
{
    int32_t year = year_of(day), first, last;
    if (year >= 2007) {
        first = nth_sunday(year, 3, 2);
        last = nth_sunday(year, 11, 1);
    } else {
        first = year >= 1987 ? nth_sunday(year, 4, 1) : nth_sunday(year, 5, 1) - 7;
        last = nth_sunday(year, 11, 1) - 7;
    }
    if (year < 1967 || day < first || day > last) return false;
    if (day == first) return ns_of_day >= 3 * HOUR_NS;
    if (day == last) return ns_of_day < 2 * HOUR_NS;
    return true;
}

static int32_t nth_sunday(int32_t year, uint32_t month, uint32_t nth)
{
    int32_t first = time_day(year, month, 1);
    int32_t weekday = ((first + 4) % 7 + 7) % 7; /* 0: Sunday; 1970 began on a Thursday */
    return first + (7 - weekday) % 7 + 7 * ((int32_t)nth - 1);
}

static int32_t year_of(int32_t day)
{
    int32_t year = (int32_t)((int64_t)day * 400 / 146097) + 1970;
    while (year > 0 && time_day(year, 1, 1) > day) year--;
    while (time_day(year + 1, 1, 1) <= day) year++;
    return year;
}
