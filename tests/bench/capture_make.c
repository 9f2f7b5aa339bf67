// Makes a capture for measuring: capture_make MEGABYTES [SHAPE] >FILE
//
//   mixed  of every forty connections one carries bulk data and the others end after the handshake,
//          so that most connections are short and most bytes are bulk, as on a real network
//   short  handshakes alone
//   open   handshakes alone, of connections that never end
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/pcap/capture_writer.h"
#include "tests/unit/proxy/tls/samples.h"

enum { BULK_EVERY = 40, BULK_RECORDS = 256, RECORD_LEN = 16384, PLAIN_MAX = 16384 };

struct shape {
    const char *name;
    bool bulk, open;
};

static const struct shape shapes[] = {
    {"mixed", true, false}, {"short", false, false}, {"open", false, true}};

struct maker {
    const struct shape *shape;
    struct capture_writer *writer;
    struct capture_stream stream;
    int64_t now_us;
    uint8_t bulk[5 + RECORD_LEN];
};

static void send(struct maker *maker, bool from_client, const void *p, size_t len) {
    maker->now_us += 500;
    capture_stream_data(maker->writer, &maker->stream, from_client, p, len, maker->now_us);
}

static void send_samples(struct maker *maker, bool from_client, const char *const *names) {
    struct made flight = {.len = 0};
    for (; *names != NULL; names++) {
        const struct sample *sample = sample_get(*names);
        made_join(&flight, made_records(22, sample->p, sample->len, PLAIN_MAX));
    }
    send(maker, from_client, flight.p, flight.len);
    made_free(&flight);
}

static void handshake(struct maker *maker) {
    static const char *const hello[] = {"hello-curl", NULL};
    static const char *const answer[] = {"server-hello12", "certificate12",
                                         "server-key-exchange-ecdhe12", "server-hello-done", NULL};
    static const uint8_t finished[51] = {20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 40};
    send_samples(maker, true, hello);
    send_samples(maker, false, answer);
    send(maker, true, finished, sizeof(finished));
    send(maker, false, finished, sizeof(finished));
}

static void connection(struct maker *maker, unsigned number) {
    uint32_t client = 0x0a000000 + number / 50000;
    maker->stream = (struct capture_stream){.client = {.port = (uint16_t)(10000 + number % 50000)},
                                            .server = {.port = 443}};
    memcpy(maker->stream.client.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    memcpy(maker->stream.server.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x02", 16);
    for (int i = 0; i < 4; i++) {
        maker->stream.client.address[12 + i] = (uint8_t)(client >> 8 * (3 - i));
    }
    capture_stream_open(maker->writer, &maker->stream, maker->now_us);
    handshake(maker);
    bool bulk = maker->shape->bulk && number % BULK_EVERY == 0;
    for (int i = 0; bulk && i < BULK_RECORDS; i++) {
        send(maker, false, maker->bulk, sizeof(maker->bulk));
    }
    if (!maker->shape->open) {
        capture_stream_fin(maker->writer, &maker->stream, true, maker->now_us);
        capture_stream_fin(maker->writer, &maker->stream, false, maker->now_us);
    }
}

static const struct shape *shape_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (strcmp(shapes[i].name, name) == 0) {
            return &shapes[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    static struct maker maker = {.now_us = INT64_C(1700000000000000)};
    struct err err;
    long megabytes = argc == 2 || argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    maker.shape = shape_find(argc == 3 ? argv[2] : "mixed");
    if (megabytes <= 0 || maker.shape == NULL) {
        fputs("usage: capture_make MEGABYTES [mixed|short|open] >FILE\n", stderr);
        return 2;
    }
    memcpy(maker.bulk, "\x17\x03\x03\x40\x00", 5);
    for (size_t i = 5; i < sizeof(maker.bulk); i++) {
        maker.bulk[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    maker.writer = capture_writer_new(stdout);
    for (unsigned number = 0; ftell(stdout) < megabytes * 1000000; number++) {
        connection(&maker, number);
    }
    if (!capture_writer_free(maker.writer, &err)) {
        fprintf(stderr, "capture_make: %s\n", err.msg);
        return 3;
    }
    return 0;
}
