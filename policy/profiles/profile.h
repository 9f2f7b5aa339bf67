// A profile is an emulated box: what it does to each leg, the certificates that it forges, and how
// it breaks.
//
// Every knob's zero is "as without a profile". Of the two legs each knob holds for all connections;
// a reaction holds for those that meet its conditions.
#ifndef POLICY_PROFILES_PROFILE_H_
#define POLICY_PROFILES_PROFILE_H_

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/arena.h"
#include "logs/base/buf.h"
#include "logs/base/err.h"
#include "policy/ca/cert_knobs.h"

// How much is known of the real box: somebody said so, its maker or a paper documents it, it was
// measured.
enum profile_confidence { PROFILE_REPORTED, PROFILE_DOCUMENTED, PROFILE_MEASURED };

// What becomes of a connection that no reaction ends: TLS is terminated on both legs, or the bytes
// go on as they are (a firewall that only looks).
enum profile_mode { PROFILE_INTERCEPT, PROFILE_TUNNEL };

// When the server is contacted: after the hello was looked at and a reaction had its chance, which
// is the ordinary way; or before that, so that reactions to the hello wait for its answer. After
// the client was answered is not to be had: the client is answered with what the server showed.
enum profile_order { PROFILE_AFTER_PEEK, PROFILE_SERVER_FIRST, PROFILE_CLIENT_FIRST };

// struct profile_codes is a list of code points in order of preference. `num` of 0: as without a
// profile (the client's own on the server leg, the library's on the client leg).
struct profile_codes {
    uint16_t *ids;
    size_t num;
};

struct profile_strings {
    char **items;
    size_t num;
};

struct profile_bytes {
    uint8_t *data;
    size_t len;
};

enum profile_alpn { PROFILE_ALPN_MIRROR, PROFILE_ALPN_STRIP, PROFILE_ALPN_FIXED };

// Tickets: the ordinary ones, none, or ones that this box cannot decrypt later: a client that comes
// back with one is aborted with decrypt_error (51).
enum profile_tickets { PROFILE_TICKETS_ON, PROFILE_TICKETS_OFF, PROFILE_TICKETS_BAD };

// The downgrade sentinel of RFC 8446 section 4.1.3 in the random of a TLS 1.2 ServerHello: never
// (the library was told the version), always, or all 32 bytes are those of the server on the server
// leg.
enum profile_sentinel {
    PROFILE_SENTINEL_OFF,
    PROFILE_SENTINEL_FORCE,
    PROFILE_SENTINEL_COPY_UPSTREAM,
};

// The change_cipher_spec of TLS 1.3's compatibility mode, RFC 8446 appendix D.4: where it belongs,
// none, or one more than that right after the ServerHello.
enum profile_ccs { PROFILE_CCS_AUTO, PROFILE_CCS_OMIT, PROFILE_CCS_EXTRA };

// The OCSP staple that the client gets: none, the server's, or the server's from before (the first
// one that was seen for the host).
enum profile_staple { PROFILE_STAPLE_NONE, PROFILE_STAPLE_COPY, PROFILE_STAPLE_STALE };

// A certificate from the client: never asked for, always, or always and the handshake fails without
// one.
enum profile_client_cert {
    PROFILE_CLIENT_CERT_IGNORE,
    PROFILE_CLIENT_CERT_REQUEST,
    PROFILE_CLIENT_CERT_REQUIRE,
};

struct profile_client_leg {
    uint16_t min_version, max_version; // TLS code points, 0x0301 to 0x0304; 0: no bound
    struct profile_codes ciphers, groups, sigalgs;
    enum profile_alpn alpn;
    struct profile_strings alpn_protocols; // PROFILE_ALPN_FIXED: in order of preference
    enum profile_tickets tickets;
    bool force_hrr; // a HelloRetryRequest for a group that the client sent no share of
    enum profile_sentinel sentinel;
    bool echo_session_id;                   // in a TLS 1.2 ServerHello that resumes nothing
    uint32_t record_max;                    // bytes in a record that we write, 0: no bound
    uint32_t flight_split, flight_delay_ms; // our flight in pieces of so many bytes; 0: whole
    enum profile_ccs ccs;
    enum profile_staple staple;
    enum profile_client_cert client_cert;
};

// The hello that the server gets: the client's, mirrored; the box's own, whatever the client sent,
// as the library writes it from the leg's knobs; a raw one from `template`; the client's own bytes
// with `edit` (mode tunnel).
enum profile_hello {
    PROFILE_HELLO_MIRROR,
    PROFILE_HELLO_OWN,
    PROFILE_HELLO_TEMPLATE,
    PROFILE_HELLO_EDIT,
};

