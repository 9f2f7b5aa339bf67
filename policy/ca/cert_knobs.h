// What can be odd about the certificates of an inspector: the knobs of the CA room, as plain
// values. A zeroed struct is an ordinary proxy.
#ifndef POLICY_CA_CERT_KNOBS_H_
#define POLICY_CA_CERT_KNOBS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The key: AUTO is what the client can verify.
enum cert_knob_key {
    CERT_KNOB_KEY_AUTO,
    CERT_KNOB_KEY_RSA_1024,
    CERT_KNOB_KEY_RSA_2048,
    CERT_KNOB_KEY_RSA_3072,
    CERT_KNOB_KEY_P256,
    CERT_KNOB_KEY_ED25519,
    CERT_KNOB_KEY_RSA_4096,
    CERT_KNOB_KEY_P384,
};

// How long one key of leaves is in use: while the process lives; for one leaf, which is one host as
// long as that is kept; or as long as the box's folder exists, which is as close to one key shipped
// to everybody as one may come.
enum cert_knob_reuse {
    CERT_KNOB_REUSE_PER_BOOT,
    CERT_KNOB_REUSE_PER_HOST,
    CERT_KNOB_REUSE_SHIPPED,
};

// The digest of signatures. SHA-1, MD5 and SHA-512 go with RSA issuers only.
enum cert_knob_digest {
    CERT_KNOB_SHA256,
    CERT_KNOB_SHA1,
    CERT_KNOB_MD5,
    CERT_KNOB_SHA384,
    CERT_KNOB_SHA512,
};

// The leaf's subject: the CN of the server's certificate; its whole Name; the CN is the host;
// attributes of the box's own.
enum cert_knob_subject {
    CERT_KNOB_SUBJECT_CN,
    CERT_KNOB_SUBJECT_COPY,
    CERT_KNOB_SUBJECT_HOST,
    CERT_KNOB_SUBJECT_ATTRIBUTES,
};

// The leaf's alternative names: those of the server's certificate, the host alone, none,
// "*.parent" and "parent" of the host, or those of the server's certificate and the host where none
// of them speaks for it.
enum cert_knob_san {
    CERT_KNOB_SAN_COPY,
    CERT_KNOB_SAN_HOST,
    CERT_KNOB_SAN_NONE,
    CERT_KNOB_SAN_WILDCARD,
    CERT_KNOB_SAN_COPY_AND_HOST,
    CERT_KNOB_SAN_ALL, // the CN of the server's certificate, its names and the host, each once
    CERT_KNOB_SAN_OWN, // the same for every server
};

// The serial number: `serial_len` (0: 16) or 4 random bytes; counting from 1 in each process; that
// of the server's certificate; that and 4 random bytes added to it; the first 4 bytes of MD5 over
// the server's serial number and issuer; always the same.
enum cert_knob_serial {
    CERT_KNOB_SERIAL_RANDOM_128,
    CERT_KNOB_SERIAL_RANDOM_32,
    CERT_KNOB_SERIAL_SEQUENTIAL,
    CERT_KNOB_SERIAL_COPY,
    CERT_KNOB_SERIAL_COPY_PLUS_RANDOM_32,
    CERT_KNOB_SERIAL_HASH_32,
    CERT_KNOB_SERIAL_FIXED,
};

// A date: the ordinary one; `seconds` from now; that of the server's certificate; that of the CA's.
enum cert_knob_date_from {
    CERT_KNOB_DATE_AUTO,
    CERT_KNOB_DATE_NOW,
    CERT_KNOB_DATE_COPY,
    CERT_KNOB_DATE_CA,
};

enum { CERT_KNOB_SERIAL_MAX = 20 }; // RFC 5280 section 4.1.2.2

struct cert_knob_date {
    enum cert_knob_date_from from;
    int64_t seconds; // CERT_KNOB_DATE_NOW: after now, or before it where negative
};

// Key usage and extended key usage: what a TLS server needs; those of the server's certificate; no
// such extension; those of something else (keyCertSign alone, clientAuth alone). BoringSSL shows no
// certificate with an EC key whose key usage is without digitalSignature: where the server's is,
// the leaf has the first, and WRONG is for RSA keys.
enum cert_knob_usage {
    CERT_KNOB_USAGE_STANDARD,
    CERT_KNOB_USAGE_COPY,
    CERT_KNOB_USAGE_NONE,
    CERT_KNOB_USAGE_WRONG,
    CERT_KNOB_USAGE_COPY_OR_STANDARD,  // the server's, or where it has none what it needs
    CERT_KNOB_USAGE_STANDARD_IF_THERE, // what a server needs where the server's has the extension
    CERT_KNOB_USAGE_OWN,               // the same for every server
};

