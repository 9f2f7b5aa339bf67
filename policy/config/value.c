#include "policy/config/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/config/closest.h"
#include "policy/config/network.h"

enum { HOST_MAX = 253, PORT_MAX = 65535 };

// A value that is one of a few words. The first of a type's words is its zero.
struct word {
    const char *name;
    int value;
};

static const struct word ACTIONS[] = {{"intercept", ACTION_INTERCEPT},
                                      {"tunnel", ACTION_TUNNEL},
                                      {"refuse", ACTION_REFUSE},
                                      {"emulate", ACTION_EMULATE},
                                      {0}};

static const struct word ON_FAILURES[] = {
    {"mirror", ON_FAILURE_MIRROR}, {"alert", ON_FAILURE_ALERT}, {"page", ON_FAILURE_PAGE}, {0}};

static const struct word SECRETS[] = {
    {"handshake", SECRETS_HANDSHAKE}, {"none", SECRETS_NONE}, {"all", SECRETS_ALL}, {0}};

static const struct word VERSIONS[] = {{"any", 0},      {"1.0", 0x0301}, {"1.1", 0x0302},
                                       {"1.2", 0x0303}, {"1.3", 0x0304}, {0}};

static const struct word FORMS[] = {
#define LEAF_FORM(name, word, says) {word, LEAF_FORM_##name},
#include "logs/record/leaf_forms.inc"
#undef LEAF_FORM
    {0}};

const char *policy_action_name(enum policy_action action) { return ACTIONS[action].name; }

const char *policy_on_failure_name(enum policy_on_failure on_failure) {
    return ON_FAILURES[on_failure].name;
}

// A type reads into, and prints from, one value or one item of a list.
struct type {
    size_t item_size; // of a list; 0: no list
    const struct word *words;
    const char *expected; // where there are no words; of a list, one item
    bool (*read)(struct reader *reader, void *to, const struct key *key, const json_t *json);
    json_t *(*json)(const void *from, const struct key *key);
};

static bool read_bool(struct reader *, void *, const struct key *, const json_t *);
static bool read_word(struct reader *, void *, const struct key *, const json_t *);
static bool read_version(struct reader *, void *, const struct key *, const json_t *);
static bool read_host(struct reader *, void *, const struct key *, const json_t *);
static bool read_ports(struct reader *, void *, const struct key *, const json_t *);
static bool read_client(struct reader *, void *, const struct key *, const json_t *);
static bool read_profile(struct reader *, void *, const struct key *, const json_t *);
static bool read_file(struct reader *, void *, const struct key *, const json_t *);
static json_t *bool_json(const void *, const struct key *);
static json_t *word_json(const void *, const struct key *);
static json_t *version_json(const void *, const struct key *);
static json_t *host_json(const void *, const struct key *);
static json_t *ports_json(const void *, const struct key *);
static json_t *client_json(const void *, const struct key *);
static json_t *text_json(const void *, const struct key *);

// clang-format off
static const struct type TYPES[] = {
    [TYPE_BOOL]       = {0, NULL, "true or false", read_bool, bool_json},
    [TYPE_ACTION]     = {0, ACTIONS, NULL, read_word, word_json},
    [TYPE_ON_FAILURE] = {0, ON_FAILURES, NULL, read_word, word_json},
    [TYPE_SECRETS]    = {0, SECRETS, NULL, read_word, word_json},
    [TYPE_PROFILE]    = {0, NULL, "the names of profiles", read_profile, text_json},
    [TYPE_VERSION]    = {0, VERSIONS, NULL, read_version, version_json},
    [TYPE_HOSTS]      = {sizeof(struct host_glob), NULL,
                         "a host name, a glob such as \"*.example.test\", an address or a network",
                         read_host, host_json},
    [TYPE_PORTS]      = {sizeof(struct port_range), NULL,
                         "a port from 1 to 65535 or a range such as \"8000-8999\"",
                         read_ports, ports_json},
    [TYPE_CLIENTS]    = {sizeof(struct network), NULL,
                         "an address or a network such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
                         read_client, client_json},
    [TYPE_FILES]      = {sizeof(char *), NULL, "the path of a PEM file", read_file, text_json},
    [TYPE_FORMS]      = {sizeof(enum leaf_form), FORMS, NULL, read_word, word_json},
    [TYPE_OBJECT]     = {0, NULL, "an object", NULL, NULL},
    [TYPE_DEFAULT]    = {0, NULL, "an object", NULL, NULL},
    [TYPE_RULES]      = {sizeof(struct policy_rule), NULL, "an object", NULL, NULL},
};
// clang-format on

