#include "logs/view/verdict_page.h"

#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/logs/view/golden.h"
#include "tests/unit/unit.h"

static struct record *record;
static char text[8192];

// write_verdict leaves the verdict of the sample `id` in `text`.
static void write_verdict(const char *id, bool brief) {
    struct buf out;
    buf_init(&out, sizeof(text) - 1);
    record = golden_record(id);
    struct page page = {.out = &out, .width = 100};
    verdict_page_write(&page, obj_get(record->root, F_RECORD_VERDICT), brief);
    memcpy(text, buf_data(&out), out.len);
    text[out.len] = '\0';
    buf_cleanup(&out);
    record_free(record);
}

// The pages of side_by_side_test hold the whole of it; here is what a brief one leaves out.
static void test_brief(void) {
    static const char wanted[] =
        "VERDICT     server: server-cert-expired (certain)\n"
        "            The server's certificate for old.example.test expired 7 days ago, on "
        "2026-11-13. The\n"
        "            client refused its mirror image with certificate_expired, as it would have "
        "refused the\n"
        "            original.\n"
        "  remedy    Renew the certificate on the server and reload it; check that the renewal job "
        "runs.\n"
        "  next test Ask the server again from another network: if a valid certificate comes, a "
        "box behind\n"
        "            the proxy replaced it.\n";
    write_verdict("01hv6k3", true);
    CU_ASSERT_STRING_EQUAL(text, wanted);
    write_verdict("01hv6k3", false);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  evidence  tls.server.not_after;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  ruled out client-clock-wrong: "));
}

const struct unit_case unit_cases[] = {
    {"brief", test_brief},
    {NULL, NULL},
};
