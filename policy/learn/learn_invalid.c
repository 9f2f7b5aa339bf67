// What becomes of servers whose certificates are bad.
#include "policy/learn/internal.h"

#include <string.h>

// What the client got instead of a leaf as usual.
enum outcome {
    OUTCOME_UNKNOWN,
    OUTCOME_USUAL, // the box does not mind, or hides it
    OUTCOME_UNTRUSTED,
    OUTCOME_SELF_SIGNED,
    OUTCOME_PASSED,
    OUTCOME_ALERT,
    OUTCOME_RESET,
    OUTCOME_PAGE, // it breaks off, and answers the client itself
};

static bool fatal_alert(const struct obj *leg, int64_t *out_code) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        if (obj_str_is(alert, F_ALERT_FROM, "server") &&
            obj_str_is(alert, F_ALERT_LEVEL, "fatal")) {
            return obj_int(alert, F_ALERT_CODE, out_code);
        }
    }
    return false;
}

static enum outcome page_or_unknown(const struct seen *seen) {
    return obj_is(seen->front, F_LEG_TLS_ESTABLISHED, 1) ? OUTCOME_PAGE : OUTCOME_UNKNOWN;
}

static enum outcome outcome_of(const struct seen *seen, int64_t *out_alert) {
    if (seen->passed) {
        return OUTCOME_PASSED;
    }
    if (seen->num_chain != 0) {
        return seen->usual && seen->minded  ? page_or_unknown(seen)
               : seen->usual                ? OUTCOME_USUAL
               : seen->chain[0].self_issued ? OUTCOME_SELF_SIGNED
                                            : OUTCOME_UNTRUSTED;
    }
    if (obj_has(seen->front, F_LEG_ANSWER_VERSION)) {
        return OUTCOME_UNKNOWN; // a certificate that is encrypted
    }
    if (fatal_alert(seen->front, out_alert)) {
        return OUTCOME_ALERT;
    }
    bool reset = obj_str_is(seen->front, F_LEG_END_HOW, "rst");
    return reset ? OUTCOME_RESET : OUTCOME_UNKNOWN;
}

static const struct check {
    unsigned flaw;
    const char *path, *what;
} CHECKS[] = {
    {FLAW_DATES, "server_leg.verify.dates", "expired or not yet valid"},
    {FLAW_HOST, "server_leg.verify.host", "for another name"},
    {FLAW_SELF_SIGNED, "server_leg.verify.chain", "signed by itself"},
};

// flaw_alone returns whether `flaw` is what the outcome of this sighting is about: a box that lets
// several pass minds none of them, one that does not may mind any.
static bool is_about(const struct seen *seen, unsigned flaw, enum outcome outcome) {
    return (seen->flaws & flaw) && (outcome == OUTCOME_USUAL || seen->flaws == flaw);
}

// learn_check says whether the box minds one flaw, and adds what it does then to `*reaction`.
static void learn_check(struct learn *learn, const struct check *check, enum outcome *reaction,
                        int64_t *alert, struct sources *reacts) {
    struct sources from = {.num = 0};
    bool minds = false, lets = false, any = false;
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        enum outcome outcome = seen->flaws != 0 ? outcome_of(seen, alert) : OUTCOME_UNKNOWN;
        any = any || (seen->flaws & check->flaw);
        if (outcome == OUTCOME_UNKNOWN || !is_about(seen, check->flaw, outcome)) {
            continue;
        }
        lets = lets || outcome == OUTCOME_USUAL;
        minds = minds || outcome != OUTCOME_USUAL;
        if (outcome != OUTCOME_USUAL) {
            *reaction =
                *reaction == OUTCOME_UNKNOWN || *reaction == outcome ? outcome : OUTCOME_USUAL;
            sources_add(reacts, seen);
        }
        sources_add(&from, seen);
    }
    if (from.num == 0 || minds == lets) {
        learn_miss(learn, check->path,
                   any ? "records with a certificate %s do not tell it apart"
                       : "no record with a server's certificate %s",
                   check->what);
        return;
    }
    learn_set(learn, check->path, json_boolean(minds), &from, NULL);
}

// leaves returns whether the box left a bad server at its certificate.
static bool leaves(const struct learn *learn) {
    for (size_t i = 0; i < learn->num; i++) {
        if (learn->seen[i]->flaws != 0 && learn->seen[i]->left) {
            return true;
        }
    }
    return false;
}

// learn_untrusted takes the name of the CA that signs for bad servers.
static bool learn_untrusted(struct learn *learn, const struct sources *reacts) {
    for (size_t i = 0; i < learn->num; i++) {
        const struct seen *seen = learn->seen[i];
        if (!seen->passed && seen->flaws != 0 && seen->num_chain != 0 && !seen->usual) {
            json_t *name = name_attributes(seen->chain[0].raw.issuer, &learn->arena);
            if (name != NULL && json_array_size(name) != 0) {
                learn_set(learn, "cert.ca.untrusted_subject", name, reacts, NULL);
                return true;
            }
            json_decref(name);
        }
    }
    return false;
}

void learn_invalid(struct learn *learn) {
    static const char *const words[] = {
        [OUTCOME_UNTRUSTED] = "resign_untrusted",
        [OUTCOME_SELF_SIGNED] = "self_signed",
        [OUTCOME_PASSED] = "pass_through",
        [OUTCOME_ALERT] = "alert",
        [OUTCOME_RESET] = "reset",
        [OUTCOME_PAGE] = "block_page",
    };
    struct sources reacts = {.num = 0};
    enum outcome reaction = OUTCOME_UNKNOWN;
    int64_t alert = 0;
    for (size_t i = 0; i < ARRAY_LEN(CHECKS); i++) {
        learn_check(learn, &CHECKS[i], &reaction, &alert, &reacts);
    }
    if (reaction == OUTCOME_UNKNOWN || reaction == OUTCOME_USUAL) {
        learn_miss(learn, "server_leg.on_invalid",
                   reaction == OUTCOME_USUAL ? "the box did more than one thing"
                                             : "no record shows the box mind a bad certificate");
        return;
    }
    learn_set(learn, "server_leg.on_invalid", json_string(words[reaction]), &reacts, NULL);
    bool ends = reaction == OUTCOME_PAGE || reaction == OUTCOME_ALERT || reaction == OUTCOME_RESET;
    if (ends && leaves(learn)) {
        learn_set(learn, "server_leg.breaks_off", json_true(), &reacts, NULL);
    }
    if (reaction == OUTCOME_ALERT && alert != 0) {
        learn_set(learn, "server_leg.on_invalid_alert", json_integer(alert), &reacts, NULL);
    }
    if (reaction == OUTCOME_UNTRUSTED && !learn_untrusted(learn, &reacts)) {
        learn_miss(learn, "cert.ca.untrusted_subject", "no profile can say it");
    }
}
