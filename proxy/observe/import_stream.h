// A stream of a capture into a record, sans I/O: finds TLS in it and watches it pass.
#ifndef PROXY_OBSERVE_IMPORT_STREAM_H_
#define PROXY_OBSERVE_IMPORT_STREAM_H_

#include "proxy/observe/observe.h"
#include "proxy/observe/syn.h"

// struct import_end is one end of a connection; the address is in network byte order, IPv4 as
// ::ffff:a.b.c.d.
struct import_end {
    uint8_t address[16];
    uint16_t port;
};

// struct import_start is what is known when the first data of a connection come.
struct import_start {
    struct import_end client, server;
    bool roles_known;           // else the first hello tells which end is the client
    bool whole;                 // the capture holds the connection from its SYN on
    struct syn syn[2];          // of the client, of the server
    int64_t start_us;           // of the first packet, since 1970
    int64_t connect_us;         // from then until TCP was open; below 0: not seen
    const struct key_log *keys; // what the stream is decrypted with, or NULL; outlives the stream
};

// struct import_finish is what is known at the end.
struct import_finish {
    bool ended;        // else the capture ends first
    bool reset;        // by a RST, not a FIN
    bool from_client;  // whose it was, by the ends of import_start
    bool fin[2];       // that the client, the server has ended its direction
    int64_t end_us;    // when
    uint64_t bytes[2]; // of data from the client, from the server
    int rst_ttl;       // of the packet that reset it, below 0: none
    int64_t rtt_us;    // below 0: not seen
    int64_t retransmits;
    bool overlap; // bytes came twice with different values
};

// What became of a stream.
enum import_kind {
    IMPORT_TLS,       // there is a record
    IMPORT_UNDER_WAY, // TLS that began before the capture: neither hello nor alert was seen
    IMPORT_NOT_TLS,   // something else was spoken
    IMPORT_REFUSED,   // a proxy or STARTTLS was asked for TLS, and none came
};

struct import_stream;

// import_stream_new begins a stream. It holds what it needs to tell TLS, at most IMPORT_FRONT_MAX
// bytes a side, then the ClientHello until it is whole and what a wire_tap holds, and the record.
WUNRES struct import_stream *import_stream_new(const struct import_start *start);

// import_stream_bytes takes the next bytes of one side, a TCP segment at a time. It returns false
// when no more are needed: this is not TLS. import_stream_gap says that `len` bytes are missing.
bool import_stream_bytes(struct import_stream *stream, bool from_client, const uint8_t *p,
                         size_t p_len, int64_t now_us);
bool import_stream_gap(struct import_stream *stream, bool from_client, uint64_t len);

// import_stream_memory is about how many bytes the stream holds.
size_t import_stream_memory(const struct import_stream *stream);

// import_stream_end ends the stream, frees it and sets `*out_kind`. For IMPORT_TLS it returns the
// record, without differences and verdict, which the caller frees; else NULL.
struct record *import_stream_end(struct import_stream *stream, enum import_kind *out_kind,
                                 const struct import_finish *finish);

#endif // PROXY_OBSERVE_IMPORT_STREAM_H_
