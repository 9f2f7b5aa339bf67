#include "proxy/probe/chain_proof.h"

#include <stdio.h>
#include <string.h>

#include "proxy/session/verification.h"
#include "tests/unit/policy/ca/test_ocsp.h"
#include "tests/unit/policy/ca/test_trust.h"
#include "tests/unit/proxy/probe/echo.h"
#include "tests/unit/unit.h"

enum { ANSWER_MAX = 8192, TOTAL_US = 300000 };

static struct ev_loop *loop;
static struct echo server;
static struct resolver *resolver;
static struct pki_cert *root, *upper, *lower, *leaf, *stranger;
static struct trust *trust;
static struct record *record;
static struct obj *leg;
static struct chain_proof *proof;
static unsigned num_done, num_asked;
static char asked[8][64];

// What the server does with a request: `p` behind a head that says so, or that answer itself.
static struct served {
    const char *path;
    const uint8_t *p;
    size_t len;
    const char *whole;
} served[4];
static uint8_t answer[ANSWER_MAX];

static enum echo_mode choose(void *ctx, const uint8_t *p, size_t p_len) {
    (void)ctx;
    char path[64] = "";
    char text[512];
    snprintf(text, sizeof(text), "%.*s", (int)(p_len < 511 ? p_len : 511), (const char *)p);
    CU_ASSERT_EQUAL(sscanf(text, "GET %63s HTTP/1.0\r\n", path), 1);
    CHECK(num_asked < 8);
    strcpy(asked[num_asked++], path);
    for (size_t i = 0; i < 4; i++) {
        const struct served *s = &served[i];
        if (s->path == NULL || strcmp(s->path, path) != 0) {
            continue;
        }
        int head = s->whole != NULL
                       ? snprintf((char *)answer, sizeof(answer), "%s", s->whole)
                       : snprintf((char *)answer, sizeof(answer),
                                  "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n", s->len);
        if (s->len != 0) {
            memcpy(answer + head, s->p, s->len);
        }
        server.answer = answer;
        server.answer_len = (size_t)head + s->len;
        return ECHO_ANSWER;
    }
    return ECHO_SILENT;
}

static struct pki_cert *ca_at(const char *cn, const struct pki_cert *issuer, const char *path) {
    char url[96];
    snprintf(url, sizeof(url), "caIssuers;URI:http://127.0.0.1:%u%s", server.port, path);
    return pki_make((struct pki_options){.cn = cn,
                                         .issuer = issuer,
                                         .basic_constraints = "critical,CA:TRUE",
                                         .key_usage = "critical,keyCertSign,cRLSign",
                                         .info_access = url});
}

static void begin(void) {
    struct err err;
    char aia[96], points[192];
    loop = ev_loop_new(EVFLAG_AUTO);
    echo_init(&server, loop, ECHO_SILENT);
    server.choose = choose;
    resolver = resolver_new(loop, "127.0.0.1:9", 1000000, &err);
    snprintf(aia, sizeof(aia), "caIssuers;URI:http://127.0.0.1:%u/lower", server.port);
    snprintf(points, sizeof(points),
             "URI:ldap://127.0.0.1/cn=x,URI:http://127.0.0.1:%u/list,"
             "URI:http://127.0.0.1:%u/list2",
             server.port, server.port);
    root = pki_ca("Root", NULL);
    upper = ca_at("Upper CA", root, "/root");
    lower = ca_at("Lower CA", upper, "/upper");
    stranger = pki_ca("Stranger", NULL);
    leaf = pki_make((struct pki_options){.cn = "a.test",
                                         .issuer = lower,
                                         .san = "DNS:a.test",
                                         .info_access = aia,
                                         .crl_points = points});
    trust = trust_in_root(root);
    CHECK(resolver != NULL);
    memset(served, 0, sizeof(served));
    num_done = num_asked = 0;
}

static void end(void) {
    record_free(record);
    trust_free(trust);
    struct pki_cert *all[] = {root, upper, lower, leaf, stranger};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        pki_free(all[i]);
    }
    resolver_free(resolver);
    echo_cleanup(&server);
    ev_loop_destroy(loop);
}

// sent makes the leg of a server that sends `num` of leaf, lower and upper.
static void sent(size_t num) {
    const struct pki_cert *const all[] = {leaf, lower, upper};
    CBS chain[3];
    struct verification v;
    record = record_new();
    leg = obj_sub(record->root, F_RECORD_LEG_SERVER);
    struct obj *facts = obj_add(leg, F_LEG_CHAIN);
    obj_add_str(facts, F_CERT_CRL, "ldap://127.0.0.1/cn=x", 21);
    obj_add_str(facts, F_CERT_CRL, "http://a/", 9);
    for (size_t i = 0; i < num; i++) {
        chain[i] = pki_cbs(all[i]);
        obj_add_bytes(leg, F_LEG_CERTIFICATE_CHAIN, all[i]->der, all[i]->der_len);
    }
    trust_verify(trust, chain, num, "a.test", PKI_NOW, &v);
    verification_record(obj_sub(leg, F_LEG_VERIFICATION), "a.test", &v);
    verification_cleanup(&v);
}

