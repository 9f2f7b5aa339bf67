#include "policy/verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/verdict/rule.h"
#include "policy/verdict/template.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

static const struct verdict_case {
    enum base base;
    const char *lines, *rule, *expected, *near, *ruled_out;
} cases[] = {
#define CASE(base, lines, rule, expected, near, ruled_out)                                         \
    {BASE_##base, lines, rule, expected, near, ruled_out},
#include "tests/unit/policy/verdict/cases.inc"
#include "tests/unit/policy/verdict/cases_end.inc"
#include "tests/unit/policy/verdict/cases_experiment.inc"
#include "tests/unit/policy/verdict/cases_hair.inc"
#include "tests/unit/policy/verdict/cases_handshake.inc"
#include "tests/unit/policy/verdict/cases_stranger.inc"
#include "tests/unit/policy/verdict/cases_trace.inc"
#include "tests/unit/policy/verdict/cases_try.inc"
#undef CASE
};

static const struct rule *rule_find(const char *id, size_t len) {
    size_t num;
    const struct rule *rules = rule_list(&num);
    for (size_t i = 0; i < num; i++) {
        if (strlen(rules[i].id) == len && memcmp(rules[i].id, id, len) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

// item_next walks over a list separated by commas.
static bool item_next(const char **list, const char **out, size_t *out_len) {
    *out = *list;
    *out_len = strcspn(*list, ",");
    *list += *out_len + ((*list)[*out_len] == ',');
    return *out_len != 0;
}

static bool is_ruled_out(const struct obj *verdict, const char *cause, size_t len) {
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_RULED_OUT); i++) {
        const struct obj *row = obj_at(verdict, F_VERDICT_RULED_OUT, i);
        const char *seen = obj_str(row, F_RULED_OUT_CAUSE);
        if (strlen(seen) == len && memcmp(seen, cause, len) == 0) {
            return obj_str(row, F_RULED_OUT_BECAUSE) != NULL;
        }
    }
    return false;
}

static void summary(char *out, size_t out_len, const struct obj *root) {
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    snprintf(out, out_len, "%s %s %s", obj_str(verdict, F_VERDICT_PARTY),
             obj_str(verdict, F_VERDICT_CAUSE), obj_str(verdict, F_VERDICT_CONFIDENCE));
}

// check reports `what` of a case when it is not as expected.
static void check(bool ok, const struct verdict_case *c, const char *what, const char *seen) {
    CU_ASSERT(ok);
    if (!ok) {
        printf("\n  case of %s (%s): %s %s", c->rule, c->lines, what, seen);
    }
}

static void test_cases(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct verdict_case *c = &cases[i];
        char seen[256], item[64];
        struct record *record = case_record(c->base, c->lines);
        struct reading reading;
        reading_init(&reading, record->root);
        const struct rule *rule = rule_choose(&reading);
        check(strcmp(rule->id, c->rule) == 0, c, "rule is", rule->id);
        verdict_decide(record->root);
        summary(seen, sizeof(seen), record->root);
        check(strcmp(seen, c->expected) == 0, c, "verdict is", seen);
        const char *list = c->ruled_out, *p;
        for (size_t len; item_next(&list, &p, &len);) {
            snprintf(item, sizeof(item), "%.*s", (int)len, p);
            const struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
            check(is_ruled_out(verdict, p, len), c, "does not rule out", item);
        }
        record_free(record);
    }
}

// is_near_miss returns whether `rule` does not fire although it has what it needs in part. A rule
// with a single need cannot have that.
static bool is_near_miss(const struct verdict_case *c, const struct rule *rule) {
    struct record *record = case_record(c->base, c->lines);
    struct reading reading;
    reading_init(&reading, record->root);
    bool near = rule->needs[1] == 0;
    for (size_t i = 0; i < RULE_NEEDS_MAX && rule->needs[i] != 0; i++) {
        near = near || reading_ask(&reading, rule->needs[i]) == YES;
    }
    near = near && rule_answer(&reading, rule) != YES;
    record_free(record);
    return near;
}

static void test_near_misses(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct verdict_case *c = &cases[i];
        struct record *record = case_record(c->base, c->lines);
        struct reading reading;
        reading_init(&reading, record->root);
        const char *list = c->near, *p;
        for (size_t len; item_next(&list, &p, &len);) {
            char item[64];
            snprintf(item, sizeof(item), "%.*s", (int)len, p);
            const struct rule *rule = rule_find(p, len);
            check(rule != NULL, c, "no such rule:", item);
            if (rule != NULL) {
                check(rule_choose(&reading) != rule, c, "speaks in the place of its neighbour",
                      item);
            }
        }
        record_free(record);
    }
}

