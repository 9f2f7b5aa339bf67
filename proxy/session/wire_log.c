#include "proxy/session/wire_log.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECRETS_MAX = 8 * 1024,
    SECRETS_USUAL = 640, // the four of a TLS 1.3 handshake with SHA-256
};

void wire_log_init(struct wire_log *log) {
    *log = (struct wire_log){.on = false};
    buf_init(&log->bytes[0], WIRE_LOG_DATA_MAX);
    buf_init(&log->bytes[1], WIRE_LOG_DATA_MAX);
    buf_init(&log->secrets, SECRETS_MAX);
}

static void pieces_free(struct wire_log *log) {
    free(log->pieces);
    log->pieces = NULL;
    log->num_pieces = log->cap_pieces = 0;
}

void wire_log_cleanup(struct wire_log *log) {
    buf_cleanup(&log->bytes[0]);
    buf_cleanup(&log->bytes[1]);
    buf_cleanup(&log->secrets);
    pieces_free(log);
    wire_log_init(log);
}

void wire_log_begin(struct wire_log *log) {
    wire_log_cleanup(log);
    log->on = true;
}

void wire_log_policy(struct wire_log *log, const struct record_policy *policy) {
    log->data_too = policy->application_data;
    if (!policy->handshake_bytes) {
        buf_cleanup(&log->bytes[0]);
        buf_cleanup(&log->bytes[1]);
        pieces_free(log);
        log->on = false;
    }
}

// room is how many bytes may still be kept.
static size_t room(const struct wire_log *log) {
    size_t max = log->data_too ? WIRE_LOG_DATA_MAX : WIRE_LOG_MAX;
    size_t kept = log->bytes[0].len + log->bytes[1].len + log->written[0] + log->written[1];
    return kept < max ? max - kept : 0;
}

// piece_of returns the piece that bytes of `direction` at `us` belong to, or NULL when there are
// too many.
static struct wire_piece *piece_of(struct wire_log *log, enum wire_direction direction,
                                   int64_t us) {
    struct wire_piece *last = log->num_pieces != 0 ? &log->pieces[log->num_pieces - 1] : NULL;
    if (last != NULL && last->direction == direction && last->us == us) {
        return last;
    }
    if (log->num_pieces == WIRE_LOG_PIECES) {
        return NULL;
    }
    if (log->num_pieces == log->cap_pieces) {
        log->cap_pieces = log->cap_pieces == 0 ? 8 : log->cap_pieces * 2;
        log->pieces = xrealloc(log->pieces, log->cap_pieces * sizeof(*log->pieces));
    }
    struct wire_piece *piece = &log->pieces[log->num_pieces++];
    *piece = (struct wire_piece){.us = us, .direction = direction};
    return piece;
}

void wire_log_bytes(struct wire_log *log, enum wire_direction direction, const void *p,
                    size_t p_len, int64_t us) {
    // What is kept is the front of a stream, without a gap.
    uint64_t kept = log->written[direction] + log->bytes[direction].len;
    bool whole = kept == log->total[direction];
    log->total[direction] += p_len;
    if (!log->on || !whole || (log->data[direction] && !log->data_too)) {
        return;
    }
    size_t len = p_len < room(log) ? p_len : room(log);
    struct wire_piece *piece = len != 0 ? piece_of(log, direction, us) : NULL;
    if (piece != NULL) {
        CHECK(buf_append(&log->bytes[direction], p, len));
        piece->len += (uint32_t)len;
    }
}

void wire_log_pass(struct wire_log *log, enum wire_direction direction, uint64_t len) {
    log->total[direction] += len;
}

bool wire_log_wants(const struct wire_log *log) {
    return log->on && log->data_too && room(log) != 0;
}

void wire_log_sure(struct wire_log *log, enum wire_direction direction, uint64_t len) {
    log->sure[direction] = len > log->sure[direction] ? len : log->sure[direction];
}

