#include "proxy/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static void test_parse(void) {
    static const struct {
        const char *s, *text;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080"}, {"[::1]:0", "[::1]:0"},   {"8080", "127.0.0.1:8080"},
        {"localhost:8080", "127.0.0.1:8080"}, {":8080", "[::]:8080"},   {"*:65535", "[::]:65535"},
        {"0.0.0.0:1", "0.0.0.0:1"},           {"[::]:0080", "[::]:80"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address;
        struct err err = {0};
        char text[ADDRESS_TEXT_SIZE];
        CU_ASSERT_TRUE_FATAL(listen_parse(&address, cases[i].s, &err));
        CU_ASSERT_STRING_EQUAL(address_text(text, &address), cases[i].text);
    }
}

static void test_parse_refuses(void) {
    static const struct {
        const char *s, *says;
    } cases[] = {
        {"", "\"\" is not a port"},
        {"127.0.0.1:", "\"\" is not a port"},
        {"127.0.0.1:65536", "\"65536\" is not a port"},
        {"127.0.0.1:-1", "\"-1\" is not a port"},
        {"127.0.0.1:+80", "\"+80\" is not a port"},
        {"127.0.0.1: 80", "\" 80\" is not a port"},
        {"127.0.0.1:123456789012345678901", "is not a port"},
        {"127.0.0.1", "\"127.0.0.1\" is not a port"},
        {"::1", "brackets"},
        {"::1:8080", "brackets"},
        {"[::1]", "brackets"},
        {"[::1:8080", "brackets"},
        {"example.test:8080", "\"example.test\" is not an address of this machine"},
        {"[]:8080", "expected HOST:PORT"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
         "HOST:PORT"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address;
        struct err err = {0};
        CU_ASSERT_FALSE(listen_parse(&address, cases[i].s, &err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, cases[i].says));
        if (strstr(err.msg, cases[i].says) == NULL) {
            printf("%s: %s\n", cases[i].s, err.msg);
        }
    }
}

static int open_ok(struct address *address, const char *s) {
    struct err err = {0};
    CHECK(listen_parse(address, s, NULL));
    int fd = listen_open(address, &err);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_TRUE(address->port != 0);
    return fd;
}

static void test_port_0_picks_one(void) {
    struct address a, b, c;
    int fds[] = {open_ok(&a, "127.0.0.1:0"), open_ok(&b, "[::1]:0"), open_ok(&c, ":0")};
    CU_ASSERT_TRUE(address_is_ipv4(&a) && !address_is_ipv4(&b) && !address_is_ipv4(&c));
    CU_ASSERT_TRUE(a.port != c.port);
    // All addresses means IPv4 too.
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(c.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    close(fd);
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

static void test_port_taken(void) {
    struct address address, again;
    int fd = open_ok(&address, "127.0.0.1:0");
    struct err err = {0};
    again = address;
    CU_ASSERT_EQUAL(listen_open(&again, &err), -1);
    CU_ASSERT_EQUAL(err.errnum, EADDRINUSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "another program listens there already"));
    // Shared among our workers, it is still taken for everybody else.
    CU_ASSERT_TRUE_FATAL(listen_share(fd, &err));
    int second = listen_again(&address, &err);
    CU_ASSERT_TRUE_FATAL(second >= 0);
    CU_ASSERT_EQUAL(listen_open(&again, &err), -1);
    CU_ASSERT_EQUAL(err.errnum, EADDRINUSE);
    close(fd);
    close(second);
    fd = listen_open(&again, &err);
    CU_ASSERT_TRUE(fd >= 0);
    close(fd);
}

static void test_no_such_address(void) {
    struct address address;
    struct err err = {0};
    CHECK(listen_parse(&address, "192.0.2.1:0", NULL));
    CU_ASSERT_EQUAL(listen_open(&address, &err), -1);
    CU_ASSERT_EQUAL(err.errnum, EADDRNOTAVAIL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot listen on 192.0.2.1:0: this machine has no"));
}

static void listen_low(void) {
    struct address address;
    struct err err = {0};
    CHECK(listen_parse(&address, "127.0.0.1:1", NULL));
    // Root without its capabilities is like anybody.
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    CHECK(syscall(SYS_capset, &head, none) == 0);
    int fd = listen_open(&address, &err);
    // A machine may allow low ports to everybody (ip_unprivileged_port_start).
    CU_ASSERT_TRUE(fd >= 0 || err.errnum == EACCES);
    CU_ASSERT_TRUE(fd >= 0 || strstr(err.msg, "CAP_NET_BIND_SERVICE") != NULL);
}

static void test_no_permission(void) { CU_ASSERT_TRUE(child_passes(listen_low)); }

static bool option_is_on(int fd, int level, int name) {
    int on = 0;
    socklen_t len = sizeof(on);
    return getsockopt(fd, level, name, &on, &len) == 0 && on != 0;
}

static void test_accepted_are_prepared(void) {
    struct address address;
    struct err err = {0};
    CU_ASSERT_TRUE_FATAL(listen_parse(&address, "127.0.0.1:0", &err));
    int fd = listen_open(&address, &err);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    int client = client_open(address.port), peer = server_accept(fd);
    CU_ASSERT_TRUE(option_is_on(peer, IPPROTO_TCP, TCP_NODELAY));
    CU_ASSERT_TRUE(option_is_on(peer, SOL_SOCKET, SO_KEEPALIVE));
    close(client);
    close(peer);
    close(fd);
}

const struct unit_case unit_cases[] = {
    {"parse", test_parse},
    {"parse refuses", test_parse_refuses},
    {"port 0 picks one", test_port_0_picks_one},
    {"port taken", test_port_taken},
    {"no such address", test_no_such_address},
    {"no permission", test_no_permission},
    {"what is accepted is prepared", test_accepted_are_prepared},
    {NULL, NULL},
};