// Every rule has a case in which it speaks, and one that comes near and must not fire it.
static void test_every_rule_has_both(void) {
    size_t num;
    const struct rule *rules = rule_list(&num);
    for (size_t r = 0; r + 1 < num; r++) {
        bool fires = false, misses = false;
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            fires = fires || strcmp(cases[i].rule, rules[r].id) == 0;
            const char *list = cases[i].near, *p;
            for (size_t len; !misses && item_next(&list, &p, &len);) {
                misses = rule_find(p, len) == &rules[r] && is_near_miss(&cases[i], &rules[r]);
            }
        }
        CU_ASSERT(fires && misses);
        if (!fires || !misses) {
            printf("\n  rule %s has no %s", rules[r].id, fires ? "near miss" : "case");
        }
    }
}

// unmet counts what `rule` needs and does not have; `*out_no` is how many of these are plainly not
// so.
static size_t unmet(struct reading *reading, const struct rule *rule, size_t *out_no) {
    size_t num = 0;
    *out_no = 0;
    for (size_t i = 0; i < RULE_NEEDS_MAX && rule->needs[i] != 0; i++) {
        enum answer answer = reading_ask(reading, rule->needs[i]);
        num += answer != YES;
        *out_no += answer == NO;
    }
    return num;
}

// Every rule is missed by a hair: in some case it lacks a single one of the things that it needs,
// and that one is known not to be so.
static void test_every_rule_is_missed_by_a_hair(void) {
    enum { RULES_MAX = 512 };
    size_t num, num_hairs = 0;
    const struct rule *rules = rule_list(&num);
    bool hair[RULES_MAX] = {false};
    CHECK(num <= RULES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record *record = case_record(cases[i].base, cases[i].lines);
        struct reading reading;
        reading_init(&reading, record->root);
        for (size_t r = 0; r + 1 < num; r++) {
            size_t no, missing = unmet(&reading, &rules[r], &no);
            hair[r] = hair[r] || (missing == 1 && no == 1);
        }
        record_free(record);
    }
    for (size_t r = 0; r + 1 < num; r++) {
        CU_ASSERT(hair[r]);
        num_hairs += hair[r];
        if (!hair[r]) {
            printf("\n  rule %s is never missed by a hair", rules[r].id);
        }
    }
    printf("\n  %zu of %zu rules are missed by a hair, in %zu cases", num_hairs, num - 1,
           ARRAY_LEN(cases));
}

// Every verdict is complete: a reader finds a sentence, evidence, a remedy and a next test.
static void test_verdicts_are_complete(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record *record = case_record(cases[i].base, cases[i].lines);
        verdict_decide(record->root);
        const struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
        const enum field texts[] = {F_VERDICT_SAYS, F_VERDICT_REMEDY, F_VERDICT_NEXT};
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            const char *text = obj_str(verdict, texts[t]);
            check(text != NULL && strlen(text) > 3 && strpbrk(text, "{}") == NULL, &cases[i],
                  "has no text", field_row(texts[t])->path);
        }
        bool known = strcmp(cases[i].rule, "unexplained") != 0;
        check(!known || obj_num(verdict, F_VERDICT_EVIDENCE) > 0, &cases[i], "has no evidence", "");
        for (size_t e = 0; e < obj_num(verdict, F_VERDICT_EVIDENCE); e++) {
            const struct obj *row = obj_at(verdict, F_VERDICT_EVIDENCE, e);
            check(obj_has(row, F_EVIDENCE_BECAUSE) &&
                      (obj_has(row, F_EVIDENCE_CLIENT) || obj_has(row, F_EVIDENCE_SERVER)),
                  &cases[i], "has empty evidence:", obj_str(row, F_EVIDENCE_FIELD));
        }
        record_free(record);
    }
}

