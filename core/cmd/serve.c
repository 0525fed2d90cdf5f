/* cmd/serve.c -- `tickcast serve` and `tickcast replay`: options into a running server. */
#include "cmd/serve.h"

#include "base/diag.h"
#include "cmd/cli.h"
#include "cmd/serve_options.h"
#include "cmd/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void setup_diag(const struct settings *s);
static int refuse(const char *command, struct settings *s, const struct fault *f);
static bool file_uri(char *out, size_t out_size, const char *path, const struct replay_options *o);

int cmd_serve(int argc, char **argv)
{
    struct serve_options own = {.config = NULL};
    struct settings settings;
    struct setting_list words;
    struct fault f;
    int result = cli_parse(&cli_serve, argc, argv, &own, &settings, &words, &f);
    if (result == CLI_HELPED) return 0;
    if (result < 0) return cli_fail("serve", &f);
    if (settings_check(&settings, &f) < 0) return refuse("serve", &settings, &f);
    setup_diag(&settings);
    static const char *const standard[] = {"sim:"};
    struct server_run run = {.settings = &settings,
                             .uris = settings.feed.count ? settings.feed.at : standard,
                             .uri_count = settings.feed.count ? settings.feed.count : 1,
                             .terminal = isatty(STDERR_FILENO)};
    int status = server_run(&run);
    settings_free(&settings);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    struct replay_options own = {.wait = REPLAY_WAIT_AUTO, .speed = "1", .on_error = "stop"};
    struct settings settings;
    struct setting_list words;
    struct fault f;
    int result = cli_parse(&cli_replay, argc, argv, &own, &settings, &words, &f);
    if (result == CLI_HELPED) return 0;
    if (result < 0) return cli_fail("replay", &f);
    if (settings_check(&settings, &f) < 0) return refuse("replay", &settings, &f);
    setup_diag(&settings);

    static char uris[SETTING_LIST_MAX][4096];
    const char *at[SETTING_LIST_MAX];
    for (uint32_t i = 0; i < words.count; i++) {
        if (!file_uri(uris[i], sizeof uris[i], words.at[i], &own)) {
            fault_set(&f, TC_EUSAGE, "the name of file %u is too long", i + 1);
            return refuse("replay", &settings, &f);
        }
        at[i] = uris[i];
    }
    bool terminal = isatty(STDERR_FILENO);
    struct server_run run = {.settings = &settings,
                             .uris = at,
                             .uri_count = words.count,
                             .wait_members =
                                 own.wait == REPLAY_WAIT_AUTO ? (terminal ? 1 : 0) : (uint32_t)own.wait,
                             .exit_at_end = own.at_end ? strcmp(own.at_end, "exit") == 0 : !terminal,
                             .terminal = terminal};
    int status = server_run(&run);
    settings_free(&settings);
    return status;
}

/* cli_parse gave back what it had where it failed itself; from then on the settings are ours. */
static int refuse(const char *command, struct settings *s, const struct fault *f)
{
    settings_free(s);
    return cli_fail(command, f);
}

static void setup_diag(const struct settings *s)
{
    enum diag_level level = DIAG_INFO;
    if (strcmp(s->log_level, "debug") == 0) level = DIAG_DEBUG;
    if (strcmp(s->log_level, "warn") == 0) level = DIAG_WARN;
    if (strcmp(s->log_level, "error") == 0) level = DIAG_ERROR;
    diag_setup(level, strcmp(s->log_format, "json") == 0 ? DIAG_JSON : DIAG_LOGFMT);
}

/* Percent-encodes what a URI gives a meaning. */
static size_t put_encoded(char *out, size_t room, size_t at, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("/._-:", c) != NULL;
        if (at + 4 > room) return room;
        at += (size_t)snprintf(out + at, room - at, plain ? "%c" : "%%%02X", c);
    }
    return at;
}

static size_t put_param(char *out, size_t room, size_t at, const char *name, const char *value)
{
    if (!value || at + strlen(name) + 3 > room) return value ? room : at;
    at += (size_t)snprintf(out + at, room - at, "%c%s=", strchr(out, '?') ? '&' : '?', name);
    return put_encoded(out, room, at, value);
}

static bool file_uri(char *out, size_t out_size, const char *path, const struct replay_options *o)
{
    size_t room = out_size - 1, at = (size_t)snprintf(out, out_size, "file:");
    at = put_encoded(out, room, at, path);
    at = put_param(out, room, at, "speed", o->speed);
    at = put_param(out, room, at, "from", o->from);
    at = put_param(out, room, at, "to", o->to);
    at = put_param(out, room, at, "loop", o->loop ? "1" : NULL);
    at = put_param(out, room, at, "format", o->format);
    at = put_param(out, room, at, "symbol", o->symbol);
    at = put_param(out, room, at, "on-error", o->on_error);
    return at < room;
}
