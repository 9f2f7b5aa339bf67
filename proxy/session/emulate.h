// Being a box: what a profile does to a connection. The session asks one question at the hello, at
// the answer and when a handshake is over, and lets a profile turn the library's knobs of each leg.
// Without a profile every function here does nothing.
#ifndef PROXY_SESSION_EMULATE_H_
#define PROXY_SESSION_EMULATE_H_

#include "proxy/session/internal.h"
#include "proxy/session/memory.h"
#include "proxy/tls/client_hello.h"

// ---- emulate.c: which box, and its reactions. These return true where the box has taken over.

// emulate_begin finds out which box the session is, once policy has decided.
void emulate_begin(struct session *s);

// emulate_hello weighs what the first hello meets. emulate_second_hello does it for the hello after
// a HelloRetryRequest, emulate_answer when the server has answered and the client has not been, and
// emulate_established after the client leg's handshake.
bool emulate_hello(struct session *s);
bool emulate_second_hello(struct session *s);
bool emulate_answer(struct session *s);
bool emulate_established(struct session *s);

// emulate_hold keeps the session where it is until `us` have passed (0: for a long time), then goes
// on with `resume`.
void emulate_hold(struct session *s, int64_t us, void (*resume)(struct session *s));
void emulate_held(struct session *s, const struct event *event);

// emulate_did records what the box did.
void emulate_did(struct session *s, const char *reaction, const char *action);

// ---- react.c

// react does what a reaction says. It returns false for one that lets the connection go on as it
// is; `resume` is how it goes on.
bool react(struct session *s, const struct profile_reaction *reaction,
           void (*resume)(struct session *s));

// react_page answers the request inside TLS of a client that is being shown a page; false: it is
// not.
bool react_page(struct session *s);

// ---- emulate_edit.c

// emulate_edit_hello sends `edit` of the client's hello on in its place and tunnels the rest.
void emulate_edit_hello(struct session *s, const struct profile_edit *edit);

// ---- emulate_client.c: the client leg.

// emulate_client_leg turns the knobs of `ssl`, which is to answer `hello` with `version`.
void emulate_client_leg(struct session *s, SSL *ssl, const struct client_hello *hello,
                        uint16_t version);
// emulate_ticket aborts a client that comes back with a ticket of a box that has poisoned it.
bool emulate_ticket(struct session *s, const struct client_hello *hello);
// emulate_flight changes the records that wait for the client, in the middle of its handshake;
// emulate_flight_end tells that it is over.
void emulate_flight(struct session *s);
void emulate_flight_end(struct session *s);
// emulate_session is the library's callback at the time when a session was chosen.
int emulate_session(const SSL_CLIENT_HELLO *hello);
// emulate_wants_client_cert is the SSL_VERIFY_* of the client leg.
int emulate_wants_client_cert(const struct session *s);

// ---- emulate_server.c: the server leg.

// emulate_bounds are the bounds of a leg: those of policy, narrowed by the box.
struct leg_policy emulate_bounds(const struct session *s, enum side leg);
// emulate_server_leg makes the SSL of the server leg, or returns NULL without a box that cares.
SSL *emulate_server_leg(struct session *s, const struct client_hello *hello);
// emulate_hello_template begins the server leg with the hello of the box's template, in answer to
// the client's; `chain` is given the session when the server's chain is there. It returns false,
// and does nothing, without a template (emulate_hello.c).
bool emulate_hello_template(struct session *s, const struct client_hello *hello,
                            uint8_t (*chain)(void *session));
// emulate_breaks_off returns whether the box leaves the server as soon as it has its chain, and
// with which alert.
bool emulate_breaks_off(const struct session *s, uint8_t *out_alert);
// emulate_invalid reacts to what is wrong with the server's chain. It returns true where the box
// has taken over.
bool emulate_invalid(struct session *s);
// emulate_shown is the verification whose defects the client's leaf mirrors, NULL for a sound leaf.
const struct verification *emulate_shown(const struct session *s);
// emulate_judges returns whether the box itself says what becomes of a bad chain.
bool emulate_judges(const struct session *s);

#endif // PROXY_SESSION_EMULATE_H_
