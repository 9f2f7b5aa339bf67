// What the files of this room share: the session's one struct, and the functions that each file
// gives to the others.
#ifndef PROXY_SESSION_INTERNAL_H_
#define PROXY_SESSION_INTERNAL_H_

#include "logs/base/buf.h"
#include "policy/config/network.h"
#include "policy/config/policy.h"
#include "proxy/observe/observe.h"
#include "proxy/observe/syn.h"
#include "proxy/session/lane.h"
#include "proxy/session/session.h"
#include "proxy/session/shared.h"
#include "proxy/session/tls_layer.h"
#include "proxy/session/tries.h"
#include "proxy/session/valve.h"
#include "proxy/tls/hello_peek.h"

// The states of a session, and what moves it on. Every state may end in CLOSING, where what waits
// is written, and then in DONE.
//
// clang-format off
//   FRONT --CONNECT--> DIALLING --connected--> SNIFF --ClientHello--> UPSTREAM --> DOWNSTREAM --> RELAY
//     |     SOCKS         |     PARENT --2xx---> |                       |              |
//     |                   | 502, 504             | not TLS, or policy    | failed       | page, own site
//     |                   v                      v                       v              v
//     |                CLOSING                 TUNNEL           CLOSING or SILENT     LOCAL
//     +--http://...--> PLAIN (dials for each origin) --101--> TUNNEL
//     +--http://tlsblame.test/--> LOCAL
// clang-format on
enum state {
    STATE_FRONT,      // a request to the proxy is awaited
    STATE_DIALLING,   // the CONNECT's host is being resolved and connected
    STATE_PARENT,     // the parent proxy is connected and was asked to go on
    STATE_SNIFF,      // 200 is sent; what will be spoken?
    STATE_UPSTREAM,   // TLS handshake with the server
    STATE_DOWNSTREAM, // TLS handshake with the client
    STATE_RELAY,      // both are established: plaintext goes from one to the other
    STATE_TUNNEL,     // bytes go on untouched
    STATE_PLAIN,      // http:// requests in absolute form
    STATE_LOCAL,      // we are the server
    STATE_HELD,       // an emulated box keeps everybody waiting
    STATE_CANARY,     // the client has completed its handshake with a certificate to be refused
    STATE_SILENT,     // mirrors a server that never answered
    STATE_CLOSING,    // nothing but output is left
    STATE_DONE,
    STATE_COUNT
};

// How the client asked, and so how it is answered before anything else is spoken.
enum greeting {
    GREETING_HTTP,   // CONNECT, or a request in absolute form
    GREETING_SOCKS4, // SOCKS 4 and 4a
    GREETING_SOCKS5, // RFC 1928
    GREETING_NONE,   // it did not: session_aim
};

struct front;
struct parent_leg;
struct plain;
struct local;
struct http;
struct upstream;

// struct emulation is what an emulated box remembers of a connection.
struct emulation {
    uint32_t nth;                    // connection of this client to this host
    bool passed;                     // a reaction said that no other is asked
    bool answer_asked, second_asked; // moments that have been weighed
    bool random_due;                 // `random` is to be written into the ServerHello
    uint8_t random[32];
    bool ccs_done;                       // the flight's change_cipher_spec was seen to
    bool pass_through;                   // the next connection to the server is tunnelled
    const struct profile_reaction *page; // what the client is to be shown; the profile's
    enum leaf_issuer issuer;             // who signs the leaf, AUTO: as the chain says
    void (*resume)(struct session *s);   // from HELD
};

// struct trial is what the connection is among the client's tries, see trial.h.
struct trial {
    bool watched; // policy allows experiments with the client
    struct tries_key key;
    struct try try;
};

struct session {
    struct session_shared *shared;
    const struct profile *profile; // the box that this session is; NULL: none
    struct forge *forge;           // of that box
    struct emulation emulation;
    struct trial trial;
    struct valve *valves;           // two, by the side that is written to; NULL: both open
    const struct policy_rule *rule; // decided once; NULL before
    struct address client, local;
    struct address server; // that was connected; its port is 0 before
    void (*sample)(void *ctx, enum side side, struct transport *out);
    void *sample_ctx;
    struct syn syn; // of the client

    enum state state;
    int64_t start_us, now_us, wall_ms; // of accept; of the current event
    int64_t deadline_us;               // of the current state; INT64_MAX for none
    int64_t interim_us;                // when the record is written although all goes on
    struct lane lanes[2];
    struct dial_wish dial;
    char host[256]; // asked for: lower case, no brackets, no final dot
    uint16_t port;
    bool host_is_address;
    bool direct; // TLS was spoken to the proxy's own port: no CONNECT
    enum greeting greeting;

