#include "proxy/cli/lab_client.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

// A proxy that takes one connection: it answers the request with `answer`, and reads to the end.
static struct {
    int listener, over;
    const char *answer;
    bool ends; // tells the client that nothing more will come
    char request[1024], hello[4096];
    ssize_t hello_len;
} proxy;

static void *serve(void *arg) {
    (void)arg;
    int fd = accept(proxy.listener, NULL, NULL);
    size_t len = 0;
    while (strstr(proxy.request, "\r\n\r\n") == NULL && recv(fd, proxy.request + len, 1, 0) == 1) {
        len++;
    }
    CHECK(send(fd, proxy.answer, strlen(proxy.answer), MSG_NOSIGNAL) > 0);
    proxy.hello_len = recv(fd, proxy.hello, sizeof(proxy.hello), 0);
    if (proxy.ends) {
        CHECK(eventfd_write(proxy.over, 1) == 0);
        char byte;
        (void)!recv(fd, &byte, 1, 0);
    }
    close(fd);
    return NULL;
}

// ask has a client ask through a proxy that answers with `answer`.
static bool ask(const struct lab_client_plan *plan, const char *answer, bool ends) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_len = sizeof(at);
    pthread_t thread;
    memset(&proxy, 0, sizeof(proxy));
    proxy.answer = answer;
    proxy.ends = ends;
    proxy.over = eventfd(0, EFD_CLOEXEC);
    proxy.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(proxy.listener, (struct sockaddr *)&at, at_len) == 0 &&
          listen(proxy.listener, 1) == 0 &&
          getsockname(proxy.listener, (struct sockaddr *)&at, &at_len) == 0 &&
          pthread_create(&thread, NULL, serve, NULL) == 0);
    const struct lab_route route = {
        .proxy = ntohs(at.sin_port), .host = "a.localhost", .port = 443, .over = proxy.over};
    bool got = lab_client_ask(plan, &route);
    CHECK(pthread_join(thread, NULL) == 0);
    close(proxy.listener);
    close(proxy.over);
    return got;
}

static const struct lab_client_plan nobody = {.trust = LAB_TRUST_NOBODY};

static void test_request(void) {
    const struct lab_client_plan plan = {.trust = LAB_TRUST_NOBODY, .agent = "Tester/7"};
    CU_ASSERT_FALSE(ask(&plan, "HTTP/1.1 403 Forbidden\r\n\r\n", false));
    CU_ASSERT_STRING_EQUAL(proxy.request, "CONNECT a.localhost:443 HTTP/1.1\r\n"
                                          "Host: a.localhost:443\r\nUser-Agent: Tester/7\r\n\r\n");
    CU_ASSERT_EQUAL(proxy.hello_len, 0); // no way, no hello
}

static void test_hello(void) {
    CU_ASSERT_FALSE(ask(&nobody, "HTTP/1.1 200 OK\r\n\r\n", false));
    CU_ASSERT_TRUE(proxy.hello_len > 100 && proxy.hello[0] == 22);
}

static void test_speculative(void) {
    const struct lab_client_plan plan = {.trust = LAB_TRUST_NOBODY, .speculative = true};
    CU_ASSERT_FALSE(ask(&plan, "HTTP/1.1 200 OK\r\n\r\n", false));
    CU_ASSERT_TRUE(proxy.hello_len > 100 && proxy.hello[0] == 22);
}

static void test_gives_up_when_it_is_over(void) {
    CU_ASSERT_FALSE(ask(&nobody, "HTTP/1.1 200 OK\r\n\r\n", true));
    CU_ASSERT_TRUE(proxy.hello_len > 100);
}

static void test_garbage(void) {
    CU_ASSERT_FALSE(ask(&nobody, "no HTTP at all\r\n\r\n", false));
    CU_ASSERT_FALSE(ask(&nobody, "HTTP/1.1 200 OK\r\n\r\nno TLS at all", false));
}

const struct unit_case unit_cases[] = {
    {"the request", test_request},
    {"the hello", test_hello},
    {"says hello and leaves", test_speculative},
    {"gives up when it is over", test_gives_up_when_it_is_over},
    {"proxies that answer garbage", test_garbage},
    {NULL, NULL},
};
