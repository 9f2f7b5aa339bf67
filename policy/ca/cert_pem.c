#include "policy/ca/cert_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cert_pem_read_fd(int fd, const char *path, struct buf *out, struct err *err) {
    for (;;) {
        size_t step = buf_room(out) < 65536 ? buf_room(out) : 65536;
        uint8_t *p = step != 0 ? buf_reserve(out, step) : NULL;
        if (p == NULL) {
            return err_set(err, "%s: larger than %zu bytes, expected certificates in PEM", path,
                           out->max);
        }
        ssize_t n = read(fd, p, step);
        if (n < 0 && errno != EINTR) {
            return err_errno(err, "%s: cannot be read", path);
        }
        if (n == 0) {
            return true;
        }
        buf_commit(out, n > 0 ? (size_t)n : 0);
    }
}

bool cert_pem_read(const char *path, struct buf *out, struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return err_errno(err, "%s: cannot be opened, expected certificates in PEM", path);
    }
    bool ok = cert_pem_read_fd(fd, path, out, err);
    close(fd);
    return ok;
}

static bool find(CBS *text, const char *wanted) {
    if (CBS_len(text) == 0) {
        return false;
    }
    const uint8_t *at = memmem(CBS_data(text), CBS_len(text), wanted, strlen(wanted));
    return at != NULL && CBS_skip(text, (size_t)(at - CBS_data(text)));
}

// Base64 with line ends of any kind inside.
static bool decode(CBS body, uint8_t **out, size_t *out_len) {
    char *packed = xmalloc(CBS_len(&body));
    size_t len = 0;
    uint8_t c;
    while (CBS_get_u8(&body, &c)) {
        if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
            packed[len++] = (char)c;
        }
    }
    size_t max = len / 4 * 3 + 3;
    *out = xmalloc(max);
    bool ok = len != 0 && EVP_DecodeBase64(*out, out_len, max, (const uint8_t *)packed, len);
    free(packed);
    if (!ok) {
        free(*out);
        *out = NULL;
    }
    return ok;
}

int cert_pem_next(CBS *text, uint8_t **out_der, size_t *out_der_len) {
    return cert_pem_next_of(text, "CERTIFICATE", out_der, out_der_len);
}

int cert_pem_next_of(CBS *text, const char *label, uint8_t **out_der, size_t *out_der_len) {
    static const char end[] = "-----END ";
    char begin[64];
    int begin_len = snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
    CHECK(begin_len > 0 && (size_t)begin_len < sizeof(begin));
    if (!find(text, begin)) {
        return 0;
    }
    CBS_skip(text, (size_t)begin_len);
    CBS body = *text;
    if (!find(text, end)) {
        CBS_init(text, NULL, 0);
        return -1;
    }
    CBS_init(&body, CBS_data(&body), CBS_len(&body) - CBS_len(text));
    return decode(body, out_der, out_der_len) ? 1 : -1;
}

bool cert_pem_print(struct buf *out, const uint8_t *der, size_t der_len) {
    size_t max;
    CHECK(EVP_EncodedLength(&max, der_len));
    uint8_t *text = xmalloc(max);
    size_t len = EVP_EncodeBlock(text, der, der_len);
    bool ok = buf_printf(out, "-----BEGIN CERTIFICATE-----\n");
    for (size_t i = 0; ok && i < len; i += 64) {
        ok = buf_append(out, text + i, len - i < 64 ? len - i : 64) && buf_append(out, "\n", 1);
    }
    free(text);
    return ok && buf_printf(out, "-----END CERTIFICATE-----\n");
}
