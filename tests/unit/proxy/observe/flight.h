// A TLS connection between two peers in memory, kept twice: as it crossed the wire, and as the
// messages that the client's library saw, decrypted.
#ifndef TESTS_UNIT_PROXY_OBSERVE_FLIGHT_H_
#define TESTS_UNIT_PROXY_OBSERVE_FLIGHT_H_

#include "proxy/observe/observe.h"
#include "tests/unit/proxy/session/tls_peer.h"
#include "tests/unit/proxy/session/world.h"

enum { PIECES_MAX = 400 };

struct piece {
    bool from_client, alert;
    uint8_t *p;
    size_t len;
};

struct flight {
    struct piece wire[PIECES_MAX], messages[PIECES_MAX];
    size_t num_wire, num_messages;
};

// flight_make lets the peers shake hands, then exchange `say` both ways where it is not NULL, then
// close. flight_free frees what it kept.
void flight_make(struct flight *flight, const struct peer_options *client,
                 const struct peer_options *server, const char *say);
void flight_free(struct flight *flight);

// flight_wire shows the wire to a tap in pieces of at most `max` bytes; flight_messages shows the
// messages. Both give a record with one leg, of the client, that the caller frees.
WUNRES struct record *flight_wire(const struct flight *flight, size_t max);
WUNRES struct record *flight_messages(const struct flight *flight);

// flight_client is the options of a client for WORLD_HOST, flight_server those of its server.
struct peer_options flight_client(void);
struct peer_options flight_server(void);

// leg_text is a field of the record's client leg in words, "-" when it is absent; freed by the
// caller.
char *leg_text(const struct record *record, enum field field);

// leg_is asserts that such a text is `wanted`.
void leg_is(const struct record *record, enum field field, const char *wanted);

// noted returns whether the record has the note `id`.
bool has_note(const struct record *record, const char *id);

#endif // TESTS_UNIT_PROXY_OBSERVE_FLIGHT_H_
