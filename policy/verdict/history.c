// Series of events in sets of a few, by the hash of what they are about. A set is searched as a
// whole; where it is full the series that was quiet for longest goes. A set has its lock with its
// neighbours of the shard.
#include "policy/verdict/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "logs/base/check.h"
#include "policy/verdict/predicate.h"

enum { SHARDS = 64, SETS = 15, WAYS = 8, EVENTS = 24 };

// Windows, in seconds.
enum { CLIENT_WINDOW = 600, HOST_WINDOW = 3600, NEAR_WINDOW = 5 };

// What a series is about, and what its values are.
enum about {
    ABOUT_CLIENT,  // a program at an address: hosts
    ABOUT_ADDRESS, // an address: programs
    ABOUT_PAIR,    // a program at an address with one host: connections
    ABOUT_HOST,    // a host: leaves
    ABOUT_VISITOR, // a host: clients
    ABOUT_ISSUER,  // an issuer below an unknown root: domains
    ABOUT_KEY,     // such an issuer with a public key: domains
    ABOUT_SERIAL,  // an issuer with a serial number: leaves
    ABOUT_HELLO,   // a hello at an address: engines
    ABOUT_VISIT,   // a User-Agent at an address with one host: connections
    ABOUT_CLOCK,   // the proxy's clock: hosts
};

enum what {
    WHAT_NOTHING,
    WHAT_WORKED,   // the client sent data of its own
    WHAT_REFUSED,  // it refused the proxy's certificate, or left at it
    WHAT_DATED,    // it found the certificate out of its time
    WHAT_UNUSED,   // the handshake was complete, and nothing followed
    WHAT_SOUND,    // the host's handshake was complete and its chain verified
    WHAT_FAILED,   // the host's handshake failed, or its chain did not verify
    WHAT_SILENT,   // the client left before its hello
    WHAT_TIMELY,   // the host's leaf was in its time by the proxy's clock
    WHAT_UNTIMELY, // it was not
    WHAT_SEEN,
};

struct event {
    uint32_t id;       // hash of the record's id
    uint32_t from, to; // seconds: when its connection began and was last heard of
    uint32_t value;    // hash
    uint32_t leaf;     // another hash: of the leaf; or when it began, in seconds
    uint32_t what;
    int64_t at_ms; // when its connection began
};

struct series {
    uint64_t key; // 0: none
    uint32_t heard;
    uint32_t next; // slot of the next event; all slots before it were written, or all
    struct event events[EVENTS];
};

struct shard {
    pthread_mutex_t lock;
    struct series series[SETS][WAYS];
};

struct history {
    uint64_t seed;
    struct shard shards[SHARDS];
};

_Static_assert(sizeof(struct history) <= HISTORY_BYTES, "the header says more");

struct history *history_new(uint64_t seed) {
    struct history *history = xcalloc(1, sizeof(*history));
    history->seed = seed;
    for (size_t i = 0; i < SHARDS; i++) {
        CHECK(pthread_mutex_init(&history->shards[i].lock, NULL) == 0);
    }
    return history;
}

void history_free(struct history *history) {
    for (size_t i = 0; history != NULL && i < SHARDS; i++) {
        (void)pthread_mutex_destroy(&history->shards[i].lock);
    }
    free(history);
}

