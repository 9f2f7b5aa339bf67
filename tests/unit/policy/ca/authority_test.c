#include "policy/ca/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/cert_facts.h"
#include "tests/unit/policy/ca/test_pki.h"
#include "tests/unit/unit.h"

static void write_buf(const char *folder, const char *name, const struct buf *buf) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    CU_ASSERT_TRUE_FATAL(f != NULL && fwrite(buf_data(buf), 1, buf->len, f) == buf->len);
    fclose(f);
}

static void test_exports(void) {
    char *folder = pki_folder();
    struct authority *a = authority_new(PKI_NOW);
    struct buf out;
    buf_init(&out, 65536);
    CU_ASSERT_TRUE(authority_pem(a, &out));
    write_buf(folder, "ca.pem", &out);
    buf_cleanup(&out);
    CU_ASSERT_EQUAL(pki_run("openssl x509 -in '%s/ca.pem' -noout -fingerprint -sha256", folder), 0);
    char want[16];
    snprintf(want, sizeof(want), "=%02X:%02X:%02X", a->sha256[0], a->sha256[1], a->sha256[2]);
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, want));
    CU_ASSERT_TRUE(authority_pkcs12(a, &out));
    write_buf(folder, "ca.p12", &out);
    buf_cleanup(&out);
    CU_ASSERT_EQUAL(pki_run("openssl pkcs12 -info -nokeys -passin pass: -in '%s/ca.p12'", folder),
                    0);
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "CN = tlsblame CA"));
    CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "BEGIN CERTIFICATE"));
    CU_ASSERT_EQUAL(pki_run("openssl pkcs12 -nocerts -nodes -passin pass: -in '%s/ca.p12'", folder),
                    0);
    CU_ASSERT_PTR_NULL(strstr(pki_output, "PRIVATE KEY"));
    if (pki_run("command -v pk12util") == 0) {
        CU_ASSERT_EQUAL(pki_run("cd '%s' && mkdir db && certutil -N -d sql:db --empty-password && "
                                "pk12util -i ca.p12 -d sql:db -W '' && certutil -L -d sql:db",
                                folder),
                        0);
        CU_ASSERT_PTR_NOT_NULL(strstr(pki_output, "tlsblame CA"));
    }
    buf_init(&out, 10);
    CU_ASSERT_FALSE(authority_pem(a, &out));
    CU_ASSERT_FALSE(authority_pkcs12(a, &out));
    buf_cleanup(&out);
    authority_free(a);
    pki_remove(folder);
}

// Made anew, the name is another: clients must not take it for the CA that they know.
static void test_names_differ(void) {
    struct authority *a = authority_new(PKI_NOW), *b = authority_new(PKI_NOW);
    CU_ASSERT_FALSE(CBS_mem_equal(&a->subject, CBS_data(&b->subject), CBS_len(&b->subject)));
    authority_free(a);
    authority_free(b);
    authority_free(NULL);
}

static void test_untrusted(void) {
    struct authority *a = authority_new_untrusted(PKI_NOW);
    struct arena arena = {0};
    struct cert_facts f;
    CBS der = authority_der(a);
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, CBS_data(&der), CBS_len(&der)));
    CU_ASSERT_STRING_EQUAL(f.subject, "CN=tlsblame untrusted CA, O=tlsblame");
    CU_ASSERT_TRUE(f.ca && cert_facts_self_signed(&f));
    arena_cleanup(&arena);
    authority_free(a);
}

const struct unit_case unit_cases[] = {
    {"PEM and PKCS#12", test_exports},
    {"each CA has its own name", test_names_differ},
    {"the one that nobody trusts", test_untrusted},
    {NULL, NULL},
};
