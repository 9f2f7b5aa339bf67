#include "policy/verdict/browser.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "logs/base/check.h"
#include "tests/unit/policy/verdict/case.h"
#include "tests/unit/unit.h"

// Hellos in lines of case.h; measured where a version of today is named.
#define CHROME                                                                                     \
    "c.offer.versions 0x2a2a,TLS 1.3,TLS 1.2;"                                                     \
    "c.offer.ciphers 0x1a1a,0x1301,0x1302,0x1303,0xc02b,0xc02f,0xc02c,0xc030,0xcca9,0xcca8,"       \
    "0xc013,0xc014,0x009c,0x009d,0x002f,0x0035;"                                                   \
    "c.offer.extensions 0x3a3a,0xca34,0xff01,0xfe0d,0x000d,0x000b,0x0000,0x0012,0x0005,0x0033,"    \
    "0x002b,0x000a,0x0023,0x001b,0x44cd,0x0017,0x002d,0x0010;"                                     \
    "c.offer.groups 0x4a4a,0x11ec,0x001d,0x0017,0x0018; c.offer.ec_point_formats 0x0000;"          \
    "c.offer.compression_methods 0x0000;"
#define FIREFOX                                                                                    \
    "c.offer.versions TLS 1.3,TLS 1.2;"                                                            \
    "c.offer.ciphers 0x1301,0x1303,0x1302,0xc02b,0xc02f,0xcca9,0xcca8,0xc02c,0xc030,0xc00a,"       \
    "0xc013,0xc014,0x009c,0x009d,0x002f,0x0035;"                                                   \
    "c.offer.extensions 0x0000,0x0017,0xff01,0x000a,0x000b,0x0023,0x0010,0x0005,0x0022,0x0012,"    \
    "0x0033,0x002b,0x000d,0x002d,0x001c,0x001b,0xfe0d;"                                            \
    "c.offer.groups 0x11ec,0x001d,0x0017,0x0018,0x0019,0x0100,0x0101;"                             \
    "c.offer.ec_point_formats 0x0000; c.offer.compression_methods 0x0000;"
#define OPENSSL                                                                                    \
    "c.offer.versions TLS 1.3,TLS 1.2;"                                                            \
    "c.offer.ciphers 0x1302,0x1303,0x1301,0xc02c,0xc030,0x009f,0xcca9,0xcca8,0xccaa,0xc02b,"       \
    "0xc02f,0x009e,0xc024,0xc028,0x006b,0xc023,0xc027,0x0067,0xc00a,0xc014,0x0039,0xc009,0xc013,"  \
    "0x0033,0x009d,0x009c,0x003d,0x003c,0x0035,0x002f,0x00ff;"                                     \
    "c.offer.extensions 0x0000,0x000b,0x000a,0x0010,0x0016,0x0017,0x0031,0x000d,0x002b,0x002d,"    \
    "0x0033; c.offer.groups 0x001d,0x0017,0x001e,0x0019,0x0018;"                                   \
    "c.offer.ec_point_formats 0x0000,0x0001,0x0002; c.offer.compression_methods 0x0000;"           \
    "c.tls.client.ja3_string 771,4866-4867-4865-49196-49200-159-52393-52392-52394-49195-49199-"    \
    "158-49188-49192-107-49187-49191-103-49162-49172-57-49161-49171-51-157-156-61-60-53-47-255,"   \
    "0-11-10-16-22-23-49-13-43-45-51-21,29-23-30-25-24-256-257-258-259-260,0-1-2;"
