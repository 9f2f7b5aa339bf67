#include "proxy/observe/observe.h"

#include <stdio.h>
#include <string.h>

#include "logs/base/decimal.h"
#include "proxy/observe/internal.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/short_message.h"

// Ceilings of what is kept of a peer that never stops.
enum {
    FIRST_BYTES_MAX = 64,
    NOTES_MAX = 256,    // of a record
    ALERTS_MAX = 64,    // of a leg; warnings take up half of them at most
    CODES_AT_ONCE = 64, // of a list
    RECORDS_MAX = 12,   // of a direction, whose types and sizes are kept
    SEGMENTS_MAX = 16,  // of the server, whose sizes are kept
    MESSAGES_MAX = 64,  // of a leg, both ways; an honest handshake has less than 20
};

const char *step_name(enum step step) {
    static const char *const names[] = {"dns",    "connect",     "front",    "hello",
                                        "answer", "certificate", "finished", "data"};
    return names[step];
}

// step_done is the word of ALERT.after: the step last completed.
static const char *step_done(const struct observe *observe) {
    switch (observe->step) {
    case STEP_ANSWER:
        return "server_hello";
    case STEP_CERTIFICATE:
        return "certificate";
    case STEP_FINISHED:
        return "finished";
    case STEP_DATA:
        return "data";
    default:
        return observe->client_hello ? "client_hello" : "connect";
    }
}

void observe_init(struct observe *observe, struct obj *root, bool server_leg, int64_t start_us) {
    *observe = (struct observe){
        .root = root,
        .leg = obj_sub(root, server_leg ? F_RECORD_LEG_SERVER : F_RECORD_LEG_CLIENT),
        .server_leg = server_leg,
        .start_us = start_us,
    };
}

void observe_time(struct observe *observe, enum field field, int64_t now_us) {
    if (!obj_has(observe->leg, field)) {
        obj_set_int(observe->leg, field, now_us - observe->start_us);
    }
}

void observe_step(struct observe *observe, enum step step, int64_t now_us) {
    if (observe->leg == NULL) {
        return;
    }
    if (step == STEP_FINISHED) {
        obj_set_int(observe->leg, F_LEG_TLS_ESTABLISHED, true);
        observe_time(observe, F_LEG_MS_FINISHED, now_us);
    } else if (step == STEP_DATA) {
        observe_time(observe, F_LEG_MS_FIRST_DATA, now_us);
    }
    observe->step = step > observe->step ? step : observe->step;
}

void observe_notes(struct observe *observe, const struct note_sink *notes) {
    for (size_t i = 0; i < notes->num && obj_num(observe->root, F_RECORD_NOTES) < NOTES_MAX; i++) {
        const struct note_info *info = note_info(notes->notes[i].id);
        struct obj *note = obj_add(observe->root, F_RECORD_NOTES);
        obj_set_str(note, F_NOTE_ID, info->id);
        obj_set_str(note, F_NOTE_LEG, observe->server_leg ? "server" : "client");
        obj_set_int(note, F_NOTE_OFFSET, (int64_t)notes->notes[i].offset);
        obj_set_str(note, F_NOTE_SAYS, info->says);
    }
}

void observe_codes(struct observe *observe, enum field field, const struct code_list *list) {
    if (list->p == NULL) {
        return;
    }
    uint16_t codes[CODES_AT_ONCE];
    if (list->num <= CODES_AT_ONCE) {
        for (size_t i = 0; i < list->num; i++) {
            codes[i] = (uint16_t)code_list_at(list, i);
        }
        obj_set_codes(observe->leg, field, codes, list->num);
        return;
    }
    for (size_t i = 0; i < list->num; i++) {
        obj_add_code(observe->leg, field, (uint16_t)code_list_at(list, i));
    }
}

void observe_extensions(struct observe *observe, enum field field, CBS block) {
    struct extension extension;
    if (!obj_has(observe->leg, field)) {
        uint16_t codes[CODES_AT_ONCE];
        size_t num = 0;
        while (num < CODES_AT_ONCE && extension_next(&block, &extension)) {
            codes[num++] = extension.type;
        }
        obj_set_codes(observe->leg, field, codes, num);
    }
    while (extension_next(&block, &extension)) {
        obj_add_code(observe->leg, field, extension.type);
    }
}