// The basicConstraints of the leaf: present and not a CA, absent, a CA, or those of the server's
// certificate (not a CA where it has none, or absent then, too).
enum cert_knob_constraints {
    CERT_KNOB_CONSTRAINTS_LEAF,
    CERT_KNOB_CONSTRAINTS_ABSENT,
    CERT_KNOB_CONSTRAINTS_CA,
    CERT_KNOB_CONSTRAINTS_COPY,
    CERT_KNOB_CONSTRAINTS_COPY_ONLY,
};

// A pointer to a CRL or an OCSP responder: none, the profile's own, the server's certificate's.
enum cert_knob_url { CERT_KNOB_URL_NONE, CERT_KNOB_URL_OWN, CERT_KNOB_URL_COPY };

// Who issues a sound leaf.
enum cert_knob_issuer { CERT_KNOB_TRUSTED, CERT_KNOB_UNTRUSTED, CERT_KNOB_SELF };

// What is sent: the ordinary chain (without the root); the leaf alone; the leaf and the
// intermediate; those and the root; the leaf and the root without what is between; the leaf and
// then the others the wrong way round (TLS libraries insist that their own certificate is the
// first); all of them twice; the leaf and then the others twice.
enum cert_knob_chain {
    CERT_KNOB_CHAIN_AUTO,
    CERT_KNOB_CHAIN_LEAF,
    CERT_KNOB_CHAIN_INTERMEDIATE,
    CERT_KNOB_CHAIN_FULL,
    CERT_KNOB_CHAIN_ROOT,
    CERT_KNOB_CHAIN_REVERSED,
    CERT_KNOB_CHAIN_DOUBLED,
    CERT_KNOB_CHAIN_REPEATED,
};

// The attributes of a distinguished name that a knob can say, and the string type of each (RFC 5280
// appendix A.1).
#define CERT_KNOB_ATTRIBUTES(X)                                                                    \
    X("C", PRINTABLE)                                                                              \
    X("ST", UTF8)                                                                                  \
    X("L", UTF8)                                                                                   \
    X("STREET", UTF8)                                                                              \
    X("postalCode", UTF8)                                                                          \
    X("O", UTF8)                                                                                   \
    X("OU", UTF8)                                                                                  \
    X("title", UTF8)                                                                               \
    X("CN", UTF8)                                                                                  \
    X("serialNumber", PRINTABLE)                                                                   \
    X("UID", UTF8)                                                                                 \
    X("DC", IA5)                                                                                   \
    X("emailAddress", IA5)

// struct cert_knob_strings is a list whose strings belong to the owner of the struct. As a
// distinguished name it holds the attributes in order, "CN=Box CA"; `num` of 0 is no name.
struct cert_knob_strings {
    char **items;
    size_t num;
};

// The path length in the CA's basicConstraints: what the hierarchy below needs, none, or 0, which
// is one too few where an intermediate stands between.
enum ca_knob_path_len { CA_KNOB_PATH_LEN_AUTO, CA_KNOB_PATH_LEN_NONE, CA_KNOB_PATH_LEN_ZERO };

// struct ca_knobs is the profile's own CA and what is wrong with it.
struct ca_knobs {
    struct cert_knob_strings subject; // empty: the installation's CA issues, and none of the rest
                                      // has a meaning
    struct cert_knob_strings untrusted_subject, intermediate_subject; // empty: none
    enum cert_knob_key key;                                           // AUTO: P-256
    enum cert_knob_digest digest;
    uint32_t lifetime_days; // 0: ten years
    bool no_constraints, constraints_not_critical, no_ski, no_key_usage;
    enum ca_knob_path_len path_len;
    struct cert_knob_strings permitted_dns; // name constraints; empty: none
    enum cert_knob_usage ext_key_usage;     // STANDARD and NONE: none; COPY: serverAuth
};

