#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate_fn.h"

enum { WORD_MAX = 64 };

// struct tally is how the runs of a probe ended; `failure` is how the first failed, and `same` that
// all that failed did it that way.
struct tally {
    size_t answered, failed;
    const char *failure;
    bool same;
};

static const struct obj *experiment_at(const struct view *view, size_t i) {
    return obj_at(view->root, F_RECORD_EXPERIMENTS, i);
}

static size_t num_experiments(const struct view *view) {
    return obj_num(view->root, F_RECORD_EXPERIMENTS);
}

// is_named returns whether the experiment is of the probe `name`, which ends at `name_len`.
static bool is_named(const struct obj *experiment, const char *name, size_t name_len) {
    const char *probe = obj_str(experiment, F_EXPERIMENT_PROBE);
    return probe != NULL && strlen(probe) == name_len && memcmp(probe, name, name_len) == 0;
}

// tally_add counts one run. What was cut off here, or never got to say its hello, tells nothing.
static void tally_add(struct tally *tally, const struct obj *experiment) {
    const char *result = obj_str(experiment, F_EXPERIMENT_RESULT);
    if (result == NULL || strcmp(result, "unfinished") == 0 || strcmp(result, "unreachable") == 0) {
        return;
    }
    if (strcmp(result, "answered") == 0) {
        tally->answered++;
        return;
    }
    tally->same = tally->failed++ == 0 || (tally->same && strcmp(tally->failure, result) == 0);
    tally->failure = tally->failure != NULL ? tally->failure : result;
}

// tally_of counts the runs of every probe in `names`, which are separated by spaces.
static struct tally tally_of(const struct view *view, const char *names) {
    struct tally tally = {.same = true};
    size_t num = num_experiments(view); // most records have none
    for (size_t len; num != 0 && *names != '\0'; names += len + (names[len] == ' ')) {
        len = strcspn(names, " ");
        for (size_t i = 0; i < num; i++) {
            if (is_named(experiment_at(view, i), names, len)) {
                tally_add(&tally, experiment_at(view, i));
            }
        }
    }
    return tally;
}

// passes is YES when every run was answered and NO when every run failed.
static enum answer passes(const struct tally *tally) {
    if (tally->answered + tally->failed == 0 || (tally->answered != 0 && tally->failed != 0)) {
        return UNKNOWN;
    }
    return answer_from(tally->failed == 0);
}

static enum answer probe_passes(const struct view *view, const char *name) {
    struct tally tally = tally_of(view, name);
    return passes(&tally);
}

// How far away an address is, as far as its number tells.
enum reach { REACH_UNKNOWN, REACH_HERE, REACH_NEAR, REACH_FAR };

static enum reach reach_of(const char *address) {
    static const struct {
        const char *prefix;
        enum reach reach;
    } rows[] = {
        {"127.", REACH_HERE}, {"::1", REACH_HERE}, {"10.", REACH_NEAR}, {"192.168.", REACH_NEAR},
        {"fc", REACH_NEAR},   {"fd", REACH_NEAR},  {"fe8", REACH_NEAR}, {"169.254.", REACH_NEAR},
    };
    unsigned second;
    if (address == NULL) {
        return REACH_UNKNOWN;
    }
    address = strncmp(address, "::ffff:", 7) == 0 ? address + 7 : address;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool same = strncmp(address, rows[i].prefix, strlen(rows[i].prefix)) == 0;
        if (same && (rows[i].reach == REACH_NEAR || strcmp(rows[i].prefix, "::1") != 0 ||
                     address[3] == '\0')) {
            return rows[i].reach;
        }
    }
    if (sscanf(address, "172.%u.", &second) == 1 && second >= 16 && second < 32) {
        return REACH_NEAR;
    }
    return REACH_FAR;
}

static const struct obj *leg_of(const struct view *view, const char *name);

// comparable returns whether the control host, as the probe `name` met it, is as far away as the
// server: what a nearer one passes need not have been on the server's way.
static bool comparable(const struct view *view, const char *name) {
    enum reach server = reach_of(obj_str(leg_of(view, "base"), F_LEG_ADDRESS));
    enum reach control = reach_of(obj_str(leg_of(view, name), F_LEG_ADDRESS));
    return server == REACH_UNKNOWN || control == REACH_UNKNOWN || control >= server;
}

