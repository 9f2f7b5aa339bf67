#include "policy/verdict/verdict.h"

#include <string.h>

#include "logs/base/check.h"
#include "logs/record/text.h"
#include "policy/verdict/browser.h"
#include "policy/verdict/predicate_fn.h"
#include "policy/verdict/rule.h"
#include "policy/verdict/template.h"

enum { EVIDENCE_MAX = 16, EVIDENCE_VALUE_MAX = 512, PATH_TEXT_MAX = 256 };

// struct writer fills one verdict. `text` is taken once and used for every sentence.
struct writer {
    struct obj *verdict;
    struct reading *reading;
    struct buf text;
    enum field shown[EVIDENCE_MAX];
    size_t num_shown;
};

static void set_template(struct writer *w, struct obj *obj, enum field field, const char *text) {
    if (strchr(text, '{') == NULL) {
        obj_set_str(obj, field, text);
        return;
    }
    buf_consume(&w->text, w->text.len);
    template_fill(&w->text, &w->reading->view, text);
    obj_set_strn(obj, field, buf_data(&w->text), w->text.len);
}

// write_items shows alerts and defects as a reader wants them: "server: handshake_failure (40)",
// and the sentences of the defects that make the chain bad.
static void write_items(struct buf *out, const struct obj *from, enum field field) {
    const char *semicolon = "";
    for (size_t i = 0; i < obj_num(from, field); i++) {
        const struct obj *item = obj_at(from, field, i);
        if (field == F_LEG_ALERTS) {
            buf_printf(out, "%s", semicolon);
            text_write(out, item, F_ALERT_FROM);
            buf_printf(out, ": ");
            text_write(out, item, F_ALERT_NAME);
            buf_printf(out, " (");
            text_write(out, item, F_ALERT_CODE);
            buf_printf(out, ")");
        } else if (obj_is(item, F_DEFECT_FATAL, true)) {
            buf_printf(out, "%s", semicolon);
            text_write(out, item, obj_has(item, F_DEFECT_SAYS) ? F_DEFECT_SAYS : F_DEFECT_ID);
        } else {
            continue;
        }
        semicolon = "; ";
    }
}

// set_value writes the value of `field` in `from` as text; what was not seen stays absent.
static void set_value(struct obj *evidence, enum field to, const struct obj *from,
                      enum field field) {
    struct buf value;
    buf_init(&value, EVIDENCE_VALUE_MAX);
    if (field == F_LEG_ALERTS || field == F_VERIFICATION_DEFECTS) {
        write_items(&value, from, field);
    } else if (obj_has(from, field)) {
        text_write(&value, from, field);
    }
    if (value.len != 0) {
        obj_set_strn(evidence, to, buf_data(&value), value.len);
    }
    buf_cleanup(&value);
}

// has_value returns whether there is something to show: a list of defects may hold only harmless
// ones.
static bool has_value(const struct obj *from, enum field field) {
    bool any = field != F_VERIFICATION_DEFECTS && obj_has(from, field);
    for (size_t i = 0; !any && field == F_VERIFICATION_DEFECTS && i < obj_num(from, field); i++) {
        any = obj_is(obj_at(from, field, i), F_DEFECT_FATAL, true);
    }
    return any;
}

static const struct obj *holder(const struct obj *leg, enum field field) {
    switch (field_row(field)->kind) {
    case KIND_VERIFICATION:
        return obj_get(leg, F_LEG_VERIFICATION);
    case KIND_STAPLE:
        return obj_get(leg, F_LEG_STAPLE);
    default:
        return leg;
    }
}

// holder_beside returns the object of a field that belongs to no leg, or NULL.
static const struct obj *holder_beside(const struct view *view, enum kind kind) {
    return kind == KIND_RECORD    ? view->root
           : kind == KIND_CLAIM   ? view->claim
           : kind == KIND_HISTORY ? view->history
           : kind == KIND_PATH    ? obj_get(view->root, F_RECORD_PATH)
                                  : NULL;
}

// path_prefix is what stands before the path of a field of an object that a leg or record holds.
static const char *path_prefix(enum kind kind) {
    return kind == KIND_VERIFICATION ? "verification."
           : kind == KIND_STAPLE     ? "staple."
           : kind == KIND_CLAIM      ? "claim."
           : kind == KIND_HISTORY    ? "history."
           : kind == KIND_PATH       ? "path."
                                     : "";
}

