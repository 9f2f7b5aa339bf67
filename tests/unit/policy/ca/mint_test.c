#include "policy/ca/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/ca/cert_facts.h"
#include "policy/ca/cert_pem.h"
#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/unit.h"

struct world {
    char *folder;
    struct authority *authority;
    struct mint *mint;
};

static void write_pem(const char *folder, const char *name, CRYPTO_BUFFER *const *certs,
                      size_t num_certs) {
    char path[512];
    struct buf pem;
    buf_init(&pem, 1 << 20);
    for (size_t i = 0; i < num_certs; i++) {
        CU_ASSERT_TRUE(
            cert_pem_print(&pem, CRYPTO_BUFFER_data(certs[i]), CRYPTO_BUFFER_len(certs[i])));
    }
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(buf_data(&pem), 1, pem.len, f), pem.len);
    fclose(f);
    buf_cleanup(&pem);
}

static struct world world_make(void) {
    struct world w = {.folder = pki_folder(), .authority = authority_new(PKI_NOW)};
    w.mint = mint_new(w.authority, PKI_NOW);
    write_pem(w.folder, "ca.pem", w.authority->chain, 1);
    return w;
}

static void world_end(struct world *w) {
    mint_free(w->mint);
    authority_free(w->authority);
    pki_remove(w->folder);
}

// What openssl, the strictest judge at hand, says of `leaf` at PKI_NOW.
static int openssl_verify(const struct world *w, const struct leaf *leaf, const char *host) {
    write_pem(w->folder, "leaf.pem", leaf->chain, 1);
    write_pem(w->folder, "chain.pem", leaf->chain, leaf->num_chain);
    bool ip = strchr(host, ':') != NULL || (host[0] >= '0' && host[0] <= '9');
    return pki_run("cd '%s' && openssl verify -x509_strict -purpose sslserver -attime %lld "
                   "-CAfile ca.pem -untrusted chain.pem %s '%s' leaf.pem",
                   w->folder, (long long)PKI_NOW, ip ? "-verify_ip" : "-verify_hostname", host);
}

static bool says(int status, const char *what) {
    if (status == 0 || strstr(pki_output, what) == NULL) {
        printf("\n      openssl said (%d): %s", status, pki_output);
        return false;
    }
    return true;
}

static void test_strict(void) {
    struct world w = world_make();
    static const char *const hosts[] = {
        "a.test",
        "nas",
        "192.0.2.1",
        "2001:db8::1",
        "xn--bcher-kva.test",
        "_x.a.test",
        "a-name-of-more-than-64-bytes.a-name-of-more-than-64-bytes.example.test",
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct leaf_spec spec;
        leaf_spec_for_host(&spec, hosts[i], LEAF_OK, PKI_NOW);
        struct leaf *leaf = mint_leaf(w.mint, &spec);
        int status = openssl_verify(&w, leaf, hosts[i]);
        if (status != 0) {
            printf("\n      %s: %s", hosts[i], pki_output);
        }
        CU_ASSERT_EQUAL(status, 0);
        CU_ASSERT_EQUAL(leaf->num_chain, 1);
        leaf_unref(leaf);
        leaf_spec_cleanup(&spec);
    }
    struct leaf_spec spec;
    leaf_spec_for_host(&spec, "a.test", LEAF_OK, PKI_NOW);
    spec.key_type = CERT_KEY_RSA_2048;
    struct leaf *leaf = mint_leaf(w.mint, &spec);
    CU_ASSERT_EQUAL(openssl_verify(&w, leaf, "a.test"), 0);
    CU_ASSERT_EQUAL(EVP_PKEY_id(leaf->key), EVP_PKEY_RSA);
    leaf_unref(leaf);
    leaf_spec_cleanup(&spec);
    world_end(&w);
}

