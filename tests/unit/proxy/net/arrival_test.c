#include "proxy/net/arrival.h"

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

static void test_loops(void) {
    uint16_t port;
    int listening = server_open(&port);
    int client = client_open(port);
    int fd = server_accept(listening);
    struct address to = at(port), elsewhere = at((uint16_t)(port + 1)), from = {0};
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    CHECK(getsockname(client, (struct sockaddr *)&sa, &len) == 0);
    address_from_sockaddr(&from, (struct sockaddr *)&sa);
    struct loops *loops = loops_new();
    CU_ASSERT(!loops_meets(loops, &from, &to));
    loops_note(loops, client, &to);
    CU_ASSERT(!loops_met(loops, client));
    CU_ASSERT(!loops_meets(loops, &from, &elsewhere));
    CU_ASSERT(!loops_met(loops, client));
    CU_ASSERT(loops_meets(loops, &from, &to));
    CU_ASSERT(loops_met(loops, client));
    loops_free(loops);
    close(fd);
    close(client);
    close(listening);
}

const struct unit_case unit_cases[] = {
    {"a connection made to us", test_straight},
    {"our own come back", test_loops},
    {NULL, NULL},
};
