#include "proxy/probe/ddmin.h"

#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/hello_edit.h"
#include "third_party/boringssl/boringssl.h"

enum {
    REPEATS_FAILING = 4,
    REPEATS_PASSING = 2,
    REPEATS_FOUND = 6,
    REPEATS_FLAKY = 8, // of a hello that failed and passed, so that the chance can be told
    REPEATS_MAX = 8,
    SIZE_MARGIN = 32,
    SIZE_STEPS = 12,
};

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_OTHER };

// What can be tried: the passing hello with these factors, padded to `total` bytes (0: not).
struct test {
    struct factor_set set;
    size_t total;
};

// A hello that was tried, maybe often. Tests that give the same bytes are one trial.
struct trial {
    struct test test;
    uint8_t hash[SHA256_DIGEST_LENGTH];
    size_t num, num_passed;
    bool passed[REPEATS_MAX];
    uint32_t kinds[REPEATS_MAX];
};

// The search is a plain function that is run again from its start each time an outcome has come: it
// asks for outcomes, those that are known are remembered, and it ends at the first that is not.
struct ddmin {
    struct factors factors;
    struct trial trials[DDMIN_CONNECTIONS_MAX];
    size_t num_trials, max_connections;
    struct ddmin_result result;
    bool over;

    // What is to be tried, or has been.
    struct hello_draft wanted;
    struct test wanted_test;
    uint8_t wanted_hash[SHA256_DIGEST_LENGTH];
    bool waiting, exhausted;
};

struct ddmin *ddmin_new(const struct hello_draft *passing, const struct hello_draft *failing,
                        size_t max_connections) {
    CHECK(max_connections <= DDMIN_CONNECTIONS_MAX);
    struct ddmin *dd = xcalloc(1, sizeof(*dd));
    factors_init(&dd->factors, passing, failing);
    hello_draft_init(&dd->wanted);
    dd->max_connections = max_connections;
    return dd;
}

void ddmin_free(struct ddmin *dd) {
    if (dd == NULL) {
        return;
    }
    factors_cleanup(&dd->factors);
    hello_draft_cleanup(&dd->wanted);
    free(dd);
}

static struct factor_set set_of_all(const struct ddmin *dd) {
    struct factor_set all = {0};
    for (size_t i = 0; i < dd->factors.num; i++) {
        factor_set_add(&all, i);
    }
    return all;
}

static struct factor_set set_with_prefix(const struct factor_set *set, size_t num) {
    struct factor_set out = *set;
    for (size_t i = 0; i < num; i++) {
        factor_set_add(&out, i);
    }
    return out;
}

static struct factor_set set_without(const struct factor_set *set, size_t factor) {
    struct factor_set out = *set;
    factor_set_remove(&out, factor);
    return out;
}

// Writes the hello of `test` and hashes what is sent. It returns false when it cannot be written.
static bool test_make(struct ddmin *dd, const struct test *test) {
    struct buf wire;
    struct hello_segments segments = {0};
    SHA256_CTX sha;
    factors_apply(&dd->factors, &dd->wanted, &test->set);
    if (test->total != 0 && !hello_edit_pad(&dd->wanted, test->total)) {
        return false;
    }
    buf_init(&wire, HELLO_DRAFT_WIRE_MAX);
    bool ok = hello_draft_wire(&dd->wanted, &wire, &segments, NULL);
    SHA256_Init(&sha);
    SHA256_Update(&sha, buf_data(&wire), wire.len);
    SHA256_Update(&sha, &segments, sizeof(segments));
    SHA256_Final(dd->wanted_hash, &sha);
    buf_cleanup(&wire);
    return ok;
}

// The trial of this very test, which saves making its hello.
static const struct trial *trial_of(const struct ddmin *dd, const struct test *test) {
    for (size_t i = 0; i < dd->num_trials; i++) {
        const struct test *tried = &dd->trials[i].test;
        if (tried->total == test->total &&
            memcmp(&tried->set, &test->set, sizeof(test->set)) == 0) {
            return &dd->trials[i];
        }
    }
    return NULL;
}