// take_name moves the first of `names`, which are separated by spaces, to `name`, and returns
// whether there was one.
static bool take_name(const char **names, char name[WORD_MAX]) {
    size_t len = strcspn(*names, " ");
    CHECK(len < WORD_MAX);
    memcpy(name, *names, len);
    name[len] = '\0';
    *names += len + ((*names)[len] == ' ');
    return len != 0;
}

// Any one of the probes passes: each is a way of its own.
ASK(probe_passes) {
    enum answer any = NO;
    bool asked = false;
    const char *names = row->word;
    for (char name[WORD_MAX]; take_name(&names, name);) {
        enum answer answer = probe_passes(view, name);
        struct tally tally = tally_of(view, name);
        asked |= tally.answered + tally.failed != 0;
        if (answer == YES) {
            return YES;
        }
        any = tally.answered != 0 ? UNKNOWN : any;
    }
    return asked ? any : UNKNOWN;
}

ASK(probe_failed_how) {
    size_t len = strcspn(row->word, ":");
    char name[WORD_MAX];
    CHECK(len < sizeof(name));
    memcpy(name, row->word, len);
    name[len] = '\0';
    struct tally tally = tally_of(view, name);
    enum answer answer = passes(&tally);
    if (answer != NO) {
        return answer_not(answer);
    }
    if (!tally.same) {
        return UNKNOWN;
    }
    const char *words = row->word + len + 1;
    size_t failure_len = strlen(tally.failure);
    for (const char *p = words; (p = strstr(p, tally.failure)) != NULL; p++) {
        bool begins = p == words || p[-1] == ' ';
        if (begins && (p[failure_len] == '\0' || p[failure_len] == ' ')) {
            return YES;
        }
    }
    return NO;
}

ASK(probe_fails_alike) {
    struct tally base = tally_of(view, "base"), other = tally_of(view, row->word);
    enum answer both = answer_and(answer_not(passes(&base)), answer_not(passes(&other)));
    if (both != YES) {
        return passes(&other) == YES && comparable(view, row->word) ? NO : UNKNOWN;
    }
    bool alike = base.same && other.same && strcmp(base.failure, other.failure) == 0;
    return alike ? YES : UNKNOWN; // another failure may be the other address's own
}

ASK(probe_repeated) {
    struct tally base = tally_of(view, "base");
    size_t most = 0;
    const char *names = row->word;
    for (char name[WORD_MAX]; take_name(&names, name);) {
        struct tally tally = tally_of(view, name);
        size_t runs = tally.failed == 0 ? tally.answered : 0;
        most = runs > most ? runs : most;
    }
    if (num_experiments(view) == 0) {
        return UNKNOWN;
    }
    return answer_from(base.failed >= 2 && base.answered == 0 && most >= 2);
}

ASK(probe_fails_twice) {
    struct tally tally = tally_of(view, row->word);
    return tally.failed == 0 ? UNKNOWN : answer_from(tally.answered == 0 && tally.failed > 1);
}

ASK(probe_flaky) {
    struct tally tally = tally_of(view, row->word);
    if (tally.answered != 0 && tally.failed != 0) {
        return YES;
    }
    return tally.answered + tally.failed >= 2 ? NO : UNKNOWN;
}

// says_garbled answers whether the server ended the run with one of the codes of `row`.
static enum answer says_garbled(const struct obj *leg, const struct predicate_row *row) {
    enum answer any = NO;
    bool told = false;
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        int64_t code;
        if (!obj_has(alert, F_ALERT_FROM) || !obj_int(alert, F_ALERT_CODE, &code)) {
            any = answer_or(any, UNKNOWN);
            continue;
        }
        bool server = obj_str_is(alert, F_ALERT_FROM, "server");
        told |= server;
        for (size_t k = 0; server && row->codes[k] != -1; k++) {
            any = answer_or(any, answer_from(code == row->codes[k]));
        }
    }
    return !told && obj_str_is(leg, F_LEG_END_HOW, "alert") ? answer_or(any, UNKNOWN) : any;
}

