/* tests/unit/cmd/client_http_test.c -- goal: what another service answers on the port is told as what it is,
 * not with what happened to stand in memory behind it; and names from outside fit where they are put. */
#include "cmd/bench_internal.h"
#include "cmd/client_http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* One answer to one connection, by a thread of its own. */
struct service {
    int fd;
    pthread_t thread;
    struct client_url url;
    struct text answer;
};

static void *serve(void *state)
{
    struct service *s = state;
    char request[CLIENT_TARGET_MAX];
    int fd = accept(s->fd, NULL, NULL);
    if (fd < 0 || recv(fd, request, sizeof request, 0) <= 0) return NULL;
    for (size_t at = 0; at < s->answer.size;) {
        ssize_t n = send(fd, s->answer.at + at, s->answer.size - at, MSG_NOSIGNAL);
        if (n <= 0) break;
        at += (size_t)n;
    }
    close(fd);
    return NULL;
}

static void service_open(struct service *s, struct text answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    char where[32];
    struct fault f = {0};
    *s = (struct service){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
    snprintf(where, sizeof where, "127.0.0.1:%u", ntohs(a.sin_port));
    assert_int_equal(client_url_parse(where, "URL", &s->url, &f), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void service_close(struct service *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static int get(struct text answer, struct client_body *body, struct fault *f)
{
    struct service s;
    service_open(&s, answer);
    int r = client_http_get(&s.url, "", 10000, body, f);
    service_close(&s);
    return r;
}

static void a_document_or_what_came_instead(void **state)
{
    (void)state;
    struct client_body body;
    struct fault f = {0};
    assert_int_equal(get(TEXT("HTTP/1.1 200 OK\r\n\r\nwhole"), &body, &f), TC_OK);
    assert_int_equal(body.size, 5);
    assert_memory_equal(body.at, "whole", 5);
    client_body_free(&body);
    assert_int_equal(get(TEXT("HTTP/1.1 404 \x1b[2Jno\r\n\r\n"), &body, &f), TC_EINPUT);
    assert_non_null(strstr(f.text, "answered with 404 ?[2Jno; is this a tickcast server?"));
    assert_int_equal(get(TEXT("HTTP/1.\r\n\r\nabcdefgh"), &body, &f), TC_EINPUT);
    assert_non_null(strstr(f.text, "the answer is not HTTP"));
}

/* A list's room is counted by the longest name that a symbol may have. */
static void a_list_holds_no_name_that_is_none(void **state)
{
    (void)state;
    static char answer[16384];
    static struct bench b;
    struct service s;
    struct fault f = {0};
    char longest[5001] = "";
    memset(longest, 'x', sizeof longest - 1);
    int size =
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n\r\n{\"symbols\":[\"%s1\",\"%s2\",\"A\",\"\"]}",
                 longest, longest);
    service_open(&s, (struct text){answer, (size_t)size});
    b.url = s.url;
    b.fields[0] = 0;
    b.options.lists = 1;
    b.options.list_size = 2;
    assert_int_equal(bench_plan_lists(&b, &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "the server has 1 symbols (yet)"));
    bench_plan_free(&b);
    service_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_or_what_came_instead),
        cmocka_unit_test(a_list_holds_no_name_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
