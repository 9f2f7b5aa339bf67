// What the files of this room share.
#ifndef PROXY_OBSERVE_INTERNAL_H_
#define PROXY_OBSERVE_INTERNAL_H_

#include "proxy/observe/observe.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/client_hello.h"
#include "proxy/tls/code_list.h"

// observe_notes copies what a parser found odd into the record.
void observe_notes(struct observe *observe, const struct note_sink *notes);

// observe_codes sets CODES `field` to `list`, unless it was not sent.
void observe_codes(struct observe *observe, enum field field, const struct code_list *list);

// observe_extensions sets CODES `field` to the types of an extension block without its length.
void observe_extensions(struct observe *observe, enum field field, CBS block);

// offer_write writes a ClientHello's facts to LEG.offer and LEG.tls.client, but for the
// fingerprints: those of half a hello would be somebody else's.
void offer_write(struct observe *observe, const struct client_hello *hello);
void offer_fingerprints(struct observe *observe, const struct client_hello *hello);

// chain_begin gives the leg a chain without certificates, of the server or the client; chain_add
// appends one certificate.
void chain_begin(struct observe *observe, bool of_client);
void chain_add(struct observe *observe, bool of_client, CBS der);

// chain_link tells, when the server's chain is whole, who issued whom.
void chain_link(struct observe *observe);

// scts_add appends the timestamps of `list`, which came in `source`: certificate, tls or ocsp.
void scts_add(struct obj *leg, const char *source, CBS list);

// staple_take takes the OCSP response for the leaf, whose certificate must be in the record.
// staple_miss says that none comes any more, which is told where the leaf demands one.
void staple_take(struct observe *observe, CBS response);
void staple_miss(struct observe *observe);

// answer_message takes a message of the server, client_auth_message one of the client that is no
// ClientHello.
void answer_message(struct observe *observe, const uint8_t *p, size_t p_len, int64_t now_us);
void client_auth_message(struct observe *observe, const uint8_t *p, size_t p_len);

// certificate_uncompress returns the Certificate that `message` holds, with its header, and sets
// `*out_len`. The caller frees it. NULL, mostly with a note: it cannot be had.
uint8_t *certificate_uncompress(size_t *out_len, struct note_sink *notes,
                                const struct compressed_certificate *message);

// tap_keys_answer takes the ServerHello, `p`, that was just observed: from there on TLS 1.3 is
// encrypted.
void tap_keys_answer(struct wire_tap *tap, const uint8_t *p, size_t p_len);

// tap_keys_ccs takes a ChangeCipherSpec: from there on TLS 1.2 is encrypted.
void tap_keys_ccs(struct wire_tap *tap, bool from_client);

// tap_keys_message takes a handshake message that was opened, changes keys where it says so and
// returns whether it is one to be observed.
bool tap_keys_message(struct wire_tap *tap, bool from_client, const uint8_t *p, size_t p_len);

// tap_keys_opaque takes a record that was not opened. A secret that nothing needed is not missed: a
// client that refuses the certificate never makes those for application data.
void tap_keys_opaque(struct wire_tap *tap, bool from_client);

#endif // PROXY_OBSERVE_INTERNAL_H_
