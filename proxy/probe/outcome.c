#include "proxy/probe/outcome.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "logs/record/text.h"

static bool ended(const struct obj *leg, const char *by, const char *how) {
    return obj_str_is(leg, F_LEG_END_BY, by) && obj_str_is(leg, F_LEG_END_HOW, how);
}

// connected returns whether there was a TCP connection; through a parent proxy, one to the target.
static bool connected(const struct obj *leg) {
    return obj_has(leg, F_LEG_MS_CONNECT) && !obj_str_is(leg, F_LEG_END_AT, "dns") &&
           !obj_str_is(leg, F_LEG_END_AT, "front");
}

const char *outcome_name(const struct obj *leg) {
    bool by_server = obj_str_is(leg, F_LEG_END_BY, "server");
    if (!connected(leg)) {
        return obj_str_is(leg, F_LEG_END_BY, "proxy") ? "unfinished" : "unreachable";
    }
    if (obj_is(leg, F_LEG_TLS_ESTABLISHED, true)) {
        return "answered";
    }
    if (obj_has(leg, F_LEG_ANSWER_RAW)) {
        return by_server || ended(leg, "proxy", "error") ? "broken-off" : "answered";
    }
    if (obj_has(leg, F_LEG_ANSWER_FIRST_KIND)) {
        return "not-tls";
    }
    if (!by_server) {
        return ended(leg, "proxy", "error") ? "not-tls" : "unfinished";
    }
    const char *how = obj_str(leg, F_LEG_END_HOW);
    if (how == NULL || strcmp(how, "fin") == 0) {
        return "closed";
    }
    if (strcmp(how, "timeout") == 0) {
        return "silent";
    }
    return strcmp(how, "alert") == 0 ? "alert" : "reset";
}

bool outcome_date(int64_t *out, const char *head, size_t head_len) {
    char text[64];
    const char *end = head + head_len;
    for (const char *line = head; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL) {
            return false;
        }
        size_t len = (size_t)(next - line);
        if (len > 5 && len < sizeof(text) && strncasecmp(line, "Date:", 5) == 0) {
            struct tm tm = {0};
            memcpy(text, line, len);
            text[len] = '\0';
            if (strptime(text + 5, " %a, %d %b %Y %H:%M:%S GMT", &tm) == NULL) {
                return false;
            }
            *out = timegm(&tm);
            return true;
        }
        line = next + 1;
    }
    return false;
}

int outcome_status(const char *head, size_t head_len) {
    char line[16];
    int status = 0;
    if (head_len < sizeof(line)) {
        return 0;
    }
    memcpy(line, head, sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    return sscanf(line, "HTTP/1.%*1[01] %3d", &status) == 1 ? status : 0;
}

// write_answer adds what was agreed on, as short as it can be, and who showed a certificate.
static void write_answer(struct buf *out, const struct obj *leg) {
    static const enum field fields[] = {F_LEG_TLS_CURVE, F_LEG_TLS_NEXT_PROTOCOL, F_LEG_SUBJECT};
    buf_printf(out, "TLS ");
    text_write(out, leg, F_LEG_TLS_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (obj_has(leg, fields[i])) {
            buf_printf(out, ", ");
            text_write(out, leg, fields[i]);
        }
    }
}

static void write_alert(struct buf *out, const struct obj *leg) {
    for (size_t i = 0; i < obj_num(leg, F_LEG_ALERTS); i++) {
        const struct obj *alert = obj_at(leg, F_LEG_ALERTS, i);
        if (obj_str_is(alert, F_ALERT_FROM, "server")) {
            buf_printf(out, " ");
            text_write(out, alert, F_ALERT_NAME);
            return;
        }
    }
}

void outcome_write(char *out, size_t out_len, const struct obj *leg) {
    struct buf text;
    const char *name = outcome_name(leg);
    buf_init(&text, out_len - 1);
    if (strcmp(name, "answered") != 0) {
        buf_printf(&text, "%s", name);
    }
    if (strcmp(name, "alert") == 0 || strcmp(name, "broken-off") == 0) {
        write_alert(&text, leg);
    } else if (strcmp(name, "not-tls") == 0 && obj_has(leg, F_LEG_ANSWER_FIRST_KIND)) {
        buf_printf(&text, ": ");
        text_write(&text, leg, F_LEG_ANSWER_FIRST_KIND);
    } else if (obj_has(leg, F_LEG_END_DETAIL) && strcmp(name, "answered") != 0) {
        buf_printf(&text, ": ");
        text_write(&text, leg, F_LEG_END_DETAIL);
    }
    if (obj_has(leg, F_LEG_TLS_VERSION)) {
        bool answered = text.len == 0;
        buf_printf(&text, "%s", answered ? "" : " after ");
        write_answer(&text, leg);
        if (answered && ended(leg, "server", "alert")) {
            buf_printf(&text, ", then alert");
            write_alert(&text, leg);
        }
    }
    size_t len = text.len < out_len ? text.len : out_len - 1;
    if (len != 0) {
        memcpy(out, buf_data(&text), len);
    }
    out[len] = '\0';
    buf_cleanup(&text);
}
