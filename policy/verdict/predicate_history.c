#include "policy/verdict/predicate_fn.h"

ASK(history_least) {
    int64_t num;
    if (view->history == NULL) {
        return UNKNOWN;
    }
    return answer_from(obj_int(view->history, row->fields[0], &num) && num >= row->codes[0]);
}

// Of browsers that share a hello, one may be what it says; that one is left alone. So is a program
// that borrows one name after the other.
ASK(hello_shared) {
    if (obj_is(view->claim, F_CLAIM_FITS, true) ||
        obj_str_is(view->claim, F_CLAIM_LIKE_KIND, "tool") ||
        obj_str_is(view->claim, F_CLAIM_LIKE_KIND, "browser")) {
        return NO;
    }
    return view->claim == NULL ? UNKNOWN : ask_history_least(view, row);
}
