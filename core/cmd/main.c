/* cmd/main.c -- the program: finds the command, runs it, returns its exit status. */
#include "cmd/serve.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("tickcast %s\n", TC_VERSION);
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "serve") == 0) return cmd_serve(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "replay") == 0) return cmd_replay(argc - 1, argv + 1);
    fputs("usage: tickcast serve|replay ...\n", stderr);
    return 2;
}
