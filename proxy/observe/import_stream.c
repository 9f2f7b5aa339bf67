#include "proxy/observe/import_stream.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/observe/import_front.h"
#include "proxy/observe/internal.h"
#include "proxy/tls/hello_peek.h"

enum {
    UNKNOWN_MAX = 2 * 1024,  // bytes of a client in which a hello is looked for when nothing is
                             // known of the protocol,
    SERVER_MAX = 256 * 1024, // and of a server before it
    SERVER_KEEP = 4 * 1024,  // of which so many are kept
    SEARCH_MAX = 64 * 1024,  // bytes in which a record is looked for when the beginning is missing
    HELLO_MAX = 2 * RECORD_HELLO_MAX, // with the headers of many small records
    STRICT_LEN = 11,                  // what import_front_hello looks at
    ALERT_MAX = 96,                   // more than an alert in its record has under any cipher suite
};

// FRONT ─ a ClientHello begins ─▶ HELLO ─ it is whole, broken or cut ─▶ TAP
//   ├── the beginning is missing ─────────────────────────────────────▶ TAP
//   └── nothing of the kind ─▶ NOT_TLS ◀── no record is found ───────────┘
enum import_state { STATE_FRONT, STATE_HELLO, STATE_TAP, STATE_NOT_TLS };

struct import_stream {
    struct import_start start;
    enum import_state state;
    bool swapped; // what the capture took for the client is the server
    bool spoke;   // any byte came
    bool gap, midstream;
    struct buf front[2];     // what came before TLS, from the client and the server
    uint64_t front_bytes[2]; // all of it, kept or not
    size_t searched;         // of front[0]
    bool answer_head;        // the proxy's answer is still to be passed over
    struct buf hello;        // until it is whole
    struct hello_peek peek;
    size_t num_segments; // that the hello came in
    uint64_t search_bytes;
    int64_t last_us; // of the last bytes
    struct record *record;
    struct observe observe;
    struct wire_tap tap;
};

struct import_stream *import_stream_new(const struct import_start *start) {
    struct import_stream *s = xcalloc(1, sizeof(*s));
    s->start = *start;
    buf_init(&s->front[0], IMPORT_FRONT_MAX);
    buf_init(&s->front[1], SERVER_KEEP);
    buf_init(&s->hello, HELLO_MAX);
    return s;
}

static struct span front_span(const struct import_stream *s, int side) {
    return (struct span){buf_data(&s->front[side]), s->front[side].len};
}

static bool not_tls(struct import_stream *s) {
    s->state = STATE_NOT_TLS;
    return false;
}

static const struct import_end *peer_of(const struct import_stream *s, bool server) {
    return server != s->swapped ? &s->start.server : &s->start.client;
}

static void address_text(char out[INET6_ADDRSTRLEN], const uint8_t address[16]) {
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = memcmp(address, v4, sizeof(v4)) == 0;
    CHECK(inet_ntop(is_v4 ? AF_INET : AF_INET6, address + (is_v4 ? 12 : 0), out,
                    INET6_ADDRSTRLEN) != NULL);
}

// id_make gives the same connection of the same capture the same id whenever it is imported.
static void id_make(struct import_stream *s) {
    uint64_t h = UINT64_C(14695981039346656037);
    uint8_t key[2 * 18 + 8];
    for (int i = 0; i < 2; i++) {
        const struct import_end *end = peer_of(s, i != 0);
        memcpy(key + i * 18, end->address, 16);
        key[i * 18 + 16] = (uint8_t)(end->port >> 8);
        key[i * 18 + 17] = (uint8_t)end->port;
    }
    for (int i = 0; i < 8; i++) {
        key[36 + i] = (uint8_t)((uint64_t)s->start.start_us >> 8 * i);
    }
    for (size_t i = 0; i < sizeof(key); i++) {
        h = (h ^ key[i]) * UINT64_C(1099511628211);
    }
    obj_set_strf(s->record->root, F_RECORD_ID, "%016llx", (unsigned long long)h);
}

