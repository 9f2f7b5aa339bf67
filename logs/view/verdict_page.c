#include "logs/view/verdict_page.h"

#include <string.h>

#include "logs/record/text.h"

static void item(struct page *page, const char *label, const char *text) {
    if (*text != '\0') {
        page_pad(page, 2);
        page_puts(page, STYLE_DIM, label);
        page_pad(page, VERDICT_PAGE_INDENT - 2 - strlen(label));
        page_paragraph(page, STYLE_PLAIN, VERDICT_PAGE_INDENT, true, page_span(text));
    }
}

static void write_evidence(struct page *page, struct arena *arena, const struct obj *verdict) {
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_EVIDENCE); i++) {
        const struct obj *evidence = obj_at(verdict, F_VERDICT_EVIDENCE, i);
        const char *text = text_or_empty(arena, evidence, F_EVIDENCE_FIELD);
        if (obj_has(evidence, F_EVIDENCE_CLIENT)) {
            text = arena_printf(arena, "%s; client leg: %s", text,
                                text_or_empty(arena, evidence, F_EVIDENCE_CLIENT));
        }
        if (obj_has(evidence, F_EVIDENCE_SERVER)) {
            text = arena_printf(arena, "%s; server leg: %s", text,
                                text_or_empty(arena, evidence, F_EVIDENCE_SERVER));
        }
        item(page, i == 0 ? "evidence" : "", text);
        item(page, "", text_or_empty(arena, evidence, F_EVIDENCE_BECAUSE));
    }
}

static void write_blame(struct page *page, struct arena *arena, const struct obj *verdict) {
    bool none = obj_str_is(verdict, F_VERDICT_PARTY, "none");
    bool worked = obj_is(verdict, F_VERDICT_WORKED, true);
    bool unsure = worked || obj_str_is(verdict, F_VERDICT_PARTY, "undetermined");
    page_puts(page, STYLE_TITLE, "VERDICT");
    page_pad(page, VERDICT_PAGE_INDENT - strlen("VERDICT"));
    const char *blame = arena_printf(arena, "%s%s: %s (%s)", worked ? "worked; " : "",
                                     text_or_empty(arena, verdict, F_VERDICT_PARTY),
                                     text_or_empty(arena, verdict, F_VERDICT_CAUSE),
                                     text_or_empty(arena, verdict, F_VERDICT_CONFIDENCE));
    page_paragraph(page,
                   none     ? STYLE_GOOD
                   : unsure ? STYLE_UNSURE
                            : STYLE_BAD,
                   VERDICT_PAGE_INDENT, true, page_span(blame));
}

static void write_ruled_out(struct page *page, struct arena *arena, const struct obj *verdict) {
    for (size_t i = 0; i < obj_num(verdict, F_VERDICT_RULED_OUT); i++) {
        const struct obj *ruled_out = obj_at(verdict, F_VERDICT_RULED_OUT, i);
        item(page, i == 0 ? "ruled out" : "",
             arena_printf(arena, "%s: %s", text_or_empty(arena, ruled_out, F_RULED_OUT_CAUSE),
                          text_or_empty(arena, ruled_out, F_RULED_OUT_BECAUSE)));
    }
}

void verdict_page_write(struct page *page, const struct obj *verdict, bool brief) {
    struct arena arena = {0};
    write_blame(page, &arena, verdict);
    item(page, "", text_or_empty(&arena, verdict, F_VERDICT_SAYS));
    if (!brief) {
        write_evidence(page, &arena, verdict);
        write_ruled_out(page, &arena, verdict);
    }
    item(page, "remedy", text_or_empty(&arena, verdict, F_VERDICT_REMEDY));
    item(page, "next test", text_or_empty(&arena, verdict, F_VERDICT_NEXT));
    arena_cleanup(&arena);
}