static void test_contents(void) {
    struct world w = world_make();
    struct leaf_spec spec;
    struct arena arena = {0};
    struct cert_facts f, g;
    leaf_spec_for_host(&spec, "a.test", LEAF_OK, PKI_NOW);
    struct leaf *leaf = mint_leaf(w.mint, &spec), *again = mint_leaf(w.mint, &spec);
    CBS der;
    CRYPTO_BUFFER_init_CBS(leaf->chain[0], &der);
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, CBS_data(&der), CBS_len(&der)));
    CRYPTO_BUFFER_init_CBS(again->chain[0], &der);
    CU_ASSERT_TRUE(cert_facts_parse(&g, &arena, CBS_data(&der), CBS_len(&der)));
    CU_ASSERT_STRING_NOT_EQUAL(f.serial, g.serial);
    CU_ASSERT_EQUAL(strlen(f.serial), 32);
    CU_ASSERT_FALSE(f.serial_negative);
    CU_ASSERT_TRUE(f.has_basic_constraints && !f.ca);
    CU_ASSERT_EQUAL(f.key_usage, CERT_KU_DIGITAL_SIGNATURE);
    CU_ASSERT_TRUE(f.server_auth && f.ext_key_usages.num == 1);
    CU_ASSERT_TRUE(f.ski != NULL && f.aki != NULL);
    CU_ASSERT_EQUAL(f.not_after - f.not_before, LEAF_LIFETIME);
    CU_ASSERT_EQUAL(f.unknown_critical.num, 0);
    CU_ASSERT_TRUE(leaf->key == again->key);
    X509 *x509 = X509_parse_from_buffer(leaf->chain[0]);
    CU_ASSERT_TRUE(X509_check_private_key(x509, leaf->key));
    X509_free(x509);
    leaf_unref(again);
    CU_ASSERT_PTR_EQUAL(leaf_ref(leaf), leaf);
    leaf_unref(leaf);
    leaf_unref(leaf);
    leaf_unref(NULL);
    leaf_spec_cleanup(&spec);
    arena_cleanup(&arena);
    world_end(&w);
}

// Each defect is refused by openssl for that very reason.
static void test_defects(void) {
    struct world w = world_make();
    static const struct {
        unsigned defects;
        bool send_issuer;
        const char *says;
    } cases[] = {
        {LEAF_EXPIRED, false, "certificate has expired"},
        {LEAF_NOT_YET_VALID, false, "certificate is not yet valid"},
        {LEAF_WRONG_NAME, false, "hostname mismatch"},
        {LEAF_UNTRUSTED, false, "unable to get local issuer certificate"},
        {LEAF_UNTRUSTED, true, "self-signed certificate in certificate chain"},
        {LEAF_SELF_SIGNED, false, "self-signed certificate"},
        {LEAF_SELF_SIGNED | LEAF_EXPIRED, false, "self-signed certificate"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct leaf_spec spec;
        leaf_spec_for_host(&spec, "a.test", cases[i].defects, PKI_NOW);
        strcpy(spec.issuer_hint, "Some \xc3\x9c CA");
        spec.send_issuer = cases[i].send_issuer;
        struct leaf *leaf = mint_leaf(w.mint, &spec);
        CU_ASSERT_TRUE(says(openssl_verify(&w, leaf, "a.test"), cases[i].says));
        CU_ASSERT_EQUAL(leaf->num_chain, cases[i].send_issuer ? 2 : 1);
        CU_ASSERT_EQUAL(leaf->defects, cases[i].defects);
        struct arena arena = {0};
        struct cert_facts f;
        CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, CRYPTO_BUFFER_data(leaf->chain[0]),
                                        CRYPTO_BUFFER_len(leaf->chain[0])));
        CU_ASSERT_EQUAL(cert_facts_self_signed(&f), (cases[i].defects & LEAF_SELF_SIGNED) != 0);
        if (cases[i].defects == LEAF_UNTRUSTED) {
            CU_ASSERT_STRING_EQUAL(f.issuer, "CN=Some \xc3\x9c CA, O=untrusted by tlsblame");
        }
        arena_cleanup(&arena);
        leaf_unref(leaf);
        leaf_spec_cleanup(&spec);
    }
    struct leaf_spec spec;
    leaf_spec_init(&spec);
    spec.defects = LEAF_SELF_SIGNED;
    spec.not_after = PKI_NOW;
    struct leaf *leaf = mint_leaf(w.mint, &spec);
    struct arena arena = {0};
    struct cert_facts f;
    CU_ASSERT_TRUE(cert_facts_parse(&f, &arena, CRYPTO_BUFFER_data(leaf->chain[0]),
                                    CRYPTO_BUFFER_len(leaf->chain[0])));
    CU_ASSERT_STRING_EQUAL(f.issuer, "CN=self-signed");
    arena_cleanup(&arena);
    leaf_unref(leaf);
    world_end(&w);
}

