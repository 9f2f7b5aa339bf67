#include "proxy/tls/key_schedule.h"

#include <string.h>

#include "proxy/tls/transcript.h"
#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

// is_hex returns whether the bytes are those of `hex`.
static bool is_hex(const uint8_t *p, size_t p_len, const char *hex) {
    struct made made = made_hex(hex);
    bool same = made.len == p_len && memcmp(made.p, p, p_len) == 0;
    made_free(&made);
    return same;
}

static void add(struct transcript *transcript, const char *hex) {
    struct made made = made_hex(hex);
    transcript_add(transcript, made.p, made.len);
    made_free(&made);
}

static bool secret_is(const struct key_schedule *schedule, enum key_secret secret,
                      const struct transcript *transcript, const char *hex) {
    uint8_t hash[EVP_MAX_MD_SIZE], out[KEY_SCHEDULE_HASH_MAX];
    size_t len = transcript_hash(hash, transcript);
    key_schedule_secret(out, schedule, secret, hash);
    return is_hex(out, len, hex);
}

// All of section 3's schedule, in its order.
static void test_rfc8448(void) {
    struct key_schedule schedule;
    struct transcript transcript;
    struct made shared = made_hex(RFC8448_SHARED_SECRET);
    key_schedule_init(&schedule, EVP_sha256(), NULL, 0);
    transcript_init(&transcript, EVP_sha256());
    CU_ASSERT(is_hex(schedule.secret, 32, RFC8448_EARLY_SECRET));
    add(&transcript, RFC8448_CLIENT_HELLO);
    add(&transcript, RFC8448_SERVER_HELLO);
    key_schedule_next(&schedule, shared.p, shared.len);
    CU_ASSERT(is_hex(schedule.secret, 32, RFC8448_HANDSHAKE_SECRET));
    CU_ASSERT(
        secret_is(&schedule, KEY_CLIENT_HANDSHAKE_TRAFFIC, &transcript, RFC8448_CLIENT_HANDSHAKE));
    CU_ASSERT(
        secret_is(&schedule, KEY_SERVER_HANDSHAKE_TRAFFIC, &transcript, RFC8448_SERVER_HANDSHAKE));
    key_schedule_next(&schedule, NULL, 0);
    CU_ASSERT(is_hex(schedule.secret, 32, RFC8448_MASTER_SECRET));
    add(&transcript, RFC8448_SERVER_FLIGHT);
    add(&transcript, RFC8448_SERVER_FINISHED);
    CU_ASSERT(secret_is(&schedule, KEY_CLIENT_TRAFFIC, &transcript, RFC8448_CLIENT_TRAFFIC));
    CU_ASSERT(secret_is(&schedule, KEY_SERVER_TRAFFIC, &transcript, RFC8448_SERVER_TRAFFIC));
    CU_ASSERT(secret_is(&schedule, KEY_EXPORTER, &transcript, RFC8448_EXPORTER));
    add(&transcript, RFC8448_CLIENT_FINISHED);
    CU_ASSERT(secret_is(&schedule, KEY_RESUMPTION, &transcript, RFC8448_RESUMPTION));
    made_free(&shared);
    transcript_cleanup(&transcript);
}

static void material_is(const char *secret_hex, const char *key, const char *iv) {
    struct key_material material;
    struct made secret = made_hex(secret_hex);
    key_schedule_material(&material, EVP_sha256(), secret.p, 16);
    CU_ASSERT(is_hex(material.key, material.key_len, key));
    CU_ASSERT(is_hex(material.iv, sizeof(material.iv), iv));
    made_free(&secret);
}

static void test_material(void) {
    material_is(RFC8448_SERVER_HANDSHAKE, RFC8448_SERVER_HANDSHAKE_KEY,
                RFC8448_SERVER_HANDSHAKE_IV);
    material_is(RFC8448_CLIENT_HANDSHAKE, RFC8448_CLIENT_HANDSHAKE_KEY,
                RFC8448_CLIENT_HANDSHAKE_IV);
    material_is(RFC8448_SERVER_TRAFFIC, RFC8448_SERVER_TRAFFIC_KEY, RFC8448_SERVER_TRAFFIC_IV);
    material_is(RFC8448_CLIENT_TRAFFIC, RFC8448_CLIENT_TRAFFIC_KEY, RFC8448_CLIENT_TRAFFIC_IV);
}

static void test_finished(void) {
    uint8_t hash[EVP_MAX_MD_SIZE], out[KEY_SCHEDULE_HASH_MAX];
    struct transcript transcript;
    struct made server = made_hex(RFC8448_SERVER_HANDSHAKE);
    struct made client = made_hex(RFC8448_CLIENT_HANDSHAKE);
    transcript_init(&transcript, EVP_sha256());
    add(&transcript, RFC8448_CLIENT_HELLO);
    add(&transcript, RFC8448_SERVER_HELLO);
    add(&transcript, RFC8448_SERVER_FLIGHT);
    transcript_hash(hash, &transcript);
    key_schedule_finished(out, EVP_sha256(), server.p, hash);
    CU_ASSERT(is_hex(out, 32, RFC8448_SERVER_VERIFY_DATA));
    add(&transcript, RFC8448_SERVER_FINISHED);
    transcript_hash(hash, &transcript);
    key_schedule_finished(out, EVP_sha256(), client.p, hash);
    CU_ASSERT(is_hex(out, 32, RFC8448_CLIENT_VERIFY_DATA));
    made_free(&server);
    made_free(&client);
    transcript_cleanup(&transcript);
}

// SHA-384 and the key update have no vector in the RFC: HKDF is done here once more, by hand.
static void test_sha384_and_update(void) {
    uint8_t secret[48], expected[64], info[] = "\x00\x30\x11tls13 traffic upd\x00\x01";
    unsigned len;
    for (size_t i = 0; i < sizeof(secret); i++) {
        secret[i] = (uint8_t)(7 * i);
    }
    // T(1) = HMAC(secret, info || 0x01), and SHA-384 gives all 48 bytes at once.
    CU_ASSERT_PTR_NOT_NULL(HMAC(EVP_sha384(), secret, 48, info, 22, expected, &len));
    key_schedule_update(secret, EVP_sha384());
    CU_ASSERT_EQUAL(len, 48);
    CU_ASSERT_EQUAL(memcmp(secret, expected, 48), 0);
}

static void wrong_stage(void) {
    struct key_schedule schedule;
    uint8_t hash[48] = {0}, out[48];
    key_schedule_init(&schedule, EVP_sha384(), NULL, 0);
    key_schedule_secret(out, &schedule, KEY_SERVER_TRAFFIC, hash);
}

static void one_stage_too_many(void) {
    struct key_schedule schedule;
    key_schedule_init(&schedule, EVP_sha256(), NULL, 0);
    for (int i = 0; i < 3; i++) {
        key_schedule_next(&schedule, NULL, 0);
    }
}

static void test_stages(void) {
    CU_ASSERT(unit_aborts(wrong_stage, "stage"));
    CU_ASSERT(unit_aborts(one_stage_too_many, "KEY_STAGE_MASTER"));
}

const struct unit_case unit_cases[] = {
    {"the secrets of RFC 8448", test_rfc8448},
    {"keys and IVs of RFC 8448", test_material},
    {"Finished of RFC 8448", test_finished},
    {"SHA-384, and a key update", test_sha384_and_update},
    {"secrets belong to their stages", test_stages},
    {NULL, NULL},
};