static void on_done(void *ctx) {
    CU_ASSERT_PTR_EQUAL(ctx, &num_done);
    num_done++;
    ev_break(loop, EVBREAK_ONE);
}

static bool start(bool aia, bool crl) {
    const struct chain_proof_config config = {
        .fetcher = {.loop = loop,
                    .resolver = resolver,
                    .fetch = {.total_us = TOTAL_US},
                    .connect_us = TOTAL_US},
        .trust = trust,
        .now = PKI_NOW,
        .aia = aia,
        .crl = crl,
        .on_done = on_done,
        .ctx = &num_done,
    };
    proof = chain_proof_new(&config, leg);
    return proof != NULL;
}

static void run(bool aia, bool crl) {
    CU_ASSERT_TRUE_FATAL(start(aia, crl));
    ev_run(loop, 0);
    CU_ASSERT_EQUAL(num_done, 1);
    CU_ASSERT_EQUAL(chain_proof_num(proof), num_asked);
    chain_proof_free(proof);
}

static const struct obj *verification(void) { return obj_get(leg, F_LEG_VERIFICATION); }

static bool fetch_is(size_t i, const char *what, const char *result) {
    if (i >= obj_num(verification(), F_VERIFICATION_FETCHES)) {
        return false;
    }
    const struct obj *row = obj_at(verification(), F_VERIFICATION_FETCHES, i);
    return obj_str_is(row, F_FETCH_WHAT, what) && obj_str_is(row, F_FETCH_RESULT, result) &&
           obj_has(row, F_FETCH_URL) && obj_has(row, F_FETCH_SAYS);
}

static void serve(size_t i, const char *path, const struct pki_cert *cert) {
    served[i] = (struct served){.path = path, .p = cert->der, .len = cert->der_len};
}

static void test_missing_one(void) {
    begin();
    sent(1);
    serve(0, "/lower", lower);
    serve(1, "/upper", upper);
    run(true, false);
    CU_ASSERT_EQUAL(num_asked, 2);
    CU_ASSERT_TRUE(fetch_is(0, "issuer", "got") && fetch_is(1, "issuer", "got"));
    CU_ASSERT_EQUAL(obj_num(verification(), F_VERIFICATION_COMPLETED_BY), 2);
    CU_ASSERT_TRUE(obj_is(verification(), F_VERIFICATION_COMPLETED_OK, true));
    CU_ASSERT_TRUE(obj_is(verification(), F_VERIFICATION_OK, false)); // as sent, it is not good
    CU_ASSERT_FALSE(obj_has(verification(), F_VERIFICATION_CRL_STATUS));
    end();
}

// bad_issuer asks a server that gives `whole`, or that certificate, and returns the result.
static bool bad_issuer(const char *whole, const struct pki_cert *cert, const char *result) {
    sent(1);
    served[0] = (struct served){.path = "/lower", .whole = whole};
    if (cert != NULL) {
        serve(0, "/lower", cert);
    }
    num_done = num_asked = 0;
    run(true, false);
    bool ok = num_asked == 1 && fetch_is(0, "issuer", result) &&
              obj_num(verification(), F_VERIFICATION_FETCHES) == 1 &&
              !obj_has(verification(), F_VERIFICATION_COMPLETED_OK) &&
              !obj_has(verification(), F_VERIFICATION_COMPLETED_BY);
    record_free(record);
    record = NULL;
    return ok;
}

