#include "proxy/cli/probe_ech.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/proxy/net/dns_server.h"
#include "tests/unit/unit.h"

#define LIST "\0\5hello" // a list by its length
#define LIST_BASE64 "AAVoZWxsbw=="

static struct buf out;
static struct err err;

static bool read_text(const char *text) {
    buf_cleanup(&out);
    return probe_ech_read(&out, text, &err);
}

static bool read_file(const void *contents, size_t len) {
    char path[] = "ech-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, contents, len) == (ssize_t)len);
    bool ok = read_text(path);
    close(fd);
    unlink(path);
    return ok;
}

static bool is_list(void) {
    return out.len == sizeof(LIST) - 1 && memcmp(buf_data(&out), LIST, out.len) == 0;
}

#define PEM(label) "-----BEGIN " label "-----\n" LIST_BASE64 "\n-----END " label "-----\n"

static void test_option(void) {
    buf_init(&out, 1024);
    CU_ASSERT(read_text(LIST_BASE64) && is_list());
    CU_ASSERT(read_file(LIST, sizeof(LIST) - 1) && is_list());
    CU_ASSERT(read_file(LIST_BASE64, strlen(LIST_BASE64)) && is_list());
    CU_ASSERT(read_file("AAVo\nZWxs\nbw==\n", 15) && is_list());
    CU_ASSERT(read_file(PEM("ECHCONFIG"), sizeof(PEM("ECHCONFIG")) - 1) && is_list());
    CU_ASSERT_FALSE(read_text("not base64!"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "neither a file nor base64"));
    CU_ASSERT_FALSE(read_text(""));
    CU_ASSERT_FALSE(read_file("", 0));
    CU_ASSERT_FALSE(read_file("\0\6hello", 7));
    CU_ASSERT_FALSE(read_file(PEM("X"), sizeof(PEM("X")) - 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no ECHConfigList"));
    CU_ASSERT_FALSE(read_text("."));
    buf_cleanup(&out);
    // What does not fit is none.
    buf_init(&out, 4);
    CU_ASSERT_FALSE(read_text(LIST_BASE64));
    CU_ASSERT_FALSE(read_file(LIST, sizeof(LIST) - 1));
    CU_ASSERT_FALSE(read_file(PEM("ECHCONFIG"), sizeof(PEM("ECHCONFIG")) - 1));
    buf_cleanup(&out);
}

static void check_dns(const char *host, uint16_t port, const char *expected) {
    struct ev_loop *loop = ev_loop_new(0);
    struct dns_server dns;
    dns_server_init(&dns, loop);
    struct resolver *resolver = resolver_new(loop, dns.at, 400000, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(resolver);
    buf_init(&out, 1024);
    probe_ech_look_up(&out, loop, resolver, host, port);
    CU_ASSERT(out.len == strlen(expected) &&
              (out.len == 0 || memcmp(buf_data(&out), expected, out.len) == 0));
    buf_cleanup(&out);
    resolver_free(resolver);
    dns_server_cleanup(&dns);
    ev_loop_destroy(loop);
}

static void test_dns(void) {
    check_dns("ech.test", 443, DNS_SERVER_ECH);
    check_dns("ech.test", 8443, DNS_SERVER_ECH);
    check_dns("four.test", 443, "");
    check_dns("nx.test", 443, "");
    check_dns("silent.test", 443, "");
    check_dns("localhost", 443, "");
}

const struct unit_case unit_cases[] = {
    {"the option", test_option},
    {"DNS", test_dns},
    {NULL, NULL},
};
