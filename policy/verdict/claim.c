#include "policy/verdict/claim.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"

struct row {
    enum claim_family family;
    const char *token, *version_after, *name;
};

static const struct row rows[] = {
#define CLAIM(family, token, after, name) {CLAIM_##family, token, after, name},
#include "policy/verdict/claims.inc"
#undef CLAIM
};

// The words of people. Opera's own engine, up to 12, has rows nowhere: it is gone.
static const struct {
    const char *word;
    enum claim_family family;
    const char *name;
} words[] = {
    {"chrome", CLAIM_CHROMIUM, "Chrome"},
    {"chrome mobile", CLAIM_CHROMIUM, "Chrome"},
    {"google chrome", CLAIM_CHROMIUM, "Chrome"},
    {"chromium", CLAIM_CHROMIUM, "Chromium"},
    {"opera", CLAIM_CHROMIUM, "Opera"},
    {"firefox", CLAIM_FIREFOX, "Firefox"},
    {"mozilla firefox", CLAIM_FIREFOX, "Firefox"},
    {"safari", CLAIM_SAFARI, "Safari"},
    {"mobile safari", CLAIM_SAFARI, "Safari"},
    {"ie", CLAIM_SCHANNEL, "Internet Explorer"},
    {"internet explorer", CLAIM_SCHANNEL, "Internet Explorer"},
    {"msie", CLAIM_SCHANNEL, "Internet Explorer"},
    {"edge", CLAIM_SCHANNEL, "Edge"},
};

enum { AGENT_MAX = 512 };
enum { EDGE_CHROMIUM = 79, OPERA_CHROMIUM = 15, ANDROID_BORINGSSL = 40 };

// version_read reads the number at `s`; false where there is none.
static bool version_read(struct claim *claim, const char *s) {
    if (!isdigit((unsigned char)*s)) {
        return false;
    }
    long version = strtol(s, NULL, 10);
    if (version > CLAIM_VERSION_MAX) {
        return false;
    }
    claim->min = claim->max = (int)version;
    return true;
}

static bool claim_name(struct claim *claim, const char *name) {
    if (claim->min == claim->max) {
        snprintf(claim->name, sizeof(claim->name), "%s %d", name, claim->min);
    } else {
        snprintf(claim->name, sizeof(claim->name), "%s", name);
    }
    return true;
}

static bool is_browser(enum claim_family family) {
    return family >= CLAIM_CHROMIUM && family <= CLAIM_SCHANNEL;
}

// trident_version tells the browser behind a compatibility mode, which calls itself MSIE 7.
static void trident_version(struct claim *claim, const char *user_agent) {
    const char *trident = strstr(user_agent, "trident/");
    struct claim engine;
    if (trident != NULL && version_read(&engine, trident + strlen("trident/"))) {
        claim->min = claim->max = engine.min + 4;
    }
}

static bool row_read(struct claim *out, const struct row *row, const char *user_agent) {
    const char *after = row->version_after != NULL ? row->version_after : row->token;
    const char *at = strstr(user_agent, after);
    bool known = at != NULL && version_read(out, at + strlen(after));
    if (!known && is_browser(row->family)) {
        return false; // no browser hides its version
    }
    if (row->family == CLAIM_SCHANNEL && strcmp(row->token, "msie ") == 0) {
        trident_version(out, user_agent);
    }
    // Before BoringSSL, Chrome used another library on Android than elsewhere.
    if (row->family == CLAIM_CHROMIUM && out->min < ANDROID_BORINGSSL &&
        strstr(user_agent, "android") != NULL) {
        return false;
    }
    return claim_name(out, row->name);
}

// word_version reads what people write after the name of a browser: nothing, or a number.
static bool word_version(struct claim *out, const char *s) {
    s += strspn(s, " -/_");
    out->min = 0;
    out->max = CLAIM_VERSION_MAX;
    return *s == '\0' || version_read(out, s);
}

// word_adjust tells which Chromium is inside: Opera counts differently, and by no fixed number.
static bool word_adjust(struct claim *out, const char *word) {
    bool known = out->min == out->max;
    if (strcmp(word, "edge") == 0) {
        out->family = known && out->min >= EDGE_CHROMIUM ? CLAIM_CHROMIUM : out->family;
        return known;
    }
    if (strcmp(word, "opera") == 0) {
        if (!known || out->min < OPERA_CHROMIUM) {
            return false;
        }
        out->max = out->min + 15;
        out->min += 12;
    }
    return true;
}

static bool words_read(struct claim *out, const char *text) {
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].word);
        if (strncmp(text, words[i].word, len) != 0 || !word_version(out, text + len)) {
            continue;
        }
        claim_name(out, words[i].name);
        out->family = words[i].family;
        return word_adjust(out, words[i].word);
    }
    return false;
}

const char *claim_engine(enum claim_family family) {
    static const char *const engines[] = {"",         "chromium", "firefox", "safari",
                                          "schannel", "go",       "java",    "python"};
    CHECK((size_t)family < ARRAY_LEN(engines));
    return engines[family];
}

// lower copies what fits of `text`: the tokens are in lower case.
static void lower(char out[AGENT_MAX], const char *text) {
    size_t i = 0;
    for (; i + 1 < AGENT_MAX && text[i] != '\0'; i++) {
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    out[i] = '\0';
}

bool claim_read(struct claim *out, const char *text) {
    char user_agent[AGENT_MAX];
    lower(user_agent, text);
    *out = (struct claim){.family = CLAIM_NONE, .max = CLAIM_VERSION_MAX};
    if (words_read(out, user_agent)) {
        return true;
    }
    bool mozilla = strncmp(user_agent, "mozilla/", 8) == 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        // Browsers begin with "Mozilla/", and nothing that they say makes them a program.
        bool apt = rows[i].family == CLAIM_NONE || is_browser(rows[i].family) == mozilla;
        if (apt && strstr(user_agent, rows[i].token) != NULL) {
            *out = (struct claim){.family = rows[i].family, .max = CLAIM_VERSION_MAX};
            return rows[i].family != CLAIM_NONE && row_read(out, &rows[i], user_agent);
        }
    }
    return false;
}
