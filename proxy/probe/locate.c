#include "proxy/probe/locate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "proxy/probe/plan.h"

enum { SYNS_A_ROUND = 8 };

void locate_init(struct locate *locate, bool has_control) {
    *locate = (struct locate){.has_control = has_control};
    for (size_t i = 0; i < ARRAY_LEN(locate->hops); i++) {
        for (size_t j = 0; j < LOCATE_WHATS; j++) {
            locate->hops[i].us[j] = -1;
        }
    }
}

// ---- what was seen

static unsigned count(const struct locate *locate, enum locate_what what, int ttl,
                      enum locate_fate fate) {
    return locate->hops[ttl].seen[what][fate];
}

static unsigned tries(const struct locate *locate, enum locate_what what, int ttl) {
    unsigned n = 0;
    for (size_t i = 0; i < LOCATE_FATES; i++) {
        n += locate->hops[ttl].seen[what][i];
    }
    return n;
}

enum locate_fate locate_fate(const struct locate *locate, enum locate_what what, int ttl) {
    unsigned all = tries(locate, what, ttl);
    for (size_t i = 1; i < LOCATE_FATES; i++) {
        if (2 * locate->hops[ttl].seen[what][i] > all) {
            return (enum locate_fate)i;
        }
    }
    return LOCATE_UNKNOWN;
}

// agreed returns whether at least two tries, and most of them, met that fate.
static bool agreed(const struct locate *locate, enum locate_what what, int ttl,
                   enum locate_fate fate) {
    return locate_fate(locate, what, ttl) == fate && count(locate, what, ttl, fate) >= 2;
}

bool locate_tried(const struct locate *locate, int ttl) {
    return tries(locate, LOCATE_TARGET, ttl) != 0 &&
           (!locate->has_control || tries(locate, LOCATE_CONTROL, ttl) != 0);
}

int locate_server(const struct locate *locate) {
    for (int ttl = 1; ttl <= LOCATE_HOPS_MAX; ttl++) {
        if (count(locate, LOCATE_SYN, ttl, LOCATE_ACCEPTED) != 0) {
            return ttl;
        }
    }
    return 0;
}

// reaction returns whether a fate is somebody's doing: of a hello whose TTL is too small for the
// server, not the server's.
static bool reaction(enum locate_fate fate) { return fate >= LOCATE_ACKED; }

static unsigned reactions(const struct locate *locate, enum locate_what what, int ttl) {
    unsigned n = 0;
    for (size_t i = LOCATE_ACKED; i < LOCATE_FATES; i++) {
        n += locate->hops[ttl].seen[what][i];
    }
    return n;
}

void locate_tell(struct locate *locate, const struct locate_try *made,
                 const struct locate_seen *seen) {
    CHECK(made->ttl >= 0 && (size_t)made->ttl < ARRAY_LEN(locate->hops));
    struct locate_hop *hop = &locate->hops[made->ttl];
    uint8_t *n = &hop->seen[made->what][seen->fate];
    *n += *n != UINT8_MAX;
    if (hop->us[made->what] < 0) {
        hop->us[made->what] = seen->us;
    }
    char *router = made->what == LOCATE_DATAGRAM ? hop->datagram_router : hop->router;
    if (seen->router != NULL && router[0] == '\0') {
        snprintf(router, LOCATE_ROUTER_SIZE, "%s", seen->router);
    }
}

// ---- the box

// first_reaction is the smallest TTL below the server's with which the hello meets a reaction, and
// 0 where it meets none.
static int first_reaction(const struct locate *locate) {
    for (int ttl = 1; ttl < locate_server(locate); ttl++) {
        if (reaction(locate_fate(locate, LOCATE_TARGET, ttl))) {
            return ttl;
        }
    }
    return 0;
}

// first_missing is the smallest TTL from which on routers no longer say of the hello with the name
// what they say of the other, and 0 where they do.
static int first_missing(const struct locate *locate) {
    int first = 0;
    for (int ttl = locate_server(locate) - 1; ttl >= 1; ttl--) {
        enum locate_fate target = locate_fate(locate, LOCATE_TARGET, ttl);
        enum locate_fate control = locate_fate(locate, LOCATE_CONTROL, ttl);
        if (target != LOCATE_LOST) {
            break;
        }
        first = control == LOCATE_EXPIRED ? ttl : first;
    }
    return first;
}