static enum answer rule_of(const struct obj *root, const struct rule *rule) {
    struct reading reading;
    reading_init(&reading, root);
    return rule_answer(&reading, rule);
}

// What a question rests on beside the fields that it shows as evidence.
static const struct {
    enum predicate predicate;
    enum field fields[10];
} also[] = {
#define STEPS                                                                                      \
    F_LEG_END_AT, F_LEG_MS_FINISHED, F_LEG_MS_FIRST_DATA, F_LEG_DATA_RECEIVED, F_LEG_DATA_SENT,    \
        F_LEG_TLS_ESTABLISHED
    {P_ESTABLISHED, {STEPS, FIELD_COUNT}},
    {P_UP_DONE, {STEPS, FIELD_COUNT}},
    {P_C_DONE, {STEPS, FIELD_COUNT}},
    {P_STAPLE_NONE, {STEPS, FIELD_COUNT}},
    {P_CERT_GIVEN, {F_RECORD_MODE, FIELD_COUNT}},
    {P_CLIENT_DATA, {F_RECORD_MODE, STEPS, FIELD_COUNT}},
#undef STEPS
    {P_ANSWERED,
     {F_LEG_CHAIN, F_LEG_MS_ANSWER, F_LEG_MS_CERTIFICATE, F_LEG_ANSWER_EXTENSIONS,
      F_LEG_MS_FINISHED, F_LEG_TLS_ESTABLISHED, FIELD_COUNT}},
    {P_C_REACHED_ANSWER,
     {F_LEG_ANSWER_VERSION, F_LEG_MS_ANSWER, F_LEG_MS_CERTIFICATE, F_LEG_ANSWER_EXTENSIONS,
      FIELD_COUNT}},
    {P_RETRIED, {F_LEG_OFFER_RAW_2, F_LEG_END_AT, FIELD_COUNT}},
    {P_NO_NAME, {F_LEG_OFFER_EXTENSIONS, FIELD_COUNT}},
    {P_OFFER_PSK, {F_LEG_OFFER_EXTENSIONS, F_LEG_OFFER_CIPHERS, FIELD_COUNT}},
    {P_DIALED, {F_LEG_END_AT, F_LEG_MS_CONNECT, FIELD_COUNT}},
    {P_DNS_MISSING, {F_LEG_TRIED, F_LEG_DNS_ANSWERS, F_LEG_MS_CONNECT, F_LEG_END_AT, FIELD_COUNT}},
    {P_DNS_BROKEN, {F_LEG_TRIED, F_LEG_DNS_ANSWERS, F_LEG_MS_CONNECT, F_LEG_END_AT, FIELD_COUNT}},
    {P_HELLO_SEEN,
     {F_LEG_OFFER_CIPHERS, F_LEG_OFFER_RAW, F_LEG_OFFER_VERSIONS, F_LEG_OFFER_EXTENSIONS,
      F_LEG_OFFER_SIZE, F_LEG_ANSWER_VERSION, F_LEG_DATA_RECEIVED, F_LEG_DATA_SENT,
      F_LEG_TLS_ESTABLISHED, F_LEG_CHAIN}},
    {P_FETCHABLE, {F_LEG_CHAIN, FIELD_COUNT}},
    {P_T_CANARY, {F_RECORD_EXPERIMENTS, FIELD_COUNT}},
};

