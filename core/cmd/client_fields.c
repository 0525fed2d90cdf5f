#include "cmd/client_fields.h"

#include "base/bytes.h"
#include "wire/http_fields.h"

#include <stdio.h>
#include <strings.h>

static const char *own_remedy(const char *name, size_t size);
static bool value_ok(const char *value);

int client_fields_make(const struct setting_list *given, const char *where, char out[CLIENT_FIELDS_MAX],
                       struct fault *f)
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < given->count; i++) {
        const char *name = given->at[i];
        size_t size = 0;
        while (http_is_token(name[size])) size++;
        int shown = (int)min_u64(size, 60);
        if (size == 0 || name[size] != ':')
            return fault_set(f, TC_EUSAGE, "%s: number %u is no field; write %s 'NAME: VALUE'", where, i + 1,
                             where);
        const char *remedy = own_remedy(name, size), *value = name + size + 1;
        if (remedy)
            return fault_set(f, TC_EUSAGE, "%s: %.*s belongs to the request itself; %s", where, shown, name,
                             remedy);
        if (!value_ok(value))
            return fault_set(f, TC_EUSAGE,
                             "%s: the value of %.*s has a line break or another control character; leave it"
                             " out",
                             where, shown, name);
        value += strspn(value, " \t");
        int n = snprintf(out + used, CLIENT_FIELDS_MAX - used, "%.*s: %s\r\n", (int)size, name, value);
        if (n < 0 || (size_t)n >= CLIENT_FIELDS_MAX - used)
            return fault_set(f, TC_EUSAGE,
                             "%s: all together are longer than %u bytes; leave out what the server does not"
                             " need",
                             where, CLIENT_FIELDS_MAX - 1);
        used += (size_t)n;
    }
    return TC_OK;
}

/* What to do instead where the handshake, or the framing of the request, says the field already; else NULL.
 */
static const char *own_remedy(const char *name, size_t size)
{
    static const struct {
        const char *name; /* in lower case; a final - stands for all that begin so */
        const char *remedy;
    } own[] = {
        {"host", "give it in --url"},
        {"sec-websocket-protocol", "use --subprotocol, or --binary"},
        {"sec-websocket-extensions", "use --deflate"},
        {"sec-websocket-", "leave it out"},
        {"upgrade", "leave it out"},
        {"connection", "leave it out"},
        {"content-length", "leave it out"},
        {"transfer-encoding", "leave it out"},
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        size_t own_size = strlen(own[i].name);
        bool all = own[i].name[own_size - 1] == '-';
        if ((all ? size >= own_size : size == own_size) && strncasecmp(name, own[i].name, own_size) == 0)
            return own[i].remedy;
    }
    return NULL;
}

/* Visible characters, blanks and tabs, and bytes above ASCII (RFC 9110 5.5). */
static bool value_ok(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 127) return false;
    return true;
}