// From a bad server's chain through verification to a leaf that is bad in the same way.
static void test_mirror(void) {
    struct world w = world_make();
    struct pki_cert *root = pki_ca("Real Root", NULL), *inter = pki_ca("Real Inter", root);
    struct pki_cert *self = pki_make((struct pki_options){.cn = "a.test", .san = "DNS:a.test"});
    struct pki_cert *leaf = pki_leaf("a.test", inter);
    struct trust *trust = trust_in_root(root);
    const struct {
        const struct pki_cert *certs[2];
        const char *host;
        int64_t now;
        const char *says; // NULL: good
    } cases[] = {
        {{leaf, inter}, "a.test", PKI_NOW, NULL},
        {{leaf, inter}, "b.test", PKI_NOW, "hostname mismatch"},
        {{leaf, NULL}, "a.test", PKI_NOW, "unable to get local issuer certificate"},
        {{self, NULL}, "a.test", PKI_NOW, "self-signed certificate"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CBS chain[2];
        size_t num = 0;
        while (num < 2 && cases[i].certs[num] != NULL) {
            chain[num] = pki_cbs(cases[i].certs[num]);
            num++;
        }
        struct verification v;
        struct leaf_spec spec;
        trust_verify(trust, chain, num, cases[i].host, cases[i].now, &v);
        leaf_spec_from_chain(&spec, CBS_data(&chain[0]), CBS_len(&chain[0]), cases[i].host, &v,
                             cases[i].now);
        struct leaf *minted = mint_leaf(w.mint, &spec);
        int status = openssl_verify(&w, minted, cases[i].host);
        CU_ASSERT_TRUE(cases[i].says == NULL ? status == 0 : says(status, cases[i].says));
        leaf_unref(minted);
        leaf_spec_cleanup(&spec);
        verification_cleanup(&v);
    }
    trust_free(trust);
    pki_free(root);
    pki_free(inter);
    pki_free(self);
    pki_free(leaf);
    world_end(&w);
}

static char warned[1024];

static void on_warning(void *ctx, const char *says) {
    CHECK(ctx == warned);
    size_t len = strlen(warned);
    snprintf(warned + len, sizeof(warned) - len, "%s\n", says);
}

// kept_leaf returns a good leaf with an RSA key of a mint that keeps its keys in `dir`.
static struct leaf *kept_leaf(const struct world *w, const char *dir, unsigned defects) {
    struct mint *mint = mint_new(w->authority, PKI_NOW);
    struct leaf_spec spec;
    warned[0] = '\0';
    mint_keep(mint, dir, on_warning, warned);
    leaf_spec_for_host(&spec, "a.test", defects, PKI_NOW);
    spec.key_type = CERT_KEY_RSA_2048;
    struct leaf *leaf = mint_leaf(mint, &spec);
    CU_ASSERT_EQUAL(EVP_PKEY_bits(leaf->key), 2048);
    leaf_spec_cleanup(&spec);
    mint_free(mint);
    return leaf;
}

static void test_kept_keys(void) {
    struct world w = world_make();
    char path[512];
    snprintf(path, sizeof(path), "%s/" MINT_RSA_FILE, w.folder);
    struct leaf *first = kept_leaf(&w, w.folder, LEAF_OK);
    struct leaf *second = kept_leaf(&w, w.folder, LEAF_OK);
    struct leaf *own = kept_leaf(&w, w.folder, LEAF_SELF_SIGNED);
    CU_ASSERT_STRING_EQUAL(warned, "");
    CU_ASSERT_EQUAL(EVP_PKEY_cmp(first->key, second->key), 1);
    CU_ASSERT_NOT_EQUAL(EVP_PKEY_cmp(first->key, own->key), 1);
    CU_ASSERT_EQUAL(openssl_verify(&w, second, "a.test"), 0);
    CU_ASSERT_EQUAL(pki_run("cd '%s' && stat -c %%a " MINT_RSA_FILE " " MINT_SELF_SIGNED_RSA_FILE
                            " | tr '\\n' ' '",
                            w.folder),
                    0);
    CU_ASSERT_STRING_EQUAL(pki_output, "600 600 ");
    leaf_unref(own);
    leaf_unref(second);

    // Where the key cannot be kept, leaves are as good.
    const char *const breaks[] = {"chmod 644 " MINT_RSA_FILE,
                                  "chmod 600 " MINT_RSA_FILE "; echo half > " MINT_RSA_FILE};
    const char *const says[] = {"open to other users", "no private key in it"};
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        CU_ASSERT_EQUAL(pki_run("cd '%s' && %s", w.folder, breaks[i]), 0);
        struct leaf *leaf = kept_leaf(&w, w.folder, LEAF_OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(warned, path));
        CU_ASSERT_PTR_NOT_NULL(strstr(warned, says[i]));
        CU_ASSERT_NOT_EQUAL(EVP_PKEY_cmp(first->key, leaf->key), 1);
        CU_ASSERT_EQUAL(openssl_verify(&w, leaf, "a.test"), 0);
        leaf_unref(leaf);
    }
    leaf_unref(kept_leaf(&w, "/proc/self", LEAF_OK));
    CU_ASSERT_PTR_NOT_NULL(strstr(warned, "/proc/self/" MINT_RSA_FILE ": cannot be made"));
    leaf_unref(first);
    world_end(&w);
}

