// What is wrong with the server's chain, as observations.
#include "proxy/session/verification.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/proxy/session/playbook.h"

static void findings_become_fields(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    struct obj *out = obj_sub(leg, F_LEG_VERIFICATION);
    struct trust_defect defects[] = {
        {.kind = TRUST_EXPIRED, .fatal = true, .index = 1, .says = "long ago", .code_text = "old"},
        {.kind = TRUST_CN_ONLY, .index = -1, .says = "no names"},
    };
    struct trust_step path[] = {{.subject = "CN=leaf"}, {.subject = "CN=root"}};
    struct verification v = {.host_ok = true,
                             .complete = true,
                             .missing_issuer = "CN=x",
                             .defects = defects,
                             .num_defects = 2,
                             .path = path,
                             .num_path = 2};
    verification_record(out, "example.test", &v);
    CU_ASSERT(obj_is(out, F_VERIFICATION_OK, false));
    CU_ASSERT(obj_is(out, F_VERIFICATION_NAME_OK, true));
    CU_ASSERT(obj_str_is(out, F_VERIFICATION_NAME, "example.test"));
    CU_ASSERT(obj_str_is(out, F_VERIFICATION_MISSING_ISSUER, "CN=x"));
    CU_ASSERT_FALSE(obj_has(out, F_VERIFICATION_CA_ISSUERS));
    CU_ASSERT_EQUAL(obj_num(out, F_VERIFICATION_PATH), 2);
    CU_ASSERT(obj_has_str(out, F_VERIFICATION_PATH, "CN=root"));
    CU_ASSERT_EQUAL_FATAL(obj_num(out, F_VERIFICATION_DEFECTS), 2);
    const struct obj *first = obj_at(out, F_VERIFICATION_DEFECTS, 0);
    CU_ASSERT(obj_str_is(first, F_DEFECT_ID, "expired"));
    CU_ASSERT(obj_is(first, F_DEFECT_DEPTH, 1));
    CU_ASSERT(obj_is(first, F_DEFECT_FATAL, true));
    CU_ASSERT(obj_str_is(first, F_DEFECT_CODE, "old"));
    CU_ASSERT_FALSE(obj_has(obj_at(out, F_VERIFICATION_DEFECTS, 1), F_DEFECT_DEPTH));
    record_free(record);
}

// Lists that were fetched later add their defects alone, and the chain is good no more.
static void lists_that_came_later(void) {
    struct record *record = record_new();
    struct obj *out = obj_sub(obj_sub(record->root, F_RECORD_LEG_SERVER), F_LEG_VERIFICATION);
    struct trust_defect defects[] = {
        {.kind = TRUST_EXPIRED, .fatal = true, .says = "old"},
        {.kind = TRUST_CRL_STALE, .index = 3, .says = "stale"},
    };
    struct verification v = {
        .crl = {.status = CRL_REVOKED, .revoked_at = 7}, .defects = defects, .num_defects = 2};
    obj_set_int(out, F_VERIFICATION_OK, true);
    verification_record_crl(out, &v, 2);
    CU_ASSERT(obj_is(out, F_VERIFICATION_OK, true));
    CU_ASSERT_EQUAL_FATAL(obj_num(out, F_VERIFICATION_DEFECTS), 1);
    CU_ASSERT_FALSE(obj_has(obj_at(out, F_VERIFICATION_DEFECTS, 0), F_DEFECT_DEPTH)); // not sent
    CU_ASSERT(obj_str_is(out, F_VERIFICATION_CRL_STATUS, "revoked"));
    defects[1] = (struct trust_defect){.kind = TRUST_REVOKED, .fatal = true, .says = "revoked"};
    verification_record_crl(out, &v, 2);
    CU_ASSERT(obj_is(out, F_VERIFICATION_OK, false));
    CU_ASSERT(obj_is(obj_at(out, F_VERIFICATION_DEFECTS, 1), F_DEFECT_DEPTH, 0));
    record_free(record);
}