// The trial of the hello that was made last.
static struct trial *trial_find(struct ddmin *dd) {
    for (size_t i = 0; i < dd->num_trials; i++) {
        if (memcmp(dd->trials[i].hash, dd->wanted_hash, SHA256_DIGEST_LENGTH) == 0) {
            return &dd->trials[i];
        }
    }
    return NULL;
}

// The failing hello is the first that is tried; a failure is one as it had.
static enum outcome outcome_of(const struct ddmin *dd, const struct trial *trial, size_t repeat) {
    const struct trial *failing = &dd->trials[0];
    bool same = trial == failing;
    for (size_t i = 0; i < failing->num && !same; i++) {
        same = !failing->passed[i] && failing->kinds[i] == trial->kinds[repeat];
    }
    return trial->passed[repeat] ? OUTCOME_PASS : same ? OUTCOME_FAIL : OUTCOME_OTHER;
}

// ask sets `*out` to the outcome of trying `test` for the time `repeat`, from 0. It returns false
// when that is not known yet: then it is what is wanted next.
static bool ask(struct ddmin *dd, const struct test *test, size_t repeat, enum outcome *out) {
    CHECK(repeat < REPEATS_MAX);
    const struct trial *trial = trial_of(dd, test);
    if (trial == NULL || trial->num <= repeat) {
        if (!test_make(dd, test)) {
            *out = OUTCOME_OTHER;
            return true;
        }
        trial = trial_find(dd);
    }
    if (trial != NULL && trial->num > repeat) {
        *out = outcome_of(dd, trial, repeat);
        return true;
    }
    dd->exhausted = dd->result.num_connections == dd->max_connections;
    dd->wanted_test = *test;
    return false;
}

static bool ask_set(struct ddmin *dd, const struct factor_set *set, size_t repeat,
                    enum outcome *out) {
    return ask(dd, &(struct test){*set, 0}, repeat, out);
}

static bool end(struct ddmin *dd, enum ddmin_end how) {
    dd->result.end = how;
    dd->over = true;
    return true;
}

// Whether a hello failed and passed. Its chance is then told from a few more tries.
static bool flaky(struct ddmin *dd, bool *out_known) {
    *out_known = true;
    for (size_t i = 0; i < dd->num_trials; i++) {
        struct trial *trial = &dd->trials[i];
        if (trial->num_passed == 0 || trial->num_passed == trial->num) {
            continue;
        }
        enum outcome outcome;
        bool more = dd->result.num_connections < dd->max_connections;
        if (trial->num < REPEATS_FLAKY && more) {
            *out_known = ask(dd, &trial->test, trial->num, &outcome);
        }
        dd->result.flaky_failed = trial->num - trial->num_passed;
        dd->result.flaky_tried = trial->num;
        return true;
    }
    return false;
}

// Both hellos still do what they are said to. It returns false when that is not known yet.
static bool controls(struct ddmin *dd) {
    struct factor_set all = set_of_all(dd), none = {0};
    enum outcome failing, passing;
    for (size_t i = 0; i < REPEATS_FAILING; i++) {
        if (!ask_set(dd, &all, i, &failing) ||
            (i < REPEATS_PASSING && !ask_set(dd, &none, i, &passing))) {
            return false;
        }
    }
    for (size_t i = REPEATS_FAILING; failing == OUTCOME_PASS && i < REPEATS_MAX; i++) {
        if (!ask_set(dd, &all, i, &failing)) {
            return false;
        }
    }
    if (failing == OUTCOME_PASS) {
        return end(dd, DDMIN_PASSES);
    }
    return passing == OUTCOME_PASS || end(dd, DDMIN_FAILS);
}

// bisect narrows the prefixes down, of which `*lo` factors don't fail together with `set` and `*hi`
// do, to neighbours. A failure of another kind is not the one that is looked for.
static bool bisect(struct ddmin *dd, const struct factor_set *set, size_t *lo, size_t *hi) {
    while (*hi - *lo > 1) {
        size_t mid = *lo + (*hi - *lo) / 2;
        enum outcome outcome;
        struct factor_set tried = set_with_prefix(set, mid);
        if (!ask_set(dd, &tried, 0, &outcome)) {
            return false;
        }
        *(outcome == OUTCOME_FAIL ? hi : lo) = mid;
    }
    return true;
}

