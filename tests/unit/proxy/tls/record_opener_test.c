#include "proxy/tls/record_opener.h"

#include <string.h>

#include "proxy/tls/handshake.h"
#include "proxy/tls/record_reader.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void protect13(struct record_protect *protect, const char *secret_hex) {
    struct cipher_keys keys;
    struct made secret = made_hex(secret_hex);
    CU_ASSERT_FATAL(cipher_keys_find(&keys, 0x1301));
    record_protect_init13(protect, &keys, secret.p);
    made_free(&secret);
}

static void test_use(void) {
    struct record_protect protect = {0};
    struct record_opener opener;
    struct cipher_keys keys;
    static const uint8_t key[16], salt[4];
    record_opener_init(&opener);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_APPLICATION_DATA, 100), OPENER_PLAIN);
    opener.protect = &protect;
    protect13(&protect, RFC8448_SERVER_HANDSHAKE);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_APPLICATION_DATA, 100), OPENER_OPEN);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_ALERT, 2), OPENER_PLAIN);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_HANDSHAKE, 100), OPENER_PLAIN);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_CHANGE_CIPHER_SPEC, 1), OPENER_PLAIN);
    CU_ASSERT_FATAL(cipher_keys_find(&keys, 0xc02f));
    record_protect_init12(&protect, &keys, false, key, salt);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_APPLICATION_DATA, 100), OPENER_COUNT);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_ALERT, 2), OPENER_PLAIN);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_ALERT, 26), OPENER_OPEN);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_HANDSHAKE, 40), OPENER_OPEN);
    CU_ASSERT_EQUAL(record_opener_use(&opener, CONTENT_CHANGE_CIPHER_SPEC, 1), OPENER_PLAIN);
    CU_ASSERT_EQUAL(record_opener_count(&opener, 100), 76);
    CU_ASSERT_EQUAL(record_opener_count(&opener, 3), 0);
    CU_ASSERT_EQUAL(protect.seq, 2);
    record_opener_cleanup(&opener);
    record_protect_cleanup(&protect);
}

// What comes in pieces opens as a whole, and what does not open ends the opening for good.
static void test_open(void) {
    struct record_protect protect = {0};
    struct record_opener opener;
    struct made record = made_hex(RFC8448_SERVER_FLIGHT_RECORD);
    struct made flight = made_hex(RFC8448_SERVER_FLIGHT RFC8448_SERVER_FINISHED);
    protect13(&protect, RFC8448_SERVER_HANDSHAKE);
    record_opener_init(&opener);
    opener.protect = &protect;
    for (size_t at = 5; at < record.len; at += 10) {
        record_opener_add(&opener, record.p + at, record.len - at < 10 ? record.len - at : 10);
    }
    CU_ASSERT_FATAL(record_opener_open(&opener, record.p));
    CU_ASSERT_EQUAL(opener.type, CONTENT_HANDSHAKE);
    CU_ASSERT_EQUAL_FATAL(opener.content_len, flight.len);
    CU_ASSERT_EQUAL(memcmp(opener.content, flight.p, flight.len), 0);
    record_opener_drop(&opener);
    record_opener_add(&opener, record.p + 5, record.len - 5);
    CU_ASSERT_FALSE(record_opener_open(&opener, record.p));
    CU_ASSERT_PTR_NULL(opener.protect);
    CU_ASSERT_EQUAL(opener.body.cap, 0);
    made_free(&record);
    made_free(&flight);
    record_opener_cleanup(&opener);
    record_protect_cleanup(&protect);
}

static void test_ceiling(void) {
    static const uint8_t header[5] = {23, 3, 3, 0xff, 0xff}, bytes[0xffff];
    struct record_protect protect = {0};
    struct record_opener opener;
    protect13(&protect, RFC8448_SERVER_HANDSHAKE);
    record_opener_init(&opener);
    opener.protect = &protect;
    opener.pass_over = true;
    for (size_t at = 0; at < sizeof(bytes); at += 255) {
        record_opener_add(&opener, bytes + at, 255);
        CU_ASSERT(opener.body.cap <= RECORD_SEALED_MAX);
    }
    CU_ASSERT_FALSE(record_opener_open(&opener, header));
    CU_ASSERT_PTR_EQUAL(opener.protect, &protect);
    record_opener_cleanup(&opener);
    record_protect_cleanup(&protect);
}

// struct stream is records that are sealed for a reader.
struct stream {
    struct record_protect seal, open;
    struct made bytes;
};

static void stream_begin(struct stream *stream) {
    *stream = (struct stream){.bytes = made_hex("")};
    protect13(&stream->seal, RFC8448_SERVER_HANDSHAKE);
    protect13(&stream->open, RFC8448_SERVER_HANDSHAKE);
}