// forget_whole forgets the whole object that `field` belongs to where a zero is left out of it.
static void forget_whole(struct obj *root, enum field field) {
    switch (field_row(field)->kind) {
    case KIND_HISTORY:
        case_forget(root, F_RECORD_HISTORY);
        return;
    case KIND_CLAIM:
        case_forget(root, F_RECORD_CLAIM);
        return;
    case KIND_VERIFICATION:
        case_forget(root, F_LEG_VERIFICATION);
        return;
    case KIND_PATH:
        case_forget(root, F_RECORD_PATH);
        return;
    default:
        case_forget(root, field);
    }
    if (field == F_RECORD_USER_AGENT) {
        case_forget(root, F_RECORD_CLAIM); // it was read from it
    }
}

static void forget_all(struct obj *root, enum predicate predicate) {
    const struct predicate_row *row = predicate_row(predicate);
    for (size_t f = 0; row->fields[f] != FIELD_COUNT; f++) {
        forget_whole(root, (enum field)row->fields[f]);
    }
    for (size_t i = 0; i < ARRAY_LEN(also); i++) {
        bool same = also[i].predicate == predicate;
        for (size_t f = 0;
             same && f < ARRAY_LEN(also[i].fields) && also[i].fields[f] != FIELD_COUNT; f++) {
            forget_whole(root, also[i].fields[f]);
        }
    }
}

// No rule fires on what was not seen: without the fields on which one of its needs rests, it does
// not. That a record has no end is seen by there being none.
static void test_fields_are_needed(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct rule *rule = rule_find(cases[i].rule, strlen(cases[i].rule));
        for (size_t k = 0; k < RULE_NEEDS_MAX && rule->needs[k] != 0; k++) {
            enum predicate predicate = literal_predicate(rule->needs[k]);
            struct record *record = case_record(cases[i].base, cases[i].lines);
            forget_all(record->root, predicate);
            check(rule_of(record->root, rule) != YES || predicate == P_STILL_OPEN, &cases[i],
                  "fires without the fields of", predicate_row(predicate)->name);
            record_free(record);
        }
    }
}

static bool accuses(const char *party) {
    return strcmp(party, "none") != 0 && strcmp(party, "undetermined") != 0;
}

static int sureness(const struct obj *verdict) {
    for (enum confidence c = CONFIDENCE_POSSIBLE; c <= CONFIDENCE_CERTAIN; c++) {
        if (obj_str_is(verdict, F_VERDICT_CONFIDENCE, confidence_name(c))) {
            return (int)c;
        }
    }
    return -1;
}

// suspected returns whether the record without any experiments accuses the same party: experiments
// may clear whom it suspects, and then taking them away brings the suspicion back.
static bool suspected(const struct verdict_case *c, const char *party) {
    struct record *record = case_record(c->base, c->lines);
    if (!obj_has(record->root, F_RECORD_EXPERIMENTS)) {
        record_free(record);
        return false;
    }
    obj_unset(record->root, F_RECORD_EXPERIMENTS);
    verdict_decide(record->root);
    bool same = obj_str_is(obj_get(record->root, F_RECORD_VERDICT), F_VERDICT_PARTY, party);
    record_free(record);
    return same;
}

// same_end returns whether two parties stand at one end of the connection: where nothing but the
// one record tells, a box in front is the client that it speaks for, and a box behind the server.
// So is one that is suspected in front.
static bool same_end(const struct obj *verdict, const char *now) {
    const char *was = obj_str(verdict, F_VERDICT_PARTY);
    bool front = strcmp(was, "box-in-front") == 0 ||
                 obj_str_is(verdict, F_VERDICT_CAUSE, "mitm-front-inspection");
    return strcmp(now, was) == 0 || (front && strcmp(now, "client") == 0) ||
           (strcmp(was, "box-behind") == 0 && strcmp(now, "server") == 0);
}

