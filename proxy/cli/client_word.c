#include "proxy/cli/client_word.h"

#include <string.h>

#include "logs/record/text.h"
#include "policy/verdict/rule.h"

enum { REASONS_MAX = 512 };

// left_without_word returns whether the client closed or reset at the certificate, or after its
// Finished without ever using the connection.
static bool left_without_word(struct reading *reading) {
    bool left =
        reading_ask(reading, IS(C_CLOSED)) == YES || reading_ask(reading, IS(C_RESET)) == YES;
    bool there = reading_ask(reading, IS(C_AT_CERTIFICATE)) == YES ||
                 reading_ask(reading, IS(C_AT_FINISHED)) == YES;
    return left && there && reading_ask(reading, IS(CLIENT_DATA)) == NO;
}

// code_of sets what the client said, and returns false when it said nothing of a certificate.
static bool code_of(struct client_word *out, struct arena *arena, struct reading *reading) {
    const struct alert_seen *alert = &reading->view.client_alert;
    int64_t code;
    if (alert->obj == NULL) {
        out->code = CLIENT_CLOSES;
        out->says = "It left without an alert once it had the certificate. If that was a refusal, "
                    "these do so:";
        return !alert->doubt && left_without_word(reading);
    }
    if (alert->after < LEG_ANSWER || alert->after > LEG_FINISHED ||
        !obj_int(alert->obj, F_ALERT_CODE, &code) || code < 0 || code >= CLIENT_CLOSES) {
        return false;
    }
    out->code = (uint8_t)code;
    out->says = arena_printf(arena, "%s (%s). If it was about a certificate, these send it:",
                             text_or_empty(arena, alert->obj, F_ALERT_NAME),
                             text_or_empty(arena, alert->obj, F_ALERT_CODE));
    return true;
}

static void add(struct client_word *out, struct arena *arena, const char *name, const char *reasons,
                const char *source) {
    for (size_t i = 0; i < out->num; i++) {
        if (strcmp(out->senders[i].reasons, reasons) == 0 &&
            strcmp(out->senders[i].source, source) == 0) {
            out->senders[i].names = arena_printf(arena, "%s, %s", out->senders[i].names, name);
            return;
        }
    }
    out->senders[out->num].names = name;
    out->senders[out->num].reasons = reasons;
    out->senders[out->num++].source = source;
}

bool client_word_of(struct client_word *out, struct arena *arena, const struct obj *root) {
    struct reading reading;
    int64_t version;
    reading_init(&reading, root);
    *out = (struct client_word){.num = 0};
    if (!code_of(out, arena, &reading)) {
        return false;
    }
    bool tls13 = obj_int(reading.view.down, F_LEG_ANSWER_VERSION, &version) && version >= 0x0304;
    // A watcher cannot have seen what TLS 1.3 hides.
    bool watched = reading.view.mode == MODE_WIRE && tls13 && out->code != CLIENT_CLOSES;
    for (enum client_stack stack = 0; stack < CLIENT_STACK_COUNT; stack++) {
        struct buf reasons;
        buf_init(&reasons, REASONS_MAX);
        if ((!watched || client_clear(stack) != CLEAR_HIDDEN) &&
            client_alert_reasons(&reasons, stack, out->code, tls13)) {
            const char *text =
                arena_printf(arena, "%.*s", (int)reasons.len, (const char *)buf_data(&reasons));
            enum client_source source = client_alert_source(stack, out->code, tls13);
            add(out, arena, client_stack_name(stack), text, client_source_name(source));
        }
        buf_cleanup(&reasons);
    }
    return out->num != 0;
}
