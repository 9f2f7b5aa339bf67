// "Did you mean ...?"
#ifndef POLICY_CONFIG_CLOSEST_H_
#define POLICY_CONFIG_CLOSEST_H_

#include <stddef.h>

// struct closest holds the best candidate so far. Begin with a zeroed struct and the word.
struct closest {
    const char *word;
    const char *name; // the best candidate, or NULL while none is close
    size_t edits;
};

// closest_offer considers `name`, which must outlive the struct. A name is close when a third of
// its letters or fewer were inserted, left out, replaced or swapped with the next; case does not
// count.
void closest_offer(struct closest *closest, const char *name);

#endif // POLICY_CONFIG_CLOSEST_H_
