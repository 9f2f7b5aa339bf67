// A session for the tests of proxy/net: a small relay behind session.h, which notes its events.
//
// The client's first line, ended by \n, says what it is to do:
//   CONNECT HOST PORT   dial; then "OK\n" or "FAIL\n" to the client, and relay
//   CLOSE               write FAKE_GOODBYE to the client and close it
//   RESET               reset the client
//   TIMER MS            answer "TICK\n" after so many milliseconds
//   HOLD                read no more
//   SPLICE HOST PORT    as CONNECT, and what is relayed need not be shown
#ifndef TESTS_UNIT_PROXY_NET_FAKE_SESSION_H_
#define TESTS_UNIT_PROXY_NET_FAKE_SESSION_H_

#include <stdbool.h>
#include <stddef.h>

#include "proxy/session/session.h"

#define FAKE_GOODBYE "the page that says why"

// Ends what a side says when nothing but its FIN is to follow.
#define FAKE_LAST "and that is all"

// It stops reading a side while more than this waits for the other.
enum { FAKE_BACKLOG = 128 * 1024 };

// struct fake_note is one event of one session.
struct fake_note {
    unsigned session; // 1 for the first since fake_reset
    enum event_kind kind;
    enum side side;
    int errnum; // of EVENT_TRIED too
    enum dns_error dns_error;
    size_t num; // of EVENT_RESOLVED: addresses; of EVENT_BYTES and EVENT_SPLICED: bytes
    struct address address;
    int64_t us;
    struct transport transport; // of EVENT_BYTES, taken by `sample`
};

// fake_reset forgets all notes and counts.
void fake_reset(void);

// fake_wait waits until the `nth` (from 1) note of `kind` of `session` (0: any) is there, and
// returns whether that was within the deadline of a test.
bool fake_wait(struct fake_note *out, unsigned session, enum event_kind kind, unsigned nth);

// fake_count counts the notes of `kind`; fake_most_held is the most bytes that a session has held.
unsigned fake_count(enum event_kind kind);
size_t fake_most_held(void);

// fake_forget_most_held lets the next fake_most_held tell of what is held from now on.
void fake_forget_most_held(void);

// fake_alive is how many sessions there are; fake_wait_gone waits until there is none.
unsigned fake_alive(void);
bool fake_wait_gone(void);

#endif // TESTS_UNIT_PROXY_NET_FAKE_SESSION_H_
