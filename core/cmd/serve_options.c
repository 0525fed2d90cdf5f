#include "cmd/serve_options.h"

#define SERVE(at)  (offsetof(struct serve_options, at))
#define REPLAY(at) (offsetof(struct replay_options, at))

#define SERVE_ROWS(base)                                                                                     \
    {.name = "config",                                                                                       \
     .type = OPTION_TEXT,                                                                                    \
     .offset = base + SERVE(config),                                                                         \
     .value = "FILE",                                                                                        \
     .what = "settings as lines of key = value, keys with _ for -; the command line wins"},

static const struct option_row serve_rows[] = {SERVE_ROWS(0)};

static const struct option_row replay_rows[] = {
    SERVE_ROWS(REPLAY(serve)){
        .name = "speed",
        .type = OPTION_TEXT,
        .offset = REPLAY(speed),
        .value = "X|max",
        .preset_text = "1",
        .what = "times real time, as in 1, 0.5 or 60; max: as fast as the subscribers take it"},
    {.name = "from",
     .type = OPTION_TEXT,
     .offset = REPLAY(from),
     .value = "T",
     .what = "begin at this time: 2024-01-02T14:30:00Z, 14:30 of the file's first day, or ns since 1970"},
    {.name = "to", .type = OPTION_TEXT, .offset = REPLAY(to), .value = "T", .what = "end before this time"},
    {.name = "loop",
     .type = OPTION_FLAG,
     .offset = REPLAY(loop),
     .value = "",
     .what = "begin again at the end, for ever"},
    {.name = "format",
     .type = OPTION_TEXT,
     .offset = REPLAY(format),
     .value = "F",
     .what = "format of the files; else found by their names and first bytes"},
    {.name = "symbol",
     .type = OPTION_TEXT,
     .offset = REPLAY(symbol),
     .value = "NAME",
     .what = "for files that name no symbol; else taken from the file's name"},
    {.name = "wait",
     .type = OPTION_COUNT,
     .offset = REPLAY(wait),
     .value = "subscribers",
     .preset = REPLAY_WAIT_AUTO,
     .least = 0,
     .most = REPLAY_WAIT_AUTO,
     .what = "start the clock when so many subscribers are there at the same time; not given: 1 on a "
             "terminal, else 0"},
    {.name = "at-end",
     .type = OPTION_TEXT,
     .offset = REPLAY(at_end),
     .value = "stay|exit",
     .what = "after the last tick: stay up, or deliver it to all and exit 0; default stay on a terminal, "
             "else exit"},
    {.name = "on-error",
     .type = OPTION_TEXT,
     .offset = REPLAY(on_error),
     .value = "stop|skip",
     .preset_text = "stop",
     .what = "a record that cannot be read: stop with its place, or skip it and say so in the stream"},
};

const struct cli_command cli_serve = {
    .name = "serve",
    .usage = "",
    .summary = "broadcast feeds to subscribers",
    .text = "Without options: the built-in simulator on http://127.0.0.1:8080/ with a dashboard there.\n"
            "Feeds: sim:?symbols=500&rate=20000&seed=1 (the simulator), file:PATH?speed=1&loop=1 (a file).",
    .examples = "  tickcast serve\n"
                "  tickcast serve --feed 'sim:?symbols=500&rate=20000' --listen 0.0.0.0:8080 --origins '*'\n"
                "  tickcast serve --feed file:trades.csv\n"
                "  tickcast serve --config /etc/tickcast.conf\n",
    .own = OPTIONS_OF(serve_rows),
    .takes_settings = true,
};

const struct cli_command cli_replay = {
    .name = "replay",
    .usage = "FILE...",
    .summary = "serve files as if they were live",
    .text = "Takes every setting of `serve` as well.",
    .examples = "  tickcast replay trades.csv\n"
                "  tickcast replay --speed 60 --loop day.csv\n"
                "  tickcast replay --speed max --wait 1 --at-end exit day.csv\n",
    .own = OPTIONS_OF(replay_rows),
    .takes_settings = true,
    .words_least = 1,
    .words_most = SETTING_LIST_MAX,
};