// compare holds the verdict on a record that lacks something, `what`, against the one on the whole.
static void compare(const struct verdict_case *c, const struct obj *whole, const struct obj *less,
                    const char *what) {
    const struct obj *a = obj_get(whole, F_RECORD_VERDICT), *b = obj_get(less, F_RECORD_VERDICT);
    const char *now = obj_str(b, F_VERDICT_PARTY);
    char text[256];
    snprintf(text, sizeof(text), "%s: %s %s %s", what, now, obj_str(b, F_VERDICT_CAUSE),
             obj_str(b, F_VERDICT_CONFIDENCE));
    // What this instance was told to be is never unknown to it.
    bool told = strcmp(what, "emulation.profile") == 0;
    check(told || !accuses(now) || same_end(a, now) || suspected(c, now), c, "without", text);
    bool same = strcmp(obj_str(a, F_VERDICT_CAUSE), obj_str(b, F_VERDICT_CAUSE)) == 0;
    check(!accuses(now) || !same || sureness(b) <= sureness(a), c, "surer without", text);
}

// clears returns whether what stands at `path` may well be the only thing that clears somebody:
// what other connections tell, and what packets with small TTLs met.
static bool clears(const char *path) {
    return strcmp(path, "history") == 0 || strcmp(path, "path") == 0 ||
           strcmp(path, "server_hop") == 0;
}

// Taking away any one observation never turns an accusation into one of somebody else, makes none
// where there was none, and makes none surer.
static void test_less_is_never_somebody_else(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record *whole = case_record(cases[i].base, cases[i].lines);
        verdict_decide(whole->root);
        bool more = true;
        for (int n = 0; more; n++) {
            char path[64];
            struct record *less = case_record(cases[i].base, cases[i].lines);
            more = case_drop(less->root, n, path, sizeof(path));
            if (more && clears(path)) {
                record_free(less);
                continue;
            }
            if (more) {
                verdict_decide(less->root);
                compare(&cases[i], whole->root, less->root, path);
            }
            record_free(less);
        }
        record_free(whole);
    }
}

// What healthy connections may show without anybody being to blame.
static const char *const innocent[] = {
    "s.tls.resumed true; -s.verification; -s.chain",
    "c.tls.resumed true",
    "s.answer.hello_retry_request group",
    "c.answer.hello_retry_request group",
    "s.answer.certificate_request true",
    "s.answer.certificate_request true; s.answer.client_certificate_sent false",
    "c.end.by client; c.end.how rst; s.end.by client; s.end.how rst",
    "c.end.by server; s.end.by server; s.end.how rst; c.end.how rst",
    "c.end.by server; s.end.by server; s.end.detail without close_notify",
    "c.end.by proxy; s.end.by proxy; c.end.detail the proxy was stopped",
    "s.address 2001:db8::7; c.address ::1; c.bytes.data_received 1",
    "s.address 127.0.0.1",
    "host xn--bcher-kva.example; c.tls.client.server_name xn--bcher-kva.example",
    "host intranet; -c.tls.client.server_name; c.offer.extensions 0x000a,0x000d,0x002b",
    "host 198.51.100.7; -c.tls.client.server_name; -s.tls.client.server_name",
    "s.defect wrong-order 1; s.verification.ok true; s.verification.defects[0].fatal false",
    "s.defect unknown-root 1",
    "s.defect self-signed 0",
    "s.defect untrusted-issuer 1",
    "s.defect weak-key 0; s.verification.ok true; s.verification.defects[0].fatal false",
    "s.tls.server.issuer O=Zscaler Inc.",
    "s.answer.session_tickets 2; s.answer.compress_certificate brotli",
    "c.alert client data 0 warning; s.alert server data 0 warning",
    "c.alert client finished 0 warning",
    "s.alert server client_hello 112 warning",
    "c.alert client data 90 warning",
    "c.offer.versions TLS 1.2,TLS 1.1,TLS 1.0; s.answer.version TLS 1.2",
    ("c.offer.versions TLS 1.3,TLS 1.2,TLS 1.1,TLS 1.0; s.answer.version TLS 1.0; c.answer.version "
     "TLS 1.0"),
    "c.offer.ciphers 0x009e,0x002f,0x00ff; s.offer.ciphers 0x002f; s.tls.cipher 0x002f",
    "c.offer.groups 0x11ec,x25519,x448; c.offer.size 1800; s.offer.size 1500",
    "c.offer.alpn http/1.1; -s.offer.alpn; -s.tls.next_protocol",
    "c.offer.fallback_scsv true",
    "s.answer.downgrade_sentinel jdk11",
    "s.tried[0].result refused; s.tried[1].address 198.51.100.8; s.tried[1].result connected",
    "s.tried[0].address 2001:db8::7; s.tried[0].result timeout; s.tried[1].result connected",
    "s.transport.retransmits 9; s.transport.outq 4000; c.transport.unacked 3",
    "s.timing_ms.connect 4000; c.timing_ms.hello 9000",
    "-http.response.status_code; front direct",
    "-c.end.by; -c.end.how; -c.end.at; -s.end.by; -s.end.how; -s.end.at",
    "user_agent.original curl/7.88.1",
    "c.bytes.data_sent 0; s.bytes.data_received 0",
    "notes[0].id ch-trailing-bytes; notes[0].leg client",
};

