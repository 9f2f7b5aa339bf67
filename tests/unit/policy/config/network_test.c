#include "policy/config/network.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

// clang-format off
static const struct { const char *text; enum network_verdict verdict; const char *canonical; } PARSED[] = {
    {"192.0.2.1", NETWORK_OK, "192.0.2.1"},
    {"192.0.2.1/32", NETWORK_OK, "192.0.2.1"},
    {"192.0.2.0/24", NETWORK_OK, "192.0.2.0/24"},
    {"128.0.0.0/1", NETWORK_OK, "128.0.0.0/1"},
    {"0.0.0.0/0", NETWORK_OK, "0.0.0.0/0"},
    {"::", NETWORK_OK, "::"},
    {"::/0", NETWORK_OK, "::/0"},
    {"2001:DB8:0::0/33", NETWORK_OK, "2001:db8::/33"},
    {"0:0:0:0:0:0:0:1", NETWORK_OK, "::1"},
    {"::ffff:192.0.2.1", NETWORK_OK, "192.0.2.1"},
    {"::ffff:192.0.2.0/120", NETWORK_OK, "192.0.2.0/24"},
    {"::ffff:0:0/96", NETWORK_OK, "0.0.0.0/0"},
    {"::fffe:0:0/95", NETWORK_OK, "::fffe:0:0/95"},
    {"192.0.2.1/24", NETWORK_HOST_BITS, "192.0.2.0/24"},
    {"192.0.2.1/31", NETWORK_HOST_BITS, "192.0.2.0/31"},
    {"::ffff:0:0/95", NETWORK_HOST_BITS, "::fffe:0:0/95"},
    {"::1/0", NETWORK_HOST_BITS, "::/0"},
    {"192.0.2.0/33", NETWORK_BAD_LENGTH, NULL},
    {"::/129", NETWORK_BAD_LENGTH, NULL},
    {"::/", NETWORK_BAD_LENGTH, NULL},
    {"::/-1", NETWORK_BAD_LENGTH, NULL},
    {"::/ 1", NETWORK_BAD_LENGTH, NULL},
    {"::/01", NETWORK_BAD_LENGTH, NULL},
    {"::/1/2", NETWORK_BAD_LENGTH, NULL},
    {"::/4294967296", NETWORK_BAD_LENGTH, NULL},
    {"", NETWORK_NO_ADDRESS, NULL},
    {"/8", NETWORK_NO_ADDRESS, NULL},
    {"192.0.2", NETWORK_NO_ADDRESS, NULL},
    {"192.0.2.256", NETWORK_NO_ADDRESS, NULL},
    {"192.0.2.1.", NETWORK_NO_ADDRESS, NULL},
    {"[::1]", NETWORK_NO_ADDRESS, NULL},
    {"fe80::1%lo", NETWORK_NO_ADDRESS, NULL},
    {"a.test", NETWORK_NO_ADDRESS, NULL},
    {"00000000000000000000000000000000000000000000000000000000::/8", NETWORK_NO_ADDRESS, NULL},
};

static const struct { const char *network, *address; bool inside; } CONTAINED[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.1.255", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7", "192.0.2.6", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "::1", true},
    {"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
    {"::/0", "192.0.2.1", false},
    {"::fffe:0:0/95", "192.0.2.1", false},
    {"::fffe:0:0/95", "::fffe:1:2", true},
    {"::ffff:0:0/96", "192.0.2.1", true},
    {"8000::/1", "7fff::", false},
    {"8000::/1", "8000::1", true},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"::1", "0:0:0:0:0:0:0:1", true},
    {"::1", "::2", false},
};
// clang-format on

static void test_parse(void) {
    for (size_t i = 0; i < ARRAY_LEN(PARSED); i++) {
        struct network network = {0};
        CU_ASSERT_EQUAL(network_parse(&network, PARSED[i].text), PARSED[i].verdict);
        if (PARSED[i].canonical != NULL) {
            char text[NETWORK_TEXT_MAX];
            network_text(text, &network);
            CU_ASSERT_STRING_EQUAL(text, PARSED[i].canonical);
            struct network again;
            CU_ASSERT_EQUAL(network_parse(&again, text), NETWORK_OK);
            CU_ASSERT_EQUAL(again.bits, network.bits);
            CU_ASSERT_EQUAL(memcmp(again.address, network.address, 16), 0);
        }
    }
}

static void test_contains(void) {
    for (size_t i = 0; i < ARRAY_LEN(CONTAINED); i++) {
        struct network network;
        uint8_t address[16];
        CU_ASSERT_EQUAL_FATAL(network_parse(&network, CONTAINED[i].network), NETWORK_OK);
        CU_ASSERT_FATAL(network_parse_address(address, CONTAINED[i].address));
        CU_ASSERT_EQUAL(network_contains(&network, address), CONTAINED[i].inside);
    }
}

static void test_longest_text(void) {
    struct network network;
    char text[NETWORK_TEXT_MAX];
    static const char LONGEST[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127";
    CU_ASSERT_EQUAL(network_parse(&network, LONGEST), NETWORK_OK);
    network_text(text, &network);
    CU_ASSERT_STRING_EQUAL(text, LONGEST);
}

const struct unit_case unit_cases[] = {
    {"parse", test_parse},
    {"contains", test_contains},
    {"the longest text", test_longest_text},
    {NULL, NULL},
};
