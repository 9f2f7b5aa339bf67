#include "policy/profiles/knob_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "policy/config/closest.h"
#include "policy/profiles/profile.h"

enum { TEXT_MAX = 8 * 1024, DAY_SECONDS = 24 * 60 * 60, DATE_MAX_DAYS = 100 * 366 };

// All lists of a profile have this layout.
struct list {
    void *items;
    size_t num;
};

_Static_assert(sizeof(struct list) == sizeof(struct profile_strings), "lists are alike");
_Static_assert(sizeof(struct list) == sizeof(struct profile_codes), "lists are alike");
_Static_assert(sizeof(struct list) == sizeof(struct cert_knob_strings), "lists are alike");
_Static_assert(sizeof(enum profile_tri) == sizeof(int), "words are ints");

// What a type takes, where neither words nor bounds say it; of a list, what one item is.
static const char *const EXPECTED[] = {
    [KNOB_BOOL] = "true or false",
    [KNOB_NOT] = "true or false",
    [KNOB_TRI] = "true or false",
    [KNOB_SERIAL] = "a number in hexadecimal such as \"0x1f\"",
    [KNOB_PROBABILITY] = "a number from 0 to 1",
    [KNOB_DATE] = "\"auto\", \"copy\", \"ca\" or a time from now such as \"-1d\", \"+12h\", \"0s\"",
    [KNOB_VERSION] = "\"any\", \"1.0\", \"1.1\", \"1.2\" or \"1.3\"",
    [KNOB_ALERT] = "an alert other than close_notify, such as \"illegal_parameter\" or 47",
    [KNOB_TEXT] = "a string that is not empty",
    [KNOB_TEXTS] = "a string that is not empty",
    [KNOB_GLOBS] = "a name or glob such as \"*.example.test\"",
    [KNOB_ATTRIBUTES] = "an attribute of C, ST, L, O, OU, CN and their kin such as \"CN=Box CA\"",
    [KNOB_HASHES] = "a SHA-256 of 64 hexadecimal digits",
    [KNOB_EXTENSIONS] = "\"basic_constraints\", \"key_usage\", \"ext_key_usage\", "
                        "\"subject_key_id\", \"authority_key_id\", \"san\", \"crl\", \"ocsp\" or "
                        "\"scts\"",
    [KNOB_SYMPTOMS] = "an object with a sentence for each client",
    [KNOB_INSIDE] = "an object",
    [KNOB_REACTIONS] = "an object",
};

static const struct {
    const char *text;
    uint16_t code;
} VERSIONS[] = {{"any", 0}, {"1.0", 0x0301}, {"1.1", 0x0302}, {"1.2", 0x0303}, {"1.3", 0x0304}};

static bool is_list(enum knob_type type) {
    return (type >= KNOB_TEXTS && type <= KNOB_CODES) || type == KNOB_REACTIONS;
}

static void expected_item(char out[KNOB_EXPECTED_MAX], const struct knob *knob) {
    static const char *const CODES[REGISTRY_COUNT] = {
        [REGISTRY_VERSION] = "a TLS version",
        [REGISTRY_CIPHER] = "a cipher suite",
        [REGISTRY_GROUP] = "a group",
        [REGISTRY_SIGNATURE_SCHEME] = "a signature algorithm",
        [REGISTRY_EXTENSION] = "an extension",
        [REGISTRY_COMPRESSION_METHOD] = "a compression method",
        [REGISTRY_POINT_FORMAT] = "a point format",
    };
    switch (knob->type) {
    case KNOB_CODES:
        snprintf(out, KNOB_EXPECTED_MAX, "%s, by its name or as \"0x0a0b\"", CODES[knob->inside]);
        return;
    case KNOB_NUMBER:
    case KNOB_BYTE:
    case KNOB_SHORT:
        snprintf(out, KNOB_EXPECTED_MAX, "a number from %u to %u", knob->min, knob->max);
        return;
    case KNOB_WORD:
        break;
    default:
        snprintf(out, KNOB_EXPECTED_MAX, "%s", EXPECTED[knob->type]);
        return;
    }
    size_t len = 0;
    for (size_t i = 0; knob->words[i] != NULL; i++) {
        const char *before = i == 0 ? "" : knob->words[i + 1] != NULL ? ", " : " or ";
        int n = snprintf(out + len, KNOB_EXPECTED_MAX - len, "%s\"%s\"", before, knob->words[i]);
        CHECK(n > 0 && (size_t)n < KNOB_EXPECTED_MAX - len);
        len += (size_t)n;
    }
}