static void test_nobody_innocent_is_accused(void) {
    static const enum base healthy[] = {BASE_ok, BASE_ok, BASE_watched13, BASE_plain};
    unsigned seed = 20261120, accused = 0;
    for (int round = 0; round < 20000; round++) {
        enum base base = healthy[rand_r(&seed) % ARRAY_LEN(healthy)];
        struct record *record = case_record(base, "");
        char what[1024] = "";
        for (int i = rand_r(&seed) % 4; i >= 0; i--) {
            const char *lines = innocent[rand_r(&seed) % ARRAY_LEN(innocent)];
            case_apply(record->root, lines);
            snprintf(what + strlen(what), sizeof(what) - strlen(what), " | %s", lines);
        }
        verdict_decide(record->root);
        const struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
        if (accuses(obj_str(verdict, F_VERDICT_PARTY)) && accused++ < 20) {
            printf("\n  %s is accused of %s:%s", obj_str(verdict, F_VERDICT_PARTY),
                   obj_str(verdict, F_VERDICT_CAUSE), what);
        }
        record_free(record);
    }
    CU_ASSERT_EQUAL(accused, 0);
}

// Early ends that mean nothing: whatever else is odd, a client that only left is not accused.
static void test_clients_may_leave(void) {
    static const char *const leaves[] = {
        "c.end.how fin; c.end.at certificate",
        "c.end.how rst; c.end.at certificate",
        "c.end.how fin; c.end.at finished; c.tls.established true",
        "c.end.how rst; c.end.at finished; c.tls.established true",
        "c.end.how timeout; c.end.at certificate",
        "c.end.how fin; c.end.at finished; c.alert client finished 0 warning",
        ("c.end.by server; s.end.by server; s.end.how fin; c.tls.established true; c.end.at "
         "finished"),
    };
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        struct record *record = case_record(BASE_shown, leaves[i]);
        verdict_decide(record->root);
        const struct obj *verdict = obj_get(record->root, F_RECORD_VERDICT);
        CU_ASSERT(!accuses(obj_str(verdict, F_VERDICT_PARTY)));
        record_free(record);
    }
}

// A second verdict replaces the first.
static void test_verdict_is_replaced(void) {
    struct record *record = case_record(BASE_ok, "");
    verdict_decide(record->root);
    const struct obj *first = obj_get(record->root, F_RECORD_VERDICT);
    size_t num = obj_num(first, F_VERDICT_EVIDENCE);
    verdict_decide(record->root);
    const struct obj *second = obj_get(record->root, F_RECORD_VERDICT);
    CU_ASSERT_NOT_EQUAL(first, second);
    CU_ASSERT_EQUAL(obj_num(second, F_VERDICT_EVIDENCE), num);
    CU_ASSERT(obj_str_is(second, F_VERDICT_CAUSE, "healthy"));
    record_free(record);
}

