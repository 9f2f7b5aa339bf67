#include "proxy/tls/key_schedule.h"

#include <string.h>

enum { LABEL_MAX = 12 };

// The picture of RFC 8446, section 7.1, from top to bottom.
// clang-format off
static const struct {
    enum key_stage stage;
    const char *label;
} secrets[] = {
    [KEY_CLIENT_EARLY_TRAFFIC]     = {KEY_STAGE_EARLY,     "c e traffic"},
    [KEY_CLIENT_HANDSHAKE_TRAFFIC] = {KEY_STAGE_HANDSHAKE, "c hs traffic"},
    [KEY_SERVER_HANDSHAKE_TRAFFIC] = {KEY_STAGE_HANDSHAKE, "s hs traffic"},
    [KEY_CLIENT_TRAFFIC]           = {KEY_STAGE_MASTER,    "c ap traffic"},
    [KEY_SERVER_TRAFFIC]           = {KEY_STAGE_MASTER,    "s ap traffic"},
    [KEY_EXPORTER]                 = {KEY_STAGE_MASTER,    "exp master"},
    [KEY_RESUMPTION]               = {KEY_STAGE_MASTER,    "res master"},
};
// clang-format on

void key_schedule_label(uint8_t *out, size_t out_len, const EVP_MD *digest, const uint8_t *secret,
                        const char *label, const uint8_t *context, size_t context_len) {
    static const char prefix[] = {'t', 'l', 's', '1', '3', ' '};
    uint8_t info[2 + 1 + sizeof(prefix) + LABEL_MAX + 1 + EVP_MAX_MD_SIZE];
    CBB cbb, child;
    size_t info_len;
    CHECK(strlen(label) <= LABEL_MAX && CBB_init_fixed(&cbb, info, sizeof(info)));
    CHECK(CBB_add_u16(&cbb, (uint16_t)out_len) && CBB_add_u8_length_prefixed(&cbb, &child) &&
          CBB_add_bytes(&child, (const uint8_t *)prefix, sizeof(prefix)) &&
          CBB_add_bytes(&child, (const uint8_t *)label, strlen(label)) &&
          CBB_add_u8_length_prefixed(&cbb, &child) && CBB_add_bytes(&child, context, context_len) &&
          CBB_finish(&cbb, NULL, &info_len));
    CHECK(HKDF_expand(out, out_len, digest, secret, EVP_MD_size(digest), info, info_len));
}

// extract makes the secret of a stage; nothing as input stands for as many zeros as the hash has.
static void extract(struct key_schedule *schedule, const uint8_t *input, size_t input_len,
                    const uint8_t *salt, size_t salt_len) {
    static const uint8_t zeros[KEY_SCHEDULE_HASH_MAX];
    size_t len;
    if (input_len == 0) {
        input = zeros;
        input_len = EVP_MD_size(schedule->digest);
    }
    CHECK(HKDF_extract(schedule->secret, &len, schedule->digest, input, input_len, salt, salt_len));
}

void key_schedule_init(struct key_schedule *schedule, const EVP_MD *digest, const uint8_t *psk,
                       size_t psk_len) {
    CHECK(EVP_MD_size(digest) <= KEY_SCHEDULE_HASH_MAX);
    *schedule = (struct key_schedule){.digest = digest, .stage = KEY_STAGE_EARLY};
    extract(schedule, psk, psk_len, NULL, 0);
}

void key_schedule_next(struct key_schedule *schedule, const uint8_t *input, size_t input_len) {
    uint8_t empty[EVP_MAX_MD_SIZE], salt[KEY_SCHEDULE_HASH_MAX];
    unsigned hash_len;
    CHECK(schedule->stage < KEY_STAGE_MASTER);
    CHECK(EVP_Digest(NULL, 0, empty, &hash_len, schedule->digest, NULL));
    key_schedule_label(salt, hash_len, schedule->digest, schedule->secret, "derived", empty,
                       hash_len);
    extract(schedule, input, input_len, salt, hash_len);
    schedule->stage++;
}

void key_schedule_secret(uint8_t *out, const struct key_schedule *schedule, enum key_secret secret,
                         const uint8_t *transcript_hash) {
    size_t len = EVP_MD_size(schedule->digest);
    CHECK(secrets[secret].stage == schedule->stage);
    key_schedule_label(out, len, schedule->digest, schedule->secret, secrets[secret].label,
                       transcript_hash, len);
}

void key_schedule_material(struct key_material *out, const EVP_MD *digest, const uint8_t *secret,
                           size_t key_len) {
    CHECK(key_len <= sizeof(out->key));
    key_schedule_label(out->key, key_len, digest, secret, "key", NULL, 0);
    key_schedule_label(out->iv, sizeof(out->iv), digest, secret, "iv", NULL, 0);
    out->key_len = (uint8_t)key_len;
}

void key_schedule_finished(uint8_t *out, const EVP_MD *digest, const uint8_t *traffic_secret,
                           const uint8_t *transcript_hash) {
    uint8_t key[KEY_SCHEDULE_HASH_MAX];
    size_t len = EVP_MD_size(digest);
    unsigned out_len;
    key_schedule_label(key, len, digest, traffic_secret, "finished", NULL, 0);
    CHECK(HMAC(digest, key, len, transcript_hash, len, out, &out_len) != NULL);
}

void key_schedule_update(uint8_t *secret, const EVP_MD *digest) {
    uint8_t next[KEY_SCHEDULE_HASH_MAX];
    size_t len = EVP_MD_size(digest);
    key_schedule_label(next, len, digest, secret, "traffic upd", NULL, 0);
    memcpy(secret, next, len);
}
