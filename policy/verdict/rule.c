#include "policy/verdict/rule.h"

#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

// One row of a table; the rest are designated initialisers. OTHER is a look-alike, OPEN one that
// makes the verdict less sure until it is ruled out.
#define RULE(i, when, who, what, sure, ...)                                                        \
    {.id = (i),                                                                                    \
     .stage = STAGE_##when,                                                                        \
     .party = PARTY_##who,                                                                         \
     .cause = CAUSE_##what,                                                                        \
     .confidence = CONFIDENCE_##sure,                                                              \
     __VA_ARGS__},
#define OTHER(name, what)                                                                          \
    { CAUSE_##name, what, false }
#define OPEN(name, what)                                                                           \
    { CAUSE_##name, what, true }

// What was asked goes before what was merely seen; then in the order of a connection's life. The
// last rule stays last.
static const struct rule rules[] = {
// clang-format off
#include "policy/verdict/rules_experiment.inc"
#include "policy/verdict/rules_handshake.inc"
#include "policy/verdict/rules_try.inc"
#include "policy/verdict/rules_end.inc"
#include "policy/verdict/rules_transport.inc"
#include "policy/verdict/rules_negotiation.inc"
#include "policy/verdict/rules_name.inc"
#include "policy/verdict/rules_trace.inc"
#include "policy/verdict/rules_box_front.inc"
#include "policy/verdict/rules_history.inc"
#include "policy/verdict/rules_box_behind.inc"
#include "policy/verdict/rules_clock.inc"
#include "policy/verdict/rules_certificate.inc"
#include "policy/verdict/rules_revocation.inc"
#include "policy/verdict/rules_trust.inc"
#include "policy/verdict/rules_healthy.inc"
    // clang-format on
};

#undef RULE
#undef OTHER
#undef OPEN

const struct rule *rule_list(size_t *out_num) {
    *out_num = ARRAY_LEN(rules);
    return rules;
}

void reading_init(struct reading *reading, const struct obj *root) {
    view_init(&reading->view, root);
    memset(reading->answers, 0, sizeof(reading->answers));
    reading->client_left_first = reading_ask(reading, IS(CLIENT_LEFT_FIRST));
    reading->defects_hidden = reading_ask(reading, IS(DEFECTS_HIDDEN));
}

enum answer reading_ask(struct reading *reading, literal asked) {
    CHECK(asked != 0);
    uint8_t *known = &reading->answers[literal_predicate(asked)];
    if (*known == 0) {
        *known = (uint8_t)(predicate_ask(&reading->view, literal_predicate(asked)) + 1);
    }
    enum answer answer = (enum answer)(*known - 1);
    return literal_is(asked) ? answer : answer_not(answer);
}

static enum answer all_of(struct reading *reading, const literal *literals, size_t max) {
    enum answer all = YES;
    for (size_t i = 0; i < max && literals[i] != 0 && all != NO; i++) {
        all = answer_and(all, reading_ask(reading, literals[i]));
    }
    return all;
}

static bool is_defect(const struct predicate_row *row) {
    return row->fn == ask_defect || row->fn == ask_leaf_untimely || row->fn == ask_issuer_unknown;
}

static bool blames_defect(const struct rule *rule) {
    for (size_t i = 0; i < RULE_NEEDS_MAX && rule->needs[i] != 0; i++) {
        literal need = rule->needs[i];
        if (literal_is(need) && is_defect(predicate_row(literal_predicate(need)))) {
            return true;
        }
    }
    return false;
}

// relevant returns whether what `rule` tells can be why the connection failed: what happened after
// the client had left did not make it leave, nor did a defect that it was not shown. In doubt
// nobody is accused of it.
static enum answer relevant(const struct reading *reading, const struct rule *rule) {
    bool waiting = rule->stage >= STAGE_HELLO && rule->stage <= STAGE_CLIENT;
    if (blames_defect(rule) && reading->defects_hidden != NO) {
        return answer_not(reading->defects_hidden);
    }
    bool accuses = rule->party != PARTY_NONE && rule->party != PARTY_UNDETERMINED;
    if (!waiting || rule->needs[0] == IS(CLIENT_LEFT_FIRST)) {
        return YES;
    }
    enum answer there = answer_not(reading->client_left_first);
    return there == UNKNOWN && !accuses ? YES : there;
}

enum answer rule_answer(struct reading *reading, const struct rule *rule) {
    return answer_and(relevant(reading, rule), all_of(reading, rule->needs, RULE_NEEDS_MAX));
}

enum confidence rule_confidence(struct reading *reading, const struct rule *rule) {
    int confidence = (int)rule->confidence;
    for (size_t i = 0; i < RULE_LOOK_ALIKES_MAX && rule->look_alikes[i].speaks != 0; i++) {
        const struct look_alike *look_alike = &rule->look_alikes[i];
        confidence -= look_alike->open && reading_ask(reading, look_alike->speaks) != NO;
    }
    for (size_t i = 0; i < RULE_RAISES_MAX && rule->raises[i] != 0; i++) {
        confidence += reading_ask(reading, rule->raises[i]) == YES;
    }
    confidence = confidence < (int)CONFIDENCE_POSSIBLE ? (int)CONFIDENCE_POSSIBLE : confidence;
    return confidence > (int)CONFIDENCE_CERTAIN ? CONFIDENCE_CERTAIN : (enum confidence)confidence;
}

// fires is `rule_answer` where only a YES matters: most rules fall at their first literal, and most
// of those by an answer that is known.
static bool fires(struct reading *reading, const struct rule *rule) {
    for (const literal *need = rule->needs; *need != 0; need++) {
        const uint8_t *known = &reading->answers[literal_predicate(*need)];
        if (*known == 0) {
            (void)reading_ask(reading, *need);
        }
        if (*known != *need % 4) {
            return false;
        }
    }
    return relevant(reading, rule) == YES;
}

const struct rule *rule_choose(struct reading *reading) {
    const struct rule *best = NULL;
    enum confidence sure = CONFIDENCE_POSSIBLE;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *rule = &rules[i];
        if ((best != NULL && rule->stage > best->stage) || !fires(reading, rule)) {
            continue;
        }
        enum confidence confidence = rule_confidence(reading, rule);
        if (best == NULL || rule->stage < best->stage || confidence > sure) {
            best = rule;
            sure = confidence;
        }
    }
    CHECK(best != NULL); // the last rule needs nothing
    return best;
}
