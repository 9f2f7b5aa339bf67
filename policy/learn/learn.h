// A profile out of records of a real box: what it says on each leg, and the certificates that it
// forges.
//
// A knob is turned only where every record agrees with it and one at least shows it. The profile
// tells for each which records that were, and what no record told.
#ifndef POLICY_LEARN_LEARN_H_
#define POLICY_LEARN_LEARN_H_

#include <stdbool.h>
#include <stdint.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"
#include "logs/record/obj.h"

struct learn;

// struct learn_sighting is one connection through the box, seen at both of its sides. All of it is
// the caller's and copied.
struct learn_sighting {
    const char *id;           // what people find the record by
    const char *host;         // that the client asked for; NULL: not known
    int64_t time;             // unix seconds at which the client's hello was seen
    const struct obj *front;  // KIND_LEG: between the client and the box
    const struct obj *behind; // KIND_LEG: between the box and the server
};

// The most sightings that are kept; more tell nothing new.
enum { LEARN_MAX_SIGHTINGS = 1000 };

// learn_new begins a profile that is called `name`. The caller frees it with learn_free, which does
// nothing with NULL.
WUNRES struct learn *learn_new(const char *name);
void learn_free(struct learn *learn);

// learn_add adds a sighting. It returns false past LEARN_MAX_SIGHTINGS.
WUNRES bool learn_add(struct learn *learn, const struct learn_sighting *sighting);

// learn_print appends the profile as indented JSON, which profile_parse reads. It fails where no
// sighting shows a box at all: the hellos are the same on both sides of it.
WUNRES bool learn_print(struct learn *learn, struct buf *out, struct err *err);

#endif // POLICY_LEARN_LEARN_H_
