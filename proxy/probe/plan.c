#include "proxy/probe/plan.h"

#include <stdio.h>
#include <string.h>

// splitmix64: enough to shuffle with, and the same on every machine.
uint64_t plan_random(uint64_t *seed) {
    uint64_t z = (*seed += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void plan_init(struct plan *plan, unsigned budget, unsigned repeats, uint64_t seed) {
    const struct probe_pick base = probe_pick_of("base");
    *plan = (struct plan){.budget = budget, .repeats = repeats, .seed = seed};
    plan_add(plan, &base);
}

void plan_add(struct plan *plan, const struct probe_pick *pick) {
    for (size_t i = 0; i < plan->num; i++) {
        const struct probe_pick *other = &plan->entries[i].pick;
        if (other->probe == pick->probe && strcmp(other->argument, pick->argument) == 0) {
            return;
        }
    }
    if (plan->num < PLAN_PICKS_MAX && (plan->can == NULL || plan->can(plan->ctx, pick))) {
        plan->entries[plan->num++] = (struct plan_entry){.pick = *pick};
    }
}

void plan_add_usual(struct plan *plan, const char *failure, int alert) {
    // The first of a list are asked where the budget is small.
    static const char *const passed[] = {
        "direct",       "nonce-name", "tls12", "big",     "pq",     "split-tcp",
        "split-record", "grease",     "tls13", "control", "no-sni", "ech-grease",
        "control2",     "control3",   "tls11", "tls10",   NULL};
    static const char *const version[] = {"replay", "direct", "tls12",      "no-ech",   "tls13",
                                          "tls11",  "tls10",  "nonce-name", "ordinary", NULL};
    static const char *const nothing_shared[] = {
        "replay", "direct", "ordinary",   "other-name", "tls12",  "no-grease",       "no-ech",
        "small",  "legacy", "nonce-name", "no-alpn",    "no-sni", "replay-verbatim", NULL};
    static const char *const not_tls[] = {"direct", "plain", "nonce-name", "other-name", NULL};
    static const char *const silent[] = {
        "replay", "direct", "other-name", "tls12",      "small-segments", "small", "no-grease",
        "no-ech", "no-sni", "split-tcp",  "nonce-name", "ordinary",       NULL};
    static const char *const failed[] = {
        "replay",       "direct", "other-name",      "tls12",      "small",   "no-grease",
        "no-ech",       "no-sni", "split-tcp",       "nonce-name", "no-alpn", "ordinary",
        "split-record", "one",    "small-split-tcp", "plain",      NULL};
    const char *const *names = failed;
    if (failure == NULL) {
        names = passed;
    } else if (strcmp(failure, "not-tls") == 0) {
        names = not_tls;
    } else if (strcmp(failure, "silent") == 0) {
        names = silent;
    } else if (alert == 70) {
        names = version;
    } else if (alert == 40 || alert == 71) {
        names = nothing_shared;
    }
    for (; *names != NULL; names++) {
        const struct probe_pick pick = probe_pick_of(*names);
        plan_add(plan, &pick);
    }
}

static bool failed(const struct plan_entry *entry) {
    return entry->failed != 0 && entry->answered == 0;
}

bool plan_differs(const struct plan *plan, size_t i) {
    const struct plan_entry *base = &plan->entries[0], *entry = &plan->entries[i];
    return i != 0 && entry->answered + entry->failed != 0 && base->answered + base->failed != 0 &&
           failed(entry) != failed(base);
}

static size_t take(struct plan *plan, size_t out[], size_t num, size_t out_max, size_t entry) {
    if (num == out_max || plan->begun == plan->budget) {
        return num;
    }
    plan->begun++;
    plan->entries[entry].begun++;
    out[num] = entry;
    return num + 1;
}

static void shuffle(struct plan *plan, size_t xs[], size_t num) {
    for (size_t i = num; i > 1; i--) {
        size_t j = (size_t)(plan_random(&plan->seed) % i), x = xs[i - 1];
        xs[i - 1] = xs[j];
        xs[j] = x;
    }
}

// unasked takes every entry from `first` on that was not asked yet, and leaves `again` connections.
static size_t unasked(struct plan *plan, size_t first, unsigned again, size_t out[], size_t num,
                      size_t out_max) {
    for (size_t i = first; i < plan->num && plan->begun + again < plan->budget; i++) {
        if (plan->entries[i].begun == 0) {
            num = take(plan, out, num, out_max, i);
        }
    }
    return num;
}

// is_followed returns whether an entry made a difference that a control tells more about.
static bool is_followed(const struct plan *plan, size_t i) {
    enum probe_follow follow = plan->entries[i].pick.probe->follow;
    enum probe_follow other = failed(&plan->entries[0]) ? PROBE_FOLLOW_IN : PROBE_FOLLOW_OUT;
    return plan_differs(plan, i) && follow != PROBE_FOLLOW_NOTHING && follow != other;
}

// is_explained returns whether something narrower than the entry's factor makes the difference.
static bool is_explained(const struct plan *plan, size_t i) {
    bool any = false;
    for (size_t k = 1; k < plan->num; k++) {
        any |= !plan->entries[k].pick.probe->broad && is_followed(plan, k);
    }
    return any && plan->entries[i].pick.probe->broad;
}

// controls adds what holds the differences that were found against the control host.
static void controls(struct plan *plan) {
    for (size_t i = 1, num = plan->num; i < num; i++) {
        struct probe_pick pick = probe_pick_of("control");
        const struct probe *probe = plan->entries[i].pick.probe;
        if (!is_followed(plan, i) || is_explained(plan, i)) {
            continue;
        }
        if (probe->then != NULL) {
            const struct probe_pick then = probe_pick_of(probe->then);
            plan_add(plan, &then);
        }
        if (probe->follow == PROBE_FOLLOW_NAME) {
            const struct probe_pick elsewhere = probe_pick_of("other-address");
            plan_add(plan, &elsewhere);
            probe = probe_pick_of("nonce-name").probe;
        } else {
            plan_add(plan, &pick);
        }
        snprintf(pick.argument, sizeof(pick.argument), "%s", probe->name);
        plan_add(plan, &pick);
    }
}

// repeats takes the base and what came out otherwise than it, in turn, until each was asked often
// enough.
static size_t repeats(struct plan *plan, size_t out[], size_t num, size_t out_max) {
    size_t before;
    do {
        before = num;
        for (size_t i = 0; i < plan->num; i++) {
            const struct plan_entry *entry = &plan->entries[i];
            bool again = i == 0 || (plan_differs(plan, i) && !entry->pick.probe->once);
            if (again && entry->begun < plan->repeats && entry->begun != 0) {
                num = take(plan, out, num, out_max, i);
            }
        }
    } while (num != before);
    return num;
}

size_t plan_next(struct plan *plan, size_t out[], size_t out_max) {
    size_t num = 0, before = plan->num;
    switch (plan->round++) {
    case 0:
        return take(plan, out, 0, out_max, 0);
    case 1:
        num = unasked(plan, 1, plan->repeats > 1 ? plan->budget / 3 : 0, out, 0, out_max);
        if (num != 0) {
            break;
        }
        plan->round++;
        // fall through
    case 2:
        if (strcmp(plan->entries[0].failure, "unreachable") == 0) {
            return 0; // there is nobody to ask
        }
        controls(plan);
        num = unasked(plan, before, 0, out, 0, out_max);
        num = repeats(plan, out, num, out_max);
        num = unasked(plan, 1, 0, out, num, out_max);
        break;
    default:
        return 0;
    }
    shuffle(plan, out, num);
    return num;
}

void plan_result(struct plan *plan, size_t i, const char *result) {
    struct plan_entry *entry = &plan->entries[i];
    if (strcmp(result, "unfinished") == 0) {
        return;
    }
    if (strcmp(result, "answered") == 0) {
        entry->answered++;
    } else {
        if (entry->failed++ == 0) {
            snprintf(entry->failure, sizeof(entry->failure), "%s", result);
        }
    }
}
