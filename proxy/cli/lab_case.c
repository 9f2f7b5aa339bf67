#include "proxy/cli/lab_case.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logs/base/arena.h"
#include "logs/store/log_reader.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { TIMES_MAX = 5, TIMEOUT_MS = 1000, TLS12 = 0x0303 };

// ---- the server

static bool has_defect(const struct obj *leg, const char *id) {
    const struct obj *verification = obj_get(leg, F_LEG_VERIFICATION);
    for (size_t i = 0; i < obj_num(verification, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *defect = obj_at(verification, F_VERIFICATION_DEFECTS, i);
        if (obj_str_is(defect, F_DEFECT_ID, id) && obj_is(defect, F_DEFECT_FATAL, 1)) {
            return true;
        }
    }
    return false;
}

static uint16_t version_of(const struct obj *leg) {
    int64_t version;
    return obj_int(leg, F_LEG_ANSWER_VERSION, &version) ? (uint16_t)version : 0;
}

// alert_of returns the code of the fatal alert that `from` sent on `leg`, or 0.
static uint8_t alert_of(const struct obj *leg, const char *from) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        int64_t code;
        if (obj_str_is(alert, F_ALERT_FROM, from) && obj_str_is(alert, F_ALERT_LEVEL, "fatal") &&
            obj_int(alert, F_ALERT_CODE, &code)) {
            return (uint8_t)code;
        }
    }
    return 0;
}

// certificate_set looks for the defect that the lab has, too. Of several the first counts.
static bool certificate_set(struct lab_server_plan *plan, const struct obj *leg, bool cause_unknown,
                            struct err *err) {
    static const struct {
        const char *id;
        enum lab_cert cert;
    } defects[] = {
        {"expired", LAB_CERT_EXPIRED},         {"not-yet-valid", LAB_CERT_NOT_YET_VALID},
        {"self-signed", LAB_CERT_SELF_SIGNED}, {"missing-intermediate", LAB_CERT_NO_INTERMEDIATE},
        {"unknown-root", LAB_CERT_UNKNOWN_CA}, {"untrusted-issuer", LAB_CERT_UNKNOWN_CA},
        {"wrong-host", LAB_CERT_WRONG_NAME},   {"weak-key", LAB_CERT_WEAK_KEY},
    };
    if (alert_of(leg, "client") == SSL_AD_DECRYPT_ERROR) {
        plan->cert = LAB_CERT_OTHER_KEY;
        return true;
    }
    // Where the issuer is not there, the verdict has told already what that means.
    if (cause_unknown && has_defect(leg, "missing-intermediate")) {
        plan->cert = LAB_CERT_UNKNOWN_CA;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(defects); i++) {
        if (has_defect(leg, defects[i].id)) {
            plan->cert = defects[i].cert;
            return true;
        }
    }
    if (!obj_is(obj_get(leg, F_LEG_VERIFICATION), F_VERIFICATION_OK, 0)) {
        return true;
    }
    return err_set(err, "no server of the lab has what is wrong with this certificate");
}

// tls_set makes a server that answers as this one did.
static bool tls_set(struct lab_server_plan *plan, const struct obj *leg, const char *cause,
                    struct err *err) {
    uint16_t version = version_of(leg);
    plan->service = LAB_SERVICE_TLS;
    plan->max = version <= TLS12 ? version : 0;
    plan->min = version < TLS12 ? version : 0;
    plan->wants_client_cert = obj_has(leg, F_LEG_ANSWER_CERT_REQUEST);
    return certificate_set(plan, leg, strcmp(cause, "server-unknown-ca") == 0, err);
}

