// HTTPS resource records in DNS messages (RFC 1035 section 4, RFC 9460): the configurations of
// Encrypted Client Hello that they carry (RFC 9848).
#ifndef PROXY_NET_HTTPS_RECORD_H_
#define PROXY_NET_HTTPS_RECORD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTPS_RECORD_TYPE = 65, HTTPS_RECORD_NAME_SIZE = 272 };

// https_record_name writes the name to ask for, which depends on the port (RFC 9460 section 9.1),
// and returns false where it is too long for one.
bool https_record_name(char out[HTTPS_RECORD_NAME_SIZE], const char *host, uint16_t port);

// https_record_ech finds the parameter "ech" of that HTTPS record among the answers of the message
// that has one and the best priority, and views it. Aliases have none. It returns false without
// one, and for a message that is malformed before its end.
bool https_record_ech(const uint8_t **out, size_t *out_len, const uint8_t *message,
                      size_t message_len);

#endif // PROXY_NET_HTTPS_RECORD_H_
