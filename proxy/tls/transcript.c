#include "proxy/tls/transcript.h"

#include "proxy/tls/handshake.h"

void transcript_init(struct transcript *transcript, const EVP_MD *digest) {
    EVP_MD_CTX_init(&transcript->ctx);
    CHECK(EVP_DigestInit_ex(&transcript->ctx, digest, NULL));
}

void transcript_cleanup(struct transcript *transcript) { EVP_MD_CTX_cleanup(&transcript->ctx); }

void transcript_add(struct transcript *transcript, const uint8_t *p, size_t p_len) {
    CHECK(EVP_DigestUpdate(&transcript->ctx, p, p_len));
}

void transcript_retry(struct transcript *transcript) {
    uint8_t hash[EVP_MAX_MD_SIZE];
    size_t len = transcript_hash(hash, transcript);
    uint8_t header[] = {HANDSHAKE_MESSAGE_HASH, 0, 0, (uint8_t)len};
    CHECK(EVP_DigestInit_ex(&transcript->ctx, EVP_MD_CTX_md(&transcript->ctx), NULL));
    transcript_add(transcript, header, sizeof(header));
    transcript_add(transcript, hash, len);
}

size_t transcript_hash(uint8_t *out, const struct transcript *transcript) {
    EVP_MD_CTX copy;
    unsigned len;
    EVP_MD_CTX_init(&copy);
    CHECK(EVP_MD_CTX_copy_ex(&copy, &transcript->ctx) && EVP_DigestFinal_ex(&copy, out, &len));
    EVP_MD_CTX_cleanup(&copy);
    return len;
}
