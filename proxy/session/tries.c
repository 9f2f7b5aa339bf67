#include "proxy/session/tries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "third_party/boringssl/boringssl.h"

#define SECOND INT64_C(1000000)

// How long an experiment that is under way keeps others from beginning, and how many may tell
// nothing before the series is left alone; what went on as often as REPEATS is known to.
enum { BUSY_S = 60, BLANKS_MAX = 4, REPEATS = 2 };

// struct row is a series, by the key of client and host, or a client that may be shown canaries, by
// its own.
struct row {
    uint64_t key, address; // 0: free
    int64_t heard_us, until_us, busy_us;
    struct record *first;       // of the refusal, with the experiments; NULL: canaries
    unsigned skipped, canaries; // bit sets: forms that cannot be tried, canaries that were
    unsigned blanks;
    char told[128]; // of the verdict: party, cause and confidence
};

struct tries {
    atomic_int refs;
    pthread_mutex_t lock;
    struct row rows[TRIES_MAX];
};

static const char *const FORM_NAMES[] = {
#define LEAF_FORM(name, word, says) word,
#include "logs/record/leaf_forms.inc"
#undef LEAF_FORM
};

static const char *const CANARY_NAMES[] = {
#define LEAF_CANARY(name, word, says) word,
#include "logs/record/leaf_forms.inc"
#undef LEAF_CANARY
};

const char *try_name(char out[TRY_NAME_MAX], const struct try *try) {
    switch (try->kind) {
    case TRY_ORDINARY:
        return strcpy(out, "client-leaf");
    case TRY_TUNNEL:
        return strcpy(out, "client-tunnel");
    case TRY_FORM:
        snprintf(out, TRY_NAME_MAX, "client-leaf=%s", FORM_NAMES[try->which]);
        return out;
    case TRY_CANARY:
        snprintf(out, TRY_NAME_MAX, "canary=%s", CANARY_NAMES[try->which]);
        return out;
    }
    CHECK(!"a try of no kind");
    return NULL;
}

struct tries *tries_new(void) {
    struct tries *tries = xcalloc(1, sizeof(*tries));
    atomic_init(&tries->refs, 1);
    CHECK(pthread_mutex_init(&tries->lock, NULL) == 0);
    return tries;
}

struct tries *tries_ref(struct tries *tries) {
    atomic_fetch_add(&tries->refs, 1);
    return tries;
}

