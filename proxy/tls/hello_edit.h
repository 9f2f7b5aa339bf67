// Edits of a ClientHello draft: extensions, the lists inside them, GREASE, sizes. All but the
// first few are for hellos in TLS format; one that passes a ceiling sets `draft->overflow`.
#ifndef PROXY_TLS_HELLO_EDIT_H_
#define PROXY_TLS_HELLO_EDIT_H_

#include "proxy/tls/extension.h"
#include "proxy/tls/hello_draft.h"

// hello_edit_find returns the first extension of `type`, valid until the next edit, or NULL.
const struct hello_extension *hello_edit_find(const struct hello_draft *draft, uint16_t type);

// hello_edit_position returns its place among the extensions, or draft->num_extensions.
size_t hello_edit_position(const struct hello_draft *draft, uint16_t type);

// hello_edit_insert puts an extension before the one that is at `position`, at most
// draft->num_extensions.
void hello_edit_insert(struct hello_draft *draft, size_t position, uint16_t type,
                       const uint8_t *body, size_t body_len);

// hello_edit_set replaces the body of the first extension of `type`, or adds one at the end:
// before pre_shared_key, which has to be the last (RFC 8446, section 4.2.11).
void hello_edit_set(struct hello_draft *draft, uint16_t type, const uint8_t *body, size_t body_len);

// hello_edit_remove removes all extensions of `type` and returns whether there was one.
// hello_edit_remove_at removes that at `position`.
bool hello_edit_remove(struct hello_draft *draft, uint16_t type);
void hello_edit_remove_at(struct hello_draft *draft, size_t position);

// hello_edit_move takes the extension at `from` out and puts it in again so that it is at `to`.
void hello_edit_move(struct hello_draft *draft, size_t from, size_t to);

// hello_edit_session_id and the like replace a field by a copy of `p`.
void hello_edit_session_id(struct hello_draft *draft, const uint8_t *p, size_t p_len);
void hello_edit_compressions(struct hello_draft *draft, const uint8_t *p, size_t p_len);
void hello_edit_trailing(struct hello_draft *draft, const uint8_t *p, size_t p_len);

// hello_edit_ciphers replaces the suites; in SSLv2 format those below 0x10000 are of TLS, the
// others of SSL 2.0. hello_edit_add_cipher adds one at the end, unless it is there.
// hello_edit_remove_cipher returns whether it was there.
void hello_edit_ciphers(struct hello_draft *draft, const uint32_t *ciphers, size_t num_ciphers);
void hello_edit_add_cipher(struct hello_draft *draft, uint32_t cipher);
bool hello_edit_remove_cipher(struct hello_draft *draft, uint32_t cipher);

// hello_edit_sni sets the one host_name (RFC 6066, section 3), in the place of the extension that
// is there. NULL removes the extension.
void hello_edit_sni(struct hello_draft *draft, const char *host);

// hello_edit_versions sets supported_versions; none removes the extension.
void hello_edit_versions(struct hello_draft *draft, const uint16_t *versions, size_t num_versions);

// hello_edit_version_range leaves only the versions from `min` to `max` on offer, adding what is
// missing: with `max` below 0x0304 the hello becomes one of before TLS 1.3, without its suites and
// extensions; with `min` 0x0304 the suites of before go. GREASE stays. Key shares and groups are
// the caller's to add (hello_keys_offer).
void hello_edit_version_range(struct hello_draft *draft, uint16_t min, uint16_t max);

// hello_edit_groups sets supported_groups and takes the key shares of other groups out.
// hello_edit_sigalgs sets signature_algorithms. None removes the extension.
void hello_edit_groups(struct hello_draft *draft, const uint16_t *groups, size_t num_groups);
void hello_edit_sigalgs(struct hello_draft *draft, const uint16_t *sigalgs, size_t num_sigalgs);

// hello_edit_alpn sets the protocol names (RFC 7301), each of 1 to 255 bytes; none removes the
// extension.
void hello_edit_alpn(struct hello_draft *draft, const char *const *names, size_t num_names);

// hello_edit_key_share replaces the share of `group`, or adds one at the end. Shares whose keys we
// have are made by hello_keys.h.
void hello_edit_key_share(struct hello_draft *draft, uint16_t group, const uint8_t *key,
                          size_t key_len);

// hello_edit_remove_key_share removes the share of `group`; hello_edit_no_key_shares leaves an
// empty list, which asks for a HelloRetryRequest.
bool hello_edit_remove_key_share(struct hello_draft *draft, uint16_t group);
void hello_edit_no_key_shares(struct hello_draft *draft);

// hello_edit_remove_grease takes every reserved value of RFC 8701 out: suites, extensions, groups,
// versions, signature algorithms, ALPN, key shares, PSK modes. It returns whether there was one.
bool hello_edit_remove_grease(struct hello_draft *draft);

// hello_edit_add_grease adds them where Chromium has them, the values depending on `seed`.
void hello_edit_add_grease(struct hello_draft *draft, uint64_t seed);

// hello_edit_alpn_grease puts a reserved value in front of the protocol names, where there are any:
// Chromium does not.
void hello_edit_alpn_grease(struct hello_draft *draft, uint64_t seed);

// hello_edit_ech_grease sets encrypted_client_hello to GREASE (RFC 9849, section 6.2) that depends
// on `seed`, with a payload of `payload_len` bytes; Chromium's has 144, 176, 208 or 240.
void hello_edit_ech_grease(struct hello_draft *draft, uint64_t seed, size_t payload_len);

// hello_edit_pad makes the message `total` bytes long with an extension of padding (RFC 7685), in
// place of one that is there. It returns false when it is longer without; one to three bytes below
// `total` it becomes that much longer, as an empty extension has four.
bool hello_edit_pad(struct hello_draft *draft, size_t total);

// hello_edit_ticket sets session_ticket (RFC 5077); an empty one asks for a ticket.
void hello_edit_ticket(struct hello_draft *draft, const uint8_t *ticket, size_t ticket_len);

// hello_edit_psk sets pre_shared_key, as the last extension, to one identity and a binder of 32
// bytes, both of no worth and depending on `seed`, and adds psk_key_exchange_modes; with
// `early_data` that extension, too.
void hello_edit_psk(struct hello_draft *draft, uint64_t seed, size_t identity_len, bool early_data);

// hello_edit_cut_record and hello_edit_cut_segment add a cut; hello_edit_no_cuts removes all of
// both kinds. One at HELLO_CUT_IN_SNI finds the name when it is written.
void hello_edit_cut_record(struct hello_draft *draft, int32_t offset);
void hello_edit_cut_segment(struct hello_draft *draft, int32_t offset, uint32_t pause_ms);
void hello_edit_no_cuts(struct hello_draft *draft);

#endif // PROXY_TLS_HELLO_EDIT_H_
