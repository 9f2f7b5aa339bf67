#include "proxy/cli/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool target_parse(struct target *out, const char *text, struct err *err) {
    const char *colon = strrchr(text, ':');
    char *end;
    unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, &end, 10);
    bool digits = colon != NULL && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
    const char *host = text + bracketed;
    len -= bracketed ? 2 : 0;
    if (!digits || port == 0 || port > UINT16_MAX || len == 0 || len >= sizeof(out->host) ||
        bracketed != (memchr(host, ':', len) != NULL) || strcspn(host, "[] \t/@") < len) {
        return err_set(
            err, "expected HOST:PORT, such as example.org:443 or [::1]:443, found \"%s\"", text);
    }
    snprintf(out->host, sizeof(out->host), "%.*s", (int)len, host);
    out->port = (uint16_t)port;
    return true;
}
