// A record as the capture that would have been taken on the proxy's own machine.
#ifndef LOGS_PCAP_RECORD_CAPTURE_H_
#define LOGS_PCAP_RECORD_CAPTURE_H_

#include "logs/base/buf.h"
#include "logs/pcap/capture_writer.h"

// record_capture_secrets appends the secrets of both legs, lines of an NSS key log. It returns
// false past the ceiling of `out`.
WUNRES bool record_capture_secrets(struct buf *out, const struct obj *root);

// record_capture_write writes the secrets of `root` and each leg that was kept as a TCP connection:
// its handshake, the CONNECT of the client leg, the bytes of TLS exactly, and its end. Of a leg
// whose bytes were not kept there is the ClientHello alone. What the record does not hold is made
// up: addresses are then of 192.0.2.0/24, and the CONNECT has no fields but Host and User-Agent. It
// returns how many legs were written; of them `*out_bare` have the ClientHello alone.
size_t record_capture_write(struct capture_writer *writer, size_t *out_bare,
                            const struct obj *root);

#endif // LOGS_PCAP_RECORD_CAPTURE_H_