// silent_set is for one that gave no answer of TLS.
static bool silent_set(struct lab_server_plan *plan, const struct obj *leg, struct err *err) {
    static const struct {
        enum field field;
        const char *value;
        enum lab_service service;
    } rows[] = {
        {F_LEG_ANSWER_FIRST_KIND, "http", LAB_SERVICE_HTTP},
        {F_LEG_ANSWER_FIRST_KIND, "ssh", LAB_SERVICE_SSH},
        {F_LEG_END_BY, "client", LAB_SERVICE_SILENT},
        {F_LEG_END_HOW, "dns", LAB_SERVICE_NOWHERE},
        {F_LEG_END_HOW, "refused", LAB_SERVICE_REFUSED},
        {F_LEG_END_HOW, "timeout", LAB_SERVICE_SILENT},
        {F_LEG_END_HOW, "rst", LAB_SERVICE_RESETS},
        {F_LEG_END_HOW, "fin", LAB_SERVICE_CLOSES},
    };
    plan->alert = alert_of(leg, "server");
    if (plan->alert != 0) {
        plan->service = LAB_SERVICE_ALERTS;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *value = obj_str(leg, rows[i].field);
        if (value != NULL && strncmp(value, rows[i].value, strlen(rows[i].value)) == 0) {
            plan->service = rows[i].service;
            return true;
        }
    }
    return err_set(err,
                   "the record does not tell what the server did, or no server of the lab does it");
}

// ---- the client

static bool client_set(struct lab_case *out, const struct obj *root, struct err *err) {
    struct lab_client_plan *plan = &out->scenario.client;
    const struct obj *leg = record_leg(root, false);
    struct span raw = obj_span(leg, F_LEG_OFFER_RAW);
    plan->agent = obj_str(root, F_RECORD_USER_AGENT);
    if (raw.p == NULL) {
        return out->scenario.server.service >= LAB_SERVICE_REFUSED ||
               err_set(err, "it holds no ClientHello of a client");
    }
    if (!hello_draft_read_wire(&out->hello, NULL, raw.p, raw.len, err)) {
        return false;
    }
    bool by_client = obj_str_is(leg, F_LEG_END_BY, "client");
    plan->hello = &out->hello;
    plan->alert = alert_of(leg, "client");
    plan->leaves_at_certificate = by_client && obj_str_is(leg, F_LEG_END_AT, "certificate");
    plan->leaves_at_finished = by_client && obj_str_is(leg, F_LEG_END_AT, "finished");
    plan->speculative = by_client && obj_str_is(leg, F_LEG_END_AT, "hello");
    // Up to TLS 1.2 a recorded hello leads as far as ServerHelloDone and no further.
    bool old = obj_has(leg, F_LEG_ANSWER_VERSION) && version_of(leg) <= TLS12;
    if (old && plan->alert == 0 && !plan->leaves_at_certificate) {
        plan->hello = NULL;
        plan->max = version_of(leg);
    }
    return true;
}

static void history_set(struct lab_scenario *scenario, const struct obj *root) {
    const struct obj *history = obj_get(root, F_RECORD_HISTORY);
    int64_t refused = 0, unused = 0;
    (void)obj_int(history, F_HISTORY_SAME_REFUSED, &refused);
    (void)obj_int(history, F_HISTORY_SAME_UNUSED, &unused);
    int64_t before = refused + unused;
    scenario->sound_first = obj_has(history, F_HISTORY_CLIENT_HOSTS_OK);
    scenario->times = 1 + (unsigned)(before < TIMES_MAX ? before : TIMES_MAX);
}

// ---- the box behind

const char *lab_case_behind(const struct obj *root) {
    static const struct {
        const char *cause, *profile;
    } rows[] = {
        {"mitm-behind-untrusted", ""},
        {"mitm-behind-resign-untrusted", ""},
        {"double-interception-conflict", ""},
        {"corporate-proxy-chain", ""},
        {"blockpage-cert", "captive-portal"},
        {"tls13-downgrade-sentinel", "strip-supported-versions"},
    };
    const char *cause = obj_str(obj_get(root, F_RECORD_VERDICT), F_VERDICT_CAUSE);
    const struct obj *leg = record_leg(root, true);
    for (size_t i = 0; cause != NULL && i < ARRAY_LEN(rows); i++) {
        bool shown = rows[i].profile[0] != '\0' || obj_num(leg, F_LEG_CERTIFICATE_CHAIN) != 0;
        if (strcmp(rows[i].cause, cause) == 0) {
            return shown ? rows[i].profile : NULL;
        }
    }
    return NULL;
}

