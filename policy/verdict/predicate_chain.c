#include <ctype.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

static const char *const defect_ids[DEFECT_COUNT] = {
#define DEFECT(name, id) [DEFECT_##name] = (id),
#include "policy/verdict/defects.inc"
#undef DEFECT
};

static const struct obj *verification(const struct view *view) {
    return obj_get(view->up, F_LEG_VERIFICATION);
}

ASK(verified) {
    (void)row;
    return view->chain_ok;
}

ASK(defects_hidden) {
    (void)row;
    int64_t shown;
    if (view->mode == MODE_UNKNOWN || view->mode == MODE_INTERCEPT) {
        bool seen = obj_int(view->root, F_RECORD_POLICY_VERIFY, &shown);
        return seen && view->mode == MODE_INTERCEPT ? answer_from(shown == 0) : UNKNOWN;
    }
    return NO;
}

ASK(leaf_sound) {
    if (ask_canary_shown(view, row) == YES) {
        return NO; // whatever the server showed
    }
    return answer_or(view->chain_ok, ask_defects_hidden(view, row));
}

ASK(defect) {
    if (view->chain_ok == YES) {
        return NO;
    }
    const char *id = defect_ids[row->codes[0]];
    const struct obj *found = verification(view);
    if (view->chain_ok == UNKNOWN) {
        bool early = view_reached(view->up, view->up_step, LEG_CERTIFICATE) == NO;
        return early && found == NULL ? NO : UNKNOWN;
    }
    enum answer any = obj_has(found, F_VERIFICATION_DEFECTS) ? NO : UNKNOWN;
    for (size_t i = 0; i < obj_num(found, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *item = obj_at(found, F_VERIFICATION_DEFECTS, i);
        const char *seen = obj_str(item, F_DEFECT_ID);
        enum answer same = seen == NULL ? UNKNOWN : answer_from(strcmp(seen, id) == 0);
        int64_t fatal;
        enum answer counts =
            obj_int(item, F_DEFECT_FATAL, &fatal) ? answer_from(fatal != 0) : UNKNOWN;
        any = answer_or(any, answer_and(same, counts));
    }
    return any;
}

const char *defect_id(enum defect defect) { return defect_ids[defect]; }

// Weak but tolerated: the proxy's own verification passed with it.
ASK(defect_borne) {
    const struct obj *found = verification(view);
    enum answer any = view->chain_ok == UNKNOWN || found == NULL ? UNKNOWN : NO;
    for (size_t i = 0; i < obj_num(found, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *item = obj_at(found, F_VERIFICATION_DEFECTS, i);
        int64_t fatal;
        bool same = obj_str_is(item, F_DEFECT_ID, defect_ids[row->codes[0]]);
        if (same && obj_int(item, F_DEFECT_FATAL, &fatal) && fatal == 0) {
            return view->chain_ok;
        }
    }
    return any;
}

ASK(key_small) {
    (void)row;
    enum { RSA_BITS = 2048 };
    enum answer any = obj_num(view->up, F_LEG_CHAIN) == 0 ? UNKNOWN : NO;
    for (size_t i = 0; i < obj_num(view->up, F_LEG_CHAIN); i++) {
        const struct obj *cert = obj_at(view->up, F_LEG_CHAIN, i);
        int64_t bits;
        bool known = obj_int(cert, F_CERT_KEY_BITS, &bits) && obj_has(cert, F_CERT_KEY_TYPE);
        bool rsa = obj_str_is(cert, F_CERT_KEY_TYPE, "RSA");
        any = answer_or(any, known ? answer_from(rsa && bits < RSA_BITS) : UNKNOWN);
    }
    return any;
}

ASK(fetchable) {
    (void)row;
    if (obj_has(verification(view), F_VERIFICATION_CA_ISSUERS)) {
        return YES;
    }
    if (obj_num(view->up, F_LEG_CHAIN) == 0) {
        return UNKNOWN;
    }
    // A certificate that was read to its end tells all its extensions.
    const struct obj *leaf = obj_at(view->up, F_LEG_CHAIN, 0);
    bool whole = obj_has(leaf, F_CERT_SHA256) && !obj_has(leaf, F_CERT_MALFORMED);
    return obj_num(leaf, F_CERT_AIA_ISSUERS) > 0 ? YES : whole ? NO : UNKNOWN;
}

static bool contains_fold(const char *text, const char *part) {
    size_t len = strlen(part);
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < len && tolower((unsigned char)text[i]) == part[i]) {
            i++;
        }
        if (i == len) {
            return true;
        }
    }
    return false;
}

ASK(issuer_below_root) {
    (void)row;
    static const char *const words[] = {"intermediate", "issuing", "sub ca", "subca", "sub-ca"};
    const char *issuer = obj_str(verification(view), F_VERIFICATION_MISSING_ISSUER);
    for (size_t i = 0; issuer != NULL && i < ARRAY_LEN(words); i++) {
        if (contains_fold(issuer, words[i])) {
            return YES;
        }
    }
    return issuer == NULL ? UNKNOWN : NO;
}

