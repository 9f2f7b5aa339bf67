// What the knobs of an emulated box make of a leaf's names, dates and issuer.
#ifndef POLICY_CA_LEAF_BOX_H_
#define POLICY_CA_LEAF_BOX_H_

#include "policy/ca/authority.h"
#include "policy/ca/cert_knobs.h"
#include "policy/ca/leaf.h"

// Who issues: for AUTO the defects of the server's chain decide, and the knob where there are none.
enum leaf_issuer {
    LEAF_ISSUER_AUTO,
    LEAF_ISSUER_TRUSTED,
    LEAF_ISSUER_UNTRUSTED,
    LEAF_ISSUER_SELF,
};

// struct leaf_box is what a leaf of a box depends on beyond the knobs.
struct leaf_box {
    const char *host;
    const uint8_t *origin; // the server's certificate, which must outlive the spec; or NULL
    size_t origin_len;
    enum leaf_issuer issuer;
    const struct authority *ca; // whose dates a leaf may copy
};

// leaf_spec_for_box turns `spec`, made by leaf_spec_from_chain, into that of a leaf of the box.
// What cannot be copied because there is no certificate of the server stays as it was.
void leaf_spec_for_box(struct leaf_spec *spec, const struct cert_knobs *knobs,
                       const struct leaf_box *box, int64_t now);

#endif // POLICY_CA_LEAF_BOX_H_