static bool behind_set(struct lab_scenario *scenario, const struct obj *root, const char *file,
                       struct err *err) {
    if (lab_case_behind(root) == NULL) {
        return obj_num(root, F_RECORD_EXPERIMENTS) != 0
                   ? err_set(err, "its verdict rests on experiments, which a case does not repeat")
                   : err_set(err, "the record does not show what the box behind the proxy makes, "
                                  "and no built-in profile does what it did");
    }
    scenario->behind = file;
    return file != NULL || err_set(err, "the profile of the box behind, behind.json, is not there");
}

// ---- what was only watched

// watched_set has a server of the lab show what was seen of the recorded one in passing; its chain
// was not verified then.
static bool watched_set(struct lab_scenario *scenario, const struct obj *root, struct err *err) {
    const struct obj *leg = record_leg(root, false);
    const struct obj *leaf = obj_num(leg, F_LEG_CHAIN) != 0 ? obj_at(leg, F_LEG_CHAIN, 0) : NULL;
    struct lab_server_plan *plan = &scenario->server;
    int64_t after = 0, ms = 0;
    scenario->watched = true;
    if (!obj_has(leg, F_LEG_ANSWER_VERSION)) {
        return silent_set(plan, leg, err);
    }
    if (!tls_set(plan, leg, scenario->cause, err)) {
        return false;
    }
    if (leaf != NULL && obj_int(leaf, F_CERT_NOT_AFTER, &after) &&
        obj_int(root, F_RECORD_TIMESTAMP, &ms) && after < ms / 1000) {
        plan->cert = LAB_CERT_EXPIRED;
    } else if (leaf != NULL && obj_is(leaf, F_CERT_SELF_SIGNED, 1)) {
        plan->cert = LAB_CERT_SELF_SIGNED;
    } else if (alert_of(leg, "client") == SSL_AD_UNKNOWN_CA) {
        plan->cert = LAB_CERT_UNKNOWN_CA;
    }
    return true;
}

// ---- the whole

// parent_set has the proxy go through another one, where the recorded parent did what it should.
static bool parent_set(struct lab_scenario *scenario, const struct obj *root, struct err *err) {
    const char *failure = obj_str(root, F_RECORD_PARENT_FAILURE);
    scenario->through_parent = obj_has(root, F_RECORD_PARENT_HOST);
    return failure == NULL ||
           err_set(err, "its parent proxy led nowhere (%s), and the lab has none that fails so",
                   failure);
}

bool lab_case_init(struct lab_case *out, const struct obj *root, const struct lab_case_files *files,
                   struct err *err) {
    static const struct lab_case_files none;
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    const struct obj *leg = record_leg(root, true);
    struct lab_scenario *scenario = &out->scenario;
    files = files != NULL ? files : &none;
    *out = (struct lab_case){.scenario = {.name = obj_str(root, F_RECORD_ID),
                                          .says = obj_str(verdict, F_VERDICT_SAYS),
                                          .party = obj_str(verdict, F_VERDICT_PARTY),
                                          .cause = obj_str(verdict, F_VERDICT_CAUSE)}};
    hello_draft_init(&out->hello);
    bool boxed = obj_has(root, F_RECORD_EMULATION_PROFILE);
    if (scenario->party == NULL || scenario->cause == NULL) {
        return err_set(err, "it has no verdict");
    }
    if (!parent_set(scenario, root, err)) {
        return false;
    }
    bool watched =
        obj_str_is(root, F_RECORD_MODE, "tunnel") || obj_str_is(root, F_RECORD_MODE, "import");
    if (!watched && !obj_str_is(root, F_RECORD_MODE, "intercept")) {
        return err_set(err, "nothing of TLS was seen in it: it is of the mode \"%s\"",
                       obj_str(root, F_RECORD_MODE));
    }
    scenario->as = boxed ? files->profile : NULL;
    if (boxed && files->profile == NULL) {
        return err_set(err, "the profile of the box is not there");
    }
    if (leg == NULL && !boxed && !watched) {
        return err_set(err, "the record has no leg to a server");
    }
    if (strcmp(scenario->cause, "truncated-close") == 0) {
        return err_set(err, "the connection was cut off in the middle, which no server of the lab "
                            "does");
    }
    bool behind = strcmp(scenario->party, "box-behind") == 0;
    bool answered = obj_has(leg, F_LEG_ANSWER_VERSION);
    bool sound = boxed && (leg == NULL || !obj_has(leg, F_LEG_END_HOW));
    bool ok = sound      ? true
              : behind   ? behind_set(scenario, root, files->behind, err)
              : watched  ? watched_set(scenario, root, err)
              : answered ? tls_set(&scenario->server, leg, scenario->cause, err)
                         : silent_set(&scenario->server, leg, err);
    scenario->watched = watched;
    scenario->timeout_ms = scenario->server.service == LAB_SERVICE_SILENT ? TIMEOUT_MS : 0;
    scenario->host = scenario->server.service == LAB_SERVICE_NOWHERE ? "nobody.invalid" : NULL;
    history_set(scenario, root);
    return ok && client_set(out, root, err);
}

