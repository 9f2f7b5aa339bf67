#include "logs/view/path_page.h"

#include <inttypes.h>
#include <stdio.h>

#include "logs/record/text.h"

enum { HOP_WIDTH = 3, ADDRESS_WIDTH = 25, FATE_WIDTH = 13, TIME_WIDTH = 9 };

void path_page_head(struct page *page) {
    page_printf(page, STYLE_DIM, "%*s %-*s %-*s %-*s %*s  %s", HOP_WIDTH, "hop", ADDRESS_WIDTH,
                "address", FATE_WIDTH, "SYN", FATE_WIDTH, "hello", TIME_WIDTH, "ms",
                "by another name");
    page_newline(page);
}

void path_page_hop(struct page *page, const struct obj *hop) {
    struct arena arena = {0};
    char number[24] = "", time[32] = "";
    int64_t ttl, us;
    if (obj_int(hop, F_HOP_TTL, &ttl)) {
        snprintf(number, sizeof(number), "%*" PRId64, HOP_WIDTH, ttl);
    }
    if (obj_int(hop, F_HOP_TARGET_MS, &us)) {
        snprintf(time, sizeof(time), "%*.1f ", TIME_WIDTH, (double)us / 1000);
    }
    const char *address = text_or_empty(&arena, hop, F_HOP_ADDRESS);
    const struct page_cell cells[] = {
        {HOP_WIDTH, STYLE_PLAIN, page_span(number)},
        {ADDRESS_WIDTH, STYLE_PLAIN, page_span(*address != '\0' ? address : "*")},
        {FATE_WIDTH, STYLE_DIM, page_span(text_or_empty(&arena, hop, F_HOP_SYN))},
        {FATE_WIDTH, STYLE_PLAIN, page_span(text_or_empty(&arena, hop, F_HOP_TARGET))},
        {TIME_WIDTH + 1, STYLE_PLAIN, page_span(time)},
        {0, STYLE_PLAIN, page_span(text_or_empty(&arena, hop, F_HOP_CONTROL))},
    };
    page_row(page, cells, ARRAY_LEN(cells));
    arena_cleanup(&arena);
}

// place says between which hops the box is.
static const char *place(struct arena *arena, const struct obj *path) {
    int64_t hop = 0, after = 0;
    (void)obj_int(path, F_PATH_BOX_HOP, &hop);
    (void)obj_int(path, F_PATH_BOX_AFTER, &after);
    const char *at = text_or_empty(arena, path, F_PATH_BOX_ADDRESS);
    const char *behind = text_or_empty(arena, path, F_PATH_BOX_AFTER_ADDRESS);
    const char *text = arena_printf(arena, "at hop %" PRId64 "%s%s%s", hop, *at != '\0' ? " (" : "",
                                    at, *at != '\0' ? ")" : "");
    return after == 0 ? arena_printf(arena, "%s, or nearer", text)
                      : arena_printf(arena, "%s, or on the way there behind hop %" PRId64 "%s%s%s",
                                     text, after, *behind != '\0' ? " (" : "", behind,
                                     *behind != '\0' ? ")" : "");
}

static const char *deed(struct arena *arena, const struct obj *path) {
    if (obj_str_is(path, F_PATH_BOX_DOES, "terminates")) {
        return "accepts connections in the server's place";
    }
    if (obj_str_is(path, F_PATH_BOX_DOES, "drops")) {
        return "lets the hello go no further";
    }
    return arena_printf(arena, "answers the hello (%s)",
                        text_or_empty(arena, path, F_PATH_BOX_DOES));
}

void path_page_says(struct page *page, const struct obj *path) {
    struct arena arena = {0};
    const char *text = "No SYN was accepted, so that the way is not known.";
    int64_t server;
    if (obj_has(path, F_PATH_BOX_HOP)) {
        text = arena_printf(
            &arena, "Something %s %s%s.", place(&arena, path), deed(&arena, path),
            obj_is(path, F_PATH_BOX_BY_NAME, true) ? ", and minds only the name in it" : "");
    } else if (obj_int(path, F_PATH_SERVER_HOP, &server)) {
        text = arena_printf(&arena,
                            "Connections are accepted at hop %" PRId64 ", and nothing on the way "
                            "there was seen to touch the hello.",
                            server);
    }
    page_pad(page, 2);
    page_paragraph(page, STYLE_PLAIN, 2, true, page_span(text));
    arena_cleanup(&arena);
}
