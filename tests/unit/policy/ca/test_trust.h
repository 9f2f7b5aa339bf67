// Trust in roots that a test has made.
#ifndef TESTS_UNIT_POLICY_CA_TEST_TRUST_H_
#define TESTS_UNIT_POLICY_CA_TEST_TRUST_H_

#include "policy/ca/trust.h"
#include "tests/unit/policy/ca/test_pki.h"

// trust_in loads trust in these roots and no others; the caller frees it.
struct trust *trust_in(const struct pki_cert *const *roots, size_t num);

// trust_in_root is that for one root.
struct trust *trust_in_root(const struct pki_cert *root);

#endif // TESTS_UNIT_POLICY_CA_TEST_TRUST_H_