static void stream_add(struct stream *stream, uint8_t type, const char *content_hex) {
    static uint8_t out[RECORD_SEALED_MAX + 5];
    struct made content = made_hex(content_hex);
    size_t len = record_protect_seal(&stream->seal, out, type, content.p, content.len, 1);
    made_join(&stream->bytes, made_copy(out, len));
    made_free(&content);
}

// stream_read writes what a reader says of the stream, and its notes, to `out`.
static void stream_read(struct stream *stream, char out[1024], size_t piece, bool pass_over) {
    struct record_reader reader;
    struct wire_event ev;
    struct buf text;
    struct record_protect rewound = {0};
    protect13(&rewound, RFC8448_SERVER_HANDSHAKE);
    buf_init(&text, 1024);
    record_reader_init(&reader, 0, 0);
    record_reader_open(&reader, &rewound, pass_over);
    for (size_t at = 0; at < stream->bytes.len;) {
        size_t end = stream->bytes.len - at < piece ? stream->bytes.len : at + piece, n = end - at;
        while (record_reader_next(&reader, &ev, stream->bytes.p + at, &n) != WIRE_MORE) {
            bool body = ev.type == WIRE_MESSAGE || ev.type == WIRE_ALERT || ev.type == WIRE_DATA;
            CU_ASSERT(buf_printf(&text, "%d%s %d @%d %d/%d %02x\n", ev.type, ev.opened ? "o" : "",
                                 ev.content_type, (int)ev.offset, (int)ev.len, (int)ev.announced,
                                 body && ev.len != 0 ? ev.p[0] : 0));
            at += n;
            n = end - at;
        }
        at = end;
    }
    for (size_t i = 0; i < reader.notes.num; i++) {
        CU_ASSERT(buf_printf(&text, "%s @%d\n", note_info(reader.notes.notes[i].id)->id,
                             (int)reader.notes.notes[i].offset));
    }
    CU_ASSERT(buf_append(&text, "", 1));
    memcpy(out, buf_data(&text), text.len);
    buf_cleanup(&text);
    record_reader_cleanup(&reader);
    record_protect_cleanup(&rewound);
}

// stream_is holds what a reader says against `says`, whatever pieces the stream comes in.
static void stream_is(struct stream *stream, bool pass_over, const char *says) {
    static const size_t pieces[] = {1, 5, 6, 17, 23, 4096};
    char got[1024];
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        stream_read(stream, got, pieces[i], pass_over);
        CU_ASSERT_STRING_EQUAL(got, says);
    }
    made_free(&stream->bytes);
    record_protect_cleanup(&stream->seal);
    record_protect_cleanup(&stream->open);
}

// A record has 5 + content + type + padding + tag bytes: 23 and its content.
static void test_messages(void) {
    struct stream stream;
    stream_begin(&stream);
    stream_add(&stream, CONTENT_HANDSHAKE, "0800000101 14000003aa");
    stream_add(&stream, CONTENT_HANDSHAKE, "bb");
    stream_add(&stream, CONTENT_HANDSHAKE, "cc 18000001");
    stream_add(&stream, CONTENT_HANDSHAKE, "00");
    stream_add(&stream, CONTENT_APPLICATION_DATA, "010203");
    stream_add(&stream, CONTENT_APPLICATION_DATA, "");
    stream_add(&stream, CONTENT_ALERT, "0100");
    stream_is(&stream, false,
              "1o 22 @5 5/5 08\n1o 22 @10 7/7 14\n1o 22 @63 5/5 18\n"
              "6o 23 @109 3/3 01\n6o 23 @135 0/0 00\n3o 21 @158 2/2 01\n"
              "rec-message-split @10\n");
}

static void test_odd_contents(void) {
    struct stream stream;
    stream_begin(&stream);
    stream_add(&stream, CONTENT_HANDSHAKE, "");         // empty
    stream_add(&stream, 0, "0000");                     // no type
    stream_add(&stream, 99, "01");                      // no known type
    stream_add(&stream, CONTENT_HANDSHAKE, "0b000002"); // cut by an alert
    stream_add(&stream, CONTENT_ALERT, "02");           // of one byte
    stream_add(&stream, CONTENT_HANDSHAKE, "aabb");
    stream_is(&stream, false,
              "5o 0 @23 0/0 00\n5o 99 @48 0/1 00\n3o 21 @99 1/1 02\n1o 22 @77 6/6 0b\n"
              "rec-empty @0\nrec-type-unknown @23\nrec-interleaved @99\nrec-message-split @77\n");
}

