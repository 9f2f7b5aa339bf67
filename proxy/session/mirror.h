// The server leg's ClientHello: the client's offer again, as far as the library can say it.
#ifndef PROXY_SESSION_MIRROR_H_
#define PROXY_SESSION_MIRROR_H_

#include "policy/config/policy.h"
#include "policy/profiles/profile.h"
#include "proxy/session/shared.h"
#include "proxy/tls/client_hello.h"

// mirror_new returns a client SSL that offers what `hello` offers: versions (within the bounds of
// `leg`), TLS 1.2 cipher suites and their order, groups, signature algorithms, ALPN, SNI, GREASE,
// staple, SCT, certificate compression, session ticket, fallback SCSV, GREASE ECH, shuffled
// extensions. What the library cannot say is left out; the comparison of the two hellos shows it.
WUNRES SSL *mirror_new(struct session_shared *shared, const struct client_hello *hello,
                       const struct leg_policy *leg);

// mirror_versions returns whether the library speaks any version of `hello` within `leg`, and
// which is the lowest and the highest.
bool mirror_versions(const struct client_hello *hello, const struct leg_policy *leg,
                     uint16_t *out_min, uint16_t *out_max);

// mirror_own returns a client SSL with a hello of the library's own within the bounds of `leg`:
// only the SNI and ALPN are those of `hello`.
WUNRES SSL *mirror_own(const struct session_shared *shared, const struct client_hello *hello,
                       const struct leg_policy *leg);

// mirror_ciphers, mirror_groups and mirror_sigalgs (of peers) set what the library knows of a list;
// an empty one, or one of which it knows nothing, changes nothing.
void mirror_ciphers(SSL *ssl, const struct profile_codes *ciphers);
void mirror_groups(SSL *ssl, const struct profile_codes *groups);
void mirror_sigalgs(SSL *ssl, const struct profile_codes *sigalgs);

// mirror_group returns the library's name of a group, or NID_undef.
int mirror_group(uint32_t group);

#endif // PROXY_SESSION_MIRROR_H_