#define IE_11                                                                                      \
    "c.offer.versions TLS 1.2,TLS 1.1,TLS 1.0;"                                                    \
    "c.offer.ciphers 0xc028,0xc027,0xc014,0xc013,0x009f,0x009e,0x009d,0x009c,0x003d,0x003c,"       \
    "0x0035,0x002f,0xc02c,0xc02b,0xc024,0xc023,0xc00a,0xc009,0x006a,0x0040,0x0038,0x0032,0x000a,"  \
    "0x0013,0x0005,0x0004; c.offer.extensions 0x0000,0x0005,0x000a,0x000b,0x000d,0x0017,0xff01;"   \
    "c.offer.groups 0x0017,0x0018; c.offer.ec_point_formats 0x0000;"                               \
    "c.offer.compression_methods 0x0000;"
#define SAFARI_8                                                                                   \
    "c.offer.versions TLS 1.2,TLS 1.1,TLS 1.0;"                                                    \
    "c.offer.ciphers 0x00ff,0xc024,0xc023,0xc00a,0xc009,0xc008,0xc028,0xc027,0xc014,0xc013,"       \
    "0xc012,0xc026,0xc025,0x006b,0x0067,0x0039,0x0033,0x0016,0x003d,0x003c,0x0035,0x002f,0x000a;"  \
    "c.offer.extensions 0x0000,0x000a,0x000b,0x000d,0x3374; c.offer.groups 0x0017,0x0018,0x0019;"  \
    "c.offer.ec_point_formats 0x0000; c.offer.compression_methods 0x0000;"
#define SAFARI_17                                                                                  \
    "c.offer.versions 0x2a2a,TLS 1.3,TLS 1.2,TLS 1.1,TLS 1.0;"                                     \
    "c.offer.ciphers 0x1a1a,0x1301,0x1302,0x1303,0xc02c,0xc02b,0xcca9,0xc030,0xc02f,0xcca8,"       \
    "0xc00a,0xc009,0xc014,0xc013,0x009d,0x009c,0x0035,0x002f,0xc008,0xc012,0x000a;"                \
    "c.offer.extensions 0x3a3a,0x0000,0x0017,0xff01,0x000a,0x000b,0x0010,0x0005,0x000d,0x0012,"    \
    "0x0033,0x002d,0x002b,0x001b,0x0015; c.offer.groups 0x4a4a,0x001d,0x0017,0x0018,0x0019;"       \
    "c.offer.ec_point_formats 0x0000; c.offer.compression_methods 0x0000;"
// A box of 2016 that took over the suites of Firefox 45, on OpenSSL
#define ANTIVIRUS                                                                                  \
    "c.offer.versions TLS 1.2,TLS 1.1,TLS 1.0;"                                                    \
    "c.offer.ciphers 0xc02b,0xc02f,0xc00a,0xc009,0xc013,0xc014,0x0033,0x0039,0x002f,0x0035,"       \
    "0x000a,0x00ff; c.offer.extensions 0x0000,0x000b,0x000a,0x0023,0x000d,0x0005,0x000f,0x0010;"   \
    "c.offer.groups 0x0017,0x0019,0x001c,0x001b,0x0018,0x001a; c.offer.compression_methods "       \
    "0x0000;"                                                                                      \
    "c.offer.ec_point_formats 0x0000,0x0001,0x0002;"                                               \
    "c.tls.client.ja3_string 771,49195-49199-49162-49161-49171-49172-51-57-47-53-10-255,"          \
    "0-11-10-35-13-5-15-16,23-25-28-27-24-26-22-14-13-11-12-9-10,0-1-2;"

enum fits { NOTHING, MISFIT, FITS, DOUBT };