// struct profile_template is a ClientHello that no library writes. Contents of extensions are those
// of the lists below, of the leg's knobs (server_name, ALPN), the usual ones, or empty. GREASE is
// what the lists hold of it.
struct profile_template {
    uint16_t record_version, version; // of the record, of the message; 0: TLS 1.0, TLS 1.2
    struct profile_codes ciphers, extensions, groups, sigalgs;
    struct profile_codes versions, key_shares;       // of TLS 1.3
    struct profile_codes point_formats, compression; // bytes; empty: uncompressed, null
    uint8_t session_id_len;
};

// struct profile_edit is applied to a ClientHello that goes on otherwise untouched.
struct profile_edit {
    struct profile_codes strip_extensions, strip_groups, strip_ciphers;
    bool drop_grease;
    char *sni; // replaces the name; NULL: stays
};

enum profile_sni { PROFILE_SNI_COPY, PROFILE_SNI_STRIP, PROFILE_SNI_REPLACE };

// What is made of revocation lists and of the server's staple: what they say of the leaf counts; it
// does not; or a leaf that none of them calls good is bad.
enum profile_revocation {
    PROFILE_REVOCATION_SOFT,
    PROFILE_REVOCATION_NONE,
    PROFILE_REVOCATION_HARD,
};

// What is not checked of the server's certificate. `pins` are SHA-256 hashes of public keys of
// which the chain must hold one, in hexadecimal.
struct profile_verify {
    bool no_chain, no_host, no_dates, no_strength;
    enum profile_revocation revocation;
    bool aia; // refused: nothing is fetched during a handshake
    struct profile_strings pins;
};

// What the client is shown when the server's certificate fails a check that is made. MIRROR is the
// policy's own "on_server_failure".
enum profile_on_invalid {
    PROFILE_INVALID_MIRROR,
    PROFILE_INVALID_RESET,
    PROFILE_INVALID_ALERT,
    PROFILE_INVALID_BLOCK_PAGE,
    PROFILE_INVALID_RESIGN_TRUSTED,
    PROFILE_INVALID_RESIGN_UNTRUSTED,
    PROFILE_INVALID_SELF_SIGNED,
    PROFILE_INVALID_PASS_THROUGH, // tunnels the connection
};

struct profile_server_leg {
    uint16_t min_version, max_version;
    struct profile_codes ciphers, groups, sigalgs, extensions;
    enum profile_alpn alpn;
    struct profile_strings alpn_protocols;
    enum profile_sni sni;
    char *sni_name; // PROFILE_SNI_REPLACE
    enum profile_hello hello;
    struct profile_template template;
    struct profile_edit edit;
    struct profile_verify verify;
    enum profile_on_invalid on_invalid;
    uint8_t on_invalid_alert; // PROFILE_INVALID_ALERT
    bool breaks_off;          // at the certificate, instead of after the handshake
};

enum profile_tri { PROFILE_ANY, PROFILE_YES, PROFILE_NO };

// The moment at which a reaction is weighed. Conditions on the hello hold for the first hello at
// all of them but SECOND_HELLO, where they hold for the second.
enum profile_at {
    PROFILE_AT_HELLO,        // the client's hello is whole, or is known to come in pieces
    PROFILE_AT_SECOND_HELLO, // after a HelloRetryRequest
    PROFILE_AT_ANSWER,       // the server's first bytes are here, the client has none
    PROFILE_AT_ESTABLISHED,  // the client leg's handshake is over
};

// struct reaction_when holds conditions that must all hold. A list is met by any of its entries,
// and an empty one, 0, NULL or PROFILE_ANY asks for nothing.
struct reaction_when {
    struct profile_strings sni, host;  // globs, lower case: of the SNI; of the host asked for
    struct profile_strings user_agent; // globs over the CONNECT's User-Agent
    enum profile_tri has_sni, grease, resumption;     // grease: any value of RFC 8701 in the hello
    struct profile_codes versions;                    // offered, GREASE aside
    uint32_t hello_over, segments_over, records_over; // bytes; TCP reads; TLS records
    struct profile_codes extensions, groups, ciphers; // offered; a key share counts as its group
    struct profile_strings alpn;                      // offered
    uint32_t nth;       // only the nth connection of this client's address to this host, from 1
    double probability; // 0 < p < 1: drawn anew for each connection; 0: always
};

