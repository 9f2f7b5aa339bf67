// Certificates in files: PEM (RFC 7468) or a single one in DER.
#ifndef POLICY_CA_CERT_PEM_H_
#define POLICY_CA_CERT_PEM_H_

#include <stdbool.h>
#include <stddef.h>

#include "logs/base/buf.h"
#include "logs/base/err.h"
#include "third_party/boringssl/boringssl.h"

// The largest file read for certificates or keys.
enum { CERT_PEM_MAX_FILE = 16 * 1024 * 1024 };

// cert_pem_read_fd appends the rest of `fd` to `*out`. It returns false when reading fails or the
// ceiling of `out` is passed; `path` is for the message.
bool cert_pem_read_fd(int fd, const char *path, struct buf *out, struct err *err);

// cert_pem_read is cert_pem_read_fd for the file `path`.
WUNRES bool cert_pem_read(const char *path, struct buf *out, struct err *err);

// cert_pem_next finds the next CERTIFICATE block in `*text`, moves `*text` behind it and decodes it
// into `*out_der`, to be freed with `free`. It returns 1 for a certificate, 0 when there is no
// further block, -1 for a block that is not base64. Everything between the blocks is skipped.
int cert_pem_next(CBS *text, uint8_t **out_der, size_t *out_der_len);

// cert_pem_next_of is cert_pem_next for blocks with another `label`, as "X509 CRL".
int cert_pem_next_of(CBS *text, const char *label, uint8_t **out_der, size_t *out_der_len);

// cert_pem_print appends `der` as one CERTIFICATE block and returns false past the ceiling.
bool cert_pem_print(struct buf *out, const uint8_t *der, size_t der_len);

#endif // POLICY_CA_CERT_PEM_H_
