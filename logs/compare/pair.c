#include "logs/compare/pair.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    NONCE_MIN = 16,
    NONCE_DIGITS_MIN = 4,
    NONCE_LETTERS_MIN = 2,
    NONE = UINT32_MAX,
    OPEN_MAX = 64, // connections of one name that wait for their other side
    ENTRIES_PER_RECORD = 2 * PAIR_SHARES,
};

static const struct {
    const char *name, *says;
    bool certain;
} REASONS[] = {
    // clang-format off
    [PAIR_NONCE]      = {"nonce",         "the server name has the same nonce", true},
    [PAIR_RANDOM]     = {"client-random", "both hellos have the same client random", true},
    [PAIR_KEY_SHARE]  = {"key-share",     "both hellos have a key share with the same bytes", true},
    [PAIR_SESSION_ID] = {"session-id",    "both hellos have the same session id", true},
    [PAIR_NAME]       = {"server-name",   "the same server name at the same time", false},
    [PAIR_LEGS]       = {"legs",          "they are the two legs of one record", true},
    [PAIR_NAMED]      = {"named",         "you put them together", false},
    // clang-format on
};

const char *pair_reason_name(enum pair_reason reason) { return REASONS[reason].name; }

const char *pair_reason_says(enum pair_reason reason) { return REASONS[reason].says; }

bool pair_is_certain(enum pair_reason reason) { return REASONS[reason].certain; }

uint64_t pair_key(const void *p, size_t p_len) {
    const uint8_t *bytes = p;
    uint64_t h = 0xcbf29ce484222325u; // FNV-1a
    for (size_t i = 0; i < p_len; i++) {
        h = (h ^ bytes[i]) * 0x100000001b3u;
    }
    return p_len == 0 ? 0 : h == 0 ? 1 : h;
}

size_t pair_nonce_len(const char *name, size_t name_len) {
    size_t len = 0, digits = 0, lower = 0, upper = 0;
    for (; len < name_len && name[len] != '.'; len++) {
        unsigned char c = (unsigned char)name[len];
        if (!isalnum(c)) {
            return 0;
        }
        digits += isdigit(c) != 0;
        lower += islower(c) != 0;
        upper += isupper(c) != 0;
    }
    bool nonce = len < name_len && len >= NONCE_MIN && digits >= NONCE_DIGITS_MIN &&
                 lower + upper >= NONCE_LETTERS_MIN && (lower == 0 || upper == 0);
    return nonce ? len : 0;
}

// struct entry is one key of one record.
struct entry {
    uint64_t key;
    int64_t us;
    uint32_t index, side;
};

// struct matcher is two lists on the way to pairs. Inside one list both sides are the same.
struct matcher {
    const struct pair_record *lists[2];
    size_t nums[2];
    bool within;
    uint32_t *partners[2];         // NONE: not paired
    uint8_t *reasons;              // by record of side 0
    struct entry *entries, *lanes; // `lanes`: room to take a group apart
    size_t num_entries;
    int64_t window_us;
    struct pair_clock clock;
};

static int entry_cmp(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    return x->key != y->key     ? (x->key > y->key) - (x->key < y->key)
           : x->us != y->us     ? (x->us > y->us) - (x->us < y->us)
           : x->side != y->side ? (x->side > y->side) - (x->side < y->side)
                                : (x->index > y->index) - (x->index < y->index);
}

static bool is_paired(const struct matcher *m, const struct entry *entry) {
    return m->partners[entry->side][entry->index] != NONE;
}

static void join(struct matcher *m, const struct entry *a, const struct entry *b,
                 enum pair_reason reason) {
    m->partners[a->side][a->index] = b->index;
    m->partners[b->side][b->index] = a->index;
    m->reasons[a->index] = reason;
}

