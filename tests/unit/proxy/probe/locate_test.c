#include "proxy/probe/locate.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/check.h"
#include "logs/record/record.h"
#include "tests/unit/unit.h"

// struct world is a path with `routers` and then the server, and what is on it.
struct world {
    int routers;
    int box;               // hop at which it reacts; 0: none
    enum locate_fate does; // to a hello with the name
    bool all;              // to any hello
    int terminator;        // hop at which connections are accepted; 0: none
    unsigned mute;         // bits of routers that send no ICMP
    bool accepts_nothing;
    enum locate_fate server; // what the server does to the hello with the name
    int other_way;           // datagrams go by other routers from this hop on; 0: none
};

static struct locate locate;
static struct locate_box box;
static size_t num_tries, num_rounds;
static unsigned flaws; // of the tries at the box, so many are let through

static bool mute(const struct world *w, int hop) { return (w->mute >> hop & 1) != 0; }

static enum locate_fate expire(const struct world *w, int ttl) {
    return mute(w, ttl) ? LOCATE_LOST : LOCATE_EXPIRED;
}

static enum locate_fate hello(const struct world *w, bool named, int ttl) {
    int reach = ttl == 0 ? 64 : ttl;
    if (w->box != 0 && reach >= w->box && (named || w->all)) {
        if (flaws == 0 || ttl != w->box) {
            return w->does;
        }
        flaws--;
    }
    if (w->terminator != 0 && reach >= w->terminator) {
        return LOCATE_ANSWERED;
    }
    if (reach <= w->routers) {
        return expire(w, ttl);
    }
    return named && w->server != LOCATE_UNKNOWN ? w->server : LOCATE_ANSWERED;
}

static enum locate_fate fate(const struct world *w, const struct locate_try *t) {
    int accepts = w->terminator != 0 ? w->terminator : w->routers + 1;
    switch (t->what) {
    case LOCATE_SYN:
        return t->ttl < accepts || w->accepts_nothing ? expire(w, t->ttl) : LOCATE_ACCEPTED;
    case LOCATE_DATAGRAM:
        return t->ttl <= w->routers ? expire(w, t->ttl) : LOCATE_ACCEPTED;
    default:
        return hello(w, t->what == LOCATE_TARGET, t->ttl);
    }
}

static void run(const struct world *w, bool has_control) {
    struct locate_try tries[LOCATE_ROUND_MAX];
    size_t num;
    locate_init(&locate, has_control);
    num_tries = num_rounds = 0;
    while ((num = locate_next(&locate, tries)) != 0) {
        num_rounds++;
        for (size_t i = 0; i < num; i++) {
            char router[LOCATE_ROUTER_SIZE];
            struct locate_seen seen = {.fate = fate(w, &tries[i]), .us = 1000};
            bool other = w->other_way != 0 && tries[i].ttl >= w->other_way &&
                         tries[i].what == LOCATE_DATAGRAM;
            snprintf(router, sizeof(router), "%s.%d", other ? "192.0.2" : "10.0.0", tries[i].ttl);
            seen.router = seen.fate == LOCATE_EXPIRED ? router : NULL;
            locate_tell(&locate, &tries[i], &seen);
            num_tries++;
        }
        CHECK(num_rounds < 32);
    }
    locate_box(&locate, &box);
}

static void check_box(enum locate_deed deed, int hop, int after, bool by_name) {
    CU_ASSERT_EQUAL(box.deed, deed);
    CU_ASSERT_EQUAL(box.hop, hop);
    CU_ASSERT_EQUAL(box.after, after);
    CU_ASSERT_EQUAL(box.by_name, by_name);
}

static void test_clean(void) {
    for (int routers = 0; routers <= 25; routers++) {
        run(&(struct world){.routers = routers}, true);
        CU_ASSERT_EQUAL(locate_server(&locate), routers + 1);
        check_box(LOCATE_NOTHING, 0, 0, false);
        CU_ASSERT(num_tries < 6 + 3 * (size_t)routers + 20);
        run(&(struct world){.routers = routers}, false);
        check_box(LOCATE_NOTHING, 0, 0, false);
        run(&(struct world){.routers = routers, .mute = 0x2a54a6}, true);
        check_box(LOCATE_NOTHING, 0, 0, false);
    }
}