static uint64_t mix(uint64_t h, uint64_t word) {
    __uint128_t product = (__uint128_t)(h ^ word) * 0x9e3779b97f4a7c15u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// hash_bytes adds bytes to a hash, and their number.
static uint64_t hash_bytes(uint64_t h, const void *p, size_t p_len) {
    const uint8_t *at = p;
    uint64_t word;
    for (; p_len >= sizeof(word); at += sizeof(word), p_len -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        h = mix(h, word);
    }
    word = p_len;
    memcpy((uint8_t *)&word + 1, at, p_len); // at most 7 bytes
    return mix(h, word);
}

static uint64_t hash_text(uint64_t h, const char *text) {
    return hash_bytes(h, text, strlen(text));
}

// struct facts is what a record says of itself, as hashes; 0 is what it does not say.
struct facts {
    uint32_t id, from, to;
    int64_t at_ms;
    uint64_t address, program, host, hello, issuer, serial, key, visit;
    uint32_t domain, leaf, engine;
    uint32_t leaf_from; // when the leaf of a chain that verified began, in seconds
    enum what client, server, began, timely;
};

// is_inside tells names that mean nothing outside one network, and addresses.
static bool is_inside(const char *host) {
    static const char *const tops[] = {"local", "internal", "lan",        "corp",
                                       "home",  "intranet", "localdomain"};
    const char *top = strrchr(host, '.');
    if (top == NULL || strchr(host, ':') != NULL || strspn(host, "0123456789.") == strlen(host)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
        if (strcmp(top + 1, tops[i]) == 0) {
            return true;
        }
    }
    return false;
}

// domain_of returns the part of `host` under which names are related: its last two labels, or three
// where the last two look like "co.uk".
static const char *domain_of(const char *host) {
    const char *dots[3] = {NULL}; // the last ones, from the right
    size_t num = 0;
    for (const char *p = host + strlen(host); p > host && num < 3; p--) {
        if (p[-1] == '.') {
            dots[num++] = p;
        }
    }
    if (num < 2) {
        return host;
    }
    bool second = strlen(dots[0]) == 2 && (size_t)(dots[0] - dots[1]) <= 4;
    return !second ? dots[1] : num == 3 ? dots[2] : host;
}

static enum what client_what(const struct view *view) {
    if (view->mode != MODE_INTERCEPT || predicate_ask(view, P_T_CANARY) == YES) {
        return WHAT_NOTHING;
    }
    if (predicate_ask(view, P_CLIENT_DATA) == YES) {
        return WHAT_WORKED;
    }
    if (predicate_ask(view, P_LEAF_SOUND) != YES) {
        return WHAT_NOTHING; // it may have meant the server's defect
    }
    if (predicate_ask(view, P_C_ALERT_TIME) == YES) {
        return WHAT_DATED;
    }
    bool left = predicate_ask(view, P_C_ALERTED) == NO &&
                (predicate_ask(view, P_C_CLOSED) == YES || predicate_ask(view, P_C_RESET) == YES);
    if (predicate_ask(view, P_C_REFUSES) == YES ||
        (left && predicate_ask(view, P_C_AT_CERTIFICATE) == YES)) {
        return WHAT_REFUSED;
    }
    return left && predicate_ask(view, P_C_DONE) == YES ? WHAT_UNUSED : WHAT_NOTHING;
}

static enum what server_what(const struct view *view) {
    if (view->mode == MODE_PLAIN || view->up == NULL) {
        return WHAT_NOTHING;
    }
    if (predicate_ask(view, P_VERIFIED) == NO || predicate_ask(view, P_S_ALERTED) == YES) {
        return WHAT_FAILED;
    }
    if (view->up_step >= LEG_FINISHED) {
        return predicate_ask(view, P_VERIFIED) == YES ? WHAT_SOUND : WHAT_NOTHING;
    }
    bool broken = predicate_ask(view, P_S_CLOSED) == YES || predicate_ask(view, P_S_RESET) == YES;
    return broken ? WHAT_FAILED : WHAT_NOTHING;
}

// hello_what tells whether the client ever began. One that waits for the server, or is gone for its
// sake, does not count.
static enum what hello_what(const struct view *view) {
    if (predicate_ask(view, P_HELLO_SEEN) == YES) {
        return WHAT_SEEN;
    }
    bool gone = predicate_ask(view, P_C_GONE) == YES && predicate_ask(view, P_AWAITS_SERVER) == NO;
    return view->mode == MODE_INTERCEPT && gone ? WHAT_SILENT : WHAT_NOTHING;
}

// hash_suites adds the part of a JA4 that stands for the suites: the rest changes with the session.
static uint64_t hash_suites(uint64_t h, const char *ja4) {
    const char *at = ja4 != NULL ? strchr(ja4, '_') : NULL;
    return at != NULL ? hash_bytes(h, at + 1, strcspn(at + 1, "_")) : h;
}

static void facts_client(struct facts *out, const struct obj *root, uint64_t seed) {
    const struct obj *leg = obj_get(root, F_RECORD_LEG_CLIENT);
    const char *address = obj_str(leg, F_LEG_ADDRESS), *ja4 = obj_str(leg, F_LEG_JA4);
    const char *agent = obj_str(root, F_RECORD_USER_AGENT);
    const char *engine = obj_str(obj_get(root, F_RECORD_CLAIM), F_CLAIM_ENGINE);
    if (address == NULL) {
        return;
    }
    out->address = hash_text(seed, address);
    out->visit = mix(hash_text(out->address, agent != NULL ? agent : ""), out->host);
    if (agent != NULL || ja4 != NULL) {
        out->program = hash_suites(hash_text(out->address, agent != NULL ? agent : ""), ja4);
    }
    if (ja4 != NULL && engine != NULL) {
        out->hello = hash_text(out->address, ja4);
        out->engine = (uint32_t)hash_text(seed, engine) | 1;
    }
}

// timely_what tells whether the leaf was in its time. One that is valid for long says little of the
// clock.
static enum what timely_what(const struct view *view, int64_t now_ms) {
    enum { DAYS_MAX = 825, DAY = 86400 };
    int64_t from, to, now = now_ms / 1000;
    bool seen = view->mode == MODE_INTERCEPT && obj_int(view->up, F_LEG_NOT_BEFORE, &from) &&
                obj_int(view->up, F_LEG_NOT_AFTER, &to);
    if (!seen || to - from > (int64_t)DAYS_MAX * DAY) {
        return WHAT_NOTHING;
    }
    return from <= now && now <= to ? WHAT_TIMELY : WHAT_UNTIMELY;
}

// facts_chain reads what history wants of the server's leaf.
static void facts_chain(struct facts *out, const struct view *view, uint64_t seed) {
    const struct obj *leaf =
        obj_num(view->up, F_LEG_CHAIN) != 0 ? obj_at(view->up, F_LEG_CHAIN, 0) : NULL;
    const char *sha256 = obj_str(leaf, F_CERT_SHA256), *issuer = obj_str(leaf, F_CERT_ISSUER);
    const char *spki = obj_str(leaf, F_CERT_SPKI_SHA256), *serial = obj_str(leaf, F_CERT_SERIAL);
    if (sha256 == NULL) {
        return;
    }
    out->leaf = (uint32_t)hash_text(seed, sha256) | 1;
    if (issuer != NULL && serial != NULL) {
        out->serial = hash_text(hash_text(seed, issuer), serial);
    }
    bool unknown = predicate_ask(view, P_UNTRUSTED) == YES ||
                   predicate_ask(view, P_UNKNOWN_ISSUER) == YES ||
                   predicate_ask(view, P_MISSING_LINK) == YES;
    if (issuer != NULL && unknown) {
        out->issuer = hash_text(seed, issuer);
        out->key = spki != NULL ? hash_text(out->issuer, spki) : 0;
    }
}

// facts_read returns false for a record of which nothing can be told.
static bool facts_read(struct facts *out, const struct obj *root, uint64_t seed) {
    struct view view;
    int64_t began, end = 0, port = 0;
    const char *host = obj_str(root, F_RECORD_HOST), *id = obj_str(root, F_RECORD_ID);
    *out = (struct facts){0};
    if (!obj_int(root, F_RECORD_TIMESTAMP, &began) || host == NULL || id == NULL) {
        return false;
    }
    view_init(&view, root);
    (void)(obj_int(view.client, F_LEG_MS_END, &end) || obj_int(view.up, F_LEG_MS_END, &end));
    (void)obj_int(root, F_RECORD_PORT, &port);
    out->id = (uint32_t)hash_text(seed, id) | 1;
    out->at_ms = began;
    out->from = (uint32_t)(began / 1000);
    out->to = (uint32_t)((began + end / 1000) / 1000);
    out->host = mix(hash_text(seed, host), (uint64_t)port);
    out->domain = is_inside(host) ? 0 : (uint32_t)hash_text(seed, domain_of(host)) | 1;
    facts_client(out, root, seed);
    facts_chain(out, &view, seed);
    out->client = client_what(&view);
    out->server = server_what(&view);
    out->began = hello_what(&view);
    out->timely = timely_what(&view, began);
    int64_t from;
    if (out->timely == WHAT_TIMELY && out->server == WHAT_SOUND &&
        obj_int(view.up, F_LEG_NOT_BEFORE, &from) && from > 0) {
        out->leaf_from = (uint32_t)from;
    }
    return true;
}

static struct shard *shard_of(struct history *history, uint64_t key) {
    return &history->shards[key % SHARDS];
}

static struct series *set_of(struct shard *shard, uint64_t key) {
    return shard->series[key / SHARDS % SETS];
}

static uint64_t series_key(enum about about, uint64_t of) { return mix(of, about + 1u) | 1; }

// series_get finds a series, or makes it in the place of the quietest of its set.
static struct series *series_get(struct series *set, uint64_t key) {
    struct series *oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        oldest = set[i].heard < oldest->heard ? &set[i] : oldest;
    }
    memset(oldest, 0, sizeof(*oldest));
    oldest->key = key;
    return oldest;
}