// find sets `*set` to factors that fail together: the last one of the shortest prefix that fails is
// needed, so is the last one of the shortest prefix that fails with it, and so on.
static bool find(struct ddmin *dd, struct factor_set *set) {
    size_t hi = dd->factors.num;
    *set = (struct factor_set){0};
    while (hi != 0) {
        enum outcome outcome;
        size_t lo = 0;
        if (!ask_set(dd, set, 0, &outcome)) {
            return false;
        }
        if (outcome == OUTCOME_FAIL) {
            return true;
        }
        if (!bisect(dd, set, &lo, &hi)) {
            return false;
        }
        factor_set_add(set, hi - 1);
        hi = lo;
    }
    return true;
}

// minimize drops factors without which the others still fail, until there is none.
static bool minimize(struct ddmin *dd, struct factor_set *set) {
    size_t i = 0;
    while (i < dd->factors.num) {
        enum outcome outcome = OUTCOME_PASS;
        struct factor_set fewer = set_without(set, i);
        if (factor_set_has(set, i) && !ask_set(dd, &fewer, 0, &outcome)) {
            return false;
        }
        bool dropped = outcome == OUTCOME_FAIL;
        *set = dropped ? fewer : *set;
        i = dropped ? 0 : i + 1;
    }
    return true;
}

// any_like sets `*out` to whether another factor of `group` fails in the place of `factor`.
static bool any_like(struct ddmin *dd, const struct factor_set *set, size_t factor,
                     const struct factor_set *group, bool *out) {
    struct factor_set other = set_without(set, factor);
    enum outcome outcome;
    size_t i = 0;
    *out = false;
    while (i < dd->factors.num && (i == factor || !factor_set_has(group, i))) {
        i++;
    }
    if (i == dd->factors.num) {
        return true;
    }
    factor_set_add(&other, i);
    bool known = ask_set(dd, &other, 0, &outcome);
    *out = known && outcome == OUTCOME_FAIL;
    return known;
}

// The failing hello without the factors of `group`.
static bool ask_without(struct ddmin *dd, const struct factor_set *group, enum outcome *out) {
    struct factor_set rest = set_of_all(dd);
    for (size_t i = 0; i < dd->factors.num; i++) {
        if (factor_set_has(group, i)) {
            factor_set_remove(&rest, i);
        }
    }
    return ask_set(dd, &rest, 0, out);
}

// need_any learns whether any factor like `factor` is what is needed. `carries` says that without
// it the others fail in another way, and so may the failing hello without all of them.
static bool need_any(struct ddmin *dd, const struct factor_set *set, size_t factor, bool carries,
                     bool *out) {
    struct ddmin_result *result = &dd->result;
    *out = false;
    for (int likeness = 0; likeness < FACTOR_LIKENESSES && !*out; likeness++) {
        struct factor_set group;
        enum outcome outcome;
        bool any;
        factors_group(&dd->factors, &group, factor, (enum factor_likeness)likeness);
        if (!any_like(dd, set, factor, &group, &any) ||
            (any && !ask_without(dd, &group, &outcome))) {
            return false;
        }
        *out = any && (outcome == OUTCOME_PASS || (outcome == OUTCOME_OTHER && !carries));
        if (*out) {
            factor_set_add(&result->any[likeness], factor);
            result->only = result->only && outcome == OUTCOME_PASS;
        }
    }
    return true;
}

// need_one learns whether nothing but `factor`, one of `set`, makes the failing hello fail.
static bool need_one(struct ddmin *dd, const struct factor_set *set, size_t factor) {
    struct ddmin_result *result = &dd->result;
    struct factor_set one = {0}, fewer = set_without(set, factor);
    enum outcome outcome, alone;
    bool any;
    factor_set_add(&one, factor);
    if (!ask_without(dd, &one, &outcome) || !ask_set(dd, &fewer, 0, &alone)) {
        return false;
    }
    if (outcome == OUTCOME_PASS) {
        return true;
    }
    bool carries = alone == OUTCOME_OTHER;
    if (!need_any(dd, set, factor, carries, &any)) {
        return false;
    }
    if (!any && carries) {
        factor_set_add(&result->context, factor);
    } else if (!any) {
        result->only = false;
        result->otherwise = result->otherwise || outcome == OUTCOME_FAIL;
    }
    return true;
}

