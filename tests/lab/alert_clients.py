"""Real clients of TLS stacks, each of which tries a list of ports on loopback: functions of the test
case and the ports."""

import base64
import concurrent.futures
import contextlib
import os
import shutil
import time
import unittest

from tests.lab import harness

HOST = "localhost"

PYTHON = """
import contextlib, socket, ssl, sys
host, ca, *ports = sys.argv[1:]
for port in ports:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as s:
        ssl.create_default_context(cafile=ca).wrap_socket(s, server_hostname=host).close()
"""

NODE = """
const fs = require("fs"), tls = require("tls");
const [host, ca, ...ports] = process.argv.slice(1);
for (const port of ports) {
  const s = tls.connect({host: "127.0.0.1", port, servername: host, ca: fs.readFileSync(ca)});
  s.on("error", () => {}).resume();
}
"""

JAVA = """
import java.io.*; import java.security.*; import java.security.cert.*; import javax.net.ssl.*;
public class Client {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = new FileInputStream(args[1])) {
            store.setCertificateEntry("ca",
                CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        for (int i = 2; i < args.length; i++) {
            java.net.URL url = new java.net.URL("https://" + args[0] + ":" + args[i] + "/");
            HttpsURLConnection c = (HttpsURLConnection) url.openConnection();
            c.setSSLSocketFactory(context.getSocketFactory());
            try { c.getInputStream().close(); } catch (IOException e) { }
        }
    }
}
"""

MBEDTLS = r"""
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
int main(int argc, char **argv) {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt ca;
    mbedtls_ssl_config config;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_x509_crt_init(&ca);
    mbedtls_ssl_config_init(&config);
    if (mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) != 0 ||
        mbedtls_x509_crt_parse_file(&ca, argv[2]) != 0 ||
        mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return 1;
    }
    mbedtls_ssl_conf_ca_chain(&config, &ca, NULL);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    for (int i = 3; i < argc; i++) {
        mbedtls_net_context net;
        mbedtls_ssl_context ssl;
        mbedtls_net_init(&net);
        mbedtls_ssl_init(&ssl);
        if (mbedtls_net_connect(&net, "127.0.0.1", argv[i], MBEDTLS_NET_PROTO_TCP) == 0 &&
            mbedtls_ssl_setup(&ssl, &config) == 0 &&
            mbedtls_ssl_set_hostname(&ssl, argv[1]) == 0) {
            mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
            (void)mbedtls_ssl_handshake(&ssl);
        }
        mbedtls_ssl_free(&ssl);
        mbedtls_net_free(&net);
    }
    return 0;
}
"""

WOLFSSL = r"""
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
int main(int argc, char **argv) {
    wolfSSL_Init();
    WOLFSSL_CTX *config = wolfSSL_CTX_new(wolfSSLv23_client_method());
    if (config == NULL ||
        wolfSSL_CTX_load_verify_locations(config, argv[2], NULL) != WOLFSSL_SUCCESS) {
        return 1;
    }
    wolfSSL_CTX_set_verify(config, WOLFSSL_VERIFY_PEER, NULL);
    for (int i = 3; i < argc; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[i]))};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int s = socket(AF_INET, SOCK_STREAM, 0);
        WOLFSSL *ssl = wolfSSL_new(config);
        if (connect(s, (struct sockaddr *)&to, sizeof(to)) == 0) {
            wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, argv[1], strlen(argv[1]));
            wolfSSL_check_domain_name(ssl, argv[1]);
            wolfSSL_set_fd(ssl, s);
            (void)wolfSSL_connect(ssl);
        }
        wolfSSL_free(ssl);
        close(s);
    }
    return 0;
}
"""

GO = """
package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
)

func main() {
	pem, _ := os.ReadFile(os.Args[2])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for _, port := range os.Args[3:] {
		c, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{ServerName: os.Args[1], RootCAs: roots})
		if err == nil {
			c.Close()
		}
	}
}
"""


def each(*args):
    """A client that is run once for each port."""
    def run(lab, ports):
        def one(port):
            words = {"port": port, "ca": harness.root().file}
            harness.run(*[arg.format(**words) for arg in args], check=False)

        del lab
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, ports))
    return run


def script(*args):
    """A program of ours that tries every port."""
    def run(lab, ports):
        del lab
        harness.run(*args, HOST, harness.root().file, *map(str, ports), check=False)
    return run


def java(lab, ports):
    """Java, which compiles the program as it starts."""
    if not shutil.which("javac"):
        raise unittest.SkipTest("there is no Java compiler here")
    script("java", lab.file("Client.java", JAVA))(lab, ports)