static void entry_add(struct matcher *m, uint64_t key, uint32_t side, uint32_t index) {
    const struct pair_record *record = &m->lists[side][index];
    if (key != 0) {
        int64_t us = record->start_us - (side == 1 ? m->clock.ahead_us : 0);
        m->entries[m->num_entries++] = (struct entry){key, us, index, side};
    }
}

static void entries_of(struct matcher *m, uint32_t side, uint32_t index, enum pair_reason reason) {
    const struct pair_record *record = &m->lists[side][index];
    if (reason == PAIR_NONCE || reason == PAIR_NAME) {
        entry_add(m, reason == PAIR_NONCE ? record->nonce : record->name, side, index);
        return;
    }
    for (size_t leg = 0; leg < ARRAY_LEN(record->hellos); leg++) {
        const struct pair_hello *hello = &record->hellos[leg];
        size_t num_shares = reason == PAIR_KEY_SHARE ? PAIR_SHARES : 0;
        for (size_t i = 0; i < num_shares; i++) {
            entry_add(m, hello->key_shares[i], side, index);
        }
        if (num_shares == 0) {
            entry_add(m, reason == PAIR_RANDOM ? hello->random : hello->session_id, side, index);
        }
    }
}

// entries_make sorts the keys of all records that have no partner yet: equal ones stand together,
// in order of time.
static void entries_make(struct matcher *m, enum pair_reason reason) {
    m->num_entries = 0;
    for (uint32_t side = 0; side < (m->within ? 1 : 2); side++) {
        for (uint32_t i = 0; i < m->nums[side]; i++) {
            if (m->partners[side][i] == NONE) {
                entries_of(m, side, i, reason);
            }
        }
    }
    if (m->num_entries != 0) {
        qsort(m->entries, m->num_entries, sizeof(*m->entries), entry_cmp);
    }
}

// lane_of copies the entries of `side` that have no partner to `out` and returns how many: the same
// record may be there twice.
static size_t lane_of(const struct matcher *m, struct entry *out, const struct entry *group,
                      size_t num, uint32_t side) {
    size_t len = 0;
    for (size_t i = 0; i < num; i++) {
        if (group[i].side == side && !is_paired(m, &group[i])) {
            out[len++] = group[i];
        }
    }
    return len;
}

// in_order pairs the first of A with the first of B, and so on.
static void in_order(struct matcher *m, const struct entry *as, size_t num_as,
                     const struct entry *bs, size_t num_bs, enum pair_reason reason) {
    for (size_t a = 0, b = 0; a < num_as && b < num_bs;) {
        if (is_paired(m, &as[a])) {
            a++;
        } else if (is_paired(m, &bs[b])) {
            b++;
        } else {
            join(m, &as[a++], &bs[b++], reason);
        }
    }
}

static int64_t apart(const struct entry *a, const struct entry *b) { return llabs(a->us - b->us); }

// in_time pairs neighbours in time. One whose successor is nearer to the other side's is left
// alone.
static void in_time(struct matcher *m, const struct entry *as, size_t num_as,
                    const struct entry *bs, size_t num_bs) {
    for (size_t a = 0, b = 0; a < num_as && b < num_bs;) {
        int64_t here = apart(&as[a], &bs[b]);
        bool later_a = a + 1 < num_as && apart(&as[a + 1], &bs[b]) < here;
        bool later_b = b + 1 < num_bs && apart(&as[a], &bs[b + 1]) < here;
        if (!later_a && !later_b && here <= m->window_us) {
            join(m, &as[a++], &bs[b++], PAIR_NAME);
        } else if (later_a || (!later_b && as[a].us < bs[b].us)) {
            a++;
        } else {
            b++;
        }
    }
}

static void group_across(struct matcher *m, const struct entry *group, size_t num,
                         enum pair_reason reason) {
    size_t num_as = lane_of(m, m->lanes, group, num, 0);
    struct entry *bs = m->lanes + num_as;
    size_t num_bs = lane_of(m, bs, group, num, 1);
    if (reason == PAIR_NAME) {
        in_time(m, m->lanes, num_as, bs, num_bs);
    } else {
        in_order(m, m->lanes, num_as, bs, num_bs, reason);
    }
}

