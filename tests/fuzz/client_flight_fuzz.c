// Target functions: client_flight_input, client_flight_eof, client_flight_finish,
// client_flight_go_on, client_flight_write, client_flight_close, signature_key, signature_check.
//
// A byte that chooses the hello (0x80: it is not ours; 0x40: the flight goes on, and records come
// one at a time) and one for the size of reads come before the server's bytes. The hello and its
// keys are those of RFC 8448, so that a flight that was recorded opens, or those of a shape.
#include <stdlib.h>
#include <string.h>

#include "proxy/tls/client_flight.h"
#include "proxy/tls/hello_shape.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/proxy/tls/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void random_rfc8448(void *ctx, uint8_t *out, size_t out_len) {
    static const uint8_t key[] = {0x49, 0xaf, 0x42, 0xba, 0x7f, 0x79, 0x94, 0x85, 0x2d, 0x71, 0x3e,
                                  0xf2, 0x78, 0x4b, 0xcb, 0xca, 0xa7, 0x91, 0x1d, 0xe2, 0x6a, 0xdc,
                                  0x56, 0x42, 0xcb, 0x63, 0x45, 0x40, 0xe7, 0xea, 0x50, 0x05};
    (void)ctx;
    for (size_t i = 0; i < out_len; i++) {
        out[i] = key[i % sizeof(key)];
    }
}

static void message(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    (void)from_client;
    *(uint8_t *)ctx ^= p_len != 0 ? p[p_len - 1] : 0; // reads all of it, for the sanitizer
}

static void alert(void *ctx, bool from_client, const uint8_t *p, size_t p_len) {
    message(ctx, from_client, p, p_len);
}

static void data_came(void *ctx, const uint8_t *p, size_t p_len) { message(ctx, false, p, p_len); }

static void hello_make(struct hello_draft *hello, struct hello_keys *keys, uint8_t which) {
    static const char *const shapes[] = {"tls12", "chromium", "sslv2", "legacy", "tls10"};
    uint8_t share[HELLO_SHARE_MAX];
    which &= 0x3f;
    if (which % 6 == 0) {
        struct made bytes = made_hex(RFC8448_CLIENT_HELLO);
        CHECK(hello_keys_share(keys, 29, share) != 0);
        CHECK(hello_draft_read(hello, bytes.p, bytes.len, NULL));
        made_free(&bytes);
        return;
    }
    hello_shape_make(hello, hello_shape_find(shapes[which % 6 - 1]), "host.example", keys);
}

// A connection in earnest: nothing is said before the handshake's end, and then it works.
static void go_on(struct client_flight *flight, bool *gone_on) {
    const struct client_flight_facts *facts = client_flight_facts(flight);
    size_t len;
    if (client_flight_status(flight) == CLIENT_FLIGHT_DONE && !*gone_on) {
        *gone_on = true;
        CHECK(!facts->established);
        client_flight_go_on(flight);
    }
    if (client_flight_status(flight) == CLIENT_FLIGHT_DONE) {
        CHECK(facts->established && facts->certificate && facts->signature != CLIENT_FLIGHT_BAD &&
              facts->finished == CLIENT_FLIGHT_GOOD);
        client_flight_write(flight, (const uint8_t *)"GET", 3);
    }
    (void)client_flight_output(flight, &len);
    client_flight_output_done(flight, len);
}

static void end_check(struct client_flight *flight) {
    const struct client_flight_facts *facts = client_flight_facts(flight);
    enum client_flight_status status = client_flight_eof(flight);
    CHECK(status != CLIENT_FLIGHT_MORE);
    CHECK((status == CLIENT_FLIGHT_MALFORMED || status == CLIENT_FLIGHT_NO_KEY) ==
          (facts->says != NULL));
    CHECK(status != CLIENT_FLIGHT_DONE || facts->version < 0x0304 ||
          facts->finished == CLIENT_FLIGHT_GOOD);
    if (status == CLIENT_FLIGHT_DONE && facts->version >= 0x0304 && !facts->established) {
        client_flight_finish(flight, (const uint8_t *)"GET", 3);
    }
    client_flight_close(flight);
    size_t len;
    (void)client_flight_output(flight, &len);
    client_flight_output_done(flight, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    uint8_t seen = 0;
    const struct client_flight_sink sink = {
        .ctx = &seen, .message = message, .alert = alert, .data = data_came};
    struct hello_draft hello;
    if (data_len < 2) {
        return 0;
    }
    struct hello_keys *keys = hello_keys_new(random_rfc8448, NULL);
    hello_draft_init(&hello);
    hello_make(&hello, keys, data[0]);
    struct client_flight *flight =
        client_flight_new(data[0] & 0x80 ? NULL : keys, &hello, &sink, NULL);
    CHECK(flight != NULL);
    size_t step = data[1] != 0 ? data[1] : data_len, len;
    bool goes_on = (data[0] & 0xc0) == 0x40, gone_on = false;
    for (size_t at = 2; at < data_len; at += len) {
        len = goes_on && data_len - at > 5 ? 5u + (data[at + 3] << 8 | data[at + 4]) : step;
        len = data_len - at < len ? data_len - at : len;
        client_flight_input(flight, data + at, len);
        if (goes_on) {
            go_on(flight, &gone_on);
        }
    }
    end_check(flight);
    client_flight_free(flight);
    hello_draft_cleanup(&hello);
    hello_keys_free(keys);
    return 0;
}
