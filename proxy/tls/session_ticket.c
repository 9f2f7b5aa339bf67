#include "proxy/tls/session_ticket.h"

#include <string.h>

#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

enum { LIFETIME_MAX = 7 * 24 * 3600 };

static const struct parse_ids ids = {
    .truncated = NOTE_NST_TRUNCATED,
    .trailing = NOTE_NST_TRAILING_BYTES,
    .ext_length = NOTE_NST_TRUNCATED,
    .ext_duplicate = NOTE_NST_EXTENSION_DUPLICATE,
    .ext_malformed = NOTE_NST_EXTENSION_MALFORMED,
    .ext_forbidden = NOTE_NST_EXTENSION_MALFORMED,
    .ext_message = EXT_IN_NST,
};

static bool early_data(void *out, struct parse *ps, CBS *body) {
    (void)ps;
    struct session_ticket *nst = out;
    return nst->has_early_data = CBS_get_u32(body, &nst->early_data_max);
}

static const struct parse_extension rows[] = {{EXT_EARLY_DATA, early_data}};

bool session_ticket_parse(struct session_ticket *out, struct note_sink *notes, bool tls13,
                          const uint8_t *p, size_t p_len) {
    memset(out, 0, sizeof(*out));
    CBS_init(&out->raw, p, p_len);
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, HANDSHAKE_NEW_SESSION_TICKET, p, p_len)) {
        return false;
    }
    const uint8_t *at = CBS_data(&body);
    if (!CBS_get_u32(&body, &out->lifetime) ||
        (tls13 &&
         (!CBS_get_u32(&body, &out->age_add) || !CBS_get_u8_length_prefixed(&body, &out->nonce))) ||
        !CBS_get_u16_length_prefixed(&body, &out->ticket)) {
        return parse_broken(&ps, NOTE_NST_TRUNCATED, at);
    }
    if (CBS_len(&out->ticket) == 0) {
        parse_note(&ps, NOTE_NST_EMPTY, CBS_data(&out->ticket));
    }
    if (tls13) {
        if (out->lifetime > LIFETIME_MAX) {
            parse_note(&ps, NOTE_NST_LIFETIME_TOO_LONG, at);
        }
        parse_extensions(&ps, &out->extensions, &out->num_extensions, &body, out, &ids, rows,
                         ARRAY_LEN(rows));
    }
    parse_close(&ps, &body, &ids);
    return ps.ok;
}
