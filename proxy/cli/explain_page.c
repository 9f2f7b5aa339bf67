#include "proxy/cli/explain_page.h"

#include <string.h>

#include "logs/record/text.h"
#include "proxy/cli/client_word.h"

// Where text stands behind its label.
enum { INDENT = 20 };

// item writes a paragraph behind its label, or nothing without a `text`. A label that does not fit
// gets a line of its own.
static void item(struct page *page, enum style style, const char *label, const char *text) {
    if (text == NULL || *text == '\0') {
        return;
    }
    size_t width = page_width(label, strlen(label));
    page_pad(page, 2);
    page_puts(page, STYLE_DIM, label);
    if (width + 3 > INDENT) {
        page_newline(page);
        page_paragraph(page, style, INDENT, false, page_span(text));
        return;
    }
    page_pad(page, INDENT - 2 - width);
    page_paragraph(page, style, INDENT, true, page_span(text));
}

static void write_sees(struct page *page, const struct manual *manual) {
    bool any = false;
    for (enum program i = 0; i < PROGRAM_COUNT; i++) {
        if (manual->sees[i] != NULL && !any) {
            page_title(page, "WHAT PEOPLE SEE");
            any = true;
        }
        item(page, STYLE_PLAIN, program_name(i), manual->sees[i]);
    }
}

// write_remedies writes what each reader can do; `brief` comes first where it is not NULL.
static void write_remedies(struct page *page, const struct manual *manual, const char *brief) {
    bool any = brief != NULL && *brief != '\0';
    for (enum reader i = 0; manual != NULL && i < READER_COUNT; i++) {
        any = any || manual->remedy[i] != NULL;
    }
    if (any) {
        page_title(page, "WHAT TO DO");
        item(page, STYLE_PLAIN, "in short", brief);
    }
    for (enum reader i = 0; manual != NULL && i < READER_COUNT; i++) {
        item(page, STYLE_PLAIN, reader_name(i), manual->remedy[i]);
    }
}

static void write_tellers(struct page *page, struct arena *arena, enum cause cause) {
    struct tellers tellers;
    manual_tellers(&tellers, cause);
    const char *text = "Not from the record alone: an experiment, or a look at other connections, "
                       "has to tell.";
    if (tellers.telling == TELLS_CAUSE) {
        text = arena_printf(arena, "From the record alone, up to %s.",
                            confidence_name(tellers.surest));
    } else if (tellers.telling == TELLS_HISTORY) {
        text = arena_printf(arena, "From the record with those of other connections, up to %s.",
                            confidence_name(tellers.surest));
    } else if (tellers.telling == TELLS_SUSPICION) {
        text = "The record alone raises the suspicion; an experiment has to confirm it.";
    }
    item(page, STYLE_PLAIN, "can be told", text);
    const char *rules = "";
    for (size_t i = 0; i < tellers.num; i++) {
        rules = arena_printf(arena, "%s%s%s", rules, i == 0 ? "" : ", ", tellers.rules[i]->id);
    }
    item(page, STYLE_PLAIN, tellers.num == 1 ? "rule" : "rules", rules);
}

void explain_cause_page(struct page *page, enum cause cause) {
    struct arena arena = {0};
    const struct cause_row *row = cause_row(cause);
    const struct manual *manual = manual_row(cause);
    page_puts(page, STYLE_TITLE, row->id);
    page_newline(page);
    page_paragraph(page, STYLE_PLAIN, 2, false, page_span(row->summary));
    page_newline(page);
    if (row->number != 0) {
        const char *place = arena_printf(&arena, "%s, number %d of the catalogue",
                                         manual_section(cause), row->number);
        item(page, STYLE_PLAIN, "stands under", place);
    }
    const char *party = row->party == PARTY_NONE           ? "nobody"
                        : row->party == PARTY_UNDETERMINED ? "either side; the evidence must say"
                                                           : party_name(row->party);
    item(page, STYLE_PLAIN, "at fault, usually", party);
    write_tellers(page, &arena, cause);
    page_title(page, "WHAT EACH LEG SHOWS");
    item(page, STYLE_PLAIN, "client leg", manual->client);
    item(page, STYLE_PLAIN, "server leg", manual->server);
    item(page, STYLE_PLAIN, "told apart", manual->apart);
    write_sees(page, manual);
    write_remedies(page, manual, row->remedy);
    if (manual->test != NULL) {
        page_title(page, "WHAT SETTLES IT");
        page_paragraph(page, STYLE_PLAIN, 2, false, page_span(manual->test));
    }
    arena_cleanup(&arena);
}

static void write_head(struct page *page, struct arena *arena, const struct obj *root) {
    const char *host = text_or_empty(arena, root, F_RECORD_HOST);
    const char *port = text_or_empty(arena, root, F_RECORD_PORT);
    const char *head =
        arena_printf(arena, "%s%s%s", *host != '\0' ? host : "(no host)", *port ? ":" : "", port);
    page_paragraph(page, STYLE_TITLE, 0, false, page_span(head));
    head = arena_printf(arena, "%s, %s, id %s", text_or_empty(arena, root, F_RECORD_MODE),
                        text_or_empty(arena, root, F_RECORD_TIMESTAMP),
                        text_or_empty(arena, root, F_RECORD_ID));
    page_paragraph(page, STYLE_DIM, 0, false, page_span(head));
}

