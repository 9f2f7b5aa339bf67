// Who a client says it is: the browser, or the TLS library, that its User-Agent names.
#ifndef POLICY_VERDICT_CLAIM_H_
#define POLICY_VERDICT_CLAIM_H_

#include <stdbool.h>
#include <stddef.h>

// What shares a TLS library, and so a hello.
enum claim_family {
    CLAIM_NONE,
    CLAIM_CHROMIUM,
    CLAIM_FIREFOX,
    CLAIM_SAFARI,   // the system's TLS of macOS and iOS
    CLAIM_SCHANNEL, // Internet Explorer, and Edge up to 18: the system's TLS of Windows
    CLAIM_GO,
    CLAIM_JAVA,
    CLAIM_PYTHON,
};

enum { CLAIM_VERSION_MAX = 9999, CLAIM_NAME_MAX = 48 };

// struct claim: the version lies between `min` and `max`; both ends are told where it is not known.
struct claim {
    enum claim_family family;
    int min, max;
    char name[CLAIM_NAME_MAX]; // "Chrome 156"
};

// claim_read reads `text`, a User-Agent or a browser and its version as people write them: "Chrome
// 48", "firefox-45", "ie11". It returns false for what no client is known by, and for those whose
// hello may be anybody's.
bool claim_read(struct claim *out, const char *text);

// claim_engine returns the word of the log: "chromium".
const char *claim_engine(enum claim_family family);

#endif // POLICY_VERDICT_CLAIM_H_
