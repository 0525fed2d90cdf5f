#include "cmd/serve.h"

#include <stdio.h>

int cmd_serve(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "tickcast %s: not built yet\n", argv[0]);
    return 1;
}

int cmd_replay(int argc, char **argv) { return cmd_serve(argc, argv); }
