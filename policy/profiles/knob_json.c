// Knobs back into JSON.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/codepoint.h"
#include "policy/profiles/knob_value.h"
#include "policy/profiles/profile.h"

static json_t *date_json(const struct cert_knob_date *date) {
    static const struct {
        int64_t seconds;
        char unit;
    } UNITS[] = {{24 * 60 * 60, 'd'}, {60 * 60, 'h'}, {60, 'm'}, {1, 's'}};
    switch (date->from) {
    case CERT_KNOB_DATE_AUTO:
        return json_string("auto");
    case CERT_KNOB_DATE_COPY:
        return json_string("copy");
    case CERT_KNOB_DATE_CA:
        return json_string("ca");
    case CERT_KNOB_DATE_NOW:
        break;
    }
    if (date->seconds == 0) {
        return json_string("0s");
    }
    size_t i = 0;
    while (date->seconds % UNITS[i].seconds != 0) {
        i++;
    }
    char text[32];
    snprintf(text, sizeof(text), "%+" PRId64 "%c", date->seconds / UNITS[i].seconds, UNITS[i].unit);
    return json_string(text);
}

static json_t *version_json(uint16_t version) {
    static const char *const NAMES[] = {"1.0", "1.1", "1.2", "1.3"};
    return json_string(version == 0 ? "any" : NAMES[version - 0x0301]);
}

static json_t *codes_json(const struct profile_codes *codes, enum registry registry) {
    json_t *json = json_array();
    CHECK(json != NULL);
    for (size_t i = 0; i < codes->num; i++) {
        char name[CODEPOINT_NAME_MAX];
        const char *text = codepoint_name(registry, codes->ids[i], name);
        CHECK(json_array_append_new(json, json_string(text)) == 0);
    }
    return json;
}

static json_t *strings_json(const struct profile_strings *strings) {
    json_t *json = json_array();
    CHECK(json != NULL);
    for (size_t i = 0; i < strings->num; i++) {
        CHECK(json_array_append_new(json, json_string(strings->items[i])) == 0);
    }
    return json;
}

static json_t *symptoms_json(char *const *symptoms) {
    json_t *json = json_object();
    CHECK(json != NULL);
    for (size_t i = 0; i < PROFILE_NUM_CLIENTS; i++) {
        if (symptoms[i] != NULL) {
            CHECK(json_object_set_new(json, profile_client_name(i), json_string(symptoms[i])) == 0);
        }
    }
    return json;
}

// A list of objects: the pointer and the number lie one after the other, as in all lists.
static json_t *reactions_json(const void *from) {
    struct {
        const struct profile_reaction *items;
        size_t num;
    } list;
    memcpy(&list, from, sizeof(list));
    json_t *json = json_array();
    CHECK(json != NULL);
    for (size_t i = 0; i < list.num; i++) {
        CHECK(json_array_append_new(json, knob_object_json(&list.items[i], KNOB_REACTION)) == 0);
    }
    return json;
}

_Static_assert(offsetof(struct profile, num_reactions) ==
                   offsetof(struct profile, reactions) + sizeof(void *),
               "reactions are a list like the others");

static json_t *serial_json(uint64_t serial) {
    char text[32];
    snprintf(text, sizeof(text), "0x%" PRIx64, serial);
    return json_string(text);
}

static json_t *text_json(const char *text) { return text != NULL ? json_string(text) : NULL; }

// alert_json: 0 is close_notify, which is no failure, and so stands for none.
static json_t *alert_json(uint8_t alert) {
    if (alert == 0) {
        return NULL;
    }
    const struct codepoint *known = codepoint_find(REGISTRY_ALERT, alert);
    return known != NULL ? json_string(known->name) : json_integer(alert);
}

// value_json returns NULL for what is not there.
static json_t *value_json(const void *from, const struct knob *knob) {
    switch (knob->type) {
    case KNOB_BOOL:
    case KNOB_NOT:
        return json_boolean(*(const bool *)from == (knob->type == KNOB_BOOL));
    case KNOB_TRI: {
        enum profile_tri tri = *(const enum profile_tri *)from;
        return tri == PROFILE_ANY ? NULL : json_boolean(tri == PROFILE_YES);
    }
    case KNOB_WORD:
        return json_string(knob->words[*(const int *)from]);
    case KNOB_NUMBER:
        return json_integer(*(const uint32_t *)from);
    case KNOB_BYTE:
        return json_integer(*(const uint8_t *)from);
    case KNOB_SHORT:
        return json_integer(*(const uint16_t *)from);
    case KNOB_SERIAL:
        return serial_json(*(const uint64_t *)from);
    case KNOB_PROBABILITY:
        return json_real(*(const double *)from);
    case KNOB_DATE:
        return date_json(from);
    case KNOB_VERSION:
        return version_json(*(const uint16_t *)from);
    case KNOB_ALERT:
        return alert_json(*(const uint8_t *)from);
    case KNOB_TEXT:
        return text_json(*(char *const *)from);
    case KNOB_CODES:
        return codes_json(from, (enum registry)knob->inside);
    case KNOB_SYMPTOMS:
        return symptoms_json(from);
    case KNOB_INSIDE:
        return knob_object_json(from, (enum knob_object)knob->inside);
    case KNOB_REACTIONS:
        return reactions_json(from);
    case KNOB_TEXTS:
    case KNOB_GLOBS:
    case KNOB_ATTRIBUTES:
    case KNOB_HASHES:
    case KNOB_EXTENSIONS:
        break;
    }
    return strings_json(from);
}

json_t *knob_preset_json(const struct knob *knob) {
    // As large as the largest of them.
    static const struct profile zero;
    return value_json(&zero, knob);
}

json_t *knob_object_json(const void *from, enum knob_object object) {
    const struct knob_set *set = knob_set(object);
    json_t *json = json_object();
    CHECK(json != NULL);
    for (size_t i = 0; i < set->num; i++) {
        const struct knob *knob = &set->knobs[i];
        json_t *value = value_json((const char *)from + knob->at, knob);
        json_t *preset = knob_preset_json(knob);
        if (value != NULL && (preset == NULL || !json_equal(value, preset))) {
            CHECK(json_object_set(json, knob->name, value) == 0);
        }
        json_decref(value);
        json_decref(preset);
    }
    return json;
}
