#include "proxy/probe/chain_proof.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/ca/cert_bundle.h"
#include "proxy/session/verification.h"

// A chain as long as is looked into leaves room for these (TRUST_MAX_CHAIN).
enum { FETCHED_MAX = 40, SENT_MAX = TRUST_MAX_CHAIN - FETCHED_MAX };

//  ISSUERS --> LISTS --> OVER
enum phase { ISSUERS, LISTS, OVER };

struct chain_proof {
    struct chain_proof_config config;
    struct obj *leg, *out;
    const char *name;
    CBS *chain; // as sent, of the leg
    size_t num_chain;
    CBS fetched[FETCHED_MAX];
    size_t num_fetched;
    struct cert_facts leaf;
    enum phase phase;
    const char *url; // of what is under way
    struct fetcher *fetcher;
    unsigned num_issuers, num_lists;
    size_t next_point; // of the leaf's distribution points
    struct trust_proof proof;
    bool has_proof, stopped;
    const char *missing; // the issuer that was not there before the last fetch
    struct arena arena;
};

// ---- what there is to ask

static bool is_http(const struct span *url) {
    return url->len > 7 && strncasecmp((const char *)url->p, "http://", 7) == 0;
}

static bool has_list(const struct obj *leg) {
    const struct obj *leaf = obj_num(leg, F_LEG_CHAIN) != 0 ? obj_at(leg, F_LEG_CHAIN, 0) : NULL;
    for (size_t i = 0; leaf != NULL && i < obj_num(leaf, F_CERT_CRL); i++) {
        struct span url = obj_item(leaf, F_CERT_CRL, i);
        if (is_http(&url)) {
            return true;
        }
    }
    return false;
}

bool chain_proof_wants(const struct obj *leg, bool aia, bool crl) {
    const struct obj *verification = obj_get(leg, F_LEG_VERIFICATION);
    size_t num = obj_num(leg, F_LEG_CERTIFICATE_CHAIN);
    if (verification == NULL || num == 0 || num > SENT_MAX) {
        return false;
    }
    struct span url = obj_span(verification, F_VERIFICATION_CA_ISSUERS);
    bool issuer = obj_has(verification, F_VERIFICATION_MISSING_ISSUER) && is_http(&url) &&
                  !obj_has(verification, F_VERIFICATION_COMPLETED_BY);
    bool list = !obj_has(verification, F_VERIFICATION_CRL_STATUS) && has_list(leg);
    return (aia && issuer) || (crl && list);
}

// ---- what came of it

static void tell(struct chain_proof *p, const char *result, const char *says) {
    struct obj *row = obj_add(p->out, F_VERIFICATION_FETCHES);
    obj_set_str(row, F_FETCH_WHAT, p->phase == ISSUERS ? "issuer" : "revocation-list");
    obj_set_str(row, F_FETCH_URL, p->url);
    obj_set_str(row, F_FETCH_RESULT, result);
    obj_set_str(row, F_FETCH_SAYS, says);
}

static void prove(struct chain_proof *p) {
    if (p->has_proof) {
        trust_proof_cleanup(&p->proof);
    }
    trust_aia_prove(p->config.trust, p->chain, p->num_chain, p->fetched, p->num_fetched, p->name,
                    p->config.now, &p->proof);
    p->has_proof = true;
}

static void take_issuer(struct chain_proof *p, struct span body) {
    CBS in, certs[CERT_BUNDLE_CERTS];
    // The certificates are to live as long as the proof.
    CBS_init(&in, arena_dup(&p->arena, body.p, body.len), body.len);
    size_t num = cert_bundle_parse(certs, &p->arena, in);
    if (num == 0) {
        tell(p, "malformed", "What is there is no certificate.");
        return;
    }
    size_t room = sizeof(p->fetched) / sizeof(p->fetched[0]) - p->num_fetched;
    num = num < room ? num : room;
    memcpy(p->fetched + p->num_fetched, certs, num * sizeof(*certs));
    p->num_fetched += num;
    prove(p);
    const char *missing = p->proof.verification.missing_issuer;
    if (!p->proof.completed && missing != NULL && strcmp(missing, p->missing) == 0) {
        tell(p, "wrong",
             arena_printf(&p->arena, "What is there is not the certificate of %s.", p->missing));
    } else {
        tell(p, "got", p->proof.says);
    }
    if (p->proof.completed) {
        verification_record_proof(p->out, &p->proof);
    }
}

static const char *list_says(const struct crl_answer *crl) {
    switch (crl->status) {
    case CRL_REVOKED:
        return "The leaf is on the list.";
    case CRL_GOOD:
        return "The leaf is not on the list.";
    case CRL_STALE:
        return "The leaf is not on the list, but a newer one is due.";
    case CRL_BAD_SIGNATURE:
        return "The list is not signed with the key of the leaf's issuer.";
    case CRL_NONE:
        break;
    }
    return "The list is not that of the leaf's issuer, or that issuer is not known.";
}

