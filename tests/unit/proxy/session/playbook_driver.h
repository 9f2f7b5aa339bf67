// The half of a playbook that carries bytes and time: events in, wishes done.
#ifndef TESTS_UNIT_PROXY_SESSION_PLAYBOOK_DRIVER_H_
#define TESTS_UNIT_PROXY_SESSION_PLAYBOOK_DRIVER_H_

#include "tests/unit/proxy/session/playbook.h"

enum { RECORDS_MAX = 32 };

struct play_side {
    struct peer *peer;  // NULL: raw bytes
    struct buf got;     // from the session, raw
    struct buf send;    // on its way to the session
    struct buf spliced; // passed on unseen by the other side, and not delivered yet
    bool open;
    bool eof, eof_told; // FIN behind `send`
    bool stopped;       // output is not taken
    bool fin, closed, reset;
    size_t most;
    size_t given;             // bytes that have reached the session
    uint64_t filled, checked; // bytes of the pattern, sent and seen
};

struct play {
    const struct setup *setup;
    struct session_shared *shared;
    struct session *session;
    struct wishes wishes;
    int64_t now_us;
    unsigned dial_seen, dial_done; // serials: by the script, by the driver
    struct play_side sides[2];
    struct {
        struct record *record;
        bool final;
    } records[RECORDS_MAX];
    size_t num_spliced; // bytes that were passed on unseen
    size_t num_records, next_record;
    bool holds; // bytes wait for the next event
    const char *script;
    char line[256];
    FILE *seed; // events, in the fuzz target's words
};

// play_fail reports a failure at the current line.
PRINTF(2, 3) void play_fail(struct play *play, const char *fmt, ...);

// seed_open begins to write the play's events as a seed of the fuzz target, where the environment
// variable PLAYBOOK_SEEDS names the beginning of such files' paths.
void seed_open(struct play *play);

// play_event gives one event and does what is wished for.
void play_event(struct play *play, struct event event);

// play_settle moves bytes until nothing more moves.
void play_settle(struct play *play);

// play_timer lets time pass and rings the deadline when it is reached.
void play_timer(struct play *play, int64_t us);

#endif // TESTS_UNIT_PROXY_SESSION_PLAYBOOK_DRIVER_H_