static bool now_seconds(const struct view *view, int64_t *out) {
    if (!obj_int(view->root, F_RECORD_TIMESTAMP, out)) {
        return false;
    }
    *out /= 1000;
    return true;
}

ASK(leaf_dates) {
    bool early = strcmp(row->word, "early") == 0;
    int64_t now, at;
    enum field field = early ? F_LEG_NOT_BEFORE : F_LEG_NOT_AFTER;
    if (!now_seconds(view, &now) || !obj_int(view->up, field, &at)) {
        return UNKNOWN;
    }
    return answer_from(early ? now < at : now > at);
}

ASK(leaf_self_signed) {
    (void)row;
    int64_t self_signed;
    if (obj_num(view->up, F_LEG_CHAIN) == 0 ||
        !obj_int(obj_at(view->up, F_LEG_CHAIN, 0), F_CERT_SELF_SIGNED, &self_signed)) {
        return UNKNOWN;
    }
    return answer_from(self_signed != 0);
}

static enum answer leg_established(const struct obj *leg, enum leg_step step) {
    int64_t established;
    if (obj_int(leg, F_LEG_TLS_ESTABLISHED, &established)) {
        return answer_from(established != 0);
    }
    return view_reached(leg, step, LEG_FINISHED);
}

ASK(established) {
    (void)row;
    if (view->up == NULL && view->down == NULL) {
        return UNKNOWN;
    }
    enum answer all = view->up == NULL ? UNKNOWN : leg_established(view->up, view->up_step);
    if (view->mode == MODE_INTERCEPT) {
        all = answer_and(all, leg_established(view->down, view->down_step));
    }
    return all;
}

// flowed returns whether `field` counted any data. A leg that ended before its data had none.
static enum answer flowed(const struct obj *leg, enum leg_step step, enum field field) {
    int64_t bytes;
    if (obj_int(leg, field, &bytes)) {
        return answer_from(bytes > 0);
    }
    return view_reached(leg, step, LEG_DATA) == NO ? NO : UNKNOWN;
}

// wire_opened returns whether TLS 1.3 on the wire was decrypted to its end: notes tell what was
// not.
static bool wire_opened(const struct view *view) {
    static const char prefix[] = "key-"; // key-missing, key-gap, ...
    bool whole = obj_has(view->up, F_LEG_ANSWER_ENCRYPTED);
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_NOTES); i++) {
        const char *id = obj_str(obj_at(view->root, F_RECORD_NOTES, i), F_NOTE_ID);
        whole = whole && id != NULL && strncmp(id, prefix, sizeof(prefix) - 1) != 0;
    }
    return whole;
}

// wire_hides returns whether the wire shows only sizes of what follows the ServerHello: TLS 1.3
// encrypts its handshake and alerts as data.
static bool wire_hides(const struct view *view) {
    int64_t version;
    bool old = obj_int(view->up, F_LEG_ANSWER_VERSION, &version) && version < 0x0304;
    return view->mode == MODE_WIRE && !old && !wire_opened(view);
}

ASK(client_data) {
    (void)row;
    // More than a Finished of the largest hash and two alerts is data.
    enum { HIDDEN_MAX = 69 + 2 * 19 };
    int64_t bytes;
    if (view->mode == MODE_PROBE) {
        return NO; // there is no client
    }
    if (!wire_hides(view)) {
        return flowed(view->down, view->down_step, F_LEG_DATA_RECEIVED);
    }
    bool many = obj_int(view->down, F_LEG_DATA_RECEIVED, &bytes) && bytes > HIDDEN_MAX;
    bool asked = obj_is(view->down, F_LEG_ANSWER_CERT_REQUEST, true);
    return many && !asked && obj_str_is(view->down, F_LEG_END_AT, "data") ? YES : UNKNOWN;
}

ASK(server_data) {
    (void)row;
    if (wire_hides(view)) {
        return UNKNOWN;
    }
    bool wire = view->mode == MODE_WIRE;
    return flowed(view->up, view->up_step, wire ? F_LEG_DATA_SENT : F_LEG_DATA_RECEIVED);
}

ASK(down_resumed) {
    (void)row;
    int64_t resumed;
    if (!obj_int(view->down, F_LEG_TLS_RESUMED, &resumed)) {
        return UNKNOWN;
    }
    return answer_from(resumed != 0);
}

ASK(seen_12) {
    (void)row;
    int64_t version;
    bool seen = obj_int(view->up, F_LEG_ANSWER_VERSION, &version);
    return seen ? answer_from(version < 0x0304) : UNKNOWN;
}

ASK(saw_finished) {
    (void)row;
    int64_t version;
    if (!obj_int(view->up, F_LEG_ANSWER_VERSION, &version) ||
        !obj_has(view->up, F_LEG_TLS_ESTABLISHED)) {
        return UNKNOWN;
    }
    return answer_from((version < 0x0304 || wire_opened(view)) &&
                       obj_is(view->up, F_LEG_TLS_ESTABLISHED, true));
}