// front_tell records what stood before TLS.
static void front_tell(struct import_stream *s) {
    struct import_target target;
    struct obj *root = s->record->root;
    struct span client = front_span(s, 0), server = front_span(s, 1);
    if (client.len == 0 && server.len == 0) {
        return;
    }
    obj_set_str(root, F_RECORD_FRONT, import_front_name(client, server));
    if (import_front_target(&target, client)) {
        obj_set_str(root, F_RECORD_HOST, target.host);
        obj_set_int(root, F_RECORD_PORT, target.port);
    }
    if (obj_str_is(root, F_RECORD_FRONT, "connect")) {
        struct span agent = import_front_header(client, "user-agent:");
        obj_set_str(root, F_RECORD_REQUEST_METHOD, "CONNECT");
        if (agent.p != NULL) {
            obj_set_strn(root, F_RECORD_USER_AGENT, agent.p, agent.len);
        }
    }
}

static void record_begin(struct import_stream *s) {
    char text[INET6_ADDRSTRLEN];
    const struct import_end *client = peer_of(s, false), *server = peer_of(s, true);
    s->record = record_new();
    struct obj *root = s->record->root;
    obj_set_int(root, F_RECORD_TIMESTAMP, s->start.start_us / 1000);
    id_make(s);
    obj_set_str(root, F_RECORD_MODE, "import");
    obj_set_int(root, F_RECORD_PORT, server->port);
    observe_init(&s->observe, root, false, s->start.start_us);
    struct obj *leg = s->observe.leg;
    address_text(text, client->address);
    obj_set_str(leg, F_LEG_ADDRESS, text);
    obj_set_int(leg, F_LEG_PORT, client->port);
    for (int i = 0; i < 2; i++) {
        const struct syn *syn = &s->start.syn[i != s->swapped];
        if (syn->seen) {
            syn_record(obj_sub(leg, i == 0 ? F_LEG_SYN : F_LEG_SYN_ACK), syn);
        }
    }
    struct obj *tried = obj_add(leg, F_LEG_TRIED);
    address_text(text, server->address);
    obj_set_str(leg, F_LEG_LOCAL_ADDRESS, text);
    obj_set_int(leg, F_LEG_LOCAL_PORT, server->port);
    obj_set_str(tried, F_TRIED_ADDRESS, text);
    obj_set_str(tried, F_TRIED_RESULT, "connected");
    if (s->start.connect_us >= 0) {
        obj_set_int(tried, F_TRIED_MS, s->start.connect_us);
        obj_set_int(leg, F_LEG_MS_CONNECT, s->start.connect_us);
    }
    front_tell(s);
    observe_step(&s->observe, STEP_HELLO, s->start.start_us);
    wire_tap_init(&s->tap, &s->observe);
    wire_tap_keys(&s->tap, s->start.keys);
}

// tap_begin watches a stream whose beginning is missing.
static void tap_begin(struct import_stream *s) {
    record_begin(s);
    wire_tap_gap(&s->tap, true, 0);
    wire_tap_gap(&s->tap, false, 0);
    s->midstream = true;
    s->state = STATE_TAP;
}

static bool found_nothing(const struct import_stream *s) {
    return s->tap.reader[0].num_records == 0 && s->tap.reader[1].num_records == 0;
}

static bool tap_bytes(struct import_stream *s, bool from_client, const uint8_t *p, size_t p_len,
                      int64_t now_us) {
    wire_tap_bytes(&s->tap, from_client, p, p_len, now_us);
    if (s->midstream && found_nothing(s)) {
        s->search_bytes += p_len;
        return s->search_bytes < SEARCH_MAX || not_tls(s);
    }
    return true;
}

// hello_done hands the hello over, whole or as it is, and what followed it.
static void hello_done(struct import_stream *s, size_t len, int64_t now_us) {
    observe_hello(&s->observe, buf_data(&s->hello), len, s->num_segments, now_us);
    s->state = STATE_TAP;
    wire_tap_bytes(&s->tap, true, buf_data(&s->hello), s->hello.len, now_us);
    buf_cleanup(&s->hello);
}

static void hello_bytes(struct import_stream *s, const uint8_t *p, size_t p_len, int64_t now_us) {
    s->num_segments++;
    bool room = buf_append(&s->hello, p, p_len);
    switch (hello_peek(&s->peek, buf_data(&s->hello), s->hello.len)) {
    case HELLO_NEED_MORE:
        if (!room) {
            hello_done(s, s->hello.len, now_us);
        }
        return;
    case HELLO_WHOLE:
    case HELLO_SSLV2:
        hello_done(s, s->peek.wire_len, now_us);
        return;
    case HELLO_NOT_TLS:
    case HELLO_BROKEN:
        hello_done(s, s->hello.len, now_us);
        return;
    }
}

