/* bench/instructions/null_io.h -- a network that costs nothing: connections arrive with their request, every
 * send goes out whole. What a worker executes on top of it is the worker's own. Thread: one. */
#ifndef TC_BENCH_NULL_IO_H
#define TC_BENCH_NULL_IO_H

#include "io/io.h"

#define NULL_IO_REQUEST_MAX 1024u

struct null_io;

/* Writes connection `number`'s opening request to out; returns its size. */
typedef uint32_t null_io_request(void *context, uint32_t number, char *out);

struct null_io *null_io_open(const struct io_options *o, null_io_request *request, void *context);
struct io *null_io_base(struct null_io *n);
/* Connections with numbers below `count` stand in the backlog from here on. */
void null_io_connect(struct null_io *n, uint32_t count);

#endif
