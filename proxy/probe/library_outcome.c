#include "proxy/probe/library_outcome.h"

#include <string.h>

#include "proxy/probe/outcome.h"

// is_objection returns whether an alert is one that servers have for client certificates (RFC 8446
// section 6.2). Before TLS 1.3 some say handshake_failure, and GnuTLS decode_error to none.
static bool is_objection(const struct library_facts *facts) {
    static const uint8_t codes[] = {40, 41, 42, 43, 44, 45, 46, 48, 49, 51, 116};
    bool to_none = facts->alert == 50 && !facts->certificate_shown && !facts->established;
    return facts->has_alert && (to_none || memchr(codes, facts->alert, sizeof(codes)) != NULL);
}

// page_objects returns whether the page is about the certificate: nginx finishes the handshake, and
// says then what it thinks, as 400 or, inside, 495 and 496.
static bool page_objects(int status, struct span head) {
    static const char about[] = "SSL certificate";
    return status == 495 || status == 496 ||
           (status == 400 && memmem(head.p, head.len, about, strlen(about)) != NULL);
}

// cert_word is the word of EXPERIMENT.client_certificate, NULL where nothing was found out.
static const char *cert_word(const struct obj *leg, const struct library_facts *facts, int status,
                             struct span head) {
    bool shown = facts->certificate_shown;
    if (!facts->certificate_asked) {
        return facts->established ? "not-asked" : NULL;
    }
    if (facts->unsuitable) {
        return "unsuitable";
    }
    if (is_objection(facts) || page_objects(status, head)) {
        return shown ? "refused" : "needed";
    }
    bool left = obj_str_is(leg, F_LEG_END_BY, "server") && facts->data_len == 0 &&
                !obj_str_is(leg, F_LEG_END_HOW, "timeout");
    if (!facts->established || facts->has_alert || left || status / 100 == 4) {
        return "unclear";
    }
    return shown ? "accepted" : "not-needed";
}

void library_outcome_cert(struct obj *experiment, const struct library_facts *facts,
                          struct span head) {
    int status = outcome_status((const char *)head.p, head.len);
    const struct obj *leg = obj_get(experiment, F_EXPERIMENT_LEG);
    obj_set_str(experiment, F_EXPERIMENT_CLIENT_CERT, cert_word(leg, facts, status, head));
    if (status != 0) {
        obj_set_int(experiment, F_EXPERIMENT_STATUS, status);
    }
}

void library_outcome_ech(struct obj *experiment, const struct library_facts *facts) {
    const struct obj *leg = obj_get(experiment, F_EXPERIMENT_LEG);
    const struct obj *verification = obj_get(leg, F_LEG_VERIFICATION);
    obj_set_str(experiment, F_EXPERIMENT_ECH_NAME, obj_str(leg, F_LEG_SERVER_NAME));
    if (facts->ech == LIBRARY_ECH_ACCEPTED) {
        obj_set_str(experiment, F_EXPERIMENT_ECH, "accepted");
    }
    if (facts->ech != LIBRARY_ECH_REJECTED) {
        return;
    }
    bool proven = obj_is(verification, F_VERIFICATION_OK, true);
    obj_set_str(experiment, F_EXPERIMENT_ECH,
                !proven                ? "unproven"
                : facts->retry != NULL ? "rejected"
                                       : "disabled");
    if (facts->retry != NULL) {
        obj_set_bytes(experiment, F_EXPERIMENT_ECH_RETRY, facts->retry, facts->retry_len);
    }
}
