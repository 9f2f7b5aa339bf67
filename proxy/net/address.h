// struct address between its four shapes: ours, the kernel's, a literal, a line for the user.
#ifndef PROXY_NET_ADDRESS_H_
#define PROXY_NET_ADDRESS_H_

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "logs/base/check.h"
#include "proxy/session/session.h"

enum { ADDRESS_TEXT_SIZE = sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535") };

// address_is_ipv4 tells the ::ffff:0:0/96 that IPv4 addresses are held in (RFC 4291 section
// 2.5.5.2).
bool address_is_ipv4(const struct address *address);

// address_is_any tells 0.0.0.0 and ::, address_is_loopback 127.0.0.0/8 and ::1.
bool address_is_any(const struct address *address);
bool address_is_loopback(const struct address *address);

// address_same_ip and address_equal compare without and with the port.
bool address_same_ip(const struct address *a, const struct address *b);
bool address_equal(const struct address *a, const struct address *b);

// address_parse reads an IPv4 or IPv6 literal without brackets, port or zone; it sets the port to
// 0. It returns false for everything else.
WUNRES bool address_parse(struct address *out, const char *literal);

// address_from_sockaddr takes an AF_INET or AF_INET6 address; other families are a CHECK.
// address_to_sockaddr writes one, AF_INET where it can be, and returns its length.
void address_from_sockaddr(struct address *out, const struct sockaddr *sa);
socklen_t address_to_sockaddr(struct sockaddr_storage *out, const struct address *address);

// address_text writes "192.0.2.1:443" or "[2001:db8::1]:443" to `out`, of ADDRESS_TEXT_SIZE bytes,
// and returns `out`.
char *address_text(char *out, const struct address *address);

// address_ip_text writes the address alone, without brackets: "192.0.2.1", "2001:db8::1".
char *address_ip_text(char *out, const struct address *address);

#endif // PROXY_NET_ADDRESS_H_