void lab_case_cleanup(struct lab_case *lab_case) { hello_draft_cleanup(&lab_case->hello); }

// ---- a folder

struct lab_cases {
    struct arena arena;
    struct log_reader *reader;
    struct record **records;
    struct lab_case *cases;
    size_t num;
};

static bool cases_fill(struct lab_cases *cases, const struct lab_case_files *files,
                       const char *policy, struct err *err) {
    size_t num = log_reader_num(cases->reader);
    cases->records = xcalloc(num + 1, sizeof(*cases->records));
    cases->cases = xcalloc(num + 1, sizeof(*cases->cases));
    for (size_t i = 0; i < num; i++) {
        struct record *record = log_reader_read(cases->reader, i, err);
        if (record == NULL) {
            return false;
        }
        cases->records[i] = record;
        cases->num++;
        if (!lab_case_init(&cases->cases[i], record->root, files, err)) {
            return err_prefix(err, "%s: ", log_reader_id(cases->reader, i));
        }
        cases->cases[i].scenario.policy = policy;
    }
    return num != 0 || err_set(err, "there is no record in it");
}

struct lab_cases *lab_cases_read(const char *dir, struct err *err) {
    struct lab_cases *cases = xcalloc(1, sizeof(*cases));
    const char *records = arena_printf(&cases->arena, "%s/records.ndjson", dir);
    const char *profile = arena_printf(&cases->arena, "%s/profile.json", dir);
    const char *behind = arena_printf(&cases->arena, "%s/behind.json", dir);
    const char *policy = arena_printf(&cases->arena, "%s/policy.json", dir);
    const struct lab_case_files files = {access(profile, R_OK) == 0 ? profile : NULL,
                                         access(behind, R_OK) == 0 ? behind : NULL};
    cases->reader = log_reader_open(records, NULL, NULL, err);
    if (cases->reader == NULL ||
        !cases_fill(cases, &files, access(policy, R_OK) == 0 ? policy : NULL, err)) {
        lab_cases_free(cases);
        return NULL;
    }
    return cases;
}

void lab_cases_free(struct lab_cases *cases) {
    if (cases == NULL) {
        return;
    }
    for (size_t i = 0; i < cases->num; i++) {
        lab_case_cleanup(&cases->cases[i]);
        record_free(cases->records[i]);
    }
    free(cases->cases);
    free(cases->records);
    log_reader_free(cases->reader);
    arena_cleanup(&cases->arena);
    free(cases);
}

size_t lab_cases_num(const struct lab_cases *cases) { return cases->num; }

const struct lab_scenario *lab_cases_at(const struct lab_cases *cases, size_t i) {
    CHECK(i < cases->num);
    return &cases->cases[i].scenario;
}
