// The catalogue of causes: every id that a verdict can name, whose doing it is, and what to do.
#ifndef POLICY_VERDICT_CAUSE_H_
#define POLICY_VERDICT_CAUSE_H_

#include <stddef.h>

enum party {
    PARTY_NONE,
    PARTY_CLIENT,
    PARTY_SERVER,
    PARTY_BOX_IN_FRONT,
    PARTY_BOX_BEHIND,
    PARTY_NETWORK,
    PARTY_PROXY,
    PARTY_UNDETERMINED,
};

// Ordered: a larger one is surer.
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };

enum cause {
#define CAUSE(number, name, id, party, summary, remedy) CAUSE_##name,
#include "policy/verdict/causes.inc"
#undef CAUSE
    CAUSE_COUNT
};

// struct cause_row is a static that is never freed. `party` is the usual one; `number` is the
// catalogue's, 0 for what is no failure.
struct cause_row {
    const char *id, *summary, *remedy;
    enum party party;
    int number;
};

// cause_row returns the row of `cause < CAUSE_COUNT`.
const struct cause_row *cause_row(enum cause cause);

// cause_find returns the cause with that id, or CAUSE_COUNT.
enum cause cause_find(const char *id);

// party_name and confidence_name return the words of the log: "box-in-front", "likely".
const char *party_name(enum party party);
const char *confidence_name(enum confidence confidence);

#endif // POLICY_VERDICT_CAUSE_H_
