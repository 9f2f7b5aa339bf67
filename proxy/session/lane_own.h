// A lane whose TLS is a client of our own: its hello is one that the library cannot write. lane.c
// asks here what it asks the library elsewhere.
#ifndef PROXY_SESSION_LANE_OWN_H_
#define PROXY_SESSION_LANE_OWN_H_

#include "proxy/session/lane.h"
#include "proxy/tls/client_flight.h"

// struct own_config: `ctx` is of the functions. `chain` is called once when the server's flight is
// whole, before the client goes on, and returns the alert to break off with, 0: none; `secret`
// takes a line of the NSS key log.
struct own_config {
    const struct hello_draft *hello; // copied
    struct hello_keys *keys;         // with the keys of its shares; the lane's from here on
    void *ctx;
    uint8_t (*chain)(void *ctx);
    void (*secret)(void *ctx, const char *line);
};

// own_start puts the hello out and makes the client the lane's TLS. The hello is one that can be
// written.
void own_start(struct lane *lane, const struct own_config *config);
void own_free(struct own_leg *own); // NULL does nothing

// own_unspoken returns whether the client ended the handshake because the server chose, of what the
// hello offers, something that is not spoken here.
bool own_unspoken(const struct lane *lane);

const struct client_flight_facts *own_facts(const struct lane *lane);
const STACK_OF(CRYPTO_BUFFER) * own_chain(const struct lane *lane);

// As lane_handshake, lane_write, lane_look (true: there is data), lane_read and their like.
enum lane_result own_handshake(struct lane *lane);
bool own_write(struct lane *lane, const uint8_t *p, size_t p_len);
bool own_look(struct lane *lane);
int own_read(struct lane *lane, uint8_t *out, size_t max);
enum lane_read own_read_state(const struct lane *lane);
void own_close(struct lane *lane);
void own_alert(struct lane *lane, uint8_t alert);

#endif // PROXY_SESSION_LANE_OWN_H_