// is_same returns whether a new event takes the place of `old`: it is of the same connection, or
// says the same again where it is counted once.
static bool is_same(const struct event *old, const struct event *event) {
    return old->id == event->id ||
           (old->value == event->value && old->leaf == event->leaf && old->what == event->what);
}

static void series_add(struct series *series, const struct event *event) {
    size_t slot = series->next;
    for (size_t i = 0; i < EVENTS && series->events[i].id != 0; i++) {
        if (is_same(&series->events[i], event)) {
            slot = i;
            break;
        }
    }
    series->events[slot] = *event;
    if (slot == series->next) {
        series->next = (series->next + 1) % EVENTS;
    }
    series->heard = event->to > series->heard ? event->to : series->heard;
}

static void note(struct history *history, const struct facts *facts, enum about about, uint64_t of,
                 const struct event *event) {
    struct event noted = *event;
    if (of == 0 || event->value == 0 || event->what == WHAT_NOTHING) {
        return;
    }
    uint64_t key = series_key(about, of);
    struct shard *shard = shard_of(history, key);
    noted.id = facts->id;
    noted.from = facts->from;
    noted.to = facts->to;
    noted.at_ms = facts->at_ms;
    pthread_mutex_lock(&shard->lock);
    series_add(series_get(set_of(shard, key), key), &noted);
    pthread_mutex_unlock(&shard->lock);
}

