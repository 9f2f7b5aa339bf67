// History as evidence: what the same client did with other hosts, and other clients with the same
// host, within a window of time and a bound of memory.
#ifndef POLICY_VERDICT_HISTORY_H_
#define POLICY_VERDICT_HISTORY_H_

#include "logs/record/obj.h"

// struct history remembers the last connections of each client, host, issuer and key, as hashes. It
// takes HISTORY_BYTES and no more: what was not seen for longest is forgotten first. Any thread may
// use it; a call holds one of many locks at a time, and for less than a microsecond.
struct history;

enum { HISTORY_BYTES = 6 * 1024 * 1024 };

// history_new returns an empty history, to be freed with history_free; NULL does nothing there.
// `seed` keeps strangers from making hashes meet.
WUNRES struct history *history_new(uint64_t seed);
void history_free(struct history *history);

// history_note adds the connection that `root` records. A record that is noted again, by its id,
// takes the place of what was noted before. Records without a time or a host say nothing.
void history_note(struct history *history, const struct obj *root);

// history_tell fills RECORD.history of `root` with what was noted of other connections around its
// time, replacing what is there. Where there is nothing to count, it leaves an empty object: the
// history was asked.
void history_tell(struct history *history, struct obj *root);

#endif // POLICY_VERDICT_HISTORY_H_
