#include "logs/view/side_by_side.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/difference.h"
#include "logs/record/record.h"
#include "logs/record/text.h"
#include "logs/record/time.h"
#include "logs/view/legs.h"
#include "logs/view/path_page.h"
#include "logs/view/steps.h"
#include "logs/view/verdict_page.h"

static void write_head(struct page *page, struct arena *arena, const struct obj *root) {
    const char *host = text_or_empty(arena, root, F_RECORD_HOST);
    host = arena_printf(arena, "%s%s%s", *host != '\0' ? host : "(no host)",
                        obj_has(root, F_RECORD_PORT) ? ":" : "",
                        text_or_empty(arena, root, F_RECORD_PORT));
    page_paragraph(page, STYLE_TITLE, 0, false, page_span(host));
    const char *context = arena_printf(
        arena, "%s, %s, id %s", text_or_empty(arena, root, F_RECORD_MODE),
        text_or_empty(arena, root, F_RECORD_TIMESTAMP), text_or_empty(arena, root, F_RECORD_ID));
    for (enum field field = F_RECORD_USER_AGENT; field < F_RECORD_LEG_CLIENT; field++) {
        if (obj_has(root, field)) {
            context = arena_printf(arena, "%s, %s %s", context, field_row(field)->label,
                                   text_or_empty(arena, root, field));
        }
    }
    page_paragraph(page, STYLE_DIM, 0, false, page_span(context));
}

static const char *peer(struct arena *arena, const struct obj *leg) {
    const char *address = text_or_empty(arena, leg, F_LEG_ADDRESS);
    bool colons = strchr(address, ':') != NULL;
    return *address == '\0'
               ? ""
               : arena_printf(arena, "%s%s%s:%s", colons ? "[" : "", address, colons ? "]" : "",
                              text_or_empty(arena, leg, F_LEG_PORT));
}

// outcome says in words how far a leg came and how it ended.
static const char *outcome(struct arena *arena, const struct obj *leg) {
    int64_t established;
    const char *text = "";
    if (obj_int(leg, F_LEG_TLS_ESTABLISHED, &established)) {
        text = established != 0 ? "established" : "not established";
    }
    if (obj_has(leg, F_LEG_END_BY) || obj_has(leg, F_LEG_END_HOW)) {
        const char *at = text_or_empty(arena, leg, F_LEG_END_AT);
        text =
            arena_printf(arena, "%s%sended by %s (%s)%s%s", text, *text != '\0' ? ", " : "",
                         text_or_empty(arena, leg, F_LEG_END_BY),
                         text_or_empty(arena, leg, F_LEG_END_HOW), *at != '\0' ? " at " : "", at);
    } else if (leg != NULL) {
        text = arena_printf(arena, "%s%sstill open when recorded", text, *text != '\0' ? ", " : "");
    }
    return text;
}

// write_differing names the fields that differ, so that nobody has to look for the marks.
static void write_differing(struct page *page, struct arena *arena, const struct legs *legs) {
    const char *text = "";
    for (enum field field = F_LEG_FIRST; field < F_LEG_END; field++) {
        const struct field_row *row = field_row(field);
        if ((row->flags & FLAG_COMPARE) != 0 &&
            difference_find(legs->client, legs->server, field) != DIFFERENCE_NONE) {
            text = arena_printf(arena, "%s%s%s", text, *text != '\0' ? ", " : "", row->label);
        }
    }
    page_newline(page);
    page_puts(page, STYLE_TITLE, "LEGS DIFFER");
    page_puts(page, STYLE_PLAIN, " ");
    page_paragraph(page, *text != '\0' ? STYLE_UNSURE : STYLE_GOOD, VERDICT_PAGE_INDENT, true,
                   page_span(*text != '\0' ? text : "in nothing that is compared"));
}

static void write_names(struct page *page, struct arena *arena, const struct legs *legs) {
    if (obj_has(legs->client, F_LEG_OFFER_CIPHERS) && obj_has(legs->server, F_LEG_OFFER_CIPHERS)) {
        write_differing(page, arena, legs);
    }
    page_newline(page);
    const char *client = legs->server != NULL ? "CLIENT LEG" : "CONNECTION";
    legs_row(page, legs, "", client, "SERVER LEG");
    legs_row(page, legs, "peer", peer(arena, legs->client), peer(arena, legs->server));
    legs_row(page, legs, "outcome", outcome(arena, legs->client), outcome(arena, legs->server));
}

