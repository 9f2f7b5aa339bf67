// The session's part in experiments on the client leg: what this connection is to be for the
// client, and what it told. Without a policy that allows them every function here does nothing.
#ifndef PROXY_SESSION_TRIAL_H_
#define PROXY_SESSION_TRIAL_H_

#include "proxy/session/internal.h"

// trial_begin asks, once policy has decided and the hello is there, what the connection is to be.
void trial_begin(struct session *s);

// trial_leaf lets an experiment change `request`, for a client that is shown the server's sound
// certificate (`mirrored`), and returns the leaves that it is to be taken from, `leaves` where it
// is ordinary.
struct leaf_cache *trial_leaf(struct session *s, struct leaf_request *request, bool mirrored,
                              struct leaf_cache *leaves);

// trial_canary ends a connection whose client has completed the handshake with a canary: nothing
// is passed on in either direction. It returns true where it has taken over. trial_input is what
// happens then.
bool trial_canary(struct session *s);
void trial_input(struct session *s, const struct event *event);

// trial_settle puts what the connection told into its record, before the verdict. The caller owns
// the result, the record of an earlier connection that is to be judged and written again; or NULL.
WUNRES struct record *trial_settle(struct session *s);

// trial_news returns whether the verdict of that record is another than before.
bool trial_news(struct session *s, const struct record *record);

// trial_note remembers a connection that was no experiment, with its verdict and history.
void trial_note(struct session *s);

#endif // PROXY_SESSION_TRIAL_H_
