// A mint that is an emulated box, and what its leaves say.
#ifndef TESTS_UNIT_POLICY_CA_BOX_WORLD_H_
#define TESTS_UNIT_POLICY_CA_BOX_WORLD_H_

#include "policy/ca/cert_facts.h"
#include "policy/ca/leaf_cache.h"
#include "tests/unit/policy/ca/test_pki.h"

// BOX_STRINGS is a struct cert_knob_strings of literals.
#define BOX_STRINGS(...)                                                                           \
    { .items = (char *[]){__VA_ARGS__}, .num = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *) }

struct box_world {
    struct authority *installation;
    struct mint *mint;
    struct box *box;
    struct leaf_cache *cache;
    struct pki_cert *ca, *origin; // the server's: "CN=origin.test,O=Origin", with a few names
    struct arena arena;
};

void box_world_init(struct box_world *w, const struct cert_knobs *knobs);
void box_world_cleanup(struct box_world *w);

// box_world_leaf is leaf_cache_get for `host` and the origin; the caller unrefs it.
struct leaf *box_world_leaf(struct box_world *w, const char *host, enum leaf_issuer issuer);

// box_world_facts reads certificate `i` of the chain; it lives as long as the world and the leaf.
struct cert_facts box_world_facts(struct box_world *w, const struct leaf *leaf, size_t i);

// box_world_once makes a world of `knobs` and the facts of its leaf for "www.origin.test". All of
// it stays until box_world_cleanup.
struct cert_facts box_world_once(struct box_world *w, const struct cert_knobs *knobs,
                                 struct leaf **out_leaf);

#endif // TESTS_UNIT_POLICY_CA_BOX_WORLD_H_
