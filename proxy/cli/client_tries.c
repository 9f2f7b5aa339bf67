#include "proxy/cli/client_tries.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"

static const char *const words[] = {"tunnel", "leaf", "canary"};

static const char *const forms[] = {
#define LEAF_FORM(name, word, says) word,
#include "logs/record/leaf_forms.inc"
#undef LEAF_FORM
};

bool client_tries_parse(char out[CLIENT_TRIES_MAX], const char *text, struct err *err) {
    bool on[ARRAY_LEN(words)] = {false};
    char list[CLIENT_TRIES_MAX] = "";
    const char *at = text;
    do {
        size_t i = 0, len = strcspn(at, ",");
        while (i < ARRAY_LEN(words) &&
               (strlen(words[i]) != len || memcmp(words[i], at, len) != 0)) {
            i++;
        }
        if (i == ARRAY_LEN(words)) {
            return err_set(err, "--client-experiments takes tunnel, leaf and canary, not \"%.*s\"",
                           (int)(len < 40 ? len : 40), at);
        }
        on[i] = true;
        at += len;
    } while (*at++ == ',');
    for (size_t i = 0; on[1] && i < ARRAY_LEN(forms); i++) {
        size_t len = strlen(list);
        snprintf(list + len, sizeof(list) - len, "%s\"%s\"", i == 0 ? "" : ", ", forms[i]);
    }
    int len = snprintf(out, CLIENT_TRIES_MAX,
                       "{\"client_leg\": {\"retry_tunnel\": %s, \"retry_leaf\": [%s], "
                       "\"canary\": %s}}",
                       on[0] ? "true" : "false", list, on[2] ? "true" : "false");
    CHECK(len > 0 && len < CLIENT_TRIES_MAX);
    return true;
}