// What a peer sent cannot reach the terminal as control characters, nor break a template.
static void test_values_are_escaped(void) {
    struct record *record = case_record(BASE_shown, "s.defect self-signed 0");
    struct obj *server = record_leg(record->root, true);
    obj_set_str(server, F_LEG_SUBJECT, "CN=\x1b[2J{host}");
    verdict_decide(record->root);
    const char *says = obj_str(obj_get(record->root, F_RECORD_VERDICT), F_VERDICT_SAYS);
    CU_ASSERT_PTR_NULL(strchr(says, '\x1b'));
    CU_ASSERT_PTR_NOT_NULL(strstr(says, "\\x1b[2J{host}"));
    record_free(record);
}

static void test_tables(void) {
    size_t num;
    const struct rule *rules = rule_list(&num);
    bool used[PREDICATE_COUNT] = {false};
    for (size_t i = 0; i < num; i++) {
        const struct rule *rule = &rules[i];
        const struct cause_row *cause = cause_row(rule->cause);
        CU_ASSERT(template_check(rule->says) && template_check(rule->next));
        CU_ASSERT(rule->remedy == NULL || template_check(rule->remedy));
        CU_ASSERT_EQUAL(rule_find(rule->id, strlen(rule->id)), rule);
        CU_ASSERT(cause->number != 0 || rule->party == PARTY_NONE ||
                  rule->party == PARTY_UNDETERMINED);
        CU_ASSERT_EQUAL(rule->needs[RULE_NEEDS_MAX - 1], 0);
        CU_ASSERT(rule->needs[0] != 0 || i == num - 1);
        for (size_t k = 0; k < RULE_NEEDS_MAX && rule->needs[k] != 0; k++) {
            used[literal_predicate(rule->needs[k])] = true;
        }
        for (size_t k = 0; k < RULE_RAISES_MAX && rule->raises[k] != 0; k++) {
            used[literal_predicate(rule->raises[k])] = true;
        }
        for (size_t k = 0; k < RULE_LOOK_ALIKES_MAX && rule->look_alikes[k].speaks != 0; k++) {
            used[literal_predicate(rule->look_alikes[k].speaks)] = true;
            CU_ASSERT_NOT_EQUAL(rule->look_alikes[k].cause, rule->cause);
        }
    }
    for (enum predicate i = 0; i < PREDICATE_COUNT; i++) {
        const struct predicate_row *row = predicate_row(i);
        CU_ASSERT(used[i] || i == P_CLIENT_LEFT_FIRST || i == P_DEFECTS_HIDDEN);
        if (!used[i]) {
            printf("\n  predicate %s is not used", row->name);
        }
        CU_ASSERT(template_check(row->because_yes) && template_check(row->because_no));
        CU_ASSERT_NOT_EQUAL(row->fields[0], FIELD_COUNT);
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#define INSTRUMENTED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define INSTRUMENTED 0
#endif

// The budget is 50 microseconds a verdict, in any build without instruments.
static void test_cost(void) {
    enum { ROUNDS = 20 };
    clock_t spent = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct record *record = case_record(cases[i].base, cases[i].lines);
            clock_t begin = clock();
            verdict_decide(record->root);
            spent += clock() - begin;
            record_free(record);
        }
    }
    double us = (double)spent * 1e6 / CLOCKS_PER_SEC / (ROUNDS * (double)ARRAY_LEN(cases));
    printf("\n  a verdict costs %.1f us", us);
    CU_ASSERT(us < 50 || INSTRUMENTED);
}

const struct unit_case unit_cases[] = {
    {"cases", test_cases},
    {"near misses", test_near_misses},
    {"every rule has a case and a near miss", test_every_rule_has_both},
    {"every rule is missed by a hair", test_every_rule_is_missed_by_a_hair},
    {"verdicts are complete", test_verdicts_are_complete},
    {"fields are needed", test_fields_are_needed},
    {"less is never somebody else", test_less_is_never_somebody_else},
    {"nobody innocent is accused", test_nobody_innocent_is_accused},
    {"clients may leave", test_clients_may_leave},
    {"a verdict is replaced", test_verdict_is_replaced},
    {"values are escaped", test_values_are_escaped},
    {"tables", test_tables},
    {"cost", test_cost},
    {NULL, NULL},
};
