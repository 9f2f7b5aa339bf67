#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

ASK(user_agent) {
    const char *agent = obj_str(view->root, F_RECORD_USER_AGENT);
    for (const char *w = row->word; agent != NULL && *w != '\0'; w += strspn(w, " ")) {
        char word[32];
        size_t len = strcspn(w, " ");
        CHECK(len < sizeof(word));
        memcpy(word, w, len);
        word[len] = '\0';
        if (strcasestr(agent, word) != NULL) {
            return YES;
        }
        w += len;
    }
    return agent == NULL ? UNKNOWN : NO;
}

ASK(claim_engine) {
    const char *engine = obj_str(view->claim, F_CLAIM_ENGINE);
    return engine == NULL ? UNKNOWN : answer_from(strcmp(engine, row->word) == 0);
}

ASK(claim_misfit) {
    (void)row;
    int64_t fits;
    return obj_int(view->claim, F_CLAIM_FITS, &fits) ? answer_from(fits == 0) : UNKNOWN;
}

// Whose hello it is was looked up where it did not fit and its JA3 string is known.
ASK(hello_like) {
    if (ask_claim_misfit(view, row) != YES || !obj_has(view->client, F_LEG_JA3_RAW)) {
        return UNKNOWN;
    }
    const char *kind = obj_str(view->claim, F_CLAIM_LIKE_KIND);
    return answer_from(kind != NULL && strstr(row->word, kind) != NULL);
}
