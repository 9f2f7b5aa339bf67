#include "logs/view/path_page.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static char text[4096];
static struct record *record;
static struct obj *path;

static void write_says(void) {
    struct buf out;
    buf_init(&out, sizeof(text) - 1);
    struct page page = {.out = &out, .width = 1000};
    path_page_says(&page, path);
    memcpy(text, buf_data(&out), out.len);
    text[out.len] = '\0';
    buf_cleanup(&out);
}

static void begin(void) {
    record = record_new();
    path = obj_sub(record->root, F_RECORD_PATH);
}

static void test_hops(void) {
    struct buf out;
    begin();
    struct obj *hop = obj_add(path, F_PATH_HOPS);
    obj_set_int(hop, F_HOP_TTL, 2);
    obj_set_str(hop, F_HOP_ADDRESS, "192.0.2.7");
    obj_set_str(hop, F_HOP_SYN, "expired");
    obj_set_str(hop, F_HOP_TARGET, "reset");
    obj_set_str(hop, F_HOP_CONTROL, "expired");
    obj_set_int(hop, F_HOP_TARGET_MS, 12300);
    obj_set_int(obj_add(path, F_PATH_HOPS), F_HOP_TTL, 3);
    buf_init(&out, sizeof(text) - 1);
    struct page page = {.out = &out, .width = 100};
    path_page_head(&page);
    path_page_hop(&page, hop);
    path_page_hop(&page, obj_at(path, F_PATH_HOPS, 1));
    memcpy(text, buf_data(&out), out.len);
    text[out.len] = '\0';
    CU_ASSERT_STRING_EQUAL(
        text,
        "hop address                   SYN           hello                ms  by another name\n"
        "  2 192.0.2.7                 expired       reset              12.3  expired\n"
        "  3 *\n");
    buf_cleanup(&out);
    record_free(record);
}

static void test_says(void) {
    begin();
    write_says();
    CU_ASSERT_STRING_EQUAL(text, "  No SYN was accepted, so that the way is not known.\n");
    obj_set_int(path, F_PATH_SERVER_HOP, 5);
    write_says();
    CU_ASSERT_STRING_EQUAL(text,
                           "  Connections are accepted at hop 5, and nothing on the way there "
                           "was seen to touch the hello.\n");
    obj_set_int(path, F_PATH_BOX_HOP, 2);
    obj_set_int(path, F_PATH_BOX_AFTER, 1);
    obj_set_str(path, F_PATH_BOX_DOES, "reset");
    obj_set_int(path, F_PATH_BOX_BY_NAME, true);
    obj_set_str(path, F_PATH_BOX_ADDRESS, "192.0.2.2");
    obj_set_str(path, F_PATH_BOX_AFTER_ADDRESS, "192.0.2.1");
    write_says();
    CU_ASSERT_STRING_EQUAL(text, "  Something at hop 2 (192.0.2.2), or on the way there behind hop "
                                 "1 (192.0.2.1) answers the hello (reset), and minds only the name "
                                 "in it.\n");
    obj_set_str(path, F_PATH_BOX_DOES, "terminates");
    obj_set_int(path, F_PATH_BOX_AFTER, 0);
    obj_set_int(path, F_PATH_BOX_BY_NAME, false);
    write_says();
    CU_ASSERT_STRING_EQUAL(text, "  Something at hop 2 (192.0.2.2), or nearer accepts connections "
                                 "in the server's place.\n");
    record_free(record);
}

const struct unit_case unit_cases[] = {
    {"hops", test_hops},
    {"says", test_says},
    {NULL, NULL},
};
