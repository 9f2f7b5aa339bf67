#include "tests/unit/policy/ca/box_world.h"

#include "tests/unit/unit.h"

void box_world_init(struct box_world *w, const struct cert_knobs *knobs) {
    *w = (struct box_world){0};
    w->installation = authority_new(PKI_NOW);
    w->mint = mint_new(w->installation, PKI_NOW);
    w->box = box_new(knobs, PKI_NOW);
    mint_set_box(w->mint, w->box);
    w->cache = leaf_cache_new(w->mint, 100, 1024 * 1024);
    w->ca = pki_ca("Public CA", NULL);
    w->origin = pki_make((struct pki_options){
        .cn = "origin.test",
        .o = "Origin",
        .issuer = w->ca,
        .san = "DNS:www.origin.test, DNS:origin.test, IP:192.0.2.7",
        .basic_constraints = "CA:FALSE",
        .key_usage = "critical, digitalSignature, keyAgreement",
        .ext_key_usage = "serverAuth, clientAuth",
        .info_access = "OCSP;URI:http://ocsp.origin.test/",
        .crl_points = "URI:http://crl.origin.test/c.crl",
    });
}

void box_world_cleanup(struct box_world *w) {
    leaf_cache_free(w->cache);
    mint_free(w->mint);
    box_free(w->box);
    authority_free(w->installation);
    pki_free(w->origin);
    pki_free(w->ca);
    arena_cleanup(&w->arena);
}

struct leaf *box_world_leaf(struct box_world *w, const char *host, enum leaf_issuer issuer) {
    const struct leaf_request request = {
        .host = host,
        .sni = host,
        .origin = w->origin->der,
        .origin_len = w->origin->der_len,
        .issuer = issuer,
    };
    return leaf_cache_get(w->cache, &request, PKI_NOW);
}

struct cert_facts box_world_facts(struct box_world *w, const struct leaf *leaf, size_t i) {
    struct cert_facts facts;
    CU_ASSERT_TRUE_FATAL(i < leaf->num_chain);
    CU_ASSERT_TRUE(cert_facts_parse(&facts, &w->arena, CRYPTO_BUFFER_data(leaf->chain[i]),
                                    CRYPTO_BUFFER_len(leaf->chain[i])));
    return facts;
}

struct cert_facts box_world_once(struct box_world *w, const struct cert_knobs *knobs,
                                 struct leaf **out_leaf) {
    box_world_init(w, knobs);
    *out_leaf = box_world_leaf(w, "www.origin.test", LEAF_ISSUER_AUTO);
    return box_world_facts(w, *out_leaf, 0);
}
