// Target functions: session_input, session_output, session_wishes, session_record.
//
// An input is a script of events: a byte for the policy, then events, each a byte with its kind
// and, in the highest bit, its side. Behind EVENT_BYTES stand a length of two bytes and the bytes,
// behind any other kind a byte of detail: an errno, a dns_error, or seconds (0: until the
// deadline). Two kinds more stop and resume the writing of a side's output. Events that no driver
// would give are passed over. tests/unit/proxy/session/playbook_driver.c writes the seeds.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "logs/record/json.h"
#include "proxy/session/lane.h"
#include "proxy/session/session.h"
#include "tests/unit/proxy/session/world.h"

enum {
    KIND_STOP_WRITING = EVENT_STOP + 1,
    KIND_GO_ON_WRITING,
    NUM_KINDS,
    RINGS_MAX = 16,
    JSON_MAX = 16 * 1024 * 1024,
};

struct drive {
    struct session *session;
    struct wishes wishes;
    int64_t now_us;
    unsigned dialled; // serial of the dial under way or done
    bool dialling;
    struct {
        bool open, eof, fin, stopped;
    } sides[2];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static struct session_shared *shared_of(uint8_t policy) {
    static const char *const policies[] = {
        NULL,
        "{\"default\": {\"action\": \"tunnel\"}}",
        "{\"default\": {\"on_server_failure\": \"alert\"}}",
        "{\"default\": {\"on_server_failure\": \"page\"}}",
        "{\"rules\": [{\"hosts\": [\"example.test\"], \"action\": \"refuse\"}]}",
    };
    static struct session_shared *shareds[ARRAY_LEN(policies)];
    size_t i = policy % ARRAY_LEN(policies);
    if (shareds[i] == NULL) {
        shareds[i] = world_shared(policies[i], NULL);
    }
    return shareds[i];
}

static void records_take(struct drive *d) {
    bool final;
    for (const struct obj *root; (root = session_record(d->session, &final)) != NULL;) {
        struct buf json;
        const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
        buf_init(&json, JSON_MAX);
        CHECK(json_write(&json, root));
        CHECK(obj_has(root, F_RECORD_ID) && obj_has(verdict, F_VERDICT_PARTY) &&
              obj_has(verdict, F_VERDICT_CAUSE) && obj_has(verdict, F_VERDICT_CONFIDENCE));
        CHECK(!final || obj_has(record_leg(root, false), F_LEG_END_BY));
        buf_cleanup(&json);
        session_record_done(d->session);
    }
}

static bool output_take(struct drive *d, int side) {
    struct span out = session_output(d->session, (enum side)side);
    CHECK(out.len <= LANE_OUT_MAX);
    if (out.len == 0 || !d->sides[side].open || d->sides[side].stopped) {
        return false;
    }
    CHECK(!d->sides[side].fin);
    session_output_done(d->session, (enum side)side, out.len, d->now_us);
    return true;
}

static void wishes_do(struct drive *d) {
    bool moved;
    do {
        moved = output_take(d, SIDE_CLIENT);
        moved = output_take(d, SIDE_SERVER) || moved;
    } while (moved);
    records_take(d);
    session_wishes(d->session, &d->wishes);
    if (d->wishes.dial.serial != d->dialled) {
        d->dialled = d->wishes.dial.serial;
        d->dialling = true;
        d->sides[SIDE_SERVER].open = false;
        CHECK(strlen(d->wishes.dial.host) != 0 && d->wishes.dial.port != 0);
    }
    for (int side = 0; side < 2; side++) {
        bool pending = session_output(d->session, (enum side)side).len != 0;
        if (d->wishes.reset[side] || (d->wishes.close[side] && !pending)) {
            d->sides[side].open = false;
            d->dialling = d->dialling && side != SIDE_SERVER;
        }
        d->sides[side].fin = d->sides[side].fin || (d->wishes.shutdown[side] && !pending);
    }
}

static void give(struct drive *d, struct event event) {
    event.now_us = d->now_us += 1000;
    event.wall_ms = PKI_NOW * 1000 + d->now_us / 1000;
    session_input(d->session, &event);
    wishes_do(d);
}

static void ring(struct drive *d, uint8_t seconds) {
    int64_t until_us =
        seconds != 0 ? d->now_us + seconds * INT64_C(1000000) : d->wishes.deadline_us;
    if (until_us == INT64_MAX) {
        return;
    }
    for (int rings = 0; d->wishes.deadline_us <= until_us; rings++) {
        CHECK(rings < RINGS_MAX);
        if (d->wishes.deadline_us > d->now_us) {
            d->now_us = d->wishes.deadline_us;
        }
        give(d, (struct event){.kind = EVENT_TIMER});
    }
    d->now_us = until_us > d->now_us ? until_us : d->now_us;
}

static void bytes_give(struct drive *d, enum side side, CBS bytes) {
    if (CBS_len(&bytes) == 0 || !d->sides[side].open || d->sides[side].eof ||
        !d->wishes.read[side]) {
        return;
    }
    // Exactly as large as the event says, so that an address sanitizer sees a read past its end.
    struct event event = {.kind = EVENT_BYTES, .side = side};
    uint8_t *copy = xmalloc(CBS_len(&bytes));
    memcpy(copy, CBS_data(&bytes), CBS_len(&bytes));
    event.bytes = (struct span){copy, CBS_len(&bytes)};
    give(d, event);
    free(copy);
}

static void dial_step(struct drive *d, enum event_kind kind, uint8_t detail) {
    static const struct address addresses[] = {
        {.ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, .port = 443}, {.ip = {0x20, 1, [15] = 1}}};
    struct event event = {.kind = kind, .side = SIDE_SERVER};
    if (!d->dialling) {
        return;
    }
    if (kind == EVENT_RESOLVED) {
        event.resolved.addresses = addresses;
        event.resolved.num = detail % (ARRAY_LEN(addresses) + 1);
    } else if (kind == EVENT_UNRESOLVED) {
        event.dns_error = (enum dns_error)(detail % (DNS_OTHER + 1));
    } else if (kind == EVENT_DIAL_FAILED) {
        event.errnum = detail;
    } else {
        event.tried.address = addresses[0];
        event.tried.errnum = kind == EVENT_TRIED ? detail : 0;
    }
    d->dialling = kind == EVENT_RESOLVED || kind == EVENT_TRIED;
    if (kind == EVENT_CONNECTED) {
        d->sides[SIDE_SERVER].open = true;
        d->sides[SIDE_SERVER].eof = d->sides[SIDE_SERVER].fin = false;
    }
    give(d, event);
}

static void side_end(struct drive *d, enum event_kind kind, enum side side, uint8_t detail) {
    bool eof = kind == EVENT_EOF;
    if (!d->sides[side].open || (eof && (d->sides[side].eof || !d->wishes.read[side]))) {
        return;
    }
    d->sides[side].eof = true;
    d->sides[side].open = eof;
    give(d, (struct event){.kind = kind, .side = side, .errnum = detail});
}

static void step(struct drive *d, uint8_t kind, enum side side, uint8_t detail) {
    switch (kind) {
    case EVENT_EOF:
    case EVENT_BROKEN:
        side_end(d, (enum event_kind)kind, side, detail);
        return;
    case EVENT_TIMER:
        ring(d, detail);
        return;
    case EVENT_STOP:
        give(d, (struct event){.kind = EVENT_STOP});
        CHECK(d->wishes.done);
        return;
    case KIND_STOP_WRITING:
    case KIND_GO_ON_WRITING:
        d->sides[side].stopped = kind == KIND_STOP_WRITING;
        wishes_do(d);
        return;
    default:
        dial_step(d, (enum event_kind)kind, detail);
    }
}

// end breaks both connections, after which there is nothing to wait for.
static void end(struct drive *d) {
    for (int side = 0; side < 2; side++) {
        d->sides[side].stopped = false;
        if (d->sides[side].open && !d->wishes.done) {
            side_end(d, EVENT_BROKEN, (enum side)side, ECONNRESET);
        }
    }
    CHECK(d->wishes.done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    CBS script, bytes;
    uint8_t policy, op, detail;
    const struct address client = {.ip = {[15] = 1}, .port = 50000};
    const struct address local = {.ip = {[15] = 1}, .port = 8080};
    CBS_init(&script, data, data_len);
    if (!CBS_get_u8(&script, &policy)) {
        return 0;
    }
    struct drive d = {.now_us = 1000000};
    d.session =
        session_new(shared_of(policy), &client, &local, d.now_us, PKI_NOW * 1000, NULL, NULL);
    d.sides[SIDE_CLIENT].open = true;
    wishes_do(&d);
    while (!d.wishes.done && CBS_get_u8(&script, &op)) {
        enum side side = op & 0x80 ? SIDE_SERVER : SIDE_CLIENT;
        uint8_t kind = (op & 0x7f) % NUM_KINDS;
        if (kind != EVENT_BYTES) {
            detail = 0;
            (void)CBS_get_u8(&script, &detail);
            step(&d, kind, side, detail);
            continue;
        }
        uint16_t len = 0;
        (void)CBS_get_u16(&script, &len);
        size_t left = CBS_len(&script);
        CHECK(CBS_get_bytes(&script, &bytes, len < left ? len : left));
        bytes_give(&d, side, bytes);
    }
    end(&d);
    session_free(d.session);
    return 0;
}
