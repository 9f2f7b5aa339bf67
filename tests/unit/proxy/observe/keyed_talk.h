// A whole connection of BoringSSL's with itself, captured as bytes, with the key log and what
// msg_callback says of it: the oracle of the tap.
#ifndef TESTS_UNIT_PROXY_OBSERVE_KEYED_TALK_H_
#define TESTS_UNIT_PROXY_OBSERVE_KEYED_TALK_H_

#include "proxy/observe/observe.h"
#include "tests/unit/proxy/session/tls_peer.h"

enum { TALK_PIECES_MAX = 64 };

// struct talk_options adds to those of the peers what is done once the handshake is complete.
struct talk_options {
    struct peer_options client, server;
    bool client_says, server_says;
    bool client_updates, server_updates; // keys, and data under the new ones
    bool client_closes, server_closes;   // close_notify
    bool early;                          // after an earlier connection: resumed, with 0-RTT data
    bool refuse_early;                   // 0-RTT data that the server does not take
};

struct talk {
    struct record *told; // legs.client is what msg_callback said
    struct observe observe;
    struct key_log *keys;
    struct buf key_text;
    struct {
        bool from_client;
        size_t len;
    } pieces[TALK_PIECES_MAX];
    size_t num_pieces, hello_len; // the record of the ClientHello
    struct buf bytes;
    struct peer *client, *server;
    SSL_SESSION *session;
};

// talk_run lets the peers talk; talk_cleanup frees all of it.
void talk_run(struct talk *talk, const struct talk_options *options);
void talk_cleanup(struct talk *talk);

// talk_tap plays the capture to a tap with these keys, NULL for none, in parts of `part` bytes, up
// to `max` bytes in all, and returns the record, which the caller frees.
struct record *talk_tap(const struct talk *talk, const struct key_log *keys, size_t part,
                        size_t max);

// talk_leg writes legs.client of the record as JSON. The string is the caller's.
char *talk_leg(const struct record *record);

// talk_noted returns whether the record has the note.
bool talk_noted(const struct record *record, enum note_id id);

#endif // TESTS_UNIT_PROXY_OBSERVE_KEYED_TALK_H_
