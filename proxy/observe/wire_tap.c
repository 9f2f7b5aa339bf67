// Both directions of a connection whose bytes only pass by.
#include <string.h>

#include "proxy/observe/internal.h"
#include "proxy/tls/handshake.h"

enum {
    TLS13 = 0x0304,
    FINISHED_MIN = 53, // an encrypted Finished of TLS 1.3: 4 + 32 + 1 + 16 bytes; an alert has 19
};

void wire_tap_init(struct wire_tap *tap, struct observe *observe) {
    tap->observe = observe;
    tap->finished[0] = tap->finished[1] = false;
    tap->handshake_len[0] = tap->handshake_len[1] = UINT64_MAX;
    tap->told = false;
    tap->lost[0] = tap->lost[1] = false;
    tap->first_len = 0;
    tap->keys = (struct tap_keys){0};
    record_reader_init(&tap->reader[0], 0, 0);
    record_reader_init(&tap->reader[1], 0, 0);
    tap->skip_hello = observe->client_hello;
}

void wire_tap_cleanup(struct wire_tap *tap) {
    record_reader_cleanup(&tap->reader[0]);
    record_reader_cleanup(&tap->reader[1]);
    record_protect_cleanup(&tap->keys.protect[0]);
    record_protect_cleanup(&tap->keys.protect[1]);
}

void wire_tap_keys(struct wire_tap *tap, const struct key_log *log) { tap->keys.log = log; }

// on_opened takes a message that was encrypted. Up to TLS 1.2 there is nothing in it but that the
// handshake is complete, as it is in TLS 1.3 with the client's Finished.
static void on_opened(struct wire_tap *tap, bool from_client, const struct wire_event *event,
                      int64_t now_us) {
    struct observe *observe = tap->observe;
    bool tells = tap_keys_message(tap, from_client, event->p, event->len);
    if (tells && observe->version >= TLS13) {
        observe_message(observe, from_client, event->p, event->len, now_us);
    }
    if (event->p[0] == HANDSHAKE_FINISHED && tap->finished[0] &&
        (tap->finished[1] || observe->version >= TLS13)) {
        observe_step(observe, STEP_FINISHED, now_us);
    }
}

static void on_message(struct wire_tap *tap, bool from_client, const struct wire_event *event,
                       int64_t now_us) {
    struct observe *observe = tap->observe;
    if (from_client && tap->skip_hello && event->len != 0 &&
        event->p[0] == HANDSHAKE_CLIENT_HELLO) {
        tap->skip_hello = false;
        return;
    }
    if (event->opened) {
        on_opened(tap, from_client, event, now_us);
        return;
    }
    bool answered = observe->version != 0;
    observe_message(observe, from_client, event->p, event->len, now_us);
    if (!answered && observe->version != 0) {
        tap_keys_answer(tap, event->p, event->len);
    }
}

// on_data takes application data that was opened: beside 0.5-RTT data and a False Start it comes
// after the handshake.
static void on_data(struct wire_tap *tap, int64_t now_us) {
    if (tap->observe->step >= STEP_FINISHED) {
        observe_step(tap->observe, STEP_DATA, now_us);
    }
}

// on_hidden_handshake takes an encrypted handshake record up to TLS 1.2: a Finished, as far as the
// wire tells. When both have sent one behind their ChangeCipherSpec the handshake is complete.
static void on_hidden_handshake(struct wire_tap *tap, bool from_client, int64_t now_us) {
    int i = from_client ? 0 : 1;
    tap->finished[i] |= tap->reader[i].num_ccs != 0;
    if (tap->finished[0] && tap->finished[1]) {
        observe_step(tap->observe, STEP_FINISHED, now_us);
    }
}

// handshake_over says that what follows may be application data, from `offset` on in the direction
// whose record tells so, and from here on in the other.
static void handshake_over(struct wire_tap *tap, bool from_client, uint64_t offset) {
    int i = from_client ? 0 : 1;
    for (int j = 0; j < 2; j++) {
        uint64_t len = j == i ? offset : tap->reader[j].offset;
        tap->handshake_len[j] = len < tap->handshake_len[j] ? len : tap->handshake_len[j];
    }
}