// What a leaf is kept under: everything that it depends on, or one fact that is not enough.
// HASH_32 is the first `hash_bits` bits of MD5 over serial number and issuer.
enum leaf_cache_knob {
    LEAF_CACHE_EXACT,
    LEAF_CACHE_HOST,
    LEAF_CACHE_SNI,
    LEAF_CACHE_IP,
    LEAF_CACHE_ORIGIN,
    LEAF_CACHE_HASH_32,
};

struct leaf_cache_knobs {
    enum leaf_cache_knob key;
    uint32_t hash_bits;   // LEAF_CACHE_HASH_32: 1 to 32; 0 is 32
    uint32_t ttl_seconds; // 0: while the leaf is fresh
};

// The extensions of a leaf, in their ordinary order.
#define CERT_KNOB_EXTENSIONS(X)                                                                    \
    X(BASIC_CONSTRAINTS, "basic_constraints")                                                      \
    X(KEY_USAGE, "key_usage")                                                                      \
    X(EXT_KEY_USAGE, "ext_key_usage")                                                              \
    X(SUBJECT_KEY_ID, "subject_key_id")                                                            \
    X(AUTHORITY_KEY_ID, "authority_key_id")                                                        \
    X(SAN, "san")                                                                                  \
    X(CRL, "crl")                                                                                  \
    X(OCSP, "ocsp")                                                                                \
    X(SCTS, "scts")

#define CERT_KNOB_EXTENSION_ENUM(name, text) CERT_KNOB_EXTENSION_##name,
enum cert_knob_extension {
    CERT_KNOB_EXTENSIONS(CERT_KNOB_EXTENSION_ENUM) CERT_KNOB_NUM_EXTENSIONS
};
#undef CERT_KNOB_EXTENSION_ENUM

// The extended key usages that a knob can say.
#define CERT_KNOB_PURPOSES(X)                                                                      \
    X("serverAuth")                                                                                \
    X("clientAuth")                                                                                \
    X("codeSigning")                                                                               \
    X("emailProtection")                                                                           \
    X("ipsecEndSystem")                                                                            \
    X("timeStamping")                                                                              \
    X("OCSPSigning")                                                                               \
    X("anyExtendedKeyUsage")                                                                       \
    X("msSGC")                                                                                     \
    X("nsSGC")

// struct cert_knobs is the leaf, and all that makes it.
struct cert_knobs {
    enum cert_knob_key key;
    enum cert_knob_reuse reuse;
    enum cert_knob_digest digest;
    enum cert_knob_subject subject;
    // CERT_KNOB_SUBJECT_ATTRIBUTES: "CN={host}" is the host's, "O={cn}" has the CN of the server's
    // certificate.
    struct cert_knob_strings subject_attributes;
    struct cert_knob_strings subject_add; // attributes that follow in the subject
    enum cert_knob_san san;
    struct cert_knob_strings san_names; // CERT_KNOB_SAN_OWN: hosts and addresses
    enum cert_knob_serial serial;
    uint64_t serial_fixed;
    uint8_t serial_len; // CERT_KNOB_SERIAL_RANDOM_128: bytes, CERT_KNOB_SERIAL_MAX at most; 0: 16
    struct cert_knob_date not_before, not_after;
    enum cert_knob_usage key_usage, ext_key_usage;
    uint16_t key_usage_bits;                 // CERT_KNOB_USAGE_OWN: CERT_KU_*
    struct cert_knob_strings ext_key_usages; // CERT_KNOB_USAGE_OWN: CERT_KNOB_PURPOSES
    enum cert_knob_constraints constraints;
    bool constraints_not_critical, key_usage_not_critical; // where they are not copied
    bool no_aki, no_ski;
    bool aki_if_there, ski_if_there; // only where the server's certificate has one
    bool aki_issuer;                 // the issuer's issuer and serial number, too
    // The order of the extensions, by the names in CERT_KNOB_EXTENSIONS; those that are not
    // listed follow.
    struct cert_knob_strings extension_order;
    enum cert_knob_url crl, ocsp;
    char *crl_url, *ocsp_url; // CERT_KNOB_URL_OWN
    bool copy_scts;           // SCTs that speak of another certificate
    enum cert_knob_issuer issuer;
    enum cert_knob_chain chain;
    struct ca_knobs ca;
    struct leaf_cache_knobs cache;
};

#endif // POLICY_CA_CERT_KNOBS_H_
