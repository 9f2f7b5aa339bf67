#include "proxy/tls/parse.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/extension.h"

// A set of all two-byte numbers: cheaper than comparing each with each, and an adversary's 16,000
// extensions cost no more each than sixteen. A word of `bits` counts only once `used` says so:
// clearing all 8 KiB of it would take longer than most messages.
struct seen {
    uint64_t used[65536 / 64 / 64];
    uint64_t bits[65536 / 64];
};

static void seen_init(struct seen *seen) { memset(seen->used, 0, sizeof(seen->used)); }

// set_bit sets bit `i` of `bits` and returns whether it was set.
static bool set_bit(uint64_t *bits, size_t i) {
    uint64_t bit = UINT64_C(1) << (i % 64);
    bool before = (bits[i / 64] & bit) != 0;
    bits[i / 64] |= bit;
    return before;
}

static bool seen_before(struct seen *seen, uint16_t code) {
    if (!set_bit(seen->used, code / 64)) {
        seen->bits[code / 64] = 0;
    }
    return set_bit(seen->bits, code);
}

void parse_note(struct parse *ps, enum note_id id, const uint8_t *at) {
    note_sink_add(ps->notes, id, at != NULL ? (uint64_t)(at - ps->base) : 0);
}

bool parse_broken(struct parse *ps, enum note_id id, const uint8_t *at) {
    parse_note(ps, id, at);
    ps->ok = false;
    return false;
}

bool parse_open(struct parse *ps, CBS *out_body, const struct parse_ids *ids,
                struct note_sink *notes, uint8_t type, const uint8_t *p, size_t p_len) {
    *ps = (struct parse){.base = p, .notes = notes, .ok = true};
    CBS cbs;
    CBS_init(&cbs, p, p_len);
    CBS_init(out_body, p, 0);
    uint8_t got_type;
    uint32_t body_len;
    if (!CBS_get_u8(&cbs, &got_type) || !CBS_get_u24(&cbs, &body_len)) {
        return parse_broken(ps, ids->truncated, p);
    }
    if (got_type != type) {
        return ps->ok = false;
    }
    if (body_len > CBS_len(&cbs)) {
        parse_broken(ps, ids->truncated, p + p_len);
        body_len = (uint32_t)CBS_len(&cbs);
    }
    CHECK(CBS_get_bytes(&cbs, out_body, body_len));
    parse_close(ps, &cbs, ids);
    return true;
}

void parse_close(struct parse *ps, const CBS *body, const struct parse_ids *ids) {
    if (CBS_len(body) != 0) {
        parse_note(ps, ids->trailing, CBS_data(body));
    }
}

bool parse_codes(struct code_list *out, const CBS *cbs, uint8_t width) {
    size_t num = CBS_len(cbs) / width;
    bool fits = num <= UINT16_MAX;
    *out = (struct code_list){
        .p = CBS_data(cbs), .num = (uint16_t)(fits ? num : UINT16_MAX), .width = width};
    return fits && CBS_len(cbs) % width == 0;
}

bool parse_codes8(struct code_list *out, CBS *cbs, uint8_t width) {
    CBS list;
    return CBS_get_u8_length_prefixed(cbs, &list) && parse_codes(out, &list, width);
}

bool parse_codes16(struct code_list *out, CBS *cbs, uint8_t width) {
    CBS list;
    return CBS_get_u16_length_prefixed(cbs, &list) && parse_codes(out, &list, width);
}

bool parse_has_duplicate(const struct code_list *list) {
    if (list->num < 2) {
        return false;
    }
    struct seen seen;
    seen_init(&seen);
    for (size_t i = 0; i < list->num; i++) {
        if (seen_before(&seen, (uint16_t)code_list_at(list, i))) {
            return true;
        }
    }
    return false;
}

bool parse_flag(bool *out, const CBS *body) {
    *out = true;
    return CBS_len(body) == 0;
}

bool parse_one_name(CBS *out, bool *out_one, CBS *body) {
    CBS names;
    *out_one = false;
    if (!CBS_get_u16_length_prefixed(body, &names) || !CBS_get_u8_length_prefixed(&names, out)) {
        return false;
    }
    *out_one = CBS_len(&names) == 0 && CBS_len(out) != 0;
    return true;
}

bool parse_has_extension(const struct parse *ps, uint16_t type) {
    CHECK(type < 64);
    return (ps->ext_low >> type & 1) != 0;
}

static void extension_decode(struct parse *ps, const struct extension *ext, void *out,
                             const struct parse_ids *ids, const struct parse_extension *rows,
                             size_t num_rows) {
    for (size_t i = 0; i < num_rows; i++) {
        if (rows[i].type == ext->type) {
            CBS body = ext->body;
            if (!rows[i].decode(out, ps, &body) || CBS_len(&body) != 0) {
                parse_note(ps, ids->ext_malformed, CBS_data(&ext->body) - EXTENSION_HEADER_LEN);
            }
            return;
        }
    }
}

static void extension_check(struct parse *ps, const struct extension *ext,
                            const struct parse_ids *ids) {
    const uint8_t *at = CBS_data(&ext->body) - EXTENSION_HEADER_LEN;
    if (ext->type < 64) {
        ps->ext_low |= UINT64_C(1) << ext->type;
    }
    if (codepoint_is_grease(REGISTRY_EXTENSION, ext->type)) {
        ps->ext_grease = true;
    } else if (ps->ext_unknown == NULL && !extension_known(ext->type) &&
               codepoint_find(REGISTRY_EXTENSION, ext->type) == NULL) {
        ps->ext_unknown = at;
    }
    if (!extension_allowed(ext->type, ids->ext_message)) {
        parse_note(ps, ids->ext_forbidden, at);
    }
}

void parse_extensions(struct parse *ps, CBS *out_block, uint16_t *out_num, CBS *cbs, void *out,
                      const struct parse_ids *ids, const struct parse_extension *rows,
                      size_t num_rows) {
    const uint8_t *at = CBS_data(cbs);
    uint16_t block_len;
    if (!CBS_get_u16(cbs, &block_len)) {
        parse_broken(ps, ids->truncated, at);
        return;
    }
    if (block_len > CBS_len(cbs)) {
        parse_broken(ps, ids->ext_length, at);
        block_len = (uint16_t)CBS_len(cbs);
    }
    CHECK(CBS_get_bytes(cbs, out_block, block_len));

    struct seen seen;
    seen_init(&seen);
    CBS block = *out_block;
    struct extension ext;
    for (*out_num = 0; extension_next(&block, &ext); (*out_num)++) {
        extension_check(ps, &ext, ids);
        if (seen_before(&seen, ext.type)) {
            parse_note(ps, ids->ext_duplicate, CBS_data(&ext.body) - EXTENSION_HEADER_LEN);
        } else {
            extension_decode(ps, &ext, out, ids, rows, num_rows);
        }
    }
    if (CBS_len(&block) != 0) {
        parse_broken(ps, ids->truncated, CBS_data(&block));
    }
}