enum profile_action {
    PROFILE_PASS,          // later reactions are not asked
    PROFILE_RST,           // on `side`
    PROFILE_FIN,           // on `side`
    PROFILE_ALERT,         // `alert`, fatal and in the clear, then FIN, on `side`
    PROFILE_STALL,         // nothing moves for `ms` (0: for ever), then on as if nothing had been
    PROFILE_DROP_AFTER,    // `bytes` of `side` (or of each) go on, those after them vanish
    PROFILE_BLACKHOLE_BIG, // flights of `side` longer than `bytes`: only those many go on
    PROFILE_BLOCK_PAGE,    // TLS with a leaf for the host, then `status` and `page`
    PROFILE_FOREIGN_CERT,  // TLS with a leaf for `cert_host`, then `status`, `location`, `page`
    PROFILE_PLAIN_HTTP,    // `status` and `page` in the clear instead of TLS
    PROFILE_EDIT_HELLO,    // `edit`, then the rest in a tunnel
};

enum profile_side { PROFILE_BOTH, PROFILE_CLIENT, PROFILE_SERVER };

struct profile_reaction {
    struct reaction_when when;
    enum profile_at at;
    enum profile_action action;
    enum profile_side side;
    uint8_t alert;
    uint16_t status; // HTTP
    uint32_t ms;
    uint32_t bytes;
    char *page, *location, *cert_host; // NULL: a page of our own; none; the host
    struct profile_edit edit;
    uint32_t residual_seconds; // so long any hello of the same client address to the same server
                               // address gets the same action; 0: none
};

// The clients whose symptoms profiles tell.
#define PROFILE_CLIENTS(X)                                                                         \
    X(CURL, "curl")                                                                                \
    X(GNUTLS, "gnutls")                                                                            \
    X(CHROMIUM, "chromium")                                                                        \
    X(FIREFOX, "firefox")                                                                          \
    X(JAVA, "java")                                                                                \
    X(PYTHON, "python")                                                                            \
    X(NODE, "node")                                                                                \
    X(GO, "go")

#define PROFILE_CLIENT_ENUM(name, text) PROFILE_CLIENT_##name,
enum profile_client { PROFILE_CLIENTS(PROFILE_CLIENT_ENUM) PROFILE_NUM_CLIENTS };
#undef PROFILE_CLIENT_ENUM

// profile_client_name returns the word for `client`: "curl".
const char *profile_client_name(enum profile_client client);

// struct profile is immutable and counted. All that it points to is its own.
struct profile {
    char *name;      // "squid-bump-mimic", or "A,B" of a composition
    uint32_t number; // 19 for E19; 0: not of the catalogue
    char *line;      // the story in a line
    char *story;
    char *date; // of what is told: "2016", "2016-12-28"
    struct profile_strings sources;
    enum profile_confidence confidence;
    char *symptoms[PROFILE_NUM_CLIENTS]; // what each client is expected to say; NULL: not said
    struct profile_strings approximations;
    struct profile_strings learned, not_learned; // of a profile that 'tlsblame learn' wrote
    struct profile_strings conflicts;            // of a composition: which knob of whom gave way

    enum profile_mode mode;
    enum profile_order order;
    struct profile_client_leg client_leg;
    struct profile_server_leg server_leg;
    struct cert_knobs cert;
    struct profile_reaction *reactions; // the first whose conditions hold at a moment acts
    size_t num_reactions;

    atomic_uint refs;
    struct arena arena;
};

// The ceilings: of a profile's text in bytes, of its name (which is that of a folder), of its
// reactions, of any other list.
enum {
    PROFILE_MAX_LEN = 256 * 1024,
    PROFILE_MAX_NAME = 200,
    PROFILE_MAX_REACTIONS = 64,
    PROFILE_MAX_LIST = 256,
    PROFILE_MAX_COMPOSED = 8,
};

// profile_load reads `spec`: names of built-in profiles and paths of files (those hold a slash or
// end in .json), separated by commas. In a composition the later one wins where both turn a knob,
// and reactions are appended. Returns NULL with a message for a name that is unknown (with the
// closest one), a file that cannot be read, and a bad value (with its JSON path and what was
// expected).
WUNRES struct profile *profile_load(const char *spec, struct err *err);

// profile_parse reads one profile from `text_len` bytes of text; `name` is what errors call them.
WUNRES struct profile *profile_parse(const char *name, const char *text, size_t text_len,
                                     struct err *err);

struct profile *profile_ref(struct profile *profile);
void profile_unref(struct profile *profile); // NULL does nothing; any thread

// profile_print appends the effective profile as indented JSON: every knob that is turned. Reading
// it again gives the same profile. It returns false past the ceiling of `out`.
WUNRES bool profile_print(struct buf *out, const struct profile *profile);

// profile_num_builtin counts the profiles that are compiled in; profile_builtin_name and
// profile_builtin_text return those of number `i`, sorted by their numbers in the catalogue.
size_t profile_num_builtin(void);
const char *profile_builtin_name(size_t i);
const char *profile_builtin_text(size_t i, size_t *out_len);

#endif // POLICY_PROFILES_PROFILE_H_