// hello_take observes the ClientHello message `p`, which lies in the record's arena.
static void hello_take(struct observe *observe, bool sslv2, const uint8_t *p, size_t p_len,
                       int64_t now_us) {
    struct note_sink notes = {0};
    struct client_hello hello = {0};
    observe->client_hello = true;
    observe->sslv2 = sslv2;
    observe->hello = (struct span){p, p_len};
    if (sslv2) {
        (void)client_hello_parse_sslv2(&hello, &notes, observe->hello.p, p_len);
    } else {
        (void)client_hello_parse(&hello, &notes, observe->hello.p, p_len);
    }
    observe->session_id = (struct span){CBS_data(&hello.session_id), CBS_len(&hello.session_id)};
    offer_write(observe, &hello);
    if (note_sink_find(&notes, NOTE_CH_TRUNCATED) == NULL) {
        offer_fingerprints(observe, &hello);
    }
    observe_notes(observe, &notes);
    observe_time(observe, F_LEG_MS_HELLO, now_us);
    observe_step(observe, STEP_HELLO, now_us);
}

void observe_hello(struct observe *observe, const uint8_t *p, size_t p_len, size_t num_reads,
                   int64_t now_us) {
    struct record_reader reader;
    struct wire_event event;
    size_t len = p_len;
    obj_set_bytes(observe->leg, F_LEG_OFFER_RAW, p, p_len);
    struct span raw = obj_span(observe->leg, F_LEG_OFFER_RAW);
    record_reader_init(&reader, 0, 0);
    enum wire_event_type type = record_reader_next(&reader, &event, raw.p, &len);
    if (type == WIRE_MORE) {
        type = record_reader_eof(&reader, &event);
    }
    bool is_hello = type == WIRE_MESSAGE && event.len != 0 && event.p[0] == HANDSHAKE_CLIENT_HELLO;
    if (is_hello || type == WIRE_SSLV2_HELLO) {
        // A hello that came in one record is not kept twice.
        bool inside = (uintptr_t)event.p - (uintptr_t)raw.p < raw.len;
        const uint8_t *kept =
            inside ? event.p : arena_dup(obj_arena(observe->leg), event.p, event.len);
        hello_take(observe, type == WIRE_SSLV2_HELLO, kept, event.len, now_us);
        obj_set_int(observe->leg, F_LEG_OFFER_RECORDS, event.num_records);
    }
    if (reader.num_records != 0) {
        obj_set_int(observe->leg, F_LEG_OFFER_RECORD_VERSION, reader.first[0].version);
    }
    obj_set_int(observe->leg, F_LEG_OFFER_SEGMENTS, (int64_t)num_reads);
    observe_notes(observe, &reader.notes);
    record_reader_cleanup(&reader);
}

// client_message takes what a client says after its first hello.
static void client_message(struct observe *observe, const uint8_t *p, size_t p_len,
                           int64_t now_us) {
    if (p[0] == HANDSHAKE_CLIENT_HELLO && !observe->client_hello) {
        obj_set_bytes(observe->leg, F_LEG_OFFER_RAW, p, p_len);
        struct span raw = obj_span(observe->leg, F_LEG_OFFER_RAW);
        hello_take(observe, false, raw.p, raw.len, now_us);
    } else if (p[0] == HANDSHAKE_CLIENT_HELLO) {
        obj_set_bytes(observe->leg, F_LEG_OFFER_RAW_2, p, p_len);
    } else {
        client_auth_message(observe, p, p_len);
    }
}

void observe_message(struct observe *observe, bool from_client, const uint8_t *p, size_t p_len,
                     int64_t now_us) {
    if (p_len == 0 || observe->leg == NULL || observe->num_messages == MESSAGES_MAX) {
        return;
    }
    observe->num_messages++;
    if (p[0] == HANDSHAKE_KEY_UPDATE) {
        int64_t updates = 0;
        (void)obj_int(observe->leg, F_LEG_ANSWER_KEY_UPDATES, &updates);
        obj_set_int(observe->leg, F_LEG_ANSWER_KEY_UPDATES, updates + 1);
    } else if (from_client) {
        client_message(observe, p, p_len, now_us);
    } else {
        answer_message(observe, p, p_len, now_us);
    }
}