// below is the largest TTL under `ttl` of which it is known that the hello got past it unharmed.
static int below(const struct locate *locate, int ttl) {
    do {
        ttl--;
    } while (ttl > 0 && locate_fate(locate, LOCATE_TARGET, ttl) != LOCATE_EXPIRED);
    return ttl;
}

static bool find_reaction(const struct locate *locate, struct locate_box *out) {
    int ttl = first_reaction(locate);
    if (ttl == 0) {
        return false;
    }
    enum locate_fate fate = locate_fate(locate, LOCATE_TARGET, ttl);
    bool through = fate == LOCATE_ACKED || fate == LOCATE_ANSWERED;
    bool by_name = locate->has_control && tries(locate, LOCATE_CONTROL, ttl) >= 2 &&
                   reactions(locate, LOCATE_CONTROL, ttl) == 0;
    // Another flow may have a shorter way to the server; that all of one kind have is unlikely, and
    // that three of three have more so.
    bool enough = by_name ? agreed(locate, LOCATE_TARGET, ttl, fate)
                          : count(locate, LOCATE_TARGET, ttl, fate) >= LOCATE_RUNS &&
                                tries(locate, LOCATE_TARGET, ttl) <= LOCATE_RUNS + 1;
    bool alone = ttl == 1 || reactions(locate, LOCATE_TARGET, ttl - 1) == 0;
    if (!enough || !alone || (!through && !agreed(locate, LOCATE_TARGET, 0, fate))) {
        return false;
    }
    *out = (struct locate_box){.deed = through ? LOCATE_TERMINATES : LOCATE_REACTS,
                               .fate = fate,
                               .hop = ttl,
                               .after = ttl - 1,
                               .by_name = by_name};
    return true;
}

static bool find_missing(const struct locate *locate, struct locate_box *out) {
    int ttl = first_missing(locate);
    enum locate_fate control = locate_fate(locate, LOCATE_CONTROL, 0);
    // What the server's TCP acknowledged has arrived; and whoever takes both alike is no filter of
    // names.
    if (ttl == 0 || !agreed(locate, LOCATE_TARGET, 0, LOCATE_LOST) || !reaction(control) ||
        !agreed(locate, LOCATE_CONTROL, 0, control) ||
        !agreed(locate, LOCATE_CONTROL, ttl, LOCATE_EXPIRED) ||
        count(locate, LOCATE_TARGET, ttl, LOCATE_LOST) < LOCATE_RUNS ||
        count(locate, LOCATE_TARGET, ttl, LOCATE_EXPIRED) != 0) {
        return false;
    }
    *out = (struct locate_box){.deed = LOCATE_DROPS,
                               .fate = LOCATE_LOST,
                               .hop = ttl,
                               .after = below(locate, ttl),
                               .by_name = true};
    return true;
}

// find_beyond finds who accepts connections for an address that is further away: datagrams with a
// TTL that suffices for a SYN are told by a router that theirs ran out.
static bool find_beyond(const struct locate *locate, struct locate_box *out) {
    int server = locate_server(locate);
    if (server == 0 || !agreed(locate, LOCATE_DATAGRAM, server, LOCATE_EXPIRED)) {
        return false;
    }
    const struct locate_hop *last = &locate->hops[server - 1];
    bool both = server > 1 && last->router[0] != '\0' && last->datagram_router[0] != '\0';
    if (both && strcmp(last->router, last->datagram_router) != 0) {
        return false; // datagrams have another way
    }
    *out = (struct locate_box){
        .deed = LOCATE_TERMINATES, .fate = LOCATE_ACCEPTED, .hop = server, .after = server - 1};
    return true;
}

void locate_box(const struct locate *locate, struct locate_box *out) {
    *out = (struct locate_box){.deed = LOCATE_NOTHING};
    if (!find_reaction(locate, out) && !find_missing(locate, out)) {
        (void)find_beyond(locate, out);
    }
}

// ---- rounds

struct round {
    struct locate_try *tries;
    size_t num;
};

