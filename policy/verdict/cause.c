#include "policy/verdict/cause.h"

#include <string.h>

#include "logs/base/check.h"

static const struct cause_row rows[CAUSE_COUNT] = {
#define CAUSE(n, name, i, p, s, r)                                                                 \
    [CAUSE_##name] = {.id = (i), .summary = (s), .remedy = (r), .party = PARTY_##p, .number = (n)},
#include "policy/verdict/causes.inc"
#undef CAUSE
};

static const char *const parties[] = {
    [PARTY_NONE] = "none",
    [PARTY_CLIENT] = "client",
    [PARTY_SERVER] = "server",
    [PARTY_BOX_IN_FRONT] = "box-in-front",
    [PARTY_BOX_BEHIND] = "box-behind",
    [PARTY_NETWORK] = "network",
    [PARTY_PROXY] = "proxy",
    [PARTY_UNDETERMINED] = "undetermined",
};

static const char *const confidences[] = {"possible", "likely", "certain"};

const struct cause_row *cause_row(enum cause cause) {
    CHECK((unsigned)cause < CAUSE_COUNT);
    return &rows[cause];
}

enum cause cause_find(const char *id) {
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        if (strcmp(rows[cause].id, id) == 0) {
            return cause;
        }
    }
    return CAUSE_COUNT;
}

const char *party_name(enum party party) {
    CHECK((unsigned)party < ARRAY_LEN(parties));
    return parties[party];
}

const char *confidence_name(enum confidence confidence) {
    CHECK((unsigned)confidence < ARRAY_LEN(confidences));
    return confidences[confidence];
}