static void expected_words(char out[VALUE_EXPECTED_MAX], const struct word *words) {
    size_t len = 0;
    for (size_t i = 0; words[i].name != NULL; i++) {
        const char *before = i == 0 ? "" : words[i + 1].name != NULL ? ", " : " or ";
        int n = snprintf(out + len, VALUE_EXPECTED_MAX - len, "%s\"%s\"", before, words[i].name);
        CHECK(n > 0 && (size_t)n < VALUE_EXPECTED_MAX - len);
        len += (size_t)n;
    }
}

static void expected_item(char out[VALUE_EXPECTED_MAX], const struct key *key) {
    const struct type *type = &TYPES[key->type];
    if (type->words != NULL) {
        expected_words(out, type->words);
    } else {
        snprintf(out, VALUE_EXPECTED_MAX, "%s", type->expected);
    }
}

void value_expected(char out[VALUE_EXPECTED_MAX], const struct key *key) {
    if (TYPES[key->type].item_size == 0) {
        expected_item(out, key);
    } else {
        static const char each[] = "a list, each item ";
        char item[VALUE_EXPECTED_MAX];
        expected_item(item, key);
        CHECK(strlen(item) < VALUE_EXPECTED_MAX - strlen(each));
        strcat(strcpy(out, each), item);
    }
}

// refuse says that an item or a value is not what was expected; `why` may be empty.
static bool refuse(struct reader *reader, const struct key *key, const json_t *found,
                   const char *why) {
    char expected[VALUE_EXPECTED_MAX], shown[READER_SHOW_MAX];
    expected_item(expected, key);
    reader_show(shown, found);
    return reader_refuse(reader, "expected %s, found %s%s%s", expected, shown,
                         why[0] != '\0' ? "; " : "", why);
}

static void *list_items(const struct policy_rule *rule, const struct key *key) {
    void *items;
    memcpy(&items, (const char *)rule + key->at, sizeof(items));
    return items;
}

static bool read_list(struct reader *reader, struct policy_rule *rule, const struct key *key,
                      const json_t *json) {
    const struct type *type = &TYPES[key->type];
    size_t num = json_array_size(json);
    if (!json_is_array(json) || (num == 0 && key->in == OBJECT_RULE)) {
        char expected[VALUE_EXPECTED_MAX], shown[READER_SHOW_MAX];
        value_expected(expected, key);
        reader_show(shown, json);
        return reader_refuse(reader, "expected %s, found %s%s", expected, shown,
                             json_is_array(json) ? "; leave the key out to match everything" : "");
    }
    char *items = num == 0 ? NULL : arena_alloc(reader->arena, num * type->item_size);
    for (size_t i = 0; i < num; i++) {
        size_t back = reader_enter_item(reader, i);
        if (!type->read(reader, items + i * type->item_size, key, json_array_get(json, i))) {
            return false;
        }
        reader_leave(reader, back);
    }
    memcpy((char *)rule + key->at, &items, sizeof(items));
    memcpy((char *)rule + key->num_at, &num, sizeof(num));
    return true;
}

bool value_read(struct reader *reader, struct policy_rule *rule, const struct key *key,
                const json_t *json) {
    const struct type *type = &TYPES[key->type];
    return type->item_size != 0 ? read_list(reader, rule, key, json)
                                : type->read(reader, (char *)rule + key->at, key, json);
}

json_t *value_json(const struct policy_rule *rule, const struct key *key) {
    const struct type *type = &TYPES[key->type];
    if (type->item_size == 0) {
        return type->json((const char *)rule + key->at, key);
    }
    json_t *list = json_array();
    CHECK(list != NULL);
    const char *items = list_items(rule, key);
    size_t num;
    memcpy(&num, (const char *)rule + key->num_at, sizeof(num));
    for (size_t i = 0; i < num; i++) {
        CHECK(json_array_append_new(list, type->json(items + i * type->item_size, key)) == 0);
    }
    return list;
}

static bool read_bool(struct reader *reader, void *to, const struct key *key, const json_t *json) {
    if (!json_is_boolean(json)) {
        return refuse(reader, key, json, "");
    }
    *(bool *)to = json_is_true(json);
    return true;
}

static json_t *bool_json(const void *from, const struct key *key) {
    (void)key;
    return json_boolean(*(const bool *)from);
}