static void add(struct round *round, enum locate_what what, int ttl, int times) {
    for (int i = 0; i < times; i++) {
        CHECK(round->num < LOCATE_ROUND_MAX);
        round->tries[round->num++] = (struct locate_try){what, ttl};
    }
}

// add_hellos adds the two hellos in turn, so that what changes meanwhile meets both.
static void add_hellos(const struct locate *locate, struct round *round, int ttl, int times) {
    for (int i = 0; i < times; i++) {
        add(round, LOCATE_TARGET, ttl, 1);
        add(round, LOCATE_CONTROL, ttl, locate->has_control ? 1 : 0);
    }
}

static void round_syns(struct locate *locate, struct round *round) {
    int to = locate->num_syns + SYNS_A_ROUND;
    to = to < LOCATE_HOPS_MAX ? to : LOCATE_HOPS_MAX;
    while (locate->num_syns < to && locate_server(locate) == 0) {
        add(round, LOCATE_SYN, ++locate->num_syns, 1);
    }
}

// round_doubt asks the silent routers once more, and whether the server is not nearer after all.
static void round_doubt(const struct locate *locate, struct round *round) {
    int server = locate_server(locate);
    for (int ttl = 1; ttl < server - 1; ttl++) {
        bool silent = locate_fate(locate, LOCATE_SYN, ttl) != LOCATE_EXPIRED;
        add(round, LOCATE_SYN, ttl, silent ? 1 : 0);
    }
    add(round, LOCATE_SYN, server - 1, server > 1 ? 2 : 0);
}

// round_again repeats what a finding would rest on.
static void round_again(const struct locate *locate, struct round *round) {
    int ttl = first_reaction(locate);
    ttl = ttl != 0 ? ttl : first_missing(locate);
    if (ttl > 1) {
        add_hellos(locate, round, ttl - 1, LOCATE_RUNS - 1);
    }
    if (ttl != 0) {
        add_hellos(locate, round, ttl, LOCATE_RUNS - 1);
    }
}

static void round_beyond(const struct locate *locate, struct round *round) {
    int server = locate_server(locate);
    add(round, LOCATE_DATAGRAM, server - 1, server > 1 ? 1 : 0);
    add(round, LOCATE_DATAGRAM, server, LOCATE_RUNS);
    add(round, LOCATE_DATAGRAM, server + 1, 1);
}

static void round_make(struct locate *locate, struct round *round) {
    switch (locate->phase) {
    case LOCATE_SYNS:
        round_syns(locate, round);
        return;
    case LOCATE_DOUBT:
        round_doubt(locate, round);
        return;
    case LOCATE_BASES:
        add_hellos(locate, round, 0, LOCATE_RUNS);
        return;
    case LOCATE_HOPS:
        for (int ttl = 1; ttl < locate_server(locate); ttl++) {
            add_hellos(locate, round, ttl, 1);
        }
        return;
    case LOCATE_AGAIN:
        round_again(locate, round);
        return;
    case LOCATE_BEYOND:
        round_beyond(locate, round);
        return;
    case LOCATE_OVER:
        return;
    }
}

size_t locate_next(struct locate *locate, struct locate_try out[LOCATE_ROUND_MAX]) {
    struct round round = {.tries = out};
    while (round.num == 0 && locate->phase != LOCATE_OVER) {
        round_make(locate, &round);
        if (locate->phase != LOCATE_SYNS || round.num == 0) {
            locate->phase++;
        }
        if (locate->phase == LOCATE_DOUBT && locate_server(locate) == 0) {
            locate->phase = LOCATE_OVER;
        }
    }
    return round.num;
}

// ---- the record

const char *locate_fate_name(enum locate_fate fate) {
    static const char *const names[] = {
        [LOCATE_UNKNOWN] = "unknown",   [LOCATE_EXPIRED] = "expired",
        [LOCATE_LOST] = "lost",         [LOCATE_ACKED] = "acknowledged",
        [LOCATE_ACCEPTED] = "accepted", [LOCATE_ANSWERED] = "answered",
        [LOCATE_ALERT] = "alert",       [LOCATE_RESET] = "reset",
        [LOCATE_CLOSED] = "closed",     [LOCATE_NOT_TLS] = "not-tls",
    };
    return names[fate];
}

