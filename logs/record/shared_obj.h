// Objects that many records hold, such as a certificate that comes with every connection to a host:
// made once, written as JSON once, and unchanged from then on.
#ifndef LOGS_RECORD_SHARED_OBJ_H_
#define LOGS_RECORD_SHARED_OBJ_H_

#include <stdatomic.h>

#include "logs/record/obj.h"

// struct shared_obj is counted by its references, which any thread may give back.
struct shared_obj {
    atomic_uint refs;
    struct arena arena; // of `obj` and of what its maker adds
    struct obj *obj;    // not to be changed after shared_obj_finish
};

// shared_obj_new returns an empty object of `kind` with one reference, for its maker to fill.
WUNRES struct shared_obj *shared_obj_new(enum kind kind);

// shared_obj_finish says that the object is complete. Records may hold it only after this.
void shared_obj_finish(struct shared_obj *shared);

// shared_obj_ref takes a reference and returns `shared`; shared_obj_unref gives one back, NULL does
// nothing.
struct shared_obj *shared_obj_ref(struct shared_obj *shared);
void shared_obj_unref(struct shared_obj *shared);

// shared_obj_add appends the object to OBJS `field` of `obj`, whose arena takes a reference.
void shared_obj_add(struct obj *obj, enum field field, struct shared_obj *shared);

#endif // LOGS_RECORD_SHARED_OBJ_H_