static bool find_word(int *out, const struct key *key, const char *text) {
    for (const struct word *word = TYPES[key->type].words; word->name != NULL; word++) {
        if (strcmp(word->name, text) == 0) {
            *out = word->value;
            return true;
        }
    }
    return false;
}

static bool refuse_word(struct reader *reader, const struct key *key, const json_t *found) {
    struct closest closest = {.word = json_is_string(found) ? json_string_value(found) : ""};
    for (const struct word *word = TYPES[key->type].words; word->name != NULL; word++) {
        closest_offer(&closest, word->name);
    }
    char why[READER_SHOW_MAX] = "";
    if (closest.name != NULL) {
        snprintf(why, sizeof(why), "did you mean \"%s\"?", closest.name);
    }
    return refuse(reader, key, found, why);
}

static json_t *find_name(int value, const struct key *key) {
    const struct word *word = TYPES[key->type].words;
    while (word->value != value) {
        CHECK(word->name != NULL);
        word++;
    }
    return json_string(word->name);
}

_Static_assert(sizeof(enum policy_action) == sizeof(int), "read_word writes an int");
_Static_assert(sizeof(enum policy_on_failure) == sizeof(int), "read_word writes an int");
_Static_assert(sizeof(enum leaf_form) == sizeof(int), "read_word writes an int");
_Static_assert(sizeof(enum policy_secrets) == sizeof(int), "read_word writes an int");

static bool read_word(struct reader *reader, void *to, const struct key *key, const json_t *json) {
    int value;
    if (!json_is_string(json) || !find_word(&value, key, json_string_value(json))) {
        return refuse_word(reader, key, json);
    }
    memcpy(to, &value, sizeof(value));
    return true;
}

static json_t *word_json(const void *from, const struct key *key) {
    int value;
    memcpy(&value, from, sizeof(value));
    return find_name(value, key);
}

// bare_version drops what other programs write before the number.
static const char *bare_version(const char *text) {
    static const char *const PREFIXES[] = {"TLS 1", "TLSv1"};
    for (size_t i = 0; i < ARRAY_LEN(PREFIXES); i++) {
        size_t len = strlen(PREFIXES[i]);
        if (strncmp(text, PREFIXES[i], len) == 0) {
            return text + len - 1;
        }
    }
    return text;
}

static bool read_version(struct reader *reader, void *to, const struct key *key,
                         const json_t *json) {
    int value;
    if (!json_is_string(json) || !find_word(&value, key, bare_version(json_string_value(json)))) {
        return refuse(reader, key, json, "");
    }
    *(uint16_t *)to = (uint16_t)value;
    return true;
}

static json_t *version_json(const void *from, const struct key *key) {
    return find_name(*(const uint16_t *)from, key);
}

static bool read_network(struct reader *reader, struct network *out, const struct key *key,
                         const json_t *json) {
    char text[NETWORK_TEXT_MAX], why[NETWORK_TEXT_MAX + 64];
    switch (network_parse(out, json_string_value(json))) {
    case NETWORK_OK:
        return true;
    case NETWORK_HOST_BITS:
        network_text(text, out);
        snprintf(why, sizeof(why), "bits are set beyond the prefix, did you mean \"%s\"?", text);
        return refuse(reader, key, json, why);
    case NETWORK_BAD_LENGTH:
        return refuse(reader, key, json,
                      "the prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6");
    case NETWORK_NO_ADDRESS:
        break;
    }
    return refuse(reader, key, json, "");
}

static json_t *network_json(const struct network *network) {
    char text[NETWORK_TEXT_MAX];
    network_text(text, network);
    return json_string(text);
}

static bool read_client(struct reader *reader, void *to, const struct key *key,
                        const json_t *json) {
    if (!json_is_string(json)) {
        return refuse(reader, key, json, "");
    }
    return read_network(reader, to, key, json);
}

static json_t *client_json(const void *from, const struct key *key) {
    (void)key;
    return network_json(from);
}

// glob_fault returns why `text` is no host glob, or NULL.
static const char *glob_fault(const char *text, size_t len) {
    if (strchr(text, '/') != NULL) {
        return "only a network has a slash";
    }
    if (strchr(text, ':') != NULL) {
        return "a port goes to \"ports\", an IPv6 address has no brackets here";
    }
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80) {
            return "write an international name in its ASCII form, \"xn--...\"";
        }
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || strchr("-._*", *p) != NULL)) {
            return "a name has letters, digits, \"-\", \"_\" and \".\", a glob \"*\" as well";
        }
    }
    if (len == 0 || text[0] == '.' || text[len - 1] == '.' || strstr(text, "..") != NULL) {
        return "part of the name is empty";
    }
    if (strspn(text, "0123456789.") == len) {
        return "this is neither a name nor an address";
    }
    return len > HOST_MAX ? "a name has at most 253 characters" : NULL;
}

