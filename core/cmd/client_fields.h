/* cmd/client_fields.h -- more fields of a client's requests, as the user gives them: "Name: value". Pure. */
#ifndef TC_CMD_CLIENT_FIELDS_H
#define TC_CMD_CLIENT_FIELDS_H

#include "base/fault.h"
#include "config/settings.h"

#define CLIENT_FIELDS_MAX 4096u /* all lines together, with their ends and a terminator */

/* Each as a line of a request's head. where: "--header". TC_EUSAGE with the remedy in f where one has no name
 * and colon, holds a line break or another control character, says what the client itself has to say, or all
 * are too long. A value is never in the text: it may be a secret. */
int client_fields_make(const struct setting_list *given, const char *where, char out[CLIENT_FIELDS_MAX],
                       struct fault *f);

#endif