// around_a_box returns whether one box can have made `b` of `a`. The same random says so anywhere;
// session ids and key shares are used again by the same client.
static bool around_a_box(const struct pair_record *a, const struct pair_record *b,
                         enum pair_reason reason) {
    return reason == PAIR_RANDOM || a->place.service != b->place.service ||
           (a->place.client != b->place.client && b->start_us <= a->answer_us);
}

// struct waiting is connections of one key whose other side has not come yet, the oldest first.
struct waiting {
    const struct entry *entries[OPEN_MAX];
    size_t num;
};

// waiting_expire drops those that waited too long for `now`.
static void waiting_expire(struct waiting *waiting, const struct matcher *m,
                           const struct entry *now) {
    size_t keep = 0;
    for (size_t i = 0; i < waiting->num; i++) {
        if (apart(waiting->entries[i], now) <= m->window_us) {
            waiting->entries[keep++] = waiting->entries[i];
        }
    }
    waiting->num = keep;
}

// waiting_take takes out the oldest that fits `now`, or returns NULL.
static const struct entry *waiting_take(struct waiting *waiting, const struct matcher *m,
                                        const struct entry *now, enum pair_reason reason) {
    for (size_t i = 0; i < waiting->num; i++) {
        const struct entry *entry = waiting->entries[i];
        if (entry->index != now->index && !is_paired(m, entry) &&
            around_a_box(&m->lists[0][entry->index], &m->lists[0][now->index], reason)) {
            waiting->num--;
            memmove(waiting->entries + i, waiting->entries + i + 1,
                    (waiting->num - i) * sizeof(*waiting->entries));
            return entry;
        }
    }
    return NULL;
}

static void group_within(struct matcher *m, const struct entry *group, size_t num,
                         enum pair_reason reason) {
    struct waiting waiting = {.num = 0};
    for (size_t i = 0; i < num; i++) {
        if (is_paired(m, &group[i])) {
            continue;
        }
        waiting_expire(&waiting, m, &group[i]);
        const struct entry *outer = waiting_take(&waiting, m, &group[i], reason);
        if (outer != NULL) {
            join(m, outer, &group[i], reason);
        } else if (waiting.num < OPEN_MAX) {
            waiting.entries[waiting.num++] = &group[i];
        }
    }
}

static void group_match(struct matcher *m, const struct entry *group, size_t num,
                        enum pair_reason reason) {
    if (reason == PAIR_NONCE && num != 2) {
        return; // somebody did use it twice
    }
    if (m->within) {
        group_within(m, group, num, reason);
    } else {
        group_across(m, group, num, reason);
    }
}

typedef void (*group_fn)(struct matcher *m, const struct entry *group, size_t num,
                         enum pair_reason reason);

static void groups(struct matcher *m, enum pair_reason reason, group_fn each) {
    entries_make(m, reason);
    for (size_t i = 0, end; i < m->num_entries; i = end) {
        for (end = i + 1; end < m->num_entries && m->entries[end].key == m->entries[i].key;) {
            end++;
        }
        if (end - i > 1) {
            each(m, m->entries + i, end - i, reason);
        }
    }
}

