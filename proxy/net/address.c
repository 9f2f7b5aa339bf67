#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_is_ipv4(const struct address *address) {
    return memcmp(address->ip, mapped, sizeof(mapped)) == 0;
}

bool address_is_any(const struct address *address) {
    static const uint8_t zero[16];
    size_t skip = address_is_ipv4(address) ? sizeof(mapped) : 0;
    return memcmp(address->ip + skip, zero + skip, 16 - skip) == 0;
}

bool address_is_loopback(const struct address *address) {
    return address_is_ipv4(address) ? address->ip[12] == 127
                                    : memcmp(address->ip, &in6addr_loopback, 16) == 0;
}

bool address_same_ip(const struct address *a, const struct address *b) {
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool address_equal(const struct address *a, const struct address *b) {
    return address_same_ip(a, b) && a->port == b->port;
}

bool address_parse(struct address *out, const char *literal) {
    *out = (struct address){0};
    if (inet_pton(AF_INET, literal, out->ip + sizeof(mapped)) == 1) {
        memcpy(out->ip, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, literal, out->ip) == 1;
}

void address_from_sockaddr(struct address *out, const struct sockaddr *sa) {
    CHECK(sa->sa_family == AF_INET || sa->sa_family == AF_INET6);
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        memcpy(out->ip, &in6.sin6_addr, sizeof(out->ip));
        out->port = ntohs(in6.sin6_port);
        return;
    }
    struct sockaddr_in in;
    memcpy(&in, sa, sizeof(in));
    memcpy(out->ip, mapped, sizeof(mapped));
    memcpy(out->ip + sizeof(mapped), &in.sin_addr, 4);
    out->port = ntohs(in.sin_port);
}

socklen_t address_to_sockaddr(struct sockaddr_storage *out, const struct address *address) {
    *out = (struct sockaddr_storage){0};
    if (address_is_ipv4(address)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->ip + sizeof(mapped), 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    memcpy(&in6.sin6_addr, address->ip, 16);
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

char *address_ip_text(char *out, const struct address *address) {
    bool ipv4 = address_is_ipv4(address);
    const uint8_t *ip = address->ip + (ipv4 ? sizeof(mapped) : 0);
    CHECK(inet_ntop(ipv4 ? AF_INET : AF_INET6, ip, out, ADDRESS_TEXT_SIZE) != NULL);
    return out;
}

char *address_text(char *out, const struct address *address) {
    char ip[ADDRESS_TEXT_SIZE];
    address_ip_text(ip, address);
    snprintf(out, ADDRESS_TEXT_SIZE, address_is_ipv4(address) ? "%.45s:%u" : "[%.45s]:%u", ip,
             address->port);
    return out;
}