static void hello_begin(struct import_stream *s, const uint8_t *p, size_t p_len, int64_t now_us) {
    record_begin(s);
    // The tap sees the hello when it is whole and was observed: it must not observe it again.
    s->tap.skip_hello = true;
    s->state = STATE_HELLO;
    s->answer_head = obj_str_is(s->record->root, F_RECORD_FRONT, "connect") &&
                     import_front_status(front_span(s, 1)) == 0;
    hello_bytes(s, p, p_len, now_us);
}

// answer_bytes takes the server's bytes after the client's hello began. The answer to a CONNECT may
// still be among them.
static void answer_bytes(struct import_stream *s, const uint8_t *p, size_t p_len, int64_t now_us) {
    struct buf *front = &s->front[1];
    if (s->answer_head) {
        size_t n = p_len < buf_room(front) ? p_len : buf_room(front);
        size_t before = front->len;
        CHECK(buf_append(front, p, n));
        const uint8_t *end =
            front->len != 0 ? memmem(buf_data(front), front->len, "\r\n\r\n", 4) : NULL;
        if (end == NULL && buf_room(front) != 0) {
            return;
        }
        size_t head_len = end != NULL ? (size_t)(end - buf_data(front)) + 4 : before;
        s->answer_head = false;
        if (head_len < before) { // it was whole already, and more than it had come
            wire_tap_bytes(&s->tap, false, buf_data(front) + head_len, before - head_len, now_us);
            head_len = before;
        }
        p += head_len - before;
        p_len -= head_len - before;
    }
    wire_tap_bytes(&s->tap, false, p, p_len, now_us);
}

// front_limits ends the wait for TLS.
static bool front_limits(struct import_stream *s) {
    const char *name = import_front_name(front_span(s, 0), front_span(s, 1));
    bool unknown = name != NULL && strcmp(name, "starttls") == 0;
    size_t max = unknown ? UNKNOWN_MAX : IMPORT_FRONT_MAX;
    bool over = s->front_bytes[0] > max || s->front_bytes[1] > SERVER_MAX;
    return name != NULL && !over ? true : not_tls(s);
}

// begins_hello tells whether `p`, the first bytes of the client, begin a hello.
static bool begins_hello(const struct import_stream *s, const uint8_t *p, size_t p_len) {
    enum banner banner = banner_classify(p, p_len, false);
    bool whole = s->start.whole && !s->gap;
    return import_front_hello(p, p_len, false) || banner == BANNER_SSLV2 ||
           (whole && banner == BANNER_TLS && p_len >= RECORD_HEADER_LEN);
}

// front_search looks for a hello in what the client has said, whose last segment begins at
// `segment`. In the middle of one it is taken for a hello only where the protocol before it is
// known.
static bool front_search(struct import_stream *s, size_t segment, int64_t now_us) {
    struct span client = front_span(s, 0);
    const char *name = import_front_name(client, front_span(s, 1));
    bool known = name != NULL && strcmp(name, "starttls") != 0;
    for (size_t at = s->searched; at < client.len; at++) {
        const uint8_t *p = client.p + at;
        size_t len = client.len - at;
        bool found = at == 0         ? begins_hello(s, p, len)
                     : at == segment ? import_front_hello(p, len, false)
                                     : known && import_front_hello(p, len, true);
        if (found) {
            uint8_t *hello = xmemdup(p, len);
            s->front[0].len = at;
            hello_begin(s, hello, len, now_us);
            free(hello);
            return true;
        }
    }
    s->searched = client.len > STRICT_LEN ? client.len - STRICT_LEN : 0;
    return false;
}

static bool front_bytes(struct import_stream *s, bool from_client, const uint8_t *p, size_t p_len,
                        int64_t now_us) {
    struct buf *front = &s->front[from_client ? 0 : 1];
    size_t segment = front->len, n = p_len < buf_room(front) ? p_len : buf_room(front);
    s->front_bytes[from_client ? 0 : 1] += p_len;
    CHECK(buf_append(front, p, n));
    if (!from_client || !front_search(s, segment, now_us)) {
        return front_limits(s);
    }
    // What the front had no room for belongs to the same segment.
    s->num_segments -= n < p_len;
    return n == p_len || import_stream_bytes(s, !s->swapped, p + n, p_len - n, now_us);
}

