#include "policy/verdict/verdict.h"
void verdict_decide(struct obj *root) {
    struct obj *v = obj_sub(root, F_RECORD_VERDICT);
    obj_set_str(v, F_VERDICT_PARTY, "undetermined");
    obj_set_str(v, F_VERDICT_CAUSE, "stub");
    obj_set_str(v, F_VERDICT_CONFIDENCE, "possible");
    obj_set_str(v, F_VERDICT_SAYS, "stub");
}
