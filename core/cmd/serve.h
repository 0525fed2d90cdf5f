/* cmd/serve.h -- `tickcast serve` and `tickcast replay`: the server. argv[0] is the command's own name.
 * Return the exit status: 0 done, 1 failed while running, 2 wrong call or configuration. Thread: main. */
#ifndef TC_CMD_SERVE_H
#define TC_CMD_SERVE_H

int cmd_serve(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#endif
