// What a client shows of itself: its certificates, and the signature made with their key.
#include <stdlib.h>

#include "proxy/observe/internal.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/key_exchange.h"

static void on_certificate(struct observe *observe, struct note_sink *notes, const uint8_t *p,
                           size_t p_len) {
    struct certificate_message message;
    struct certificate_entry entry;
    (void)certificate_parse(&message, notes, observe->version >= 0x0304, p, p_len);
    obj_set_int(observe->leg, F_LEG_ANSWER_CLIENT_CERT, message.num_entries != 0);
    if (message.num_entries == 0 || obj_has(observe->leg, F_LEG_CLIENT_CHAIN)) {
        return;
    }
    chain_begin(observe, true);
    for (CBS entries = message.entries; certificate_next(&message, &entries, &entry);) {
        chain_add(observe, true, entry.der);
    }
}

static void on_compressed_certificate(struct observe *observe, struct note_sink *notes,
                                      const uint8_t *p, size_t p_len) {
    struct compressed_certificate message;
    size_t len;
    if (compressed_certificate_parse(&message, notes, p, p_len)) {
        uint8_t *plain = certificate_uncompress(&len, notes, &message);
        if (plain != NULL) {
            on_certificate(observe, notes, plain, len);
        }
        free(plain);
    }
}

static void on_certificate_verify(struct observe *observe, struct note_sink *notes,
                                  const uint8_t *p, size_t p_len) {
    struct certificate_verify verify;
    if (certificate_verify_parse(&verify, notes, observe->version, p, p_len) && verify.has_scheme) {
        obj_set_int(observe->leg, F_LEG_ANSWER_CLIENT_SIGNATURE, verify.scheme);
    }
}

void client_auth_message(struct observe *observe, const uint8_t *p, size_t p_len) {
    struct note_sink notes = {0};
    if (p[0] == HANDSHAKE_CERTIFICATE) {
        on_certificate(observe, &notes, p, p_len);
    } else if (p[0] == HANDSHAKE_COMPRESSED_CERTIFICATE) {
        on_compressed_certificate(observe, &notes, p, p_len);
    } else if (p[0] == HANDSHAKE_CERTIFICATE_VERIFY) {
        on_certificate_verify(observe, &notes, p, p_len);
    }
    observe_notes(observe, &notes);
}
