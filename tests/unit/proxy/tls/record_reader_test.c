#include "proxy/tls/record_reader.h"

#include <string.h>

#include "proxy/tls/handshake.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

enum { LOG_MAX = 1 << 20 };

static uint32_t sum(const uint8_t *p, size_t p_len) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < p_len; i++) {
        h = (h ^ p[i]) * 16777619u;
    }
    return h;
}

// One line for an event, everything of it that does not depend on how the bytes came.
static void event_log(struct buf *log, const struct wire_event *ev) {
    buf_printf(log, "E%d %d %04x @%lu %zu/%u%s %d r%u", (int)ev->type, ev->content_type,
               ev->version, (unsigned long)ev->offset, ev->len, ev->announced,
               ev->cut_off ? " cut" : "", (int)ev->banner, ev->num_records);
    for (size_t i = 0; i < MESSAGE_CUTS; i++) {
        buf_printf(log, " %d", ev->cuts[i]);
    }
    buf_printf(log, " %08x\n", sum(ev->p, ev->len));
}

// Feeds `m` in pieces of `piece` bytes, the first `first` bytes long, and logs every event and
// note. A ServerHello of TLS 1.3 is told to the reader when `tls13` says so.
static struct buf stream_log(const struct made *m, size_t first, size_t piece, bool tls13) {
    struct buf log;
    struct record_reader reader;
    struct wire_event ev;
    buf_init(&log, LOG_MAX);
    record_reader_init(&reader, 0, 0);
    for (size_t at = 0; at < m->len;) {
        size_t want = at == 0 ? first : piece;
        struct made part = made_copy(m->p + at, want < m->len - at ? want : m->len - at);
        at += part.len;
        for (size_t eaten = 0;;) {
            size_t n = part.len - eaten;
            if (record_reader_next(&reader, &ev, part.p + eaten, &n) == WIRE_MORE) {
                CU_ASSERT_EQUAL(eaten + n, part.len);
                break;
            }
            eaten += n;
            event_log(&log, &ev);
            if (tls13 && ev.type == WIRE_MESSAGE && ev.p[0] == HANDSHAKE_SERVER_HELLO) {
                record_reader_encrypted(&reader);
            }
        }
        made_free(&part);
    }
    CU_ASSERT_EQUAL(reader.offset, m->len);
    while (record_reader_eof(&reader, &ev) != WIRE_MORE) {
        event_log(&log, &ev);
    }
    for (size_t i = 0; i < reader.notes.num; i++) {
        const struct note_seen *seen = &reader.notes.notes[i];
        buf_printf(&log, "note %s @%lu x%u\n", note_info(seen->id)->id, (unsigned long)seen->offset,
                   seen->times);
    }
    buf_printf(&log, "%u records %u messages %u alerts %u ccs\n", reader.num_records,
               reader.num_messages, reader.num_alerts, reader.num_ccs);
    record_reader_cleanup(&reader);
    return log;
}

static bool log_has(const struct buf *log, const char *text) {
    return memmem(buf_data(log), log->len, text, strlen(text)) != NULL;
}

static unsigned log_count(const struct buf *log, enum wire_event_type type) {
    unsigned num = 0;
    char start[8];
    snprintf(start, sizeof(start), "\nE%d ", (int)type);
    num += log->len != 0 && memcmp(buf_data(log), start + 1, strlen(start + 1)) == 0;
    const uint8_t *p = buf_data(log), *end = p + log->len;
    while ((p = memmem(p, (size_t)(end - p), start, strlen(start))) != NULL) {
        num++;
        p++;
    }
    return num;
}

static void append_sample(struct made *m, const char *name, size_t max) {
    const struct sample *s = sample_get(name);
    made_join(m, made_records(CONTENT_HANDSHAKE, s->p, s->len, max));
}

// A server's TLS 1.2 flight up to encrypted data, messages cut into records of `max` bytes.
static struct made tls12_stream(size_t max) {
    struct made m = made_copy(NULL, 0);
    append_sample(&m, "server-hello12", max);
    append_sample(&m, "certificate12", max);
    append_sample(&m, "certificate-status12", max);
    append_sample(&m, "server-key-exchange-ecdhe12", max);
    append_sample(&m, "server-hello-done", max);
    made_join(&m, made_hex("140303 0001 01"));
    made_join(&m, made_hex("160303 0028 0000000000000000 aabbccddeeff00112233445566778899"
                           "aabbccddeeff00112233445566778899"));
    made_join(&m, made_hex("170303 0003 010203  170303 0000  150303 001a"
                           "0000000000000001aabbccddeeff00112233445566778899aabb"));
    return m;
}

