#include "policy/profiles/knob.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "policy/profiles/profile.h"

// By the enums of profile.h and cert_knobs.h; the first of each is its zero.
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define CONFIDENCES WORDS("reported", "documented", "measured")
#define MODES WORDS("intercept", "tunnel")
#define ORDERS WORDS("after_peek", "server_first", "client_first")
#define ALPNS WORDS("mirror", "strip", "fixed")
#define TICKETS WORDS("on", "off", "bad")
#define SENTINELS WORDS("off", "force", "copy_upstream")
#define CCSS WORDS("auto", "omit", "extra")
#define STAPLES WORDS("none", "copy", "stale")
#define CLIENT_CERTS WORDS("ignore", "request", "require")
#define SNIS WORDS("copy", "strip", "replace")
#define HELLOS WORDS("mirror", "own", "template", "edit")
#define REVOCATIONS WORDS("soft", "none", "hard")
#define ON_INVALIDS                                                                                \
    WORDS("mirror", "reset", "alert", "block_page", "resign_trusted", "resign_untrusted",          \
          "self_signed", "pass_through")
#define KEYS WORDS("auto", "rsa1024", "rsa2048", "rsa3072", "p256", "ed25519", "rsa4096", "p384")
#define REUSES WORDS("per_boot", "per_host", "shipped")
#define DIGESTS WORDS("sha256", "sha1", "md5", "sha384", "sha512")
#define SUBJECTS WORDS("cn", "copy", "host", "attributes")
#define SANS WORDS("copy", "host", "none", "wildcard", "copy_and_host", "all", "own")
#define SERIALS                                                                                    \
    WORDS("random128", "random32", "sequential", "copy", "copy_plus_random32", "hash32", "fixed")
#define USAGES                                                                                     \
    WORDS("standard", "copy", "none", "wrong", "copy_or_standard", "standard_if_there", "own")
#define CONSTRAINTS WORDS("leaf", "absent", "ca", "copy", "copy_only")
#define URLS WORDS("none", "own", "copy")
#define ISSUERS WORDS("trusted", "untrusted", "self")
#define CHAINS                                                                                     \
    WORDS("auto", "leaf", "intermediate", "full", "root", "reversed", "doubled", "repeated")
#define PATH_LENS WORDS("auto", "none", "zero")
#define CACHES WORDS("exact", "host", "sni", "ip", "origin", "hash32")
#define ATS WORDS("hello", "second_hello", "answer", "established")
#define ACTIONS                                                                                    \
    WORDS("pass", "rst", "fin", "alert", "stall", "drop_after", "blackhole_big", "block_page",     \
          "foreign_cert", "plain_http", "edit_hello")
#define SIDES WORDS("both", "client", "server")

// clang-format off
#define AT(field)            offsetof(struct OWNER, field)
#define PLAIN(name, type, field, help)               {name, type, AT(field), help, NULL, 0, 0, 0}
#define WORD(name, words, field, help)               {name, KNOB_WORD, AT(field), help, words, 0, 0, 0}
#define NUMBER(name, type, field, min, max, help)    {name, type, AT(field), help, NULL, 0, min, max}
#define CODES(name, registry, field, help)           {name, KNOB_CODES, AT(field), help, NULL, registry, 0, 0}
#define INSIDE(name, object, field, help)            {name, KNOB_INSIDE, AT(field), help, NULL, object, 0, 0}

enum { DAY_SECONDS = 24 * 60 * 60, HOUR_MS = 60 * 60 * 1000, MANY = 16 * 1024 * 1024 };

// What several objects have alike.
#define VERSIONS(min_help, max_help) \
    PLAIN("min_version", KNOB_VERSION, min_version, min_help), \
    PLAIN("max_version", KNOB_VERSION, max_version, max_help)
#define HELLO_LISTS(ciphers_help, groups_help, sigalgs_help) \
    CODES("ciphers", REGISTRY_CIPHER, ciphers, ciphers_help), \
    CODES("groups", REGISTRY_GROUP, groups, groups_help), \
    CODES("signature_algorithms", REGISTRY_SIGNATURE_SCHEME, sigalgs, sigalgs_help)
#define ALPN(help) \
    WORD("alpn", ALPNS, alpn, help), \
    PLAIN("alpn_protocols", KNOB_TEXTS, alpn_protocols, "For \"fixed\".")

