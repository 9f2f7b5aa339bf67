// Numbers of packets and blocks.
#ifndef LOGS_PCAP_BYTES_H_
#define LOGS_PCAP_BYTES_H_

#include <stdint.h>

static inline uint16_t get_be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t get_be32(const uint8_t *p) {
    return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

static inline uint16_t get_le16(const uint8_t *p) { return (uint16_t)(p[1] << 8 | p[0]); }

static inline uint32_t get_le32(const uint8_t *p) {
    return (uint32_t)get_le16(p + 2) << 16 | get_le16(p);
}

#endif // LOGS_PCAP_BYTES_H_