static uint32_t value_of(uint64_t hash) { return hash != 0 ? (uint32_t)hash | 1 : 0; }

static uint64_t pair_of(const struct facts *facts) {
    return facts->program != 0 ? mix(facts->program, facts->host) : 0;
}

void history_note(struct history *history, const struct obj *root) {
    struct facts f;
    if (!facts_read(&f, root, history->seed)) {
        return;
    }
    uint32_t program = value_of(f.program), host = value_of(f.host);
    uint32_t visitor = f.client == WHAT_WORKED ? value_of(f.address) : 0;
    const struct {
        enum about about;
        uint64_t of;
        struct event event;
    } notes[] = {
        {ABOUT_CLIENT, f.program, {.value = host, .what = f.client}},
        {ABOUT_ADDRESS, visitor != 0 ? f.address : 0, {.value = program, .what = f.client}},
        {ABOUT_PAIR, pair_of(&f), {.value = f.id, .what = f.client}},
        {ABOUT_HOST, f.host, {.value = f.id, .leaf = f.leaf, .what = f.server}},
        {ABOUT_VISITOR, f.host, {.value = visitor, .what = f.client}},
        {ABOUT_ISSUER, f.issuer, {.value = f.domain, .what = WHAT_SEEN}},
        {ABOUT_KEY, f.key, {.value = f.domain, .leaf = f.leaf, .what = WHAT_SEEN}},
        {ABOUT_SERIAL, f.serial, {.value = f.leaf, .what = WHAT_SEEN}},
        {ABOUT_HELLO, f.hello, {.value = f.engine, .what = WHAT_SEEN}},
        {ABOUT_VISIT, f.visit, {.value = f.id, .what = f.began}},
        {ABOUT_CLOCK, history->seed, {.value = host, .leaf = f.leaf_from, .what = f.timely}},
    };
    for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
        note(history, &f, notes[i].about, notes[i].of, &notes[i].event);
    }
}

// struct told is a copy of what a series holds within a window, other connections' alone.
struct told {
    struct event events[EVENTS];
    size_t num;
};

static void tell(struct told *out, struct history *history, const struct facts *facts,
                 enum about about, uint64_t of, uint32_t window) {
    out->num = 0;
    if (of == 0) {
        return;
    }
    uint64_t key = series_key(about, of);
    struct shard *shard = shard_of(history, key);
    pthread_mutex_lock(&shard->lock);
    const struct series *set = set_of(shard, key), *series = NULL;
    for (size_t i = 0; i < WAYS && series == NULL; i++) {
        series = set[i].key == key ? &set[i] : NULL;
    }
    for (size_t i = 0; series != NULL && i < EVENTS && series->events[i].id != 0; i++) {
        const struct event *event = &series->events[i];
        bool within = (uint64_t)event->to + window >= facts->from &&
                      event->from <= (uint64_t)facts->from + window;
        if (within && event->id != facts->id) {
            out->events[out->num++] = *event;
        }
    }
    pthread_mutex_unlock(&shard->lock);
}

