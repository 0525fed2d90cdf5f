/* Listening: every form of an address, what accepted sockets inherit, and errors that name the remedy. */
#include "io/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_at(const char *address, struct fault *fault)
{
    return listen_open(&(struct listen_options){.address = address, .no_delay = true, .backlog = 16}, fault);
}

static void expect_open(const char *address, const char *name_begins, bool loopback)
{
    struct fault fault = {0};
    char name[128];
    int fd = open_at(address, &fault);
    if (fd < 0) fail_msg("%s: %s", address, fault.text);
    listen_name(fd, name, sizeof name);
    if (strncmp(name, name_begins, strlen(name_begins)) != 0) fail_msg("%s is called %s", address, name);
    assert_null(strstr(name, ":0\n"));
    assert_int_equal(listen_is_loopback(fd), loopback);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
}

static void every_form_of_address(void **state)
{
    (void)state;
    expect_open("127.0.0.1:0", "127.0.0.1:", true);
    expect_open("0.0.0.0:0", "0.0.0.0:", false);
    int v6 = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (v6 >= 0 && bind(v6, (struct sockaddr *)&a, sizeof a) == 0) {
        expect_open("[::1]:0", "[::1]:", true);
        expect_open("[::]:0", "[::]:", false);
    } else {
        printf("no IPv6 on this machine: its addresses are not tried\n");
    }
    if (v6 >= 0) close(v6);
    struct fault fault = {0};
    int fd = open_at("localhost:0", &fault);
    assert_true(fd >= 0);
    assert_true(listen_is_loopback(fd));
    close(fd);
}

static void expect_fault(const char *address, int code, const char *holds)
{
    struct fault fault = {0};
    int fd = open_at(address, &fault);
    assert_int_equal(fd, code);
    assert_int_equal(fault.code, code);
    if (!strstr(fault.text, holds)) fail_msg("%s: \"%s\" does not say \"%s\"", address, fault.text, holds);
}

static void bad_addresses_name_the_remedy(void **state)
{
    (void)state;
    expect_fault("", TC_EUSAGE, "127.0.0.1:8080");
    expect_fault("8080", TC_EUSAGE, "127.0.0.1:8080");
    expect_fault(":8080", TC_EUSAGE, "127.0.0.1:8080");
    expect_fault("127.0.0.1:", TC_EUSAGE, "0 to 65535");
    expect_fault("127.0.0.1:65536", TC_EUSAGE, "0 to 65535");
    expect_fault("127.0.0.1:-1", TC_EUSAGE, "0 to 65535");
    expect_fault("127.0.0.1:80x", TC_EUSAGE, "0 to 65535");
    expect_fault("127.0.0.1:99999999999999999999", TC_EUSAGE, "0 to 65535");
    expect_fault("::1:8080", TC_EUSAGE, "brackets");
    expect_fault("[::1]", TC_EUSAGE, "port is missing");
    expect_fault("[]:80", TC_EUSAGE, "host is empty");
    expect_fault("999.1.1.1:80", TC_EUSAGE, "no address for");
    expect_fault("unix:", TC_EUSAGE, "path");
    expect_fault("unix:/no/such/folder/x.sock", TC_ESYSTEM, "make the folder");
    expect_fault("192.0.2.77:0", TC_ESYSTEM, "no such address");
    char path[300] = "unix:/";
    memset(path + 6, 'a', 200);
    expect_fault(path, TC_EUSAGE, "107");
}

static void a_taken_port_and_a_shared_one(void **state)
{
    (void)state;
    struct fault fault = {0};
    char name[64], text[128];
    int first = open_at("127.0.0.1:0", &fault);
    listen_name(first, name, sizeof name);
    snprintf(text, sizeof text, "%s is in use; choose another with --listen or port 0", name);
    expect_fault(name, TC_ESYSTEM, text);
    close(first);
    struct listen_options shared = {.address = "127.0.0.1:0", .reuse_port = true, .backlog = 4};
    first = listen_open(&shared, &fault);
    listen_name(first, name, sizeof name);
    shared.address = name;
    int second = listen_open(&shared, &fault);
    assert_true(first >= 0 && second >= 0);
    close(first);
    close(second);
}

static int number(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &size), 0);
    return value;
}

static void accepted_sockets_inherit(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct listen_options o = {.address = "127.0.0.1:0",
                               .no_delay = true,
                               .notsent_lowat = 12345,
                               .sndbuf = 70000,
                               .user_timeout_ms = 4321,
                               .congestion = "reno",
                               .backlog = 4};
    int listener = listen_open(&o, &fault);
    if (listener < 0) fail_msg("%s", fault.text);
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    getsockname(listener, (struct sockaddr *)&a, &size);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    int fd = accept(listener, NULL, NULL);
    char congestion[16] = "";
    size = sizeof congestion;
    getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, &size);
    assert_string_equal(congestion, "reno");
    assert_int_equal(number(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(number(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 12345);
    assert_int_equal(number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
    assert_int_equal(number(fd, SOL_SOCKET, SO_SNDBUF), 140000); /* the kernel doubles it */
    close(fd);
    close(client);
    close(listener);
    o.congestion = "nosuch";
    assert_int_equal(listen_open(&o, &fault), TC_ESYSTEM);
    assert_non_null(strstr(fault.text, "tcp_available_congestion_control"));
}

static void a_stale_unix_socket_is_replaced(void **state)
{
    (void)state;
    struct fault fault = {0};
    char folder[] = "/tmp/listen_test.XXXXXX", address[128], name[128];
    assert_non_null(mkdtemp(folder));
    snprintf(address, sizeof address, "unix:%s/s", folder);
    int first = open_at(address, &fault);
    assert_true(first >= 0);
    listen_name(first, name, sizeof name);
    assert_string_equal(name, address);
    assert_true(listen_is_loopback(first));
    expect_fault(address, TC_ESYSTEM, "is in use"); /* somebody listens there */
    close(first);                                   /* the file stays, nobody listens */
    int second = open_at(address, &fault);
    assert_true(second >= 0);
    close(second);
    unlink(address + 5);
    int file = open(address + 5, O_CREAT | O_WRONLY, 0600);
    close(file);
    expect_fault(address, TC_ESYSTEM, "is in use"); /* a plain file is never removed */
    assert_int_equal(access(address + 5, F_OK), 0);
    unlink(address + 5);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_address),           cmocka_unit_test(bad_addresses_name_the_remedy),
        cmocka_unit_test(a_taken_port_and_a_shared_one),   cmocka_unit_test(accepted_sockets_inherit),
        cmocka_unit_test(a_stale_unix_socket_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
