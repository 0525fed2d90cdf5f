/* tests/unit/config/settings_test.c -- goal: every setting has its default, takes what it should, and says
 * place and remedy for what it should not. */
#include "config/option.h"
#include "config/settings.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define PATH_ROOM 64

static void set_ok(struct settings *s, const char *name, const char *value)
{
    struct fault f = {.text = ""};
    if (settings_set(s, name, value, name, &f) != TC_OK)
        fail_msg("%s = %s: %s", name, value ? value : "(none)", f.text);
}

static void set_fails(const char *name, const char *value, const char *expected)
{
    struct settings s;
    struct fault f = {.text = ""};
    settings_default(&s);
    assert_int_equal(settings_set(&s, name, value, name, &f), TC_EUSAGE);
    if (!strstr(f.text, expected)) fail_msg("\"%s\" does not say \"%s\"", f.text, expected);
    if (!strstr(f.text, name)) fail_msg("\"%s\" does not name %s", f.text, name);
}

static void check_fails(const char *name, const char *value, const char *expected)
{
    struct settings s;
    struct fault f = {.text = ""};
    settings_default(&s);
    set_ok(&s, name, value);
    assert_int_equal(settings_check(&s, &f), TC_EUSAGE);
    if (!strstr(f.text, expected)) fail_msg("\"%s\" does not say \"%s\"", f.text, expected);
}

