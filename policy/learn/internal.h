// What the parts of the room share: the sightings, read once, and the profile that grows.
#ifndef POLICY_LEARN_INTERNAL_H_
#define POLICY_LEARN_INTERNAL_H_

#include <jansson.h>

#include "logs/record/record.h"
#include "policy/ca/cert_facts.h"
#include "policy/learn/learn.h"

// What is wrong with the certificate that the box was shown, as far as that alone tells.
enum { FLAW_DATES = 1 << 0, FLAW_HOST = 1 << 1, FLAW_SELF_SIGNED = 1 << 2 };

enum { SEEN_CHAIN_MAX = 6 };

// struct seen is a sighting. `chain` is what the client was shown, the leaf first; `num_chain` is 0
// where no certificate was seen, and so is `has_origin` for the server's.
struct seen {
    const char *id, *host;
    int64_t time;
    const struct obj *front, *behind;
    struct cert_facts chain[SEEN_CHAIN_MAX];
    size_t num_chain;
    struct cert_facts origin;
    bool has_origin;
    unsigned flaws;
    bool passed; // both sides have the same hello: the box left this one alone
    bool again;  // an earlier sighting showed the same leaf
    bool usual;  // the leaf is of the issuer who signs most
    bool left;   // the box left the server at its certificate
    bool minded; // and had a leaf for the client all the same
    bool sample; // the leaf is one that the box makes as it usually does
};

struct learn {
    struct arena arena;
    const char *name;
    struct seen *seen[LEARN_MAX_SIGHTINGS];
    size_t num;
    json_t *root, *learned, *missed, *rough;
};

// learn_leaf returns the leaf that the client was shown where the box made it as it usually does,
// else NULL. What the box does with bad servers, or what it leaves alone, says nothing of that.
const struct cert_facts *learn_leaf(const struct seen *seen);

// struct sources collects which sightings say something.
struct sources {
    const char *ids[3];
    size_t num;
};

void sources_add(struct sources *sources, const struct seen *seen);

// learn_set turns the knob `path` ("cert.ca.key") to `value`, which it takes over, and tells who
// said so; `beside` goes behind that, or is NULL. learn_miss tells that a knob could not be learned
// and why, learn_rough what of the box an emulation cannot do.
void learn_set(struct learn *learn, const char *path, json_t *value, const struct sources *sources,
               const char *beside);
PRINTF(3, 4) void learn_miss(struct learn *learn, const char *path, const char *fmt, ...);
PRINTF(2, 3) void learn_rough(struct learn *learn, const char *fmt, ...);

// Whether a sighting agrees with one setting of a knob; UNKNOWN says nothing about it.
enum fit { FIT_NO, FIT_UNKNOWN, FIT_YES };

// struct choice is one setting of a knob and its test. A list is in order of preference.
struct choice {
    const char *word;
    enum fit (*fits)(const struct seen *seen);
};

// learn_fits returns whether learn_choose would find one.
bool learn_fits(const struct learn *learn, const struct choice *choices, size_t num_choices);

// learn_choose turns the knob `path` to the first of `choices` with which no sighting disagrees and
// one agrees. It returns that choice's index, or -1 where there is none, and then says so.
int learn_choose(struct learn *learn, const char *path, const struct choice *choices,
                 size_t num_choices);

// ---- The parts, each of which turns knobs of its own.
void learn_names(struct learn *learn);        // learn_name.c: subject and alternative names
void learn_certificates(struct learn *learn); // learn_certificate.c: key, digest, extensions
void learn_issues(struct learn *learn);       // learn_issue.c: serial, dates, reuse of keys
void learn_authority(struct learn *learn);    // learn_authority.c: chain and CA
void learn_hellos(struct learn *learn);       // learn_hello.c: both legs
void learn_invalid(struct learn *learn);      // learn_invalid.c: what becomes of bad servers

// name_attributes returns a Name (with header) as a list of "CN=Box CA", or NULL where an attribute
// is not among those that a profile can say.
WUNRES json_t *name_attributes(CBS name, struct arena *arena);

// knob_of_key returns the word for the key of `facts`, or NULL where no knob says it.
const char *knob_of_key(const struct cert_facts *facts);

// knob_of_digest does that for the digest of its signature.
const char *knob_of_digest(const struct cert_facts *facts);

#endif // POLICY_LEARN_INTERNAL_H_
