/* The live table: a terminal, a second between two looks. Signals come by a descriptor, so that the terminal
 * is always given back as it was. */
#include "cmd/top.h"

#include "base/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define REFRESH_NS NS_PER_SECOND
#define AROUND     4u /* lines that are no rows: summary, empty, header, status */

struct live {
    struct top *top;
    struct top_table table;
    const char *sort;
    char chosen[36]; /* id; "": none yet */
    bool confirm;    /* `k` was pressed: y kicks */
    char status[600];
    uint32_t lines, columns;
    int signals;
    bool over;
};

static void look(struct live *l);
static void draw(struct live *l);
static void draw_line(const struct live *l, const char *text, const char *style);
static void wait_for_key(struct live *l, uint64_t until_ns);
static void on_key(struct live *l, const char *keys, size_t size);
static void choose(struct live *l, int step);
static uint32_t chosen_row(const struct live *l);
static void kick(struct live *l);
static void measure(struct live *l);

int top_live(struct top *t)
{
    struct live l = {.top = t, .sort = t->options.sort};
    struct termios before, raw;
    struct client_reply first;
    struct fault f;
    if (top_fetch(t, l.sort, 1, &first, &f) < 0) return cli_fail("top", &f); /* before the screen changes */
    free(first.bytes);
    sigset_t set;
    sigemptyset(&set);
    int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    for (uint32_t i = 0; i < 4; i++) sigaddset(&set, wanted[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    l.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (l.signals < 0 || tcgetattr(STDIN_FILENO, &before) < 0) {
        fault_errno(&f, "this terminal cannot show a live table; use --once");
        return cli_fail("top", &f);
    }
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs("\033[?1049h\033[?25l", stdout); /* the other screen, no cursor */
    while (!l.over) {
        uint64_t until_ns = clock_mono_ns() + REFRESH_NS;
        look(&l);
        draw(&l);
        while (!l.over && clock_mono_ns() < until_ns) wait_for_key(&l, until_ns);
    }
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    close(l.signals);
    top_table_free(&l.table);
    return 0;
}

static void measure(struct live *l)
{
    struct winsize w;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0;
    l->lines = known ? w.ws_row : 24;
    l->columns = known ? w.ws_col : 80;
}

static void look(struct live *l)
{
    measure(l);
    struct client_reply reply;
    struct top_table table;
    struct fault f;
    uint64_t rows = l->lines > AROUND + 1 ? l->lines - AROUND : 1;
    int r = top_fetch(l->top, l->sort, rows, &reply, &f);
    if (r == TC_OK) {
        r = top_table_read(reply.body, &table, &f);
        free(reply.bytes);
    }
    if (r < 0) { /* it may come back: the old table stays, and what is wrong is said */
        snprintf(l->status, sizeof l->status, "%s", f.text);
        return;
    }
    top_table_free(&l->table);
    l->table = table;
}

static void draw(struct live *l)
{
    char line[512];
    uint32_t chosen = chosen_row(l), shown = l->lines > AROUND ? l->lines - AROUND : 1;
    fputs("\033[H", stdout);
    top_summary(&l->table, line, sizeof line);
    draw_line(l, line, "");
    draw_line(l, "", "");
    top_header(line, sizeof line);
    draw_line(l, line, "\033[1m");
    for (uint32_t i = 0; i < l->table.count && i < shown; i++) {
        const struct top_row *row = &l->table.rows[i];
        top_line(row, line, sizeof line);
        draw_line(l, line, i == chosen ? "\033[7m" : row->slow ? "\033[31m" : row->full ? "\033[33m" : "");
    }
    fputs("\033[J", stdout);
    snprintf(line, sizeof line, "\033[%u;1H", l->lines);
    fputs(line, stdout);
    if (l->confirm)
        snprintf(line, sizeof line, "kick %s? y/n", l->chosen);
    else if (l->status[0])
        snprintf(line, sizeof line, "%.500s", l->status);
    else
        snprintf(line, sizeof line,
                 "by %s%s   up/down choose  k kick  l b a u i sort by lag, bytes, age, queue, id  q quit",
                 l->sort, l->table.more ? ", more than fit" : "");
    printf("\033[2m%.*s\033[0m\033[K", (int)l->columns - 1, line);
    fflush(stdout);
}

static void draw_line(const struct live *l, const char *text, const char *style)
{
    printf("%s%.*s\033[0m\033[K\r\n", style, (int)l->columns - 1, text);
}

static void wait_for_key(struct live *l, uint64_t until_ns)
{
    uint64_t now_ns = clock_mono_ns();
    int ms = until_ns > now_ns ? (int)((until_ns - now_ns) / NS_PER_MS) + 1 : 0;
    struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = l->signals, .events = POLLIN}};
    if (poll(p, 2, ms) <= 0) return;
    struct signalfd_siginfo info;
    while (read(l->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGWINCH) l->over = true;
        measure(l);
    }
    if (p[0].revents) {
        char keys[64];
        ssize_t n = read(STDIN_FILENO, keys, sizeof keys);
        if (n <= 0)
            l->over = true; /* the terminal is gone */
        else
            on_key(l, keys, (size_t)n);
    }
    draw(l);
}

static void on_key(struct live *l, const char *keys, size_t size)
{
    l->status[0] = 0;
    for (size_t i = 0; i < size && !l->over; i++) {
        if (l->confirm) {
            l->confirm = false;
            if (keys[i] == 'y') kick(l);
            continue;
        }
        if (size - i >= 3 && keys[i] == '\033' && keys[i + 1] == '[') {
            if (keys[i + 2] == 'A') choose(l, -1);
            if (keys[i + 2] == 'B') choose(l, 1);
            i += 2;
            continue;
        }
        static const char letters[TOP_SORTS + 1] = "lbaui";
        const char *sort = keys[i] ? strchr(letters, keys[i]) : NULL;
        if (sort) l->sort = top_sorts[sort - letters];
        if (keys[i] == 'q') l->over = true;
        if (keys[i] == 'k' && chosen_row(l) < l->table.count) l->confirm = true;
        if (keys[i] == 'k' && !l->confirm)
            snprintf(l->status, sizeof l->status, "choose one first: up, down");
    }
}

/* The number of the chosen one among the rows, or count. */
static uint32_t chosen_row(const struct live *l)
{
    uint32_t i = 0;
    while (i < l->table.count && (l->chosen[0] == 0 || strcmp(l->table.rows[i].id, l->chosen) != 0)) i++;
    return i;
}

static void choose(struct live *l, int step)
{
    if (l->table.count == 0) return;
    uint32_t at = chosen_row(l);
    if (at == l->table.count)
        at = step > 0 ? 0 : l->table.count - 1;
    else if (step > 0)
        at = min_u32(at + 1, l->table.count - 1);
    else
        at = at > 0 ? at - 1 : 0;
    memcpy(l->chosen, l->table.rows[at].id, sizeof l->chosen);
}

static void kick(struct live *l)
{
    struct fault f;
    if (top_kick(l->top, l->chosen, &f) < 0)
        snprintf(l->status, sizeof l->status, "%s", f.text);
    else
        snprintf(l->status, sizeof l->status, "kicked %s", l->chosen);
}
