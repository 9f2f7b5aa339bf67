#include "policy/verdict/known_name.h"

#include <string.h>
#include <strings.h>

#include "logs/base/check.h"

const char *known_name_public_domain(const char *host) {
    static const struct {
        const char *p;
        size_t len;
    } domains[] = {
#define PUBLIC(domain) {domain, sizeof(domain) - 1},
#include "policy/verdict/public_names.inc"
#undef PUBLIC
    };
    size_t host_len = strlen(host);
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        size_t len = domains[i].len;
        if (host_len < len) {
            continue;
        }
        const char *tail = host + (host_len - len);
        if ((tail == host || tail[-1] == '.') && strcasecmp(tail, domains[i].p) == 0) {
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