static void a_path_that_is_not_complete_is_not_told(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    struct obj *out = obj_sub(leg, F_LEG_VERIFICATION);
    struct trust_step path = {.subject = "CN=leaf"};
    struct verification v = {.ok = true, .path = &path, .num_path = 1};
    verification_record(out, "a", &v);
    CU_ASSERT_FALSE(obj_has(out, F_VERIFICATION_PATH));
    record_free(record);
}

static void each_defect_has_its_id(void) {
    const struct world *w = world_get();
    const struct {
        const struct pki_cert *cert;
        const char *id;
    } rows[] = {
        {w->expired, "expired 0 yes *"},         {w->early, "not-yet-valid 0 yes *"},
        {w->self_signed, "self-signed 0 yes *"}, {w->unknown, "missing-intermediate 0 yes *"},
        {w->wrong_name, "wrong-host 0 yes *"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct setup setup = {SETUP_TLS};
        setup.server.chain[0] = rows[i].cert;
        playf(&setup,
              OPEN ">> server tls\n"
                   ">> client tls\n"
                   "<< record final\n"
                   "== legs.server.verification.ok no\n"
                   "== legs.server.verification.name example.test\n"
                   "== legs.server.verification.name_ok %s\n"
                   "== legs.server.verification.defects %s\n"
                   "== verdict.party *\n",
              rows[i].cert == w->wrong_name ? "no" : "yes", rows[i].id);
    }
}

static void lists_and_tries(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    struct obj *out = obj_sub(leg, F_LEG_VERIFICATION);
    struct trust_try try = {
        .subjects = {"CN=leaf"}, .num_subjects = 1, .because = {"0: gone"}, .num_because = 1};
    struct verification v = {
        .crl = {.status = CRL_REVOKED, .this_update = 5, .revoked_at = 3, .reason = "superseded"},
        .tries = &try,
        .num_tries = 1,
    };
    verification_record(out, "a", &v);
    CU_ASSERT(obj_str_is(out, F_VERIFICATION_CRL_STATUS, "revoked"));
    CU_ASSERT(obj_is(out, F_VERIFICATION_CRL_REVOKED_AT, 3));
    CU_ASSERT(obj_str_is(out, F_VERIFICATION_CRL_REASON, "superseded"));
    CU_ASSERT_FALSE(obj_has(out, F_VERIFICATION_CRL_NEXT_UPDATE));
    CU_ASSERT_EQUAL_FATAL(obj_num(out, F_VERIFICATION_TRIES), 1);
    CU_ASSERT(obj_has_str(obj_at(out, F_VERIFICATION_TRIES, 0), F_TRY_BECAUSE, "0: gone"));
    record_free(record);
}

static void proofs_become_fields(void) {
    struct record *record = record_new();
    struct obj *leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    struct obj *out = obj_sub(leg, F_LEG_VERIFICATION);
    struct trust_proof proof = {.says = "in vain"};
    verification_record_proof(out, &proof);
    CU_ASSERT(obj_str_is(out, F_VERIFICATION_COMPLETED_SAYS, "in vain"));
    CU_ASSERT_FALSE(obj_has(out, F_VERIFICATION_COMPLETED_OK));
    proof = (struct trust_proof){
        .completed = true, .ok = true, .added = {"CN=x"}, .num_added = 1, .says = "there it is"};
    verification_record_proof(out, &proof);
    CU_ASSERT(obj_is(out, F_VERIFICATION_COMPLETED_OK, true));
    CU_ASSERT(obj_has_str(out, F_VERIFICATION_COMPLETED_BY, "CN=x"));
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"lists and tries", lists_and_tries},
    {"proofs become fields", proofs_become_fields},
    {"lists that came later", lists_that_came_later},
    {"findings become fields", findings_become_fields},
    {"a path that is not complete is not told", a_path_that_is_not_complete_is_not_told},
    {"each defect has its id", each_defect_has_its_id},
    {NULL, NULL},
};
