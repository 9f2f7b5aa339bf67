// The manual of causes: what each leg shows, how a cause is told from its look-alikes, what people
// see of it, what each of them can do, and whether the record alone can tell.
#ifndef POLICY_VERDICT_MANUAL_H_
#define POLICY_VERDICT_MANUAL_H_

#include <stddef.h>

#include "policy/verdict/rule.h"

// Whose error texts the manual has.
enum program { PROGRAM_CHROME, PROGRAM_FIREFOX, PROGRAM_CURL, PROGRAM_COUNT };

// Who may have something to do about a cause.
enum reader {
    READER_USER,
    READER_DEVELOPER, // of the client
    READER_SERVER_ADMIN,
    READER_BOX_ADMIN,
    READER_PROXY_ADMIN, // of this proxy
    READER_COUNT
};

// struct manual is the page of one cause, a static that is never freed; what a cause is and whose
// doing it is stands in its cause_row. `sees` and `remedy` are NULL where there is nothing to see
// or to do. `test` is what settles the cause beyond the record, NULL where nothing more is needed.
struct manual {
    const char *client, *server, *apart;
    const char *sees[PROGRAM_COUNT];
    const char *remedy[READER_COUNT];
    const char *test;
};

// manual_row returns the page of `cause < CAUSE_COUNT`.
const struct manual *manual_row(enum cause cause);

// manual_section returns the title under which `cause` stands in the catalogue.
const char *manual_section(enum cause cause);

// program_name and reader_name return "Chrome", "server admin".
const char *program_name(enum program program);
const char *reader_name(enum reader reader);

// What can be said of a cause without an experiment: nothing, that it is among the suspects, or
// that it is at least likely; the latter with the history of other connections, or from the record
// alone.
enum telling { TELLS_NOTHING, TELLS_SUSPICION, TELLS_HISTORY, TELLS_CAUSE };

enum { TELLERS_MAX = 32 };

// struct tellers holds the rules that name a cause, in the table's order, and the best that they
// can make of it; those that need experiments count only among `rules`. `surest` counts from
// TELLS_HISTORY on.
struct tellers {
    enum telling telling;
    enum confidence surest;
    size_t num;
    const struct rule *rules[TELLERS_MAX];
};

// manual_tellers looks through all rules.
void manual_tellers(struct tellers *out, enum cause cause);

// telling_name returns "the record alone", "other connections", "a suspicion" or "an experiment".
const char *telling_name(enum telling telling);

#endif // POLICY_VERDICT_MANUAL_H_
