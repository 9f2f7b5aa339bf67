#include "proxy/tls/group.h"

#include "logs/base/check.h"

// clang-format off
static const struct {
    uint16_t group, client, server;
} shares[] = {
    {19,   49,   49}, // secp192r1
    {21,   57,   57}, // secp224r1
    {22,   65,   65}, // secp256k1
    {23,   65,   65}, // secp256r1
    {24,   97,   97}, // secp384r1
    {25,  133,  133}, // secp521r1
    {26,   65,   65}, // brainpoolP256r1
    {27,   97,   97}, // brainpoolP384r1
    {28,  129,  129}, // brainpoolP512r1
    {29,   32,   32}, // x25519
    {30,   56,   56}, // x448
    {31,   65,   65}, // brainpoolP256r1tls13
    {32,   97,   97}, // brainpoolP384r1tls13
    {33,  129,  129}, // brainpoolP512r1tls13
    {41,   65,   65}, // curveSM2
    {256,  256,  256}, // ffdhe2048
    {257,  384,  384}, // ffdhe3072
    {258,  512,  512}, // ffdhe4096
    {259,  768,  768}, // ffdhe6144
    {260, 1024, 1024}, // ffdhe8192
    {512,  800,  768}, // MLKEM512
    {513, 1184, 1088}, // MLKEM768
    {514, 1568, 1568}, // MLKEM1024
    {4587, 65 + 1184, 65 + 1088}, // SecP256r1MLKEM768
    {4588, 1184 + 32, 1088 + 32}, // X25519MLKEM768
    {4589, 97 + 1568, 97 + 1568}, // SecP384r1MLKEM1024
    {16696, 32 + 1138, 32 + 1138}, // CECPQ2
    {25497, 32 + 1184, 32 + 1088}, // X25519Kyber768Draft00
    {25498, 65 + 1184, 65 + 1088}, // SecP256r1Kyber768Draft00
};

static const struct {
    uint16_t kem, enc_len;
} kems[] = {
    {0x0010,  65}, // DHKEM(P-256)
    {0x0011,  97}, // DHKEM(P-384)
    {0x0012, 133}, // DHKEM(P-521)
    {0x0020,  32}, // DHKEM(X25519)
    {0x0021,  56}, // DHKEM(X448)
    {0x647a, 1120}, // X-Wing
};
// clang-format on

bool group_share_fits(uint16_t group, size_t len, bool from_client) {
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        if (shares[i].group == group) {
            return len == (from_client ? shares[i].client : shares[i].server);
        }
    }
    return true;
}

uint16_t group_kem(size_t enc_len) {
    for (size_t i = 0; i < ARRAY_LEN(kems); i++) {
        if (kems[i].enc_len == enc_len) {
            return kems[i].kem;
        }
    }
    return 0;
}