/* Writes text to a new file and loads it. */
static int load(struct settings *s, const char *text, size_t size, char *path, struct fault *f)
{
    snprintf(path, PATH_ROOM, "/tmp/tickcast-settings-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
    settings_default(s);
    int r = settings_load(s, path, f);
    unlink(path);
    return r;
}

static void load_fails(const char *text, const char *expected)
{
    struct settings s;
    struct fault f = {.text = ""};
    char path[PATH_ROOM];
    assert_int_equal(load(&s, text, strlen(text), path, &f), TC_EUSAGE);
    if (!strstr(f.text, expected)) fail_msg("\"%s\" does not say \"%s\"", f.text, expected);
    settings_free(&s);
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    assert_int_equal(s.log_capacity, 262144);
    assert_int_equal(s.handshake_timeout_ns, 10 * NS_PER_SECOND);
    assert_int_equal(s.connections_max, 16384);
    assert_string_equal(s.io, "auto");
    assert_true(s.no_delay);
    assert_false(s.echo);
    assert_null(s.cpus);
    assert_int_equal(s.listen.count, 0);
}

/* Every row: its default lies in its own range, and its name is one that the file can hold. */
static void rows_are_sound(void **state)
{
    (void)state;
    struct option_table t = settings_table();
    assert_true(t.count > 30);
    for (uint32_t i = 0; i < t.count; i++) {
        const struct option_row *row = &t.rows[i];
        assert_null(strchr(row->name, '_'));
        assert_true(row->what && row->what[0]);
        assert_ptr_equal(option_find(t, row->name), row); /* no name twice */
        if (row->type == OPTION_COUNT || row->type == OPTION_SECONDS) {
            assert_true(row->least <= row->most);
            assert_true(row->preset <= row->most);
        }
    }
}

static void numbers(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    set_ok(&s, "max-message", "4k");
    assert_int_equal(s.message_bytes_max, 4096);
    set_ok(&s, "rest-memory", "2g");
    assert_int_equal(s.rest_bytes, UINT64_C(2) << 30);
    set_fails("max-rules", "0", "use 1 to 65536 rules");
    set_fails("max-rules", "65537", "use 1 to 65536 rules");
    set_fails("max-rules", "12x", "not a whole number");
    set_fails("max-rules", "-1", "not a whole number");
    set_fails("max-rules", "99999999999999999999999", "not a whole number");
    set_fails("rest-memory", "18446744073709551615k", "not a whole number");
    set_fails("max-rules", NULL, "a value is missing");
}

static void seconds(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    set_ok(&s, "heartbeat", "0.5");
    assert_int_equal(s.heartbeat_ns, 500 * NS_PER_MS);
    set_ok(&s, "heartbeat", "250ms");
    assert_int_equal(s.heartbeat_ns, 250 * NS_PER_MS);
    set_ok(&s, "heartbeat", "2m");
    assert_int_equal(s.heartbeat_ns, 120 * NS_PER_SECOND);
    set_ok(&s, "heartbeat", "0.123456789");
    assert_int_equal(s.heartbeat_ns, 123456789);
    set_fails("heartbeat", "0", "use 0.01 to 86400 seconds");
    set_fails("heartbeat", ".", "not a time");
    set_fails("heartbeat", "1,5", "not a time");
    set_fails("heartbeat", "1e3", "not a time");
    set_fails("heartbeat", "99999999999", "not a time");
}

static void words_flags_and_lists(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
    set_ok(&s, "io", "epoll");
    assert_string_equal(s.io, "epoll");
    set_fails("io", "kqueue", "use auto|uring|epoll");
    set_fails("io", "auto|uring", "use auto|uring|epoll");
    set_ok(&s, "nodelay", "no");
    assert_false(s.no_delay);
    set_ok(&s, "nodelay", NULL);
    assert_true(s.no_delay);
    set_fails("nodelay", "maybe", "use yes or no");
    set_ok(&s, "listen", "127.0.0.1:1");
    set_ok(&s, "listen", "127.0.0.1:2");
    assert_int_equal(s.listen.count, 2);
    for (uint32_t i = s.host.count; i < SETTING_LIST_MAX; i++) set_ok(&s, "host", "a");
    struct fault f;
    assert_int_equal(settings_set(&s, "host", "b", "--host", &f), TC_EUSAGE);
    assert_int_equal(settings_set(&s, "nonsense", "b", "--nonsense", &f), TC_ENOTFOUND);
    assert_true(settings_is_flag("echo"));
    assert_false(settings_is_flag("io"));
    assert_false(settings_is_flag("nonsense"));
}

static void a_file_is_read(void **state)
{
    (void)state;
    struct settings s;
    struct fault f = {.text = ""};
    char path[PATH_ROOM];
    static const char text[] =
        "# a comment\n\n  max_rules = 7 # and another\nlisten=127.0.0.1:1\r\n"
        "listen = 127.0.0.1:2\norigins = \"https://a#b\"\nfeed = sim:?symbols=5#x\necho = yes";
    if (load(&s, text, sizeof text - 1, path, &f) != TC_OK) fail_msg("%s", f.text);
    assert_int_equal(s.rules_max, 7);
    assert_int_equal(s.listen.count, 2);
    assert_string_equal(s.listen.at[1], "127.0.0.1:2");
    assert_string_equal(s.origins, "https://a#b");
    assert_string_equal(s.feed.at[0], "sim:?symbols=5#x");
    assert_true(s.echo);
    settings_free(&s);
    static const char marked[] = "\xef\xbb\xbfmax_rules = 8\n"; /* as editors of Windows begin a file */
    assert_int_equal(load(&s, marked, sizeof marked - 1, path, &f), TC_OK);
    assert_int_equal(s.rules_max, 8);
    settings_free(&s);
}

static void a_bad_file_is_told_with_its_line(void **state)
{
    (void)state;
    load_fails("\nmax_rule = 7\n", ":2: no setting \"max_rule\"; did you mean max_rules?");
    load_fails("zzzzzz = 7\n", "see `tickcast help serve`");
    load_fails("max_rules 7\n", ":1: \"max_rules 7\" has no \"=\"");
    load_fails("max_rules = 7\nio = uring\nmax_rules = 8\n", ":3: max_rules was set in line 1 already");
    load_fails("io = zio\n", ":1: io: \"zio\" is none of the choices");
    load_fails(" = 7\n", "no setting");
    struct settings s;
    struct fault f = {.text = ""};
    char path[PATH_ROOM];
    assert_int_equal(load(&s, "a\0b", 3, path, &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "zero byte"));
    settings_default(&s);
    assert_int_equal(settings_load(&s, "/nonexistent/tickcast.conf", &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "No such file"));
    assert_int_equal(settings_load(&s, "/", &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "not a file"));
}

/* A wrong file, or one with the line ends of an old Mac, does not steer the terminal that shows the fault. */
static void a_fault_shows_no_control_characters(void **state)
{
    (void)state;
    load_fails("io = \x1b[2J\x7f\n", ":1: io: \"?[2J?\" is none of the choices");
    load_fails("\x1b[31mio = x\n", ":1: no setting \"?[31mio\"");
    load_fails("io = \xc2\x9b 2J\n", ":1: io: \"?? 2J\" is none");
    load_fails("max_rules 7\rio = uring\r", ":1: no setting \"max_rules 7 io\"");
    check_fails("listen", "\x1b]0;x\x07:1", "--listen: \"?]0;x?:1\" does not begin");
}

static void a_file_too_large_is_refused(void **state)
{
    (void)state;
    struct settings s;
    struct fault f = {.text = ""};
    char path[PATH_ROOM];
    size_t size = 1048577;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    assert_int_equal(load(&s, text, size, path, &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "larger than"));
    free(text);
}

static void checks_name_the_remedy(void **state)
{
    (void)state;
    check_fails("log-capacity", "1500", "use 1024");
    check_fails("log-capacity", "1537", "use 2048");
    check_fails("log-capacity", "300000", "use 262144");
    check_fails("listen", "8080", "not an address and a port");
    check_fails("listen", "localhost:8080", "numeric address");
    check_fails("listen", "127.0.0.1:65536", "not 0 to 65535");
    check_fails("listen", "127.0.0.1:", "not 0 to 65535");
    check_fails("listen", "127.0.0.1:1x", "not 0 to 65535");
    check_fails("listen", "::1:80", "numeric address");
    check_fails("listen", "[::1:80", "numeric address");
    check_fails("listen", "unix:", "has 0 bytes");
    check_fails("cpus", "0,", "--cpus");
    check_fails("origins", "example.org", "not an origin");
    check_fails("origins", "https://a.org/path", "not an origin");
    check_fails("origins", "https://a.org,", "not an origin");
    check_fails("tcp-congestion", "a-name-of-sixteen", "too long");
}

static void what_is_zero_is_worked_out(void **state)
{
    (void)state;
    struct settings s;
    struct fault f = {.text = ""};
    settings_default(&s);
    set_ok(&s, "listen", "[::1]:0");
    set_ok(&s, "origins", "https://a.org,http://b.org:81");
    set_ok(&s, "max-connections", "100");
    if (settings_check(&s, &f) != TC_OK) fail_msg("%s", f.text);
    assert_true(s.workers >= 1);
    assert_int_equal(s.rest_bytes, 100 * FRAME_BYTES_MAX);
    assert_string_equal(s.feed.at[0], "sim:");
    settings_default(&s);
    assert_int_equal(settings_check(&s, &f), TC_OK);
    assert_string_equal(s.listen.at[0], "127.0.0.1:8080");
    settings_default(&s);
    set_ok(&s, "cpus", "0");
    assert_int_equal(settings_check(&s, &f), TC_OK);
    assert_int_equal(s.workers, 1); /* however many processors there are */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(numbers),
        cmocka_unit_test(seconds),
        cmocka_unit_test(words_flags_and_lists),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(a_bad_file_is_told_with_its_line),
        cmocka_unit_test(a_fault_shows_no_control_characters),
        cmocka_unit_test(a_file_too_large_is_refused),
        cmocka_unit_test(checks_name_the_remedy),
        cmocka_unit_test(what_is_zero_is_worked_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
