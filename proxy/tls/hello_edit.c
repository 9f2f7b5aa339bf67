#include "proxy/tls/hello_edit.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/tls/hello_list.h"

// Whether the message may grow by `more` bytes.
static bool fits(struct hello_draft *draft, size_t more) {
    bool ok = more <= HELLO_DRAFT_MAX && hello_draft_len(draft) + more <= HELLO_DRAFT_MAX;
    draft->overflow = draft->overflow || !ok;
    return ok;
}

static void field_set(struct hello_draft *draft, struct hello_bytes *field, size_t max,
                      const uint8_t *p, size_t p_len) {
    if (p_len > max) {
        draft->overflow = true;
    } else if (p_len <= field->len || fits(draft, p_len - field->len)) {
        hello_bytes_set(field, p, p_len);
    }
}

size_t hello_edit_position(const struct hello_draft *draft, uint16_t type) {
    size_t i = 0;
    while (i < draft->num_extensions && draft->extensions[i].type != type) {
        i++;
    }
    return i;
}

const struct hello_extension *hello_edit_find(const struct hello_draft *draft, uint16_t type) {
    size_t i = hello_edit_position(draft, type);
    return i < draft->num_extensions ? &draft->extensions[i] : NULL;
}

void hello_edit_insert(struct hello_draft *draft, size_t position, uint16_t type,
                       const uint8_t *body, size_t body_len) {
    CHECK(position <= draft->num_extensions && draft->format == HELLO_FORMAT_TLS);
    if (!fits(draft, (draft->has_extensions ? 0 : 2) + EXTENSION_HEADER_LEN + body_len)) {
        return;
    }
    struct hello_extension added = {.type = type};
    hello_bytes_set(&added.body, body, body_len);
    if (draft->num_extensions == draft->cap_extensions) {
        draft->cap_extensions = draft->cap_extensions != 0 ? 2 * draft->cap_extensions : 16;
        draft->extensions =
            xrealloc(draft->extensions, draft->cap_extensions * sizeof(*draft->extensions));
    }
    struct hello_extension *at = draft->extensions + position;
    memmove(at + 1, at, (draft->num_extensions - position) * sizeof(*at));
    *at = added;
    draft->num_extensions++;
    draft->has_extensions = true;
}

void hello_edit_set(struct hello_draft *draft, uint16_t type, const uint8_t *body,
                    size_t body_len) {
    size_t i = hello_edit_position(draft, type);
    if (i < draft->num_extensions) {
        field_set(draft, &draft->extensions[i].body, UINT16_MAX, body, body_len);
        return;
    }
    bool psk_last = draft->num_extensions != 0 &&
                    draft->extensions[draft->num_extensions - 1].type == EXT_PRE_SHARED_KEY;
    hello_edit_insert(draft, draft->num_extensions - psk_last, type, body, body_len);
}

void hello_edit_remove_at(struct hello_draft *draft, size_t position) {
    CHECK(position < draft->num_extensions);
    struct hello_extension *at = draft->extensions + position;
    free(at->body.p);
    draft->num_extensions--;
    memmove(at, at + 1, (draft->num_extensions - position) * sizeof(*at));
}

bool hello_edit_remove(struct hello_draft *draft, uint16_t type) {
    size_t kept = 0, num = draft->num_extensions;
    for (size_t i = 0; i < num; i++) {
        if (draft->extensions[i].type == type) {
            free(draft->extensions[i].body.p);
        } else {
            draft->extensions[kept++] = draft->extensions[i];
        }
    }
    draft->num_extensions = kept;
    return kept != num;
}

void hello_edit_move(struct hello_draft *draft, size_t from, size_t to) {
    CHECK(from < draft->num_extensions && to < draft->num_extensions);
    struct hello_extension *all = draft->extensions, moved = all[from];
    if (from < to) {
        memmove(all + from, all + from + 1, (to - from) * sizeof(*all));
    } else {
        memmove(all + to + 1, all + to, (from - to) * sizeof(*all));
    }
    all[to] = moved;
}

