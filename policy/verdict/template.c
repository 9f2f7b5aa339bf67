#include "policy/verdict/template.h"

#include <inttypes.h>
#include <string.h>

#include "logs/base/check.h"
#include "logs/record/text.h"
#include "policy/verdict/predicate_fn.h"

enum { VALUE_MAX = 160 };

enum where {
    WHERE_ROOT,
    WHERE_UP,
    WHERE_OFFER,
    WHERE_VERIFICATION,
    WHERE_STAPLE,
    WHERE_DIAL,
    WHERE_CLAIM,
    WHERE_FUNCTION
};

struct slot {
    const char *name;
    enum where where;
    enum field field;
    const char *otherwise;
    bool (*fill)(struct buf *out, const struct view *view);
};

static bool fill_alert(struct buf *out, const struct alert_seen *seen) {
    int64_t code;
    const char *name = obj_str(seen->obj, F_ALERT_NAME);
    if (!obj_int(seen->obj, F_ALERT_CODE, &code)) {
        return false;
    }
    char unknown[CODEPOINT_NAME_MAX];
    name = name != NULL ? name : codepoint_name(REGISTRY_ALERT, (uint16_t)code, unknown);
    text_write_plain(out, name, strlen(name));
    buf_printf(out, " (%" PRId64 ")", code);
    return true;
}

static bool fill_server_alert(struct buf *out, const struct view *view) {
    return fill_alert(out, &view->server_alert);
}

static bool fill_client_alert(struct buf *out, const struct view *view) {
    return fill_alert(out, &view->client_alert);
}

static bool fill_box(struct buf *out, const struct view *view) {
    const struct obj *path = obj_get(view->root, F_RECORD_PATH);
    int64_t hop;
    if (!obj_int(path, F_PATH_BOX_HOP, &hop)) {
        return false;
    }
    buf_printf(out, "hop %" PRId64, hop);
    if (obj_has(path, F_PATH_BOX_ADDRESS)) {
        buf_printf(out, " (");
        text_write(out, path, F_PATH_BOX_ADDRESS);
        buf_printf(out, ")");
    }
    return true;
}

// fill_names lists what the leaf is valid for; past a few names the number says enough.
static bool fill_parent(struct buf *out, const struct view *view) {
    const char *host = obj_str(view->root, F_RECORD_PARENT_HOST);
    int64_t port;
    if (host == NULL || !obj_int(view->root, F_RECORD_PARENT_PORT, &port)) {
        return false;
    }
    bool brackets = strchr(host, ':') != NULL;
    return buf_printf(out, brackets ? "[%s]:%d" : "%s:%d", host, (int)port);
}

static bool fill_names(struct buf *out, const struct view *view) {
    enum { SHOWN = 3 };
    if (obj_num(view->up, F_LEG_CHAIN) == 0) {
        return false;
    }
    const struct obj *leaf = obj_at(view->up, F_LEG_CHAIN, 0);
    size_t num = obj_num(leaf, F_CERT_SANS);
    for (size_t i = 0; i < num && i < SHOWN; i++) {
        buf_printf(out, i == 0 ? "" : ", ");
        text_write_item(out, leaf, F_CERT_SANS, i);
    }
    if (num > SHOWN) {
        buf_printf(out, " and %zu more", num - SHOWN);
    }
    return num > 0;
}

static bool fill_inspector(struct buf *out, const struct view *view) {
    const char *product = inspector_of(view);
    return product != NULL && buf_printf(out, "%s", product);
}

static bool fill_via_inspector(struct buf *out, const struct view *view) {
    const char *product = via_inspector_of(view);
    return product != NULL && buf_printf(out, "%s", product);
}

static bool fill_leaf_form(struct buf *out, const struct view *view) {
    const char *form = leaf_form_of(view);
    return form != NULL && buf_printf(out, "%s", form);
}

static bool fill_detail(struct buf *out, const struct view *view) {
    text_write(out, view->down, F_LEG_END_DETAIL);
    return out->len != 0;
}

// fill_defects lists what makes the chain bad; what only troubles some clients does not belong
// here.
static bool fill_defects(struct buf *out, const struct view *view) {
    const struct obj *found = obj_get(view->up, F_LEG_VERIFICATION);
    const char *comma = "";
    for (size_t i = 0; i < obj_num(found, F_VERIFICATION_DEFECTS); i++) {
        const struct obj *defect = obj_at(found, F_VERIFICATION_DEFECTS, i);
        if (obj_is(defect, F_DEFECT_FATAL, true)) {
            buf_printf(out, "%s", comma);
            text_write(out, defect, F_DEFECT_ID);
            comma = ", ";
        }
    }
    return out->len != 0;
}