#define OWNER profile
static const struct knob PROFILE[] = {
    PLAIN("name", KNOB_TEXT, name, "What it is called: small letters, digits, \"-\", \"_\" and \".\"; a composition's has commas."),
    NUMBER("number", KNOB_NUMBER, number, 0, 999, "Its number in the catalogue: 19 is E19. 0: none."),
    PLAIN("line", KNOB_TEXT, line, "The story in a line of 75 characters at most."),
    PLAIN("story", KNOB_TEXT, story, "What the real box did, to whom, and how it was found."),
    PLAIN("date", KNOB_TEXT, date, "When: \"2016\", \"2016-12\" or \"2016-12-28\"."),
    PLAIN("sources", KNOB_TEXTS, sources, "Where that is written."),
    WORD("confidence", CONFIDENCES, confidence, "How much is known: somebody reported it, its maker or a paper documents it, it was measured."),
    PLAIN("symptoms", KNOB_SYMPTOMS, symptoms, "By client, what it is expected to say."),
    PLAIN("approximations", KNOB_TEXTS, approximations, "Where this emulation differs from the real box."),
    PLAIN("learned", KNOB_TEXTS, learned, "What was learned from records of the real box, a line for each knob, and from which."),
    PLAIN("not_learned", KNOB_TEXTS, not_learned, "What those records do not tell, and why."),
    WORD("mode", MODES, mode, "What becomes of a connection that no reaction ends: \"intercept\" ends TLS on both legs, \"tunnel\" hands the bytes on."),
    WORD("order", ORDERS, order, "When the server is contacted: \"after_peek\" when the reactions to the hello had their chance, \"server_first\" before them: they wait for its answer. \"client_first\" is not to be had."),
    INSIDE("client_leg", KNOB_CLIENT_LEG, client_leg, "TLS between the client and the box."),
    INSIDE("server_leg", KNOB_SERVER_LEG, server_leg, "TLS between the box and the server."),
    INSIDE("cert", KNOB_CERT, cert, "The leaves that the box makes."),
    PLAIN("reactions", KNOB_REACTIONS, reactions, "A list of {\"at\", \"when\", \"action\", ...}: the first one of a moment whose conditions all hold acts."),
};
#undef OWNER

#define OWNER profile_client_leg
static const struct knob CLIENT_LEG[] = {
    VERSIONS("The oldest version accepted.", "The newest."),
    HELLO_LISTS("Cipher suites in order of preference.", "Groups in order of preference.", "What the box signs with, in order of preference."),
    ALPN("The protocol that the client is told: what the server chose, none, or the first of \"alpn_protocols\" that it offers."),
    WORD("session_tickets", TICKETS, tickets, "\"bad\" tickets cannot be decrypted later: a client that comes back with one gets decrypt_error."),
    PLAIN("force_hello_retry_request", KNOB_BOOL, force_hrr, "Asks for a group that the client sent no share of, where it supports one."),
    WORD("sentinel", SENTINELS, sentinel, "The downgrade sentinel in the random of a TLS 1.2 ServerHello, never or always; \"copy_upstream\" takes the server's whole random."),
    PLAIN("echo_session_id", KNOB_BOOL, echo_session_id, "Repeats the client's session id in a TLS 1.2 ServerHello that resumes nothing."),
    NUMBER("record_max", KNOB_NUMBER, record_max, 0, 16384, "Bytes in a record at most; 0 is no bound."),
    NUMBER("flight_split", KNOB_NUMBER, flight_split, 0, 65536, "The first flight goes in pieces of so many bytes; 0 is whole."),
    NUMBER("flight_delay_ms", KNOB_NUMBER, flight_delay_ms, 0, 60000, "Milliseconds between the pieces."),
    WORD("change_cipher_spec", CCSS, ccs, "The change_cipher_spec of TLS 1.3's compatibility mode: where it belongs, never, or once more."),
    WORD("staple", STAPLES, staple, "The OCSP response: none, the server's, or the first that was seen for the host."),
    WORD("client_certificate", CLIENT_CERTS, client_cert, "Whether the client is asked for one: never, always, or always and it must have one. The server gets none in any case: the key stays with the client."),
};
#undef OWNER

