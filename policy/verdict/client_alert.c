#include "policy/verdict/client_alert.h"

#include <string.h>

#include "logs/base/check.h"

#define CLOSES CLIENT_CLOSES
#define NA                                                                                         \
    { SOURCE_UNKNOWN, {0, 0}, false }
#define M(code)                                                                                    \
    { SOURCE_MEASURED, {code, code}, false }
#define T(old, new)                                                                                \
    { SOURCE_MEASURED, {old, new}, true }
#define R(code)                                                                                    \
    { SOURCE_READ, {code, code}, false }
#define R2(one, other)                                                                             \
    { SOURCE_READ, {one, other}, false }
#define G(code)                                                                                    \
    { SOURCE_REPORTED, {code, code}, false }
#define G2(one, other)                                                                             \
    { SOURCE_REPORTED, {one, other}, false }

static const struct {
    const char *name;
    enum client_clear clear;
    struct client_alert alerts[CLIENT_VERDICT_COUNT];
} rows[CLIENT_STACK_COUNT] = {
#define CLIENT_STACK(stack, name, clear, ...)                                                      \
    [CLIENT_STACK_##stack] = {name, CLEAR_##clear, {__VA_ARGS__}},
#include "policy/verdict/client_alerts.inc"
#undef CLIENT_STACK
};

static const char *const verdicts[CLIENT_VERDICT_COUNT] = {
#define CLIENT_VERDICT(verdict, words) [CLIENT_VERDICT_##verdict] = (words),
#include "policy/verdict/client_verdicts.inc"
#undef CLIENT_VERDICT
};

static const char *const sources[] = {"unknown", "reported", "read in its source", "measured"};

static const struct {
    const char *part;
    enum client_stack stack;
} agents[] = {
#define CLIENT_AGENT(part, stack) {part, CLIENT_STACK_##stack},
#include "policy/verdict/client_agents.inc"
#undef CLIENT_AGENT
};

bool client_stack_of(enum client_stack *out, const char *user_agent) {
    for (size_t i = 0; user_agent != NULL && i < ARRAY_LEN(agents); i++) {
        if (strcasestr(user_agent, agents[i].part) != NULL) {
            *out = agents[i].stack;
            return true;
        }
    }
    return false;
}

const struct client_alert *client_alert(enum client_stack stack, enum client_verdict verdict) {
    CHECK((unsigned)stack < CLIENT_STACK_COUNT && (unsigned)verdict < CLIENT_VERDICT_COUNT);
    return &rows[stack].alerts[verdict];
}

enum client_clear client_clear(enum client_stack stack) {
    CHECK((unsigned)stack < CLIENT_STACK_COUNT);
    return rows[stack].clear;
}

const char *client_stack_name(enum client_stack stack) {
    CHECK((unsigned)stack < CLIENT_STACK_COUNT);
    return rows[stack].name;
}

const char *client_verdict_words(enum client_verdict verdict) {
    CHECK((unsigned)verdict < CLIENT_VERDICT_COUNT);
    return verdicts[verdict];
}

const char *client_source_name(enum client_source source) {
    CHECK((unsigned)source < ARRAY_LEN(sources));
    return sources[source];
}

static bool sends(const struct client_alert *alert, uint8_t code, bool tls13) {
    if (alert->source == SOURCE_UNKNOWN) {
        return false;
    }
    bool second = tls13 || !alert->by_version;
    return alert->codes[0] == code || (second && alert->codes[1] == code);
}

// sends_always returns whether `code` may come for all that is known of `stack`.
static bool sends_always(enum client_stack stack, uint8_t code, bool tls13) {
    for (enum client_verdict i = 0; i < CLIENT_VERDICT_COUNT; i++) {
        const struct client_alert *alert = client_alert(stack, i);
        if (alert->source != SOURCE_UNKNOWN && !sends(alert, code, tls13)) {
            return false;
        }
    }
    return true;
}

bool client_alert_reasons(struct buf *out, enum client_stack stack, uint8_t code, bool tls13) {
    if (sends_always(stack, code, tls13)) {
        buf_printf(out, "any objection");
        return true;
    }
    const char *semicolon = "";
    for (enum client_verdict i = 0; i < CLIENT_VERDICT_COUNT; i++) {
        if (sends(client_alert(stack, i), code, tls13)) {
            buf_printf(out, "%s%s", semicolon, verdicts[i]);
            semicolon = "; ";
        }
    }
    return *semicolon != '\0';
}

enum client_source client_alert_source(enum client_stack stack, uint8_t code, bool tls13) {
    enum client_source weakest = SOURCE_UNKNOWN;
    for (enum client_verdict i = 0; i < CLIENT_VERDICT_COUNT; i++) {
        const struct client_alert *alert = client_alert(stack, i);
        if (sends(alert, code, tls13) && (weakest == SOURCE_UNKNOWN || alert->source < weakest)) {
            weakest = alert->source;
        }
    }
    return weakest;
}