static const struct {
    const char *claim, *lines;
    enum fits fits;
    const char *like;
} cases[] = {
    {"Chrome 156", CHROME, FITS, NULL},
    {"Chrome 131", CHROME, FITS, NULL},
    {"Opera 110", CHROME, FITS, NULL},
    {"Edge 140", CHROME, FITS, NULL},
    {"Firefox 153", FIREFOX, FITS, NULL},
    {"ie11", IE_11, FITS, NULL},
    {"Safari 8", SAFARI_8, FITS, NULL},
    {"Safari", SAFARI_8, FITS, NULL},
    {"Safari 17", SAFARI_17, FITS, NULL},
    {"Safari 26", SAFARI_17, FITS, NULL},
    {"Chrome 131", SAFARI_17, MISFIT, "Safari"},
    {"Safari 17", CHROME, MISFIT, "Chromium"},
    // One for another
    {"Firefox 153", CHROME, MISFIT, "Chromium"},
    {"Chrome 156", FIREFOX, MISFIT, "Firefox"},
    {"Chrome 131", OPENSSL, MISFIT, "OpenSSL"},
    {"Firefox 131", OPENSSL, MISFIT, "OpenSSL"},
    {"Safari 17", OPENSSL, MISFIT, "OpenSSL"},
    {"Chrome 48", IE_11, MISFIT, NULL},
    {"Firefox 45", ANTIVIRUS, MISFIT, "Kaspersky"},
    {"Chrome 48", ANTIVIRUS, MISFIT, "Kaspersky"},
    {"ie11", ANTIVIRUS, MISFIT, "Kaspersky"},
    {"Go-http-client/1.1", CHROME, MISFIT, "Chromium"},
    {"Java/17.0.2", ANTIVIRUS, MISFIT, "Kaspersky"},
    // A program on OpenSSL is what it says, whatever it is
    {"Python-urllib/3.11", OPENSSL, FITS, NULL},
    {"curl/8.5.0", OPENSSL, NOTHING, NULL},
    {"curl/8.5.0", ANTIVIRUS, NOTHING, NULL},
    // Settings of the browser or of a company's policy contradict nothing, however many
    {"Chrome 140", CHROME "c.offer.groups 0x4a4a,0x001d,0x0017,0x0018", DOUBT, NULL},
    {"Chrome 140",
     CHROME "c.offer.versions 0x2a2a,TLS 1.2; c.offer.groups 0x4a4a,0x001d,0x0017;"
            "c.offer.extensions 0xff01,0x000d,0x000b,0x0000,0x0012,0x0005,0x000a,0x0023,0x0017,"
            "0x0010",
     DOUBT, NULL},
    {"Firefox 140",
     FIREFOX "c.offer.groups 0x001d,0x0017,0x0018,0x0019,0x0100,0x0101; c.offer.extensions "
             "0x0000,0x0017,0xff01,0x000a,0x000b,0x0010,0x0012,0x0033,0x002b,0x000d,0x002d,0x001c",
     DOUBT, NULL},
    // A connection of Chrome that is no web request has no ALPN
    {"Chrome 140",
     CHROME "c.offer.extensions 0x3a3a,0xff01,0xfe0d,0x000d,0x000b,0x0000,0x0012,0x0005,0x0033,"
            "0x002b,0x000a,0x0023,0x001b,0x0017,0x002d",
     DOUBT, NULL},
    // Two such things do
    {"Chrome 140",
     CHROME "c.offer.extensions 0x3a3a,0xff01,0xfe0d,0x000d,0x000b,0x0000,0x0033,0x002b,0x000a,"
            "0x0023,0x001b,0x0017,0x002d",
     MISFIT, NULL},
    {"Chrome 156", CHROME "c.offer.ciphers 0x1301,0x1302,0x1303,0xc02b,0xc02f,0xc013", MISFIT,
     NULL},
    {"Firefox 153", FIREFOX "c.offer.sslv2_format true", MISFIT, NULL},
    // Code points that a later version may bring
    {"Chrome 300", CHROME "c.offer.groups 0x4a4a,0x11ec,0x001d,0x0017,0x2222", FITS, NULL},
    {"Firefox 300", FIREFOX "c.offer.ciphers 0x1301,0x1399,0xc013,0xc02f", FITS, NULL},
    // Nothing seen, nothing said
    {"Chrome 156", "-c.offer.ciphers", NOTHING, NULL},
    {"Chrome 156", CHROME "-c.offer.versions", NOTHING, NULL},
};

