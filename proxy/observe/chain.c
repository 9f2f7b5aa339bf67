// The certificates of the server, and of a client that shows any.
#include <stdio.h>
#include <string.h>

#include "policy/ca/cert_memo.h"
#include "proxy/observe/cert_shelf.h"
#include "proxy/observe/internal.h"

enum {
    CHAIN_FACTS_MAX = 100,        // certificates whose facts are kept
    CHAIN_BYTES_MAX = 256 * 1024, // DER kept of a chain
};

// struct place is where the certificates of one side are kept, and what ECS has a name for.
struct place {
    enum field facts, ders, subject, issuer, not_before, not_after, sha256;
};

// clang-format off
static const struct place places[] = {
    [false] = {F_LEG_CHAIN, F_LEG_CERTIFICATE_CHAIN, F_LEG_SUBJECT, F_LEG_ISSUER,
               F_LEG_NOT_BEFORE, F_LEG_NOT_AFTER, F_LEG_LEAF_SHA256},
    [true]  = {F_LEG_CLIENT_CHAIN, F_LEG_CLIENT_CERTIFICATE_CHAIN, F_LEG_CLIENT_SUBJECT,
               F_LEG_CLIENT_ISSUER, F_LEG_CLIENT_NOT_BEFORE, F_LEG_CLIENT_NOT_AFTER,
               F_LEG_CLIENT_SHA256},
};
// clang-format on

static void copy_date(struct obj *leg, enum field to, const struct obj *cert, enum field from) {
    int64_t date;
    if (obj_int(cert, from, &date)) {
        obj_set_int(leg, to, date);
    }
}

// set_leaf copies what ECS has a name for.
static void set_leaf(struct obj *leg, const struct place *place, const struct obj *cert) {
    obj_set_str(leg, place->subject, obj_str(cert, F_CERT_SUBJECT));
    obj_set_str(leg, place->issuer, obj_str(cert, F_CERT_ISSUER));
    copy_date(leg, place->not_before, cert, F_CERT_NOT_BEFORE);
    copy_date(leg, place->not_after, cert, F_CERT_NOT_AFTER);
    obj_set_str(leg, place->sha256, obj_str(cert, F_CERT_SHA256));
}

// names_issuer goes by names, and by key identifiers where both are given.
static bool names_issuer(const struct obj *cert, const struct obj *issuer) {
    const char *name = obj_str(cert, F_CERT_ISSUER), *aki = obj_str(cert, F_CERT_AKI);
    const char *ski = obj_str(issuer, F_CERT_SKI);
    return name != NULL && obj_str_is(issuer, F_CERT_SUBJECT, name) &&
           (aki == NULL || ski == NULL || strcmp(aki, ski) == 0);
}

void chain_link(struct observe *observe) {
    struct obj *leg = observe->leg;
    size_t num = obj_num(leg, F_LEG_CHAIN);
    for (size_t i = 0; i < num; i++) {
        char place[24] = "-";
        const struct obj *cert = obj_at(leg, F_LEG_CHAIN, i);
        for (size_t k = 1; k <= num && place[0] == '-'; k++) {
            size_t at = (i + k) % num; // the next one first, as it should be
            if (names_issuer(cert, obj_at(leg, F_LEG_CHAIN, at))) {
                (void)snprintf(place, sizeof(place), "%zu", at);
            }
        }
        obj_add_str(leg, F_LEG_CHAIN_ISSUERS, place, strlen(place));
    }
}

void chain_begin(struct observe *observe, bool of_client) {
    observe->chain_bytes = 0;
    obj_touch(observe->leg, places[of_client].facts);
}

void chain_add(struct observe *observe, bool of_client, CBS der) {
    const struct place *place = &places[of_client];
    struct obj *leg = observe->leg;
    struct note_sink notes = {0};
    size_t num = obj_num(leg, place->facts);
    if (num >= CHAIN_FACTS_MAX) {
        return;
    }
    struct span kept;
    struct shared_obj *cert = cert_shelf_get(&kept, der);
    shared_obj_add(leg, place->facts, cert);
    if (num == 0) {
        set_leaf(leg, place, cert->obj);
    }
    if (num == 0 && !of_client) {
        scts_add(leg, "certificate", cert_memo_facts(der)->raw.scts);
    }
    observe->chain_bytes += CBS_len(&der);
    if (observe->chain_bytes <= CHAIN_BYTES_MAX) {
        obj_add_ref(leg, place->ders, kept.p, kept.len);
    } else if (!observe->chain_cut) {
        observe->chain_cut = true;
        note_sink_add(&notes, NOTE_CERT_TOO_LARGE, 0);
        observe_notes(observe, &notes);
    }
    shared_obj_unref(cert);
}

void observe_certificates(struct observe *observe, const CBS *ders, size_t num_ders,
                          int64_t now_us) {
    if (observe->leg == NULL || obj_has(observe->leg, F_LEG_CHAIN)) {
        return;
    }
    observe_time(observe, F_LEG_MS_CERTIFICATE, now_us);
    observe_step(observe, STEP_CERTIFICATE, now_us);
    chain_begin(observe, false);
    for (size_t i = 0; i < num_ders; i++) {
        chain_add(observe, false, ders[i]);
    }
    chain_link(observe);
}
