// Records become captures, which are read back here by our own reader.
#include "logs/pcap/record_capture.h"

#include <stdlib.h>
#include <string.h>

#include "logs/pcap/pcapng.h"
#include "logs/record/record.h"
#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

static struct obj *leg_of(struct record *record, bool server) {
    return obj_sub(record->root, server ? F_RECORD_LEG_SERVER : F_RECORD_LEG_CLIENT);
}

static void leg_ends(struct obj *leg, const char *peer, int port, const char *local,
                     int local_port) {
    obj_set_str(leg, F_LEG_ADDRESS, peer);
    obj_set_int(leg, F_LEG_PORT, port);
    obj_set_str(leg, F_LEG_LOCAL_ADDRESS, local);
    obj_set_int(leg, F_LEG_LOCAL_PORT, local_port);
}

static void piece_add(struct obj *leg, const char *from, int64_t us, int64_t hello,
                      const char *bytes) {
    struct obj *piece = obj_add(leg, F_LEG_WIRE);
    obj_set_str(piece, F_PIECE_FROM, from);
    obj_set_int(piece, F_PIECE_MS, us);
    if (hello != 0) {
        obj_set_int(piece, F_PIECE_HELLO, hello);
    }
    if (*bytes != '\0') {
        obj_set_bytes(piece, F_PIECE_BYTES, bytes, strlen(bytes));
    }
}

static void end_set(struct obj *leg, const char *by, const char *how, int64_t us) {
    obj_set_str(leg, F_LEG_END_BY, by);
    obj_set_str(leg, F_LEG_END_HOW, how);
    obj_set_int(leg, F_LEG_MS_END, us);
}

static struct record *record_make(void) {
    struct record *record = record_new();
    obj_set_int(record->root, F_RECORD_TIMESTAMP, 1000);
    obj_set_str(record->root, F_RECORD_ID, "0123");
    obj_set_str(record->root, F_RECORD_HOST, "example.test");
    obj_set_int(record->root, F_RECORD_PORT, 443);
    return record;
}

// The last capture as text, a line for each leg, in the order of their first packets.
static char says[4096];
static char secrets[1024];
static struct packet first;
static char *text;
static size_t text_len, num_legs, num_bare;

static void read_back(void) {
    struct flow_log log;
    struct packet packet;
    struct err err;
    FILE *file = fmemopen(text, text_len, "rb");
    struct pcapng *pcapng = pcapng_new(file, "test");
    first.p = NULL;
    int64_t last_us = 0;
    flow_log_init(&log, 0);
    while (pcapng_next(pcapng, &packet, &err) == CAPTURE_PACKET) {
        first = first.p == NULL ? packet : first;
        CU_ASSERT_TRUE(packet.time_us >= last_us);
        last_us = packet.time_us;
        flow_packet(log.flow, &packet);
    }
    flow_finish(log.flow);
    snprintf(says, sizeof(says), "%s", flow_log_text(&log));
    snprintf(secrets, sizeof(secrets), "%.*s", (int)pcapng_secrets(pcapng).len,
             (const char *)pcapng_secrets(pcapng).p);
    flow_log_cleanup(&log);
    pcapng_free(pcapng);
    fclose(file);
}

static void write_one(struct record *record) {
    struct err err;
    FILE *out = open_memstream(&text, &text_len);
    struct capture_writer *writer = capture_writer_new(out);
    num_bare = 0;
    num_legs = record_capture_write(writer, &num_bare, record->root);
    CU_ASSERT_TRUE(capture_writer_free(writer, &err));
    fclose(out);
    read_back();
    record_free(record);
}

static void test_both_legs(void) {
    struct record *record = record_make();
    struct obj *root = record->root, *client = leg_of(record, false),
               *server = leg_of(record, true);
    obj_set_str(root, F_RECORD_FRONT, "connect");
    obj_set_str(root, F_RECORD_USER_AGENT, "test/1");
    obj_set_int(root, F_RECORD_RESPONSE_STATUS, 200);
    leg_ends(client, "192.0.2.9", 1001, "192.0.2.8", 8080);
    leg_ends(server, "2001:db8::7", 443, "2001:db8::8", 1002);
    obj_set_bytes(client, F_LEG_OFFER_RAW, "hello", 5);
    obj_set_bytes(server, F_LEG_OFFER_RAW, "HELLO", 5);
    obj_set_int(server, F_LEG_MS_CONNECT, 100);
    piece_add(client, "client", 200, 3, "");
    piece_add(client, "client", 210, 2, "+early");
    piece_add(server, "client", 300, 5, "");
    piece_add(server, "server", 400, 0, "answer");
    piece_add(client, "server", 500, 0, "minted");
    end_set(client, "client", "alert", 600);
    end_set(server, "client", "fin", 600);
    obj_add_str(client, F_LEG_SECRETS, "CLIENT_RANDOM 01 02", 19);
    obj_add_str(server, F_LEG_SECRETS, "CLIENT_RANDOM 03 04", 19);
    write_one(record);
    CU_ASSERT_EQUAL(num_legs, 2);
    CU_ASSERT_EQUAL(num_bare, 0);
    CU_ASSERT_STRING_EQUAL(says,
                           "begin;C:CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n"
                           "User-Agent: test/1\r\n\r\n;S:HTTP/1.1 200 Connection "
                           "established\r\n\r\n;begin;C:hel;C:lo+early;C:HELLO;S:answer;S:minted;"
                           "end fin C;end fin C;");
    CU_ASSERT_STRING_EQUAL(secrets, "CLIENT_RANDOM 01 02\nCLIENT_RANDOM 03 04\n\n");
    CU_ASSERT_EQUAL(first.time_us, 1000000);
    CU_ASSERT_PTR_NOT_NULL(
        memmem(text, text_len, "tlsblame record 0123, client leg, example.test port 443", 55));
    CU_ASSERT_PTR_NOT_NULL(memmem(text, text_len, "server leg, example", 19));
    free(text);
}

