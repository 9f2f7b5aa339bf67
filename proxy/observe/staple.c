// The OCSP response that a server staples, and its signed certificate timestamps.
#include <string.h>

#include "policy/ca/ocsp.h"
#include "policy/ca/sct.h"
#include "proxy/observe/internal.h"

enum {
    STAPLE_RAW_MAX = 16 * 1024, // bytes kept of a response
    ISSUERS_MAX = 10,           // certificates of the chain that are looked at for the issuer
    SCTS_MAX = 32,              // timestamps kept of a leg
};

void scts_add(struct obj *leg, const char *source, CBS list) {
    struct sct sct;
    while (obj_num(leg, F_LEG_SCTS) < SCTS_MAX && sct_next(&list, &sct)) {
        struct obj *row = obj_add(leg, F_LEG_SCTS);
        obj_set_str(row, F_SCT_SOURCE, source);
        if (sct.log_id[0] == '\0') {
            continue;
        }
        obj_set_str(row, F_SCT_LOG, sct.log);
        obj_set_str(row, F_SCT_LOG_ID, sct.log_id);
        obj_set_int(row, F_SCT_TIME, sct.time_ms);
    }
}

static void set_date(struct obj *staple, enum field field, bool seen, int64_t when) {
    if (seen) {
        obj_set_int(staple, field, when);
    }
}

static void write_facts(struct obj *staple, const struct ocsp_facts *facts) {
    static const char *const signatures[] = {"unchecked", "good", "bad"};
    obj_set_str(staple, F_STAPLE_RESULT, ocsp_result_id(facts->result));
    obj_set_strf(staple, F_STAPLE_SAYS, "The stapled response %s.", facts->says);
    if (facts->has_status) {
        obj_set_str(staple, F_STAPLE_STATUS, ocsp_result_id(facts->status));
    }
    if (facts->num_responses != 0) {
        obj_set_str(staple, F_STAPLE_SIGNATURE, signatures[facts->signature]);
        obj_set_int(staple, F_STAPLE_RESPONSES, (int64_t)facts->num_responses);
    }
    obj_set_str(staple, F_STAPLE_RESPONDER, facts->responder);
    if (facts->delegated) {
        obj_set_int(staple, F_STAPLE_DELEGATED, true);
    }
    obj_set_str(staple, F_STAPLE_SIGNATURE_ALGORITHM, facts->signature_algorithm);
    set_date(staple, F_STAPLE_PRODUCED_AT, facts->has_produced_at, facts->produced_at);
    set_date(staple, F_STAPLE_THIS_UPDATE, facts->has_this_update, facts->this_update);
    set_date(staple, F_STAPLE_NEXT_UPDATE, facts->has_next_update, facts->next_update);
    set_date(staple, F_STAPLE_REVOKED_AT, facts->has_revoked_at, facts->revoked_at);
    obj_set_str(staple, F_STAPLE_REASON, facts->reason);
    obj_set_str(staple, F_STAPLE_SERIAL, facts->serial);
}

// issued returns whether the key of `issuer` signed `cert`, and not only a namesake's.
static bool issued(const struct cert_facts *issuer, const struct cert_facts *cert) {
    return CBS_len(&issuer->raw.subject) != 0 &&
           CBS_mem_equal(&cert->raw.issuer, CBS_data(&issuer->raw.subject),
                         CBS_len(&issuer->raw.subject)) &&
           cert_facts_issued(issuer, cert);
}

// find_issuer looks for the leaf's issuer among what was sent, the leaf itself included, and
// `hint`.
static bool find_issuer(const struct obj *leg, struct cert_facts *out, struct arena *arena,
                        const struct cert_facts *leaf, struct span hint) {
    size_t num = obj_num(leg, F_LEG_CERTIFICATE_CHAIN);
    for (size_t i = 0; i <= num && i <= ISSUERS_MAX; i++) {
        struct span der = i < num ? obj_item(leg, F_LEG_CERTIFICATE_CHAIN, i) : hint;
        if (der.len != 0 && cert_facts_parse(out, arena, der.p, der.len) && issued(out, leaf)) {
            return true;
        }
    }
    return false;
}

static void check(struct observe *observe, struct span hint) {
    struct obj *leg = observe->leg, *staple = obj_sub(leg, F_LEG_STAPLE);
    struct arena arena = {0};
    struct cert_facts leaf, issuer;
    struct ocsp_facts facts;
    int64_t now_ms;
    if (obj_num(leg, F_LEG_CERTIFICATE_CHAIN) == 0 ||
        !obj_int(observe->root, F_RECORD_TIMESTAMP, &now_ms)) {
        return;
    }
    struct span der = obj_item(leg, F_LEG_CERTIFICATE_CHAIN, 0);
    (void)cert_facts_parse(&leaf, &arena, der.p, der.len);
    bool known = find_issuer(leg, &issuer, &arena, &leaf, hint);
    CBS response;
    CBS_init(&response, observe->staple.p, observe->staple.len);
    ocsp_check(&facts, &arena, response, &leaf, known ? &issuer : NULL, now_ms / 1000);
    write_facts(staple, &facts);
    if (!observe->staple_scts) {
        observe->staple_scts = true;
        scts_add(leg, "ocsp", facts.scts);
    }
    arena_cleanup(&arena);
}

// is_ours tells the client leg of a connection that the proxy terminates: what is stapled there is
// the proxy's own.
static bool is_ours(const struct observe *observe) {
    return !observe->server_leg && obj_str_is(observe->root, F_RECORD_MODE, "intercept");
}

void staple_take(struct observe *observe, CBS response) {
    struct obj *leg = observe->leg;
    obj_set_int(leg, F_LEG_ANSWER_STAPLE, true);
    if (is_ours(observe) || observe->staple.p != NULL) {
        return;
    }
    observe->staple.len = CBS_len(&response);
    observe->staple.p = arena_dup(obj_arena(leg), CBS_data(&response), CBS_len(&response));
    struct obj *staple = obj_sub(leg, F_LEG_STAPLE);
    obj_set_int(staple, F_STAPLE_SIZE, (int64_t)observe->staple.len);
    if (observe->staple.len <= STAPLE_RAW_MAX) {
        obj_set_bytes(staple, F_STAPLE_RAW, observe->staple.p, observe->staple.len);
    }
    check(observe, (struct span){NULL, 0});
}

void staple_miss(struct observe *observe) {
    struct obj *leg = observe->leg;
    if (obj_num(leg, F_LEG_CHAIN) == 0 || is_ours(observe) || obj_has(leg, F_LEG_STAPLE) ||
        obj_is(leg, F_LEG_ANSWER_STAPLE, true) || !obj_is(leg, F_LEG_OFFER_STATUS_REQUEST, true) ||
        !obj_is(obj_at(leg, F_LEG_CHAIN, 0), F_CERT_MUST_STAPLE, true)) {
        return;
    }
    struct obj *staple = obj_sub(leg, F_LEG_STAPLE);
    obj_set_str(staple, F_STAPLE_RESULT, "missing");
    obj_set_str(staple, F_STAPLE_SAYS,
                "The certificate demands a stapled response, the hello asked for one, and none "
                "came.");
}

void observe_issuer(struct observe *observe, CBS der) {
    if (observe->leg != NULL && observe->staple.p != NULL &&
        obj_str_is(obj_get(observe->leg, F_LEG_STAPLE), F_STAPLE_SIGNATURE, "unchecked")) {
        check(observe, (struct span){CBS_data(&der), CBS_len(&der)});
    }
}
