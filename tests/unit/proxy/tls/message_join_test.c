#include "proxy/tls/message_join.h"

#include <string.h>

#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_whole_is_not_copied(void) {
    struct message_join join;
    message_join_init(&join, 100, 100);
    struct made m = made_hex("14 000002 aabb 14 000001 cc");
    struct message_part part;
    bool whole;
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, NULL, 50, m.p, m.len), 6);
    CU_ASSERT_TRUE(whole);
    CU_ASSERT_PTR_EQUAL(part.p, m.p);
    CU_ASSERT_EQUAL(part.len, 6);
    CU_ASSERT_EQUAL(part.offset, 50);
    CU_ASSERT_EQUAL(part.num_records, 1);
    CU_ASSERT_EQUAL(join.buf.cap, 0);
    struct note_sink notes = {0};
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 56, m.p + 6, m.len - 6), 5);
    CU_ASSERT_TRUE(whole);
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_REC_MESSAGES_SEVERAL, 56));
    made_free(&m);
    message_join_cleanup(&join);
}

static void test_joined(void) {
    struct message_join join;
    message_join_init(&join, 100, 100);
    struct made m = made_hex("14 000005 0102030405");
    struct message_part part;
    struct note_sink notes = {0};
    bool whole;
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 5, m.p, 3), 3);
    CU_ASSERT_FALSE(whole);
    CU_ASSERT_TRUE(message_join_pending(&join));
    message_join_record(&join);
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 13, m.p + 3, 1), 1);
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 14, m.p + 4, 5), 5);
    CU_ASSERT_TRUE(whole);
    CU_ASSERT_FALSE(message_join_pending(&join));
    CU_ASSERT_TRUE(part.len == m.len && memcmp(part.p, m.p, m.len) == 0);
    CU_ASSERT_EQUAL(part.offset, 5);
    CU_ASSERT_EQUAL(part.num_records, 2);
    CU_ASSERT_EQUAL(part.cuts[0], 3);
    CU_ASSERT_EQUAL(part.cuts[1], 6);
    CU_ASSERT_TRUE(noted_at(&notes, NOTE_REC_MESSAGE_SPLIT, 5));
    message_join_drop(&join);
    CU_ASSERT_EQUAL(join.buf.cap, 0);
    made_free(&m);
    message_join_cleanup(&join);
}

// Of a message beyond the ceiling the beginning is kept and the rest skipped; the next one is
// whole.
static void test_ceiling(void) {
    struct message_join join;
    message_join_init(&join, 6, 8);
    struct made m = made_hex("0b 000010 000102030405060708090a0b0c0d0e0f 14 000001 ff");
    struct message_part part;
    struct note_sink notes = {0};
    bool whole;
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 0, m.p, m.len), 8);
    CU_ASSERT_TRUE(whole && part.cut_off);
    CU_ASSERT_EQUAL(part.len, 8);
    CU_ASSERT_EQUAL(part.announced, 20);
    CU_ASSERT_TRUE(message_join_pending(&join));
    CU_ASSERT_EQUAL(noted(&notes, NOTE_CERT_TOO_LARGE), 1);
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 8, m.p + 8, m.len - 8), 12);
    CU_ASSERT_FALSE(whole);
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 20, m.p + 20, 5), 5);
    CU_ASSERT_TRUE(whole && !part.cut_off);
    made_free(&m);
    m = made_hex("01 ffffff 0102030405");
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 25, m.p, m.len), 6);
    CU_ASSERT_TRUE(whole && part.cut_off);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_HS_TOO_LONG), 1);
    made_free(&m);
    message_join_cleanup(&join);
}

// A gap of `n` bytes after the first `have` of a message of nine: is it known what follows?
static bool gap_after(size_t have, uint64_t n) {
    struct message_join join;
    struct message_part part;
    struct note_sink notes = {0};
    bool whole = true;
    message_join_init(&join, 100, 100);
    struct made m = made_hex("14 000005 0102030405 14 000001 cc");
    if (have != 0) {
        CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 0, m.p, have), have);
        CU_ASSERT_FALSE(whole);
    }
    bool known = message_join_gap(&join, n);
    if (known) {
        // What is left of the message is passed over, and the next one is read.
        size_t at = have + (size_t)n;
        while (at < m.len) {
            at += message_join_feed(&join, &part, &whole, &notes, at, m.p + at, m.len - at);
        }
        CU_ASSERT_TRUE(whole);
        CU_ASSERT_EQUAL(part.len, 5);
        CU_ASSERT_EQUAL(part.offset, 9);
    } else {
        CU_ASSERT_FALSE(message_join_pending(&join));
    }
    made_free(&m);
    message_join_cleanup(&join);
    return known;
}

static void test_gap(void) {
    CU_ASSERT_TRUE(gap_after(6, 1));
    CU_ASSERT_TRUE(gap_after(4, 5));
    CU_ASSERT_FALSE(gap_after(4, 6)); // into the next message
    CU_ASSERT_FALSE(gap_after(3, 1)); // its length is not known
    CU_ASSERT_FALSE(gap_after(0, 1));
}

static void test_rest(void) {
    struct message_join join;
    message_join_init(&join, 100, 100);
    struct made m = made_hex("ee 000010 0001");
    struct message_part part;
    struct note_sink notes = {0};
    bool whole;
    CU_ASSERT_FALSE(message_join_rest(&join, &part));
    CU_ASSERT_EQUAL(message_join_feed(&join, &part, &whole, &notes, 0, m.p, m.len), m.len);
    CU_ASSERT_EQUAL(noted(&notes, NOTE_HS_TYPE_UNKNOWN), 1);
    CU_ASSERT_TRUE(message_join_rest(&join, &part));
    CU_ASSERT_TRUE(part.cut_off);
    CU_ASSERT_EQUAL(part.len, 6);
    CU_ASSERT_EQUAL(part.announced, 20);
    CU_ASSERT_FALSE(message_join_rest(&join, &part));
    made_free(&m);
    message_join_cleanup(&join);
}

const struct unit_case unit_cases[] = {
    {"a whole message is not copied", test_whole_is_not_copied},
    {"parts are joined", test_joined},
    {"the ceiling", test_ceiling},
    {"the rest at the end", test_rest},
    {"a gap", test_gap},
    {NULL, NULL},
};