#define OWNER profile_server_leg
static const struct knob SERVER_LEG[] = {
    VERSIONS("The oldest version offered.", "The newest."),
    HELLO_LISTS("Cipher suites offered, in order; empty: the client's.", "Groups offered, in order; empty: the client's.", "Signature algorithms offered, in order; empty: the client's."),
    CODES("extensions", REGISTRY_EXTENSION, extensions, "For \"own\": of status_request, signed_certificate_timestamp and session_ticket those that are here are sent; the others are the library's, and so is their order. Empty: the library's."),
    ALPN("The protocols offered: the client's, none, or \"alpn_protocols\"."),
    WORD("sni", SNIS, sni, "The server_name sent: the client's, none, or \"sni_name\"."),
    PLAIN("sni_name", KNOB_TEXT, sni_name, "For \"replace\"."),
    WORD("hello", HELLOS, hello, "The hello that the server gets: the client's mirrored; the box's own, whatever the client sent; a raw one from \"template\", byte for byte, whose versions hold whatever the bounds are; the client's own bytes with \"edit\", in mode \"tunnel\"."),
    INSIDE("template", KNOB_TEMPLATE, template, "A ClientHello that no library writes any more."),
    INSIDE("edit", KNOB_EDIT, edit, "What is changed in the client's hello."),
    INSIDE("verify", KNOB_VERIFY, verify, "What is checked of the server's certificate."),
    WORD("on_invalid", ON_INVALIDS, on_invalid, "What the client is shown when a check fails: the policy's choice, a reset, an alert, a page, a leaf of the trusted or untrusted CA, a self-signed leaf, or the server itself."),
    PLAIN("on_invalid_alert", KNOB_ALERT, on_invalid_alert, "For \"alert\"."),
    PLAIN("breaks_off", KNOB_BOOL, breaks_off, "For \"reset\", \"alert\" and \"block_page\": when a check fails the server gets an alert at its certificate; else its handshake is finished first."),
};
#undef OWNER

#define OWNER profile_template
static const struct knob TEMPLATE[] = {
    PLAIN("record_version", KNOB_VERSION, record_version, "In the record's header; \"any\": 1.0."),
    PLAIN("version", KNOB_VERSION, version, "In the message; \"any\": 1.2."),
    CODES("ciphers", REGISTRY_CIPHER, ciphers, "Cipher suites in order."),
    CODES("extensions", REGISTRY_EXTENSION, extensions, "Extensions in order. Their contents are those of the lists here, of \"sni\" and \"alpn\" (left out without any), the usual ones, or empty."),
    CODES("groups", REGISTRY_GROUP, groups, "supported_groups."),
    CODES("signature_algorithms", REGISTRY_SIGNATURE_SCHEME, sigalgs, "signature_algorithms."),
    CODES("versions", REGISTRY_VERSION, versions, "supported_versions."),
    CODES("key_shares", REGISTRY_GROUP, key_shares, "key_share: the groups, each of which gets a fresh key."),
    CODES("point_formats", REGISTRY_POINT_FORMAT, point_formats, "ec_point_formats; empty: uncompressed."),
    CODES("compression", REGISTRY_COMPRESSION_METHOD, compression, "Compression methods; empty: null."),
    NUMBER("session_id_len", KNOB_BYTE, session_id_len, 0, 32, "Random bytes of session id."),
};
#undef OWNER

#define OWNER profile_edit
static const struct knob EDIT[] = {
    CODES("strip_extensions", REGISTRY_EXTENSION, strip_extensions, "Extensions taken out."),
    CODES("strip_groups", REGISTRY_GROUP, strip_groups, "Groups taken out, their key shares too."),
    CODES("strip_ciphers", REGISTRY_CIPHER, strip_ciphers, "Cipher suites taken out."),
    PLAIN("drop_grease", KNOB_BOOL, drop_grease, "Takes every value of RFC 8701 out."),
    PLAIN("sni", KNOB_TEXT, sni, "Replaces the name."),
};
#undef OWNER