// run_garbled answers for one run. Bytes that are no TLS from the first on are another matter.
static enum answer run_garbled(const struct obj *experiment, const struct predicate_row *row) {
    const struct obj *leg = obj_get(experiment, F_EXPERIMENT_LEG);
    const char *result = obj_str(experiment, F_EXPERIMENT_RESULT);
    if (result == NULL) {
        return obj_has(experiment, F_EXPERIMENT_PROBE) ? UNKNOWN : NO;
    }
    bool broken_off = strcmp(result, "broken-off") == 0;
    if (!broken_off && (strcmp(result, "not-tls") != 0 || obj_has(leg, F_LEG_ANSWER_FIRST_KIND))) {
        return NO;
    }
    const char *by = obj_str(leg, F_LEG_END_BY), *how = obj_str(leg, F_LEG_END_HOW);
    enum answer unread = UNKNOWN;
    if (by != NULL && strcmp(by, "proxy") != 0) {
        unread = NO;
    } else if (by != NULL && how != NULL) {
        unread = answer_from(strcmp(how, "error") == 0);
    }
    return answer_or(unread, broken_off ? says_garbled(leg, row) : NO);
}

ASK(flight_garbled) {
    enum answer any = num_experiments(view) == 0 ? UNKNOWN : NO;
    for (size_t i = 0; i < num_experiments(view); i++) {
        any = answer_or(any, run_garbled(experiment_at(view, i), row));
    }
    return any;
}

// word_among returns whether `words`, which are separated by spaces, hold `word`.
static bool word_among(const char *words, const char *word) {
    size_t word_len = strlen(word);
    for (size_t len; *words != '\0'; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        if (len == word_len && memcmp(words, word, len) == 0) {
            return true;
        }
    }
    return false;
}

// struct factor is the two probes of a predicate's word, "WITHOUT WITH": the hello without the
// factor and with it, one of which may be missing as the hello asked about is that itself.
struct factor {
    char without[WORD_MAX], with[WORD_MAX];
};

static struct factor factor_of(const struct predicate_row *row) {
    struct factor factor;
    size_t len = strcspn(row->word, " ");
    CHECK(row->word[len] == ' ' && strlen(row->word) < WORD_MAX);
    memcpy(factor.without, row->word, len);
    factor.without[len] = '\0';
    strcpy(factor.with, row->word + len + 1);
    return factor;
}

// fails_at_large returns whether hellos that were changed in quite another way than by `with` fail
// like it: then what was put in is not why. A server that serves one at a time, limits a rate, or
// is behind a path that loses or damages shows that.
static bool fails_at_large(const struct view *view, const char *with) {
    static const char *const kinds[] = {"grease", "big pq ech-grease split-tcp split-record",
                                        "tls12", "nonce-name"};
    struct tally own = tally_of(view, with);
    bool alike = false;
    for (size_t i = 0; i < ARRAY_LEN(kinds) && own.failure != NULL; i++) {
        struct tally tally = tally_of(view, kinds[i]);
        bool other = !word_among(kinds[i], with);
        alike |= other && tally.failure != NULL && strcmp(tally.failure, own.failure) == 0;
    }
    for (size_t i = 0; i < num_experiments(view) && own.failure != NULL; i++) {
        const struct obj *run = experiment_at(view, i); // a run without a name may be any
        alike |=
            !obj_has(run, F_EXPERIMENT_PROBE) && obj_str_is(run, F_EXPERIMENT_RESULT, own.failure);
    }
    return alike;
}

// The hello fails with the factor and passes without it, nothing else being changed.
ASK(factor_matters) {
    enum answer base = probe_passes(view, "base");
    if (base == UNKNOWN) {
        return UNKNOWN;
    }
    struct factor factor = factor_of(row);
    if (base == NO) {
        return probe_passes(view, factor.without);
    }
    // What else the other end stumbles over is no news where its certificate is not good.
    bool untrusted = obj_is(obj_get(view->up, F_LEG_VERIFICATION), F_VERIFICATION_OK, false);
    enum answer fails = answer_not(probe_passes(view, factor.with));
    return untrusted || (fails == YES && fails_at_large(view, factor.with)) ? UNKNOWN : fails;
}

