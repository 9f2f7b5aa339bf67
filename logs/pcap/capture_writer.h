// A pcapng file out: streams as synthesised TCP, and the secrets that decrypt them.
#ifndef LOGS_PCAP_CAPTURE_WRITER_H_
#define LOGS_PCAP_CAPTURE_WRITER_H_

#include <stdio.h>

#include "logs/base/err.h"
#include "logs/record/obj.h"

struct capture_writer;

// capture_writer_new begins a pcapng file of one Ethernet interface on `out`, which stays the
// caller's. The caller ends it with capture_writer_free, which returns false and an error when
// anything could not be written.
WUNRES struct capture_writer *capture_writer_new(FILE *out);
bool capture_writer_free(struct capture_writer *writer, struct err *err);

// capture_writer_secrets adds a decryption secrets block with NSS key log lines. Readers want it
// before the packets that it decrypts.
void capture_writer_secrets(struct capture_writer *writer, const void *text, size_t text_len);

// struct capture_end is one end of a stream; IPv4 addresses are ::ffff:a.b.c.d.
struct capture_end {
    uint8_t address[16];
    uint16_t port;
};

// struct capture_stream is a TCP connection being written. Its caller owns it and sets `client` and
// `server`, both IPv4 or both IPv6, may set what follows, and zeroes the rest.
struct capture_stream {
    struct capture_end client, server;
    int64_t connect_us;  // from the SYN to its answer
    const char *comment; // of the SYN, at most CAPTURE_COMMENT_MAX bytes; NULL for none
    uint32_t next[2];    // sequence numbers of the client and the server; private
    bool fin[2];         // likewise
};

enum { CAPTURE_COMMENT_MAX = 1024 };

// capture_stream_open writes the handshake of TCP, capture_stream_data bytes of one side as
// segments and the acknowledgement of the other, capture_stream_fin the end of one direction and
// its acknowledgement, capture_stream_reset a RST. Times are microseconds since 1970.
void capture_stream_open(struct capture_writer *writer, struct capture_stream *stream,
                         int64_t time_us);
void capture_stream_data(struct capture_writer *writer, struct capture_stream *stream,
                         bool from_client, const void *p, size_t p_len, int64_t time_us);

// capture_stream_skip passes over bytes of one side that the capture is to miss.
void capture_stream_skip(struct capture_stream *stream, bool from_client, uint64_t len);
void capture_stream_fin(struct capture_writer *writer, struct capture_stream *stream,
                        bool from_client, int64_t time_us);
void capture_stream_reset(struct capture_writer *writer, struct capture_stream *stream,
                          bool from_client, int64_t time_us);

#endif // LOGS_PCAP_CAPTURE_WRITER_H_
