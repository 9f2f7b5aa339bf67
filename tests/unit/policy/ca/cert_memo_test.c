#include "policy/ca/cert_memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static void test_repeated(void) {
    struct pki_cert *cert = pki_leaf("a.test", NULL);
    uint8_t *copy = xmemdup(cert->der, cert->der_len);
    CBS der;
    CBS_init(&der, copy, cert->der_len);
    const struct cert_facts *first = cert_memo_facts(der);
    CU_ASSERT_STRING_EQUAL(first->subject, "CN=a.test");
    const char *subject = first->subject;
    // The caller's bytes may be gone by now.
    memset(copy, 0, cert->der_len);
    CU_ASSERT_TRUE(CBS_mem_equal(&first->raw.der, cert->der, cert->der_len));
    const struct cert_facts *again = cert_memo_facts(pki_cbs(cert));
    CU_ASSERT_PTR_EQUAL(again, first);
    CU_ASSERT_PTR_EQUAL(again->subject, subject);
    free(copy);
    pki_free(cert);
}

// One byte more or less, or another, is another certificate, though it has the same place.
static void test_alike(void) {
    struct pki_cert *cert = pki_leaf("a.test", NULL);
    uint8_t *copy = xmemdup(cert->der, cert->der_len);
    uint8_t *all = xmalloc(cert->der_len + 1), sha256[SHA256_DIGEST_LENGTH];
    for (int round = 0; round < 3; round++) {
        CBS der;
        CU_ASSERT_STRING_EQUAL(cert_memo_facts(pki_cbs(cert))->subject_cn, "a.test");
        CU_ASSERT_PTR_NULL(cert_memo_facts(pki_cbs(cert))->problem);
        copy[cert->der_len / 2] ^= 1;
        CBS_init(&der, copy, cert->der_len);
        SHA256(copy, cert->der_len, sha256);
        CU_ASSERT_EQUAL(memcmp(cert_memo_facts(der)->sha256, sha256, sizeof(sha256)), 0);
        memcpy(all + 1, cert->der, cert->der_len);
        all[0] = 0;
        CBS_init(&der, all, cert->der_len + 1);
        CU_ASSERT_PTR_NOT_NULL(cert_memo_facts(der)->problem);
        CBS_init(&der, cert->der + 1, cert->der_len - 1);
        CU_ASSERT_PTR_NOT_NULL(cert_memo_facts(der)->problem);
    }
    free(all);
    free(copy);
    pki_free(cert);
}

// What is held stays as it is while others take its place, and goes with the last who holds it.
static void test_held(void) {
    struct pki_cert *cert = pki_leaf("a.test", NULL);
    uint8_t *copy = xmemdup(cert->der, cert->der_len);
    static uint8_t large[CERT_MEMO_DER_MAX + 2];
    CBS der, large_der;
    copy[cert->der_len / 2] ^= 1;
    CBS_init(&der, copy, cert->der_len);
    CBS_init(&large_der, large, sizeof(large));
    const struct cert_facts *held = cert_memo_hold(pki_cbs(cert));
    const struct cert_facts *twice = cert_memo_hold(pki_cbs(cert));
    const struct cert_facts *held_large = cert_memo_hold(large_der);
    CU_ASSERT_PTR_EQUAL(held, twice);
    CU_ASSERT_PTR_NOT_EQUAL(cert_memo_facts(der), held);
    large[0] = 1;
    CU_ASSERT_PTR_NOT_EQUAL(cert_memo_facts(large_der), held_large);
    CU_ASSERT_EQUAL(CBS_data(&held_large->raw.der)[0], 0);
    cert_memo_release(held);
    CU_ASSERT_STRING_EQUAL(twice->subject_cn, "a.test");
    CU_ASSERT_TRUE(CBS_mem_equal(&twice->raw.der, cert->der, cert->der_len));
    cert_memo_release(twice);
    cert_memo_release(held_large);
    free(copy);
    pki_free(cert);
}

static void test_odd_sizes(void) {
    static uint8_t bytes[CERT_MEMO_DER_MAX + 2];
    static const size_t lens[] = {
        0, 1, 2, CERT_MEMO_DER_MAX, CERT_MEMO_DER_MAX + 1, CERT_MEMO_DER_MAX + 2};
    for (size_t i = 0; i < 2 * ARRAY_LEN(lens); i++) {
        CBS der;
        uint8_t sha256[SHA256_DIGEST_LENGTH];
        size_t len = lens[i % ARRAY_LEN(lens)];
        CBS_init(&der, bytes, len);
        SHA256(bytes, len, sha256);
        const struct cert_facts *facts = cert_memo_facts(der);
        CU_ASSERT_PTR_NOT_NULL(facts->problem);
        CU_ASSERT_EQUAL(memcmp(facts->sha256, sha256, sizeof(sha256)), 0);
        CU_ASSERT_EQUAL(CBS_len(&facts->raw.der), len);
    }
}

static void *other_thread(void *arg) { return (void *)(uintptr_t)cert_memo_facts(*(CBS *)arg); }

// Each thread has its own; a leak checker sees whether it goes with the thread.
static void test_threads(void) {
    struct pki_cert *cert = pki_leaf("a.test", NULL);
    CBS der = pki_cbs(cert);
    const struct cert_facts *mine = cert_memo_facts(der);
    pthread_t thread;
    void *theirs = NULL;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, other_thread, &der), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, &theirs), 0);
    CU_ASSERT_PTR_NOT_EQUAL(theirs, mine);
    CU_ASSERT_STRING_EQUAL(mine->subject_cn, "a.test");
    pki_free(cert);
}

// libcrypto's reading is made once, outlives its place, and is none where there is more behind.
static void test_x509(void) {
    struct pki_cert *cert = pki_leaf("a.test", NULL);
    X509 *first = cert_memo_x509(pki_cbs(cert)), *again = cert_memo_x509(pki_cbs(cert));
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_EQUAL(first, again);
    CU_ASSERT_EQUAL(X509_cmp(first, cert->x509), 0);
    X509_free(again);
    uint8_t *all = xmalloc(cert->der_len + 1);
    memcpy(all, cert->der, cert->der_len);
    all[cert->der_len] = all[cert->der_len - 2];
    all[cert->der_len - 1] = all[cert->der_len - 3];
    CBS der;
    CBS_init(&der, all, cert->der_len + 1);
    CU_ASSERT_PTR_NULL(cert_memo_x509(der));
    memcpy(all, cert->der, cert->der_len);
    all[cert->der_len / 2] ^= 1; // another one in its place
    CBS_init(&der, all, cert->der_len);
    X509_free(cert_memo_x509(der));
    CU_ASSERT_EQUAL(X509_cmp(first, cert->x509), 0);
    X509_free(first);
    CBS_init(&der, NULL, 0);
    CU_ASSERT_PTR_NULL(cert_memo_x509(der));
    free(all);
    pki_free(cert);
}

const struct unit_case unit_cases[] = {
    {"a certificate is read once", test_repeated},
    {"certificates that are nearly the same", test_alike},
    {"held", test_held},
    {"odd sizes", test_odd_sizes},
    {"libcrypto's reading", test_x509},
    {"threads", test_threads},
    {NULL, NULL},
};
