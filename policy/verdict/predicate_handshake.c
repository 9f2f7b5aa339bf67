// What whole handshakes showed, made by the proxy's own library: client certificates, ECH.
#include <string.h>

#include "policy/verdict/predicate_fn.h"

// told answers whether the runs of a probe have WORD in `field`, `word` being "PROBE:WORD". One
// that does not have the field, or is unclear, tells nothing; where they do not agree nobody knows.
static enum answer told(const struct view *view, const char *word, enum field field) {
    size_t name_len = strcspn(word, ":"), num = 0, num_told = 0;
    for (size_t i = 0; i < obj_num(view->root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *run = obj_at(view->root, F_RECORD_EXPERIMENTS, i);
        const char *probe = obj_str(run, F_EXPERIMENT_PROBE), *got = obj_str(run, field);
        bool named =
            probe != NULL && strlen(probe) == name_len && memcmp(probe, word, name_len) == 0;
        if (named && got != NULL && strcmp(got, "unclear") != 0) {
            num++;
            num_told += strcmp(got, word + name_len + 1) == 0;
        }
    }
    if (num == 0 || (num_told != 0 && num_told != num)) {
        return UNKNOWN;
    }
    return answer_from(num_told != 0);
}

ASK(cert_told) { return told(view, row->word, F_EXPERIMENT_CLIENT_CERT); }

ASK(ech_told) { return told(view, row->word, F_EXPERIMENT_ECH); }

ASK(ech_from) { return told(view, row->word, F_EXPERIMENT_ECH_CONFIG); }
