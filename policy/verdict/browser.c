#include "policy/verdict/browser.h"

#include <string.h>

#include "logs/base/buf.h"
#include "logs/base/check.h"
#include "policy/verdict/claim.h"

enum trait_kind { TRAIT_ONLY, TRAIT_NEVER, TRAIT_ALL, TRAIT_GREASE, TRAIT_NO_GREASE };
enum trait_when { WHEN_ANY, WHEN_OLD, WHEN_NEW };
enum trait_weight { WEIGHT_IMPOSSIBLE, WEIGHT_UNLIKELY, WEIGHT_SETTING };

enum { CODES_END = 0xffffff, MISFITS_MAX = 12, ITEMS_MAX = 6, VALUE_MAX = 1024 };

// struct trait is one thing that is known of the hellos of a client.
struct trait {
    enum claim_family family;
    int from, to;
    enum trait_kind kind;
    enum trait_when when;
    enum trait_weight weight;
    enum field field;
    const char *says;
    const int *codes; // ended by CODES_END
};

static const struct trait traits[] = {
#define TRAIT(who, first, last, what, time, sure, list, text, ...)                                 \
    {.family = CLAIM_##who,                                                                        \
     .from = (first),                                                                              \
     .to = (last),                                                                                 \
     .kind = TRAIT_##what,                                                                         \
     .when = WHEN_##time,                                                                          \
     .weight = WEIGHT_##sure,                                                                      \
     .field = F_LEG_##list,                                                                        \
     .says = (text),                                                                               \
     .codes = (const int[]){__VA_ARGS__, CODES_END}},
#include "policy/verdict/browsers.inc"
#undef TRAIT
};

enum known_kind { KNOWN_ANTIVIRUS, KNOWN_GATEWAY, KNOWN_TOOL, KNOWN_LIBRARY };

static const char *const known_kinds[] = {"antivirus", "gateway", "tool", "library"};

static const struct {
    enum known_kind kind;
    const char *name, *pattern;
} knowns[] = {
#define KNOWN(kind, name, pattern) {KNOWN_##kind, name, pattern},
#include "policy/verdict/known_hellos.inc"
#undef KNOWN
};

// struct hello is what is asked of a hello more than once.
struct hello {
    const struct obj *leg;
    bool old, new;
};

static bool is_13(uint16_t version) {
    return version == 0x0304 || version >> 8 == 0x7f || version >> 8 == 0xfb;
}

static void hello_init(struct hello *out, const struct obj *leg) {
    *out = (struct hello){.leg = leg};
    for (size_t i = 0; i < obj_num(leg, F_LEG_OFFER_VERSIONS); i++) {
        uint16_t version = obj_code(leg, F_LEG_OFFER_VERSIONS, i);
        out->old = out->old || (version >= 0x0300 && version <= 0x0303);
        out->new = out->new || is_13(version);
    }
}

static bool among(const int *codes, int code) {
    while (*codes != CODES_END && *codes != code) {
        codes++;
    }
    return *codes == code;
}

// holds returns whether the list holds `code`; a draft of TLS 1.3 counts as TLS 1.3.
static bool holds(const struct hello *hello, enum field field, int code) {
    if (field == F_LEG_OFFER_VERSIONS && code == 0x0304) {
        return hello->new;
    }
    return obj_has_code(hello->leg, field, (uint16_t)code);
}

// struct found gathers the items that a trait objects to, as text.
struct found {
    struct buf *text;
    const struct trait *trait;
    size_t num;
};

static void found_add(struct found *found, uint16_t code) {
    char name[CODEPOINT_NAME_MAX];
    if (found->num < ITEMS_MAX) {
        (void)buf_printf(found->text, "%s%s", found->num != 0 ? ", " : "",
                         codepoint_name(field_row(found->trait->field)->extra, code, name));
    } else if (found->num == ITEMS_MAX) {
        (void)buf_printf(found->text, ", …");
    }
    found->num++;
}