static enum fits fits_of(const struct obj *root) {
    const struct obj *claim = obj_get(root, F_RECORD_CLAIM);
    int64_t fits;
    if (claim == NULL) {
        return NOTHING;
    }
    return !obj_int(claim, F_CLAIM_FITS, &fits) ? DOUBT : fits != 0 ? FITS : MISFIT;
}

static void test_cases(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record *record = case_record(BASE_request, cases[i].lines);
        obj_set_str(record->root, F_RECORD_USER_AGENT, cases[i].claim);
        browser_judge(record->root);
        const struct obj *claim = obj_get(record->root, F_RECORD_CLAIM);
        const char *like = obj_str(claim, F_CLAIM_LIKE);
        bool ok = fits_of(record->root) == cases[i].fits &&
                  (like == NULL ? cases[i].like == NULL
                                : cases[i].like != NULL && strcmp(like, cases[i].like) == 0);
        CU_ASSERT(ok);
        if (!ok) {
            printf("\n  case %zu, %s: %d %s", i, cases[i].claim, (int)fits_of(record->root),
                   like != NULL ? like : "");
            for (size_t m = 0; m < obj_num(claim, F_CLAIM_MISFITS); m++) {
                const struct obj *misfit = obj_at(claim, F_CLAIM_MISFITS, m);
                printf("\n    %s %s", obj_str(misfit, F_MISFIT_VALUE),
                       obj_str(misfit, F_MISFIT_SAYS));
            }
        }
        record_free(record);
    }
}

// A misfit tells the field, the items and why.
static void test_misfit(void) {
    struct record *record =
        case_record(BASE_request, IE_11 "c.offer.ec_point_formats 0x0000,0x0001");
    obj_set_str(record->root, F_RECORD_USER_AGENT, "ie11");
    browser_judge(record->root);
    const struct obj *claim = obj_get(record->root, F_RECORD_CLAIM);
    CU_ASSERT(obj_str_is(claim, F_CLAIM_CLIENT, "Internet Explorer 11"));
    CU_ASSERT_EQUAL_FATAL(obj_num(claim, F_CLAIM_MISFITS), 1);
    const struct obj *misfit = obj_at(claim, F_CLAIM_MISFITS, 0);
    CU_ASSERT(obj_str_is(misfit, F_MISFIT_FIELD, "offer.ec_point_formats"));
    CU_ASSERT(obj_str_is(misfit, F_MISFIT_VALUE, "ansiX962_compressed_prime"));
    CU_ASSERT(
        obj_str_is(misfit, F_MISFIT_SAYS, "Internet Explorer 11 offers uncompressed points only."));
    // Judged again, it says the same once.
    browser_judge(record->root);
    CU_ASSERT_EQUAL(obj_num(obj_get(record->root, F_RECORD_CLAIM), F_CLAIM_MISFITS), 1);
    record_free(record);
}

static void test_cost(void) {
    enum { ROUNDS = 500 };
    static const char *const hellos[] = {CHROME, ANTIVIRUS};
    for (size_t i = 0; i < ARRAY_LEN(hellos); i++) {
        clock_t spent = 0;
        for (int round = 0; round < ROUNDS; round++) {
            struct record *record = case_record(BASE_request, hellos[i]);
            obj_set_str(record->root, F_RECORD_USER_AGENT,
                        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                        "Gecko) Chrome/156.0.0.0 Safari/537.36");
            clock_t begin = clock();
            browser_judge(record->root);
            spent += clock() - begin;
            record_free(record);
        }
        double us = (double)spent * 1e6 / CLOCKS_PER_SEC / ROUNDS;
        printf("\n  a claim costs %.1f us", us);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
        CU_ASSERT(us < 50); // what a verdict may cost
#endif
    }
}

const struct unit_case unit_cases[] = {
    {"cases", test_cases},
    {"misfit", test_misfit},
    {"cost", test_cost},
    {NULL, NULL},
};
