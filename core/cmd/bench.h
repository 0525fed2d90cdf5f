/* cmd/bench.h -- `tickcast bench`: load generator, latency report and lie detector. */
#ifndef TC_CMD_BENCH_H
#define TC_CMD_BENCH_H

#include "cmd/cli.h"

extern const struct cli_command cli_bench;
int cmd_bench(int argc, char **argv);

#endif