static void test_bad_servers(void) {
    begin();
    CU_ASSERT_TRUE(
        bad_issuer("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL, "malformed"));
    CU_ASSERT_TRUE(bad_issuer("HTTP/1.0 301 Moved\r\nLocation: /x\r\n\r\n", NULL, "redirected"));
    CU_ASSERT_TRUE(
        bad_issuer("HTTP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n", NULL, "too-long"));
    CU_ASSERT_TRUE(bad_issuer("HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nx", NULL, "slow"));
    CU_ASSERT_TRUE(bad_issuer("\x16\x03\x01", NULL, "not-http"));
    CU_ASSERT_TRUE(bad_issuer(NULL, stranger, "wrong"));
    end();
}

static void serve_list(size_t i, const char *path, const struct crl_options *options,
                       uint8_t **out) {
    size_t len;
    *out = crl_make(options, &len);
    served[i] = (struct served){.path = path, .p = *out, .len = len};
}

static void test_revoked(void) {
    uint8_t *list;
    begin();
    sent(3);
    CU_ASSERT_TRUE(obj_is(verification(), F_VERIFICATION_OK, true));
    serve_list(0, "/list", &(struct crl_options){.issuer = lower, .revoked = {leaf}, .reason = 1},
               &list);
    run(true, true);
    CU_ASSERT_EQUAL(num_asked, 1); // nothing is missing, and the second point is not needed
    CU_ASSERT_TRUE(fetch_is(0, "revocation-list", "got"));
    CU_ASSERT_TRUE(obj_is(verification(), F_VERIFICATION_OK, false));
    CU_ASSERT_TRUE(obj_str_is(verification(), F_VERIFICATION_CRL_STATUS, "revoked"));
    const struct obj *defect = obj_at(verification(), F_VERIFICATION_DEFECTS, 0);
    CU_ASSERT_TRUE(obj_str_is(defect, F_DEFECT_ID, "revoked"));
    CU_ASSERT_TRUE(obj_is(defect, F_DEFECT_FATAL, true) && obj_is(defect, F_DEFECT_DEPTH, 0));
    OPENSSL_free(list);
    end();
}

// The list is believed only as far as its signature goes: the next point is asked, and what that
// says counts. The issuer of the list may itself have been fetched.
static void test_lists(void) {
    uint8_t *forged, *good;
    begin();
    sent(1);
    serve(0, "/lower", lower);
    serve(1, "/upper", upper);
    serve_list(2, "/list",
               &(struct crl_options){.issuer = lower, .signer = stranger, .revoked = {leaf}},
               &forged);
    serve_list(3, "/list2", &(struct crl_options){.issuer = lower}, &good);
    run(true, true);
    CU_ASSERT_EQUAL(num_asked, 4);
    CU_ASSERT_TRUE(fetch_is(2, "revocation-list", "wrong"));
    CU_ASSERT_TRUE(fetch_is(3, "revocation-list", "got"));
    CU_ASSERT_TRUE(obj_str_is(verification(), F_VERIFICATION_CRL_STATUS, "good"));
    for (size_t i = 0; i < obj_num(verification(), F_VERIFICATION_DEFECTS); i++) {
        const struct obj *defect = obj_at(verification(), F_VERIFICATION_DEFECTS, i);
        CU_ASSERT_FALSE(obj_str_is(defect, F_DEFECT_ID, "revoked"));
    }
    OPENSSL_free(forged);
    OPENSSL_free(good);
    end();
}

static void test_no_list(void) {
    begin();
    sent(3);
    served[0] =
        (struct served){.path = "/list", .whole = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nno"};
    served[1] = (struct served){.path = "/list2", .whole = "HTTP/1.0 404 No\r\n\r\n"};
    run(false, true);
    CU_ASSERT_TRUE(fetch_is(0, "revocation-list", "malformed"));
    CU_ASSERT_TRUE(fetch_is(1, "revocation-list", "refused"));
    CU_ASSERT_TRUE(obj_is(verification(), F_VERIFICATION_OK, true));
    CU_ASSERT_FALSE(obj_has(verification(), F_VERIFICATION_CRL_STATUS));
    end();
}

static void test_nothing_to_do(void) {
    begin();
    sent(1);
    CU_ASSERT_FALSE(start(false, false));
    CU_ASSERT_TRUE(chain_proof_wants(leg, true, false));
    CU_ASSERT_TRUE(chain_proof_wants(leg, false, true));
    record_free(record);
    sent(3);
    CU_ASSERT_FALSE(chain_proof_wants(leg, true, false)); // nothing is missing
    CU_ASSERT_FALSE(start(true, false));
    obj_set_str(obj_sub(leg, F_LEG_VERIFICATION), F_VERIFICATION_CRL_STATUS, "good");
    CU_ASSERT_FALSE(chain_proof_wants(leg, true, true)); // a list by file has said it already
    CU_ASSERT_FALSE(chain_proof_wants(NULL, true, true));
    CU_ASSERT_EQUAL(num_asked, 0);
    chain_proof_free(NULL);
    end();
}

static void test_stop(void) {
    begin();
    sent(1);
    CU_ASSERT_TRUE_FATAL(start(true, true));
    chain_proof_stop(proof);
    ev_run(loop, 0);
    CU_ASSERT_EQUAL(num_done, 1);
    CU_ASSERT_TRUE(fetch_is(0, "issuer", "stopped"));
    CU_ASSERT_EQUAL(obj_num(verification(), F_VERIFICATION_FETCHES), 1);
    chain_proof_free(proof);
    end();
}

const struct unit_case unit_cases[] = {
    {"missing intermediates", test_missing_one},
    {"bad servers", test_bad_servers},
    {"revoked", test_revoked},
    {"lists", test_lists},
    {"no list", test_no_list},
    {"nothing to do", test_nothing_to_do},
    {"stop", test_stop},
    {NULL, NULL},
};