static bool read_host(struct reader *reader, void *to, const struct key *key, const json_t *json) {
    struct host_glob *host = to;
    if (!json_is_string(json)) {
        return refuse(reader, key, json, "");
    }
    struct network network;
    if (network_parse(&network, json_string_value(json)) != NETWORK_NO_ADDRESS) {
        return read_network(reader, &host->network, key, json);
    }
    size_t len = json_string_length(json);
    char *pattern = arena_dup(reader->arena, json_string_value(json), len);
    for (char *p = pattern; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (char)(*p - 'A' + 'a');
        }
    }
    if (len > 1 && pattern[len - 1] == '.') {
        pattern[--len] = '\0';
    }
    const char *fault = glob_fault(pattern, len);
    if (fault != NULL) {
        return refuse(reader, key, json, fault);
    }
    host->pattern = pattern;
    return true;
}

static json_t *host_json(const void *from, const struct key *key) {
    (void)key;
    const struct host_glob *host = from;
    return host->pattern != NULL ? json_string(host->pattern) : network_json(&host->network);
}

// parse_port reads the digits at `*text` and moves it beyond them.
static bool parse_port(uint16_t *out, const char **text) {
    size_t len = strspn(*text, "0123456789");
    unsigned port = 0;
    for (size_t i = 0; i < len && port <= PORT_MAX; i++) {
        port = port * 10 + (unsigned)((*text)[i] - '0');
    }
    *text += len;
    *out = (uint16_t)port;
    return port >= 1 && port <= PORT_MAX;
}

static bool read_ports(struct reader *reader, void *to, const struct key *key, const json_t *json) {
    struct port_range *range = to;
    if (json_is_integer(json)) {
        json_int_t port = json_integer_value(json);
        if (port < 1 || port > PORT_MAX) {
            return refuse(reader, key, json, "");
        }
        range->first = range->last = (uint16_t)port;
        return true;
    }
    const char *text = json_string_value(json);
    if (text == NULL || !parse_port(&range->first, &text)) {
        return refuse(reader, key, json, "");
    }
    range->last = range->first;
    if (*text != '\0' && (*text++ != '-' || !parse_port(&range->last, &text) || *text != '\0')) {
        return refuse(reader, key, json, "");
    }
    return range->first <= range->last || refuse(reader, key, json, "the first port is the larger");
}

static json_t *ports_json(const void *from, const struct key *key) {
    (void)key;
    const struct port_range *range = from;
    return range->first == range->last ? json_integer(range->first)
                                       : json_sprintf("%u-%u", range->first, range->last);
}

// file_fault returns why `path` cannot be read as a file, or NULL.
static const char *file_fault(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) {
        return strerror(errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return "not a regular file";
    }
    return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 ? NULL : strerror(errno);
}

static bool is_utf8(const char *text) {
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

static bool read_profile(struct reader *reader, void *to, const struct key *key,
                         const json_t *json) {
    if (!json_is_string(json)) {
        return refuse(reader, key, json, "");
    }
    char *text = arena_dup(reader->arena, json_string_value(json), json_string_length(json));
    memcpy(to, &text, sizeof(text));
    return true;
}

static bool read_file(struct reader *reader, void *to, const struct key *key, const json_t *json) {
    const char *text = json_string_value(json);
    if (text == NULL || text[0] == '\0') {
        return refuse(reader, key, json, "");
    }
    bool joined = text[0] != '/' && reader->dir != NULL;
    char *path =
        arena_printf(reader->arena, "%s%s%s", joined ? reader->dir : "", joined ? "/" : "", text);
    if (!is_utf8(path)) {
        return refuse(reader, key, json, "the name of the policy's folder is not UTF-8");
    }
    const char *fault = file_fault(path);
    if (fault != NULL) {
        return refuse(reader, key, json, arena_printf(reader->arena, "%s: %s", path, fault));
    }
    memcpy(to, &path, sizeof(path));
    return true;
}

static json_t *text_json(const void *from, const struct key *key) {
    (void)key;
    char *text;
    memcpy(&text, from, sizeof(text));
    return json_string(text);
}
