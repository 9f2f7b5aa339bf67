#include "proxy/cli/lab_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "third_party/boringssl/boringssl_ssl.h"

static struct lab_pki *pki;
static struct lab_server *server;

static void begin(const struct lab_server_plan *plan) {
    struct err err;
    pki = lab_pki_new(time(NULL));
    server = lab_server_start(plan, pki, "a.localhost", &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    CU_ASSERT_NOT_EQUAL(lab_server_port(server), 0);
}

static void end(void) {
    lab_server_stop(server);
    lab_pki_free(pki);
}

static int dial(void) {
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(lab_server_port(server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

// say_hello sends something and reads what comes first.
static ssize_t say_hello(char *out, size_t out_size) {
    int fd = dial();
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
    ssize_t len = recv(fd, out, out_size, 0);
    int error = errno;
    close(fd);
    errno = error;
    return len;
}

static void test_services(void) {
    char bytes[512] = "";
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_SSH});
    CU_ASSERT_TRUE(say_hello(bytes, sizeof(bytes)) > 4 && memcmp(bytes, "SSH-2.0-", 8) == 0);
    end();
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_HTTP});
    CU_ASSERT_TRUE(say_hello(bytes, sizeof(bytes)) > 12);
    CU_ASSERT_EQUAL(memcmp(bytes, "HTTP/1.1 400", 12), 0);
    end();
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_CLOSES});
    CU_ASSERT_EQUAL(say_hello(bytes, sizeof(bytes)), 0);
    end();
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_RESETS});
    CU_ASSERT_TRUE(say_hello(bytes, sizeof(bytes)) < 0 && errno == ECONNRESET);
    end();
}

static void test_silence_ends_with_the_server(void) {
    char byte;
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_SILENT});
    int fd = dial();
    CU_ASSERT_EQUAL(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
    CU_ASSERT_TRUE(recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
    end();
    CU_ASSERT_TRUE(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

static void test_refused(void) {
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_REFUSED});
    CU_ASSERT_EQUAL(dial(), -1);
    CU_ASSERT_EQUAL(errno, ECONNREFUSED);
    end();
    lab_server_stop(NULL);
}

// tls_version asks over TLS and returns the version that was spoken; 0: it failed.
static int tls_version(void) {
    char answer[512];
    int version = 0, fd = dial();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    CU_ASSERT_TRUE_FATAL(SSL_set_fd(ssl, fd));
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, "GET /\r\n", 7) == 7 &&
        SSL_read(ssl, answer, sizeof(answer)) > 12 && memcmp(answer, "HTTP/1.0 200", 12) == 0) {
        version = SSL_version(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    ERR_clear_error();
    return version;
}

static void test_tls(void) {
    begin(&(struct lab_server_plan){.service = LAB_SERVICE_TLS});
    CU_ASSERT_EQUAL(tls_version(), TLS1_3_VERSION);
    CU_ASSERT_EQUAL(tls_version(), TLS1_3_VERSION); // one after the other
    end();
    begin(&(struct lab_server_plan){.max = TLS1_2_VERSION});
    CU_ASSERT_EQUAL(tls_version(), TLS1_2_VERSION);
    end();
}

static void test_defects_of_the_handshake(void) {
    static const struct lab_server_plan plans[] = {
        {.cert = LAB_CERT_OTHER_KEY, .max = TLS1_2_VERSION},
        {.wants_client_cert = true},
    };
    for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
        begin(&plans[i]);
        CU_ASSERT_EQUAL(tls_version(), 0);
        end();
    }
}

const struct unit_case unit_cases[] = {
    {"what is on the port", test_services},
    {"silence", test_silence_ends_with_the_server},
    {"refused", test_refused},
    {"TLS", test_tls},
    {"handshakes that fail", test_defects_of_the_handshake},
    {NULL, NULL},
};