def chromium(lab, ports):
    """Chromium with a page of images, one from each server."""
    home = f"{lab.dir}/home"
    store = f"{home}/.pki/nssdb"
    if not os.path.exists(store):
        os.makedirs(store)
        harness.run("certutil", "-d", f"sql:{store}", "-N", "--empty-password")
        harness.run("certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "lab",
                    "-i", harness.root().file)
    page = "".join(f'<img src="https://{HOST}:{port}/">' for port in ports)
    harness.run(
        *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
        *["--no-first-run", "--disable-background-networking", "--disable-component-update"],
        *["--disable-sync", "--disable-dev-shm-usage", "--disable-breakpad", "--no-proxy-server"],
        *[f"--user-data-dir={lab.dir}/profile", "--timeout=8000", "--dump-dom"],
        "data:text/html;base64," + base64.b64encode(page.encode()).decode(),
        check=False, timeout=60, env={**os.environ, "HOME": home},
    )


FIREFOX = """
user_pref("network.proxy.type", 0);
user_pref("network.dns.forceResolve", "127.0.0.1");
user_pref("network.http.speculative-parallel-limit", 0);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
"""


def firefox(lab, ports):
    """Firefox with such a page. It is ended once every server has got its alert."""
    profile = f"{lab.dir}/firefox-{time.monotonic_ns()}"
    os.makedirs(profile)
    with open(f"{profile}/user.js", "w", encoding="utf-8") as f:
        f.write(FIREFOX)
    harness.run("certutil", "-N", "-d", f"sql:{profile}", "--empty-password")
    harness.run("certutil", "-A", "-d", f"sql:{profile}", "-n", "lab", "-t", "C,,",
                "-i", harness.root().file)
    page = lab.file("page.html", "".join(f'<img src="https://{HOST}:{port}/">' for port in ports))
    program = harness.Program(
        ["firefox-esr", "--headless", "--no-remote", "--profile", profile, f"file://{page}"],
        f"{profile}/firefox", env={**os.environ, "HOME": profile})
    try:
        # What stays away is tried again, and missed by the test in the end.
        with contextlib.suppress(AssertionError, TimeoutError):
            harness.until(lambda: not lab.unanswered(), "alerts of Firefox", 40)
    finally:
        program.stop()


def compiled(name, source, *libraries):
    """A program of ours in C."""
    def run(lab, ports):
        path = f"{lab.dir}/{name}"
        if not os.path.exists(path):
            harness.run("cc", "-o", path, lab.file(f"{name}.c", source), *libraries)
        script(path)(lab, ports)
    return run


def golang(lab, ports):
    """Go's crypto/tls."""
    path = f"{lab.dir}/go-client"
    if not os.path.exists(path):
        harness.run("go", "build", "-o", path, lab.file("client.go", GO), timeout=200, cwd=lab.dir,
                    env={**os.environ, "HOME": lab.dir, "GOCACHE": f"{lab.dir}/go-cache",
                         "GO111MODULE": "off", "GOFLAGS": "-p=2"})
    script(path)(lab, ports)


URL = f"https://{HOST}:{{port}}/"

# By the table's name of the stack or program.
CLIENTS = {
    "OPENSSL": each("openssl", "s_client", "-connect", "127.0.0.1:{port}", "-servername", HOST,
                    "-CAfile", "{ca}", "-verify_hostname", HOST, "-verify_return_error"),
    "CURL_OPENSSL": each("curl", "-q", "-sS", "--noproxy", "*", "--cacert", "{ca}", URL),
    "PYTHON": script("python3", "-c", PYTHON),
    "NODE": script("node", "-e", NODE),
    "GNUTLS": each("gnutls-cli", "--port", "{port}", "--sni-hostname", HOST,
                   "--verify-hostname", HOST, "--x509cafile", "{ca}", "127.0.0.1"),
    "WGET_GNUTLS": each("wget", "-q", "--no-proxy", "-t", "1", "-O", "/dev/null",
                        "--ca-certificate={ca}", URL),
    "PROGRAM_GNUTLS": each("git", "-c", "http.proxy=", "-c", "http.sslCAInfo={ca}", "ls-remote", URL),
    "JSSE": java,
    "CHROMIUM": chromium,
    "NSS": firefox,
    "GO": golang,
    "MBEDTLS": compiled("mbedtls", MBEDTLS, "-lmbedtls", "-lmbedx509", "-lmbedcrypto"),
    "WOLFSSL": compiled("wolfssl", WOLFSSL, "-lwolfssl"),
}

# Debian's Mbed TLS knows no TLS 1.3.
ONLY_12 = ("MBEDTLS",)