static void find_offered(struct found *found, const struct hello *hello) {
    const struct trait *trait = found->trait;
    enum registry registry = field_row(trait->field)->extra;
    for (size_t i = 0; i < obj_num(hello->leg, trait->field); i++) {
        uint16_t code = obj_code(hello->leg, trait->field, i);
        bool listed = among(trait->codes, code);
        if (listed == (trait->kind == TRAIT_NEVER) && !codepoint_is_grease(registry, code)) {
            found_add(found, code);
        }
    }
}

static void find_missing(struct found *found, const struct hello *hello) {
    for (const int *code = found->trait->codes; *code != CODES_END; code++) {
        if (!holds(hello, found->trait->field, *code)) {
            if (found->num == 0) {
                (void)buf_printf(found->text, "without ");
            }
            found_add(found, (uint16_t)*code);
        }
    }
}

// Whoever sends GREASE has some among the suites.
static void find_grease(struct found *found, const struct hello *hello) {
    bool grease = false;
    for (size_t i = 0; !grease && i < obj_num(hello->leg, F_LEG_OFFER_CIPHERS); i++) {
        uint16_t suite = obj_code(hello->leg, F_LEG_OFFER_CIPHERS, i);
        grease = codepoint_is_grease(REGISTRY_CIPHER, suite);
    }
    if (grease == (found->trait->kind == TRAIT_NO_GREASE)) {
        (void)buf_printf(found->text, grease ? "GREASE" : "without GREASE");
        found->num++;
    }
}

// list_known returns whether the list of `field` was seen, or is known not to be there.
static bool list_known(const struct hello *hello, enum field field) {
    enum { EXTENSION_GROUPS = 10 };
    bool extensions = obj_has(hello->leg, F_LEG_OFFER_EXTENSIONS);
    bool groups = obj_has_code(hello->leg, F_LEG_OFFER_EXTENSIONS, EXTENSION_GROUPS);
    return obj_has(hello->leg, field) || (field == F_LEG_OFFER_GROUPS && extensions && !groups);
}

// applies returns whether `trait` is about every client that `claim` may be, and about this hello.
static bool applies(const struct trait *trait, const struct claim *claim,
                    const struct hello *hello) {
    if (trait->family != claim->family || claim->min < trait->from || claim->max > trait->to) {
        return false;
    }
    if (!list_known(hello, trait->field)) {
        return false;
    }
    return trait->when == WHEN_ANY || (trait->when == WHEN_OLD ? hello->old : hello->new);
}

static void misfit_add(struct obj *claim, const struct trait *trait, const char *who,
                       const struct found *found) {
    struct obj *misfit = obj_add(claim, F_CLAIM_MISFITS);
    obj_set_str(misfit, F_MISFIT_FIELD, field_row(trait->field)->path);
    obj_set_strn(misfit, F_MISFIT_VALUE, buf_data(found->text), found->text->len);
    obj_set_strf(misfit, F_MISFIT_SAYS, "%s %s.", who, trait->says);
}

// struct score counts what did not fit, by its weight.
struct score {
    int impossible, unlikely, setting;
};

static void score_add(struct score *score, enum trait_weight weight) {
    score->impossible += weight == WEIGHT_IMPOSSIBLE;
    score->unlikely += weight == WEIGHT_UNLIKELY;
    score->setting += weight == WEIGHT_SETTING;
}

// traits_check counts what does not fit; with `out` not NULL it is told there.
static void traits_check(struct obj *out, struct score *score, const struct claim *claim,
                         const struct hello *hello) {
    struct buf text;
    buf_init(&text, VALUE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(traits); i++) {
        struct found found = {.text = &text, .trait = &traits[i]};
        if (!applies(&traits[i], claim, hello)) {
            continue;
        }
        if (traits[i].kind == TRAIT_ALL) {
            find_missing(&found, hello);
        } else if (traits[i].kind == TRAIT_ONLY || traits[i].kind == TRAIT_NEVER) {
            find_offered(&found, hello);
        } else {
            find_grease(&found, hello);
        }
        if (found.num != 0) {
            score_add(score, traits[i].weight);
        }
        if (found.num != 0 && out != NULL && obj_num(out, F_CLAIM_MISFITS) < MISFITS_MAX) {
            misfit_add(out, &traits[i], claim->name, &found);
        }
        buf_consume(&text, text.len);
    }
    buf_cleanup(&text);
}