static void take_list(struct chain_proof *p, struct span body) {
    struct crl_set *set = crl_set_new();
    struct verification *v = xcalloc(1, sizeof(*v));
    CBS *all = xcalloc(p->num_chain + p->num_fetched, sizeof(*all));
    struct trust *trust;
    struct err err;
    if (!crl_set_add(set, body.p, body.len, "it", &err)) {
        crl_set_free(set);
        tell(p, "malformed",
             arena_printf(&p->arena, "What is there is no revocation list: %s.", err.msg));
        goto out;
    }
    memcpy(all, p->chain, p->num_chain * sizeof(*all));
    memcpy(all + p->num_chain, p->fetched, p->num_fetched * sizeof(*all));
    trust = trust_with_crls(p->config.trust, set);
    trust_verify(trust, all, p->num_chain + p->num_fetched, p->name, p->config.now, v);
    bool answers = v->crl.status != CRL_NONE && v->crl.status != CRL_BAD_SIGNATURE;
    tell(p, answers ? "got" : "wrong", list_says(&v->crl));
    if (answers) {
        verification_record_crl(p->out, v, p->num_chain);
    }
    verification_cleanup(v);
    trust_free(trust);
out:
    free(all);
    free(v);
}

// ---- one after the other

static void on_fetched(void *ctx, const struct fetch *fetch);

static bool ask(struct chain_proof *p, const char *url, size_t max) {
    struct fetcher_config config = p->config.fetcher;
    struct fetch_url parsed;
    p->url = url;
    if (!fetch_url_parse(&parsed, url)) {
        tell(p, "malformed", "That is no address that can be fetched from.");
        return false;
    }
    config.fetch.url = url;
    config.fetch.max = max;
    config.on_done = on_fetched;
    config.ctx = p;
    p->fetcher = fetcher_new(&config);
    return true;
}

// next_issuer begins to fetch the next missing issuer; each address is asked once.
static bool next_issuer(struct chain_proof *p) {
    const char *url = p->has_proof ? p->proof.next_url : NULL;
    bool last_helped = p->url == NULL || (url != NULL && strcmp(url, p->url) != 0);
    if (!p->config.aia || url == NULL || !last_helped || p->num_issuers == TRUST_AIA_MAX) {
        return false;
    }
    p->missing = arena_printf(&p->arena, "%s", p->proof.verification.missing_issuer);
    p->num_issuers++;
    return ask(p, arena_printf(&p->arena, "%s", url), CERT_BUNDLE_MAX);
}

static bool next_list(struct chain_proof *p) {
    while (p->config.crl && !obj_has(p->out, F_VERIFICATION_CRL_STATUS) &&
           p->num_lists < CHAIN_PROOF_LISTS && p->next_point < p->leaf.crl_points.num) {
        const char *url = p->leaf.crl_points.items[p->next_point++];
        if (strncasecmp(url, "http://", 7) == 0) {
            p->num_lists++;
            if (ask(p, url, CHAIN_PROOF_LIST_MAX)) {
                return true;
            }
        }
    }
    return false;
}

// go_on returns whether something is under way.
static bool go_on(struct chain_proof *p) {
    if (p->phase == ISSUERS && !p->stopped && next_issuer(p)) {
        return true;
    }
    p->phase = LISTS;
    if (!p->stopped && next_list(p)) {
        return true;
    }
    p->phase = OVER;
    return false;
}

static void on_fetched(void *ctx, const struct fetch *fetch) {
    struct chain_proof *p = ctx;
    if (fetch_result(fetch) != FETCH_GOT) {
        tell(p, fetch_result_id(fetch_result(fetch)),
             arena_printf(&p->arena, "Nothing was fetched: %s.", fetch_says(fetch)));
    } else if (p->phase == ISSUERS) {
        take_issuer(p, fetch_body(fetch));
    } else {
        take_list(p, fetch_body(fetch));
    }
    fetcher_free(p->fetcher);
    p->fetcher = NULL;
    if (!go_on(p)) {
        p->config.on_done(p->config.ctx);
    }
}

// ---- life

static void chain_read(struct chain_proof *p) {
    p->num_chain = obj_num(p->leg, F_LEG_CERTIFICATE_CHAIN);
    p->chain = xcalloc(p->num_chain, sizeof(*p->chain));
    for (size_t i = 0; i < p->num_chain; i++) {
        struct span der = obj_item(p->leg, F_LEG_CERTIFICATE_CHAIN, i);
        CBS_init(&p->chain[i], der.p, der.len);
    }
    (void)cert_facts_parse(&p->leaf, &p->arena, CBS_data(&p->chain[0]), CBS_len(&p->chain[0]));
}

struct chain_proof *chain_proof_new(const struct chain_proof_config *config, struct obj *leg) {
    if (config->trust == NULL || !chain_proof_wants(leg, config->aia, config->crl)) {
        return NULL;
    }
    struct chain_proof *p = xcalloc(1, sizeof(*p));
    p->config = *config;
    p->leg = leg;
    p->out = obj_sub(leg, F_LEG_VERIFICATION);
    chain_read(p);
    if (obj_has(p->out, F_VERIFICATION_NAME)) {
        p->name = arena_printf(&p->arena, "%s", obj_str(p->out, F_VERIFICATION_NAME));
        prove(p); // with nothing fetched it says what is missing
    }
    if (p->name == NULL || !go_on(p)) {
        chain_proof_free(p);
        return NULL;
    }
    return p;
}

void chain_proof_free(struct chain_proof *p) {
    if (p == NULL) {
        return;
    }
    fetcher_free(p->fetcher);
    if (p->has_proof) {
        trust_proof_cleanup(&p->proof);
    }
    arena_cleanup(&p->arena);
    free(p->chain);
    free(p);
}

void chain_proof_stop(struct chain_proof *p) {
    p->stopped = true;
    fetcher_stop(p->fetcher);
}

unsigned chain_proof_num(const struct chain_proof *p) { return p->num_issuers + p->num_lists; }
