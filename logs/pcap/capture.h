// A capture file, packet by packet: pcap and pcapng.
#ifndef LOGS_PCAP_CAPTURE_H_
#define LOGS_PCAP_CAPTURE_H_

#include "logs/base/err.h"
#include "logs/record/obj.h"

// struct packet is one packet as it was captured; `p` is valid until the next call.
struct packet {
    int64_t time_us;    // since 1970
    uint32_t link_type; // LINKTYPE_ of the capture formats
    const uint8_t *p;
    size_t len;        // bytes that were captured,
    uint32_t wire_len; // of so many on the wire
};

enum capture_result {
    CAPTURE_PACKET,
    CAPTURE_END,
    CAPTURE_CUT, // the file ends inside a packet or block
    CAPTURE_BAD, // what follows is not what the format says
};

// The longest packet that is read, and the most key log text that is kept of one file.
enum { CAPTURE_PACKET_MAX = 256 * 1024, CAPTURE_SECRETS_MAX = 16 * 1024 * 1024 };

struct capture;

// capture_open opens the file `path`, or standard input for "-". It returns NULL when it cannot be
// opened or does not begin as a capture; the error names the file. The caller frees it with
// capture_free, which does nothing for NULL.
WUNRES struct capture *capture_open(const char *path, struct err *err);
void capture_free(struct capture *capture);

// capture_next sets `*out` to the next packet and returns CAPTURE_PACKET. Every other result is the
// last one; for CAPTURE_CUT and CAPTURE_BAD the error names the file, the offset and what was
// expected there.
WUNRES enum capture_result capture_next(struct capture *capture, struct packet *out,
                                        struct err *err);

// capture_secrets returns the NSS key log text of the decryption secrets blocks passed so far,
// valid until the next call.
struct span capture_secrets(const struct capture *capture);

// capture_offset is how many bytes were read so far, capture_size how many there are: 0 when that
// cannot be known, as of a pipe.
uint64_t capture_offset(const struct capture *capture);
uint64_t capture_size(const struct capture *capture);

#endif // LOGS_PCAP_CAPTURE_H_