void hello_edit_session_id(struct hello_draft *draft, const uint8_t *p, size_t p_len) {
    size_t max = draft->format == HELLO_FORMAT_TLS ? UINT8_MAX : UINT16_MAX;
    field_set(draft, &draft->session_id, max, p, p_len);
}

void hello_edit_compressions(struct hello_draft *draft, const uint8_t *p, size_t p_len) {
    field_set(draft, &draft->compressions, UINT8_MAX, p, p_len);
}

void hello_edit_trailing(struct hello_draft *draft, const uint8_t *p, size_t p_len) {
    field_set(draft, &draft->trailing, HELLO_DRAFT_MAX, p, p_len);
}

static size_t cipher_width(const struct hello_draft *draft) {
    return draft->format == HELLO_FORMAT_SSLV2 ? 3 : 2;
}

static void ciphers_store(struct hello_draft *draft, struct hello_list *list) {
    draft->overflow = draft->overflow || list->overflow;
    if (!list->overflow) {
        field_set(draft, &draft->ciphers, UINT16_MAX, list->p, list->len);
    }
    hello_list_cleanup(list);
}

void hello_edit_ciphers(struct hello_draft *draft, const uint32_t *ciphers, size_t num_ciphers) {
    struct hello_list list = {0};
    for (size_t i = 0; i < num_ciphers; i++) {
        hello_list_number(&list, ciphers[i], cipher_width(draft));
    }
    ciphers_store(draft, &list);
}

static bool ciphers_without(struct hello_list *out, const struct hello_draft *draft,
                            uint32_t cipher) {
    bool found = false;
    size_t width = cipher_width(draft);
    for (size_t at = 0; at + width <= draft->ciphers.len; at += width) {
        uint32_t number = hello_list_at(draft->ciphers.p + at, width);
        found = found || number == cipher;
        if (number != cipher) {
            hello_list_number(out, number, width);
        }
    }
    return found;
}

bool hello_edit_remove_cipher(struct hello_draft *draft, uint32_t cipher) {
    struct hello_list list = {0};
    bool found = ciphers_without(&list, draft, cipher);
    if (found) {
        ciphers_store(draft, &list);
    }
    hello_list_cleanup(&list);
    return found;
}

void hello_edit_add_cipher(struct hello_draft *draft, uint32_t cipher) {
    struct hello_list list = {0};
    if (!ciphers_without(&list, draft, cipher)) {
        hello_list_number(&list, cipher, cipher_width(draft));
        ciphers_store(draft, &list);
    }
    hello_list_cleanup(&list);
}

void hello_edit_cut_record(struct hello_draft *draft, int32_t offset) {
    size_t to = draft->num_record_cuts;
    if (to == HELLO_CUTS_MAX) {
        draft->overflow = true;
        return;
    }
    for (; to > 0 && draft->record_cuts[to - 1].offset > offset; to--) {
        draft->record_cuts[to] = draft->record_cuts[to - 1];
    }
    draft->record_cuts[to] = (struct hello_record_cut){offset, draft->record_version};
    draft->num_record_cuts++;
}

void hello_edit_cut_segment(struct hello_draft *draft, int32_t offset, uint32_t pause_ms) {
    size_t to = draft->num_segment_cuts;
    if (to == HELLO_CUTS_MAX) {
        draft->overflow = true;
        return;
    }
    for (; to > 0 && draft->segment_cuts[to - 1].offset > offset; to--) {
        draft->segment_cuts[to] = draft->segment_cuts[to - 1];
    }
    draft->segment_cuts[to] = (struct hello_segment_cut){offset, pause_ms};
    draft->num_segment_cuts++;
}

void hello_edit_no_cuts(struct hello_draft *draft) {
    draft->num_record_cuts = draft->num_segment_cuts = 0;
}
