#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// One run: its place in the list, its probe and what it came to.
#define CERT(i, probe, word)                                                                       \
    "experiments[" #i "].probe " probe ";experiments[" #i "].client_certificate " word ";"
#define ECH(i, probe, word, from)                                                                  \
    "experiments[" #i "].probe " probe ";experiments[" #i "].ech.result " word ";experiments[" #i  \
    "].ech.config " from ";"

// clang-format off
static const struct answer_case answers[] = {
    {P_X_CERT_NEEDED, BASE_probe, CERT(0, "without-cert", "needed"), YES},
    {P_X_CERT_NEEDED, BASE_probe, CERT(0, "without-cert", "not-needed"), NO},
    {P_X_CERT_NEEDED, BASE_probe, CERT(0, "without-cert", "unclear"), UNKNOWN},
    {P_X_CERT_NEEDED, BASE_probe, CERT(0, "without-cert", "unclear") CERT(1, "without-cert", "needed"), YES},
    {P_X_CERT_NEEDED, BASE_probe, CERT(0, "without-cert", "needed") CERT(1, "without-cert", "not-needed"), UNKNOWN},
    {P_X_CERT_NEEDED, BASE_probe, CERT(0, "with-cert", "needed"), UNKNOWN},
    {P_X_CERT_NEEDED, BASE_probe, "experiments[0].probe without-cert", UNKNOWN},
    {P_X_CERT_ACCEPTED, BASE_probe, CERT(0, "without-cert", "accepted") CERT(1, "with-cert", "refused"), NO},
    {P_X_CERT_REFUSED, BASE_probe, CERT(0, "with-cert", "refused"), YES},
    {P_X_CERT_UNSUITABLE, BASE_probe, CERT(0, "with-cert", "unsuitable"), YES},
    {P_X_CERT_NOT_ASKED, BASE_probe, CERT(0, "with-cert", "not-asked"), YES},
    {P_X_ECH_ACCEPTED, BASE_probe, ECH(0, "ech", "accepted", "dns"), YES},
    {P_X_ECH_ACCEPTED, BASE_probe, ECH(0, "ech-retry", "accepted", "retry"), UNKNOWN},
    {P_X_ECH_RETRIED, BASE_probe, ECH(0, "ech-retry", "accepted", "retry"), YES},
    {P_X_ECH_RETRIED, BASE_probe, ECH(0, "ech-retry", "rejected", "retry"), NO},
    {P_X_ECH_REJECTED, BASE_probe, ECH(0, "ech", "disabled", "dns"), NO},
    {P_X_ECH_FROM_DNS, BASE_probe, ECH(0, "ech", "disabled", "dns"), YES},
    {P_X_ECH_FROM_DNS, BASE_probe, ECH(0, "ech", "disabled", "given"), NO},
};
// clang-format on

static void test_answers(void) { answers_check(answers, ARRAY_LEN(answers)); }

const struct unit_case unit_cases[] = {
    {"answers", test_answers},
    {NULL, NULL},
};
