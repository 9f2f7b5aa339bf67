#include "proxy/tls/record_sync.h"

#include <string.h>

#include "logs/record/codepoint.h"
#include "proxy/tls/handshake.h"

enum {
    HEADER_LEN = 5,
    LENGTH_MAX = 16384 + 2048, // RFC 5246, section 6.2.3
    MESSAGE_MAX = 0x020000,    // of the lengths that handshake messages have in practice
};

enum match { MATCH_NO, MATCH_MORE, MATCH_YES };

static enum match match_handshake(const uint8_t *w, size_t len, uint16_t length) {
    if (length < 4) {
        return MATCH_NO;
    }
    if (len < RECORD_SYNC_LEN) {
        return MATCH_MORE;
    }
    uint32_t message = (uint32_t)w[6] << 16 | (uint32_t)w[7] << 8 | w[8];
    bool known = codepoint_find(REGISTRY_HANDSHAKE_TYPE, w[5]) != NULL;
    return known && message <= MESSAGE_MAX ? MATCH_YES : MATCH_NO;
}

static enum match match_alert(const uint8_t *w, size_t len, uint16_t length) {
    if (length != 2) {
        return MATCH_NO;
    }
    if (len < HEADER_LEN + 2) {
        return MATCH_MORE;
    }
    bool known = codepoint_find(REGISTRY_ALERT, w[6]) != NULL;
    return known && (w[5] == 1 || w[5] == 2) ? MATCH_YES : MATCH_NO;
}

// A ChangeCipherSpec is followed by a record in the same flight.
static enum match match_ccs(const uint8_t *w, size_t len, uint16_t length) {
    if (length != 1) {
        return MATCH_NO;
    }
    if (len < RECORD_SYNC_LEN) {
        return MATCH_MORE;
    }
    bool record = w[6] >= CONTENT_ALERT && w[6] <= CONTENT_APPLICATION_DATA && w[7] == 3;
    return w[5] == 1 && record && w[8] <= 3 ? MATCH_YES : MATCH_NO;
}

static enum match match(const uint8_t *w, size_t len) {
    if (w[0] < CONTENT_CHANGE_CIPHER_SPEC || w[0] > CONTENT_APPLICATION_DATA ||
        (len > 1 && w[1] != 3) || (len > 2 && w[2] > 3)) {
        return MATCH_NO;
    }
    if (len < HEADER_LEN) {
        return MATCH_MORE;
    }
    uint16_t length = (uint16_t)(w[3] << 8 | w[4]);
    if (length == 0 || length > LENGTH_MAX) {
        return MATCH_NO;
    }
    switch (w[0]) {
    case CONTENT_HANDSHAKE:
        return match_handshake(w, len, length);
    case CONTENT_ALERT:
        return match_alert(w, len, length);
    case CONTENT_CHANGE_CIPHER_SPEC:
        return match_ccs(w, len, length);
    default:
        return MATCH_YES;
    }
}

bool record_sync_find(struct record_sync *sync, const uint8_t *in, size_t *in_len) {
    for (size_t at = 0; at < *in_len;) {
        sync->window[sync->len++] = in[at++];
        enum match result = match(sync->window, sync->len);
        while (result == MATCH_NO && --sync->len != 0) {
            memmove(sync->window, sync->window + 1, sync->len);
            result = match(sync->window, sync->len);
        }
        if (result == MATCH_YES && sync->len != 0) {
            *in_len = at;
            return true;
        }
    }
    return false;
}