// in_half returns whether `field` belongs to the half that `flag` names, OFFER or ANSWER: by its
// flag, or because its legs differ where the table compares it without showing it.
static bool in_half(const struct legs *legs, enum field field, unsigned flag, const char *prefix) {
    const struct field_row *row = field_row(field);
    bool leaf = field >= F_LEG_SUBJECT && field <= F_LEG_LEAF_SHA256;
    if (leaf && (obj_has(legs->client, F_LEG_CHAIN) || obj_has(legs->server, F_LEG_CHAIN))) {
        return false; // it is told below, with the rest of the certificate
    }
    if ((row->flags & flag) != 0) {
        return true;
    }
    return (row->flags & (FLAG_COMPARE | FLAG_OFFER | FLAG_ANSWER)) == FLAG_COMPARE &&
           legs->client != NULL && legs->server != NULL &&
           strncmp(row->path, prefix, strlen(prefix)) == 0 &&
           difference_find(legs->client, legs->server, field) != DIFFERENCE_NONE;
}

static void write_half(struct page *page, const struct legs *legs, const char *title, unsigned flag,
                       const char *prefix) {
    bool titled = false;
    for (enum field field = F_LEG_FIRST; field < F_LEG_END; field++) {
        bool shown = in_half(legs, field, flag, prefix) &&
                     (obj_has(legs->client, field) || obj_has(legs->server, field));
        if (shown && !titled) {
            page_title(page, title);
            titled = true;
        }
        if (shown) {
            legs_field(page, legs, field);
        }
    }
}

// write_fields writes all fields first <= f < end of `legs` below `title`.
static void write_fields(struct page *page, const struct legs *legs, const char *title,
                         enum field first, enum field end) {
    bool any = false;
    for (enum field field = first; !any && field < end; field++) {
        any = obj_has(legs->client, field) || obj_has(legs->server, field);
    }
    if (any) {
        page_title(page, title);
    }
    for (enum field field = first; field < end; field++) {
        legs_field(page, legs, field);
    }
}

static void write_certificates(struct page *page, struct arena *arena, const struct legs *legs,
                               enum field chain, const char *title) {
    size_t num_client = obj_num(legs->client, chain), num_server = obj_num(legs->server, chain);
    for (size_t i = 0; i < num_client || i < num_server; i++) {
        struct legs certs = {
            .client = i < num_client ? obj_at(legs->client, chain, i) : NULL,
            .server = i < num_server ? obj_at(legs->server, chain, i) : NULL,
            .mark_all = true,
        };
        const char *only = legs->client == NULL || legs->server == NULL ? ""
                           : certs.server == NULL                       ? ", client leg"
                           : certs.client == NULL                       ? ", server leg"
                                                                        : "";
        write_fields(page, &certs,
                     arena_printf(arena, "%s %zu%s%s", title, i, i == 0 ? " (leaf)" : "", only),
                     F_CERT_FIRST, F_CERT_END);
    }
}

static void write_defects(struct page *page, struct arena *arena, const struct obj *verification) {
    const struct legs legs = {.client = verification};
    for (size_t i = 0; i < obj_num(verification, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *defect = obj_at(verification, F_VERIFICATION_DEFECTS, i);
        const char *depth = text_or_empty(arena, defect, F_DEFECT_DEPTH);
        const char *text =
            arena_printf(arena, "%s%s%s%s: %s", text_or_empty(arena, defect, F_DEFECT_ID),
                         *depth != '\0' ? ", certificate " : "", depth,
                         obj_is(defect, F_DEFECT_FATAL, 0) ? ", not fatal" : "",
                         text_or_empty(arena, defect, F_DEFECT_SAYS));
        legs_row(page, &legs, i == 0 ? "defects" : "", text, "");
    }
}

static void write_verification(struct page *page, struct arena *arena, const struct obj *leg,
                               const char *title) {
    const struct obj *verification = obj_get(leg, F_LEG_VERIFICATION);
    if (verification != NULL) {
        struct legs legs = {.client = verification};
        write_fields(page, &legs, title, F_VERIFICATION_FIRST, F_VERIFICATION_DEFECTS);
        write_defects(page, arena, verification);
        for (enum field f = F_VERIFICATION_DEFECTS + 1; f < F_VERIFICATION_END; f++) {
            legs_field(page, &legs, f);
        }
    }
}

static void write_staple(struct page *page, const struct obj *leg, const char *title) {
    struct legs legs = {.client = obj_get(leg, F_LEG_STAPLE)};
    if (legs.client != NULL) {
        write_fields(page, &legs, title, F_STAPLE_FIRST, F_STAPLE_END);
    }
}

static void write_notes(struct page *page, struct arena *arena, const struct obj *root) {
    for (size_t i = 0; i < obj_num(root, F_RECORD_NOTES); i++) {
        if (i == 0) {
            page_title(page, "NOTES");
        }
        const struct obj *note = obj_at(root, F_RECORD_NOTES, i);
        const char *leg = text_or_empty(arena, note, F_NOTE_LEG);
        const char *offset = text_or_empty(arena, note, F_NOTE_OFFSET);
        const char *text =
            arena_printf(arena, "%s%s%s%s%s: %s", text_or_empty(arena, note, F_NOTE_ID),
                         *leg != '\0' ? ", " : "", leg, *leg != '\0' ? " leg" : "",
                         *offset != '\0' ? arena_printf(arena, ", offset %s", offset) : "",
                         text_or_empty(arena, note, F_NOTE_SAYS));
        page_pad(page, 2);
        page_paragraph(page, STYLE_PLAIN, 4, true, page_span(text));
    }
}

// answered says in words what came back to an experiment.
static const char *answered(struct arena *arena, const struct obj *leg) {
    const char *text = outcome(arena, leg);
    if (obj_has(leg, F_LEG_TLS_VERSION)) {
        text = arena_printf(arena, "TLS %s %s, %s", text_or_empty(arena, leg, F_LEG_TLS_VERSION),
                            text_or_empty(arena, leg, F_LEG_TLS_CIPHER), text);
    }
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        text = arena_printf(arena, "%s, alert %s by %s", text,
                            text_or_empty(arena, alert, F_ALERT_NAME),
                            text_or_empty(arena, alert, F_ALERT_FROM));
    }
    return text;
}

