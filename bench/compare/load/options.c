/* bench/compare/load/options.c -- what the command line says. See load.h. */
#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_hello(struct options *o, const char *hex);

void options_read(struct options *o, int argc, char **argv)
{
    static const char *const ways[] = {"none", "lines", "nats", "mqtt", "http"};
    *o = (struct options){.path = "/",
                          .cpu = -1,
                          .publish_cpu = -1,
                          .warmup = 1,
                          .burst = 1,
                          .window = 8,
                          .sample = 16,
                          .waited = 1,
                          .idle = 0.3};
    int c;
    while ((c = getopt(argc, argv, "p:u:s:h:bn:m:k:c:C:P:w:r:W:d:i:B:x:y:E:I:")) >= 0) switch (c) {
        case 'p': o->port = (int)strtol(optarg, NULL, 10); break;
        case 'u': o->path = optarg; break;
        case 's': o->subprotocol = optarg; break;
        case 'h': add_hello(o, optarg); break;
        case 'b': o->hello_binary = true; break;
        case 'n': o->connections = (int)strtol(optarg, NULL, 10); break;
        case 'm': o->first = (int)strtol(optarg, NULL, 10); break;
        case 'k': o->stuck = (int)strtol(optarg, NULL, 10); break;
        case 'c': o->cpu = (int)strtol(optarg, NULL, 10); break;
        case 'C': o->publish_cpu = (int)strtol(optarg, NULL, 10); break;
        case 'P': o->publish_port = (int)strtol(optarg, NULL, 10); break;
        case 'w':
            for (int i = 0; i < 5; i++)
                if (strcmp(optarg, ways[i]) == 0) o->publish = (enum publish)i;
            break;
        case 'r': o->rate = strtod(optarg, NULL); break;
        case 'W': o->warmup = strtod(optarg, NULL); break;
        case 'd': o->duration = strtod(optarg, NULL); break;
        case 'i': o->idle = strtod(optarg, NULL); break;
        case 'B': o->burst = (int)strtol(optarg, NULL, 10); break;
        case 'x': o->window = (int)strtol(optarg, NULL, 10); break;
        case 'y': o->sample = (int)strtol(optarg, NULL, 10); break;
        case 'E': o->waited = (int)strtol(optarg, NULL, 10); break;
        case 'I':
            if (o->pid_count == PIDS_MAX) die("at most %d processes", PIDS_MAX);
            o->pids[o->pid_count++] = (int)strtol(optarg, NULL, 10);
            break;
        default: die("an option that is not known; options.c has the list");
        }
    if (o->port <= 0 || o->connections <= 0 || o->stuck < 0 || o->stuck >= o->connections || o->burst < 1 ||
        o->burst > 256 || o->window < 1 || o->sample < 1 || o->first < 0 || o->first >= o->connections ||
        o->waited < 1 || o->waited > o->connections - o->stuck)
        die("-p PORT and -n CONNECTIONS are wanted, with -k and -m below them, -B in 1..256, -E up to those "
            "that read");
}

static void add_hello(struct options *o, const char *hex)
{
    if (o->hello_count == HELLOS_MAX || strlen(hex) > 2 * sizeof o->hellos[0].bytes) die("-h: too much");
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) die("-h: not hexadecimal: %s", hex);
        o->hellos[o->hello_count].bytes[i] = (uint8_t)byte;
    }
    o->hellos[o->hello_count++].size = size;
}
