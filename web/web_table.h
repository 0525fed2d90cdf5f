/* web/web_table.h -- between web.c and the table that cmake/embed.cmake writes. */
#ifndef TC_WEB_TABLE_H
#define TC_WEB_TABLE_H

#include "web/web.h"

extern const struct web_asset web_table[];
extern const size_t web_table_count;

#endif
