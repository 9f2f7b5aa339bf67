#include "proxy/tls/short_message.h"

#include "logs/record/codepoint.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/parse.h"

static const struct parse_ids ids = {
    .truncated = NOTE_HS_TRUNCATED,
    .trailing = NOTE_HS_BODY_NOT_EMPTY,
};

static const struct parse_ids update_ids = {
    .truncated = NOTE_HS_KEY_UPDATE_MALFORMED,
    .trailing = NOTE_HS_KEY_UPDATE_MALFORMED,
};

// RFC 8446, section 6.2: only these may be warnings.
static bool alert_may_warn(uint8_t code) {
    enum {
        USER_CANCELED = 90,
        NO_RENEGOTIATION = 100,
        UNRECOGNIZED_NAME = 112,
        NO_CERTIFICATE = 41
    };
    return code == ALERT_CLOSE_NOTIFY || code == USER_CANCELED || code == NO_RENEGOTIATION ||
           code == UNRECOGNIZED_NAME || code == NO_CERTIFICATE ||
           (code >= 42 && code <= 46); // certificate trouble, which TLS 1.2 lets a peer survive
}

bool alert_parse(struct alert *out, struct note_sink *notes, const uint8_t *p, size_t p_len,
                 size_t announced) {
    *out = (struct alert){0};
    if (announced != 2) {
        note_sink_add(notes, NOTE_ALERT_LENGTH, 0);
    }
    if (p_len < 2) {
        return false;
    }
    *out = (struct alert){.level = p[0], .code = p[1]};
    if (out->level != ALERT_WARNING && out->level != ALERT_FATAL) {
        note_sink_add(notes, NOTE_ALERT_LEVEL_UNKNOWN, 0);
    }
    const struct codepoint *row = codepoint_find(REGISTRY_ALERT, out->code);
    if (row == NULL) {
        note_sink_add(notes, NOTE_ALERT_UNKNOWN, 1);
    } else if (row->mark == 'D') {
        note_sink_add(notes, NOTE_ALERT_OBSOLETE, 1);
    }
    if (out->level == ALERT_WARNING && row != NULL && !alert_may_warn(out->code)) {
        note_sink_add(notes, NOTE_ALERT_WARNING_ALWAYS_FATAL, 0);
    }
    if (out->level == ALERT_FATAL && out->code == ALERT_CLOSE_NOTIFY) {
        note_sink_add(notes, NOTE_ALERT_FATAL_CLOSE_NOTIFY, 0);
    }
    return true;
}

bool finished_parse(CBS *out_verify_data, struct note_sink *notes, const uint8_t *p, size_t p_len) {
    struct parse ps;
    if (!parse_open(&ps, out_verify_data, &ids, notes, HANDSHAKE_FINISHED, p, p_len)) {
        return false;
    }
    size_t len = CBS_len(out_verify_data);
    if (len != 12 && len != 32 && len != 36 && len != 48) {
        parse_note(&ps, NOTE_HS_FINISHED_LENGTH, CBS_data(out_verify_data));
    }
    return ps.ok;
}

bool key_update_parse(bool *out_requested, struct note_sink *notes, const uint8_t *p,
                      size_t p_len) {
    struct parse ps;
    CBS body;
    uint8_t request;
    if (!parse_open(&ps, &body, &update_ids, notes, HANDSHAKE_KEY_UPDATE, p, p_len)) {
        return false;
    }
    if (!CBS_get_u8(&body, &request) || request > 1 || CBS_len(&body) != 0) {
        return parse_broken(&ps, NOTE_HS_KEY_UPDATE_MALFORMED, p);
    }
    *out_requested = request == 1;
    return ps.ok;
}

bool empty_message_parse(struct note_sink *notes, uint8_t type, const uint8_t *p, size_t p_len) {
    struct parse ps;
    CBS body;
    if (!parse_open(&ps, &body, &ids, notes, type, p, p_len)) {
        return false;
    }
    parse_close(&ps, &body, &ids);
    return ps.ok;
}