// confirm repeats what the result rests on, as often as there are connections left for it, and at
// least once.
static bool confirm(struct ddmin *dd, const struct factor_set *set) {
    enum outcome outcome;
    for (size_t i = 1; i < REPEATS_FOUND; i++) {
        if (!ask_set(dd, set, i, &outcome)) {
            return dd->exhausted && i > 1;
        }
    }
    for (size_t i = 0; i < dd->factors.num; i++) {
        struct factor_set fewer = set_without(set, i);
        if (factor_set_has(set, i) && !ask_set(dd, &fewer, 1, &outcome)) {
            return dd->exhausted;
        }
    }
    return true;
}

static bool search(struct ddmin *dd) {
    struct factor_set set, needed;
    if (!find(dd, &set) || !minimize(dd, &set)) {
        return false;
    }
    needed = set;
    memset(dd->result.any, 0, sizeof(dd->result.any));
    dd->result.context = (struct factor_set){0};
    dd->result.only = true;
    dd->result.otherwise = false;
    for (size_t i = 0; i < dd->factors.num; i++) {
        if (factor_set_has(&set, i) && !need_one(dd, &set, i)) {
            return false;
        }
        if (factor_set_has(&dd->result.context, i)) {
            factor_set_remove(&needed, i);
        }
    }
    dd->result.needed = needed;
    dd->result.num_needed = factor_set_num(&dd->result.needed);
    return confirm(dd, &set) && end(dd, DDMIN_FOUND);
}

// The passing hello, padded.
static bool ask_size(struct ddmin *dd, size_t total, size_t repeat, enum outcome *out) {
    return ask(dd, &(struct test){.total = total}, repeat, out);
}

// size learns whether the passing hello fails when it is as long as the failing one, and from what
// length on. That it passes a little longer shows that it is not the padding.
static bool size(struct ddmin *dd) {
    struct factor_set none = {0};
    enum outcome outcome;
    factors_apply(&dd->factors, &dd->wanted, &none);
    size_t lo = hello_draft_len(&dd->wanted), hi = hello_draft_len(&dd->factors.failing);
    if (dd->wanted.format != HELLO_FORMAT_TLS || hi < lo + SIZE_MARGIN) {
        return true;
    }
    if (!ask_size(dd, hi, 0, &outcome)) {
        return false;
    }
    if (outcome != OUTCOME_FAIL) {
        return true;
    }
    lo += EXTENSION_HEADER_LEN + 1;
    if (!ask_size(dd, lo, 0, &outcome)) {
        return false;
    }
    if (outcome != OUTCOME_PASS) {
        return true;
    }
    for (size_t i = 0; i < SIZE_STEPS && hi - lo > 1; i++) {
        size_t mid = lo + (hi - lo) / 2;
        if (!ask_size(dd, mid, 0, &outcome)) {
            return false;
        }
        lo = outcome == OUTCOME_PASS ? mid : lo;
        hi = outcome == OUTCOME_PASS ? hi : mid;
    }
    for (size_t i = 1; i < REPEATS_PASSING; i++) {
        if (!ask_size(dd, hi, i, &outcome) || !ask_size(dd, lo, i, &outcome)) {
            return false;
        }
    }
    dd->result.longest_passing = lo;
    dd->result.shortest_failing = hi;
    return end(dd, DDMIN_SIZE);
}

// Goes as far as outcomes are known.
static void run(struct ddmin *dd) {
    bool known;
    dd->over = dd->exhausted = false;
    if (dd->factors.num == 0) {
        end(dd, DDMIN_SAME);
    } else if (flaky(dd, &known)) {
        dd->over = known && end(dd, DDMIN_FLAKY);
    } else if (controls(dd) && !dd->over && size(dd) && !dd->over) {
        (void)search(dd);
    }
    if (!dd->over && dd->exhausted) {
        end(dd, DDMIN_UNFINISHED);
    }
}

bool ddmin_next(struct ddmin *dd, struct hello_draft *out) {
    CHECK(!dd->waiting);
    run(dd);
    if (dd->over) {
        return false;
    }
    dd->waiting = true;
    hello_draft_copy(out, &dd->wanted);
    return true;
}