    struct record *record;      // being filled; NULL between two origins of a plain client
    bool interim;               // it is to be written now, although it goes on
    struct record *finished[4]; // to be written
    size_t num_finished;

    struct front *front;       // the request to the proxy, from FRONT on
    struct parent_leg *parent; // where the server side goes through the parent proxy
    struct tls_layer *outer;   // TLS between us and the parent, around all of the server side
    struct hello_peek peek;    // in SNIFF
    struct plain *plain;       // in PLAIN
    struct local *local_site;  // in LOCAL
    struct wire_tap *tap;      // in TUNNEL, where TLS is spoken
    struct upstream *upstream; // what the server leg showed, from UPSTREAM on
    struct span alpn;          // what the client leg chooses, in the record's arena
};

// session.c
void session_enter(struct session *s, enum state state, int64_t timeout_us);
// session_dial dials `host`, which lives until the next dial, or the parent proxy in its place.
void session_dial(struct session *s, const char *host, uint16_t port);
// session_close writes what waits, then closes both sides.
void session_close(struct session *s);
// session_secret takes a line of the NSS key log of one of the session's connections.
void session_secret(struct session *s, enum side side, const char *line);
// session_reset closes a side at once with RST.
void session_reset(struct session *s, enum side side);
// session_valves returns the session's valves, made at the first call.
struct valve *session_valves(struct session *s);

// finish.c: the beginning and the end of a record.
enum { IP_TEXT_MAX = NETWORK_TEXT_MAX };
const char *ip_text(char out[IP_TEXT_MAX], const struct address *address);
// leg_set_ends records both ends of a leg; a `local` without a port is not known.
void leg_set_ends(struct obj *leg, const struct address *peer, const struct address *local);
void tried_add(struct obj *leg, const struct event *event);
void leg_begin_server(struct session *s);
// end_set tells how a leg ended, once: the first end counts. `detail` may be NULL.
void end_set(struct session *s, enum side leg, const char *by, const char *how, const char *detail);
// end_both does it for both legs.
void end_both(struct session *s, const char *by, const char *how, const char *detail);
const char *end_how_errno(int errnum);
void record_begin(struct session *s, const char *mode);
// record_policy is what policy says of the record: of the rule that decided, or the defaults.
const struct record_policy *record_policy(const struct session *s);
// legs_sample asks the kernel about each leg that has come to a step which decides.
void legs_sample(struct session *s);
// USER_AGENT_MAX is the longest User-Agent that is kept, with its NUL.
enum { USER_AGENT_MAX = 512 };

// record_note tells the history what is known of the connection so far.
void record_note(struct session *s);

// wires_settle hands what was kept of the handshakes over to the record, once they are established.
void wires_settle(struct session *s);
// record_judge fills counters, differences and the verdict from what is known now.
void record_judge(struct session *s);
// record_finish ends the record and puts it among those to be written; record_discard forgets it.
void record_finish(struct session *s);
void record_discard(struct session *s);
void record_interim(struct session *s);

// front.c: the request to the proxy.
void front_begin(struct session *s);
void front_free(struct front *front);
void front_input(struct session *s);
void front_timeout(struct session *s);
void front_dialled(struct session *s, const struct event *event);
struct http *front_http(struct session *s);
// front_absolute reads an http:// URL into the session's host and port. front_set_target takes a
// host for them. Both return false for what no host can be.
bool front_absolute(struct session *s, const char *target, size_t target_len);
bool front_set_target(struct session *s, const char *host, size_t host_len, uint16_t port);
// front_go dials the session's host and port for a client that then speaks itself.
void front_go(struct session *s);
// front_decide asks policy; `sni` may be NULL. Where it might still come, which is only asked for a
// CONNECT, `rule` may stay NULL and policy is asked again.
void front_decide(struct session *s, const char *sni, bool sni_to_come);
// front_ask only tells what policy says.
const struct policy_rule *front_ask(const struct session *s, const char *sni, bool sni_to_come);
// front_record writes what the request to the proxy says.
void front_record(struct session *s, const struct http *http, const char *front);
// dns_error_name returns the word of LEG.dns.error.
const char *dns_error_name(enum dns_error error);
// dial_failed records a failed dial and returns whether `event` is one, with the HTTP status for
// it.
bool dial_failed(struct session *s, const struct event *event, int *out_status);

// greeting.c: answers before TLS, each in the words in which the client asked.
// greeting_accept tells the client that the way is open. greeting_refuse tells it that it is not,
// with an HTTP `status` and the record's verdict where it can hear that, and closes.
void greeting_accept(struct session *s);
void greeting_refuse(struct session *s, int status);

// socks.c: the request to the proxy in SOCKS.
bool socks_is(uint8_t first);
void socks_input(struct session *s);