void knob_expected(char out[KNOB_EXPECTED_MAX], const struct knob *knob) {
    char item[KNOB_EXPECTED_MAX];
    expected_item(item, knob);
    int n = snprintf(out, KNOB_EXPECTED_MAX, "%s%s",
                     is_list(knob->type) ? "a list, each item " : "", item);
    CHECK(n > 0 && n < KNOB_EXPECTED_MAX);
}

// refuse says that a value or an item is not what was expected; `why` may be empty.
static bool refuse(struct reader *reader, const struct knob *knob, const json_t *found,
                   const char *why) {
    char expected[KNOB_EXPECTED_MAX], shown[READER_SHOW_MAX];
    expected_item(expected, knob);
    reader_show(shown, found);
    return reader_refuse(reader, "expected %s, found %s%s%s", expected, shown,
                         why[0] != '\0' ? "; " : "", why);
}

static bool read_word(struct reader *reader, int *to, const struct knob *knob, const json_t *json) {
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    struct closest closest = {.word = text};
    for (int i = 0; knob->words[i] != NULL; i++) {
        if (strcmp(knob->words[i], text) == 0) {
            *to = i;
            return true;
        }
        closest_offer(&closest, knob->words[i]);
    }
    char why[READER_SHOW_MAX] = "";
    if (closest.name != NULL) {
        snprintf(why, sizeof(why), "did you mean \"%s\"?", closest.name);
    }
    return refuse(reader, knob, json, why);
}

static bool read_number(struct reader *reader, char *to, const struct knob *knob,
                        const json_t *json) {
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < knob->min || value > knob->max) {
        return refuse(reader, knob, json, "");
    }
    uint32_t number = (uint32_t)value;
    if (knob->type == KNOB_BYTE) {
        *(uint8_t *)to = (uint8_t)number;
    } else if (knob->type == KNOB_SHORT) {
        *(uint16_t *)to = (uint16_t)number;
    } else {
        *(uint32_t *)to = number;
    }
    return true;
}

static bool read_serial(struct reader *reader, uint64_t *to, const struct knob *knob,
                        const json_t *json) {
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    size_t len = strlen(digits);
    if (len == 0 || len > 16 || strspn(digits, "0123456789abcdefABCDEF") != len) {
        return refuse(reader, knob, json, "");
    }
    *to = strtoull(digits, NULL, 16);
    return true;
}

// unit_seconds returns the seconds of a unit of time, or 0.
static int64_t unit_seconds(const char *unit) {
    static const struct {
        const char *unit;
        int64_t seconds;
    } UNITS[] = {{"s", 1}, {"m", 60}, {"h", 60 * 60}, {"d", DAY_SECONDS}};
    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        if (strcmp(UNITS[i].unit, unit) == 0) {
            return UNITS[i].seconds;
        }
    }
    return 0;
}

static bool read_date(struct reader *reader, struct cert_knob_date *to, const struct knob *knob,
                      const json_t *json) {
    static const char *const FROM[] = {
        [CERT_KNOB_DATE_AUTO] = "auto", [CERT_KNOB_DATE_COPY] = "copy", [CERT_KNOB_DATE_CA] = "ca"};
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    for (size_t i = 0; i < ARRAY_LEN(FROM); i++) {
        if (FROM[i] != NULL && strcmp(FROM[i], text) == 0) {
            *to = (struct cert_knob_date){.from = (enum cert_knob_date_from)i};
            return true;
        }
    }
    const char *digits = text + (*text == '-' || *text == '+');
    size_t len = strspn(digits, "0123456789");
    int64_t unit = unit_seconds(digits + len);
    int64_t number = len > 0 && len < 12 ? strtoll(digits, NULL, 10) : 0;
    if (len == 0 || len >= 12 || unit == 0 ||
        number * unit > (int64_t)DATE_MAX_DAYS * DAY_SECONDS) {
        return refuse(reader, knob, json, len >= 12 ? "at most a hundred years" : "");
    }
    int64_t seconds = number * unit;
    *to = (struct cert_knob_date){CERT_KNOB_DATE_NOW, *text == '-' ? -seconds : seconds};
    return true;
}

static bool read_version(struct reader *reader, uint16_t *to, const struct knob *knob,
                         const json_t *json) {
    for (size_t i = 0; json_is_string(json) && i < ARRAY_LEN(VERSIONS); i++) {
        if (strcmp(VERSIONS[i].text, json_string_value(json)) == 0) {
            *to = VERSIONS[i].code;
            return true;
        }
    }
    return refuse(reader, knob, json, "");
}

