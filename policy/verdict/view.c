#include "policy/verdict/view.h"

#include <string.h>

#include "logs/base/check.h"

enum { ALERT_CLOSE_NOTIFY = 0 };

struct word {
    const char *word;
    int value;
};

// clang-format off
static const struct word modes[] = {
    {"intercept", MODE_INTERCEPT}, {"tunnel", MODE_WIRE},  {"import", MODE_WIRE},
    {"plain",     MODE_PLAIN},     {"probe",  MODE_PROBE}, {NULL,     MODE_UNKNOWN},
};

static const struct word ends[] = {
    {"dns",         LEG_DNS},         {"connect",  LEG_CONNECT},  {"front", LEG_FRONT},
    {"hello",       LEG_HELLO},       {"answer",   LEG_ANSWER},
    {"certificate", LEG_CERTIFICATE}, {"finished", LEG_FINISHED}, {"data",  LEG_DATA},
    {NULL,          LEG_UNKNOWN},
};

static const struct word afters[] = {
    {"connect",      LEG_CONNECT}, {"client_hello", LEG_HELLO},
    {"server_hello", LEG_ANSWER},  {"certificate",  LEG_CERTIFICATE},
    {"finished",     LEG_FINISHED}, {"data",        LEG_DATA},
    {NULL,           LEG_UNKNOWN},
};
// clang-format on

static int word_find(const struct word *words, const char *word) {
    while (words->word != NULL && (word == NULL || strcmp(words->word, word) != 0)) {
        words++;
    }
    return words->value;
}

static bool positive(const struct obj *leg, enum field field) {
    int64_t i;
    return obj_int(leg, field, &i) && i > 0;
}

// leg_last returns the last step of which `leg` holds something that only exists once the step was
// reached. Where the leg ended says the same.
static enum leg_step leg_last(const struct obj *leg) {
    static const struct {
        enum field field;
        enum leg_step step;
    } traces[] = {
        {F_LEG_MS_FIRST_DATA, LEG_DATA},
        {F_LEG_MS_FINISHED, LEG_FINISHED},
        {F_LEG_CHAIN, LEG_CERTIFICATE},
        {F_LEG_CERTIFICATE_CHAIN, LEG_CERTIFICATE},
        {F_LEG_MS_CERTIFICATE, LEG_CERTIFICATE},
        {F_LEG_ANSWER_VERSION, LEG_ANSWER},
        {F_LEG_ANSWER_EXTENSIONS, LEG_ANSWER},
        {F_LEG_MS_ANSWER, LEG_ANSWER},
        {F_LEG_MS_HELLO, LEG_HELLO},
        {F_LEG_OFFER_CIPHERS, LEG_HELLO},
        {F_LEG_OFFER_RAW, LEG_HELLO},
    };
    if (positive(leg, F_LEG_DATA_RECEIVED) || positive(leg, F_LEG_DATA_SENT)) {
        return LEG_DATA;
    }
    enum leg_step step = (enum leg_step)word_find(ends, obj_str(leg, F_LEG_END_AT));
    if (obj_is(leg, F_LEG_TLS_ESTABLISHED, true) && step < LEG_FINISHED) {
        step = LEG_FINISHED;
    }
    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        if (traces[i].step > step && obj_has(leg, traces[i].field)) {
            step = traces[i].step;
        }
    }
    return step;
}

enum answer view_reached(const struct obj *leg, enum leg_step known, enum leg_step step) {
    if (known >= step) {
        return YES;
    }
    return obj_has(leg, F_LEG_END_AT) ? NO : UNKNOWN;
}

// alert_is_error tells a refusal from a farewell and from a remark. TLS 1.3 has no warnings
// (RFC 8446 section 6), and user_canceled ends the handshake whatever its level.
static bool alert_is_error(const struct obj *alert) {
    int64_t code;
    if (!obj_int(alert, F_ALERT_CODE, &code)) {
        return !obj_str_is(alert, F_ALERT_LEVEL, "warning");
    }
    return code != ALERT_CLOSE_NOTIFY && code != 100 &&
           (code == 90 || !obj_str_is(alert, F_ALERT_LEVEL, "warning"));
}

