#include "logs/record/codepoint.h"
#include "proxy/tls/client_extension.h"
#include "proxy/tls/group.h"

bool client_key_share(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    if (!CBS_get_u16_length_prefixed(body, &ch->key_shares)) {
        return false;
    }
    CBS shares = ch->key_shares;
    struct key_share share;
    for (; key_share_next(&shares, &share); ch->num_key_shares++) {
        if (codepoint_is_grease(REGISTRY_GROUP, share.group)) {
            ch->grease |= GREASE_KEY_SHARE;
        } else if (!group_share_fits(share.group, CBS_len(&share.key), true)) {
            parse_note(ps, NOTE_CH_KEY_SHARE_LENGTH, CBS_data(&share.key) - 4);
        }
    }
    if (CBS_len(&shares) != 0) {
        return false;
    }
    if (ch->num_key_shares == 0) {
        parse_note(ps, NOTE_CH_KEY_SHARE_EMPTY, at);
    }
    return true;
}

bool client_pre_shared_key(void *out, struct parse *ps, CBS *body) {
    struct client_hello *ch = out;
    const uint8_t *at = CBS_data(body);
    if (at + CBS_len(body) != CBS_data(&ch->extensions) + CBS_len(&ch->extensions)) {
        parse_note(ps, NOTE_CH_PSK_NOT_LAST, at);
    }
    if (!CBS_get_u16_length_prefixed(body, &ch->psk_identities)) {
        return false;
    }
    CBS identities = ch->psk_identities;
    struct psk_identity identity;
    for (; psk_identity_next(&identities, &identity); ch->num_psk_identities++) {
    }
    at = CBS_data(body);
    if (!CBS_get_u16_length_prefixed(body, &ch->psk_binders)) {
        return false;
    }
    CBS binders = ch->psk_binders, binder;
    for (; name_next(&binders, &binder); ch->num_psk_binders++) {
    }
    if (ch->num_psk_binders != ch->num_psk_identities) {
        parse_note(ps, NOTE_CH_PSK_BINDERS, at);
    }
    return CBS_len(&identities) == 0 && CBS_len(&binders) == 0 && ch->num_psk_identities != 0;
}

static size_t group_position(const struct client_hello *ch, uint16_t group) {
    size_t i = 0;
    while (i < ch->groups.num && code_list_at(&ch->groups, i) != group) {
        i++;
    }
    return i;
}

// RFC 8446, section 4.2.8: one share a group, each group offered, in the order of supported_groups.
void client_key_shares_check(const struct client_hello *ch, struct parse *ps) {
    enum { SHARES_COMPARED = 16 }; // real clients send up to six; the cost is quadratic
    CBS shares = ch->key_shares;
    struct key_share share;
    size_t last = 0;
    for (size_t i = 0; i < SHARES_COMPARED && key_share_next(&shares, &share); i++) {
        const uint8_t *at = CBS_data(&share.key) - 4;
        size_t position = group_position(ch, share.group);
        if (ch->groups.p != NULL && position == ch->groups.num) {
            parse_note(ps, NOTE_CH_KEY_SHARE_GROUP_NOT_OFFERED, at);
        } else if (position < last) {
            parse_note(ps, NOTE_CH_KEY_SHARE_ORDER, at);
        }
        last = position;
        CBS others = ch->key_shares;
        struct key_share other;
        while (key_share_next(&others, &other) && CBS_data(&other.key) < CBS_data(&share.key)) {
            if (other.group == share.group) {
                parse_note(ps, NOTE_CH_KEY_SHARE_DUPLICATE, at);
            }
        }
    }
}