static void check_however_it_comes(const struct made *m, bool tls13) {
    struct buf want = stream_log(m, m->len, m->len, tls13);
    struct buf got = stream_log(m, 1, 1, tls13);
    CU_ASSERT_TRUE(got.len == want.len && memcmp(buf_data(&got), buf_data(&want), want.len) == 0);
    buf_cleanup(&got);
    for (size_t first = 1; first < m->len; first++) {
        got = stream_log(m, first, m->len, tls13);
        CU_ASSERT_TRUE(got.len == want.len &&
                       memcmp(buf_data(&got), buf_data(&want), want.len) == 0);
        buf_cleanup(&got);
    }
    buf_cleanup(&want);
}

static void test_tls12(void) {
    static const size_t cuts[] = {16384, 300, 3};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct made m = tls12_stream(cuts[i]);
        struct buf log = stream_log(&m, m.len, m.len, false);
        CU_ASSERT_EQUAL(log_count(&log, WIRE_MESSAGE), 5);
        CU_ASSERT_EQUAL(log_count(&log, WIRE_CCS), 1);
        CU_ASSERT_EQUAL(log_count(&log, WIRE_OPAQUE), 4);
        CU_ASSERT_EQUAL(log_count(&log, WIRE_ALERT), 0);
        CU_ASSERT_EQUAL(log_has(&log, "note rec-message-split"), i != 0);
        CU_ASSERT_FALSE(log_has(&log, "note rec-empty"));
        CU_ASSERT_FALSE(log_has(&log, "truncated"));
        buf_cleanup(&log);
        if (cuts[i] != 3) {
            check_however_it_comes(&m, false);
        }
        made_free(&m);
    }
}

static void test_tls13(void) {
    struct made m = made_copy(NULL, 0);
    append_sample(&m, "server-hello13", 16384);
    made_join(&m, made_hex("140303 0001 01 170303 0004 aabbccdd 150303 0002 0228"));
    struct buf log = stream_log(&m, m.len, m.len, true);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_MESSAGE), 1);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_CCS), 1);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_OPAQUE), 1);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_ALERT), 1); // a peer that could not make keys
    CU_ASSERT_FALSE(log_has(&log, "note"));
    buf_cleanup(&log);
    check_however_it_comes(&m, true);
    made_free(&m);
}

// Both sides put a ChangeCipherSpec between their plaintext hellos (RFC 8446, appendix D.4).
static void test_retry(void) {
    struct made m = made_copy(NULL, 0);
    append_sample(&m, "hello-retry-first", 16384);
    made_join(&m, made_hex("140303 0001 01"));
    append_sample(&m, "hello-retry-second", 100);
    made_join(&m, made_hex("170303 0002 aabb"));
    struct buf log = stream_log(&m, m.len, m.len, false);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_MESSAGE), 2);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_OPAQUE), 1);
    buf_cleanup(&log);
    made_free(&m);

    m = made_copy(NULL, 0);
    append_sample(&m, "retry-request", 16384);
    made_join(&m, made_hex("140303 0001 01"));
    append_sample(&m, "server-hello-after-retry", 16384);
    made_join(&m, made_hex("170303 0002 aabb"));
    log = stream_log(&m, m.len, m.len, false);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_MESSAGE), 2);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_OPAQUE), 1);
    CU_ASSERT_FALSE(log_has(&log, "note"));
    buf_cleanup(&log);
    check_however_it_comes(&m, false);
    made_free(&m);
}

static void test_several_in_a_record(void) {
    struct made all = made_copy(NULL, 0);
    static const char *const names[] = {"server-hello12", "certificate12", "server-hello-done"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct sample *s = sample_get(names[i]);
        made_join(&all, made_copy(s->p, s->len));
    }
    struct made m = made_records(CONTENT_HANDSHAKE, all.p, all.len, 16384);
    struct buf log = stream_log(&m, m.len, m.len, false);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_MESSAGE), 3);
    CU_ASSERT_TRUE(log_has(&log, "note rec-messages-several"));
    CU_ASSERT_TRUE(log_has(&log, "\n1 records 3 messages"));
    buf_cleanup(&log);
    check_however_it_comes(&m, false);
    made_free(&m);
    made_free(&all);
}

