// What no intercepting proxy with this library can do without: our side of the same two handshakes,
// and of the same bytes, in memory.
//
//   floor LEAF-CHAIN.pem LEAF.key ROOT.pem COUNT MEGABYTES
//
// It prints one line of JSON: CPU microseconds of a connection, with the server's chain of two
// certificates verified each time, and CPU seconds of 10^9 bytes opened and sealed. The work of the
// two far ends is not counted.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "logs/base/check.h"
#include "third_party/boringssl/boringssl_ssl.h"

enum { PIECE = 16 * 1024 };

// struct leg is one connection: our end and the far one.
struct leg {
    SSL *ours, *far;
};

static int64_t cpu_ns;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct leg leg_new(SSL_CTX *ours, SSL_CTX *far, bool we_are_client) {
    BIO *a, *b;
    CHECK(BIO_new_bio_pair(&a, 128 * 1024, &b, 128 * 1024));
    int64_t start = now_ns();
    struct leg leg = {SSL_new(ours), NULL};
    SSL_set_bio(leg.ours, a, a);
    cpu_ns += now_ns() - start;
    leg.far = SSL_new(far);
    SSL_set_bio(leg.far, b, b);
    if (we_are_client) {
        CHECK(SSL_set_tlsext_host_name(leg.ours, "bench.test"));
        SSL_set_connect_state(leg.ours);
        SSL_set_accept_state(leg.far);
    } else {
        SSL_set_accept_state(leg.ours);
        SSL_set_connect_state(leg.far);
    }
    return leg;
}

static void leg_handshake(const struct leg *leg) {
    int ours = 0, far = 0;
    while (ours != 1 || far != 1) {
        far = SSL_do_handshake(leg->far);
        int64_t start = now_ns();
        ours = SSL_do_handshake(leg->ours);
        cpu_ns += now_ns() - start;
    }
}

static void leg_free(const struct leg *leg) {
    int64_t start = now_ns();
    SSL_free(leg->ours);
    cpu_ns += now_ns() - start;
    SSL_free(leg->far);
}

// pass moves a piece from one far end to the other, through us.
static void pass(const struct leg *from, const struct leg *to) {
    static uint8_t piece[PIECE];
    CHECK(SSL_write(from->far, piece, PIECE) == PIECE);
    int64_t start = now_ns();
    CHECK(SSL_read(from->ours, piece, PIECE) == PIECE);
    CHECK(SSL_write(to->ours, piece, PIECE) == PIECE);
    cpu_ns += now_ns() - start;
    CHECK(SSL_read(to->far, piece, PIECE) == PIECE);
}

static SSL_CTX *ctx_new(const char *chain, const char *key, const char *roots) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (chain != NULL) {
        CHECK(SSL_CTX_use_certificate_chain_file(ctx, chain) &&
              SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM));
    }
    if (roots != NULL) {
        CHECK(SSL_CTX_load_verify_locations(ctx, roots, NULL));
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    return ctx;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: floor CHAIN KEY ROOT COUNT MEGABYTES\n");
        return 2;
    }
    SSL_CTX *server = ctx_new(argv[1], argv[2], NULL), *plain = ctx_new(NULL, NULL, NULL);
    SSL_CTX *verifying = ctx_new(NULL, NULL, argv[3]);
    int count = atoi(argv[4]), pieces = atoi(argv[5]) * (1024 * 1024 / PIECE);
    struct leg up, down;
    for (int i = 0; i < count; i++) {
        up = leg_new(verifying, server, true);
        leg_handshake(&up);
        down = leg_new(server, plain, false);
        leg_handshake(&down);
        leg_free(&up);
        leg_free(&down);
    }
    double us = (double)cpu_ns / 1e3 / count;
    up = leg_new(verifying, server, true);
    down = leg_new(server, plain, false);
    leg_handshake(&up);
    leg_handshake(&down);
    cpu_ns = 0;
    for (int i = 0; i < pieces; i++) {
        pass(&up, &down);
    }
    double s_per_gb = (double)cpu_ns / ((double)pieces * PIECE);
    leg_free(&up);
    leg_free(&down);
    printf("{\"us\": %.1f, \"s_per_gb\": %.3f}\n", us, s_per_gb);
    return 0;
}