// alert_is_late returns whether `alert` came when its leg had ended already. It is an answer to
// that end, as OpenSSL's decode_error is to a FIN without close_notify, and no reason for it.
static bool alert_is_late(const struct obj *leg, const struct obj *alert) {
    int64_t ended, came;
    return obj_int(leg, F_LEG_MS_END, &ended) && obj_int(alert, F_ALERT_MS, &came) && came > ended;
}

static enum answer alert_sent(const struct obj *leg, const struct alert_seen *seen,
                              const char *from) {
    const char *how = obj_str(leg, F_LEG_END_HOW);
    if (seen->obj != NULL) {
        return YES;
    }
    if (seen->doubt || how == NULL) {
        return UNKNOWN;
    }
    if (strcmp(how, "alert") != 0) {
        return NO;
    }
    const char *by = obj_str(leg, F_LEG_END_BY);
    return by == NULL ? UNKNOWN : answer_from(strcmp(by, from) == 0);
}

static struct alert_seen alert_first(const struct obj *leg, const char *from) {
    struct alert_seen seen = {.after = LEG_UNKNOWN};
    size_t num = obj_num(leg, F_LEG_ALERTS);
    for (size_t i = 0; i < num && seen.obj == NULL; i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        if (!alert_is_error(alert) || alert_is_late(leg, alert)) {
            continue;
        }
        if (!obj_has(alert, F_ALERT_FROM)) {
            seen.doubt = true;
        } else if (obj_str_is(alert, F_ALERT_FROM, from)) {
            seen.obj = alert;
            seen.after = (enum leg_step)word_find(afters, obj_str(alert, F_ALERT_AFTER));
        }
    }
    seen.sent = alert_sent(leg, &seen, from);
    return seen;
}

static void view_legs(struct view *view) {
    switch (view->mode) {
    case MODE_INTERCEPT:
        view->up = view->server;
        view->down = view->offer = view->client;
        break;
    case MODE_WIRE:
        view->up = view->down = view->offer = view->client;
        break;
    case MODE_PROBE:
        view->up = view->offer = view->server;
        break;
    case MODE_PLAIN:
        view->down = view->offer = view->client;
        break;
    case MODE_UNKNOWN:
        break;
    }
    view->dial = view->server;
    if (view->dial == NULL && view->mode == MODE_WIRE) {
        view->dial = view->client;
    }
}

// chain_ok returns what the proxy's verification found. A resumed session shows no certificate: it
// rests on one that was verified before.
static enum answer chain_ok(const struct obj *leg) {
    const struct obj *found = obj_get(leg, F_LEG_VERIFICATION);
    int64_t ok;
    if (obj_int(found, F_VERIFICATION_OK, &ok)) {
        return answer_from(ok != 0);
    }
    return found == NULL && obj_is(leg, F_LEG_TLS_RESUMED, true) ? YES : UNKNOWN;
}

void view_init(struct view *view, const struct obj *root) {
    *view = (struct view){
        .root = root,
        .client = obj_get(root, F_RECORD_LEG_CLIENT),
        .server = obj_get(root, F_RECORD_LEG_SERVER),
        .claim = obj_get(root, F_RECORD_CLAIM),
        .history = obj_get(root, F_RECORD_HISTORY),
        .mode = (enum mode)word_find(modes, obj_str(root, F_RECORD_MODE)),
    };
    view_legs(view);
    view->up_step = leg_last(view->up);
    view->down_step = leg_last(view->down);
    view->chain_ok = chain_ok(view->up);
    view->server_alert = alert_first(view->up, "server");
    view->client_alert = alert_first(view->down, "client");
    if (view->mode == MODE_INTERCEPT || view->mode == MODE_PROBE) {
        view->proxy_alert_up = alert_first(view->up, "client");
    }
    if (view->mode == MODE_INTERCEPT) {
        view->proxy_alert_down = alert_first(view->down, "server");
    }
}

bool address_loopback(const char *address) {
    static const char mapped[] = "::ffff:";
    size_t skip = sizeof(mapped) - 1;
    const char *ipv4 = strncmp(address, mapped, skip) == 0 ? address + skip : address;
    return strncmp(ipv4, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}