static bool read_alert(struct reader *reader, uint8_t *to, const struct knob *knob,
                       const json_t *json) {
    json_int_t number = json_integer_value(json);
    uint16_t code;
    if (json_is_string(json) && codepoint_parse(REGISTRY_ALERT, &code, json_string_value(json)) &&
        code > 0 && code <= UINT8_MAX) {
        *to = (uint8_t)code;
        return true;
    }
    if (!json_is_integer(json) || number < 1 || number > UINT8_MAX) {
        return refuse(reader, knob, json, "");
    }
    *to = (uint8_t)number;
    return true;
}

// text_fault returns why `text` is no value of a knob that holds text, or NULL.
static const char *text_fault(enum knob_type type, const char *text) {
#define ATTRIBUTE_TEXT(name, kind) name "=",
    static const char *const ATTRIBUTES[] = {CERT_KNOB_ATTRIBUTES(ATTRIBUTE_TEXT)};
#undef ATTRIBUTE_TEXT
    size_t len = strlen(text);
    if (len == 0 || len > TEXT_MAX) {
        return len == 0 ? "" : "it is too long";
    }
#define EXTENSION_TEXT(name, word) word,
    static const char *const EXTENSIONS[] = {CERT_KNOB_EXTENSIONS(EXTENSION_TEXT)};
#undef EXTENSION_TEXT
    switch (type) {
    case KNOB_EXTENSIONS:
        for (size_t i = 0; i < ARRAY_LEN(EXTENSIONS); i++) {
            if (strcmp(EXTENSIONS[i], text) == 0) {
                return NULL;
            }
        }
        return "";
    case KNOB_HASHES:
        return len == 64 && strspn(text, "0123456789abcdef") == len ? NULL : "";
    case KNOB_GLOBS:
        for (const char *p = text; *p != '\0'; p++) {
            if (*p >= 'A' && *p <= 'Z') {
                return "it is compared in lower case";
            }
        }
        return NULL;
    case KNOB_ATTRIBUTES:
        for (size_t i = 0; i < ARRAY_LEN(ATTRIBUTES); i++) {
            size_t name_len = strlen(ATTRIBUTES[i]);
            if (strncmp(text, ATTRIBUTES[i], name_len) == 0 && text[name_len] != '\0') {
                // RFC 5280 appendix A.1, ub-common-name and its like.
                return len - name_len > 64 ? "64 bytes at most" : NULL;
            }
        }
        return "";
    default:
        return NULL;
    }
}

static bool read_text(struct reader *reader, char **to, const struct knob *knob,
                      const json_t *json) {
    const char *fault = json_is_string(json) ? text_fault(knob->type, json_string_value(json)) : "";
    if (fault != NULL) {
        return refuse(reader, knob, json, fault);
    }
    *to = arena_dup(reader->arena, json_string_value(json), json_string_length(json));
    return true;
}

static bool read_code(struct reader *reader, uint16_t *to, const struct knob *knob,
                      const json_t *json) {
    return (json_is_string(json) &&
            codepoint_parse((enum registry)knob->inside, to, json_string_value(json))) ||
           refuse(reader, knob, json, "");
}

static bool read_item(struct reader *reader, char *to, const struct knob *knob, json_t *json) {
    switch (knob->type) {
    case KNOB_CODES:
        return read_code(reader, (uint16_t *)(void *)to, knob, json);
    case KNOB_REACTIONS:
        return knob_read_object(reader, to, KNOB_REACTION, json);
    default:
        return read_text(reader, (char **)(void *)to, knob, json);
    }
}

static bool read_list(struct reader *reader, char *to, const struct knob *knob, json_t *json) {
    size_t num = json_array_size(json), size = sizeof(char *), max = PROFILE_MAX_LIST;
    if (knob->type == KNOB_CODES) {
        size = sizeof(uint16_t);
    } else if (knob->type == KNOB_REACTIONS) {
        size = knob_set(KNOB_REACTION)->size;
        max = PROFILE_MAX_REACTIONS;
    }
    if (!json_is_array(json) || num > max) {
        char expected[KNOB_EXPECTED_MAX], shown[READER_SHOW_MAX];
        knob_expected(expected, knob);
        reader_show(shown, json);
        return reader_refuse(reader, "expected %s, at most %zu, found %s", expected, max, shown);
    }
    struct list list = {num == 0 ? NULL : arena_alloc(reader->arena, num * size), num};
    for (size_t i = 0; i < num; i++) {
        size_t back = reader_enter_item(reader, i);
        if (!read_item(reader, (char *)list.items + i * size, knob, json_array_get(json, i))) {
            return false;
        }
        reader_leave(reader, back);
    }
    memcpy(to, &list, sizeof(list));
    return true;
}