// add_field shows one field of either leg. A field of the record stands with the client, whose
// request it is about.
static void add_field(struct writer *w, enum field field, const char *because) {
    const struct view *view = &w->reading->view;
    const struct field_row *row = field_row(field);
    bool beside =
        row->kind != KIND_LEG && row->kind != KIND_VERIFICATION && row->kind != KIND_STAPLE;
    const struct obj *client =
        beside ? holder_beside(view, row->kind) : holder(view->client, field);
    const struct obj *server = beside ? NULL : holder(view->server, field);
    for (size_t i = 0; i < w->num_shown; i++) {
        if (w->shown[i] == field) {
            return;
        }
    }
    if ((!has_value(client, field) && !has_value(server, field)) || w->num_shown == EVIDENCE_MAX) {
        return;
    }
    w->shown[w->num_shown++] = field;
    struct obj *evidence = obj_add(w->verdict, F_VERDICT_EVIDENCE);
    char path[PATH_TEXT_MAX];
    size_t prefix_len = (size_t)(stpcpy(path, path_prefix(row->kind)) - path);
    CHECK(prefix_len + row->path_len <= sizeof(path));
    memcpy(path + prefix_len, row->path, row->path_len);
    obj_set_strn(evidence, F_EVIDENCE_FIELD, path, prefix_len + row->path_len);
    set_value(evidence, F_EVIDENCE_CLIENT, client, field);
    set_value(evidence, F_EVIDENCE_SERVER, server, field);
    set_template(w, evidence, F_EVIDENCE_BECAUSE, because);
}

static const struct predicate_row *literal_row(literal asked) {
    return predicate_row(literal_predicate(asked));
}

static const char *literal_because(literal asked) {
    const struct predicate_row *row = literal_row(asked);
    return literal_is(asked) ? row->because_yes : row->because_no;
}

// is_asked returns whether the experiment is of one of the probes that a predicate asks about, or
// of the base, with which they are compared.
static bool is_asked(const struct obj *experiment, const struct predicate_row *row) {
    const char *probe = obj_str(experiment, F_EXPERIMENT_PROBE), *word = row->word;
    size_t len = probe == NULL ? 0 : strlen(probe);
    if (len == 0 || word == NULL || strcmp(probe, "base") == 0) {
        return len != 0;
    }
    if (row->fn == ask_factor_follows) {
        return strncmp(probe, "control", strlen("control")) == 0;
    }
    if (row->fn == ask_form_passes || row->fn == ask_forms_fail) {
        return strncmp(probe, word, strlen(word)) == 0;
    }
    for (const char *p = word; (p = strstr(p, probe)) != NULL; p++) {
        bool begins = p == word || p[-1] == ' ';
        if (begins && (p[len] == '\0' || p[len] == ' ' || p[len] == ':')) {
            return true;
        }
    }
    return false;
}

// add_experiments shows what the probes of a predicate met with: "base: reset, reset".
static void add_experiments(struct writer *w, const struct predicate_row *row,
                            const char *because) {
    static const enum field beside[] = {F_EXPERIMENT_CLIENT_CERT, F_EXPERIMENT_ECH};
    const struct obj *root = w->reading->view.root;
    struct buf value;
    if (w->num_shown == EVIDENCE_MAX) {
        return;
    }
    buf_init(&value, EVIDENCE_VALUE_MAX);
    for (size_t i = 0; i < obj_num(root, F_RECORD_EXPERIMENTS); i++) {
        const struct obj *experiment = obj_at(root, F_RECORD_EXPERIMENTS, i);
        if (is_asked(experiment, row)) {
            buf_printf(&value, value.len != 0 ? ", " : "");
            text_write(&value, experiment, F_EXPERIMENT_PROBE);
            buf_printf(&value, " ");
            text_write(&value, experiment, F_EXPERIMENT_RESULT);
            for (size_t j = 0; j < ARRAY_LEN(beside); j++) {
                if (obj_has(experiment, beside[j])) {
                    buf_printf(&value, " (");
                    text_write(&value, experiment, beside[j]);
                    buf_printf(&value, ")");
                }
            }
        }
    }
    if (value.len != 0) {
        struct obj *evidence = obj_add(w->verdict, F_VERDICT_EVIDENCE);
        w->shown[w->num_shown++] = F_RECORD_EXPERIMENTS;
        obj_set_str(evidence, F_EVIDENCE_FIELD, "experiments");
        obj_set_strn(evidence, F_EVIDENCE_SERVER, buf_data(&value), value.len);
        set_template(w, evidence, F_EVIDENCE_BECAUSE, because);
    }
    buf_cleanup(&value);
}