// CAs of other kinds: each signs leaves that openssl accepts, the intermediate in the chain.
static void test_other_authorities(void) {
    static const char *const keys[] = {
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "-algorithm ED25519",
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char *folder = pki_folder(), cert[400], key[400];
        struct err err = {0};
        snprintf(cert, sizeof(cert), "%s/ca.pem", folder);
        snprintf(key, sizeof(key), "%s/key.pem", folder);
        CU_ASSERT_EQUAL(
            pki_run("cd '%s' && openssl genpkey %s -out key.pem && chmod 600 key.pem && "
                    "openssl req -x509 -new -key key.pem -subj '/O=Corp/CN=Corp CA' "
                    "-days 30 -addext keyUsage=critical,keyCertSign -out ca.pem",
                    folder, keys[i]),
            0);
        int64_t now = time(NULL) + 10;
        struct authority *a = authority_load(cert, key, now, &err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(a);
        struct mint *mint = mint_new(a, now);
        struct leaf_spec spec;
        leaf_spec_for_host(&spec, "a.test", LEAF_OK, now);
        struct leaf *leaf = mint_leaf(mint, &spec);
        CU_ASSERT_EQUAL(leaf->not_after, a->not_after);
        CU_ASSERT_EQUAL(leaf->fresh_until, a->not_after);
        write_pem(folder, "leaf.pem", leaf->chain, leaf->num_chain);
        CU_ASSERT_EQUAL(
            pki_run("cd '%s' && openssl verify -x509_strict -attime %lld -CAfile ca.pem "
                    "-verify_hostname a.test leaf.pem",
                    folder, (long long)now),
            0);
        leaf_unref(leaf);
        leaf_spec_cleanup(&spec);
        mint_free(mint);
        authority_free(a);
        pki_remove(folder);
    }
    struct world w = world_make();
    struct pki_cert *root = pki_ca("Corp Root", NULL), *inter = pki_ca("Corp Inter", root);
    char path[512], root_path[512];
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/inter.pem", w.folder);
    snprintf(root_path, sizeof(root_path), "%s/ca.pem", w.folder);
    pki_write(path, (const struct pki_cert *[]){inter}, 1, inter->key, 0600);
    pki_write(root_path, (const struct pki_cert *[]){root}, 1, NULL, 0644);
    struct authority *a = authority_load(path, path, PKI_NOW, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    struct mint *mint = mint_new(a, PKI_NOW);
    struct leaf_spec spec;
    leaf_spec_for_host(&spec, "a.test", LEAF_OK, PKI_NOW);
    struct leaf *leaf = mint_leaf(mint, &spec);
    CU_ASSERT_EQUAL(leaf->num_chain, 2);
    CU_ASSERT_EQUAL(openssl_verify(&w, leaf, "a.test"), 0);
    leaf_unref(leaf);
    leaf_spec_cleanup(&spec);
    mint_free(mint);
    authority_free(a);
    pki_free(root);
    pki_free(inter);
    world_end(&w);
}

const struct unit_case unit_cases[] = {
    {"openssl verify -x509_strict accepts", test_strict},
    {"what is in a leaf", test_contents},
    {"defects are refused as such", test_defects},
    {"a server's defect comes through", test_mirror},
    {"RSA keys outlive the process", test_kept_keys},
    {"other CAs", test_other_authorities},
    {NULL, NULL},
};
