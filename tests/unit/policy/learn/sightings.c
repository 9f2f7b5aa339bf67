#include "tests/unit/policy/learn/sightings.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { TEXT_MAX = 512 * 1024 };

void sightings_init(struct sightings *s, const char *text) {
    struct err err = {0};
    *s = (struct sightings){.ca = authority_new(SIGHTINGS_NOW), .now = SIGHTINGS_NOW};
    s->real = profile_parse("real", text, strlen(text), &err);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->real);
    s->box = forge_open(NULL, &s->real->cert, s->ca, SIGHTINGS_NOW, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->box);
    s->learn = learn_new("learned");
}

void sightings_cleanup(struct sightings *s) {
    learn_free(s->learn);
    forge_free(s->box);
    profile_unref(s->real);
    authority_free(s->ca);
    arena_cleanup(&s->arena);
}

struct obj *sightings_leg(struct sightings *s, const char *hello) {
    static const uint16_t cipher = 0xc02f;
    struct obj *leg = obj_new(&s->arena, KIND_LEG);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, hello, strlen(hello));
    obj_set_codes(leg, F_LEG_OFFER_CIPHERS, &cipher, 1);
    return leg;
}

static void chain_put(struct obj *leg, struct leaf *leaf) {
    for (size_t i = 0; i < leaf->num_chain; i++) {
        obj_add_bytes(leg, F_LEG_CERTIFICATE_CHAIN, CRYPTO_BUFFER_data(leaf->chain[i]),
                      CRYPTO_BUFFER_len(leaf->chain[i]));
    }
    leaf_unref(leaf);
}

void sightings_origin(struct sightings *s, struct obj *leg, const char *name,
                      const struct cert_knobs *knobs) {
    struct forge *servers = forge_open(NULL, knobs, s->ca, s->now, NULL);
    struct leaf_request request = {.host = name};
    chain_put(leg, leaf_cache_get(forge_leaves(servers), &request, s->now));
    forge_free(servers);
}

void sightings_leaf(struct sightings *s, struct obj *front, const struct obj *behind,
                    const char *host) {
    struct leaf_request request = {.host = host, .sni = host};
    if (obj_num(behind, F_LEG_CERTIFICATE_CHAIN) != 0) {
        struct span der = obj_item(behind, F_LEG_CERTIFICATE_CHAIN, 0);
        request.origin = der.p;
        request.origin_len = der.len;
    }
    chain_put(front, leaf_cache_get(forge_leaves(s->box), &request, s->now));
}

void sightings_add(struct sightings *s, const char *host, const struct obj *front,
                   const struct obj *behind) {
    struct learn_sighting sighting = {
        .id = arena_printf(&s->arena, "r%zu", ++s->num),
        .host = host,
        .time = s->now++,
        .front = front,
        .behind = behind,
    };
    CU_ASSERT_TRUE(learn_add(s->learn, &sighting));
}

void sightings_visit(struct sightings *s, const char *host) {
    // The names of a server are those of its host's parent, too: nothing but a copy has them.
    static const struct cert_knobs server = {
        .subject = CERT_KNOB_SUBJECT_HOST,
        .san = CERT_KNOB_SAN_WILDCARD,
        .not_before = {CERT_KNOB_DATE_NOW, -5000000},
        .not_after = {CERT_KNOB_DATE_NOW, 6000000},
        .constraints = CERT_KNOB_CONSTRAINTS_ABSENT,
        .crl = CERT_KNOB_URL_OWN,
        .crl_url = (char *)"http://crl.test/",
    };
    struct obj *front = sightings_leg(s, "client"), *behind = sightings_leg(s, "box");
    sightings_origin(s, behind, host, &server);
    sightings_leaf(s, front, behind, host);
    sightings_add(s, host, front, behind);
}

struct profile *sightings_profile(struct sightings *s) {
    struct err err = {0};
    struct buf text;
    buf_init(&text, TEXT_MAX);
    CU_ASSERT_TRUE(learn_print(s->learn, &text, &err));
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    struct profile *profile =
        profile_parse("learned", (const char *)buf_data(&text), text.len, &err);
    buf_cleanup(&text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(profile);
    return profile;
}

bool sightings_missed(const struct profile *profile, const char *path) {
    size_t len = strlen(path);
    for (size_t i = 0; i < profile->not_learned.num; i++) {
        const char *text = profile->not_learned.items[i];
        if (strncmp(text, path, len) == 0 && text[len] == ':') {
            return true;
        }
    }
    return false;
}
