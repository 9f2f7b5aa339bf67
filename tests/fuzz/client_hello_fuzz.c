// Target functions: client_hello_parse, client_hello_parse_sslv2, fingerprint_*.
#include <stdlib.h>

#include "proxy/tls/client_hello.h"
#include "proxy/tls/extension.h"
#include "proxy/tls/fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

// A view may only point into the message.
static void inside(const CBS *view, const uint8_t *data, size_t data_len) {
    const uint8_t *p = CBS_data(view);
    CHECK(p == NULL || (p >= data && p + CBS_len(view) <= data + data_len));
}

static void lists_walk(const struct client_hello *ch, const uint8_t *data, size_t data_len) {
    CBS view, element;
    struct key_share share;
    struct psk_identity identity;
    struct extension ext;
    uint32_t num = 0;
    for (view = ch->extensions; extension_next(&view, &ext); num++) {
        inside(&ext.body, data, data_len);
    }
    CHECK(num == ch->num_extensions);
    for (num = 0, view = ch->key_shares; key_share_next(&view, &share); num++) {
        inside(&share.key, data, data_len);
    }
    CHECK(num == ch->num_key_shares);
    for (num = 0, view = ch->psk_identities; psk_identity_next(&view, &identity); num++) {
        inside(&identity.identity, data, data_len);
    }
    CHECK(num == ch->num_psk_identities);
    for (num = 0, view = ch->alpn; name_next(&view, &element); num++) {
        inside(&element, data, data_len);
    }
    CHECK(num == ch->num_alpn);
    for (num = 0, view = ch->authorities; dn_next(&view, &element); num++) {
        inside(&element, data, data_len);
    }
    CHECK(num == ch->num_authorities);
}

static void codes_walk(const struct code_list *list, const uint8_t *data, size_t data_len) {
    for (size_t i = 0; i < list->num; i++) {
        (void)code_list_at(list, i);
    }
    CHECK(list->num == 0 ||
          (list->p >= data && list->p + (size_t)list->num * list->width <= data + data_len));
}

static void hello_check(const struct client_hello *ch, const struct note_sink *notes, bool ok,
                        const uint8_t *data, size_t data_len) {
    const CBS *views[] = {&ch->random, &ch->session_id,  &ch->sni,         &ch->cookie,
                          &ch->alps,   &ch->ech.payload, &ch->psk_binders, &ch->trailing};
    const struct code_list *lists[] = {&ch->ciphers,      &ch->compressions,      &ch->versions,
                                       &ch->groups,       &ch->point_formats,     &ch->sigalgs,
                                       &ch->sigalgs_cert, &ch->cert_compressions, &ch->psk_modes};
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        inside(views[i], data, data_len);
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        codes_walk(lists[i], data, data_len);
    }
    lists_walk(ch, data, data_len);
    CHECK(ok || notes->num != 0 || data_len < 4 || data[0] != 1 || ch->sslv2);
    for (size_t i = 0; i < notes->num; i++) {
        CHECK(notes->notes[i].offset <= data_len);
    }
}

static void fingerprints_check(const struct client_hello *ch) {
    char ja3[JA3_SIZE], ja4[JA4_SIZE];
    struct buf text;
    buf_init(&text, 4096);
    CHECK(fingerprint_ja3(ja3, ch) == !ch->sslv2);
    CHECK(fingerprint_ja4(ja4, JA4_TCP, ch) == !ch->sslv2);
    fingerprint_ja3_text(&text, ch);
    fingerprint_ja4_raw(&text, JA4_QUIC, ch);
    buf_cleanup(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    struct client_hello ch;
    struct note_sink notes = {0};
    bool ok = client_hello_parse(&ch, &notes, data, data_len);
    hello_check(&ch, &notes, ok, data, data_len);
    fingerprints_check(&ch);
    notes = (struct note_sink){0};
    ok = client_hello_parse_sslv2(&ch, &notes, data, data_len);
    hello_check(&ch, &notes, ok, data, data_len);
    fingerprints_check(&ch);
    return 0;
}
