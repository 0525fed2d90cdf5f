/* tests/unit/cmd/cli_test.c -- goal: the command line in every form it may take; a wrong one is told with the
 * option and the remedy; the command line wins over the file. */
#include "cmd/cli.h"

#include "cmd/commands.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct values {
    const char *config, *word;
    uint64_t count;
    bool flag, verbose;
};

#define AT(field) offsetof(struct values, field)
static const struct option_row rows[] = {
    {.name = "config", .type = OPTION_TEXT, .offset = AT(config), .value = "FILE", .what = "a file"},
    {.name = "word", .type = OPTION_TEXT, .offset = AT(word), .value = "W", .what = "a word"},
    {.name = "count",
     .type = OPTION_COUNT,
     .offset = AT(count),
     .value = "things",
     .preset = 3,
     .least = 1,
     .most = 9,
     .what = "a number"},
    {.name = "flag", .type = OPTION_FLAG, .offset = AT(flag), .value = "", .what = "a flag"},
    {.name = "verbose", .type = OPTION_FLAG, .offset = AT(verbose), .value = "", .what = "more"},
};
static const struct cli_command test_command = {.name = "test",
                                                .usage = "WORD...",
                                                .summary = "a test",
                                                .own = OPTIONS_OF(rows),
                                                .takes_settings = true,
                                                .words_most = 2};

static struct values own;
static struct settings settings;
static struct setting_list words;
static struct fault fault;

static int parse(int argc, const char **argv)
{
    fault = (struct fault){.text = ""};
    return cli_parse(&test_command, argc, (char **)argv, &own, &settings, &words, &fault);
}

#define PARSE(...)                                                                                           \
    parse((int)(sizeof((const char *[]){"test", __VA_ARGS__}) / sizeof(char *)),                             \
          (const char *[]){"test", __VA_ARGS__})

static void fails(int result, const char *expected)
{
    assert_int_equal(result, TC_EUSAGE);
    if (!strstr(fault.text, expected)) fail_msg("\"%s\" does not say \"%s\"", fault.text, expected);
}

static void options_in_every_form(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--word", "a", "--count=4", "x", "--flag", "--workers", "2", "y"), TC_OK);
    assert_string_equal(own.word, "a");
    assert_int_equal(own.count, 4);
    assert_true(own.flag);
    assert_int_equal(settings.workers, 2);
    assert_int_equal(words.count, 2);
    assert_string_equal(words.at[1], "y");
    assert_int_equal(PARSE("--no-flag", "-v", "--no-nodelay", "--", "--word"), TC_OK);
    assert_false(own.flag);
    assert_true(own.verbose);
    assert_false(settings.no_delay);
    assert_null(own.word);
    assert_int_equal(own.count, 3);
    assert_string_equal(words.at[0], "--word");
    assert_int_equal(PARSE("--word=a=b", "-"), TC_OK);
    assert_string_equal(own.word, "a=b");
    assert_string_equal(words.at[0], "-");
}

static void wrong_calls_name_option_and_remedy(void **state)
{
    (void)state;
    fails(PARSE("--wrod", "a"), "--wrod: no such option; did you mean --word?");
    fails(PARSE("--worker=3"), "did you mean --workers?");
    fails(PARSE("--qqqqqq"), "--qqqqqq: no such option; see `tickcast help test`");
    fails(PARSE("--count", "10"), "--count: 10 is out of range; use 1 to 9 things");
    fails(PARSE("--count"), "--count: a value is missing");
    fails(PARSE("--count", "--flag"), "--count: a value is missing");
    fails(PARSE("--word="), "--word: the value is empty");
    fails(PARSE("-x"), "-x: no such option");
    fails(PARSE("--no-word"), "--no-word: only a flag can be turned off");
    fails(PARSE("--no-flag=yes"), "--no-flag: only a flag can be turned off");
    fails(PARSE("--flag=perhaps"), "--flag: \"perhaps\" is neither yes nor no");
    fails(PARSE("a", "b", "c"), "\"c\" is too much: at most 2");
    fails(PARSE("--=3"), "no such option");
    char longest[200];
    memset(longest, '-', sizeof longest);
    longest[sizeof longest - 1] = 0;
    fails(PARSE(longest), "no such option");
}

static void the_command_line_wins_over_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/tickcast-cli-XXXXXX";
    static const char text[] = "listen = 127.0.0.1:1\nlisten = 127.0.0.1:2\nworkers = 3\nmax_rules = 5\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    assert_int_equal(PARSE("--workers", "4", "--listen=127.0.0.1:9", "--config", path), TC_OK);
    assert_int_equal(settings.workers, 4);
    assert_int_equal(settings.rules_max, 5);
    assert_int_equal(settings.listen.count, 1); /* replaces the file's list */
    assert_string_equal(settings.listen.at[0], "127.0.0.1:9");
    settings_free(&settings);
    unlink(path);
    fails(PARSE("--config", path), "--config");
}

/* What every command promises: names apart, a summary, rows that have a sentence and a default in range. */
static void commands_are_sound(void **state)
{
    (void)state;
    assert_true(command_count >= 6);
    for (uint32_t i = 0; i < command_count; i++) {
        const struct cli_command *c = commands[i].cli;
        assert_ptr_equal(command_find(c->name), &commands[i]);
        assert_true(c->summary[0] && c->examples[0] && c->usage);
        for (uint32_t k = 0; k < c->own.count; k++) {
            const struct option_row *row = &c->own.rows[k];
            assert_true(row->what[0] && row->value);
            assert_ptr_equal(option_find(c->own, row->name), row);
            if (c->takes_settings) assert_null(option_find(settings_table(), row->name));
            if (row->type == OPTION_COUNT || row->type == OPTION_SECONDS)
                assert_true(row->least <= row->preset && row->preset <= row->most);
            if (row->preset_text && option_words(row))
                assert_true(option_word_is(row, row->preset_text, strlen(row->preset_text)));
        }
    }
    assert_string_equal(command_suggest("tial"), "tail");
    assert_null(command_suggest("zzz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_in_every_form),
        cmocka_unit_test(wrong_calls_name_option_and_remedy),
        cmocka_unit_test(the_command_line_wins_over_the_file),
        cmocka_unit_test(commands_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