// cut drops what is kept of a direction behind its first `len` bytes.
static void cut(struct wire_log *log, enum wire_direction direction, uint64_t len) {
    struct buf *bytes = &log->bytes[direction];
    uint64_t keep = len > log->written[direction] ? len - log->written[direction] : 0;
    size_t drop = bytes->len > keep ? bytes->len - (size_t)keep : 0;
    bytes->len -= drop;
    for (size_t i = log->num_pieces; drop != 0 && i-- > 0;) {
        struct wire_piece *piece = &log->pieces[i];
        if (piece->direction == direction) {
            size_t n = piece->len < drop ? piece->len : drop;
            piece->len -= (uint32_t)n;
            drop -= n;
        }
    }
    if (bytes->len == 0) {
        buf_cleanup(bytes);
    }
    if (log->bytes[0].len + log->bytes[1].len == 0) {
        pieces_free(log);
    }
}

void wire_log_undo(struct wire_log *log, enum wire_direction direction, size_t len) {
    uint64_t total = log->total[direction], told = total - log->written[direction];
    log->total[direction] = total - (len < told ? len : told);
    cut(log, direction, log->total[direction]);
    if (log->sure[direction] > log->total[direction]) {
        log->sure[direction] = log->total[direction];
    }
}

void wire_log_data(struct wire_log *log, enum wire_direction direction) {
    if (log->data[direction]) {
        return;
    }
    log->data[direction] = true;
    if (!log->data_too) {
        cut(log, direction, log->sure[direction]);
    }
}

// Whose application data a secret protects.
static const struct secret {
    const char *label;
    bool client, server;
} secrets[] = {
    {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", false, false},
    {"SERVER_HANDSHAKE_TRAFFIC_SECRET", false, false},
    {"CLIENT_TRAFFIC_SECRET_0", true, false},
    {"SERVER_TRAFFIC_SECRET_0", false, true},
    {"CLIENT_RANDOM", true, true},
};

// secret_find returns what `line` is about, or NULL for secrets of early data and exporters, and
// those that nobody knows.
static const struct secret *secret_find(const char *line, size_t len) {
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        size_t label = strlen(secrets[i].label);
        if (label < len && memcmp(line, secrets[i].label, label) == 0 && line[label] == ' ') {
            return &secrets[i];
        }
    }
    return NULL;
}

void wire_log_secret(struct wire_log *log, const struct record_policy *policy, const char *line) {
    size_t len = strlen(line);
    bool wanted = policy->secrets == SECRETS_ALL ||
                  (policy->secrets == SECRETS_HANDSHAKE && secret_find(line, len) != NULL);
    if (wanted && len < buf_room(&log->secrets)) { // whoever makes more updates keys without end
        (void)!buf_reserve(&log->secrets, log->secrets.len == 0 ? SECRETS_USUAL : len + 1);
        CHECK(buf_append(&log->secrets, line, len) && buf_append(&log->secrets, "\n", 1));
    }
}

// opens_data returns whether a secret opens application data of this connection; where it is not
// `final`, any may follow.
static bool opens_data(const struct wire_log *log, const struct secret *secret, bool server_leg,
                       bool final) {
    bool client_data = log->data[server_leg ? WIRE_TO_PEER : WIRE_FROM_PEER];
    bool server_data = log->data[server_leg ? WIRE_FROM_PEER : WIRE_TO_PEER];
    return (secret->client && (client_data || !final)) ||
           (secret->server && (server_data || !final));
}

// secrets_settle forgets the secrets that the record is not to have, for the data that they open
// has begun, and gives back memory that the others do not need.
static void secrets_settle(struct wire_log *log, const struct wire_log_leg *to) {
    struct buf *lines = &log->secrets;
    uint8_t *kept = lines->data + lines->off, *line = kept;
    for (size_t left = lines->len, len; left != 0; left -= len, line += len) {
        len = (size_t)((uint8_t *)memchr(line, '\n', left) - line) + 1;
        const struct secret *secret = secret_find((const char *)line, len - 1);
        bool lost = secret != NULL && opens_data(log, secret, to->server_leg, true);
        if (to->policy->secrets == SECRETS_ALL || !lost) {
            memmove(kept, line, len);
            kept += len;
        }
    }
    lines->len = (size_t)(kept - lines->data) - lines->off;
    buf_fit(lines);
}

