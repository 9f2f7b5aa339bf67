#include "proxy/tls/transcript.h"

#include <string.h>

#include "tests/unit/proxy/tls/rfc8448.h"
#include "tests/unit/proxy/tls/samples.h"
#include "tests/unit/unit.h"

static void test_hash_goes_on(void) {
    struct transcript transcript;
    uint8_t hash[EVP_MAX_MD_SIZE], again[EVP_MAX_MD_SIZE];
    struct made client = made_hex(RFC8448_CLIENT_HELLO), server = made_hex(RFC8448_SERVER_HELLO);
    struct made expected = made_hex(RFC8448_HELLO_HASH);
    transcript_init(&transcript, EVP_sha256());
    transcript_add(&transcript, client.p, client.len);
    transcript_hash(again, &transcript);
    transcript_add(&transcript, server.p, server.len);
    CU_ASSERT_EQUAL(transcript_hash(hash, &transcript), 32);
    CU_ASSERT_EQUAL(memcmp(hash, expected.p, 32), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(again, expected.p, 32), 0);
    CU_ASSERT_EQUAL(transcript_hash(again, &transcript), 32);
    CU_ASSERT_EQUAL(memcmp(again, hash, 32), 0);
    made_free(&client);
    made_free(&server);
    made_free(&expected);
    transcript_cleanup(&transcript);
}

// After a retry it is as if a message of type 254 with the hash had come first.
static void retry_is(const EVP_MD *digest, const char *header_hex) {
    struct transcript transcript, expected;
    uint8_t first[EVP_MAX_MD_SIZE], got[EVP_MAX_MD_SIZE], wanted[EVP_MAX_MD_SIZE];
    struct made header = made_hex(header_hex);
    unsigned len;
    CU_ASSERT(EVP_Digest("hello", 5, first, &len, digest, NULL));
    transcript_init(&transcript, digest);
    transcript_init(&expected, digest);
    transcript_add(&transcript, (const uint8_t *)"hello", 5);
    transcript_retry(&transcript);
    transcript_add(&transcript, (const uint8_t *)"more", 4);
    transcript_add(&expected, header.p, header.len);
    transcript_add(&expected, first, len);
    transcript_add(&expected, (const uint8_t *)"more", 4);
    CU_ASSERT_EQUAL(transcript_hash(got, &transcript), len);
    transcript_hash(wanted, &expected);
    CU_ASSERT_EQUAL(memcmp(got, wanted, len), 0);
    made_free(&header);
    transcript_cleanup(&transcript);
    transcript_cleanup(&expected);
}

static void test_retry(void) {
    retry_is(EVP_sha256(), "fe000020");
    retry_is(EVP_sha384(), "fe000030");
}

const struct unit_case unit_cases[] = {
    {"the hash is of what came so far", test_hash_goes_on},
    {"a HelloRetryRequest", test_retry},
    {NULL, NULL},
};