static void write_blame(struct page *page, struct arena *arena, const struct obj *verdict) {
    bool none = obj_str_is(verdict, F_VERDICT_PARTY, "none");
    bool worked = obj_is(verdict, F_VERDICT_WORKED, true);
    bool unsure = worked || obj_str_is(verdict, F_VERDICT_PARTY, "undetermined");
    const char *blame = arena_printf(arena, "%s%s: %s (%s)", worked ? "worked; " : "",
                                     text_or_empty(arena, verdict, F_VERDICT_PARTY),
                                     text_or_empty(arena, verdict, F_VERDICT_CAUSE),
                                     text_or_empty(arena, verdict, F_VERDICT_CONFIDENCE));
    page_title(page, "VERDICT");
    page_paragraph(page,
                   none     ? STYLE_GOOD
                   : unsure ? STYLE_UNSURE
                            : STYLE_BAD,
                   2, false, page_span(blame));
    page_paragraph(page, STYLE_PLAIN, 2, false,
                   page_span(text_or_empty(arena, verdict, F_VERDICT_SAYS)));
}

// same_reason returns whether evidence `i` and the next one matter for the same reason, which is
// then said once.
static bool same_reason(const struct obj *verdict, size_t i) {
    if (i + 1 == obj_num(verdict, F_VERDICT_EVIDENCE)) {
        return false;
    }
    const struct obj *next = obj_at(verdict, F_VERDICT_EVIDENCE, i + 1);
    const char *because = obj_str(next, F_EVIDENCE_BECAUSE);
    return because != NULL &&
           obj_str_is(obj_at(verdict, F_VERDICT_EVIDENCE, i), F_EVIDENCE_BECAUSE, because);
}

static void write_evidence(struct page *page, struct arena *arena, const struct obj *verdict) {
    if (obj_num(verdict, F_VERDICT_EVIDENCE) != 0) {
        page_title(page, "EVIDENCE");
    }
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_EVIDENCE); i++) {
        const struct obj *evidence = obj_at(verdict, F_VERDICT_EVIDENCE, i);
        page_pad(page, 2);
        page_paragraph(page, STYLE_PLAIN, 2, true,
                       page_span(text_or_empty(arena, evidence, F_EVIDENCE_FIELD)));
        item(page, STYLE_CLIENT, "  client leg", text_or_empty(arena, evidence, F_EVIDENCE_CLIENT));
        item(page, STYLE_SERVER, "  server leg", text_or_empty(arena, evidence, F_EVIDENCE_SERVER));
        if (!same_reason(verdict, i)) {
            item(page, STYLE_PLAIN, "  it matters",
                 text_or_empty(arena, evidence, F_EVIDENCE_BECAUSE));
        }
    }
}

static void write_ruled_out(struct page *page, struct arena *arena, const struct obj *verdict) {
    if (obj_num(verdict, F_VERDICT_RULED_OUT) != 0) {
        page_title(page, "RULED OUT");
    }
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_RULED_OUT); i++) {
        const struct obj *out = obj_at(verdict, F_VERDICT_RULED_OUT, i);
        item(page, STYLE_PLAIN, text_or_empty(arena, out, F_RULED_OUT_CAUSE),
             text_or_empty(arena, out, F_RULED_OUT_BECAUSE));
    }
}

static void write_client_word(struct page *page, struct arena *arena, const struct obj *root) {
    struct client_word word;
    if (!client_word_of(&word, arena, root)) {
        return;
    }
    page_title(page, "WHAT THE CLIENT SAID");
    page_paragraph(page, STYLE_PLAIN, 2, false, page_span(word.says));
    for (size_t i = 0; i < word.num; i++) {
        const char *line = arena_printf(arena, "%s: %s (%s)", word.senders[i].names,
                                        word.senders[i].reasons, word.senders[i].source);
        page_paragraph(page, STYLE_PLAIN, 4, false, page_span(line));
    }
}

void explain_record_page(struct page *page, const struct obj *root) {
    struct arena arena = {0};
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    const char *id = obj_str(verdict, F_VERDICT_CAUSE);
    enum cause cause = id != NULL ? cause_find(id) : CAUSE_COUNT;
    const struct manual *manual = cause != CAUSE_COUNT ? manual_row(cause) : NULL;
    write_head(page, &arena, root);
    write_blame(page, &arena, verdict);
    write_evidence(page, &arena, verdict);
    write_ruled_out(page, &arena, verdict);
    write_client_word(page, &arena, root);
    if (manual != NULL) {
        write_sees(page, manual);
    }
    write_remedies(page, manual, text_or_empty(&arena, verdict, F_VERDICT_REMEDY));
    const char *next = text_or_empty(&arena, verdict, F_VERDICT_NEXT);
    if (*next != '\0') {
        page_title(page, "NEXT TEST");
        page_paragraph(page, STYLE_PLAIN, 2, false, page_span(next));
    }
    if (manual != NULL) {
        page_newline(page);
        page_printf(page, STYLE_DIM, "'tlsblame explain %s' tells more about this cause.", id);
        page_newline(page);
    }
    arena_cleanup(&arena);
}

void explain_list_page(struct page *page) {
    const char *section = "";
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        const struct cause_row *row = cause_row(cause);
        if (row->number == 0) {
            continue;
        }
        if (strcmp(section, manual_section(cause)) != 0) {
            if (*section != '\0') {
                page_newline(page);
            }
            section = manual_section(cause);
            page_puts(page, STYLE_TITLE, section);
            page_newline(page);
        }
        struct tellers tellers;
        manual_tellers(&tellers, cause);
        page_printf(page, STYLE_PLAIN, "%4d %-43s%-14s%s", row->number, row->id,
                    party_name(row->party), telling_name(tellers.telling));
        page_newline(page);
    }
    page_newline(page);
    page_paragraph(page, STYLE_DIM, 0, false,
                   page_span("Number, cause, party that is usually at fault, and what can tell: "
                             "the record alone, the record beside those of other connections, "
                             "the record as far as a suspicion, or only an experiment. 'tlsblame "
                             "explain CAUSE' is the manual page."));
}
