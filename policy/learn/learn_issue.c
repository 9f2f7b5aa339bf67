// How each leaf is issued: its serial number, its dates, and whether keys are used again.
#include "policy/learn/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ca/box_origin.h"
#include "policy/ca/cert_knobs.h"

enum {
    MINUTE = 60,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    SLACK = 2 * MINUTE,
    SHORT = 4,
    PLUS_BITS = 40
};

// ---- Serial numbers

static CBS number_of(const struct cert_facts *facts) {
    CBS number = facts->raw.serial;
    while (CBS_len(&number) > 1 && CBS_data(&number)[0] == 0) {
        CBS_skip(&number, 1);
    }
    return number;
}

static bool same_number(CBS a, CBS b) { return CBS_mem_equal(&a, CBS_data(&b), CBS_len(&b)); }

// number_minus sets `*out` to `a` - `b` where that is below 2^64 and not negative.
static bool number_minus(uint64_t *out, CBS a, CBS b) {
    BIGNUM *x = BN_bin2bn(CBS_data(&a), CBS_len(&a), NULL);
    BIGNUM *y = BN_bin2bn(CBS_data(&b), CBS_len(&b), NULL);
    CHECK(x != NULL && y != NULL);
    bool ok = BN_sub(x, x, y) && !BN_is_negative(x) && BN_get_u64(x, out);
    BN_free(x);
    BN_free(y);
    return ok;
}

static bool small_number(uint64_t *out, CBS number) {
    CBS zero;
    CBS_init(&zero, (const uint8_t *)"", 1);
    return number_minus(out, number, zero);
}

static bool is_copy(const struct seen *seen) {
    return seen->has_origin && same_number(number_of(&seen->chain[0]), number_of(&seen->origin));
}

// is_copy_plus: some boxes make a leaf anew from their own, and add twice.
static bool is_copy_plus(const struct seen *seen) {
    uint64_t added;
    return seen->has_origin &&
           number_minus(&added, number_of(&seen->chain[0]), number_of(&seen->origin)) &&
           added >> PLUS_BITS == 0;
}

static bool is_hash(const struct seen *seen) {
    uint8_t hash[MD5_DIGEST_LENGTH];
    CBS four;
    if (!seen->has_origin || !box_origin_hash(seen->origin.raw.der, hash)) {
        return false;
    }
    CBS_init(&four, hash, SHORT);
    while (CBS_len(&four) > 1 && CBS_data(&four)[0] == 0) {
        CBS_skip(&four, 1);
    }
    return same_number(number_of(&seen->chain[0]), four);
}

static bool is_short(const struct seen *seen) {
    CBS number = number_of(&seen->chain[0]);
    return CBS_len(&number) <= SHORT;
}

static bool is_long(const struct seen *seen) {
    CBS number = number_of(&seen->chain[0]);
    return CBS_len(&number) > SHORT && CBS_len(&number) <= CERT_KNOB_SERIAL_MAX;
}

// struct leaves are those that were not seen before, in the order of time.
struct leaves {
    const struct seen *items[LEARN_MAX_SIGHTINGS];
    size_t num;
    struct sources sources;
};

static bool all_are(const struct leaves *leaves, bool (*is)(const struct seen *)) {
    for (size_t i = 0; i < leaves->num; i++) {
        if (!is(leaves->items[i])) {
            return false;
        }
    }
    return true;
}

static size_t longest_number(const struct leaves *leaves) {
    size_t longest = 0;
    for (size_t i = 0; i < leaves->num; i++) {
        CBS number = number_of(&leaves->items[i]->chain[0]);
        longest = CBS_len(&number) > longest ? CBS_len(&number) : longest;
    }
    return longest;
}

// numbers_step returns whether each number is above the one before by `min` to `max`.
static bool numbers_step(const struct leaves *leaves, uint64_t min, uint64_t max) {
    for (size_t i = 1; i < leaves->num; i++) {
        uint64_t step;
        if (!number_minus(&step, number_of(&leaves->items[i]->chain[0]),
                          number_of(&leaves->items[i - 1]->chain[0])) ||
            step < min || step > max) {
            return false;
        }
    }
    return leaves->num > 1;
}

// serial_word returns the setting that explains every number, the narrowest explanation first.
static const char *serial_word(const struct leaves *leaves) {
    enum { GAP = 16 }; // leaves that nobody saw
    return all_are(leaves, is_copy)        ? "copy"
           : all_are(leaves, is_hash)      ? "hash32"
           : numbers_step(leaves, 0, 0)    ? "fixed"
           : numbers_step(leaves, 1, GAP)  ? "sequential"
           : all_are(leaves, is_short)     ? leaves->num > 1 ? "random32" : NULL
           : all_are(leaves, is_copy_plus) ? "copy_plus_random32"
           : all_are(leaves, is_long)      ? "random128"
                                           : NULL;
}

static void learn_serial(struct learn *learn, const struct leaves *leaves) {
    const char *word = serial_word(leaves);
    CBS number = number_of(&leaves->items[0]->chain[0]);
    uint64_t fixed;
    if (word != NULL && strcmp(word, "fixed") == 0 && !small_number(&fixed, number)) {
        word = NULL;
    }
    if (word == NULL) {
        learn_miss(learn, "cert.serial",
                   "%zu serial number%s of %zu bytes, which no setting explains", leaves->num,
                   leaves->num == 1 ? "" : "s", CBS_len(&number));
        return;
    }
    learn_set(learn, "cert.serial", json_string(word), &leaves->sources, NULL);
    if (strcmp(word, "fixed") == 0) {
        char text[32];
        snprintf(text, sizeof(text), "0x%" PRIx64, fixed);
        learn_set(learn, "cert.serial_fixed", json_string(text), &leaves->sources, NULL);
    } else if (strcmp(word, "random128") == 0 && longest_number(leaves) != 16) {
        learn_set(learn, "cert.serial_len", json_integer((json_int_t)longest_number(leaves)),
                  &leaves->sources, NULL);
    } else if (strcmp(word, "sequential") == 0) {
        learn_rough(learn, "Serial numbers count from 1 in each process; those seen began at %s.",
                    leaves->items[0]->chain[0].serial);
    }
}

