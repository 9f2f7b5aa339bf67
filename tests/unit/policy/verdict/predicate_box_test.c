#include "policy/verdict/predicate_fn.h"

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// clang-format off
static const struct answer_case answers[] = {
    {P_INSPECTOR, BASE_ok, "s.tls.server.issuer OU=x, O=Zscaler Inc.", YES},
    {P_INSPECTOR, BASE_ok, "s.tls.server.issuer CN=tlsblame CA 1234", NO},
    {P_INSPECTOR, BASE_ok, "s.tls.server.issuer CN=Superfish\\, Inc., C=US", YES}, // as RFC 4514 has it
    {P_INSPECTOR, BASE_ok, "-s.tls.server.issuer", UNKNOWN},
    {P_ISSUER_UNKNOWN, BASE_shown, "s.defect unknown-root 1", YES},
    {P_ISSUER_UNKNOWN, BASE_shown, "s.defect self-signed 0", YES},
    {P_ISSUER_UNKNOWN, BASE_shown, "s.defect missing-intermediate 0", YES},
    {P_ISSUER_UNKNOWN, BASE_shown, "s.defect expired 0", NO},
    {P_ISSUER_UNTRUSTED, BASE_ok, "s.tls.server.issuer CN=avast! Web/Mail Shield Untrusted Root", YES},
    {P_ISSUER_UNTRUSTED, BASE_ok, "s.tls.server.issuer CN=Not trusted by \\\"corp\\\" signer", YES},
    {P_ISSUER_UNTRUSTED, BASE_ok, "s.tls.server.issuer CN=Not trusted by us", NO},
    {P_ISSUER_UNTRUSTED, BASE_ok, "s.tls.server.issuer CN=avast! Web/Mail Shield Root", NO},
    {P_ISSUER_INSPECTS, BASE_ok, "s.tls.server.issuer CN=ACME SSL Inspection CA", YES},
    {P_ISSUER_INSPECTS, BASE_ok, "s.tls.server.issuer CN=ACME Root", NO},
    {P_ISSUER_INSPECTS, BASE_ok, "-s.tls.server.issuer", UNKNOWN},
    {P_ISSUER_LOCAL, BASE_ok, "s.tls.server.issuer O=mkcert development CA, CN=mkcert a@b", YES},
    {P_ISSUER_LOCAL, BASE_ok, "s.tls.server.issuer CN=Caddy's fan club", NO},
    {P_MISDIRECTED, BASE_shown, "s.verification.name b.example.test", YES},
    {P_MISDIRECTED, BASE_shown, "s.verification.name b.example.test; host c.example.org", NO},
    {P_MISDIRECTED, BASE_shown, "s.verification.name b.example.test; s.chain[0].sans *.example.test", YES},
    {P_MISDIRECTED, BASE_shown, "s.verification.name b.example.test; s.chain[0].sans *.test", NO},
    {P_MISDIRECTED, BASE_shown, "", NO},
    {P_MISDIRECTED, BASE_shown, "s.verification.name b.example.test; -s.chain[0].sans", UNKNOWN},
    {P_MISDIRECTED, BASE_shown, "s.verification.name b.example.test; -s.chain[0].sans; s.defect cn-only 0", NO},
    {P_MISDIRECTED, BASE_shown, "-s.verification.name", UNKNOWN},
    {P_PUBLIC_NAME, BASE_ok, "host google.com", YES},
    {P_PUBLIC_NAME, BASE_ok, "host mail.google.com", YES},
    {P_PUBLIC_NAME, BASE_ok, "host notgoogle.com", NO},
    {P_PUBLIC_NAME, BASE_ok, "host google.com.example.test", NO},
    {P_TEST_DEFECT_NAME, BASE_ok, "host expired.badssl.com", YES},
    {P_TEST_DEFECT_NAME, BASE_ok, "host sha256.badssl.com", NO},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
