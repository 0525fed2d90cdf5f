/* cmd/client_bin.h -- reads the server's binary messages (docs/protocol-binary.md). Whatever the bytes are,
 * nothing outside of them is read.
 *
 * Two ways. Fast, for a load generator: client_bin_open, then client_bin_next until it returns 0; it fills
 * the structures of scan.h, so that continuity.h serves both subprotocols. Whole, for who prints or compares:
 * the message as the JSON that a server would have sent (client_bin_json.c), which needs the symbols' names
 * and so one struct client_bin a connection. */
#ifndef TC_CMD_CLIENT_BIN_H
#define TC_CMD_CLIENT_BIN_H

#include "cmd/scan.h"

/* Not to be copied: scan.epoch points into it. */
struct client_bin_message {
    struct scan_message scan; /* as of the same message in JSON; texts point into the message; SCAN_OTHER:
                                 definitions, or a type not known here */
    char epoch[16];
    const uint8_t *at, *end; /* records still to be read */
    uint32_t records;
    uint8_t type;       /* enum bin_type */
    bool seq_before;    /* each record stands behind its seq */
    uint64_t record_to; /* else: its seq is this minus `back` */
};

struct client_bin_tick {
    enum scan_type type; /* SCAN_OTHER: a definition, or a kind not known here: no tick */
    uint64_t seq;
    const uint8_t *record; /* tick_bin_read reads it */
    uint32_t bytes;
};

/* 0, or -1: cut, or a field is out of range. A tick by itself has its own type, and is also in the records.
 */
int client_bin_open(const uint8_t *bytes, size_t size, struct client_bin_message *out);
/* 1: a record; 0: no more; -1: malformed. */
int client_bin_next(struct client_bin_message *m, struct client_bin_tick *out);

/* The event's time of a tick, ns. */
static inline int64_t client_bin_ts(const struct client_bin_tick *t)
{
    return (int64_t)load_le64(t->record + 8);
}

/* ---- As JSON. ---- */

/* Zeroed at the start. Owner: one connection. */
struct client_bin {
    struct client_bin_name {
        uint8_t size;
        char json[2 * 32]; /* escaped */
    } * names;             /* by id; size 0: not defined */
    uint32_t name_room;
    char *text;
    size_t text_room, text_size;
};

/* 0 with *json valid until the next call (size 0: the message has no JSON form: definitions), -1: the message
 * is not what the protocol says, or there is no memory. Definitions are kept for the messages that follow. */
int client_bin_json(struct client_bin *b, const uint8_t *bytes, size_t size, struct text *json);
void client_bin_free(struct client_bin *b);

#endif
