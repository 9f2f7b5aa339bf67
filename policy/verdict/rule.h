// The rules: one const table, read top to bottom like a manual.
#ifndef POLICY_VERDICT_RULE_H_
#define POLICY_VERDICT_RULE_H_

#include <stddef.h>

#include "policy/verdict/cause.h"
#include "policy/verdict/predicate.h"

// When in a connection's life a rule's failure happens. What fails first explains what fails later.
enum stage {
    STAGE_FRONT,       // the request to the proxy
    STAGE_DIAL,        // DNS and TCP to the server
    STAGE_HELLO,       // hello sent to the server, nothing chosen yet
    STAGE_ANSWER,      // the server chose
    STAGE_CERTIFICATE, // the server's chain
    STAGE_FINISHED,    // the server's leg between certificate and data
    STAGE_CLIENT,      // the client's reaction to what it was shown
    STAGE_DATA,        // data flowed
    STAGE_FOUND,       // nothing failed, and something was found beside it
    STAGE_END,         // nothing failed
    STAGE_REST,        // something did, and nothing above tells what
};

// A literal is a predicate with the answer that it must give, YES or NO; 0 ends a list. The answer
// is held as a reading remembers it, so that thousands of literals are compared in no time.
typedef uint16_t literal;

#define IS(name) (P_##name * 4 + YES + 1)
#define NOT(name) (P_##name * 4 + NO + 1)

static inline enum predicate literal_predicate(literal asked) {
    return (enum predicate)(asked / 4);
}

// literal_is tells IS from NOT; literal_not makes one of the other.
static inline bool literal_is(literal asked) { return asked % 4 == YES + 1; }
static inline literal literal_not(literal asked) { return asked ^ ((YES + 1) ^ (NO + 1)); }

enum { RULE_NEEDS_MAX = 10, RULE_RAISES_MAX = 3, RULE_LOOK_ALIKES_MAX = 6 };

// struct look_alike is another cause that shows the same face. `speaks` is what would speak for it:
// a NO rules it out. While an `open` one is not ruled out, the verdict is one step less sure.
struct look_alike {
    enum cause cause;
    literal speaks;
    bool open;
};

// struct rule accuses when every literal of `needs` is YES. Each one of `raises` that is YES makes
// the verdict a step surer. `says`, `remedy` (NULL: the cause's) and `next` are templates.
struct rule {
    const char *id;
    enum stage stage;
    enum party party;
    enum cause cause;
    enum confidence confidence;
    literal needs[RULE_NEEDS_MAX], raises[RULE_RAISES_MAX];
    struct look_alike look_alikes[RULE_LOOK_ALIKES_MAX]; // ended by `speaks` 0
    const char *says, *remedy, *next;
};

// rule_list returns the table and sets `*out_num`. The last rule needs nothing.
const struct rule *rule_list(size_t *out_num);

// struct reading remembers the answers about one record, so that each is asked once.
struct reading {
    struct view view;
    enum answer client_left_first, defects_hidden;
    uint8_t answers[PREDICATE_COUNT]; // 0: not asked yet, else the answer plus one
};

void reading_init(struct reading *reading, const struct obj *root);

// reading_ask answers the literal `asked`.
enum answer reading_ask(struct reading *reading, literal asked);

// rule_answer is YES when `rule` fires: all that it needs is YES and, where it is about what came
// before the client was answered, the client was still there.
enum answer rule_answer(struct reading *reading, const struct rule *rule);

// rule_confidence is how sure a rule that fires may be.
enum confidence rule_confidence(struct reading *reading, const struct rule *rule);

// rule_choose returns the rule that tells the first cause in time; among those of one stage the
// surest, then the first of the table.
const struct rule *rule_choose(struct reading *reading);

#endif // POLICY_VERDICT_RULE_H_
