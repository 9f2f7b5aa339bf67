// Connections through a box that our own CA room plays: what is learned of it must be its knobs.
#ifndef TESTS_UNIT_POLICY_LEARN_SIGHTINGS_H_
#define TESTS_UNIT_POLICY_LEARN_SIGHTINGS_H_

#include "logs/record/record.h"
#include "policy/ca/forge.h"
#include "policy/learn/learn.h"
#include "policy/profiles/profile.h"

enum { SIGHTINGS_NOW = 1800000000 };

struct sightings {
    struct arena arena;
    struct authority *ca;
    struct profile *real; // the box
    struct forge *box;
    struct learn *learn;
    size_t num;
    int64_t now;
};

// sightings_init plays the box of the profile `text`.
void sightings_init(struct sightings *s, const char *text);
void sightings_cleanup(struct sightings *s);

// sightings_leg makes a leg with a hello of its own: `hello` is its bytes.
struct obj *sightings_leg(struct sightings *s, const char *hello);

// sightings_origin puts a server's certificate for `name` into `leg`, as `knobs` have it.
void sightings_origin(struct sightings *s, struct obj *leg, const char *name,
                      const struct cert_knobs *knobs);

// sightings_leaf puts the leaf that the box makes for `host` into `front`, from what is in
// `behind`.
void sightings_leaf(struct sightings *s, struct obj *front, const struct obj *behind,
                    const char *host);

// sightings_add adds a connection to `host`; sightings_visit one with an ordinary server, whose
// certificate is for all names of its domain.
void sightings_add(struct sightings *s, const char *host, const struct obj *front,
                   const struct obj *behind);
void sightings_visit(struct sightings *s, const char *host);

// sightings_profile is what was learned; the caller unrefs it.
struct profile *sightings_profile(struct sightings *s);

// sightings_missed returns whether the profile says that it could not learn `path`.
bool sightings_missed(const struct profile *profile, const char *path);

#endif // TESTS_UNIT_POLICY_LEARN_SIGHTINGS_H_