static void test_facts(void) {
    struct made m = tls12_stream(300);
    struct record_reader reader;
    struct wire_event ev;
    record_reader_init(&reader, 0, 0);
    for (size_t at = 0;;) {
        size_t n = m.len - at;
        if (record_reader_next(&reader, &ev, m.p + at, &n) == WIRE_MORE) {
            break;
        }
        at += n;
        if (ev.type == WIRE_MESSAGE && ev.p[0] == HANDSHAKE_CERTIFICATE) {
            CU_ASSERT_EQUAL(ev.num_records, 3);
            CU_ASSERT_EQUAL(ev.cuts[0], 300);
            CU_ASSERT_EQUAL(ev.cuts[2], 791 - 600);
        }
    }
    CU_ASSERT_EQUAL(reader.banner, BANNER_TLS);
    CU_ASSERT_EQUAL(reader.head_len, BANNER_MAX);
    CU_ASSERT_TRUE(memcmp(reader.head, m.p, BANNER_MAX) == 0);
    CU_ASSERT_EQUAL(reader.num_records, 1 + 3 + 3 + 1 + 1 + 1 + 1 + 1 + 1 + 1);
    CU_ASSERT_EQUAL(reader.first[0].content_type, CONTENT_HANDSHAKE);
    CU_ASSERT_EQUAL(reader.first[0].version, 0x0301);
    CU_ASSERT_EQUAL(reader.first[0].length, 78);
    CU_ASSERT_EQUAL(reader.record_max, 300);
    CU_ASSERT_EQUAL(reader.num_of_type[CONTENT_APPLICATION_DATA - CONTENT_CHANGE_CIPHER_SPEC], 2);
    CU_ASSERT_EQUAL(reader.bytes_of_type[CONTENT_APPLICATION_DATA - CONTENT_CHANGE_CIPHER_SPEC], 3);
    CU_ASSERT_EQUAL(reader.join.buf.cap, 0); // nothing is held any more
    record_reader_cleanup(&reader);
    made_free(&m);
}

static void test_sslv2(void) {
    struct made m = made_hex("802b 01 0301 0012 0000 0010 000004 000005 00000a 010080 0700c0 030080"
                             "000102030405060708090a0b0c0d0e0f 150301 0002 0246");
    struct buf log = stream_log(&m, m.len, m.len, false);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_SSLV2_HELLO), 1);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_ALERT), 1);
    buf_cleanup(&log);
    check_however_it_comes(&m, false);
    m.len = 20; // cut
    log = stream_log(&m, m.len, m.len, false);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_SSLV2_HELLO), 1);
    CU_ASSERT_TRUE(log_has(&log, "20/45 cut"));
    buf_cleanup(&log);
    made_free(&m);
}

// Each stream and a note it must have.
static void test_oddities(void) {
    // clang-format off
    static const struct {
        const char *bytes;
        const char *note;
    } rows[] = {
        {"48 54 54 50 2f 31 2e 31 20 34 30 30",           "rec-plain-http"},
        {"47 45 54 20 2f",                                "rec-plain-http"},
        {"53 53 48 2d 32 2e 30",                          "rec-not-tls"},
        {"05 00",                                         "rec-not-tls"},
        {"160301 0004 0e000000 485454502f",              "rec-plain-http"},
        {"160301 0004 0e000000 4854",                     "rec-not-tls"},
        {"160301 0004 0e000000 160301 0000",              "rec-empty"},
        {"160305 0004 0e000000",                          "rec-version-odd"},
        {"160300 0004 0e000000",                          "rec-version-odd"},
        {"160301 4001",                                   "rec-too-long"},
        {"160301 0004 0e0000",                            "rec-truncated"},
        {"160301 0004 0e000000 16",                       "rec-truncated"},
        {"160301 0004 0e000004",                          "hs-truncated"},
        {"160301 0004 ee000000",                          "hs-type-unknown"},
        {"160301 0004 01ffffff",                          "hs-too-long"},
        {"160301 0002 0e00 150301 0002 0228",             "rec-interleaved"},
        {"160301 0004 0e000000 630303 0001 00",           "rec-type-unknown"},
        {"160301 0004 0e000000 140301 0001 02",           "rec-ccs-value"},
        {"160301 0004 0e000000 140301 0002 0101",         "rec-ccs-value"},
        {"140301 0001 01",                                "rec-ccs-early"},
        {"160301 0004 0e000000 140301 0001 01 140301 0001 01", "rec-ccs-repeated"},
        {"170301 0001 00",                                "rec-data-early"},
        {"160301 0004 0e000000 180301 0003 014000",       "rec-heartbeat-overlong"},
        {"160301 0004 0e000000 180301 0003 010000",       "rec-heartbeat"},
        {"160301 0002 0e00 140301 0001 01",               "hs-key-change-unaligned"},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_hex(rows[i].bytes);
        char note[64];
        snprintf(note, sizeof(note), "note %s @", rows[i].note);
        struct buf log = stream_log(&m, m.len, m.len, false);
        CU_ASSERT_TRUE(log_has(&log, note));
        buf_cleanup(&log);
        check_however_it_comes(&m, false);
        made_free(&m);
    }
}

