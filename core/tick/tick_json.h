/* tick/tick_json.h -- a tick as the JSON object of docs/protocol.md. Encoded once per tick by the log's
 * writer. */
#ifndef TC_TICK_TICK_JSON_H
#define TC_TICK_TICK_JSON_H

#include "base/bytes.h"
#include "tick/tick.h"

/* The longest object any legal tick makes, proved in tick_json.c, rounded up to 8 (see log_shared.h). */
#define TICK_JSON_MAX 376u

/* Writes the object of t into out (at least TICK_JSON_MAX bytes; bytes past the end of the object may be
 * overwritten up to that). json_symbol: symbol_table_json(t->symbol); ignored for kind feed.
 * Kinds symbol and hole have no JSON form: returns 0. Else the bytes written. Thread: any. Blocks: never.
 *   {"type":"trade","seq":7,"symbol":"AAPL","price":189.23,"size":100,"ts":1700000000000000000}
 *   plus "side":"buy"|"sell" on a trade whose aggressor is known, "id" where the venue gave one
 *   a quote side that is empty: "bid":null,"bid_size":0
 *   bar: "interval", open .. volume, "final":true|false
 *   {"type":"feed","feed":"sim","state":"lost","lost":5|null,"reason":"ring","reset":true,"seq":9,"ts":..} */
uint32_t tick_json(char *out, const struct tick *t, struct text json_symbol);

#endif