static void test_reaction(void) {
    static const enum locate_fate kinds[] = {LOCATE_RESET, LOCATE_CLOSED, LOCATE_ALERT,
                                             LOCATE_NOT_TLS};
    for (int at = 1; at <= 8; at++) {
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            run(&(struct world){.routers = 8, .box = at, .does = kinds[i]}, true);
            check_box(LOCATE_REACTS, at, at - 1, true);
            CU_ASSERT_EQUAL(box.fate, kinds[i]);
            // The name makes no difference, or there is none.
            run(&(struct world){.routers = 8, .box = at, .does = kinds[i], .all = true}, true);
            check_box(LOCATE_REACTS, at, at - 1, false);
            run(&(struct world){.routers = 8, .box = at, .does = kinds[i]}, false);
            check_box(LOCATE_REACTS, at, at - 1, false);
        }
    }
}

// Routers that say nothing take nothing away from a reaction.
static void test_reaction_mute(void) {
    run(&(struct world){.routers = 5, .box = 3, .does = LOCATE_RESET, .mute = 0x3e}, true);
    check_box(LOCATE_REACTS, 3, 2, true);
}

static void test_drop(void) {
    for (int at = 1; at <= 8; at++) {
        run(&(struct world){.routers = 8, .box = at, .does = LOCATE_LOST}, true);
        check_box(LOCATE_DROPS, at, at - 1, true);
    }
    // A mute router before it leaves open which of the two it is, one behind does not.
    run(&(struct world){.routers = 5, .box = 3, .does = LOCATE_LOST, .mute = 1 << 2}, true);
    check_box(LOCATE_DROPS, 3, 1, true);
    run(&(struct world){.routers = 5, .box = 3, .does = LOCATE_LOST, .mute = 1 << 4}, true);
    check_box(LOCATE_DROPS, 3, 2, true);
    // Without a control, or where all are dropped, it may be anything.
    run(&(struct world){.routers = 5, .box = 3, .does = LOCATE_LOST}, false);
    check_box(LOCATE_NOTHING, 0, 0, false);
    run(&(struct world){.routers = 5, .box = 3, .does = LOCATE_LOST, .all = true}, true);
    check_box(LOCATE_NOTHING, 0, 0, false);
}

// Whatever the server does, nobody on the way did it.
static void test_server(void) {
    static const enum locate_fate kinds[] = {LOCATE_RESET, LOCATE_CLOSED, LOCATE_ALERT, LOCATE_LOST,
                                             LOCATE_ACKED};
    for (int routers = 1; routers <= 8; routers++) {
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            run(&(struct world){.routers = routers, .server = kinds[i]}, true);
            check_box(LOCATE_NOTHING, 0, 0, false);
        }
    }
}

static void test_terminator(void) {
    for (int at = 1; at <= 6; at++) {
        run(&(struct world){.routers = 6, .terminator = at}, true);
        CU_ASSERT_EQUAL(locate_server(&locate), at);
        check_box(LOCATE_TERMINATES, at, at - 1, false);
    }
    // Another way for datagrams tells nothing.
    run(&(struct world){.routers = 6, .terminator = 3, .other_way = 2}, true);
    check_box(LOCATE_NOTHING, 0, 0, false);
    // SYNs pass, what is said on the connection does not.
    run(&(struct world){.routers = 6, .box = 3, .does = LOCATE_ACKED, .all = true}, true);
    check_box(LOCATE_TERMINATES, 3, 2, false);
}

// One of three may be otherwise, two may not.
static void test_agreement(void) {
    const struct world w = {.routers = 4, .box = 2, .does = LOCATE_RESET};
    struct locate_try tries[LOCATE_ROUND_MAX];
    flaws = 1;
    run(&w, true);
    check_box(LOCATE_REACTS, 2, 1, true);
    flaws = 2; // as if it were one hop further, but for one that it met before
    run(&w, true);
    CU_ASSERT_EQUAL(box.deed, LOCATE_NOTHING);
    flaws = 0;
    run(&w, true);
    check_box(LOCATE_REACTS, 2, 1, true);
    for (int i = 0; i < 3; i++) {
        locate_tell(&locate, &(struct locate_try){LOCATE_TARGET, 2},
                    &(struct locate_seen){.fate = LOCATE_EXPIRED});
    }
    locate_box(&locate, &box);
    CU_ASSERT_EQUAL(box.deed, LOCATE_NOTHING);
    CU_ASSERT_EQUAL(locate_next(&locate, tries), 0);
}