static int count_what(const struct told *told, enum what what, uint32_t but) {
    int num = 0;
    for (size_t i = 0; i < told->num; i++) {
        num += told->events[i].what == what && told->events[i].value != but;
    }
    return num;
}

// count_distinct counts the different values of events, or their leaves, `own` included.
static int count_distinct(const struct told *told, bool leaf, uint32_t own) {
    int num = own != 0;
    for (size_t i = 0; i < told->num; i++) {
        uint32_t word = leaf ? told->events[i].leaf : told->events[i].value;
        bool known = word == own || word == 0;
        for (size_t k = 0; k < i && !known; k++) {
            known = word == (leaf ? told->events[k].leaf : told->events[k].value);
        }
        num += !known;
    }
    return num;
}

// count_left counts the values of events in which a client did not use what it was shown.
static int count_left(const struct told *told, uint32_t but) {
    struct told left = {.num = 0};
    for (size_t i = 0; i < told->num; i++) {
        const struct event *event = &told->events[i];
        bool unused = event->what == WHAT_REFUSED || event->what == WHAT_UNUSED;
        if (unused && event->value != but) {
            left.events[left.num++] = *event;
        }
    }
    return count_distinct(&left, false, 0);
}

static void set_count(struct obj *out, enum field field, int num) {
    if (num > 0) {
        obj_set_int(out, field, num);
    }
}

static void tell_client(struct obj *out, struct history *history, const struct facts *f) {
    struct told told;
    uint32_t host = value_of(f->host);
    tell(&told, history, f, ABOUT_CLIENT, f->program, CLIENT_WINDOW);
    set_count(out, F_HISTORY_CLIENT_HOSTS_OK, count_what(&told, WHAT_WORKED, host));
    set_count(out, F_HISTORY_CLIENT_HOSTS_REFUSED, count_what(&told, WHAT_REFUSED, host));
    set_count(out, F_HISTORY_CLIENT_HOSTS_LEFT, count_left(&told, host));
    set_count(out, F_HISTORY_CLIENT_HOSTS_DATED, count_what(&told, WHAT_DATED, host));
    tell(&told, history, f, ABOUT_ADDRESS, f->address, CLIENT_WINDOW);
    set_count(out, F_HISTORY_CLIENT_OTHERS_OK,
              count_what(&told, WHAT_WORKED, value_of(f->program)));
    tell(&told, history, f, ABOUT_PAIR, pair_of(f), CLIENT_WINDOW);
    set_count(out, F_HISTORY_SAME_OK, count_what(&told, WHAT_WORKED, 0));
    set_count(out, F_HISTORY_SAME_REFUSED, count_what(&told, WHAT_REFUSED, 0));
    set_count(out, F_HISTORY_SAME_UNUSED, count_what(&told, WHAT_UNUSED, 0));
    tell(&told, history, f, ABOUT_PAIR, pair_of(f), NEAR_WINDOW);
    set_count(out, F_HISTORY_SAME_NEAR, count_what(&told, WHAT_WORKED, 0));
    tell(&told, history, f, ABOUT_VISIT, f->visit, CLIENT_WINDOW);
    bool spoke = count_what(&told, WHAT_SEEN, 0) != 0;
    set_count(out, F_HISTORY_SAME_SILENT, spoke ? 0 : count_what(&told, WHAT_SILENT, 0));
}

// alternates returns whether the host was sound between this connection and another on which its
// handshake failed with the same leaf: it did not change for good in between.
static bool alternates(const struct told *told, const struct facts *f) {
    for (size_t i = 0; i < told->num; i++) {
        const struct event *failed = &told->events[i];
        if (failed->what != WHAT_FAILED || failed->leaf == 0 || failed->leaf != f->leaf) {
            continue;
        }
        for (size_t k = 0; k < told->num; k++) {
            int64_t at = told->events[k].at_ms;
            bool between =
                (failed->at_ms < at && at < f->at_ms) || (f->at_ms < at && at < failed->at_ms);
            if (told->events[k].what == WHAT_SOUND && between) {
                return true;
            }
        }
    }
    return false;
}

