#include "proxy/net/address.h"

#include <netinet/in.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct address parsed(const char *literal, uint16_t port) {
    struct address address;
    CU_ASSERT_TRUE_FATAL(address_parse(&address, literal));
    CU_ASSERT_EQUAL(address.port, 0);
    address.port = port;
    return address;
}

static void test_text(void) {
    static const struct {
        const char *literal, *text;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:443"},
        {"::1", "[::1]:443"},
        {"::ffff:192.0.2.1", "192.0.2.1:443"}, // one address, one name
        {"::", "[::]:443"},
        {"2001:db8:0:0::1", "[2001:db8::1]:443"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:443"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address = parsed(cases[i].literal, 443);
        char text[ADDRESS_TEXT_SIZE];
        CU_ASSERT_STRING_EQUAL(address_text(text, &address), cases[i].text);
    }
}

static void test_parse_refuses(void) {
    static const char *const bad[] = {"",           "localhost", "127.0.0.1:80",
                                      "[::1]",      "127.1",     "1.2.3.256",
                                      "fe80::1%lo", ":::",       "0x7f.0.0.1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct address address;
        CU_ASSERT_FALSE(address_parse(&address, bad[i]));
    }
}

static void test_sockaddr_round_trip(void) {
    static const char *const literals[] = {"192.0.2.1", "2001:db8::1", "0.0.0.0", "::"};
    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        struct address address = parsed(literals[i], 65535), back;
        struct sockaddr_storage sa;
        socklen_t len = address_to_sockaddr(&sa, &address);
        bool ipv4 = strchr(literals[i], '.') != NULL;
        CU_ASSERT_EQUAL(sa.ss_family, ipv4 ? AF_INET : AF_INET6);
        CU_ASSERT_EQUAL(len, ipv4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        address_from_sockaddr(&back, (struct sockaddr *)&sa);
        CU_ASSERT_TRUE(address_equal(&address, &back));
        CU_ASSERT_EQUAL(address_is_ipv4(&back), ipv4);
    }
}

static void test_kinds(void) {
    struct address any4 = parsed("0.0.0.0", 1), any6 = parsed("::", 1);
    struct address lo4 = parsed("127.9.9.9", 1), lo6 = parsed("::1", 1);
    struct address far4 = parsed("192.0.2.1", 1), far6 = parsed("2001:db8::1", 1);
    CU_ASSERT_TRUE(address_is_any(&any4) && address_is_any(&any6));
    CU_ASSERT_FALSE(address_is_any(&lo4) || address_is_any(&lo6) || address_is_any(&far4));
    CU_ASSERT_TRUE(address_is_loopback(&lo4) && address_is_loopback(&lo6));
    CU_ASSERT_FALSE(address_is_loopback(&far4) || address_is_loopback(&far6));
    CU_ASSERT_FALSE(address_is_loopback(&any4) || address_is_loopback(&any6));
    struct address other_port = far4;
    other_port.port = 2;
    CU_ASSERT_TRUE(address_same_ip(&far4, &other_port));
    CU_ASSERT_FALSE(address_equal(&far4, &other_port));
    CU_ASSERT_FALSE(address_same_ip(&far4, &far6));
}

const struct unit_case unit_cases[] = {
    {"text", test_text},
    {"parse refuses", test_parse_refuses},
    {"sockaddr round trip", test_sockaddr_round_trip},
    {"any and loopback", test_kinds},
    {NULL, NULL},
};
