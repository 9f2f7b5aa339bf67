#include "policy/verdict/manual.h"

#include "logs/base/check.h"

#define CHROME(s) [PROGRAM_CHROME] = (s)
#define FIREFOX(s) [PROGRAM_FIREFOX] = (s)
#define CURL(s) [PROGRAM_CURL] = (s)
#define USER(s) [READER_USER] = (s)
#define DEVELOPER(s) [READER_DEVELOPER] = (s)
#define SERVER_ADMIN(s) [READER_SERVER_ADMIN] = (s)
#define BOX_ADMIN(s) [READER_BOX_ADMIN] = (s)
#define PROXY_ADMIN(s) [READER_PROXY_ADMIN] = (s)
#define MANUAL(cause, ...) [CAUSE_##cause] = {__VA_ARGS__},

static const struct manual rows[CAUSE_COUNT] = {
// clang-format off
#include "policy/verdict/manual_certificate.inc"
#include "policy/verdict/manual_negotiation.inc"
#include "policy/verdict/manual_name.inc"
#include "policy/verdict/manual_trust.inc"
#include "policy/verdict/manual_transport.inc"
    // clang-format on
};

static const struct {
    int first; // the catalogue's number
    const char *title;
} sections[] = {
    {0, "No failure, or none known"},
    {1, "The server's certificate"},
    {32, "Negotiation"},
    {62, "Name, identity, policy"},
    {81, "The client's trust, and the proxy itself"},
    {97, "Transport"},
    {118, "What a canary finds"},
    {119, "The server's own troubles"},
};

static const char *const programs[PROGRAM_COUNT] = {"Chrome", "Firefox", "curl"};

static const char *const readers[READER_COUNT] = {"user", "client developer", "server admin",
                                                  "box admin", "this proxy"};

static const char *const tellings[] = {"an experiment", "a suspicion", "other connections",
                                       "the record alone"};

const struct manual *manual_row(enum cause cause) {
    CHECK((unsigned)cause < CAUSE_COUNT);
    return &rows[cause];
}

const char *manual_section(enum cause cause) {
    size_t i = ARRAY_LEN(sections) - 1;
    while (sections[i].first > cause_row(cause)->number) {
        i--;
    }
    return sections[i].title;
}

const char *program_name(enum program program) {
    CHECK((unsigned)program < PROGRAM_COUNT);
    return programs[program];
}

const char *reader_name(enum reader reader) {
    CHECK((unsigned)reader < READER_COUNT);
    return readers[reader];
}

const char *telling_name(enum telling telling) {
    CHECK((unsigned)telling < ARRAY_LEN(tellings));
    return tellings[telling];
}

// surest_of is how sure a rule can become, when all that raises it is there.
static enum confidence surest_of(const struct rule *rule) {
    int sure = (int)rule->confidence;
    for (size_t i = 0; i < RULE_RAISES_MAX && rule->raises[i] != 0; i++) {
        sure++;
    }
    return sure > (int)CONFIDENCE_CERTAIN ? CONFIDENCE_CERTAIN : (enum confidence)sure;
}

// asks returns whether a rule needs experiments.
static bool asks(const struct rule *rule) {
    for (size_t i = 0; i < RULE_NEEDS_MAX && rule->needs[i] != 0; i++) {
        literal need = rule->needs[i];
        const struct predicate_row *row = predicate_row(literal_predicate(need));
        if (row->fields[0] == F_RECORD_EXPERIMENTS) {
            return true;
        }
    }
    return false;
}

static bool needs_history(const struct rule *rule) {
    bool needs = false;
    for (size_t i = 0; i < RULE_NEEDS_MAX && rule->needs[i] != 0; i++) {
        literal asked = rule->needs[i];
        const struct predicate_row *row = predicate_row(literal_predicate(asked));
        needs = needs || field_row((enum field)row->fields[0])->kind == KIND_HISTORY;
    }
    return needs;
}

static void add(struct tellers *out, const struct rule *rule) {
    CHECK(out->num < TELLERS_MAX);
    out->rules[out->num++] = rule;
    if (asks(rule)) {
        return;
    }
    enum confidence sure = surest_of(rule);
    enum telling telling = needs_history(rule) ? TELLS_HISTORY : TELLS_CAUSE;
    bool accuses = rule->party != PARTY_UNDETERMINED && sure >= CONFIDENCE_LIKELY;
    if (out->telling == TELLS_NOTHING) {
        out->telling = TELLS_SUSPICION;
    }
    if (accuses && (out->telling < telling || (out->telling == telling && sure > out->surest))) {
        out->telling = telling;
        out->surest = sure;
    }
}

void manual_tellers(struct tellers *out, enum cause cause) {
    size_t num;
    const struct rule *rules = rule_list(&num);
    *out = (struct tellers){.telling = TELLS_NOTHING};
    for (size_t i = 0; i < num; i++) {
        if (rules[i].cause == cause) {
            add(out, &rules[i]);
        }
    }
}