#define OWNER profile_verify
static const struct knob VERIFY[] = {
    PLAIN("chain", KNOB_NOT, no_chain, "Whether the chain must lead to a root that is trusted."),
    PLAIN("host", KNOB_NOT, no_host, "Whether a name must be the host's."),
    PLAIN("dates", KNOB_NOT, no_dates, "Whether the dates must hold."),
    PLAIN("strength", KNOB_NOT, no_strength, "Whether weak keys and signatures are refused."),
    WORD("revocation", REVOCATIONS, revocation, "\"soft\": what the lists of --crl and the server's staple say of the leaf counts; \"none\": it does not; \"hard\": a leaf that neither calls good is bad."),
    PLAIN("aia", KNOB_BOOL, aia, "Fetching an intermediate that the server left out: not to be had, and refused."),
    PLAIN("pins", KNOB_HASHES, pins, "SHA-256 of public keys, in hexadecimal; the chain that the server sends must hold one."),
};
#undef OWNER

#define OWNER cert_knobs
static const struct knob CERT[] = {
    WORD("key", KEYS, key, "The leaf's key; \"auto\" is what the client can verify."),
    WORD("key_reuse", REUSES, reuse, "How long a key serves: while the program runs, for one host, or as long as the CA's folder exists."),
    WORD("digest", DIGESTS, digest, "Of the signature. \"sha1\", \"md5\" and \"sha512\" need a CA with an RSA key."),
    WORD("subject", SUBJECTS, subject, "The CN of the server's certificate, its whole subject, the host as CN, or \"subject_attributes\"."),
    PLAIN("subject_attributes", KNOB_ATTRIBUTES, subject_attributes, "The subject, where \"CN={host}\" holds the host and \"CN={cn}\" the CN of the server's certificate."),
    PLAIN("subject_add", KNOB_ATTRIBUTES, subject_add, "What follows in the subject: [\"OU=Box\"]."),
    WORD("san", SANS, san, "The alternative names: the server's, the host, none, \"*.parent\" and \"parent\", the server's and the host where none of them speaks for it, or \"all\": the CN of the server's certificate, its names and the host, each once; or \"san_names\"."),
    PLAIN("san_names", KNOB_TEXTS, san_names, "For \"own\"."),
    WORD("serial", SERIALS, serial, "The serial number."),
    PLAIN("serial_fixed", KNOB_SERIAL, serial_fixed, "For \"fixed\", in hexadecimal."),
    NUMBER("serial_len", KNOB_BYTE, serial_len, 0, CERT_KNOB_SERIAL_MAX, "For \"random128\": bytes, other than 16; 0 is 16."),
    PLAIN("not_before", KNOB_DATE, not_before, "When the leaf begins."),
    PLAIN("not_after", KNOB_DATE, not_after, "When it ends."),
    WORD("key_usage", USAGES, key_usage, "What a server needs, the server's own, none, keyCertSign alone, the server's own and without one what it needs, what it needs where the server's has any, or \"key_usage_bits\"."),
    NUMBER("key_usage_bits", KNOB_SHORT, key_usage_bits, 0, 511, "For \"own\": the sum of 1 digitalSignature, 2 nonRepudiation, 4 keyEncipherment, 8 dataEncipherment, 16 keyAgreement, 32 keyCertSign, 64 cRLSign, 128 encipherOnly, 256 decipherOnly."),
    WORD("ext_key_usage", USAGES, ext_key_usage, "serverAuth, the server's own, none, clientAuth alone, the server's own and without one serverAuth, serverAuth where the server's has any, or \"ext_key_usages\"."),
    PLAIN("ext_key_usages", KNOB_TEXTS, ext_key_usages, "For \"own\": serverAuth, clientAuth and their kin, in order."),
    WORD("basic_constraints", CONSTRAINTS, constraints, "Present and no CA, absent, a CA, the server's own and without one no CA, or the server's own alone."),
    PLAIN("basic_constraints_critical", KNOB_NOT, constraints_not_critical, "Whether they are critical, where they are not copied."),
    PLAIN("key_usage_critical", KNOB_NOT, key_usage_not_critical, "Whether it is critical, where it is not copied."),
    PLAIN("authority_key_id", KNOB_NOT, no_aki, "Whether the leaf has one."),
    PLAIN("authority_key_id_if_there", KNOB_BOOL, aki_if_there, "Only where the server's certificate has one."),
    PLAIN("authority_key_id_issuer", KNOB_BOOL, aki_issuer, "Whether that names the CA's issuer and serial number, too."),
    PLAIN("subject_key_id", KNOB_NOT, no_ski, "Whether the leaf has one."),
    PLAIN("subject_key_id_if_there", KNOB_BOOL, ski_if_there, "Only where the server's certificate has one."),
    PLAIN("extension_order", KNOB_EXTENSIONS, extension_order, "Which extensions come first; the others follow in their ordinary order."),
    WORD("crl", URLS, crl, "The CRL distribution point: none, \"crl_url\", or the server's."),
    PLAIN("crl_url", KNOB_TEXT, crl_url, "For \"own\"."),
    WORD("ocsp", URLS, ocsp, "The OCSP responder: none, \"ocsp_url\", or the server's."),
    PLAIN("ocsp_url", KNOB_TEXT, ocsp_url, "For \"own\"."),
    PLAIN("copy_scts", KNOB_BOOL, copy_scts, "Copies the server's certificate timestamps, which speak of another certificate."),
    WORD("issuer", ISSUERS, issuer, "Who issues leaves for servers that pass the checks."),
    WORD("chain", CHAINS, chain, "What is sent: all but the root, the leaf alone, the leaf and the intermediate, all, the leaf and the root, the leaf and then the others the wrong way round, all of them twice, or the leaf and the others twice."),
    INSIDE("ca", KNOB_CA, ca, "The box's own CA."),
    INSIDE("cache", KNOB_CACHE, cache, "How leaves are kept."),
};
#undef OWNER