// parent.c: the way through a parent proxy.
// parent_wanted returns whether the session's host is reached through the parent.
bool parent_wanted(const struct session *s);
// parent_use puts the parent's address in place of the server's.
void parent_use(struct session *s, const char **out_host, uint16_t *out_port, bool *out_is_address);
// parent_begin asks the connected parent to go on to the session's host.
void parent_begin(struct session *s);
void parent_input(struct session *s, const struct event *event);
// parent_failed records that the parent is why the server was not reached; `failure` is the word of
// parent.failure.
void parent_failed(struct session *s, const char *failure, const char *detail);
// parent_put_authorization appends the header line of our credentials, if there are any.
bool parent_put_authorization(struct session *s, struct buf *out);
void parent_free(struct parent_leg *parent);

// outer.c: TLS with the parent itself, around all that the server side says and hears.
void outer_begin(struct session *s);
// outer_open turns bytes from the wire into the event that the session sees: bytes, maybe none, or
// the end of it all.
void outer_open(struct session *s, struct event *out, const struct event *wire);
// outer_ended returns whether the parent has said close_notify, which is its end.
bool outer_ended(const struct session *s);
// outer_seal puts what the server side wants written into records, where there is such a layer.
void outer_seal(struct session *s);

// sniff.c: what is spoken after the CONNECT.
void sniff_begin(struct session *s);
void sniff_input(struct session *s, const struct event *event);
// sniff_go_on goes on with a client's hello that policy lets in.
void sniff_go_on(struct session *s);

// tunnel.c
void tunnel_begin(struct session *s, const char *application);
// tunnel_enter only passes bytes on: after a 101.
void tunnel_enter(struct session *s);
void tunnel_input(struct session *s, const struct event *event);
// tunnel_splices returns whether bytes of `from` may be passed on without a look: what they could
// tell has been seen. tunnel_spliced is told of `n` that were.
bool tunnel_splices(const struct session *s, enum side from);
void tunnel_spliced(struct session *s, enum side from, size_t n);
void tunnel_go_on(struct session *s);
// tunnel_replace begins a tunnel in which `p` goes to the server in the place of the first `len`
// bytes of the client.
void tunnel_replace(struct session *s, size_t len, const uint8_t *p, size_t p_len);

// upstream.c: the server leg's handshake. failure.c: when it fails.
void upstream_begin(struct session *s);
void upstream_input(struct session *s, const struct event *event);
void upstream_free(struct upstream *upstream);
void upstream_go_on(struct session *s);
// upstream_redial gives the connection up and tunnels the client over another one.
void upstream_redial(struct session *s);
void failure_show(struct session *s);

// downstream.c: the client leg's handshake.
void downstream_begin(struct session *s);
void downstream_input(struct session *s, const struct event *event);
void downstream_go_on(struct session *s);
void downstream_finished(struct session *s);

// downstream_alpn is the library's callback: it chooses the session's `alpn`.
int downstream_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
                    unsigned in_len, void *arg);

// relay.c
enum {
    RELAY_HIGH = 256 * 1024, // output above which the other side is no longer read
};
void relay_begin(struct session *s);
void relay_input(struct session *s, const struct event *event);
void relay_pump(struct session *s);

// plain.c
void plain_begin(struct session *s);
void plain_input(struct session *s, const struct event *event);
void plain_free(struct plain *plain);
// plain_request is the current request of a session that is, or was, in PLAIN.
struct http *plain_request(struct session *s);

// local.c: we are the server: our own site, or a page with a verdict.
// local_begin serves the request of the front, or what a client whose TLS we have finished asks.
void local_begin(struct session *s);
void local_input(struct session *s, const struct event *event);
void local_free(struct local *local);
// local_request is the request inside TLS.
struct http *local_request(struct session *s);
// site_is returns whether `host` is our own site's name.
bool site_is(const char *host);

// respond.c: answers of our own.
// alert_send writes a fatal alert in the clear to a client that has no TLS with us yet.
void alert_send(struct session *s, uint8_t alert);
// respond_begin and respond_body are the two halves of an HTTP answer that ends the connection.
void respond(struct session *s, int status, const char *type, const void *body, size_t body_len);
// respond_at is respond with a Location, which may be NULL.
void respond_at(struct session *s, int status, const char *location, const char *type,
                const void *body, size_t body_len);
// respond_verdict answers with `status` and the record's verdict as its body, then closes.
void respond_verdict(struct session *s, int status);
// respond_text answers with `status` and a sentence, then closes.
void respond_text(struct session *s, int status, const char *text);
// verdict_body appends the verdict, as a page or as text.
void verdict_body(struct session *s, struct buf *out, bool html);

#endif // PROXY_SESSION_INTERNAL_H_