void observe_alert(struct observe *observe, bool from_client, const uint8_t *p, size_t p_len,
                   int64_t now_us) {
    struct note_sink notes = {0};
    struct alert alert;
    if (observe->leg == NULL) {
        return;
    }
    bool whole = alert_parse(&alert, &notes, p, p_len, p_len);
    size_t max = whole && alert.level == ALERT_WARNING ? ALERTS_MAX / 2 : ALERTS_MAX;
    if (whole && obj_num(observe->leg, F_LEG_ALERTS) < max) {
        char name[CODEPOINT_NAME_MAX];
        struct obj *row = obj_add(observe->leg, F_LEG_ALERTS);
        obj_set_str(row, F_ALERT_FROM, from_client ? "client" : "server");
        obj_set_str(row, F_ALERT_AFTER, step_done(observe));
        obj_set_str(row, F_ALERT_LEVEL, alert.level == ALERT_WARNING ? "warning" : "fatal");
        obj_set_int(row, F_ALERT_CODE, alert.code);
        obj_set_str(row, F_ALERT_NAME, codepoint_name(REGISTRY_ALERT, alert.code, name));
        obj_set_int(row, F_ALERT_MS, now_us - observe->start_us);
    }
    observe_notes(observe, &notes);
}

void observe_not_tls(struct observe *observe, const uint8_t *p, size_t p_len) {
    size_t len = p_len < FIRST_BYTES_MAX ? p_len : FIRST_BYTES_MAX;
    obj_set_bytes(observe->leg, F_LEG_ANSWER_FIRST_BYTES, p, len);
    enum { RECORD_HEADER = 5, HANDSHAKE = 22 };
    bool hello =
        len > RECORD_HEADER && p[0] == HANDSHAKE && p[RECORD_HEADER] == HANDSHAKE_CLIENT_HELLO;
    obj_set_str(observe->leg, F_LEG_ANSWER_FIRST_KIND,
                hello ? "client-hello" : banner_name(banner_classify(p, len, true)));
}

void observe_record(struct observe *observe, bool from_client, uint8_t type, uint16_t version,
                    uint16_t len) {
    enum field field = from_client ? F_LEG_RECORDS_CLIENT : F_LEG_RECORDS_SERVER;
    char type_name[CODEPOINT_NAME_MAX], version_name[CODEPOINT_NAME_MAX];
    char text[2 * UINT8_MAX + DECIMAL_MAX + 8]; // names of code points are no longer
    if (observe->leg == NULL || observe->num_records[from_client] == RECORDS_MAX) {
        return;
    }
    observe->num_records[from_client]++;
    char *end = stpcpy(text, codepoint_name(REGISTRY_CONTENT_TYPE, type, type_name));
    end = stpcpy(end, ", ");
    end = stpcpy(end, codepoint_name(REGISTRY_VERSION, version, version_name));
    end = stpcpy(end, ", ");
    end += decimal_write(end, len);
    obj_add_str(observe->leg, field, text, (size_t)(end - text));
}

void observe_ccs_edit(struct observe *observe, bool twice) {
    static const char name[] = "change_cipher_spec";
    const enum field field = observe->server_leg ? F_LEG_RECORDS_CLIENT : F_LEG_RECORDS_SERVER;
    size_t num = observe->leg != NULL ? obj_num(observe->leg, field) : 0;
    char texts[RECORDS_MAX][160];
    CHECK(num <= RECORDS_MAX);
    for (size_t i = 0; i < num; i++) {
        struct span text = obj_item(observe->leg, field, i);
        snprintf(texts[i], sizeof(texts[i]), "%.*s", (int)text.len, (const char *)text.p);
    }
    bool done = num == 0;
    for (size_t i = 0; i < num; i++) {
        bool edit = !done && strncmp(texts[i], name, sizeof(name) - 1) == 0;
        if (i == 0) {
            obj_unset(observe->leg, field);
        }
        for (int n = edit ? twice ? 2 : 0 : 1; n > 0; n--) {
            obj_add_str(observe->leg, field, texts[i], strlen(texts[i]));
        }
        done = done || edit;
    }
}

void observe_segment(struct observe *observe, size_t len) {
    char text[DECIMAL_MAX];
    if (observe->leg == NULL || !observe->client_hello || observe->step < STEP_HELLO ||
        observe->step >= STEP_FINISHED || observe->num_segments == SEGMENTS_MAX) {
        return;
    }
    observe->num_segments++;
    obj_add_str(observe->leg, F_LEG_SEGMENTS_SERVER, text, decimal_write(text, len));
}