void tries_unref(struct tries *tries) {
    if (tries == NULL || atomic_fetch_sub(&tries->refs, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < TRIES_MAX; i++) {
        record_free(tries->rows[i].first);
    }
    pthread_mutex_destroy(&tries->lock);
    free(tries);
}

// hash adds a piece to a digest, told from what follows by its length.
static void hash(SHA256_CTX *sha, const void *p, size_t p_len) {
    SHA256_Update(sha, &p_len, sizeof(p_len));
    SHA256_Update(sha, p, p_len);
}

static uint64_t hashed(const SHA256_CTX *so_far) {
    SHA256_CTX sha = *so_far;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    uint64_t key;
    SHA256_Final(digest, &sha);
    memcpy(&key, digest, sizeof(key));
    return key | 1;
}

struct tries_key tries_key_make(const uint8_t *ip, const char *agent, const char *ja4,
                                const char *host, uint16_t port) {
    struct tries_key key;
    SHA256_CTX sha;
    // Of a JA4, what stands for the suites: the rest changes with the session.
    const char *suites = ja4 != NULL ? strchr(ja4, '_') : NULL;
    size_t suites_len = suites != NULL ? strcspn(suites + 1, "_") : 0;
    SHA256_Init(&sha);
    hash(&sha, ip, 16);
    key.address = hashed(&sha);
    hash(&sha, agent != NULL ? agent : "", agent != NULL ? strlen(agent) : 0);
    hash(&sha, suites_len != 0 ? suites + 1 : "", suites_len);
    key.client = hashed(&sha);
    hash(&sha, host, strlen(host));
    hash(&sha, &port, sizeof(port));
    key.series = hashed(&sha);
    return key;
}

// ---- rows; the caller holds the lock

static struct row *row_find(struct tries *tries, uint64_t key) {
    for (size_t i = 0; i < TRIES_MAX; i++) {
        if (tries->rows[i].key == key) {
            return &tries->rows[i];
        }
    }
    return NULL;
}

static struct row *row_live(struct tries *tries, uint64_t key, int64_t now_us) {
    struct row *row = row_find(tries, key);
    return row != NULL && now_us < row->until_us ? row : NULL;
}

static void row_clear(struct row *row) {
    record_free(row->first);
    *row = (struct row){0};
}

// row_make returns an empty row for `key`: a free one, or in its place the oldest of this address
// where that has its share already, else the oldest of all.
static struct row *row_make(struct tries *tries, uint64_t key, uint64_t address) {
    struct row *spare = NULL, *oldest = NULL, *own = NULL;
    size_t num_own = 0;
    for (size_t i = 0; i < TRIES_MAX; i++) {
        struct row *row = &tries->rows[i];
        if (row->key == 0) {
            spare = row;
            continue;
        }
        oldest = oldest == NULL || row->heard_us < oldest->heard_us ? row : oldest;
        if (row->address == address) {
            num_own++;
            own = own == NULL || row->heard_us < own->heard_us ? row : own;
        }
    }
    struct row *row = num_own >= TRIES_OF_ADDRESS ? own : spare != NULL ? spare : oldest;
    row_clear(row);
    row->key = key;
    row->address = address;
    return row;
}

static void row_heard(struct row *row, int64_t now_us) {
    row->heard_us = now_us;
    row->until_us = now_us + TRIES_WINDOW_S * SECOND;
}

// ---- what comes next

// runs counts the experiments of a series by the name of `try`, and those of them that went on.
static size_t runs(const struct row *row, const struct try *try, size_t *out_answered) {
    const struct obj *root = row->first->root;
    char name[TRY_NAME_MAX];
    size_t num = 0;
    *out_answered = 0;
    try_name(name, try);
    for (size_t i = 0; i < obj_num(root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *run = obj_at(root, F_RECORD_EXPERIMENTS, i);
        if (obj_str_is(run, F_EXPERIMENT_PROBE, name)) {
            num++;
            *out_answered += obj_str_is(run, F_EXPERIMENT_RESULT, "answered");
        }
    }
    return num;
}

// series_next asks first what was not asked so far, the tunnel before the forms; then the client
// gets what it went on with.
static struct try series_next(const struct row *row, const struct retry_policy *policy) {
    const struct try tunnel = {TRY_TUNNEL, 0}, ordinary = {TRY_ORDINARY, 0};
    struct try next = ordinary;
    size_t passed, num = runs(row, &tunnel, &passed);
    if (row->blanks >= BLANKS_MAX) {
        return ordinary;
    }
    if (policy->tunnel && num == 0) {
        return tunnel;
    }
    if (num != 0 && passed != num) {
        return ordinary; // it is not the certificate
    }
    for (size_t i = 0; i < policy->num_forms; i++) {
        const struct try form = {TRY_FORM, policy->forms[i]};
        size_t answered, asked = runs(row, &form, &answered);
        if (asked != 0 && answered == asked) {
            return form;
        }
        if (asked == 0 && (row->skipped & 1u << form.which) == 0 && next.kind == TRY_ORDINARY) {
            next = form;
        }
    }
    return next.kind == TRY_ORDINARY && policy->tunnel ? tunnel : next;
}

static struct try canary_next(const struct row *row) {
    for (unsigned i = 0; i < CANARIES; i++) {
        if ((row->canaries & 1u << i) == 0) {
            return (struct try){TRY_CANARY, i};
        }
    }
    return (struct try){TRY_ORDINARY, 0};
}

struct try tries_begin(struct tries *tries, const struct tries_key *key,
                       const struct retry_policy *policy, int64_t now_us) {
    struct try next = {TRY_ORDINARY, 0};
    pthread_mutex_lock(&tries->lock);
    struct row *row = row_live(tries, key->series, now_us);
    struct row *canaries = policy->canary ? row_live(tries, key->client, now_us) : NULL;
    if (row != NULL && row->busy_us <= now_us) {
        next = series_next(row, policy);
    } else if (row == NULL && canaries != NULL && canaries->busy_us <= now_us) {
        next = canary_next(row = canaries);
        row->canaries |= next.kind == TRY_CANARY ? 1u << next.which : 0;
    }
    if (next.kind != TRY_ORDINARY) {
        row->busy_us = now_us + BUSY_S * SECOND;
    }
    pthread_mutex_unlock(&tries->lock);
    return next;
}

// ---- what came of it

// leg_copy copies what is worth knowing of the client's leg.
static void leg_copy(struct obj *to, const struct obj *from) {
    static const enum field strings[] = {F_LEG_ADDRESS, F_LEG_TLS_VERSION, F_LEG_END_BY,
                                         F_LEG_END_HOW, F_LEG_END_AT};
    static const enum field ints[] = {F_LEG_TLS_CIPHER, F_LEG_TLS_ESTABLISHED};
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        obj_set_str(to, strings[i], obj_str(from, strings[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
        int64_t value;
        if (obj_int(from, ints[i], &value)) {
            obj_set_int(to, ints[i], value);
        }
    }
    for (size_t i = 0; i < obj_num(from, F_LEG_ALERTS); i++) {
        obj_copy(obj_add(to, F_LEG_ALERTS), obj_at(from, F_LEG_ALERTS, i));
    }
}

// run_add appends the connection that `root` records to the experiments of `to`.
static void run_add(struct obj *to, const struct try *try, const char *result,
                    const struct obj *root) {
    char name[TRY_NAME_MAX];
    struct obj *run = obj_add(to, F_RECORD_EXPERIMENTS);
    obj_set_str(run, F_EXPERIMENT_PROBE, try_name(name, try));
    obj_set_str(run, F_EXPERIMENT_RESULT, result);
    obj_set_str(run, F_EXPERIMENT_CONNECTION, obj_str(root, F_RECORD_ID));
    leg_copy(obj_sub(run, F_EXPERIMENT_LEG), record_leg(root, false));
}

static struct record *record_dup(const struct obj *root) {
    struct record *record = record_new();
    obj_copy(record->root, root);
    return record;
}

void tries_refused(struct tries *tries, const struct tries_key *key, const struct obj *root,
                   const char *result, int64_t now_us) {
    const struct try ordinary = {TRY_ORDINARY, 0};
    pthread_mutex_lock(&tries->lock);
    struct row *row = row_live(tries, key->series, now_us);
    if (row == NULL) {
        row = row_find(tries, key->series);
        if (row != NULL) {
            row_clear(row);
        }
        row = row_make(tries, key->series, key->address);
        row->first = record_dup(root);
        run_add(row->first->root, &ordinary, result, root);
    }
    row_heard(row, now_us);
    pthread_mutex_unlock(&tries->lock);
}

void tries_worked(struct tries *tries, const struct tries_key *key, bool canary, int64_t now_us) {
    pthread_mutex_lock(&tries->lock);
    struct row *row = row_find(tries, key->series);
    if (row != NULL) {
        row_clear(row);
    }
    if (canary && row_live(tries, key->client, now_us) == NULL) {
        row = row_find(tries, key->client);
        if (row != NULL) {
            row_clear(row);
        }
        row = row_make(tries, key->client, key->address);
        row->heard_us = now_us;
        row->until_us = now_us + TRIES_CANARY_S * SECOND;
    }
    pthread_mutex_unlock(&tries->lock);
}

// series_end returns the record of the refusal, or NULL.
static struct record *series_end(struct row *row, const struct try *try, const char *result,
                                 struct obj *root, int64_t now_us) {
    struct obj *first = row->first->root;
    row_heard(row, now_us);
    if (result == NULL) {
        row->blanks++;
        return NULL;
    }
    size_t answered, before = runs(row, try, &answered);
    bool told = before >= REPEATS && answered == before && strcmp(result, "answered") == 0;
    bool more = !told && obj_num(first, F_RECORD_EXPERIMENTS) < TRIES_RUNS_MAX;
    if (more) {
        run_add(first, try, result, root);
    }
    for (size_t i = 0; i < obj_num(first, F_RECORD_EXPERIMENTS); i++) {
        obj_copy(obj_add(root, F_RECORD_EXPERIMENTS), obj_at(first, F_RECORD_EXPERIMENTS, i));
    }
    return more ? record_dup(first) : NULL;
}

struct record *tries_end(struct tries *tries, const struct tries_key *key, const struct try *try,
                         const char *result, struct obj *root, int64_t now_us) {
    struct record *first = NULL;
    bool canary = try->kind == TRY_CANARY;
    pthread_mutex_lock(&tries->lock);
    struct row *row = row_live(tries, canary ? key->client : key->series, now_us);
    if (row != NULL) {
        row->busy_us = 0;
        first = canary ? NULL : series_end(row, try, result, root, now_us);
    }
    pthread_mutex_unlock(&tries->lock);
    if (canary && result != NULL) {
        run_add(root, try, result, root);
    }
    return first;
}

bool tries_told(struct tries *tries, const struct tries_key *key, const struct obj *verdict) {
    const char *party = obj_str(verdict, F_VERDICT_PARTY);
    const char *cause = obj_str(verdict, F_VERDICT_CAUSE);
    const char *sure = obj_str(verdict, F_VERDICT_CONFIDENCE);
    char says[sizeof(((struct row *)NULL)->told)];
    snprintf(says, sizeof(says), "%s %s %s", party != NULL ? party : "", cause != NULL ? cause : "",
             sure != NULL ? sure : "");
    pthread_mutex_lock(&tries->lock);
    struct row *row = row_find(tries, key->series);
    bool news = row == NULL || strcmp(row->told, says) != 0;
    if (row != NULL) {
        strcpy(row->told, says);
    }
    pthread_mutex_unlock(&tries->lock);
    return news;
}

void tries_drop(struct tries *tries, const struct tries_key *key, const struct try *try,
                bool never) {
    bool canary = try->kind == TRY_CANARY;
    pthread_mutex_lock(&tries->lock);
    struct row *row = row_find(tries, canary ? key->client : key->series);
    if (row != NULL) {
        row->busy_us = 0;
        row->blanks += !never;
        row->skipped |= never && try->kind == TRY_FORM ? 1u << try->which : 0;
        row->canaries &= canary && !never ? ~(1u << try->which) : ~0u;
    }
    pthread_mutex_unlock(&tries->lock);
}

size_t tries_num(struct tries *tries) {
    size_t num = 0;
    pthread_mutex_lock(&tries->lock);
    for (size_t i = 0; i < TRIES_MAX; i++) {
        num += tries->rows[i].key != 0;
    }
    pthread_mutex_unlock(&tries->lock);
    return num;
}