static int int64_cmp(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int64_t median(int64_t *values, size_t num) {
    qsort(values, num, sizeof(*values), int64_cmp);
    return values[num / 2];
}

static void clock_set(struct matcher *m, int64_t *samples, size_t num) {
    if (num == 0) {
        return;
    }
    int64_t ahead = median(samples, num);
    for (size_t i = 0; i < num; i++) {
        samples[i] = llabs(samples[i] - ahead);
    }
    m->clock = (struct pair_clock){ahead, median(samples, num), num};
}

// clock_from_pairs compares the clocks by what was paired so far.
static void clock_from_pairs(struct matcher *m) {
    int64_t *samples = xcalloc(m->nums[0] + 1, sizeof(*samples));
    size_t num = 0;
    for (size_t i = 0; i < m->nums[0]; i++) {
        uint32_t b = m->partners[0][i];
        if (b != NONE) {
            samples[num++] = m->lists[1][b].start_us - m->lists[0][i].start_us;
        }
    }
    clock_set(m, samples, num);
    free(samples);
}

// pair_if_alone pairs the two records of a name that each list holds once, so that the clocks can
// be compared by them.
static void pair_if_alone(struct matcher *m, const struct entry *group, size_t num,
                          enum pair_reason reason) {
    if (num == 2 && group[0].side != group[1].side) {
        bool swapped = group[0].side == 1;
        join(m, &group[swapped], &group[!swapped], reason);
    }
}

// clock_from_names compares the clocks where nothing was paired: by names that each list has once.
static void clock_from_names(struct matcher *m) {
    groups(m, PAIR_NAME, pair_if_alone);
    clock_from_pairs(m);
    for (uint32_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < m->nums[side]; i++) {
            m->partners[side][i] = NONE;
        }
    }
}

static uint32_t *partners_new(size_t num) {
    uint32_t *partners = xmalloc((num + 1) * sizeof(*partners));
    for (size_t i = 0; i < num; i++) {
        partners[i] = NONE;
    }
    return partners;
}

static void match(struct matcher *m) {
    size_t most = (m->nums[0] + m->nums[1]) * ENTRIES_PER_RECORD;
    m->entries = xcalloc(most + 1, sizeof(*m->entries));
    m->lanes = m->within ? NULL : xcalloc(most + 1, sizeof(*m->lanes));
    m->reasons = xcalloc(m->nums[0] + 1, 1);
    for (enum pair_reason reason = PAIR_NONCE; reason < PAIR_NAME; reason++) {
        groups(m, reason, group_match);
    }
    if (!m->within) {
        clock_from_pairs(m);
    }
    if (!m->within && m->clock.num == 0) {
        clock_from_names(m);
    }
    groups(m, PAIR_NAME, group_match);
}

// matcher_pairs writes the pairs, each once, and frees what `m` holds.
static size_t matcher_pairs(struct matcher *m, struct pair *out) {
    size_t num = 0;
    for (uint32_t i = 0; i < m->nums[0]; i++) {
        uint32_t other = m->partners[0][i];
        if (other != NONE &&
            (!m->within || m->lists[0][i].start_us < m->lists[0][other].start_us ||
             (m->lists[0][i].start_us == m->lists[0][other].start_us && i < other))) {
            uint8_t reason = m->reasons[i];
            out[num++] = (struct pair){i, other, reason};
        }
    }
    free(m->entries);
    free(m->lanes);
    free(m->reasons);
    return num;
}

size_t pair_lists(struct pair *out, struct pair_clock *out_clock, const struct pair_record *as,
                  size_t num_as, const struct pair_record *bs, size_t num_bs, int64_t window_us) {
    CHECK(num_as < NONE && num_bs < NONE);
    struct matcher m = {.lists = {as, bs}, .nums = {num_as, num_bs}, .window_us = window_us};
    m.partners[0] = partners_new(num_as);
    m.partners[1] = partners_new(num_bs);
    match(&m);
    *out_clock = m.clock;
    size_t num = matcher_pairs(&m, out);
    free(m.partners[0]);
    free(m.partners[1]);
    return num;
}

size_t pair_within(struct pair *out, const struct pair_record *records, size_t num,
                   int64_t window_us) {
    CHECK(num < NONE);
    struct matcher m = {
        .lists = {records, records}, .nums = {num}, .within = true, .window_us = window_us};
    m.partners[0] = partners_new(num);
    match(&m);
    size_t num_pairs = matcher_pairs(&m, out);
    free(m.partners[0]);
    return num_pairs;
}
