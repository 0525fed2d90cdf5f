#include "base/fault.h"

#include "base/shown.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct fault *f, const char *format, va_list args)
{
    vsnprintf(f->text, sizeof f->text, format, args);
    shown_clean(f->text, strlen(f->text));
}

int fault_set(struct fault *f, enum tc_err code, const char *format, ...)
{
    if (!f) return code;
    f->code = code;
    va_list args;
    va_start(args, format);
    put(f, format, args);
    va_end(args);
    return code;
}

int fault_errno(struct fault *f, const char *format, ...)
{
    int err = errno;
    if (!f) return TC_ESYSTEM;
    f->code = TC_ESYSTEM;
    va_list args;
    va_start(args, format);
    put(f, format, args);
    va_end(args);
    size_t used = strlen(f->text);
    char words[96];
    snprintf(f->text + used, sizeof f->text - used, ": %s", strerror_r(err, words, sizeof words));
    return TC_ESYSTEM;
}

int fault_within(struct fault *f, const char *format, ...)
{
    if (!f) return TC_EINPUT;
    char inner[sizeof f->text];
    memcpy(inner, f->text, sizeof inner);
    va_list args;
    va_start(args, format);
    put(f, format, args);
    va_end(args);
    size_t used = strlen(f->text);
    snprintf(f->text + used, sizeof f->text - used, ": %s", inner);
    return f->code;
}