// roles_set tells by the first bytes who is the client, where no SYN has.
static void roles_set(struct import_stream *s, bool from_client, const uint8_t *p, size_t p_len) {
    bool wrong =
        from_client ? import_front_server_hello(p, p_len) : import_front_hello(p, p_len, true);
    s->swapped = !s->start.roles_known && wrong;
}

// begins_inside tells whether bytes come from the middle of a TLS stream, or may do so.
static bool begins_inside(const struct import_stream *s, bool first, bool from_client,
                          const uint8_t *p, size_t p_len) {
    if (first && from_client && begins_hello(s, p, p_len)) {
        return false;
    }
    bool answer = !from_client && import_front_server_hello(p, p_len);
    return answer || (first && (s->gap || !s->start.whole));
}

bool import_stream_bytes(struct import_stream *s, bool from_client, const uint8_t *p, size_t p_len,
                         int64_t now_us) {
    bool first = !s->spoke;
    if (first) {
        s->spoke = true;
        roles_set(s, from_client, p, p_len);
    }
    s->last_us = now_us;
    from_client = from_client != s->swapped;
    if (s->state == STATE_FRONT && begins_inside(s, first, from_client, p, p_len)) {
        tap_begin(s);
    }
    switch (s->state) {
    case STATE_FRONT:
        return front_bytes(s, from_client, p, p_len, now_us);
    case STATE_HELLO:
        if (from_client) {
            hello_bytes(s, p, p_len, now_us);
        } else {
            answer_bytes(s, p, p_len, now_us);
        }
        return true;
    case STATE_TAP:
        if (!from_client && s->answer_head) {
            answer_bytes(s, p, p_len, now_us);
            return true;
        }
        return tap_bytes(s, from_client, p, p_len, now_us);
    case STATE_NOT_TLS:
        return false;
    }
    return false;
}

// gap_tell takes what is missing after the handshake for application data, if it is more than an
// alert.
static void gap_tell(struct import_stream *s, bool from_client, uint64_t len) {
    if (s->observe.step >= STEP_FINISHED && len > ALERT_MAX) {
        observe_step(&s->observe, STEP_DATA, s->last_us);
        s->tap.reader[from_client ? 0 : 1].data_bytes += len;
    }
}

bool import_stream_gap(struct import_stream *s, bool from_client, uint64_t len) {
    from_client = from_client != s->swapped;
    s->gap = true;
    if (s->state == STATE_HELLO && from_client) {
        // A hello that misses its end would pass for what the client has sent.
        s->tap.skip_hello = false;
        s->state = STATE_TAP;
        buf_cleanup(&s->hello);
    }
    s->answer_head &= from_client;
    if (s->state == STATE_HELLO || s->state == STATE_TAP) {
        wire_tap_gap(&s->tap, from_client, len);
        gap_tell(s, from_client, len);
    }
    return s->state != STATE_NOT_TLS;
}

size_t import_stream_memory(const struct import_stream *s) {
    size_t record = s->record != NULL ? s->record->arena.used : 0;
    return sizeof(*s) + s->front[0].cap + s->front[1].cap + s->hello.cap + record;
}

static void note_add(struct import_stream *s, bool wanted, enum note_id id) {
    struct note_sink notes = {0};
    if (wanted) {
        note_sink_add(&notes, id, 0);
        observe_notes(&s->observe, &notes);
    }
}

// fatal_alert returns who sent a fatal alert, or NULL.
static const char *fatal_alert(const struct obj *leg) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        if (obj_str_is(alert, F_ALERT_LEVEL, "fatal")) {
            return obj_str(alert, F_ALERT_FROM);
        }
    }
    return NULL;
}

static void end_tell(struct import_stream *s, const struct import_finish *finish) {
    struct obj *leg = s->observe.leg;
    const char *alert = fatal_alert(leg);
    bool by_client = finish->from_client != s->swapped;
    if (alert == NULL && !finish->ended) {
        return;
    }
    obj_set_str(leg, F_LEG_END_BY, alert != NULL ? alert : by_client ? "client" : "server");
    obj_set_str(leg, F_LEG_END_HOW, alert != NULL ? "alert" : finish->reset ? "rst" : "fin");
    obj_set_str(leg, F_LEG_END_AT, step_name(s->observe.step));
    if (finish->ended) {
        observe_time(&s->observe, F_LEG_MS_END, finish->end_us);
    }
}

