#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/redact/internal.h"

enum { IPV4 = 4, IPV6 = 16, BLOCK = 254 };

// read reads an address of either family and returns its length, or 0. One of IPv4 inside IPv6 is
// of IPv4.
static size_t read(uint8_t out[16], const char *text) {
    if (inet_pton(AF_INET, text, out) == 1) {
        return IPV4;
    }
    return inet_pton(AF_INET6, text, out) == 1 ? IPV6 : 0;
}

// tells_nothing returns whether everybody has the address: loopback and unspecified.
static bool tells_nothing(const uint8_t *p, size_t p_len) {
    static const uint8_t none[16];
    if (p_len == IPV4) {
        return p[0] == 127 || memcmp(p, none, IPV4) == 0;
    }
    return memcmp(p, none, 15) == 0 && p[15] <= 1;
}

// number_of counts the addresses in the order in which they are met.
static size_t number_of(struct redact *redact, const uint8_t *p, size_t p_len) {
    for (size_t i = 0; i < redact->num_addresses; i++) {
        if (redact->addresses[i][0] == p_len && memcmp(redact->addresses[i] + 1, p, p_len) == 0) {
            return i;
        }
    }
    if (redact->num_addresses == ADDRESSES_MAX) {
        return ADDRESSES_MAX - 1;
    }
    redact->addresses =
        xrealloc(redact->addresses, (redact->num_addresses + 1) * sizeof(*redact->addresses));
    uint8_t *slot = redact->addresses[redact->num_addresses];
    slot[0] = (uint8_t)p_len;
    memcpy(slot + 1, p, p_len);
    redact->counts.addresses++;
    return redact->num_addresses++;
}

// An address of the documentation's ranges (RFC 5737, RFC 3849).
static void stand_in(uint8_t *out, size_t len, size_t number) {
    static const uint8_t blocks[][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};
    if (len == IPV4) {
        memcpy(out, blocks[number / BLOCK % ARRAY_LEN(blocks)], 3);
        out[3] = (uint8_t)(1 + number % BLOCK);
        return;
    }
    static const uint8_t prefix[16] = {0x20, 0x01, 0x0d, 0xb8};
    memcpy(out, prefix, sizeof(prefix));
    out[14] = (uint8_t)((number + 1) >> 8);
    out[15] = (uint8_t)(number + 1);
}

bool address_map_bytes(struct redact *redact, uint8_t *p, size_t p_len) {
    static const uint8_t inside[12] = {[10] = 0xff, [11] = 0xff};
    if (p_len == IPV6 && memcmp(p, inside, sizeof(inside)) == 0) {
        return address_map_bytes(redact, p + sizeof(inside), IPV4);
    }
    if ((p_len != IPV4 && p_len != IPV6) || tells_nothing(p, p_len)) {
        return false;
    }
    stand_in(p, p_len, number_of(redact, p, p_len));
    return true;
}

bool address_map(struct redact *redact, char *out, const char *text) {
    uint8_t address[16];
    size_t len = read(address, text);
    if (len == 0 || !address_map_bytes(redact, address, len)) {
        return false;
    }
    CHECK(inet_ntop(len == IPV4 ? AF_INET : AF_INET6, address, out, ADDRESS_TEXT_MAX) != NULL);
    return true;
}

// fit makes `to` as long as `len` by zeros before its last number, or cuts what does not fit.
static void fit(char *out, size_t len, const char *to) {
    size_t to_len = strlen(to);
    if (to_len > len) {
        memset(out, '0', len);
        for (size_t i = 1; i < len && i < 7; i += 2) {
            out[i] = strchr(to, ':') != NULL ? ':' : '.';
        }
    } else {
        size_t last = to_len;
        while (last > 0 && to[last - 1] != '.' && to[last - 1] != ':') {
            last--;
        }
        memcpy(out, to, last);
        memset(out + last, '0', len - to_len);
        memcpy(out + last + len - to_len, to + last, to_len - last);
    }
    out[len] = '\0';
}

void address_learn(struct redact *redact, const char *text) {
    char to[ADDRESS_TEXT_MAX], fitted[ADDRESS_TEXT_MAX];
    if (strlen(text) < sizeof(fitted) && address_map(redact, to, text)) {
        fit(fitted, strlen(text), to);
        redact_pairs_add_address(&redact->pairs, text, to, fitted);
    }
}
