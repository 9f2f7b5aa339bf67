#include "proxy/cli/hello_parts.h"

#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/record_reader.h"

static struct span span_of(const CBS *view) { return (struct span){CBS_data(view), CBS_len(view)}; }

// message_find sets the message to what `raw` holds and returns whether it is in SSLv2 format.
static bool message_find(struct hello_parts *out, struct arena *arena, struct span raw) {
    struct record_reader reader;
    struct wire_event event;
    size_t len = raw.len;
    record_reader_init(&reader, 0, 0);
    enum wire_event_type type = record_reader_next(&reader, &event, raw.p, &len);
    bool found = type == WIRE_MESSAGE || type == WIRE_SSLV2_HELLO;
    if (found) {
        out->message = (struct span){arena_dup(arena, event.p, event.len), event.len};
    }
    record_reader_cleanup(&reader);
    return type == WIRE_SSLV2_HELLO;
}

static void key_shares_read(struct hello_parts *out, CBS shares) {
    struct key_share share;
    while (out->num_key_shares < HELLO_SHARES_MAX && key_share_next(&shares, &share)) {
        if (!codepoint_is_grease(REGISTRY_GROUP, share.group)) {
            out->key_shares[out->num_key_shares++] = span_of(&share.key);
        }
    }
}

static void extensions_read(struct hello_parts *out, CBS block) {
    struct extension extension;
    while (out->num_extensions < HELLO_PARTS_MAX && extension_next(&block, &extension)) {
        out->extensions[out->num_extensions++] =
            (struct hello_extension){extension.type, span_of(&extension.body)};
    }
}

void hello_parts_read(struct hello_parts *out, struct arena *arena, struct span raw) {
    struct client_hello hello = {0};
    *out = (struct hello_parts){.num_key_shares = 0};
    bool sslv2 = raw.len != 0 && message_find(out, arena, raw);
    if (out->message.len == 0) {
        return;
    }
    if (sslv2) {
        (void)client_hello_parse_sslv2(&hello, NULL, out->message.p, out->message.len);
    } else {
        (void)client_hello_parse(&hello, NULL, out->message.p, out->message.len);
    }
    out->random = span_of(&hello.random);
    out->session_id = span_of(&hello.session_id);
    key_shares_read(out, hello.key_shares);
    extensions_read(out, hello.extensions);
}
