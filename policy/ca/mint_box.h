// Makes the leaves of emulated boxes, as their knobs say.
#ifndef POLICY_CA_MINT_BOX_H_
#define POLICY_CA_MINT_BOX_H_

#include "policy/ca/mint.h"

// struct mint_box_request is all that a leaf is made from; nothing in it is taken over.
struct mint_box_request {
    const struct box *box;
    const struct leaf_spec *spec;                  // see leaf_box.h
    const struct authority *authority, *untrusted; // issue where the box has none of its own
    const struct cert_key *key;                    // the leaf's
    uint64_t count;                                // of this leaf among those of the process
};

// mint_box_issue fills the chain of `leaf`.
void mint_box_issue(struct leaf *leaf, const struct mint_box_request *request);

#endif // POLICY_CA_MINT_BOX_H_