static const char *box_does(const struct locate_box *box) {
    return box->deed == LOCATE_DROPS        ? "drops"
           : box->deed == LOCATE_TERMINATES ? "terminates"
                                            : locate_fate_name(box->fate);
}

// router_of is the address of a hop, where it is known.
static const char *router_of(const struct locate_hop *hop) {
    return hop->router[0] != '\0' ? hop->router : hop->datagram_router;
}

static void fate_record(const struct locate *locate, struct obj *obj, enum field field,
                        enum locate_what what, int ttl) {
    if (tries(locate, what, ttl) != 0) {
        obj_set_str(obj, field, locate_fate_name(locate_fate(locate, what, ttl)));
    }
}

void locate_hop_record(const struct locate *locate, struct obj *hop, int ttl) {
    const char *router = router_of(&locate->hops[ttl]);
    obj_set_int(hop, F_HOP_TTL, ttl);
    if (router[0] != '\0') {
        obj_set_str(hop, F_HOP_ADDRESS, router);
    }
    fate_record(locate, hop, F_HOP_SYN, LOCATE_SYN, ttl);
    fate_record(locate, hop, F_HOP_TARGET, LOCATE_TARGET, ttl);
    fate_record(locate, hop, F_HOP_CONTROL, LOCATE_CONTROL, ttl);
    fate_record(locate, hop, F_HOP_DATAGRAM, LOCATE_DATAGRAM, ttl);
    if (locate->hops[ttl].us[LOCATE_TARGET] >= 0) {
        obj_set_int(hop, F_HOP_TARGET_MS, locate->hops[ttl].us[LOCATE_TARGET]);
    }
}

static void box_record(const struct locate *locate, struct obj *path) {
    struct locate_box box;
    locate_box(locate, &box);
    if (box.deed == LOCATE_NOTHING) {
        return;
    }
    const char *at = router_of(&locate->hops[box.hop]);
    const char *after = router_of(&locate->hops[box.after]);
    obj_set_int(path, F_PATH_BOX_HOP, box.hop);
    obj_set_str(path, F_PATH_BOX_DOES, box_does(&box));
    obj_set_int(path, F_PATH_BOX_BY_NAME, box.by_name);
    obj_set_int(path, F_PATH_BOX_AFTER, box.after);
    if (at[0] != '\0') {
        obj_set_str(path, F_PATH_BOX_ADDRESS, at);
    }
    if (box.after != 0 && after[0] != '\0') {
        obj_set_str(path, F_PATH_BOX_AFTER_ADDRESS, after);
    }
}

void locate_record(const struct locate *locate, struct obj *path) {
    int server = locate_server(locate);
    int last = server != 0 ? server + 1 : locate->num_syns;
    if (server != 0) {
        obj_set_int(path, F_PATH_SERVER_HOP, server);
    }
    fate_record(locate, path, F_PATH_TARGET, LOCATE_TARGET, 0);
    fate_record(locate, path, F_PATH_CONTROL, LOCATE_CONTROL, 0);
    for (int ttl = 1; ttl <= last; ttl++) {
        bool beyond = server != 0 && ttl > server;
        if (!beyond || locate_fate(locate, LOCATE_DATAGRAM, ttl) == LOCATE_EXPIRED) {
            locate_hop_record(locate, obj_add(path, F_PATH_HOPS), ttl);
        }
    }
    box_record(locate, path);
}

// ---- names

void locate_other_name(char *out, const char *name, uint64_t seed) {
    const char *dot = strrchr(name, '.');
    size_t changed = dot != NULL ? (size_t)(dot - name) : strlen(name);
    for (size_t i = 0; name[i] != '\0'; i++) {
        unsigned turn = (unsigned)(plan_random(&seed) % 9) + 1; // never all the way round
        char c = (char)tolower((unsigned char)name[i]);
        out[i] = name[i];
        if (i < changed && c >= 'a' && c <= 'z') {
            out[i] = (char)('a' + (c - 'a' + (int)turn) % 26);
        } else if (i < changed && c >= '0' && c <= '9') {
            out[i] = (char)('0' + (c - '0' + (int)turn) % 10);
        }
    }
    out[strlen(name)] = '\0';
}
