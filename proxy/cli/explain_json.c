#include <string.h>

#include "logs/record/json.h"
#include "proxy/cli/client_word.h"
#include "proxy/cli/explain_page.h"

// key writes "key": behind a comma where it is not the first of its object.
static bool key(struct buf *out, const char *name) {
    bool first = out->len != 0 && buf_data(out)[out->len - 1] == '{';
    return buf_printf(out, "%s\"%s\":", first ? "" : ",", name);
}

// member writes a key and its string, or nothing for a NULL `value`.
static bool member(struct buf *out, const char *name, const char *value) {
    return value == NULL || (key(out, name) && json_write_string(out, value, strlen(value)));
}

static bool number(struct buf *out, const char *name, int64_t value) {
    return key(out, name) && buf_printf(out, "%lld", (long long)value);
}

static bool write_told(struct buf *out, enum cause cause) {
    struct tellers tellers;
    manual_tellers(&tellers, cause);
    bool ok = member(out, "told_by", telling_name(tellers.telling));
    if (tellers.telling >= TELLS_HISTORY) {
        ok = ok && member(out, "up_to", confidence_name(tellers.surest));
    }
    ok = ok && key(out, "rules") && buf_printf(out, "[");
    for (size_t i = 0; ok && i < tellers.num; i++) {
        ok = buf_printf(out, "%s\"%s\"", i == 0 ? "" : ",", tellers.rules[i]->id);
    }
    return ok && buf_printf(out, "]");
}

// write_row leaves the object open, for more.
static bool write_row(struct buf *out, enum cause cause) {
    const struct cause_row *row = cause_row(cause);
    return buf_printf(out, "{") && member(out, "cause", row->id) &&
           number(out, "number", row->number) && member(out, "section", manual_section(cause)) &&
           member(out, "party", party_name(row->party)) && member(out, "says", row->summary) &&
           write_told(out, cause);
}

bool explain_cause_json(struct buf *out, enum cause cause) {
    static const char *const readers[READER_COUNT] = {"user", "client_developer", "server_admin",
                                                      "box_admin", "proxy_admin"};
    static const char *const programs[PROGRAM_COUNT] = {"chrome", "firefox", "curl"};
    const struct manual *manual = manual_row(cause);
    bool ok = write_row(out, cause) && member(out, "client_leg", manual->client) &&
              member(out, "server_leg", manual->server) &&
              member(out, "told_apart", manual->apart) && key(out, "seen") && buf_printf(out, "{");
    for (enum program i = 0; i < PROGRAM_COUNT; i++) {
        ok = ok && member(out, programs[i], manual->sees[i]);
    }
    ok = ok && buf_printf(out, "}") && member(out, "remedy", cause_row(cause)->remedy) &&
         key(out, "remedies") && buf_printf(out, "{");
    for (enum reader i = 0; i < READER_COUNT; i++) {
        ok = ok && member(out, readers[i], manual->remedy[i]);
    }
    return ok && buf_printf(out, "}") && member(out, "settled_by", manual->test) &&
           buf_printf(out, "}");
}

bool explain_list_json(struct buf *out) {
    bool ok = buf_printf(out, "[");
    const char *comma = "";
    for (enum cause cause = 0; ok && cause < CAUSE_COUNT; cause++) {
        if (cause_row(cause)->number != 0) {
            ok = buf_printf(out, "%s", comma) && write_row(out, cause) && buf_printf(out, "}");
            comma = ",";
        }
    }
    return ok && buf_printf(out, "]");
}

static bool write_word(struct buf *out, const struct obj *root) {
    struct arena arena = {0};
    struct client_word word;
    bool ok = true;
    if (client_word_of(&word, &arena, root)) {
        ok = key(out, "client_said") && buf_printf(out, "{");
        ok = ok && (word.code == CLIENT_CLOSES ? key(out, "closed") && buf_printf(out, "true")
                                               : number(out, "alert", word.code));
        ok = ok && key(out, "senders") && buf_printf(out, "[");
        for (size_t i = 0; ok && i < word.num; i++) {
            ok = buf_printf(out, "%s{", i == 0 ? "" : ",") &&
                 member(out, "clients", word.senders[i].names) &&
                 member(out, "for", word.senders[i].reasons) &&
                 member(out, "source", word.senders[i].source) && buf_printf(out, "}");
        }
        ok = ok && buf_printf(out, "]}");
    }
    arena_cleanup(&arena);
    return ok;
}

bool explain_record_json(struct buf *out, const struct obj *root) {
    const struct obj *verdict = obj_get(root, F_RECORD_VERDICT);
    const char *id = obj_str(verdict, F_VERDICT_CAUSE);
    enum cause cause = id != NULL ? cause_find(id) : CAUSE_COUNT;
    int64_t port;
    bool ok = buf_printf(out, "{") && member(out, "id", obj_str(root, F_RECORD_ID)) &&
              member(out, "host", obj_str(root, F_RECORD_HOST));
    if (obj_int(root, F_RECORD_PORT, &port)) {
        ok = ok && number(out, "port", port);
    }
    ok = ok && key(out, "verdict") && json_write(out, verdict) && write_word(out, root);
    if (cause != CAUSE_COUNT) {
        ok = ok && key(out, "manual") && explain_cause_json(out, cause);
    }
    return ok && buf_printf(out, "}");
}