void ddmin_tell(struct ddmin *dd, bool passed, uint32_t kind) {
    CHECK(dd->waiting);
    struct trial *trial = trial_find(dd);
    if (trial == NULL) {
        CHECK(dd->num_trials < DDMIN_CONNECTIONS_MAX);
        trial = &dd->trials[dd->num_trials++];
        trial->test = dd->wanted_test;
        memcpy(trial->hash, dd->wanted_hash, sizeof(trial->hash));
    }
    CHECK(trial->num < REPEATS_MAX);
    trial->kinds[trial->num] = kind;
    trial->passed[trial->num++] = passed;
    trial->num_passed += passed;
    dd->result.num_connections++;
    dd->waiting = false;
}

const struct ddmin_result *ddmin_result(const struct ddmin *dd) {
    CHECK(dd->over);
    return &dd->result;
}

const struct factors *ddmin_factors(const struct ddmin *dd) { return &dd->factors; }

// A factor in words. An extension that only the failing hello has is named, not what is inside,
// when that does not matter.
static bool factor_says(const struct ddmin *dd, struct buf *out, size_t i) {
    const struct factor *factor = &dd->factors.factors[i];
    struct factor_set group;
    char name[CODEPOINT_NAME_MAX];
    bool any = factor_set_has(&dd->result.any[FACTOR_LIKE_LIST], i);
    bool grease = factor_set_has(&dd->result.any[FACTOR_LIKE_GREASE], i);
    factors_group(&dd->factors, &group, i, FACTOR_LIKE_LIST);
    bool inside = factor->kind == FACTOR_ADDED && factor->list < FACTOR_LIST_CIPHERS &&
                  hello_edit_find(&dd->factors.passing, (uint16_t)factor->list) == NULL;
    if (inside && !grease && (any || factor_set_num(&group) == 1)) {
        return buf_printf(out, "the extension %s",
                          codepoint_name(REGISTRY_EXTENSION, (uint16_t)factor->list, name));
    }
    return buf_printf(out, "%s%s", factor->text, any || grease ? " (or another like it)" : "");
}

static bool set_says(const struct ddmin *dd, struct buf *out, const struct factor_set *set) {
    bool ok = true;
    for (size_t i = 0, num = 0; i < dd->factors.num; i++) {
        if (factor_set_has(set, i)) {
            num++;
            const char *between = num == 1 ? "" : num == factor_set_num(set) ? " and " : ", ";
            ok = ok && buf_printf(out, "%s", between) && factor_says(dd, out, i);
        }
    }
    return ok;
}

static bool found_says(const struct ddmin *dd, struct buf *out) {
    const struct ddmin_result *result = &dd->result;
    bool ok = buf_printf(out, "The handshake fails if%s the ClientHello has ",
                         result->only ? " and only if" : "") &&
              set_says(dd, out, &result->needed);
    if (factor_set_num(&result->context) != 0) {
        ok = ok && buf_printf(out, ", in one that has ") && set_says(dd, out, &result->context);
    }
    return ok &&
           buf_printf(out, "%s", result->otherwise ? "; something else makes it fail, too." : ".");
}

bool ddmin_says(const struct ddmin *dd, struct buf *out) {
    const struct ddmin_result *result = ddmin_result(dd);
    switch (result->end) {
    case DDMIN_FOUND:
        return found_says(dd, out);
    case DDMIN_SIZE:
        return buf_printf(
            out,
            "The handshake fails if the ClientHello is longer than %zu bytes, whatever "
            "is in it; one of %zu bytes fails.",
            result->longest_passing, result->shortest_failing);
    case DDMIN_FLAKY:
        return buf_printf(
            out,
            "The handshake fails by chance: one and the same ClientHello failed %zu of "
            "%zu times.",
            result->flaky_failed, result->flaky_tried);
    case DDMIN_PASSES:
        return buf_printf(out, "The handshake that failed does not fail any more.");
    case DDMIN_FAILS:
        return buf_printf(out, "The handshake fails for the ClientHello that passed, too.");
    case DDMIN_SAME:
        return buf_printf(out, "The two ClientHellos do not differ.");
    case DDMIN_UNFINISHED:
        return buf_printf(out, "What makes the handshake fail was not found in %zu connections.",
                          result->num_connections);
    }
    return false;
}
