// The probes: what each of them sends, and in which one factor it differs from the hello that is
// being asked about.
#ifndef PROXY_PROBE_PROBE_H_
#define PROXY_PROBE_PROBE_H_

#include "proxy/probe/exchange.h"
#include "proxy/tls/hello_keys.h"

// Whom a probe is sent to, and which name it asks for.
enum probe_aim {
    PROBE_TARGET_HOST,          // the host
    PROBE_TARGET_OTHER_NAME,    // its address, by the name of the control host
    PROBE_TARGET_NONCE_NAME,    // its address, by a name that nobody has
    PROBE_TARGET_OTHER_ADDRESS, // the control host's address, by the name of the host
    PROBE_TARGET_CONTROL,       // the control host, by its own name
};

enum { PROBE_OTHERS = 2 }; // control hosts beside the first

// Which hello it begins with.
enum probe_origin {
    PROBE_ORIGIN_ASKED,    // the hello that is asked about: all factors are varied in it
    PROBE_ORIGIN_CLIENT,   // the recorded client's, with key shares of ours
    PROBE_ORIGIN_VERBATIM, // the recorded client's to the byte
    PROBE_ORIGIN_SHAPE,    // a shape of proxy/tls/hello_shape.h
};

// With what a difference that a probe made is held against the control host.
enum probe_follow {
    PROBE_FOLLOW_NOTHING,
    PROBE_FOLLOW_OUT,  // what was left out: where the hello fails, the hello there with and without
    PROBE_FOLLOW_IN,   // what was put in: where it passes, likewise
    PROBE_FOLLOW_NAME, // the name there, and one that nobody has
};

// Which configuration the library encrypts its hello to.
enum probe_ech {
    PROBE_ECH_NONE,
    PROBE_ECH_CONFIG, // the one that is known beforehand
    PROBE_ECH_RETRY,  // the one that the server offered instead
};

struct probe_making;

struct probe {
    const char *name;
    const char *factor; // what it changes, as EXPERIMENT.factors has it; "" for nothing
    const char *says;
    enum exchange_sends sends;
    enum probe_aim target;
    enum probe_origin origin;
    enum probe_follow follow;
    bool finish; // see struct exchange_config
    enum exchange_asks asks;
    enum probe_ech ech;
    unsigned other;    // of PROBE_TARGET_CONTROL: from 1 on one of the further control hosts
    bool shows_cert;   // the client certificate, where the server asks
    int maxseg;        // see struct runner_socket
    bool ttl;          // its argument is the hello's TTL
    bool direct;       // past the parent proxy
    bool resolve;      // to the address that the other resolver has
    bool once;         // what it shows is for reading, and not worth a second run
    bool broad;        // it changes more than its factor: where another made a difference, too, it
                       // is not followed
    const char *then;  // a probe that tells more where this one made a difference; NULL: none
    const char *value; // of `edit`: a shape, a protocol, a group ...
    uint32_t number;   // likewise
    // edit changes one factor and returns false where the hello cannot have it.
    bool (*edit)(const struct probe_making *making, struct hello_draft *draft);
};

// struct probe_material is what hellos are made of. All of it is borrowed; `client` and what
// belongs to the control host may be NULL.
struct probe_material {
    const struct hello_draft *asked;
    const struct hello_draft *client; // as it was sent
    struct hello_keys *keys;
    const char *host;                 // the name of the hello, NULL: none
    const char *control;              // the control host's
    const char *others[PROBE_OTHERS]; // further control hosts
    const char *nonce;
    uint64_t seed;
    const struct client_cert *shown; // NULL: none
    struct span ech, ech_retry;      // ECHConfigLists; empty: none
    const char *ech_name;            // the public name of `ech`
};

struct probe_making {
    const struct probe *probe;
    const struct probe_material *material;
    const char *value; // the probe's, or the argument of one that takes one
    uint32_t number;
};

// probe_list returns the table, and its length in `*out_num`.
const struct probe *probe_list(size_t *out_num);

// struct probe_pick is a probe with its argument: "group=x25519", "control=no-grease".
struct probe_pick {
    const struct probe *probe;
    char argument[64]; // "" where it takes none
};

// probe_find picks a probe by what the user calls it: "no-sni", "group=x25519", "cipher=0x1301".
WUNRES bool probe_find(struct probe_pick *out, const char *text, struct err *err);

// probe_pick_of is a probe of the table without an argument, which must be there.
struct probe_pick probe_pick_of(const char *name);

// probe_name writes what the pick is called in records.
enum { PROBE_NAME_MAX = 96 };
void probe_name(char out[PROBE_NAME_MAX], const struct probe_pick *pick);

// probe_ttl is the TTL that the pick's hello is sent with; 0: the system's own.
int probe_ttl(const struct probe_pick *pick);

// probe_factor writes what it changes: "server_name=absent"; "" for nothing.
void probe_factor(char out[PROBE_NAME_MAX], const struct probe_pick *pick);

// probe_make sets `draft`, which is initialised, to the hello of a probe. It returns false where
// there is none: the material lacks what it needs, or the hello asked about has that factor
// already, so that it would tell nothing. The draft of one that sends no hello, or the library's,
// stays as it is.
WUNRES bool probe_make(const struct probe_pick *pick, const struct probe_material *material,
                       struct hello_draft *draft);

// probe_library sets `*out` to how the library is to go about a probe of EXCHANGE_SENDS_LIBRARY. It
// returns false where the material lacks what it needs.
WUNRES bool probe_library(struct library_config *out, const struct probe_pick *pick,
                          const struct probe_material *material);

#endif // PROXY_PROBE_PROBE_H_