// add_misfits shows what of the hello the claimed client does not send.
static void add_misfits(struct writer *w) {
    const struct obj *claim = w->reading->view.claim;
    for (size_t i = 0; i < obj_num(claim, F_CLAIM_MISFITS); i++) {
        const struct obj *misfit = obj_at(claim, F_CLAIM_MISFITS, i);
        struct obj *evidence = obj_add(w->verdict, F_VERDICT_EVIDENCE);
        obj_set_str(evidence, F_EVIDENCE_FIELD, obj_str(misfit, F_MISFIT_FIELD));
        obj_set_str(evidence, F_EVIDENCE_CLIENT, obj_str(misfit, F_MISFIT_VALUE));
        obj_set_str(evidence, F_EVIDENCE_BECAUSE, obj_str(misfit, F_MISFIT_SAYS));
    }
}

// add_borne shows the defects with which a chain is good all the same.
static void add_borne(struct writer *w, const struct predicate_row *row) {
    const struct obj *found = obj_get(w->reading->view.up, F_LEG_VERIFICATION);
    for (size_t i = 0; i < obj_num(found, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *defect = obj_at(found, F_VERIFICATION_DEFECTS, i);
        if (obj_str_is(defect, F_DEFECT_ID, defect_id((enum defect)row->codes[0]))) {
            struct obj *evidence = obj_add(w->verdict, F_VERDICT_EVIDENCE);
            obj_set_str(evidence, F_EVIDENCE_FIELD, "verification.defects");
            set_value(evidence, F_EVIDENCE_SERVER, defect,
                      obj_has(defect, F_DEFECT_SAYS) ? F_DEFECT_SAYS : F_DEFECT_ID);
            obj_set_str(evidence, F_EVIDENCE_BECAUSE, row->because_yes);
        }
    }
}

static void add_literal(struct writer *w, literal asked) {
    const struct predicate_row *row = literal_row(asked);
    bool misfits = row->fn == ask_claim_misfit && literal_is(asked);
    for (size_t i = 0; row->fields[i] != FIELD_COUNT; i++) {
        if (row->fields[i] == F_RECORD_EXPERIMENTS) {
            add_experiments(w, row, literal_because(asked));
        } else {
            add_field(w, (enum field)row->fields[i], literal_because(asked));
        }
    }
    if (misfits) {
        add_misfits(w);
    }
    if (row->fn == ask_defect_borne && literal_is(asked)) {
        add_borne(w, row);
    }
}

static void add_evidence(struct writer *w, const struct rule *rule) {
    for (size_t i = 0; i < RULE_NEEDS_MAX && rule->needs[i] != 0; i++) {
        add_literal(w, rule->needs[i]);
    }
    for (size_t i = 0; i < RULE_RAISES_MAX && rule->raises[i] != 0; i++) {
        if (reading_ask(w->reading, rule->raises[i]) == YES) {
            add_literal(w, rule->raises[i]);
        }
    }
}

// add_ruled_out lists the look-alikes that a NO rules out; one that is merely unknown is not.
static void add_ruled_out(struct writer *w, const struct rule *rule) {
    for (size_t i = 0; i < RULE_LOOK_ALIKES_MAX && rule->look_alikes[i].speaks != 0; i++) {
        const struct look_alike *look_alike = &rule->look_alikes[i];
        if (reading_ask(w->reading, look_alike->speaks) == NO) {
            struct obj *out = obj_add(w->verdict, F_VERDICT_RULED_OUT);
            obj_set_str(out, F_RULED_OUT_CAUSE, cause_row(look_alike->cause)->id);
            set_template(w, out, F_RULED_OUT_BECAUSE,
                         literal_because(literal_not(look_alike->speaks)));
        }
    }
}

// worked returns whether what `rule` names was found beside a connection that worked.
static bool worked(struct reading *reading, const struct rule *rule) {
    return rule->stage == STAGE_FOUND && reading_ask(reading, IS(ESTABLISHED)) == YES &&
           reading_ask(reading, IS(CLIENT_DATA)) == YES;
}

// dates_of_server returns whether `cause` is about dates, which boxes copy from the server's own
// certificate or do not show at all.
static bool dates_of_server(enum cause cause) {
    return cause == CAUSE_SERVER_CERT_EXPIRED || cause == CAUSE_SERVER_INTERMEDIATE_EXPIRED ||
           cause == CAUSE_SERVER_CERT_NOT_YET_VALID;
}

// struct doubt is another proxy that is known to stand where an accusation points.
struct doubt {
    enum field field; // that tells of it
    const char *says, *next;
};

// doubt_find returns why whoever `rule` accuses may not be the one, or NULL. A proxy between us and
// the server can show anything in the server's name, and one in front can say any hello.
static const struct doubt *doubt_find(const struct view *view, const struct rule *rule) {
    static const struct doubt parent = {
        F_RECORD_PARENT_HOST,
        " The way there leads through the proxy {parent}, whose doing it may be as well.",
        "The same connection without the parent proxy {parent}. "};
    static const struct doubt via = {
        F_RECORD_VIA,
        " The request came through another proxy, which may have said this in the client's place.",
        "The same client without the proxy before this one. "};
    // What the proxy cannot say is only its fault where it was the server that missed it.
    bool missed = rule->cause == CAUSE_PROXY_TLS_LIMITATION;
    const struct doubt *doubt = rule->party == PARTY_SERVER || missed ? &parent : &via;
    bool accused = rule->party == PARTY_SERVER || rule->party == PARTY_CLIENT || missed;
    bool later = rule->stage >= STAGE_HELLO && !dates_of_server(rule->cause);
    return accused && later && obj_has(view->root, doubt->field) ? doubt : NULL;
}

// set_two sets a field to one text behind the other.
static void set_two(struct writer *w, enum field field, const char *a, const char *b) {
    char text[TEMPLATE_MAX];
    size_t a_len = strlen(a), b_size = strlen(b) + 1;
    CHECK(a_len + b_size <= sizeof(text));
    memcpy(text, a, a_len);
    memcpy(text + a_len, b, b_size);
    set_template(w, w->verdict, field, text);
}

static void decide(struct obj *root) {
    struct reading reading;
    obj_unset(root, F_RECORD_VERDICT);
    reading_init(&reading, root);
    const struct rule *rule = rule_choose(&reading);
    const struct cause_row *cause = cause_row(rule->cause);
    struct writer w = {.verdict = obj_sub(root, F_RECORD_VERDICT), .reading = &reading};
    buf_init(&w.text, TEMPLATE_MAX);
    const struct doubt *doubt = doubt_find(&reading.view, rule);
    enum confidence sure = doubt != NULL ? CONFIDENCE_POSSIBLE : rule_confidence(&reading, rule);
    obj_set_str(w.verdict, F_VERDICT_PARTY,
                party_name(doubt != NULL ? PARTY_UNDETERMINED : rule->party));
    obj_set_str(w.verdict, F_VERDICT_CAUSE, cause->id);
    obj_set_str(w.verdict, F_VERDICT_CONFIDENCE, confidence_name(sure));
    if (worked(&reading, rule)) {
        obj_set_int(w.verdict, F_VERDICT_WORKED, true);
    }
    set_two(&w, F_VERDICT_SAYS, rule->says, doubt != NULL ? doubt->says : "");
    add_evidence(&w, rule);
    if (doubt != NULL) {
        add_field(&w, doubt->field, "Another proxy stands on this side.");
    }
    add_ruled_out(&w, rule);
    set_template(&w, w.verdict, F_VERDICT_REMEDY,
                 rule->remedy != NULL ? rule->remedy : cause->remedy);
    set_two(&w, F_VERDICT_NEXT, doubt != NULL ? doubt->next : "", rule->next);
    buf_cleanup(&w.text);
}

void verdict_decide(struct obj *root) {
    browser_judge(root);
    decide(root);
}

void verdict_decide_within(struct obj *root, struct history *history) {
    browser_judge(root);
    if (history != NULL) {
        history_tell(history, root);
    }
    decide(root);
}