// Offering TLS 1.2 alone leaves out encrypted_client_hello and all that is large, too: where one of
// these matters, or may, it is not the version.
ASK(version_matters) {
    enum answer answer = ask_factor_matters(view, row);
    if (answer != YES || probe_passes(view, "base") != NO) {
        return answer;
    }
    if (probe_passes(view, "no-ech") == YES || probe_passes(view, "small") == YES ||
        probe_passes(view, "no-grease") == YES) {
        return NO;
    }
    bool ech = obj_has(leg_of(view, "base"), F_LEG_OFFER_ECH);
    return ech && probe_passes(view, "no-ech") == UNKNOWN ? UNKNOWN : YES;
}

// control_passes answers for the control host, with the hello as it is or as the probe `variant`
// changes it. A host that is too near cannot clear the way.
static enum answer control_passes(const struct view *view, const char *variant) {
    char name[2 * WORD_MAX] = "control";
    if (variant != NULL) {
        strcat(strcat(name, "="), variant);
    }
    enum answer answer = probe_passes(view, name);
    return answer == YES && !comparable(view, name) ? UNKNOWN : answer;
}

// The control host, which has nothing to do with the server, shows the same: then it is not the
// server. That it passes with the factor clears what both have in common.
ASK(factor_follows) {
    struct factor factor = factor_of(row);
    enum answer base = probe_passes(view, "base"), with, without;
    if (base == UNKNOWN) {
        return UNKNOWN;
    }
    if (base == NO) {
        with = control_passes(view, NULL);
        without = control_passes(view, factor.without);
    } else {
        with = control_passes(view, factor.with);
        without = control_passes(view, NULL);
    }
    if (with == YES) {
        return NO;
    }
    return answer_and(answer_not(with), without) == YES ? YES : UNKNOWN;
}

// ---- moments and bytes

// fastest is the smallest round trip to an address, in microseconds, of all runs: the handshake of
// TCP tells it also where the hello was answered with nothing but a reset, which is not measured.
// Returns how many there were.
static size_t fastest(const struct view *view, const char *address, int64_t *out) {
    size_t num = 0;
    for (size_t i = 0; i < num_experiments(view); i++) {
        const struct obj *leg = obj_get(experiment_at(view, i), F_EXPERIMENT_LEG);
        int64_t us;
        if (obj_str_is(leg, F_LEG_ADDRESS, address) && obj_int(leg, F_LEG_MIN_RTT, &us)) {
            *out = num++ != 0 && *out < us ? *out : us;
        }
    }
    return num;
}

// A reset that is back before a packet can have been at the server and back is not the server's.
// A single round trip may have been slow by chance: then the reset has to be much faster.
ASK(reset_early) {
    (void)row;
    enum {
        RTT_TELLS_US = 3000, // below, the scheduler's moods count for more
        ROUND_TRIPS = 3,
    };
    enum answer all = UNKNOWN;
    for (size_t i = 0; i < num_experiments(view); i++) {
        const struct obj *experiment = experiment_at(view, i);
        const struct obj *leg = obj_get(experiment, F_EXPERIMENT_LEG);
        const char *address = obj_str(leg, F_LEG_ADDRESS);
        int64_t hello, end, rtt = 0;
        if (!is_named(experiment, "base", 4) ||
            !obj_str_is(experiment, F_EXPERIMENT_RESULT, "reset") || address == NULL) {
            continue;
        }
        size_t trips = fastest(view, address, &rtt);
        if (!obj_int(leg, F_LEG_MS_HELLO, &hello) || !obj_int(leg, F_LEG_MS_END, &end) ||
            trips == 0) {
            return UNKNOWN;
        }
        if (rtt < RTT_TELLS_US || end - hello >= rtt / (trips < ROUND_TRIPS ? 4 : 2)) {
            return NO;
        }
        all = YES;
    }
    return all;
}

// The server's own TCP acknowledges what reaches it, whatever TLS makes of it.
ASK(hello_unacknowledged) {
    (void)row;
    enum answer all = UNKNOWN;
    for (size_t i = 0; i < num_experiments(view); i++) {
        const struct obj *experiment = experiment_at(view, i);
        int64_t outq;
        if (!is_named(experiment, "base", 4) ||
            !obj_str_is(experiment, F_EXPERIMENT_RESULT, "silent")) {
            continue;
        }
        if (!obj_int(obj_get(experiment, F_EXPERIMENT_LEG), F_LEG_OUTQ, &outq)) {
            return UNKNOWN;
        }
        if (outq == 0) {
            return NO;
        }
        all = YES;
    }
    return all;
}