// No browser since 2006 wrote its hello in the format of SSL 2.0.
static void format_check(struct obj *out, struct score *score, const struct claim *claim,
                         const struct hello *hello) {
    if (obj_is(hello->leg, F_LEG_OFFER_SSLV2, true)) {
        struct obj *misfit = obj_add(out, F_CLAIM_MISFITS);
        obj_set_str(misfit, F_MISFIT_FIELD, field_row(F_LEG_OFFER_SSLV2)->path);
        obj_set_str(misfit, F_MISFIT_VALUE, "true");
        obj_set_strf(misfit, F_MISFIT_SAYS, "%s does not write SSL 2.0's format.", claim->name);
        score->impossible++;
    }
}

// like returns whether `text` is of the form of `pattern`, in which * stands for anything.
static bool like(const char *pattern, const char *text) {
    const char *star = NULL, *resume = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

// browser_find tells a browser that goes by another's name, as developers have it do: its hello
// fits that of a browser of today in everything. A box's would not.
static bool browser_find(struct obj *out, const struct hello *hello) {
    static const struct claim browsers[] = {
        {.family = CLAIM_CHROMIUM, .min = 150, .max = 150, .name = "Chromium"},
        {.family = CLAIM_FIREFOX, .min = 150, .max = 150, .name = "Firefox"},
        {.family = CLAIM_SAFARI, .min = 26, .max = 26, .name = "Safari"},
    };
    bool modern = hello->new && !obj_is(hello->leg, F_LEG_OFFER_SSLV2, true);
    for (size_t i = 0; i < ARRAY_LEN(browsers) && modern; i++) {
        struct score score = {0};
        traits_check(NULL, &score, &browsers[i], hello);
        if (score.impossible + score.unlikely == 0) {
            obj_set_str(out, F_CLAIM_LIKE, browsers[i].name);
            obj_set_str(out, F_CLAIM_LIKE_KIND, "browser");
            return true;
        }
    }
    return false;
}

static void known_find(struct obj *claim, const struct obj *leg) {
    const char *text = obj_str(leg, F_LEG_JA3_RAW);
    for (size_t i = 0; text != NULL && i < ARRAY_LEN(knowns); i++) {
        if (like(knowns[i].pattern, text)) {
            obj_set_str(claim, F_CLAIM_LIKE, knowns[i].name);
            obj_set_str(claim, F_CLAIM_LIKE_KIND, known_kinds[knowns[i].kind]);
            return;
        }
    }
}

void browser_judge(struct obj *root) {
    const char *user_agent = obj_str(root, F_RECORD_USER_AGENT);
    const struct obj *leg = obj_get(root, F_RECORD_LEG_CLIENT);
    struct claim claim;
    struct hello hello;
    struct score score = {0};
    obj_unset(root, F_RECORD_CLAIM);
    if (user_agent == NULL || !obj_has(leg, F_LEG_OFFER_CIPHERS) ||
        !obj_has(leg, F_LEG_OFFER_VERSIONS) || !claim_read(&claim, user_agent)) {
        return;
    }
    struct obj *out = obj_sub(root, F_RECORD_CLAIM);
    obj_set_str(out, F_CLAIM_CLIENT, claim.name);
    obj_set_str(out, F_CLAIM_ENGINE, claim_engine(claim.family));
    hello_init(&hello, leg);
    traits_check(out, &score, &claim, &hello);
    format_check(out, &score, &claim, &hello);
    bool misfit = score.impossible != 0 || score.unlikely >= 2;
    if (misfit || score.unlikely + score.setting == 0) {
        obj_set_int(out, F_CLAIM_FITS, !misfit);
    }
    if (misfit && !browser_find(out, &hello)) {
        known_find(out, leg);
    }
}
