/* tests/unit/cmd/client_answer_test.c -- goal: an answer is HTTP or it is not, and nothing beyond its bytes
 * is read or told; a server's words cannot steer a terminal. */
#include "cmd/client_answer.h"

#include "cmd/client_ws.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static struct client_answer answer;

static int reads(const char *bytes)
{
    size_t size = strlen(bytes);
    char *copy = malloc(size + 1); /* of its very size: the address sanitizer sees what is read beyond */
    assert_non_null(copy);
    memcpy(copy + 1, bytes, size);
    int r = client_answer_read(copy + 1, size, &answer);
    if (r == 0) { /* as it stands in the caller's own */
        answer.line.at = bytes + (answer.line.at - copy - 1);
        answer.body.at = bytes + (answer.body.at - copy - 1);
    }
    free(copy);
    return r;
}

static void answers_are_taken_apart(void **state)
{
    (void)state;
    assert_int_equal(reads("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\nmore"), 0);
    assert_int_equal(answer.status, 200);
    assert_true(text_equal(answer.line, TEXT("200 OK")));
    assert_true(text_equal(answer.body, TEXT("body\r\n\r\nmore")));
    assert_int_equal(reads("HTTP/1.0 404\r\n\r\n"), 0);
    assert_int_equal(answer.status, 404);
    assert_true(text_equal(answer.line, TEXT("404")));
    assert_int_equal(answer.body.size, 0);
}

static void what_is_no_answer(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "HTTP/1.1 200 OK\r\n", /* cut */
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.\r\n\r\n",
        "HTTP/1.\r\n\r\nabcdefgh", /* its first line ends before a status can stand there */
        "HTTP/1.\r\n 200\r\n\r\n",
        "HTTP/1.1\r\n 200\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n",
        "HTTP/1.1 2000 X\r\n\r\n",
        "HTTP/1.1 +20 X\r\n\r\n",
        "HTTP/1.1_200 X\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (reads(others[i]) != -1) fail_msg("is taken: %s", others[i]);
}

/* Each place of a handshake's answer that is told. */
static void a_handshake_tells_no_control_characters(void **state)
{
    (void)state;
#define GOOD "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    static const char *const answers[] = {
        "HTTP/1.1 503 \x1b[2Jx\r\n\r\nbody",
        "HTTP/1.1 503 x\r\n\r\n\x1b[2Jbody",
        GOOD "Sec-WebSocket-Protocol: \x1b[2Jx\r\n\r\n",
        GOOD "Sec-WebSocket-Extensions: \x1b[2Jx\r\n\r\n",
    };
    static struct client_handshake h;
    struct client_url url;
    struct fault f = {0};
    assert_int_equal(client_url_parse("h", "URL", &url, &f), 0);
    client_handshake_make(&h, &url, &(struct client_wishes){.deflate = true},
                          (const uint8_t *)"the sample nonce");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        assert_int_equal(client_handshake_check(&h, NULL, answers[i], strlen(answers[i]), NULL, &f),
                         TC_EINPUT);
        assert_non_null(strstr(f.text, "?[2J"));
        for (const char *p = f.text; *p; p++) assert_true((unsigned char)*p >= ' ' && *p != 127);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_apart),
        cmocka_unit_test(what_is_no_answer),
        cmocka_unit_test(a_handshake_tells_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
