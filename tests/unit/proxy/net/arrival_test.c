#include "proxy/net/arrival.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/net/address.h"
#include "tests/unit/proxy/net/harness.h"
#include "tests/unit/unit.h"

static struct address at(uint16_t port) {
    struct address address;
    CHECK(address_parse(&address, "127.0.0.1"));
    address.port = port;
    return address;
}

// What nobody redirected was made to us.
static void test_straight(void) {
    uint16_t port;
    int listening = server_open(&port);
    int client = client_open(port);
    int fd = server_accept(listening);
    struct address listen = at(port), any, out;
    CU_ASSERT(!arrival_original(&out, fd, &listen));
    CHECK(address_parse(&any, "0.0.0.0"));
    any.port = port;
    CU_ASSERT(!arrival_original(&out, fd, &any));
    // As with TPROXY: its local address is not the one that is listened on.
    struct address other = at((uint16_t)(port - 1));
    CU_ASSERT(arrival_original(&out, fd, &other) && address_equal(&out, &listen));
    close(fd);
    close(client);
    close(listening);
}

// dial connects as the proxy does, or as a stranger where `loops` is NULL, to the port of `to`.
static int dial(struct loops *loops, const struct address *to) {
    struct sockaddr_storage sa;
    socklen_t len = address_to_sockaddr(&sa, to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    int result = loops != NULL ? loops_connect(loops, fd, (struct sockaddr *)&sa, len, to)
                               : connect(fd, (struct sockaddr *)&sa, len);
    CHECK(result == 0);
    return fd;
}

// accept_from accepts a connection and tells where it comes from.
static int accept_from(int listening, struct address *out) {
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    int fd = accept4(listening, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    address_from_sockaddr(out, (struct sockaddr *)&sa);
    return fd;
}

static void test_loops(void) {
    uint16_t port;
    int listening = server_open(&port);
    struct loops *loops = loops_new();
    struct address to = at(port), elsewhere = at((uint16_t)(port + 1)), from;
    int stranger = dial(NULL, &to), fd = accept_from(listening, &from);
    CU_ASSERT(!loops_meets(loops, &from, &to));
    CU_ASSERT(!loops_met(loops, stranger));
    close(fd);
    close(stranger);
    int ours = dial(loops, &to);
    fd = accept_from(listening, &from);
    CU_ASSERT(!loops_met(loops, ours));
    CU_ASSERT(!loops_meets(loops, &from, &elsewhere));
    CU_ASSERT(!loops_met(loops, ours));
    CU_ASSERT(loops_meets(loops, &from, &to));
    CU_ASSERT(loops_met(loops, ours));
    close(fd);
    close(ours);
    // A failure is that of connect, and nobody comes back.
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nowhere/at/all"};
    int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL(loops_connect(loops, local, (struct sockaddr *)&nowhere, sizeof(nowhere), &to),
                    -1);
    CU_ASSERT_EQUAL(errno, ENOENT);
    close(local);
    loops_free(loops);
    close(listening);
}

struct dials {
    struct loops *loops;
    struct address to;
};

enum { NUM_DIALS = 3000 };

static void *dial_often(void *arg) {
    struct dials *dials = arg;
    for (int i = 0; i < NUM_DIALS; i++) {
        close(dial(dials->loops, &dials->to));
    }
    return NULL;
}

// However soon another thread accepts it, an attempt is known.
static void test_loops_at_once(void) {
    uint16_t port;
    int listening = server_open(&port);
    struct dials dials = {loops_new(), at(port)};
    pthread_t thread;
    int missed = 0;
    CHECK(pthread_create(&thread, NULL, dial_often, &dials) == 0);
    for (int i = 0; i < NUM_DIALS; i++) {
        struct address from;
        int fd = accept_from(listening, &from);
        missed += !loops_meets(dials.loops, &from, &dials.to);
        close(fd);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CU_ASSERT_EQUAL(missed, 0);
    loops_free(dials.loops);
    close(listening);
}

const struct unit_case unit_cases[] = {
    {"a connection made to us", test_straight},
    {"our own come back", test_loops},
    {"our own come back at once", test_loops_at_once},
    {NULL, NULL},
};
