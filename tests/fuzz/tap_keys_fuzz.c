// Target functions: wire_tap_bytes, wire_tap_gap, wire_tap_eof and wire_tap_finish with a key log.
//
// The first byte is the size of the pieces. Then come chunks of four bytes and more: what to do,
// the content type, the length of what follows. A chunk is said as it is, or sealed with the keys
// that the tap has just then, as a peer would. Whatever it is, the record must be the same when the
// wire comes in pieces, but for what it says of the pieces, and not larger than a handshake can be.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "proxy/observe/observe.h"
#include "proxy/tls/key_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { DO_SERVER = 1, DO_SEAL = 2, DO_GAP = 4, DO_EOF = 8, TLS13 = 0x0304, WIRE_MAX = 1 << 20 };

// struct turn is a part of the wire: bytes, or a gap, or the end of a direction.
struct turn {
    uint8_t what;
    size_t offset, len;
};

enum { TURNS_MAX = 200 };

struct wire {
    struct turn turns[TURNS_MAX];
    size_t num_turns;
    struct buf bytes;
};

static struct key_log *keys_make(void) {
    static const char *const labels[] = {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "CLIENT_RANDOM"};
    struct key_log *log = key_log_new(0);
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        char line[256];
        struct err err;
        // Secrets of 48 bytes fit SHA-384 and TLS 1.2; for SHA-256 the tap does without.
        int n = snprintf(line, sizeof(line),
                         "%s cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7 "
                         "%096zx",
                         labels[i], i + 1);
        CHECK(key_log_line(log, line, (size_t)n, &err));
    }
    return log;
}

struct world {
    struct record *record;
    struct observe observe;
    struct wire_tap tap;
};

static void world_begin(struct world *world, const struct key_log *keys) {
    world->record = record_new();
    observe_init(&world->observe, world->record->root, false, 0);
    wire_tap_init(&world->tap, &world->observe);
    wire_tap_keys(&world->tap, keys);
}

static char *world_end(struct world *world) {
    struct buf json;
    wire_tap_eof(&world->tap, true, 0);
    wire_tap_eof(&world->tap, false, 0);
    wire_tap_finish(&world->tap);
    wire_tap_cleanup(&world->tap);
    CHECK(world->record->arena.used < 32 << 20);
    obj_unset(record_leg(world->record->root, false), F_LEG_SEGMENTS_SERVER);
    buf_init(&json, 64 << 20);
    CHECK(json_write(&json, world->record->root) && buf_append(&json, "", 1));
    char *text = xstrdup((const char *)buf_data(&json));
    buf_cleanup(&json);
    record_free(world->record);
    return text;
}

static void play(struct world *world, const struct turn *turn, const uint8_t *p, size_t piece) {
    bool from_client = (turn->what & DO_SERVER) == 0;
    if (turn->what & DO_GAP) {
        wire_tap_gap(&world->tap, from_client, turn->len);
        return;
    }
    if (turn->what & DO_EOF) {
        wire_tap_eof(&world->tap, from_client, 0);
        return;
    }
    for (size_t at = 0; at < turn->len;) {
        size_t n = turn->len - at < piece ? turn->len - at : piece;
        wire_tap_bytes(&world->tap, from_client, p + turn->offset + at, n, 0);
        at += n;
    }
}

// seal puts a record into the wire as the peer of the tap would seal it now, where the tap has its
// keys. It returns false where it has none.
static bool seal(struct wire *wire, const struct world *world, bool from_client, uint8_t type,
                 const uint8_t *p, size_t p_len) {
    static uint8_t out[RECORD_SEALED_MAX + RECORD_HEADER_LEN];
    const struct tap_keys *keys = &world->tap.keys;
    int from = from_client ? 0 : 1;
    struct record_protect protect = {0};
    if (!record_reader_opens(&world->tap.reader[from]) || p_len > RECORD_PLAIN_MAX) {
        return false;
    }
    if (keys->protect[from].tls13) {
        record_protect_init13(&protect, &keys->cipher, keys->secret[from]);
    } else {
        key_block_protect(&protect, from_client, true, &keys->cipher, keys->master,
                          keys->client_random, keys->server_random);
    }
    protect.seq = keys->protect[from].seq;
    size_t len = record_protect_seal(&protect, out, type, p, p_len, 0);
    record_protect_cleanup(&protect);
    return buf_append(&wire->bytes, out, len);
}

// wire_make plays the chunks to `world` and keeps what it has said.
static void wire_make(struct wire *wire, struct world *world, const uint8_t *data,
                      size_t data_len) {
    while (data_len >= 4 && wire->num_turns < TURNS_MAX) {
        size_t len = (size_t)data[2] << 8 | data[3];
        struct turn turn = {.what = data[0], .offset = wire->bytes.len};
        const uint8_t *p = data + 4;
        size_t p_len = data_len - 4 < len ? data_len - 4 : len;
        if (turn.what & DO_GAP) {
            turn.len = len;
        } else if (!(turn.what & DO_SEAL) ||
                   !seal(wire, world, (turn.what & DO_SERVER) == 0, data[1], p, p_len)) {
            CHECK(buf_append(&wire->bytes, p, p_len));
        }
        if (!(turn.what & DO_GAP)) {
            turn.len = wire->bytes.len - turn.offset;
        }
        wire->turns[wire->num_turns++] = turn;
        play(world, &turn, buf_data(&wire->bytes), SIZE_MAX);
        data += 4 + p_len;
        data_len -= 4 + p_len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    if (data_len < 1 || data_len > WIRE_MAX / 32) {
        return 0;
    }
    struct key_log *keys = keys_make();
    struct wire *wire = xcalloc(1, sizeof(*wire));
    struct world first, again;
    buf_init(&wire->bytes, WIRE_MAX);
    world_begin(&first, keys);
    wire_make(wire, &first, data + 1, data_len - 1);
    world_begin(&again, keys);
    for (size_t i = 0; i < wire->num_turns; i++) {
        play(&again, &wire->turns[i], buf_data(&wire->bytes), (size_t)data[0] % 64 + 1);
    }
    char *a = world_end(&first), *b = world_end(&again);
    CHECK(strcmp(a, b) == 0);
    free(a);
    free(b);
    buf_cleanup(&wire->bytes);
    free(wire);
    key_log_free(keys);
    return 0;
}
