// One side of a session: bytes received and not yet taken, bytes to be written, and the TLS
// between.
#ifndef PROXY_SESSION_LANE_H_
#define PROXY_SESSION_LANE_H_

#include "logs/base/buf.h"
#include "proxy/observe/observe.h"
#include "proxy/session/wire_log.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum {
    LANE_HEAD = 64,
    LANE_IN_MAX = 1024 * 1024,      // received and not taken; reading stops long before
    LANE_OUT_MAX = 4 * 1024 * 1024, // to be written; the other side is no longer read long before
};

struct own_leg;

struct lane {
    struct buf in;          // received in earlier events and not yet taken
    struct span fresh;      // received in this event, behind `in`; lives only during the event
    struct buf out;         // to be written
    size_t spliced;         // to be written, too, but held by who carries the session
    bool unseen;            // from here on bytes of the peer are passed on without a look
    bool open;              // there is a socket
    bool eof;               // the peer sent FIN
    bool dry;               // the library has asked for more bytes than there were
    bool shut;              // FIN is to be sent after `out`
    bool closed;            // the socket is to be closed after `out`
    bool reset;             // the socket is to be closed at once with RST
    int64_t received, sent; // bytes on the wire
    int64_t data_received, data_sent; // application data
    size_t num_reads;
    uint8_t head[LANE_HEAD]; // the first bytes of the peer
    size_t head_len;
    int errnum;     // why the connection broke
    int peer_alert; // the last fatal alert of the peer through `ssl`, or -1
    bool tls_eof;   // no more plaintext comes from the peer
    SSL *ssl;
    struct own_leg *own; // in place of `ssl`: a client of our own, see lane_own.h
    struct observe observe;
    struct wire_log wire;
    enum step sampled;     // the last step at which the kernel was asked
    const int64_t *now_us; // the session's clock, for what the library calls back
};

// lane_init makes an empty lane whose callbacks read the time from `now_us`.
void lane_init(struct lane *lane, const int64_t *now_us);
void lane_cleanup(struct lane *lane);

// lane_unsent is how many bytes wait to be written.
size_t lane_unsent(const struct lane *lane);

// lane_drop_unsent forgets them: nobody is there to read them.
void lane_drop_unsent(struct lane *lane);

// lane_waiting is how many received bytes wait; lane_peek makes them one piece, at most
// LANE_IN_MAX, and returns it, valid until the next call; lane_take copies and drops up to
// `max`; lane_drop drops `n`.
size_t lane_waiting(const struct lane *lane);
struct span lane_peek(struct lane *lane);
size_t lane_take(struct lane *lane, void *out, size_t max);
void lane_drop(struct lane *lane, size_t n);

// lane_keep puts what is left of `fresh` behind `in`, at the end of an event. It returns false when
// the ceiling is passed: the peer was not to be read any more.
WUNRES bool lane_keep(struct lane *lane);

// lane_restart makes what waits the first that the peer has said.
void lane_restart(struct lane *lane);

// lane_put appends to the output; once FIN is due or the socket is gone the bytes are dropped. It
// returns false when the ceiling is passed.
WUNRES bool lane_put(struct lane *lane, const void *p, size_t p_len);

// lane_replace puts other bytes, within the ceiling, in the place of all output that still waits.
void lane_replace(struct lane *lane, const void *p, size_t p_len);

// lane_move appends everything that waits at `from` to the output of `to`.
WUNRES bool lane_move(struct lane *to, struct lane *from);

// lane_wire_begin keeps the wire's bytes from here on, what waits included, for the record.
void lane_wire_begin(struct lane *lane);

// lane_start_tls takes ownership of `ssl` and connects it with the lane's bytes and its observer.
void lane_start_tls(struct lane *lane, SSL *ssl, const BIO_METHOD *methods);

// lane_methods makes the table that lane_start_tls uses; the caller frees it with BIO_meth_free
// when no lane is left.
BIO_METHOD *lane_methods(void);

// lane_write writes application data through the lane's TLS and returns whether all of it was
// taken.
bool lane_write(struct lane *lane, const void *p, size_t p_len);

// lane_look takes what the peer has said beside application data, which it leaves where it is.
void lane_look(struct lane *lane);

// lane_read reads application data and returns how many bytes; lane_read_state says what it means
// when these, `n`, are none. lane_may_read returns whether there can be any: after a read that
// asked for more bytes, not before there are some.
enum lane_read { LANE_READ_MORE, LANE_READ_CLOSED, LANE_READ_FAILED };
int lane_read(struct lane *lane, void *out, size_t max);
enum lane_read lane_read_state(const struct lane *lane, int n);
bool lane_may_read(const struct lane *lane);

// lane_may_read returns whether there can be any application data: after a read that asked for more
// bytes, not before there are some.
bool lane_may_read(const struct lane *lane);

// lane_tls returns whether there is TLS, and lane_in_handshake whether its handshake is not over.
bool lane_tls(const struct lane *lane);
bool lane_in_handshake(const struct lane *lane);

// lane_say_closed says close_notify, and lane_alert a fatal alert. lane_end_tls forgets the TLS.
void lane_say_closed(struct lane *lane);
void lane_alert(struct lane *lane, uint8_t alert);
void lane_end_tls(struct lane *lane);

// lane_server_name is the name that the lane's hello asked for, or NULL.
const char *lane_server_name(const struct lane *lane);

// What the server of a lane has chosen and shown: its version; its chain, leaf first, or NULL; the
// protocol of ALPN and the OCSP response, without one `*out_len` is 0; the random of its
// ServerHello, where there is one.
uint16_t lane_version(const struct lane *lane);
const STACK_OF(CRYPTO_BUFFER) * lane_chain(const struct lane *lane);
void lane_alpn(const struct lane *lane, const uint8_t **out, unsigned *out_len);
void lane_staple(const struct lane *lane, const uint8_t **out, size_t *out_len);
bool lane_server_random(const struct lane *lane, uint8_t out[SSL3_RANDOM_SIZE]);

enum lane_result { LANE_DONE, LANE_MORE, LANE_FAILED };

// lane_handshake goes on with the handshake. On failure the library's reason is in its error queue.
enum lane_result lane_handshake(struct lane *lane);

// lane_reason writes the reason of the first error in the library's queue, else the name of the
// last alert of the leg, else "", and clears the queue.
void lane_reason(const struct lane *lane, char *out, size_t out_len);

#endif // PROXY_SESSION_LANE_H_