static void tell_host(struct obj *out, struct history *history, const struct facts *f) {
    struct told told;
    tell(&told, history, f, ABOUT_VISITOR, f->host, HOST_WINDOW);
    set_count(out, F_HISTORY_OTHERS_OK, count_what(&told, WHAT_WORKED, value_of(f->address)));
    tell(&told, history, f, ABOUT_HOST, f->host, HOST_WINDOW);
    set_count(out, F_HISTORY_HOST_GOOD, count_what(&told, WHAT_SOUND, 0));
    set_count(out, F_HISTORY_HOST_BAD, count_what(&told, WHAT_FAILED, 0));
    if (f->server == WHAT_FAILED && alternates(&told, f)) {
        obj_set_int(out, F_HISTORY_HOST_ALTERNATES, true);
    }
    int leaves = count_distinct(&told, true, f->leaf);
    set_count(out, F_HISTORY_HOST_LEAVES, leaves > 1 ? leaves : 0);
}

// tell_key counts other domains at other addresses, with another certificate and this one's key:
// one certificate for many names is nothing special, nor is one machine for many.
static void tell_key(struct obj *out, struct history *history, const struct facts *f) {
    struct told told, others = {.num = 0};
    tell(&told, history, f, ABOUT_KEY, f->domain != 0 ? f->key : 0, HOST_WINDOW);
    for (size_t i = 0; i < told.num; i++) {
        if (told.events[i].leaf != f->leaf) {
            others.events[others.num++] = told.events[i];
        }
    }
    int domains = count_distinct(&others, false, f->domain);
    set_count(out, F_HISTORY_KEY_HOSTS, domains > 1 ? domains : 0);
}

static void tell_issuer(struct obj *out, struct history *history, const struct facts *f) {
    struct told told;
    tell(&told, history, f, ABOUT_ISSUER, f->domain != 0 ? f->issuer : 0, HOST_WINDOW);
    int domains = count_distinct(&told, false, f->domain);
    set_count(out, F_HISTORY_ISSUER_HOSTS, domains > 1 ? domains : 0);
    tell(&told, history, f, ABOUT_SERIAL, f->serial, HOST_WINDOW);
    if (count_distinct(&told, false, f->leaf) > 1) {
        obj_set_int(out, F_HISTORY_SERIAL_REUSED, true);
    }
}

// tell_clock tells what other hosts' leaves say of the proxy's clock.
static void tell_clock(struct obj *out, struct history *history, const struct facts *f) {
    struct told told, timely = {.num = 0};
    uint32_t host = value_of(f->host), after = 0;
    tell(&told, history, f, ABOUT_CLOCK, history->seed, HOST_WINDOW);
    for (size_t i = 0; i < told.num; i++) {
        const struct event *event = &told.events[i];
        if (event->what == WHAT_TIMELY && event->value != host) {
            timely.events[timely.num++] = *event;
            after = event->leaf > after ? event->leaf : after;
        }
    }
    int out_of_time = timely.num > 0 ? 0 : count_what(&told, WHAT_UNTIMELY, host);
    set_count(out, F_HISTORY_CLOCK_HOSTS_IN, count_distinct(&timely, false, 0));
    set_count(out, F_HISTORY_CLOCK_HOSTS_OUT, out_of_time);
    if (after > 0) {
        obj_set_int(out, F_HISTORY_CLOCK_AFTER, after);
    }
}

static void tell_hello(struct obj *out, struct history *history, const struct facts *f) {
    struct told told;
    tell(&told, history, f, ABOUT_HELLO, f->hello, HOST_WINDOW);
    int engines = count_distinct(&told, false, f->engine);
    set_count(out, F_HISTORY_HELLO_CLIENTS, engines > 1 ? engines : 0);
}

void history_tell(struct history *history, struct obj *root) {
    struct facts facts;
    obj_unset(root, F_RECORD_HISTORY);
    if (!facts_read(&facts, root, history->seed)) {
        return;
    }
    struct obj *out = obj_sub(root, F_RECORD_HISTORY);
    tell_client(out, history, &facts);
    tell_host(out, history, &facts);
    tell_issuer(out, history, &facts);
    tell_key(out, history, &facts);
    tell_hello(out, history, &facts);
    tell_clock(out, history, &facts);
}
