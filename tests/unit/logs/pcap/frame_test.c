#include "logs/pcap/frame.h"

#include "tests/unit/logs/pcap/packets.h"
#include "tests/unit/unit.h"

#define MACS "020000000002 020000000001"

static const struct {
    uint32_t link_type;
    const char *hex;
    enum frame_result result;
    size_t at; // where the IP packet begins
} rows[] = {
    // clang-format off
    {1,   MACS "0800 4500",                                    FRAME_IP, 14},
    {1,   MACS "86dd 6000",                                    FRAME_IP, 14},
    {1,   MACS "8100 0005 0800 4500",                          FRAME_IP, 18},
    {1,   MACS "88a8 0005 8100 0007 86dd 6000",                FRAME_IP, 22},
    {1,   MACS "8864 1100 0001 0022 0021 4500",                FRAME_IP, 22},
    {1,   MACS "8847 00010000 00020140 4500",                  FRAME_IP, 22},
    {1,   MACS "0806 0001",                                    FRAME_OTHER, 0},
    {1,   MACS "8864 1100 0001 0022 c021 0101",                FRAME_OTHER, 0},
    {1,   MACS "0800",                                         FRAME_CUT, 0},
    {1,   MACS "8100 00",                                      FRAME_CUT, 0},
    {1,   MACS "8864 1100",                                    FRAME_CUT, 0},
    {1,   MACS "8847 000100",                                  FRAME_CUT, 0},
    {1,   "0200",                                              FRAME_CUT, 0},
    {1,   MACS "0800 f500",                                    FRAME_OTHER, 0},
    {113, "0000 0001 0006 020000000001 0000 0800 4500",        FRAME_IP, 16},
    {113, "0000 0001 0006 020000000001 0000 8100 0005 0800 45", FRAME_IP, 20},
    {113, "0000",                                              FRAME_CUT, 0},
    {276, "86dd 0000 00000002 0001 00 06 0200000000010000 60", FRAME_IP, 20},
    {276, "86dd",                                              FRAME_CUT, 0},
    {101, "4500",                                              FRAME_IP, 0},
    {12,  "6000",                                              FRAME_IP, 0},
    {228, "4500",                                              FRAME_IP, 0},
    {101, "",                                                  FRAME_CUT, 0},
    {101, "00",                                                FRAME_OTHER, 0},
    {0,   "02000000 4500",                                     FRAME_IP, 4},
    {0,   "0000001e 6000",                                     FRAME_IP, 4},
    {108, "00000002 4500",                                     FRAME_IP, 4},
    {0,   "020000",                                            FRAME_CUT, 0},
    {9,   "ff03 0021 4500",                                    FRAME_IP, 4},
    {9,   "21 4500",                                           FRAME_IP, 1},
    {50,  "0057 6000",                                         FRAME_IP, 2},
    {9,   "ff03 00",                                           FRAME_CUT, 0},
    {127, "0000",                                              FRAME_UNKNOWN_LINK, 0},
    // clang-format on
};

static void test_rows(void) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wire wire = {.len = 0};
        struct span ip = {NULL, 0};
        wire_hex(&wire, rows[i].hex);
        const struct packet packet = {.link_type = rows[i].link_type, .p = wire.p, .len = wire.len};
        CU_ASSERT_EQUAL(frame_ip(&ip, &packet), rows[i].result);
        if (rows[i].result == FRAME_IP) {
            CU_ASSERT_PTR_EQUAL(ip.p, wire.p + rows[i].at);
            CU_ASSERT_EQUAL(ip.len, wire.len - rows[i].at);
        }
    }
}

const struct unit_case unit_cases[] = {
    {"a row for every link type, whole and cut", test_rows},
    {NULL, NULL},
};
