#include "policy/verdict/claim.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "tests/unit/unit.h"

#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define IPHONE "Mozilla/5.0 (iPhone; CPU iPhone OS 15_2 like Mac OS X) AppleWebKit/605.1.15 "

static const struct {
    const char *text, *name;
    enum claim_family family;
    int min, max;
} cases[] = {
    {WINDOWS WEBKIT "Chrome/131.0.0.0 Safari/537.36", "Chrome 131", CLAIM_CHROMIUM, 131, 131},
    {"Mozilla/5.0 (X11; Linux x86_64) " WEBKIT "HeadlessChrome/156.0.0.0 Safari/537.36",
     "Chrome 156", CLAIM_CHROMIUM, 156, 156},
    {WINDOWS WEBKIT "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "Edge on Chromium 131",
     CLAIM_CHROMIUM, 131, 131},
    {WINDOWS WEBKIT "Chrome/95.0.4638.54 Safari/537.36 OPR/81.0.4196.31", "Opera on Chromium 95",
     CLAIM_CHROMIUM, 95, 95},
    {WINDOWS WEBKIT "Chrome/64.0.3282.140 Safari/537.36 Edge/17.17134", "Edge 17", CLAIM_SCHANNEL,
     17, 17},
    {"Mozilla/5.0 (Linux; Android 14; Pixel 8) " WEBKIT "Chrome/131.0.0.0 Mobile Safari/537.36",
     "Chrome 131", CLAIM_CHROMIUM, 131, 131},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox 153",
     CLAIM_FIREFOX, 153, 153},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/17.4 Safari/605.1.15",
     "Safari 17", CLAIM_SAFARI, 17, 17},
    {IPHONE "(KHTML, like Gecko) Version/15.2 Mobile/15E148 Safari/604.1", "Safari 15",
     CLAIM_SAFARI, 15, 15},
    {IPHONE "(KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1",
     "Chrome for iOS on iOS 15", CLAIM_SAFARI, 15, 15},
    {"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11",
     CLAIM_SCHANNEL, 11, 11},
    {"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/6.0)", "Internet Explorer 10",
     CLAIM_SCHANNEL, 10, 10},
    {"Go-http-client/1.1", "Go 1", CLAIM_GO, 1, 1},
    {"Java/17.0.15", "Java 17", CLAIM_JAVA, 17, 17},
    {"Python-urllib/3.11", "Python", CLAIM_PYTHON, 0, CLAIM_VERSION_MAX},
    // As people write it
    {"chrome-48", "Chrome 48", CLAIM_CHROMIUM, 48, 48},
    {"Chrome 20.0", "Chrome 20", CLAIM_CHROMIUM, 20, 20},
    {"Mobile Safari 9", "Safari 9", CLAIM_SAFARI, 9, 9},
    {"MSIE 10", "Internet Explorer 10", CLAIM_SCHANNEL, 10, 10},
    {"ie11", "Internet Explorer 11", CLAIM_SCHANNEL, 11, 11},
    {"safari-9.1", "Safari 9", CLAIM_SAFARI, 9, 9},
    {"Safari", "Safari", CLAIM_SAFARI, 0, CLAIM_VERSION_MAX},
    {"edge 15", "Edge 15", CLAIM_SCHANNEL, 15, 15},
    {"Edge 131", "Edge 131", CLAIM_CHROMIUM, 131, 131},
    {"Opera 25", "Opera 25", CLAIM_CHROMIUM, 37, 40},
};

static void test_known(void) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct claim claim;
        bool ok = claim_read(&claim, cases[i].text) && strcmp(claim.name, cases[i].name) == 0 &&
                  claim.family == cases[i].family && claim.min == cases[i].min &&
                  claim.max == cases[i].max;
        CU_ASSERT(ok);
        if (!ok) {
            printf("\n  %s: %s %d-%d", cases[i].text, claim.name, claim.min, claim.max);
        }
    }
}

// What anybody may say, or says of itself without being it, is nobody in particular.
static void test_unknown(void) {
    static const char *const texts[] = {
        "",
        "Mozilla/5.0",
        "curl/8.5.0",
        "node",
        "okhttp/4.12.0",
        "Wget/1.21.3",
        "Apache-HttpClient/4.5",
        "Mozilla/5.0 (compatible; Googlebot/2.1) Chrome/131.0.0.0 Safari/537.36",
        WINDOWS WEBKIT "myapp/1.0 Chrome/120.0.0.0 Electron/28.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 4.0.4) AppleWebKit/534.30 Version/4.0 Mobile Safari/534.30",
        "Mozilla/5.0 (Linux; Android 4.2) " WEBKIT "Chrome/30.0.1599.92 Mobile Safari/537.36",
        "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/534 Version/5.1.7 Safari/534.57.2",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15",
        "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16",
        WINDOWS WEBKIT "Chrome/ Safari/537.36",
        WINDOWS WEBKIT "Chrome/99999999999999999999 Safari/537.36",
        "Opera 12.15",
        "Android",
        "Edge",
        "chrome forty",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct claim claim;
        bool known = claim_read(&claim, texts[i]);
        CU_ASSERT_FALSE(known);
        if (known) {
            printf("\n  %s: %s", texts[i], claim.name);
        }
    }
}

const struct unit_case unit_cases[] = {
    {"known", test_known},
    {"unknown", test_unknown},
    {NULL, NULL},
};