static void secrets_write(const struct wire_log *log, const struct wire_log_leg *to, bool final) {
    const char *line = (const char *)buf_data(&log->secrets);
    size_t left = log->secrets.len;
    if (to->policy->secrets == SECRETS_NONE || left == 0) {
        return;
    }
    obj_unset(to->leg, F_LEG_SECRETS);
    while (left != 0) {
        size_t len = (size_t)((const char *)memchr(line, '\n', left) - line);
        const struct secret *secret = secret_find(line, len);
        if (to->policy->secrets == SECRETS_ALL ||
            (secret != NULL && !opens_data(log, secret, to->server_leg, final))) {
            obj_add_str(to->leg, F_LEG_SECRETS, line, len);
        }
        line += len + 1;
        left -= len + 1;
    }
}

// hello_left is how many bytes at the front of `bytes`, the client's, are those of the ClientHello
// that the record holds already.
static size_t hello_left(const struct wire_log *log, const struct wire_log_leg *to,
                         enum wire_direction client) {
    struct span hello = obj_span(to->leg, F_LEG_OFFER_RAW);
    const struct buf *bytes = &log->bytes[client];
    bool first = log->written[client] == 0 && hello.len != 0 && bytes->len >= hello.len;
    return first && memcmp(buf_data(bytes), hello.p, hello.len) == 0 ? hello.len : 0;
}

static void pieces_write(struct wire_log *log, const struct wire_log_leg *to) {
    enum wire_direction client = to->server_leg ? WIRE_TO_PEER : WIRE_FROM_PEER;
    size_t hello = hello_left(log, to, client), at[2] = {0};
    for (size_t i = 0; i < log->num_pieces; i++) {
        const struct wire_piece *piece = &log->pieces[i];
        enum wire_direction direction = piece->direction;
        if (piece->len == 0) {
            continue;
        }
        size_t known = direction == client ? (hello < piece->len ? hello : piece->len) : 0;
        struct obj *obj = obj_add(to->leg, F_LEG_WIRE);
        obj_set_str(obj, F_PIECE_FROM, direction == client ? "client" : "server");
        obj_set_int(obj, F_PIECE_MS, piece->us - to->start_us);
        if (known != 0) {
            obj_set_int(obj, F_PIECE_HELLO, (int64_t)known);
            hello -= known;
        }
        if (known < piece->len) {
            obj_set_bytes(obj, F_PIECE_BYTES,
                          buf_data(&log->bytes[direction]) + at[direction] + known,
                          piece->len - known);
        }
        at[direction] += piece->len;
    }
    pieces_free(log);
    for (int i = 0; i < 2; i++) {
        log->written[i] += log->bytes[i].len;
        buf_cleanup(&log->bytes[i]);
    }
}

static void left_out_write(const struct wire_log *log, const struct wire_log_leg *to) {
    for (int i = 0; i < 2; i++) {
        bool client = (i == WIRE_FROM_PEER) != to->server_leg;
        if (log->total[i] > log->written[i]) {
            obj_set_int(to->leg, client ? F_LEG_LEFT_OUT_CLIENT : F_LEG_LEFT_OUT_SERVER,
                        (int64_t)(log->total[i] - log->written[i]));
        }
    }
}

static void pieces_settle(struct wire_log *log, const struct wire_log_leg *to) {
    uint64_t kept = log->written[WIRE_FROM_PEER] + log->bytes[WIRE_FROM_PEER].len;
    bool sure = kept <= log->sure[WIRE_FROM_PEER] || log->data_too;
    if (log->num_pieces != 0 && sure && obj_is(to->leg, F_LEG_TLS_ESTABLISHED, true)) {
        pieces_write(log, to);
    }
}

void wire_log_settle(struct wire_log *log, const struct wire_log_leg *to) {
    pieces_settle(log, to);
    if (log->secrets.len != 0 && log->data[0] && log->data[1]) {
        secrets_settle(log, to);
    }
}

void wire_log_write(struct wire_log *log, const struct wire_log_leg *to, bool final) {
    bool established = obj_is(to->leg, F_LEG_TLS_ESTABLISHED, true);
    if (final && established && log->total[WIRE_FROM_PEER] > log->sure[WIRE_FROM_PEER]) {
        wire_log_data(log, WIRE_FROM_PEER); // what was not read may be that
    }
    if (final && log->on && obj_has(to->leg, F_LEG_OFFER_RAW)) {
        pieces_write(log, to);
    } else {
        pieces_settle(log, to);
    }
    if (log->on && obj_num(to->leg, F_LEG_WIRE) != 0) {
        left_out_write(log, to);
    }
    secrets_write(log, to, final);
}
