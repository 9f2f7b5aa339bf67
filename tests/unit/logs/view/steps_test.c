#include "logs/view/steps.h"

#include <stdio.h>
#include <string.h>

#include "logs/record/record.h"
#include "tests/unit/unit.h"

static struct record *record;
static struct obj *client, *server;
static struct buf out;
static struct page page;

static void begin(bool both) {
    record = record_new();
    client = obj_sub(record->root, F_RECORD_LEG_CLIENT);
    server = both ? obj_sub(record->root, F_RECORD_LEG_SERVER) : NULL;
    buf_init(&out, 10000);
    page = (struct page){.out = &out, .width = 68};
}

static void end_with(const char *wanted) {
    bool same =
        out.len == strlen(wanted) && (out.len == 0 || memcmp(buf_data(&out), wanted, out.len) == 0);
    CU_ASSERT(same);
    if (!same) {
        printf("\nis:\n%.*swanted:\n%s", (int)out.len, (const char *)buf_data(&out), wanted);
    }
    buf_cleanup(&out);
    record_free(record);
}

static void add_alert(struct obj *leg, const char *from, const char *level, int code,
                      const char *name, int64_t us) {
    struct obj *alert = obj_add(leg, F_LEG_ALERTS);
    obj_set_str(alert, F_ALERT_FROM, from);
    obj_set_str(alert, F_ALERT_LEVEL, level);
    obj_set_int(alert, F_ALERT_CODE, code);
    obj_set_str(alert, F_ALERT_NAME, name);
    obj_set_int(alert, F_ALERT_MS, us);
}

static void test_time_line(void) {
    begin(true);
    obj_set_int(client, F_LEG_MS_HELLO, 2000);
    obj_set_int(client, F_LEG_MS_ANSWER, 18000);
    obj_set_int(server, F_LEG_MS_CONNECT, 5000);
    obj_set_int(server, F_LEG_MS_HELLO, 5000);
    obj_set_int(server, F_LEG_MS_ANSWER, 15000);
    add_alert(client, "client", "fatal", 48, "unknown_ca", 20000);
    obj_set_int(client, F_LEG_MS_END, 20000);
    steps_time_line(&page, record->root);
    end_with("\nTIME LINE\n"
             "      2.0 ms  client leg  ClientHello           ==|\n"
             "      5.0 ms  server leg  TCP connected         -----|\n"
             "      5.0 ms  server leg  ClientHello                |\n"
             "     15.0 ms  server leg  ServerHello                ----------|\n"
             "     18.0 ms  client leg  ServerHello             ================|\n"
             "     20.0 ms  client leg  unknown_ca                              =|\n"
             "     20.0 ms  client leg  end                                      |\n");
}

// The page is as wide as it says, whatever an alert is called.
static void test_a_long_name(void) {
    begin(true);
    page.width = 60;
    obj_set_int(client, F_LEG_MS_HELLO, 10000);
    add_alert(client, "server", "fatal", 120, "no_application_protocol", 20000);
    steps_time_line(&page, record->root);
    end_with("\nTIME LINE\n"
             "     10.0 ms  client leg  ClientHello           ======|\n"
             "     20.0 ms  client leg  no_application_             =====|\n"
             "                          protocol\n");
}

// A connection that stays open for an hour does not crush its handshake.
static void test_a_late_end(void) {
    begin(false);
    obj_set_int(client, F_LEG_MS_HELLO, 2000);
    obj_set_int(client, F_LEG_MS_FINISHED, 8000);
    obj_set_int(client, F_LEG_MS_END, 3600000000);
    page.width = 56;
    steps_time_line(&page, record->root);
    end_with("\nTIME LINE\n"
             "      2.0 ms  ClientHello           ====|\n"
             "      8.0 ms  Finished                  ============|\n"
             "3600000.0 ms  end                                   ===>\n");
}

static void test_nonsense(void) {
    begin(true);
    obj_set_int(client, F_LEG_MS_HELLO, -5);
    obj_set_int(client, F_LEG_MS_ANSWER, 0);
    obj_set_int(server, F_LEG_MS_END, INT64_C(1000000000000000));
    add_alert(server, "", "", -1, "", INT64_MIN);
    (void)obj_add(server, F_LEG_ALERTS);
    steps_time_line(&page, record->root);
    steps_alerts(&page, record->root);
    CU_ASSERT(out.len > 0);
    buf_cleanup(&out);
    record_free(record);
}

static void test_more_than_there_is_room_for(void) {
    begin(false);
    for (int i = 0; i < 1000; i++) {
        add_alert(client, "client", "warning", 0, "close_notify", 1000 - i);
    }
    steps_time_line(&page, record->root);
    steps_alerts(&page, record->root);
    CU_ASSERT(out.len > 0);
    buf_cleanup(&out);
    record_free(record);
}

static void test_alerts(void) {
    begin(true);
    add_alert(server, "server", "fatal", 40, "handshake_failure", 20000);
    add_alert(server, "client", "warning", 0, "close_notify", 21000);
    add_alert(client, "client", "fatal", 48, "unknown_ca", 19000);
    add_alert(client, "server", "fatal", 40, "handshake_failure", 22000);
    steps_alerts(&page, record->root);
    end_with("\nALERTS\n"
             "     19.0 ms  client to proxy  fatal unknown_ca (48)\n"
             "     20.0 ms  server to proxy  fatal handshake_failure (40)\n"
             "     21.0 ms  proxy to server  warning close_notify (0)\n"
             "     22.0 ms  proxy to client  fatal handshake_failure (40)\n");
    begin(false);
    add_alert(client, "server", "fatal", 40, "handshake_failure", 1);
    obj_set_str(obj_at(client, F_LEG_ALERTS, 0), F_ALERT_AFTER, "client_hello");
    steps_alerts(&page, record->root);
    end_with("\nALERTS\n"
             "      0.0 ms  server to client fatal handshake_failure (40), after\n"
             "                               client_hello\n");
}

static void test_nothing(void) {
    begin(true);
    steps_time_line(&page, record->root);
    steps_alerts(&page, record->root);
    end_with("");
}

const struct unit_case unit_cases[] = {
    {"the time line", test_time_line},
    {"an end long after the handshake", test_a_late_end},
    {"a long name", test_a_long_name},
    {"nonsense from a log", test_nonsense},
    {"more than there is room for", test_more_than_there_is_room_for},
    {"alerts", test_alerts},
    {"nothing to show", test_nothing},
    {NULL, NULL},
};
