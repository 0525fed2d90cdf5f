/* cmd/main.c -- the program: finds the command, runs it, returns its exit status. Start reading here, then
 * serve.c. */
#include "cmd/commands.h"
#include "cmd/help.h"

#include <signal.h>
#include <string.h>

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a peer or a pipe that went away is an error of the call that meets it */
    const char *name = argc >= 2 ? argv[1] : NULL;
    if (!name) {
        help_overview(stderr);
        return 2;
    }
    if (strcmp(name, "--version") == 0) {
        printf("tickcast %s\n", TC_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help_overview(stdout);
        return 0;
    }
    const struct command_entry *entry = command_find(name);
    if (entry) return entry->run(argc - 1, argv + 1);
    const char *best = command_suggest(name);
    fprintf(stderr, "tickcast: no command \"%.60s\"; %s%s%s\n", name,
            best ? "did you mean `tickcast " : "see `tickcast help`", best ? best : "", best ? "`?" : "");
    return 2;
}
