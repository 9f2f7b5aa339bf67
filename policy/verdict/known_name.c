#include "policy/verdict/known_name.h"

#include <string.h>
#include <strings.h>

#include "logs/base/check.h"

const char *known_name_public_domain(const char *host) {
    static const char *const domains[] = {
#define PUBLIC(domain) domain,
#include "policy/verdict/public_names.inc"
#undef PUBLIC
    };
    size_t host_len = strlen(host);
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        size_t len = strlen(domains[i]);
        const char *tail = host + (host_len >= len ? host_len - len : 0);
        if (strcasecmp(tail, domains[i]) == 0 && (tail == host || tail[-1] == '.')) {
            return tail;
        }
    }
    return NULL;
}

const char *known_name_inspector(const char *issuer) {
    static const struct {
        const char *part, *product;
    } inspectors[] = {
#define INSPECTOR(part, product) {part, product},
#include "policy/verdict/inspectors.inc"
#undef INSPECTOR
    };
    for (size_t i = 0; i < ARRAY_LEN(inspectors); i++) {
        if (strcasestr(issuer, inspectors[i].part) != NULL) {
            return inspectors[i].product;
        }
    }
    return NULL;
}