static void test_not_tls_after_tls(void) {
    struct made m = made_hex("160301 0004 0e000000");
    static const char http[] = "HTTP/1.1 403 Forbidden\r\n\r\n";
    made_join(&m, made_copy((const uint8_t *)http, sizeof(http) - 1));
    struct buf log = stream_log(&m, m.len, m.len, false);
    CU_ASSERT_EQUAL(log_count(&log, WIRE_NOT_TLS), 1);
    CU_ASSERT_TRUE(log_has(&log, "note rec-plain-http @9"));
    buf_cleanup(&log);
    made_free(&m);
}

// An announced megabyte that never comes costs nothing, and a certificate beyond its ceiling is
// cut.
static void test_memory_is_bounded(void) {
    struct record_reader reader;
    struct wire_event ev;
    record_reader_init(&reader, 0, 50000);
    struct made m = made_hex("160301 0004 0bfffff0");
    size_t n = m.len;
    CU_ASSERT_EQUAL(record_reader_next(&reader, &ev, m.p, &n), WIRE_MORE);
    CU_ASSERT_TRUE(reader.join.buf.cap <= 256);
    struct made record = made_hex("160301 4000");
    made_join(&record, (struct made){.p = xcalloc(1, 16384), .len = 16384});
    size_t kept = 0, peak = 0;
    for (int i = 0; i < 100; i++) {
        for (size_t at = 0; at < record.len; at += n) {
            n = record.len - at;
            if (record_reader_next(&reader, &ev, record.p + at, &n) == WIRE_MESSAGE) {
                CU_ASSERT_TRUE(ev.cut_off);
                kept = ev.len;
            }
            peak = reader.join.buf.cap > peak ? reader.join.buf.cap : peak;
        }
    }
    CU_ASSERT_EQUAL(kept, 50000);
    CU_ASSERT_TRUE(peak <= 65536);
    CU_ASSERT_EQUAL(noted(&reader.notes, NOTE_CERT_TOO_LARGE), 1);
    made_free(&record);
    made_free(&m);
    record_reader_cleanup(&reader);
}

static void abuse(const uint8_t *p, size_t p_len) {
    struct made m = {.p = (uint8_t *)p, .len = p_len};
    struct buf log = stream_log(&m, p_len, p_len, false);
    buf_cleanup(&log);
}

// reader_after returns a reader that has read all of `hex`.
static struct record_reader reader_after(const char *hex) {
    struct record_reader reader;
    struct wire_event ev;
    struct made m = made_hex(hex);
    record_reader_init(&reader, 0, 0);
    for (size_t at = 0, n; at < m.len; at += n) {
        n = m.len - at;
        (void)record_reader_next(&reader, &ev, m.p + at, &n);
    }
    made_free(&m);
    return reader;
}

// next_is returns whether `hex` comes next and begins with an event of `type`.
static bool next_is(struct record_reader *reader, const char *hex, enum wire_event_type type) {
    struct wire_event ev;
    struct made m = made_hex(hex);
    size_t n = m.len;
    bool same = record_reader_next(reader, &ev, m.p, &n) == type;
    made_free(&m);
    record_reader_cleanup(reader);
    return same;
}