static void test_nobody(void) {
    run(&(struct world){.routers = 4, .accepts_nothing = true, .mute = ~0u}, true);
    CU_ASSERT_EQUAL(locate_server(&locate), 0);
    CU_ASSERT_EQUAL(num_tries, LOCATE_HOPS_MAX);
    check_box(LOCATE_NOTHING, 0, 0, false);
}

static void test_record(void) {
    struct record *record = record_new();
    struct obj *path = obj_sub(record->root, F_RECORD_PATH);
    run(&(struct world){.routers = 3, .box = 2, .does = LOCATE_RESET, .mute = 1 << 1}, true);
    locate_record(&locate, path);
    CU_ASSERT(obj_is(path, F_PATH_SERVER_HOP, 4));
    CU_ASSERT(obj_str_is(path, F_PATH_TARGET, "reset"));
    CU_ASSERT(obj_str_is(path, F_PATH_CONTROL, "answered"));
    CU_ASSERT(obj_is(path, F_PATH_BOX_HOP, 2));
    CU_ASSERT(obj_is(path, F_PATH_BOX_AFTER, 1));
    CU_ASSERT(obj_is(path, F_PATH_BOX_BY_NAME, true));
    CU_ASSERT(obj_str_is(path, F_PATH_BOX_DOES, "reset"));
    CU_ASSERT(obj_str_is(path, F_PATH_BOX_ADDRESS, "10.0.0.2"));
    CU_ASSERT_FALSE(obj_has(path, F_PATH_BOX_AFTER_ADDRESS));
    CU_ASSERT_EQUAL(obj_num(path, F_PATH_HOPS), 4);
    const struct obj *hop = obj_at(path, F_PATH_HOPS, 0);
    CU_ASSERT_FALSE(obj_has(hop, F_HOP_ADDRESS));
    CU_ASSERT(obj_str_is(hop, F_HOP_TARGET, "lost"));
    hop = obj_at(path, F_PATH_HOPS, 1);
    CU_ASSERT(obj_str_is(hop, F_HOP_TARGET, "reset"));
    CU_ASSERT(obj_str_is(hop, F_HOP_CONTROL, "expired"));
    CU_ASSERT(obj_is(hop, F_HOP_TARGET_MS, 1000));
    CU_ASSERT(obj_str_is(obj_at(path, F_PATH_HOPS, 3), F_HOP_SYN, "accepted"));
    record_free(record);
}

static void test_other_name(void) {
    static const char *const names[] = {"www.example.com", "a.localhost", "x", "1-2.b3.test"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (uint64_t seed = 1; seed < 50; seed++) {
            char out[64];
            const char *dot = strrchr(names[i], '.');
            locate_other_name(out, names[i], seed);
            CU_ASSERT_EQUAL(strlen(out), strlen(names[i]));
            CU_ASSERT(strcmp(out, names[i]) != 0);
            CU_ASSERT(dot == NULL || strcmp(out + (dot - names[i]), dot) == 0);
            for (size_t j = 0; out[j] != '\0'; j++) {
                CU_ASSERT_EQUAL(out[j] == '.', names[i][j] == '.');
            }
        }
    }
}

const struct unit_case unit_cases[] = {
    {"clean paths", test_clean},
    {"a reaction on the way", test_reaction},
    {"among mute routers", test_reaction_mute},
    {"a drop on the way", test_drop},
    {"the server itself", test_server},
    {"a terminator", test_terminator},
    {"two of three agree", test_agreement},
    {"nobody accepts", test_nobody},
    {"record", test_record},
    {"another name", test_other_name},
    {NULL, NULL},
};
