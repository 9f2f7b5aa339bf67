// Target functions: server_hello_parse, encrypted_extensions_parse, certificate_parse,
// compressed_certificate_parse, certificate_status_parse, certificate_request_parse,
// server_key_exchange_parse, certificate_verify_parse, session_ticket_parse, finished_parse,
// key_update_parse, empty_message_parse, fingerprint_ja3s.
//
// Three bytes of version and cipher suite come before the message, whose type chooses the parser.
#include <stdlib.h>

#include "proxy/tls/certificate.h"
#include "proxy/tls/certificate_request.h"
#include "proxy/tls/encrypted_extensions.h"
#include "proxy/tls/fingerprint.h"
#include "proxy/tls/handshake.h"
#include "proxy/tls/key_exchange.h"
#include "proxy/tls/server_hello.h"
#include "proxy/tls/session_ticket.h"
#include "proxy/tls/short_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static void hello(struct note_sink *notes, const uint8_t *p, size_t p_len) {
    struct server_hello sh;
    char ja3s[JA3_SIZE];
    (void)!server_hello_parse(&sh, notes, p, p_len);
    CHECK(fingerprint_ja3s(ja3s, &sh));
}

static void certificate(struct note_sink *notes, bool tls13, const uint8_t *p, size_t p_len) {
    struct certificate_message message;
    (void)!certificate_parse(&message, notes, tls13, p, p_len);
    CBS entries = message.entries;
    struct certificate_entry entry;
    unsigned num = 0;
    while (certificate_next(&message, &entries, &entry)) {
        CHECK(CBS_len(&entry.der) <= p_len && CBS_len(&entry.staple) <= p_len);
        num++;
    }
    CHECK(num >= message.num_entries);
}

static void message(struct note_sink *notes, uint16_t version, uint16_t cipher, const uint8_t *p,
                    size_t p_len) {
    bool tls13 = version > 0x0303, requested;
    struct encrypted_extensions ee;
    struct compressed_certificate compressed;
    struct certificate_status status;
    struct certificate_request cr;
    struct server_key_exchange ske;
    struct certificate_verify cv;
    struct session_ticket nst;
    CBS data;
    switch (p[0]) {
    case HANDSHAKE_SERVER_HELLO:
        hello(notes, p, p_len);
        break;
    case HANDSHAKE_ENCRYPTED_EXTENSIONS:
        (void)!encrypted_extensions_parse(&ee, notes, p, p_len);
        break;
    case HANDSHAKE_CERTIFICATE:
        certificate(notes, tls13, p, p_len);
        break;
    case HANDSHAKE_COMPRESSED_CERTIFICATE:
        (void)!compressed_certificate_parse(&compressed, notes, p, p_len);
        break;
    case HANDSHAKE_CERTIFICATE_STATUS:
        (void)!certificate_status_parse(&status, notes, p, p_len);
        break;
    case HANDSHAKE_CERTIFICATE_REQUEST:
        (void)!certificate_request_parse(&cr, notes, version, p, p_len);
        break;
    case HANDSHAKE_SERVER_KEY_EXCHANGE:
        (void)!server_key_exchange_parse(&ske, notes, version, cipher, p, p_len);
        break;
    case HANDSHAKE_CERTIFICATE_VERIFY:
        (void)!certificate_verify_parse(&cv, notes, version, p, p_len);
        break;
    case HANDSHAKE_NEW_SESSION_TICKET:
        (void)!session_ticket_parse(&nst, notes, tls13, p, p_len);
        break;
    case HANDSHAKE_FINISHED:
        (void)!finished_parse(&data, notes, p, p_len);
        break;
    case HANDSHAKE_KEY_UPDATE:
        (void)!key_update_parse(&requested, notes, p, p_len);
        break;
    default:
        (void)!empty_message_parse(notes, p[0], p, p_len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len) {
    if (data_len < 4) {
        return 0;
    }
    struct note_sink notes = {0};
    message(&notes, (uint16_t)(0x0300 | data[0] % 5), (uint16_t)(data[1] << 8 | data[2]), data + 3,
            data_len - 3);
    for (size_t i = 0; i < notes.num; i++) {
        CHECK(notes.notes[i].offset <= data_len - 3);
    }
    return 0;
}
