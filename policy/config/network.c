#include "policy/config/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "logs/base/decimal.h"

enum { MAPPED_BITS = 96 };

static const uint8_t MAPPED[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const uint8_t address[16]) {
    return memcmp(address, MAPPED, sizeof(MAPPED)) == 0;
}

bool network_parse_address(uint8_t out[16], const char *text) {
    if (inet_pton(AF_INET6, text, out) == 1) {
        return true;
    }
    memcpy(out, MAPPED, sizeof(MAPPED));
    return inet_pton(AF_INET, text, out + sizeof(MAPPED)) == 1;
}

// parse_bits reads one to three digits without a leading zero.
static bool parse_bits(unsigned *out, const char *text) {
    size_t len = strlen(text);
    if (len < 1 || len > 3 || strspn(text, "0123456789") != len || (len > 1 && text[0] == '0')) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        *out = *out * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

// clear_host_bits returns whether it changed anything.
static bool clear_host_bits(struct network *network) {
    bool changed = false;
    for (unsigned i = network->bits; i < 128; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        changed |= (network->address[i / 8] & bit) != 0;
        network->address[i / 8] &= (uint8_t)~bit;
    }
    return changed;
}

enum network_verdict network_parse(struct network *out, const char *text) {
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    if (len >= sizeof(address)) {
        return NETWORK_NO_ADDRESS;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    if (!network_parse_address(out->address, address)) {
        return NETWORK_NO_ADDRESS;
    }
    out->bits = 128;
    if (text[len] == '\0') {
        return NETWORK_OK;
    }
    unsigned skipped = strchr(address, ':') == NULL ? MAPPED_BITS : 0, bits;
    if (!parse_bits(&bits, text + len + 1) || bits + skipped > 128) {
        return NETWORK_BAD_LENGTH;
    }
    out->bits = (uint8_t)(bits + skipped);
    return clear_host_bits(out) ? NETWORK_HOST_BITS : NETWORK_OK;
}

bool network_contains(const struct network *network, const uint8_t address[16]) {
    if (network->bits < MAPPED_BITS && is_mapped(address)) {
        return false;
    }
    size_t whole = network->bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> network->bits % 8);
    return memcmp(network->address, address, whole) == 0 &&
           (mask == 0 || ((network->address[whole] ^ address[whole]) & mask) == 0);
}

// ipv4_text does what inet_ntop does through printf: each record holds half a dozen addresses.
static char *ipv4_text(char *out, const uint8_t *ip) {
    for (size_t i = 0; i < 4; i++) {
        out += decimal_write(out, ip[i]);
        *out++ = i < 3 ? '.' : '\0';
    }
    return out - 1;
}

void network_text(char out[NETWORK_TEXT_MAX], const struct network *network) {
    bool v4 = network->bits >= MAPPED_BITS && is_mapped(network->address);
    char text[NETWORK_TEXT_MAX + DECIMAL_MAX], *end = text;
    if (v4) {
        end = ipv4_text(text, network->address + sizeof(MAPPED));
    } else {
        CHECK(inet_ntop(AF_INET6, network->address, text, NETWORK_TEXT_MAX) != NULL);
        end += strlen(text);
    }
    if (network->bits != 128) {
        *end++ = '/';
        end += decimal_write(end, network->bits - (v4 ? MAPPED_BITS : 0u));
        *end = '\0';
    }
    memcpy(out, text, (size_t)(end - text) + 1);
}
