// Client alerts as data: which TLS stack sends which alert for what it holds against a certificate.
#ifndef POLICY_VERDICT_CLIENT_ALERT_H_
#define POLICY_VERDICT_CLIENT_ALERT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/base/buf.h"

enum client_verdict {
#define CLIENT_VERDICT(name, words) CLIENT_VERDICT_##name,
#include "policy/verdict/client_verdicts.inc"
#undef CLIENT_VERDICT
    CLIENT_VERDICT_COUNT
};

enum client_stack {
#define CLIENT_STACK(name, ...) CLIENT_STACK_##name,
#include "policy/verdict/client_alerts.inc"
#undef CLIENT_STACK
    CLIENT_STACK_COUNT
};

// CLIENT_CLOSES stands for an alert where the client leaves without one.
enum { CLIENT_CLOSES = 255 };

// Where what the table says comes from. UNKNOWN: it says nothing.
enum client_source { SOURCE_UNKNOWN, SOURCE_REPORTED, SOURCE_READ, SOURCE_MEASURED };

// struct client_alert is one cell. Both codes are the same where there is only one; where they
// differ, `by_version` says that the first is of TLS 1.2, and either is of TLS 1.3: Java 17.0.15
// has an alert of its own there, 17.0.21 that of TLS 1.2.
struct client_alert {
    enum client_source source;
    uint8_t codes[2];
    bool by_version;
};

// Whether a watcher sees the alert in TLS 1.3.
enum client_clear { CLEAR_UNSEEN, CLEAR_HIDDEN, CLEAR_IN_CLEAR };

const struct client_alert *client_alert(enum client_stack stack, enum client_verdict verdict);
enum client_clear client_clear(enum client_stack stack);
const char *client_stack_name(enum client_stack stack);
const char *client_verdict_words(enum client_verdict verdict);

// client_stack_of returns false where `user_agent`, which may be NULL, does not tell the stack.
bool client_stack_of(enum client_stack *out, const char *user_agent);

// client_alert_reasons appends for what `stack` sends the alert `code`, or CLIENT_CLOSES:
// "expired; issuer expired", or "any objection" where it may come for whatever is known. False and
// nothing where it never does. `tls13` chooses where TLS 1.3 and TLS 1.2 differ.
bool client_alert_reasons(struct buf *out, enum client_stack stack, uint8_t code, bool tls13);

// client_alert_source returns the weakest source of what client_alert_reasons says.
enum client_source client_alert_source(enum client_stack stack, uint8_t code, bool tls13);

// client_source_name returns "measured", "read in its source", "reported".
const char *client_source_name(enum client_source source);

#endif // POLICY_VERDICT_CLIENT_ALERT_H_
