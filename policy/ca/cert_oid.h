// The object identifiers that a certificate is made of.
#ifndef POLICY_CA_CERT_OID_H_
#define POLICY_CA_CERT_OID_H_

#include "logs/base/arena.h"
#include "third_party/boringssl/boringssl.h"

// struct cert_oid is a row of a table: the identifier in DER (contents only), its name, and what
// the table's reader wants to know beyond it.
struct cert_oid {
    uint8_t len, der[11];
    const char *name;
    int value;
};

// The tables end with a row of length 0. `value` is
//   attributes, ext_key_usages: nothing;
//   signatures: the NID of the digest, NID_undef where the algorithm brings its own;
//   keys: the EVP_PKEY type;
//   curves: the size in bits.
extern const struct cert_oid cert_oid_attributes[];
extern const struct cert_oid cert_oid_ext_key_usages[];
extern const struct cert_oid cert_oid_signatures[];
extern const struct cert_oid cert_oid_keys[];
extern const struct cert_oid cert_oid_curves[];

// cert_oid_find returns the row of `table` for `oid` (contents), or NULL.
const struct cert_oid *cert_oid_find(const struct cert_oid *table, CBS oid);

// cert_oid_named returns the row of `table` called `name`, which must be there.
const struct cert_oid *cert_oid_named(const struct cert_oid *table, const char *name);

// cert_oid_name returns the name of `oid` in `table`, else its dotted form taken from `arena`, else
// "malformed OID". The result lives as long as the arena.
const char *cert_oid_name(const struct cert_oid *table, CBS oid, struct arena *arena);

#endif // POLICY_CA_CERT_OID_H_