static void host_tell(struct import_stream *s) {
    struct obj *root = s->record->root, *leg = s->observe.leg;
    struct span name = obj_span(leg, F_LEG_SERVER_NAME);
    if (obj_has(root, F_RECORD_HOST)) {
        return;
    }
    if (name.len != 0) {
        obj_set_strn(root, F_RECORD_HOST, name.p, name.len);
    } else {
        char text[INET6_ADDRSTRLEN];
        address_text(text, peer_of(s, true)->address);
        obj_set_str(root, F_RECORD_HOST, text);
    }
}

static void record_end(struct import_stream *s, const struct import_finish *finish) {
    struct obj *leg = s->observe.leg;
    int64_t end_us = finish->ended ? finish->end_us : s->last_us;
    int status = import_front_status(front_span(s, 1));
    if (s->state == STATE_HELLO) {
        hello_done(s, s->hello.len, s->last_us);
    }
    for (int side = 0; side < 2; side++) {
        if (finish->fin[side != s->swapped]) {
            wire_tap_eof(&s->tap, side == 0, end_us);
        }
    }
    wire_tap_finish(&s->tap);
    if (obj_str_is(s->record->root, F_RECORD_FRONT, "connect") && status != 0) {
        obj_set_int(s->record->root, F_RECORD_RESPONSE_STATUS, status);
    }
    obj_set_int(leg, F_LEG_BYTES_RECEIVED, (int64_t)finish->bytes[s->swapped]);
    obj_set_int(leg, F_LEG_BYTES_SENT, (int64_t)finish->bytes[!s->swapped]);
    obj_set_int(leg, F_LEG_RETRANSMITS, finish->retransmits);
    if (finish->rtt_us >= 0) {
        obj_set_int(leg, F_LEG_RTT, finish->rtt_us);
    }
    if (finish->reset && finish->rst_ttl >= 0) {
        obj_set_int(leg, F_LEG_RST_TTL, finish->rst_ttl);
    }
    host_tell(s);
    end_tell(s, finish);
    note_add(s, s->midstream && !s->start.whole, NOTE_CAP_MIDSTREAM);
    note_add(s, s->gap, NOTE_CAP_GAP);
    note_add(s, finish->overlap, NOTE_CAP_OVERLAP);
}

// was_refused tells whether the client asked for TLS that then did not come.
static bool was_refused(const struct import_stream *s) {
    static const char *const asks[] = {"STARTTLS", "STLS", "AUTH TLS", "AUTH SSL", "starttls"};
    struct span client = front_span(s, 0), server = front_span(s, 1);
    const char *name = import_front_name(client, server);
    if (name == NULL || client.len == 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        if (memmem(client.p, client.len, asks[i], strlen(asks[i])) != NULL) {
            return true;
        }
    }
    return strcmp(name, "starttls-postgresql") == 0 || import_front_status(server) >= 300;
}

static enum import_kind kind_of(const struct import_stream *s) {
    const struct observe *observe = &s->observe;
    if (s->record == NULL || s->state == STATE_NOT_TLS || (s->midstream && found_nothing(s))) {
        return was_refused(s) ? IMPORT_REFUSED : IMPORT_NOT_TLS;
    }
    bool seen = !s->midstream || observe->client_hello || observe->step > STEP_HELLO ||
                obj_num(observe->leg, F_LEG_ALERTS) != 0;
    return seen ? IMPORT_TLS : IMPORT_UNDER_WAY;
}

struct record *import_stream_end(struct import_stream *s, enum import_kind *out_kind,
                                 const struct import_finish *finish) {
    struct record *record = s->record;
    *out_kind = kind_of(s);
    if (*out_kind == IMPORT_TLS) {
        record_end(s, finish);
    } else {
        record_free(record);
        record = NULL;
    }
    if (s->record != NULL) {
        wire_tap_cleanup(&s->tap);
    }
    buf_cleanup(&s->front[0]);
    buf_cleanup(&s->front[1]);
    buf_cleanup(&s->hello);
    free(s);
    return record;
}