// A run of probe `word` was never answered, and not all that it said was acknowledged.
ASK(probe_lost) {
    size_t len = strlen(row->word);
    for (size_t i = 0; i < num_experiments(view); i++) {
        const struct obj *experiment = experiment_at(view, i);
        int64_t outq = 0;
        bool counted = obj_int(obj_get(experiment, F_EXPERIMENT_LEG), F_LEG_OUTQ, &outq);
        if (is_named(experiment, row->word, len) &&
            obj_str_is(experiment, F_EXPERIMENT_RESULT, "silent") && counted && outq > 0) {
            return YES;
        }
    }
    return num_experiments(view) != 0 ? NO : UNKNOWN;
}

// ---- certificates and clocks

static const struct obj *leg_of(const struct view *view, const char *name) {
    for (size_t i = 0; i < num_experiments(view); i++) {
        if (is_named(experiment_at(view, i), name, strlen(name))) {
            return obj_get(experiment_at(view, i), F_EXPERIMENT_LEG);
        }
    }
    return NULL;
}

// A certificate for a name that does not exist was made on the spot.
ASK(nonce_certificate) {
    (void)row;
    const struct obj *leg = leg_of(view, "nonce-name");
    const char *name = obj_str(leg, F_LEG_SERVER_NAME);
    if (name == NULL || obj_num(leg, F_LEG_CHAIN) == 0) {
        return UNKNOWN;
    }
    const struct obj *leaf = obj_at(leg, F_LEG_CHAIN, 0);
    return obj_has(leaf, F_CERT_SANS) ? answer_from(obj_has_str(leaf, F_CERT_SANS, name)) : UNKNOWN;
}

// The control host shows a certificate of the same issuer, which nobody trusts either.
// same_issuer answers whether one control host shows what nobody trusts, by the server's issuer.
static enum answer same_issuer(const struct view *view, const char *probe) {
    const struct obj *control = leg_of(view, probe), *up = view->up;
    const char *issuer = obj_str(up, F_LEG_ISSUER), *subject = obj_str(up, F_LEG_SUBJECT);
    const char *other = obj_str(control, F_LEG_ISSUER), *name = obj_str(control, F_LEG_SUBJECT);
    const struct obj *verification = obj_get(control, F_LEG_VERIFICATION);
    if (issuer == NULL || other == NULL || subject == NULL || name == NULL ||
        !obj_has(verification, F_VERIFICATION_OK)) {
        return UNKNOWN;
    }
    return answer_from(strcmp(issuer, other) == 0 && strcmp(subject, name) != 0 &&
                       obj_is(verification, F_VERIFICATION_OK, false));
}

// One that differs is enough: who makes certificates makes them for all.
ASK(control_same_issuer) {
    static const char *const further[] = {"control2", "control3"};
    (void)row;
    enum answer all = same_issuer(view, "control");
    for (size_t i = 0; i < ARRAY_LEN(further); i++) {
        enum answer one = same_issuer(view, further[i]);
        all = one == NO ? NO : all;
    }
    return all;
}

// A private CA is on many hosts of its owner: only one on the public network tells something.
ASK(control_public) {
    (void)row;
    enum reach reach = reach_of(obj_str(leg_of(view, "control"), F_LEG_ADDRESS));
    return reach == REACH_UNKNOWN ? UNKNOWN : answer_from(reach == REACH_FAR);
}

// One clock may be wrong itself; two that agree are not.
ASK(clock_wrong) {
    int64_t far = (int64_t)row->codes[0] * 60, ahead;
    size_t num = 0, num_wrong = 0, num_behind = 0;
    for (size_t i = 0; i < num_experiments(view); i++) {
        if (obj_int(experiment_at(view, i), F_EXPERIMENT_CLOCK_OFFSET, &ahead)) {
            num++;
            num_wrong += ahead > far || ahead < -far;
            num_behind += ahead < -far;
        }
    }
    if (num_wrong == 0) {
        return num == 0 ? UNKNOWN : NO;
    }
    bool agreed = num_wrong == num && num >= 2 && (num_behind == 0 || num_behind == num);
    return agreed ? YES : UNKNOWN;
}