// clang-format off
static const struct slot slots[] = {
    {"host",            WHERE_ROOT,         F_RECORD_HOST,           "the server",         NULL},
    {"port",            WHERE_ROOT,         F_RECORD_PORT,           "PORT",               NULL},
    {"policy_rule",     WHERE_ROOT,         F_RECORD_POLICY_RULE,    "(not recorded)",     NULL},
    {"emulated",        WHERE_ROOT,         F_RECORD_EMULATION_PROFILE, "a box",           NULL},
    {"emulation_action", WHERE_ROOT,        F_RECORD_EMULATION_ACTION, "what it does",     NULL},
    {"parent",          WHERE_FUNCTION,     FIELD_COUNT,             "that was given", fill_parent},
    {"parent_detail",   WHERE_DIAL,         F_LEG_END_DETAIL,        "nothing more is known", NULL},
    {"parent_says",     WHERE_ROOT,         F_RECORD_PARENT_SAYS,    "no reason",          NULL},
    {"sni",             WHERE_OFFER,        F_LEG_SERVER_NAME,       "that it was asked for", NULL},
    {"client_versions", WHERE_OFFER,        F_LEG_OFFER_VERSIONS,    "its versions",       NULL},
    {"client_alpn",     WHERE_OFFER,        F_LEG_OFFER_ALPN,        "its protocols",      NULL},
    {"server_version",  WHERE_UP,           F_LEG_ANSWER_VERSION,    "another version",    NULL},
    {"suite",           WHERE_UP,           F_LEG_TLS_CIPHER,        "a suite",            NULL},
    {"probe_end",       WHERE_UP,           F_LEG_END_DETAIL,        "it does not say why", NULL},
    {"dh_bits",         WHERE_UP,           F_LEG_ANSWER_DH_BITS,    "too few",            NULL},
    {"banner",          WHERE_UP,           F_LEG_ANSWER_FIRST_KIND, "unknown",            NULL},
    {"subject",         WHERE_UP,           F_LEG_SUBJECT,           "subject unknown",    NULL},
    {"issuer",          WHERE_UP,           F_LEG_ISSUER,            "its issuer",         NULL},
    {"not_before",      WHERE_UP,           F_LEG_NOT_BEFORE,        "its date",           NULL},
    {"not_after",       WHERE_UP,           F_LEG_NOT_AFTER,         "its date",           NULL},
    {"name",            WHERE_VERIFICATION, F_VERIFICATION_NAME,     "the name asked for", NULL},
    {"completed_by",    WHERE_VERIFICATION, F_VERIFICATION_COMPLETED_BY, "an intermediate", NULL},
    {"revoked_at",      WHERE_STAPLE,       F_STAPLE_REVOKED_AT,     "some time",          NULL},
    {"staple",          WHERE_STAPLE,       F_STAPLE_RESULT,         "bad",                NULL},
    {"claim",           WHERE_CLAIM,        F_CLAIM_CLIENT,          "the client",         NULL},
    {"hello_like",      WHERE_CLAIM,        F_CLAIM_LIKE,            "a known library",    NULL},
    {"detail",          WHERE_FUNCTION,     FIELD_COUNT,             "it ends too early", fill_detail},
    {"dns_error",       WHERE_DIAL,         F_LEG_DNS_ERROR,         "no reason",          NULL},
    {"server_alert",    WHERE_FUNCTION,     FIELD_COUNT,             "an alert", fill_server_alert},
    {"client_alert",    WHERE_FUNCTION,     FIELD_COUNT,             "an alert", fill_client_alert},
    {"inspector",       WHERE_FUNCTION,     FIELD_COUNT,             "a product", fill_inspector},
    {"via_inspector",   WHERE_FUNCTION,     FIELD_COUNT,             "a product", fill_via_inspector},
    {"leaf_form",       WHERE_FUNCTION,     FIELD_COUNT,             "another form", fill_leaf_form},
    {"box",             WHERE_FUNCTION,     FIELD_COUNT,             "some hop",            fill_box},
    {"names",           WHERE_FUNCTION,     FIELD_COUNT,             "other names",     fill_names},
    {"defects",         WHERE_FUNCTION,     FIELD_COUNT,             "reason unknown", fill_defects},
};
// clang-format on

static const struct slot *slot_find(const char *name, size_t name_len) {
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        if (strlen(slots[i].name) == name_len && memcmp(slots[i].name, name, name_len) == 0) {
            return &slots[i];
        }
    }
    return NULL;
}

static const struct obj *slot_object(const struct slot *slot, const struct view *view) {
    switch (slot->where) {
    case WHERE_ROOT:
        return view->root;
    case WHERE_UP:
        return view->up;
    case WHERE_OFFER:
        return view->offer;
    case WHERE_VERIFICATION:
        return obj_get(view->up, F_LEG_VERIFICATION);
    case WHERE_STAPLE:
        return obj_get(view->up, F_LEG_STAPLE);
    case WHERE_DIAL:
        return view->dial;
    case WHERE_CLAIM:
        return view->claim;
    case WHERE_FUNCTION:
        break;
    }
    return NULL;
}

// put appends as much as there is room for.
static void put(struct buf *out, const void *p, size_t p_len) {
    size_t room = buf_room(out);
    CHECK(buf_append(out, p, p_len < room ? p_len : room));
}

static void slot_fill(struct buf *out, const struct slot *slot, const struct view *view) {
    struct buf value;
    buf_init(&value, VALUE_MAX);
    const struct obj *obj = slot_object(slot, view);
    bool filled = slot->fill != NULL ? slot->fill(&value, view) : obj_has(obj, slot->field);
    if (filled && slot->fill == NULL) {
        text_write(&value, obj, slot->field);
    }
    if (!filled || value.len == 0) {
        put(out, slot->otherwise, strlen(slot->otherwise));
    } else {
        put(out, buf_data(&value), value.len);
    }
    buf_cleanup(&value);
}

void template_fill(struct buf *out, const struct view *view, const char *text) {
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        put(out, text, plain);
        text += plain;
        if (*text == '{') {
            size_t len = strcspn(++text, "}");
            const struct slot *slot = slot_find(text, len);
            CHECK(slot != NULL);
            slot_fill(out, slot, view);
            text += len + 1;
        }
    }
}

bool template_check(const char *text) {
    for (text = strchr(text, '{'); text != NULL; text = strchr(text, '{')) {
        size_t len = strcspn(++text, "}");
        if (text[len] != '}' || slot_find(text, len) == NULL) {
            return false;
        }
        text += len + 1;
    }
    return true;
}