static void write_experiments(struct page *page, struct arena *arena, const struct obj *root) {
    static const enum field beside[] = {F_EXPERIMENT_CLIENT_CERT, F_EXPERIMENT_ECH,
                                        F_EXPERIMENT_EXPIRED};
    for (size_t i = 0; i < obj_num(root, F_RECORD_EXPERIMENTS); i++) {
        if (i == 0) {
            page_title(page, "EXPERIMENTS");
        }
        const struct obj *experiment = obj_at(root, F_RECORD_EXPERIMENTS, i);
        const char *factors = text_or_empty(arena, experiment, F_EXPERIMENT_FACTORS);
        const char *text = arena_printf(
            arena, "%s%s%s%s: %s", text_or_empty(arena, experiment, F_EXPERIMENT_PROBE),
            *factors != '\0' ? " (" : "", factors, *factors != '\0' ? ")" : "",
            answered(arena, obj_get(experiment, F_EXPERIMENT_LEG)));
        for (size_t j = 0; j < ARRAY_LEN(beside); j++) {
            if (obj_has(experiment, beside[j])) {
                text = arena_printf(arena, "%s; %s %s", text, field_row(beside[j])->label,
                                    text_or_empty(arena, experiment, beside[j]));
            }
        }
        page_pad(page, 2);
        page_paragraph(page, STYLE_PLAIN, 4, true, page_span(text));
    }
    if (obj_has(root, F_RECORD_MINIMIZED)) {
        page_pad(page, 2);
        page_paragraph(page, STYLE_PLAIN, 4, true,
                       page_span(text_dup(arena, root, F_RECORD_MINIMIZED)));
    }
}

static void write_path(struct page *page, const struct obj *path) {
    if (path == NULL) {
        return;
    }
    page_title(page, "PATH");
    path_page_head(page);
    for (size_t i = 0; i < obj_num(path, F_PATH_HOPS); i++) {
        path_page_hop(page, obj_at(path, F_PATH_HOPS, i));
    }
    path_page_says(page, path);
}

void side_by_side_write(struct page *page, const struct obj *root) {
    struct arena arena = {0};
    struct legs legs = {.client = record_leg(root, false), .server = record_leg(root, true)};
    write_head(page, &arena, root);
    if (obj_has(root, F_RECORD_VERDICT)) {
        page_newline(page);
        verdict_page_write(page, obj_get(root, F_RECORD_VERDICT), false);
    }
    if (legs.client != NULL || legs.server != NULL) {
        write_names(page, &arena, &legs);
        write_half(page, &legs, "OFFER", FLAG_OFFER, "offer.");
        write_half(page, &legs, "ANSWER", FLAG_ANSWER, "answer.");
        write_certificates(page, &arena, &legs, F_LEG_CHAIN, "CERTIFICATE");
        write_certificates(page, &arena, &legs, F_LEG_CLIENT_CHAIN, "CLIENT'S CERTIFICATE");
        write_fields(page, &legs, "TIMESTAMPS OF LOGS", F_LEG_SCTS, F_LEG_SCTS + 1);
        write_staple(page, legs.client, "STAPLED OCSP RESPONSE");
        write_staple(page, legs.server, "THE SERVER'S STAPLED OCSP RESPONSE");
        write_verification(page, &arena, legs.client, "VERIFICATION OF THE CHAIN");
        write_verification(page, &arena, legs.server, "VERIFICATION OF THE SERVER'S CHAIN");
        write_fields(page, &legs, "TRANSPORT AND END", F_LEG_BYTES_RECEIVED, F_LEG_END);
        steps_alerts(page, root);
        steps_time_line(page, root);
    }
    write_notes(page, &arena, root);
    write_experiments(page, &arena, root);
    write_path(page, obj_get(root, F_RECORD_PATH));
    arena_cleanup(&arena);
}