static bool read_symptoms(struct reader *reader, char **to, const struct knob *knob, json_t *json) {
    if (!json_is_object(json)) {
        return refuse(reader, knob, json, "");
    }
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        size_t back = reader_enter_key(reader, name), i = 0;
        struct closest closest = {.word = name};
        while (i < PROFILE_NUM_CLIENTS && strcmp(profile_client_name(i), name) != 0) {
            closest_offer(&closest, profile_client_name(i++));
        }
        if (i == PROFILE_NUM_CLIENTS) {
            return reader_refuse(reader,
                                 "expected one of curl, gnutls, chromium, firefox, java, "
                                 "python, node and go%s%s",
                                 closest.name != NULL ? "; did you mean " : "",
                                 closest.name != NULL ? closest.name : "");
        }
        static const struct knob sentence = {.type = KNOB_TEXT};
        if (!read_text(reader, &to[i], &sentence, value)) {
            return false;
        }
        reader_leave(reader, back);
    }
    return true;
}

static bool read_probability(struct reader *reader, double *to, const struct knob *knob,
                             const json_t *json) {
    double value = json_number_value(json);
    if (!json_is_number(json) || !(value >= 0 && value <= 1)) {
        return refuse(reader, knob, json, "");
    }
    *to = value;
    return true;
}

static bool read_bool(struct reader *reader, void *to, const struct knob *knob,
                      const json_t *json) {
    if (!json_is_boolean(json)) {
        return refuse(reader, knob, json, "");
    }
    if (knob->type == KNOB_TRI) {
        *(int *)to = json_is_true(json) ? PROFILE_YES : PROFILE_NO;
    } else {
        *(bool *)to = json_is_true(json) == (knob->type == KNOB_BOOL);
    }
    return true;
}

static bool read_value(struct reader *reader, void *to, const struct knob *knob, json_t *json) {
    switch (knob->type) {
    case KNOB_BOOL:
    case KNOB_NOT:
    case KNOB_TRI:
        return read_bool(reader, to, knob, json);
    case KNOB_WORD:
        return read_word(reader, to, knob, json);
    case KNOB_NUMBER:
    case KNOB_BYTE:
    case KNOB_SHORT:
        return read_number(reader, to, knob, json);
    case KNOB_SERIAL:
        return read_serial(reader, to, knob, json);
    case KNOB_PROBABILITY:
        return read_probability(reader, to, knob, json);
    case KNOB_DATE:
        return read_date(reader, to, knob, json);
    case KNOB_VERSION:
        return read_version(reader, to, knob, json);
    case KNOB_ALERT:
        return read_alert(reader, to, knob, json);
    case KNOB_TEXT:
        return read_text(reader, to, knob, json);
    case KNOB_SYMPTOMS:
        return read_symptoms(reader, to, knob, json);
    case KNOB_INSIDE:
        return knob_read_object(reader, to, (enum knob_object)knob->inside, json);
    default:
        return read_list(reader, to, knob, json);
    }
}

static bool refuse_key(struct reader *reader, enum knob_object object, const char *name) {
    const struct knob_set *set = knob_set(object);
    struct closest closest = {.word = name};
    for (size_t i = 0; i < set->num; i++) {
        closest_offer(&closest, set->knobs[i].name);
    }
    reader_enter_key(reader, name);
    return closest.name != NULL
               ? reader_refuse(reader, "unknown key of %s; did you mean \"%s\"?", set->noun,
                               closest.name)
               : reader_refuse(reader, "unknown key of %s; 'tlsblame profiles keys' lists them",
                               set->noun);
}

bool knob_read_object(struct reader *reader, void *to, enum knob_object object, json_t *json) {
    if (!reader_expect_object(reader, json)) {
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        const struct knob *knob = knob_find(object, name);
        if (knob == NULL) {
            return refuse_key(reader, object, name);
        }
        size_t back = reader_enter_key(reader, name);
        if (!read_value(reader, (char *)to + knob->at, knob, value)) {
            return false;
        }
        reader_leave(reader, back);
    }
    return true;
}
