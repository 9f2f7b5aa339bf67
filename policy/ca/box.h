// The CA of an emulated box, with all that may be wrong with it.
#ifndef POLICY_CA_BOX_H_
#define POLICY_CA_BOX_H_

#include "policy/ca/authority.h"
#include "policy/ca/cert_knobs.h"

// struct box is immutable once made and may be used by any number of threads.
struct box {
    const struct cert_knobs *knobs; // the caller's, who keeps them as long as the box
    struct authority *root;         // NULL: the profile has no CA of its own
    struct authority *intermediate; // that issues in its place; NULL: none
    struct authority *untrusted;    // NULL: the ordinary one
    struct cert_key *leaf_key;      // CERT_KNOB_REUSE_SHIPPED, else NULL
};

// The name of the file that holds a key which is shipped.
#define BOX_LEAF_KEY_FILE "leaf-key.pem"

// box_open makes the box of `knobs` whose files are in the folder `dir`: the root's certificate and
// key as authority_open names them (the key with mode 0600), and the leaves' key where one is
// shipped. What is missing is made, with the folder; the key is kept as long as it is of the kind
// that the knobs ask for, and the certificate as long as it says what they ask for. A box that
// keeps nothing leaves the folder alone. Returns NULL and fills `err` when a file cannot be read
// or written.
WUNRES struct box *box_open(const char *dir, const struct cert_knobs *knobs, int64_t now,
                            struct err *err);

// box_new makes a box in memory.
WUNRES struct box *box_new(const struct cert_knobs *knobs, int64_t now);

// box_free frees `box`, which may be NULL.
void box_free(struct box *box);

// box_key_type returns the kind of key that `knob` asks for, or `otherwise` for AUTO.
enum cert_key_type box_key_type(enum cert_knob_key knob, enum cert_key_type otherwise);

// box_name appends a Name: `base`, the contents of a Name, and then `attributes`, "CN=Box CA".
bool box_name(CBB *cbb, CBS base, const struct cert_knob_strings *attributes);

#endif // POLICY_CA_BOX_H_