// Whoever ended a leg, on the wire it was one of its two ends.
static void test_ends(void) {
    static const struct {
        bool server;
        const char *by, *how, *want;
    } rows[] = {
        {false, "client", "fin", "end fin C;"},    {false, "server", "fin", "end fin S;"},
        {false, "proxy", "rst", "end rst S;"},     {false, "client", "rst", "end rst C;"},
        {true, "client", "fin", "end fin C;"},     {true, "server", "alert", "end fin S;"},
        {true, "proxy", "fin", "end fin C;"},      {true, "server", "rst", "end rst S;"},
        {true, "server", "timeout", "end fin S;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record *record = record_make();
        struct obj *leg = leg_of(record, rows[i].server);
        char want[128];
        leg_ends(leg, "192.0.2.9", 1001, "192.0.2.8", 8080);
        obj_set_bytes(leg, F_LEG_OFFER_RAW, "hello", 5);
        piece_add(leg, "client", 200, 5, "");
        piece_add(leg, "server", 900, 0, "late");
        obj_set_int(leg, F_LEG_LEFT_OUT_CLIENT, 1000);
        obj_set_int(leg, F_LEG_LEFT_OUT_SERVER, 2000);
        end_set(leg, rows[i].by, rows[i].how, 600);
        write_one(record);
        bool rst = strcmp(rows[i].how, "rst") == 0;
        snprintf(want, sizeof(want), "begin;C:hello;S:late;%s%s",
                 rst ? "" : "C gap 1000;S gap 2000;", rows[i].want);
        if (!rst) { // a reset does not say how much came before it
            CU_ASSERT_STRING_EQUAL(says, want);
        } else {
            CU_ASSERT_PTR_NOT_NULL(strstr(says, rows[i].want));
        }
        free(text);
    }
}

static void test_a_hello_alone(void) {
    struct record *record = record_make();
    struct obj *leg = leg_of(record, false);
    static const uint16_t ciphers[] = {0x1301};
    obj_set_str(leg, F_LEG_ADDRESS, "2001:db8::9");
    obj_set_codes(leg, F_LEG_OFFER_CIPHERS, ciphers, 1);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "hello", 5);
    write_one(record);
    CU_ASSERT_EQUAL(num_legs, 1);
    CU_ASSERT_EQUAL(num_bare, 1);
    CU_ASSERT_STRING_EQUAL(says, "begin;C:hello;end open;");
    CU_ASSERT_STRING_EQUAL(secrets, "");
    free(text);
}

static void test_nothing_to_show(void) {
    struct record *record = record_make();
    obj_set_str(leg_of(record, false), F_LEG_ADDRESS, "192.0.2.9");
    write_one(record);
    CU_ASSERT_EQUAL(num_legs, 0);
    CU_ASSERT_STRING_EQUAL(says, "");
    free(text);
}

// Records are files that anybody may have written.
static void test_odd_records(void) {
    struct record *record = record_make();
    struct obj *leg = leg_of(record, false);
    leg_ends(leg, "not an address", 70000, "::1", -1);
    obj_set_bytes(leg, F_LEG_OFFER_RAW, "hello", 5);
    obj_set_int(leg, F_LEG_MS_CONNECT, -5);
    piece_add(leg, "nobody", -100, 0, "x");
    piece_add(leg, "client", 5, 99, "y");
    piece_add(leg, "client", 5, -1, "");
    obj_set_int(leg, F_LEG_LEFT_OUT_CLIENT, -1);
    end_set(leg, "the weather", "oddly", -7);
    write_one(record);
    CU_ASSERT_EQUAL(num_legs, 1);
    free(text);
}

static void test_secrets_past_the_ceiling(void) {
    struct record *record = record_make();
    struct buf out;
    buf_init(&out, 10);
    obj_add_str(leg_of(record, false), F_LEG_SECRETS, "longer than that", 16);
    CU_ASSERT_FALSE(record_capture_secrets(&out, record->root));
    buf_cleanup(&out);
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"both legs", test_both_legs},
    {"ends", test_ends},
    {"a hello alone", test_a_hello_alone},
    {"nothing to show", test_nothing_to_show},
    {"odd records", test_odd_records},
    {"secrets past the ceiling", test_secrets_past_the_ceiling},
    {NULL, NULL},
};