// ---- Dates

struct date {
    const char *path;
    bool end;
};

static int64_t date_of(const struct cert_facts *facts, const struct date *date) {
    return date->end ? facts->not_after : facts->not_before;
}

// date_round turns seconds into what a person would have written, where it is within the time that
// may have passed between making a leaf and seeing it.
static int64_t date_round(int64_t seconds) {
    static const int64_t units[] = {DAY, HOUR, MINUTE};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        int64_t half = seconds < 0 ? -units[i] / 2 : units[i] / 2;
        int64_t round = (seconds + half) / units[i] * units[i];
        if (llabs(round - seconds) <= (units[i] == MINUTE ? SLACK / 8 : SLACK)) {
            return round;
        }
    }
    return seconds;
}

static json_t *date_json(int64_t seconds) {
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{DAY, 'd'}, {HOUR, 'h'}, {MINUTE, 'm'}, {1, 's'}};
    size_t i = 0;
    while (seconds % units[i].seconds != 0) {
        i++;
    }
    i = seconds == 0 ? ARRAY_LEN(units) - 1 : i;
    char text[32];
    snprintf(text, sizeof(text), "%+" PRId64 "%c", seconds / units[i].seconds, units[i].unit);
    return json_string(text);
}

// dates_copied: two leaves at least whose servers differ, or dates that no clock made.
static bool dates_copied(const struct leaves *leaves, const struct date *date) {
    for (size_t i = 0; i < leaves->num; i++) {
        const struct seen *seen = leaves->items[i];
        if (!seen->has_origin || date_of(&seen->chain[0], date) != date_of(&seen->origin, date)) {
            return false;
        }
    }
    return true;
}

static bool dates_of_ca(const struct leaves *leaves, const struct date *date) {
    for (size_t i = 0; i < leaves->num; i++) {
        const struct seen *seen = leaves->items[i];
        if (seen->num_chain < 2 ||
            date_of(&seen->chain[0], date) != date_of(&seen->chain[1], date)) {
            return false;
        }
    }
    return true;
}

static void learn_date(struct learn *learn, const struct leaves *leaves, const struct date *date) {
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < leaves->num; i++) {
        int64_t offset = date_of(&leaves->items[i]->chain[0], date) - leaves->items[i]->time;
        least = offset < least ? offset : least;
        most = offset > most ? offset : most;
    }
    bool copied = dates_copied(leaves, date), of_ca = dates_of_ca(leaves, date);
    if (copied || of_ca) {
        learn_set(learn, date->path, json_string(copied ? "copy" : "ca"), &leaves->sources, NULL);
    } else if (most - least <= SLACK) {
        // A leaf is seen after it was made, so the offset that is seen is never the later one.
        learn_set(learn, date->path, date_json(date_round(most)), &leaves->sources, NULL);
    } else {
        learn_miss(learn, date->path,
                   "it is from %" PRId64 " to %" PRId64
                   " s from the connection, which no setting explains",
                   least, most);
    }
}

// ---- Keys

static bool same_key(const struct seen *a, const struct seen *b) {
    return memcmp(a->chain[0].spki_sha256, b->chain[0].spki_sha256, SHA256_DIGEST_LENGTH) == 0;
}

static bool same_host(const struct seen *a, const struct seen *b) {
    return a->host != NULL && b->host != NULL && strcmp(a->host, b->host) == 0;
}

static void learn_reuse(struct learn *learn, const struct leaves *leaves) {
    struct sources sources = {.num = 0};
    bool shared = true, apart = true;
    for (size_t i = 0; i < leaves->num; i++) {
        for (size_t j = 0; j < i; j++) {
            if (same_host(leaves->items[i], leaves->items[j])) {
                continue;
            }
            bool same = same_key(leaves->items[i], leaves->items[j]);
            shared = shared && same;
            apart = apart && !same;
            sources.num == 0 ? sources_add(&sources, leaves->items[j]) : (void)0;
        }
    }
    if (sources.num == 0 || shared == apart) {
        learn_miss(learn, "cert.key_reuse",
                   sources.num == 0 ? "leaves of one host alone were seen"
                                    : "some hosts share a key and others do not");
        return;
    }
    learn_set(learn, "cert.key_reuse", json_string(shared ? "per_boot" : "per_host"),
              &leaves->sources,
              shared ? "whether the key outlives the box's restart cannot be seen" : NULL);
}

void learn_issues(struct learn *learn) {
    static const struct date before = {"cert.not_before", false}, after = {"cert.not_after", true};
    struct leaves *leaves = arena_alloc(&learn->arena, sizeof(*leaves));
    *leaves = (struct leaves){.num = 0};
    for (size_t i = 0; i < learn->num; i++) {
        if (learn_leaf(learn->seen[i]) != NULL && !learn->seen[i]->again) {
            leaves->items[leaves->num++] = learn->seen[i];
            sources_add(&leaves->sources, learn->seen[i]);
        }
    }
    learn_serial(learn, leaves);
    learn_date(learn, leaves, &before);
    learn_date(learn, leaves, &after);
    // The same leaf again says the same of keys.
    leaves->num = 0;
    for (size_t i = 0; i < learn->num; i++) {
        if (learn_leaf(learn->seen[i]) != NULL) {
            leaves->items[leaves->num++] = learn->seen[i];
        }
    }
    learn_reuse(learn, leaves);
}
