// One connection through the proxy, without I/O: events in, bytes and wishes out. A session owns
// both legs. It never touches a socket, a clock or a file, so a script of events tests it whole.
//
//   session_input        something happened
//   session_output       bytes to be written to a side; session_output_done: so many were
//   session_wishes       what the session wants done: read, dial, close, wake at
//   session_record       a record to be written
#ifndef PROXY_SESSION_SESSION_H_
#define PROXY_SESSION_SESSION_H_

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/record/record.h"

struct session;
struct session_shared;

enum side { SIDE_CLIENT, SIDE_SERVER };

// struct address is an IP address and port. IPv4 addresses are held as ::ffff:a.b.c.d.
struct address {
    uint8_t ip[16];
    uint16_t port; // host order
};

// struct transport is what the kernel knows of a TCP connection; a negative number is unknown.
struct transport {
    int64_t rtt_us, min_rtt_us;
    int32_t retransmits, unacked, outq; // segments, segments, bytes
};

enum event_kind {
    EVENT_BYTES,    // `bytes` arrived from `side`
    EVENT_EOF,      // `side` will send no more (FIN)
    EVENT_BROKEN,   // the connection of `side` broke: `errnum` (ECONNRESET, ETIMEDOUT, EPIPE, …)
    EVENT_RESOLVED, // the name resolved: `resolved`
    EVENT_UNRESOLVED,  // it did not: `dns_error`
    EVENT_TRIED,       // one connection attempt ended: `tried`
    EVENT_CONNECTED,   // the server side is open: `tried.address`
    EVENT_DIAL_FAILED, // no address could be connected: `errnum` of the last attempt
    EVENT_TIMER,       // the deadline of the wishes has passed
    EVENT_STOP,        // the proxy stops: end now, with the record written
    EVENT_SPLICED,     // bytes of `side` were passed on unseen, as the wishes allow: `spliced`
};

enum dns_error {
    DNS_NOT_FOUND,
    DNS_NO_DATA,
    DNS_SERVER_FAILURE,
    DNS_REFUSED,
    DNS_TIMEOUT,
    DNS_OTHER
};

struct event {
    enum event_kind kind;
    enum side side;
    int64_t now_us;  // monotonic
    int64_t wall_ms; // since 1970, UTC
    union {
        struct span bytes;
        struct {
            size_t taken, written; // from `side`, to the other side; what lies between waits
        } spliced;
        int errnum;
        struct {
            const struct address *addresses;
            size_t num;
        } resolved;
        enum dns_error dns_error;
        struct {
            struct address address;
            int errnum;           // 0: connected; ECANCELED: abandoned because another was quicker
            int64_t us;           // how long it took
            struct address local; // EVENT_CONNECTED: our own end, all zeros where unknown
        } tried;
    };
};

// struct dial_wish asks for a connection to the server side. Names are resolved by the caller, who
// tells of each step with events. `serial` grows with each new wish; a new one replaces the old
// connection of that side, which the caller then closes.
struct dial_wish {
    unsigned serial;  // 0: no wish so far
    const char *host; // name, or address literal without brackets; lives until the next wish
    uint16_t port;
};

struct wishes {
    bool read[2];     // bytes of that side are welcome; false is backpressure
    bool splice[2];   // where they are, they may as well be passed on without being shown
    bool shutdown[2]; // once its output is written, send FIN
    bool close[2];    // once its output is written, close the socket
    bool reset[2];    // close the socket at once with RST
    struct dial_wish dial;
    int64_t deadline_us; // monotonic time of the next EVENT_TIMER; INT64_MAX for none
    bool done;           // all is over: take the records and free the session
};

// session_new begins a session for a client that connected from `client` to `local`, at the times
// of EVENT conventions above. `sample`, which may be NULL, is asked at decisive moments for the
// transport facts of a side, with `sample_ctx`. `shared` must outlive the session.
WUNRES struct session *session_new(struct session_shared *shared, const struct address *client,
                                   const struct address *local, int64_t now_us, int64_t wall_ms,
                                   void (*sample)(void *ctx, enum side side, struct transport *out),
                                   void *sample_ctx);
void session_free(struct session *session);

// session_syn tells of the client's SYN, the headers of IP and TCP, before anything happens. What
// is none, as nothing at all, is passed over.
void session_syn(struct session *session, const uint8_t *p, size_t p_len);

// session_aim tells, right after session_new, that the connection goes to `port` of `host` (a name
// or an address literal without brackets) without a request that says so: TLS, or whatever is
// spoken, comes at once. `front` is the record's word for how that is known: "fixed",
// "transparent". A `host` that no host can be ends the session.
void session_aim(struct session *session, const char *front, const char *host, uint16_t port);

// session_input tells what happened. Bytes that the caller has taken from a side and not yet
// written to the other are its own affair; it writes them before it does what the wishes say of
// that other side's end, unless that is a reset. All bytes of EVENT_BYTES are taken; the caller
// stops reading while the wishes say so, and a session holds at most one read beyond that.
void session_input(struct session *session, const struct event *event);

// session_output returns the bytes that wait to be written to `side`, valid until the next call
// with this session. session_output_done tells that the first `len` of them were written.
struct span session_output(const struct session *session, enum side side);
void session_output_done(struct session *session, enum side side, size_t len, int64_t now_us);

// session_expects_end returns whether `side` has said, inside what it sent, that nothing more
// comes: its FIN is there already or will be soon.
bool session_expects_end(const struct session *session, enum side side);

// session_wishes fills `out` with what the session wants now. Ask after each call above.
void session_wishes(const struct session *session, struct wishes *out);

// session_record returns a record that wants to be written, with its verdict, or NULL. `final` is
// false for a connection that goes on: it will come again. session_record_done takes it off; then
// ask again.
const struct obj *session_record(const struct session *session, bool *final);
void session_record_done(struct session *session);

#endif // PROXY_SESSION_SESSION_H_
