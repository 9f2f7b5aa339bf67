// One connection of an experiment, without I/O: what is sent, and whatever comes back as an
// ordinary leg. It speaks the session's events, so that the same dialler serves it.
//
//   dial --> [CONNECT to a parent proxy] --> hello, plain HTTP or nothing --> answer --> done
//
// A hello is a draft, of which as much is read as client_flight.h can, or the one of a whole
// handshake of the proxy's library.
//
// However the other end behaves, an exchange holds at most EXCHANGE_BYTES_MAX of it and is done by
// its limits.
#ifndef PROXY_PROBE_EXCHANGE_H_
#define PROXY_PROBE_EXCHANGE_H_

#include "logs/record/record.h"
#include "proxy/probe/library.h"
#include "proxy/session/parent_tls.h"
#include "proxy/session/session.h"
#include "proxy/tls/client_flight.h"

enum {
    EXCHANGE_BYTES_MAX = 512 * 1024, // from the other end, after which it is not listened to
    EXCHANGE_HEAD_MAX = 16 * 1024,   // of a parent proxy's answer
};

enum exchange_sends {
    EXCHANGE_SENDS_HELLO,
    EXCHANGE_SENDS_LIBRARY, // the library's own, and finishes its handshake
    EXCHANGE_SENDS_PLAIN,   // GET / HTTP/1.0 in the clear
    EXCHANGE_SENDS_NOTHING, // waits who speaks or closes first
};

enum exchange_asks {
    EXCHANGE_ASKS_NOTHING,
    EXCHANGE_ASKS_DATE, // HEAD / for its Date
    EXCHANGE_ASKS_PAGE, // GET / for its status and the beginning of what comes
};

// struct exchange_config is copied by exchange_new, the draft and the strings included; what
// `library` points to is not.
struct exchange_config {
    enum exchange_sends sends;
    const struct hello_draft *hello;  // EXCHANGE_SENDS_HELLO
    struct library_config of_library; // EXCHANGE_SENDS_LIBRARY
    struct hello_keys *keys;          // of its shares, borrowed; NULL: only what is plain is read
    const char *host;                 // asked for
    uint16_t port;
    bool by_parent;                      // the connection is to a parent proxy, asked first,
    const struct parent_tls *parent_tls; //   in TLS; NULL: in the clear
    const char *parent_authorization;    // "Basic ..." for it; NULL or "": none
    bool finish;             // TLS 1.3: the handshake is finished, and who objects is heard
    enum exchange_asks asks; // once the handshake is finished
    int64_t answer_us;       // for the answer, from when the hello is sent
    int64_t total_us;        // for all
    void (*sample)(void *ctx, struct transport *out); // asked when the leg ends; may be NULL
    void *sample_ctx;
};

struct exchange_wishes {
    int64_t deadline_us; // of the next EVENT_TIMER; INT64_MAX for none
    bool sending;        // the hello is to be sent from now on
    bool answered;       // the first byte of an answer has come
    bool done;
};

struct exchange;

// exchange_new begins one at `now_us` (monotonic). It returns NULL when the hello cannot be written
// or asked for.
WUNRES struct exchange *exchange_new(const struct exchange_config *config, int64_t now_us,
                                     int64_t wall_ms, struct err *err);
void exchange_free(struct exchange *exchange);

// exchange_input tells what happened on the connection: the dial's events and those of
// SIDE_SERVER. EVENT_STOP ends it.
void exchange_input(struct exchange *exchange, const struct event *event);

// exchange_output is what is to be written at once, as a segment of its own: nothing while there is
// a pause. exchange_output_done tells that `len` of it were.
struct span exchange_output(const struct exchange *exchange);
void exchange_output_done(struct exchange *exchange, size_t len, int64_t now_us);

void exchange_wishes(const struct exchange *exchange, struct exchange_wishes *out);

// exchange_leg is the leg, complete when the wishes say done. It lives as long as the exchange.
struct obj *exchange_leg(const struct exchange *exchange);

// exchange_date is the Date header of a plain or finished exchange in seconds since 1970, and
// `*out_ahead` by how many seconds it is ahead of this machine. It returns false without one.
bool exchange_date(const struct exchange *exchange, int64_t *out_ahead);

// exchange_head is the beginning of what came as plain text or application data.
struct span exchange_head(const struct exchange *exchange);

// exchange_library is what the library's handshake has told; NULL for other exchanges.
const struct library_facts *exchange_library(const struct exchange *exchange);

#endif // PROXY_PROBE_EXCHANGE_H_