static void test_gaps(void) {
    struct record_reader reader = reader_after("1703030008 0102");
    CU_ASSERT_TRUE(record_reader_gap(&reader, 4));
    CU_ASSERT_EQUAL(reader.offset, 11);
    CU_ASSERT_TRUE(next_is(&reader, "0708", WIRE_OPAQUE));
    reader = reader_after("1603030010 0e00000c 01020304");
    CU_ASSERT_TRUE(record_reader_gap(&reader, 8));
    CU_ASSERT_TRUE(next_is(&reader, "1603030004 0e000000", WIRE_MESSAGE));
    // It is not known where a record begins: the caller finds out.
    reader = reader_after("1703030008 0102");
    CU_ASSERT_FALSE(record_reader_gap(&reader, 7));
    CU_ASSERT_TRUE(next_is(&reader, "1603030004 0e000000", WIRE_MESSAGE));
    reader = reader_after("1703030008 0102");
    CU_ASSERT_FALSE(record_reader_gap(&reader, 0));
    CU_ASSERT_TRUE(next_is(&reader, "15030300020228", WIRE_ALERT));
    reader = reader_after("16030300");
    CU_ASSERT_FALSE(record_reader_gap(&reader, 1));
    CU_ASSERT_TRUE(next_is(&reader, "15030300020228", WIRE_ALERT));
    reader = reader_after("");
    CU_ASSERT_FALSE(record_reader_gap(&reader, 100));
    CU_ASSERT_EQUAL(reader.offset, 100);
    CU_ASSERT_TRUE(next_is(&reader, "1603030004 0e000000", WIRE_MESSAGE));
}

static void test_chance_after_a_gap_is_not_noted(void) {
    struct record_reader reader = reader_after("1703030008 0102");
    CU_ASSERT_FALSE(record_reader_gap(&reader, 50));
    CU_ASSERT_TRUE(next_is(&reader, "0000000000", WIRE_NOT_TLS));
    CU_ASSERT_EQUAL(noted(&reader.notes, NOTE_REC_NOT_TLS), 0);
    reader = reader_after("1703030001 01");
    CU_ASSERT_TRUE(next_is(&reader, "0000000000", WIRE_NOT_TLS));
    CU_ASSERT_EQUAL(noted(&reader.notes, NOTE_REC_NOT_TLS), 1);
}

static void test_survives(void) {
    struct made m = tls12_stream(300);
    struct sample sample = {.name = "tls12", .p = m.p, .len = m.len};
    sample_abuse(&sample, abuse);
    made_free(&m);
}

// A record that the reader has begun is counted already.
static void test_pass(void) {
    static const uint8_t begun[] = {23, 3, 3, 0, 100, 1, 2, 3, 4, 5};
    struct record_reader reader;
    struct wire_event event;
    size_t len = sizeof(begun);
    record_reader_init(&reader, 0, 0);
    record_reader_encrypted(&reader);
    while (len != 0 && record_reader_next(&reader, &event, begun, &len) != WIRE_MORE) {
        len = 0;
    }
    CU_ASSERT_EQUAL(reader.data_bytes, 100);
    record_reader_pass(&reader, 60);
    CU_ASSERT_EQUAL(reader.data_bytes, 100);
    record_reader_pass(&reader, 60);
    CU_ASSERT_EQUAL(reader.data_bytes, 125);
    CU_ASSERT_EQUAL(reader.offset, sizeof(begun) + 120);
    record_reader_cleanup(&reader);
}

const struct unit_case unit_cases[] = {
    {"TLS 1.2, however it comes", test_tls12},
    {"TLS 1.3, however it comes", test_tls13},
    {"HelloRetryRequest", test_retry},
    {"several messages in a record", test_several_in_a_record},
    {"facts", test_facts},
    {"SSLv2", test_sslv2},
    {"oddities", test_oddities},
    {"not TLS after TLS", test_not_tls_after_tls},
    {"memory is bounded", test_memory_is_bounded},
    {"gaps", test_gaps},
    {"chance after a gap is not noted", test_chance_after_a_gap_is_not_noted},
    {"survives cuts and changes", test_survives},
    {"bytes pass unseen", test_pass},
    {NULL, NULL},
};
