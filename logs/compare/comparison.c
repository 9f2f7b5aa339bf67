#include "logs/compare/comparison.h"

#include "logs/compare/internal.h"
#include "logs/record/difference.h"

void comparison_find(struct obj *out, const char *id, const char *says) {
    struct obj *finding = obj_add(out, F_COMPARISON_FINDINGS);
    obj_set_str(finding, F_NOTE_ID, id);
    obj_set_str(finding, F_NOTE_SAYS, says);
}

void comparison_change(struct obj *out, enum field list, const struct obj *a, const struct obj *b,
                       enum field field) {
    enum difference how = difference_find(a, b, field);
    if (how != DIFFERENCE_NONE) {
        struct obj *change = obj_add(out, list);
        obj_set_str(change, F_CHANGE_FIELD, field_row(field)->path);
        difference_text(change, F_CHANGE_A, a, field);
        difference_text(change, F_CHANGE_B, b, field);
        obj_set_str(change, F_CHANGE_HOW, difference_name(how));
    }
}

void comparison_write(struct obj *out, const struct comparison_side *a,
                      const struct comparison_side *b, enum pair_reason reason) {
    obj_set_str(out, F_COMPARISON_PAIRED_BY, pair_reason_name(reason));
    obj_set_str(out, F_COMPARISON_PAIRED_SAYS, pair_reason_says(reason));
    for (enum field field = F_LEG_FIRST; field < F_LEG_END; field++) {
        if ((field_row(field)->flags & FLAG_COMPARE) != 0) {
            comparison_change(out, F_COMPARISON_DIFFERENCES, a->leg, b->leg, field);
        }
    }
    bool differs = comparison_certificate(out, a, b);
    differs = comparison_hello(out, a, b, reason) || differs;
    comparison_findings(out, a, b);
    differs = differs || obj_num(out, F_COMPARISON_DIFFERENCES) != 0 ||
              obj_num(out, F_COMPARISON_FINDINGS) != 0;
    obj_set_str(out, F_COMPARISON_RESULT, differs ? "different" : "same");
}

void comparison_alone(struct obj *out, bool at_b) {
    obj_set_str(out, F_COMPARISON_RESULT, at_b ? "only-b" : "only-a");
}
