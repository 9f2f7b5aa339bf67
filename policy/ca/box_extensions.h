// The extensions that an emulated box puts into its certificates.
#ifndef POLICY_CA_BOX_EXTENSIONS_H_
#define POLICY_CA_BOX_EXTENSIONS_H_

#include "policy/ca/cert_build.h"

// struct box_leaf is what the extensions of a leaf are made from. Every view belongs to the caller.
struct box_leaf {
    const struct cert_key *key, *issuer_key;
    CBS issuer;         // the certificate that issues it, or empty: itself
    CBS san;            // contents of GeneralNames; empty: no such extension
    CBS origin;         // the server's certificate, or empty: nothing to copy
    bool empty_subject; // the names are critical then
};

// box_extensions_leaf appends the contents of a leaf's Extensions as `knobs` want them.
// box_extensions_ca does that for a CA certificate for `key`, with `below` further CAs under it.
// Both return false only where memory ran out.
bool box_extensions_leaf(CBB *out, const struct cert_knobs *knobs, const struct box_leaf *leaf);
bool box_extensions_ca(CBB *out, const struct ca_knobs *knobs, const struct cert_key *key,
                       const struct cert_key *issuer_key, unsigned below);

#endif // POLICY_CA_BOX_EXTENSIONS_H_