// on_opaque looks at the types and sizes of what is encrypted. Up to TLS 1.2 data follows the
// handshake; in TLS 1.3 the client's first record that is long enough for it is its Finished.
static void on_opaque(struct wire_tap *tap, bool from_client, const struct wire_event *event,
                      int64_t now_us) {
    struct observe *observe = tap->observe;
    const struct record_reader *reader = &tap->reader[from_client ? 0 : 1];
    tap_keys_opaque(tap, from_client);
    if (event->content_type == CONTENT_APPLICATION_DATA && observe->version == 0 && from_client &&
        event->offset < tap->handshake_len[0]) {
        tap->handshake_len[0] = event->offset; // early data
    }
    if (observe->version != 0 && observe->version < TLS13 &&
        event->content_type == CONTENT_HANDSHAKE) {
        on_hidden_handshake(tap, from_client, now_us);
    }
    if (event->content_type != CONTENT_APPLICATION_DATA || observe->version == 0 ||
        record_reader_opens(reader)) {
        return; // what is passed over is 0-RTT data
    }
    if (observe->version < TLS13) {
        handshake_over(tap, from_client, event->offset);
        observe_step(observe, STEP_FINISHED, now_us);
        observe_step(observe, STEP_DATA, now_us);
    } else if (from_client && !tap->finished[0] && event->announced >= FINISHED_MIN) {
        tap->finished[0] = true;
        handshake_over(tap, from_client, reader->offset);
        observe_step(observe, STEP_FINISHED, now_us);
    } else if (tap->finished[0] && from_client) {
        observe_step(observe, STEP_DATA, now_us);
    }
}

// on_not_tls keeps the server's first bytes: they are wrong only where a client wanted TLS.
static void on_not_tls(struct wire_tap *tap, const struct wire_event *event) {
    tap->first_len = event->len < sizeof(tap->first) ? event->len : sizeof(tap->first);
    memcpy(tap->first, event->p, tap->first_len);
}

static void tell_not_tls(struct wire_tap *tap) {
    if (tap->first_len != 0 && tap->observe->client_hello) {
        observe_not_tls(tap->observe, tap->first, tap->first_len);
        tap->first_len = 0;
    }
}

static void on_event(struct wire_tap *tap, bool from_client, const struct wire_event *event,
                     int64_t now_us) {
    switch (event->type) {
    case WIRE_MESSAGE:
        on_message(tap, from_client, event, now_us);
        break;
    case WIRE_ALERT:
        observe_alert(tap->observe, from_client, event->p, event->len, now_us);
        break;
    case WIRE_CCS:
        tap_keys_ccs(tap, from_client);
        break;
    case WIRE_DATA:
        on_data(tap, now_us);
        break;
    case WIRE_OPAQUE:
        on_opaque(tap, from_client, event, now_us);
        break;
    case WIRE_NOT_TLS:
        if (tap->reader[from_client ? 0 : 1].gap) {
            // What was found after the gap was no record.
            wire_tap_gap(tap, from_client, 0);
        } else if (!from_client) {
            on_not_tls(tap, event);
        }
        break;
    default:
        break;
    }
}

// read_some reads up to the end of an event, sets `*len` to the bytes it took and returns whether
// there was one.
static bool read_some(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t *len,
                      int64_t now_us) {
    struct wire_event event;
    (void)record_reader_next(&tap->reader[from_client ? 0 : 1], &event, p, len);
    on_event(tap, from_client, &event, now_us);
    return event.type != WIRE_MORE;
}

static void take(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t p_len,
                 int64_t now_us);

// look_for_record passes over bytes until a record begins, whose beginning it reads. It sets `*len`
// to the bytes it took and returns whether it found one.
static bool look_for_record(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t *len,
                            int64_t now_us) {
    struct record_sync *sync = &tap->sync[from_client ? 0 : 1];
    bool found = record_sync_find(sync, p, len);
    if (found) {
        struct record_sync window = *sync;
        tap->lost[from_client ? 0 : 1] = false;
        take(tap, from_client, window.window, window.len, now_us);
    }
    return found;
}