#define OWNER ca_knobs
static const struct knob CA[] = {
    PLAIN("subject", KNOB_ATTRIBUTES, subject, "The root's name: [\"C=US\", \"O=Box\", \"CN=Box CA\"]. Without it the installation's CA issues."),
    PLAIN("untrusted_subject", KNOB_ATTRIBUTES, untrusted_subject, "The name of the CA for servers that must not be trusted."),
    PLAIN("intermediate_subject", KNOB_ATTRIBUTES, intermediate_subject, "The name of an intermediate that issues the leaves."),
    WORD("key", KEYS, key, "The keys of all of them; \"auto\" is p256."),
    WORD("digest", DIGESTS, digest, "Of the CA's own signatures."),
    NUMBER("lifetime_days", KNOB_NUMBER, lifetime_days, 0, 36500, "0 is ten years."),
    PLAIN("basic_constraints", KNOB_NOT, no_constraints, "Whether the CA has them."),
    PLAIN("basic_constraints_critical", KNOB_NOT, constraints_not_critical, "Whether they are critical, as RFC 5280 wants."),
    PLAIN("subject_key_id", KNOB_NOT, no_ski, "Whether the CA has one."),
    PLAIN("key_usage", KNOB_NOT, no_key_usage, "Whether the CA has one."),
    WORD("path_len", PATH_LENS, path_len, "What the hierarchy needs, none, or 0."),
    PLAIN("permitted_dns", KNOB_GLOBS, permitted_dns, "Name constraints: the domains that it may speak for."),
    WORD("ext_key_usage", USAGES, ext_key_usage, "None (\"standard\" as well), serverAuth (\"copy\"), or clientAuth (\"wrong\")."),
};
#undef OWNER

#define OWNER leaf_cache_knobs
static const struct knob CACHE[] = {
    WORD("key", CACHES, key, "What a leaf is kept under: all that it depends on, or too little. \"hash32\" is the first bits of MD5 over the server's serial number and issuer."),
    NUMBER("hash_bits", KNOB_NUMBER, hash_bits, 0, 32, "How many; few make collisions likely. 0 is 32."),
    NUMBER("ttl_seconds", KNOB_NUMBER, ttl_seconds, 0, 365 * DAY_SECONDS, "How long; 0 is while the leaf is fresh."),
};
#undef OWNER

