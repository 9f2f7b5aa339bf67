// The staple of the client leg: what the server showed, said of our leaf.
#include "proxy/session/staple.h"

#include <string.h>

#include "policy/ca/ocsp_build.h"

enum { STATUS_OCSP = 1, FRESH_BEFORE = 60 * 60, FRESH_AFTER = 4 * 24 * 60 * 60 };

// result_of returns the result that records call `id`; OCSP_NUM_RESULTS for none.
static enum ocsp_result result_of(const char *id) {
    int result = 0;
    while (id != NULL && result < OCSP_NUM_RESULTS &&
           strcmp(ocsp_result_id((enum ocsp_result)result), id) != 0) {
        result++;
    }
    return id == NULL ? OCSP_NUM_RESULTS : (enum ocsp_result)result;
}

static int reason_of(const char *name) {
    enum { REASONS = 11 };
    for (int reason = 0; name != NULL && reason < REASONS; reason++) {
        const char *known = ocsp_reason_name((uint64_t)reason);
        if (known != NULL && strcmp(known, name) == 0) {
            return reason;
        }
    }
    return -1;
}

static void set(SSL *ssl, const struct ocsp_template *template, const struct authority *authority) {
    CRYPTO_BUFFER *built = ocsp_build(template, authority);
    (void)SSL_set_ocsp_response(ssl, CRYPTO_BUFFER_data(built), CRYPTO_BUFFER_len(built));
    CRYPTO_BUFFER_free(built);
}

// fill says of our leaf what the server's staple says of its own, dates and faults included.
static void fill(struct ocsp_template *out, const struct obj *staple, enum ocsp_result result) {
    if (result > OCSP_UNREADABLE) {
        out->result = result; // a refusal
        return;
    }
    out->result = result_of(obj_str(staple, F_STAPLE_STATUS));
    out->break_signature = result == OCSP_BAD_SIGNATURE || result == OCSP_WRONG_RESPONDER;
    (void)obj_int(staple, F_STAPLE_PRODUCED_AT, &out->produced_at);
    (void)obj_int(staple, F_STAPLE_THIS_UPDATE, &out->this_update);
    (void)obj_int(staple, F_STAPLE_REVOKED_AT, &out->revoked_at);
    out->has_next_update = obj_int(staple, F_STAPLE_NEXT_UPDATE, &out->next_update);
    out->reason = reason_of(obj_str(staple, F_STAPLE_REASON));
}

// sound is a response that hides what the server's lacks, as policy wants it.
static void sound(struct ocsp_template *out, int64_t now) {
    out->result = OCSP_GOOD;
    out->produced_at = out->this_update = now - FRESH_BEFORE;
    out->next_update = now + FRESH_AFTER;
    out->has_next_update = true;
}

bool staple_show(struct session *s, SSL *ssl, const struct client_hello *hello,
                 const struct leaf *leaf) {
    const struct obj *leg = s->lanes[SIDE_SERVER].observe.leg;
    const struct obj *staple = obj_get(leg, F_LEG_STAPLE);
    enum ocsp_result result = result_of(obj_str(staple, F_STAPLE_RESULT));
    struct ocsp_template template = {
        .cert = CRYPTO_BUFFER_data(leaf->chain[0]),
        .cert_len = CRYPTO_BUFFER_len(leaf->chain[0]),
    };
    bool known = (leaf->defects & (LEAF_UNTRUSTED | LEAF_SELF_SIGNED)) == 0;
    if (hello->status_type != STATUS_OCSP || !known || staple == NULL) {
        return false;
    }
    if (!s->rule->server_leg.verify) {
        sound(&template, s->wall_ms / 1000);
    } else if (result == OCSP_NUM_RESULTS) {
        return false; // none came
    } else if (result == OCSP_WRONG_CERTIFICATE || result == OCSP_UNREADABLE) {
        struct span raw = obj_span(staple, F_STAPLE_RAW);
        return raw.len != 0 && SSL_set_ocsp_response(ssl, raw.p, raw.len);
    } else {
        fill(&template, staple, result);
    }
    set(ssl, &template, s->shared->authority);
    return true;
}