static void take(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t p_len,
                 int64_t now_us) {
    // An event may be followed by others out of the same record, without more bytes.
    for (bool more = true; more || p_len != 0;) {
        size_t n = p_len;
        more = tap->lost[from_client ? 0 : 1] ? look_for_record(tap, from_client, p, &n, now_us)
                                              : read_some(tap, from_client, p, &n, now_us);
        p += n;
        p_len -= n;
    }
    tell_not_tls(tap);
}

void wire_tap_bytes(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t p_len,
                    int64_t now_us) {
    if (p_len == 0) {
        return;
    }
    if (!from_client) {
        observe_segment(tap->observe, p_len);
    }
    take(tap, from_client, p, p_len, now_us);
}

void wire_tap_gap(struct wire_tap *tap, bool from_client, uint64_t n) {
    int i = from_client ? 0 : 1;
    if (!record_reader_gap(&tap->reader[i], n)) {
        tap->lost[i] = true;
        tap->sync[i] = (struct record_sync){0};
    }
}

void wire_tap_pass(struct wire_tap *tap, bool from_client, uint64_t n) {
    record_reader_pass(&tap->reader[from_client ? 0 : 1], n);
}

void wire_tap_eof(struct wire_tap *tap, bool from_client, int64_t now_us) {
    struct wire_event event;
    struct record_reader *reader = &tap->reader[from_client ? 0 : 1];
    while (!tap->lost[from_client ? 0 : 1] && record_reader_eof(reader, &event) != WIRE_MORE) {
        on_event(tap, from_client, &event, now_us);
    }
    tell_not_tls(tap);
}

static bool is_told(const struct observe *observe, const struct note_seen *seen) {
    const char *leg = observe->server_leg ? "server" : "client";
    for (size_t i = 0; i < obj_num(observe->root, F_RECORD_NOTES); i++) {
        const struct obj *note = obj_at(observe->root, F_RECORD_NOTES, i);
        if (obj_str_is(note, F_NOTE_ID, note_info(seen->id)->id) &&
            obj_str_is(note, F_NOTE_LEG, leg) &&
            obj_is(note, F_NOTE_OFFSET, (int64_t)seen->offset)) {
            return true;
        }
    }
    return false;
}

// tell_client_notes leaves out what was told with a hello that was observed before the tap saw it.
static void tell_client_notes(struct observe *observe, const struct note_sink *notes) {
    struct note_sink fresh = {0};
    for (size_t i = 0; i < notes->num; i++) {
        if (!is_told(observe, &notes->notes[i])) {
            note_sink_add(&fresh, notes->notes[i].id, notes->notes[i].offset);
        }
    }
    observe_notes(observe, &fresh);
}

void wire_tap_finish(struct wire_tap *tap) {
    static const enum field counts[] = {F_LEG_DATA_RECEIVED, F_LEG_DATA_SENT};
    struct observe *observe = tap->observe;
    if (observe->leg == NULL) {
        return;
    }
    const struct record_reader *server = &tap->reader[1];
    if (observe->client_hello && server->banner > BANNER_SSLV2) {
        // More of it than was needed to tell that it is not TLS.
        observe_not_tls(observe, server->head, server->head_len);
    }
    for (int i = 0; i < 2; i++) {
        const struct record_reader *reader = &tap->reader[i];
        obj_set_int(observe->leg, counts[i], (int64_t)reader->data_bytes);
        for (size_t k = observe->num_records[i == 0]; k < reader->num_records && k < RECORD_FIRST;
             k++) {
            const struct record_head *head = &reader->first[k];
            observe_record(observe, i == 0, head->content_type, head->version, head->length);
        }
    }
    if (!tap->told) {
        tell_client_notes(observe, &tap->reader[0].notes);
        observe_notes(observe, &tap->reader[1].notes);
        observe_notes(observe, &tap->keys.notes);
    }
    tap->told = true;
}