#define OWNER profile_reaction
static const struct knob REACTION[] = {
    WORD("at", ATS, at, "The moment: the client's hello, its second hello, the server's first bytes, or the end of the client's handshake."),
    INSIDE("when", KNOB_WHEN, when, "Conditions that must all hold."),
    WORD("action", ACTIONS, action, "What the box does."),
    WORD("side", SIDES, side, "rst, fin, alert: who gets it. drop_after, blackhole_big: whose bytes."),
    PLAIN("alert", KNOB_ALERT, alert, "alert: which one."),
    NUMBER("status", KNOB_SHORT, status, 0, 599, "block_page, foreign_cert, plain_http: of the HTTP answer."),
    NUMBER("ms", KNOB_NUMBER, ms, 0, HOUR_MS, "stall: how long; 0 is for ever."),
    NUMBER("bytes", KNOB_NUMBER, bytes, 0, MANY, "drop_after, blackhole_big: so many bytes go on."),
    PLAIN("page", KNOB_TEXT, page, "block_page, foreign_cert, plain_http: the HTML; else a page of our own."),
    PLAIN("location", KNOB_TEXT, location, "foreign_cert: where the answer redirects to."),
    PLAIN("cert_host", KNOB_TEXT, cert_host, "foreign_cert: whom the leaf names."),
    INSIDE("edit", KNOB_EDIT, edit, "edit_hello: what is changed."),
    NUMBER("residual_seconds", KNOB_NUMBER, residual_seconds, 0, DAY_SECONDS, "So long any hello of that client to that server gets the same."),
};
#undef OWNER

#define OWNER reaction_when
static const struct knob WHEN[] = {
    PLAIN("sni", KNOB_GLOBS, sni, "The server_name: globs."),
    PLAIN("host", KNOB_GLOBS, host, "The host that the client asked the proxy for: globs."),
    PLAIN("user_agent", KNOB_GLOBS, user_agent, "The User-Agent of the CONNECT, in lower case: globs."),
    PLAIN("has_sni", KNOB_TRI, has_sni, "Whether there is a server_name."),
    PLAIN("grease", KNOB_TRI, grease, "Whether there is any value of RFC 8701."),
    PLAIN("resumption", KNOB_TRI, resumption, "Whether a session is offered: a ticket, a PSK, or a session id that the box knows."),
    CODES("versions", REGISTRY_VERSION, versions, "Offered."),
    NUMBER("hello_over", KNOB_NUMBER, hello_over, 0, 65536, "The hello is longer than so many bytes."),
    NUMBER("segments_over", KNOB_NUMBER, segments_over, 0, 1024, "The hello came in more reads than that."),
    NUMBER("records_over", KNOB_NUMBER, records_over, 0, 1024, "The hello came in more records than that."),
    CODES("extensions", REGISTRY_EXTENSION, extensions, "Offered."),
    CODES("groups", REGISTRY_GROUP, groups, "Offered, with or without a share."),
    CODES("ciphers", REGISTRY_CIPHER, ciphers, "Offered."),
    PLAIN("alpn", KNOB_TEXTS, alpn, "Offered."),
    NUMBER("nth", KNOB_NUMBER, nth, 0, MANY, "Only that connection of the client's address to the host, counted from 1."),
    PLAIN("probability", KNOB_PROBABILITY, probability, "Drawn anew each time; 0 is always."),
};
#undef OWNER

#define SET(noun, knobs, type) {noun, knobs, ARRAY_LEN(knobs), sizeof(struct type)}
static const struct knob_set SETS[KNOB_NUM_OBJECTS] = {
    [KNOB_PROFILE]    = SET("a profile", PROFILE, profile),
    [KNOB_CLIENT_LEG] = SET("client_leg", CLIENT_LEG, profile_client_leg),
    [KNOB_SERVER_LEG] = SET("server_leg", SERVER_LEG, profile_server_leg),
    [KNOB_TEMPLATE]   = SET("template", TEMPLATE, profile_template),
    [KNOB_EDIT]       = SET("edit", EDIT, profile_edit),
    [KNOB_VERIFY]     = SET("verify", VERIFY, profile_verify),
    [KNOB_CERT]       = SET("cert", CERT, cert_knobs),
    [KNOB_CA]         = SET("ca", CA, ca_knobs),
    [KNOB_CACHE]      = SET("cache", CACHE, leaf_cache_knobs),
    [KNOB_REACTION]   = SET("a reaction", REACTION, profile_reaction),
    [KNOB_WHEN]       = SET("when", WHEN, reaction_when),
};
// clang-format on

const struct knob_set *knob_set(enum knob_object object) { return &SETS[object]; }

const struct knob *knob_find(enum knob_object object, const char *name) {
    for (size_t i = 0; i < SETS[object].num; i++) {
        if (strcmp(SETS[object].knobs[i].name, name) == 0) {
            return &SETS[object].knobs[i];
        }
    }
    return NULL;
}
