// Playbooks: a session driven by a script of events and expectations, with a clock of our own and
// peers in memory. The driver does with wishes what the loop of proxy/net does with them, and fails
// where that could not.
//
// A script is lines. `|` stands for CR LF, `\xHH` for a byte; in what is expected `*` stands for
// any bytes. SIDE is client or server.
//
//   >> SIDE bytes TEXT        these bytes arrive, in pieces of `piece`
//   >> SIDE tls               a TLS peer with the setup's options begins on this side
//   >> client hello           a ClientHello alone, from a client that does not go on with it
//   >> SIDE says TEXT         it says this inside TLS
//   >> SIDE fills N           a pattern of N bytes, inside TLS where that is spoken
//   >> SIDE queues N          the same, but nothing moves before the next event
//   >> SIDE notify            close_notify
//   >> SIDE alert N           a fatal alert
//   >> SIDE key-update        a KeyUpdate that asks for another
//   >> server hello-request   a HelloRequest of TLS 1.2: it wants to renegotiate
//   >> SIDE eof               FIN behind what it has said
//   >> SIDE broken [ERRNO]    the connection breaks, ECONNRESET unless it says otherwise
//   >> SIDE stops | takes     output to this side is no longer (again) written
//   >> resolved | unresolved WHY | tried ERRNO | connected | dial-failed ERRNO
//   >> timer [SECONDS]        time passes: that long, or until the deadline
//   >> stop                   the proxy is stopped
//   << dial HOST:PORT         a new dial is wished for
//   << SIDE gets TEXT         so much raw output, and no more
//   << SIDE got N             N bytes of the pattern, raw or inside TLS, and no more
//   << SIDE hears TEXT        plaintext
//   << SIDE established VERSION CIPHER ALPN     `*` for any, - for none
//   << SIDE alerted N         its TLS was told this alert; - for none
//   << SIDE rejects TEXT      it refused the certificate: libcrypto's words
//   << SIDE notified | open | fin | closed | reset | read | unread
//   << record final | interim | none            the next record, which == is about from now on
//   << done | going
//   == PATH TEXT              a field of the record as text; - for absent
#ifndef TESTS_UNIT_PROXY_SESSION_PLAYBOOK_H_
#define TESTS_UNIT_PROXY_SESSION_PLAYBOOK_H_

#include "proxy/session/session.h"
#include "tests/unit/proxy/session/tls_peer.h"
#include "tests/unit/proxy/session/world.h"
#include "tests/unit/unit.h"

struct setup {
    const char *policy; // JSON; NULL for the default
    const struct limits *limits;
    const char *as;                // the text of a profile to be
    const char *parent;            // URL of a parent proxy
    const char *aim;               // a host to whose port 443 the connection goes without asking
    struct session_shared *shared; // in place of one made of these
    struct peer_options client, server;
    size_t piece; // bytes an event holds at most; 0 for 16 KiB
    // Byte number `flip_at` of those that `flip_side` says is changed on its way, where `flip` is
    // not 0.
    enum side flip_side;
    size_t flip_at;
    uint8_t flip;
};

// SETUP_TLS is a client that trusts our CA and a good server; a designated initialiser may follow.
#define SETUP_TLS                                                                                  \
    .client = {.host = WORLD_HOST, .ca = world_get()->ca}, .server = {.chain = {world_get()->leaf}}

// Scripts that many tests begin with: to the 200, and to both legs established.
#define OPEN                                                                                       \
    ">> client bytes CONNECT example.test:443 HTTP/1.1|Host: example.test||\n"                     \
    "<< dial example.test:443\n"                                                                   \
    ">> resolved\n"                                                                                \
    ">> tried 0\n"                                                                                 \
    ">> connected\n"                                                                               \
    "<< client gets HTTP/1.1 200 Connection established||\n"
#define HANDSHAKE                                                                                  \
    OPEN ">> server tls\n"                                                                         \
         ">> client tls\n"                                                                         \
         "<< client established * * *\n"                                                           \
         "<< server established * * *\n"

struct play;

// play_new begins a session; play_run runs a script and reports what differs as CUnit failures;
// play_free ends both sides, where the script did not, and checks that the session ends with them
// and that every record has a verdict.
struct play *play_new(const struct setup *setup);
void play_run(struct play *play, const char *script);
void play_free(struct play *play);

// play does all three; `setup` may be NULL.
void play(const struct setup *setup, const char *script);

// playf is play for a script that is formatted first.
PRINTF(2, 3) void playf(const struct setup *setup, const char *fmt, ...);

// play_bytes lets raw bytes arrive, as `bytes` does.
void play_bytes(struct play *play, enum side side, const void *p, size_t p_len);

// play_got is the raw output of a side so far, since the last line that expected some.
struct span play_got(const struct play *play, enum side side);

// play_shared is what its session shares; the play's.
struct session_shared *play_shared(const struct play *play);

struct peer *play_peer(struct play *play, enum side side);

// play_most is the most output that ever waited for a side.
size_t play_most(const struct play *play, enum side side);

// play_spliced is how many bytes were passed on without the session's seeing them.
size_t play_spliced(const struct play *play);

// play_record is the current record.
const struct obj *play_record(const struct play *play);

#endif // TESTS_UNIT_PROXY_SESSION_PLAYBOOK_H_
