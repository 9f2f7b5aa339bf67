#include <string.h>

#include "policy/verdict/predicate_fn.h"

ASK(user_agent) { return mentions(obj_str(view->root, F_RECORD_USER_AGENT), row->word, " "); }

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