// A record that was sealed with another key: the end, or 0-RTT data.
static void test_wrong_key(void) {
    for (int pass_over = 0; pass_over < 2; pass_over++) {
        struct stream stream;
        struct made early = made_hex(RFC8448_CLIENT_DATA_RECORD);
        stream_begin(&stream);
        made_join(&stream.bytes, made_copy(early.p, early.len));
        made_join(&stream.bytes, made_copy(early.p, early.len));
        stream_add(&stream, CONTENT_HANDSHAKE, "0800000101");
        made_join(&stream.bytes, made_copy(early.p, early.len));
        stream_add(&stream, CONTENT_HANDSHAKE, "0800000101");
        stream_is(&stream, pass_over,
                  pass_over ? "5 23 @0 0/67 00\n5 23 @72 0/67 00\n1o 22 @149 5/5 08\n"
                              "5 23 @172 0/67 00\n5 23 @244 0/23 00\nkey-wrong @172\n"
                            : "5 23 @0 0/67 00\n5 23 @72 0/67 00\n5 23 @144 0/23 00\n"
                              "5 23 @172 0/67 00\n5 23 @244 0/23 00\nkey-wrong @0\n");
        made_free(&early);
    }
}

// Keys that change while a message is not complete, or while its record holds more.
static void test_unaligned(void) {
    static const char *const contents[] = {"14000001aa 08", "14000001aa 0800000101", "14000001aa"};
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        struct stream stream;
        struct record_reader reader;
        struct wire_event ev;
        stream_begin(&stream);
        stream_add(&stream, CONTENT_HANDSHAKE, contents[i]);
        record_reader_init(&reader, 0, 0);
        record_reader_open(&reader, &stream.open, false);
        size_t n = stream.bytes.len;
        CU_ASSERT_EQUAL(record_reader_next(&reader, &ev, stream.bytes.p, &n), WIRE_MESSAGE);
        record_reader_open(&reader, NULL, false);
        CU_ASSERT_FALSE(record_reader_opens(&reader));
        record_reader_open(&reader, &stream.open, false);
        CU_ASSERT_EQUAL(noted(&reader.notes, NOTE_HS_KEY_CHANGE_UNALIGNED), i < 2);
        made_free(&stream.bytes);
        record_reader_cleanup(&reader);
        record_protect_cleanup(&stream.seal);
        record_protect_cleanup(&stream.open);
    }
}

// A part of the second of three records is missing: it is counted and the third still opens, even
// where the second held the rest of a message.
static void test_gap_in_record(void) {
    struct stream stream;
    struct record_reader reader;
    struct wire_event ev;
    stream_begin(&stream);
    stream_add(&stream, CONTENT_HANDSHAKE, "0b000004 aa"); // 28 bytes
    stream_add(&stream, CONTENT_HANDSHAKE, "bbccdd");      // 26 bytes
    stream_add(&stream, CONTENT_HANDSHAKE, "0800000101");
    record_reader_init(&reader, 0, 0);
    record_reader_open(&reader, &stream.open, false);
    size_t n = 28 + 10;
    CU_ASSERT_EQUAL(record_reader_next(&reader, &ev, stream.bytes.p, &n), WIRE_MORE);
    CU_ASSERT(record_reader_gap(&reader, 11));
    n = stream.bytes.len - 28 - 10 - 11;
    const uint8_t *p = stream.bytes.p + 28 + 10 + 11;
    CU_ASSERT_EQUAL(record_reader_next(&reader, &ev, p, &n), WIRE_OPAQUE);
    p += n;
    n = (size_t)(stream.bytes.p + stream.bytes.len - p);
    CU_ASSERT_EQUAL(record_reader_next(&reader, &ev, p, &n), WIRE_MESSAGE);
    CU_ASSERT(ev.opened && ev.len == 5 && ev.p[0] == 8);
    CU_ASSERT(record_reader_opens(&reader));
    // Over the end of a record nobody knows how many are missing.
    CU_ASSERT_FALSE(record_reader_gap(&reader, 1000));
    CU_ASSERT_FALSE(record_reader_opens(&reader));
    CU_ASSERT_EQUAL(noted(&reader.notes, NOTE_KEY_GAP), 1);
    CU_ASSERT_EQUAL(noted(&reader.notes, NOTE_KEY_WRONG), 0);
    made_free(&stream.bytes);
    record_reader_cleanup(&reader);
    record_protect_cleanup(&stream.seal);
    record_protect_cleanup(&stream.open);
}

const struct unit_case unit_cases[] = {
    {"what is protected", test_use},
    {"a body in pieces", test_open},
    {"no more than a record's length is kept", test_ceiling},
    {"messages in and over records", test_messages},
    {"odd contents", test_odd_contents},
    {"the wrong key", test_wrong_key},
    {"keys that change in the wrong place", test_unaligned},
    {"missing bytes", test_gap_in_record},
    {NULL, NULL},
};
