// A box that only edits: the client's hello goes on changed, and everything else as it is.
#include <stdlib.h>

#include "proxy/session/emulate.h"
#include "proxy/tls/hello_edit.h"
#include "proxy/tls/hello_list.h"

static bool stripped(const struct profile_codes *strip, uint32_t code) {
    for (size_t i = 0; i < strip->num; i++) {
        if (strip->ids[i] == code) {
            return true;
        }
    }
    return false;
}

// strip_groups takes groups out of supported_groups, and their key shares with them.
static void strip_groups(struct hello_draft *draft, const struct client_hello *hello,
                         const struct profile_codes *strip) {
    uint16_t *kept = xcalloc((size_t)hello->groups.num + 1, sizeof(*kept));
    size_t num = 0;
    for (size_t i = 0; i < hello->groups.num; i++) {
        uint32_t group = code_list_at(&hello->groups, i);
        if (!stripped(strip, group)) {
            kept[num++] = (uint16_t)group;
        }
    }
    if (num != hello->groups.num) {
        hello_edit_groups(draft, kept, num);
    }
    free(kept);
}

static void edit_apply(struct hello_draft *draft, const struct client_hello *hello,
                       const struct profile_edit *edit) {
    if (edit->strip_groups.num != 0) {
        strip_groups(draft, hello, &edit->strip_groups);
    }
    for (size_t i = 0; i < edit->strip_ciphers.num; i++) {
        (void)hello_edit_remove_cipher(draft, edit->strip_ciphers.ids[i]);
    }
    if (edit->drop_grease) {
        (void)hello_edit_remove_grease(draft);
    }
    if (edit->sni != NULL) {
        hello_edit_sni(draft, edit->sni);
    }
    for (size_t i = 0; i < edit->strip_extensions.num; i++) {
        (void)hello_edit_remove(draft, edit->strip_extensions.ids[i]);
    }
}

// hello_write appends the edited hello to `out`, or the client's own bytes where they cannot be
// edited (SSLv2 format).
static void hello_write(struct buf *out, struct span wire, const struct client_hello *hello,
                        const struct profile_edit *edit) {
    struct hello_draft draft;
    struct err err;
    hello_draft_init(&draft);
    bool ok = !hello->sslv2 && hello_draft_read_wire(&draft, NULL, wire.p, wire.len, &err);
    if (ok) {
        edit_apply(&draft, hello, edit);
        ok = hello_draft_wire(&draft, out, NULL, &err);
    }
    hello_draft_cleanup(&draft);
    if (!ok) {
        buf_consume(out, out->len);
        CHECK(buf_append(out, wire.p, wire.len));
    }
}

void emulate_edit_hello(struct session *s, const struct profile_edit *edit) {
    struct lane *client = &s->lanes[SIDE_CLIENT], *server = &s->lanes[SIDE_SERVER];
    const struct observe *observe = &client->observe;
    struct span wire = lane_peek(client);
    struct client_hello hello;
    struct buf out;
    wire.len = s->peek.wire_len;
    if (observe->sslv2) {
        (void)client_hello_parse_sslv2(&hello, NULL, observe->hello.p, observe->hello.len);
    } else {
        (void)client_hello_parse(&hello, NULL, observe->hello.p, observe->hello.len);
    }
    buf_init(&out, HELLO_DRAFT_WIRE_MAX + wire.len);
    hello_write(&out, wire, &hello, edit);
    observe_step(&server->observe, STEP_HELLO, s->now_us);
    observe_hello(&server->observe, buf_data(&out), out.len, 1, s->now_us);
    tunnel_replace(s, wire.len, buf_data(&out), out.len);
    buf_cleanup(&out);
}
