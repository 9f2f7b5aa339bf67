#include "proxy/session/verification.h"

#include <string.h>

static void add_strings(struct obj *out, enum field field, const char *const *texts, size_t num) {
    for (size_t i = 0; i < num; i++) {
        obj_add_str(out, field, texts[i], strlen(texts[i]));
    }
}

static void record_crl(struct obj *out, const struct crl_answer *crl) {
    if (crl->status == CRL_NONE) {
        return;
    }
    obj_set_str(out, F_VERIFICATION_CRL_STATUS, crl_status_id(crl->status));
    if (crl->status == CRL_BAD_SIGNATURE) {
        return;
    }
    obj_set_int(out, F_VERIFICATION_CRL_THIS_UPDATE, crl->this_update);
    if (crl->has_next_update) {
        obj_set_int(out, F_VERIFICATION_CRL_NEXT_UPDATE, crl->next_update);
    }
    if (crl->status == CRL_REVOKED) {
        obj_set_int(out, F_VERIFICATION_CRL_REVOKED_AT, crl->revoked_at);
        obj_set_str(out, F_VERIFICATION_CRL_REASON, crl->reason);
    }
}

// record_defect adds a row; only the first `num_chain` certificates have a depth.
static void record_defect(struct obj *out, const struct trust_defect *defect, size_t num_chain) {
    struct obj *row = obj_add(out, F_VERIFICATION_DEFECTS);
    obj_set_str(row, F_DEFECT_ID, trust_defect_id(defect->kind));
    if (defect->index >= 0 && (size_t)defect->index < num_chain) {
        obj_set_int(row, F_DEFECT_DEPTH, defect->index);
    }
    obj_set_int(row, F_DEFECT_FATAL, defect->fatal);
    obj_set_str(row, F_DEFECT_SAYS, defect->says);
    obj_set_str(row, F_DEFECT_CODE, defect->code_text);
}

void verification_record(struct obj *out, const char *name,
                         const struct verification *verification) {
    obj_set_int(out, F_VERIFICATION_OK, verification->ok);
    obj_set_str(out, F_VERIFICATION_NAME, name);
    obj_set_int(out, F_VERIFICATION_NAME_OK, verification->host_ok);
    for (size_t i = 0; i < verification->num_defects; i++) {
        record_defect(out, &verification->defects[i], TRUST_MAX_CHAIN);
    }
    for (size_t i = 0; verification->complete && i < verification->num_path; i++) {
        const char *subject = verification->path[i].subject;
        obj_add_str(out, F_VERIFICATION_PATH, subject, strlen(subject));
    }
    for (size_t i = 0; i < verification->num_tries; i++) {
        const struct trust_try *try = &verification->tries[i];
        struct obj *row = obj_add(out, F_VERIFICATION_TRIES);
        add_strings(row, F_TRY_SUBJECTS, try->subjects, try->num_subjects);
        add_strings(row, F_TRY_BECAUSE, try->because, try->num_because);
    }
    record_crl(out, &verification->crl);
    obj_set_str(out, F_VERIFICATION_MISSING_ISSUER, verification->missing_issuer);
    obj_set_str(out, F_VERIFICATION_CA_ISSUERS, verification->ca_issuers);
}

void verification_record_proof(struct obj *out, const struct trust_proof *proof) {
    add_strings(out, F_VERIFICATION_COMPLETED_BY, proof->added, proof->num_added);
    if (proof->completed) {
        obj_set_int(out, F_VERIFICATION_COMPLETED_OK, proof->ok);
    }
    obj_set_str(out, F_VERIFICATION_COMPLETED_SAYS, proof->says);
}

void verification_record_crl(struct obj *out, const struct verification *verification,
                             size_t num_chain) {
    for (size_t i = 0; i < verification->num_defects; i++) {
        const struct trust_defect *defect = &verification->defects[i];
        if (defect->kind != TRUST_REVOKED && defect->kind != TRUST_CRL_STALE &&
            defect->kind != TRUST_CRL_BAD_SIGNATURE) {
            continue;
        }
        record_defect(out, defect, num_chain);
        if (defect->fatal) {
            obj_set_int(out, F_VERIFICATION_OK, false);
        }
    }
    record_crl(out, &verification->crl);
}
