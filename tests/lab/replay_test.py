"""Clients' hellos, replayed with keys of ours to real servers: the flight that each client would
get is read, its signature and Finished checked, up to a page."""

import email.utils
import hashlib
import socket
import ssl
import time
import unittest

from tests.lab import harness

HOST = "a.localhost"

REPLAY = "tests/lab/hello_replay"

CLIENTS = ["curl", "openssl", "gnutls", "go", "java", "node", "chromium", "firefox"]


def replay(port, how, hello, *target):
    """What was told: a dictionary, and the messages in order."""
    done = harness.run(REPLAY, "127.0.0.1", str(port), how, hello, *target)
    lines = [line.split(" ", 1) for line in done.stdout.decode().splitlines()]
    return dict(lines), [value for key, value in lines if key == "message"]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def fingerprint(certificate):
    with open(certificate.file, encoding="ascii") as f:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


class Replay(harness.Lab):
    def check(self, port, certificate, version="0304", clients=CLIENTS, **expected):
        for client in clients:
            with self.subTest(client=client):
                told, _ = replay(port, "keyed", client)
                self.assertEqual(told["status"], "done", told)
                self.assertEqual(told["version"], version)
                self.assertEqual(told["leaf"], fingerprint(certificate))
                self.assertEqual(told["signature"], "good", told)
                if version == "0304":
                    self.assertEqual(told["finished"], "good")
                for name, value in expected.items():
                    self.assertEqual(told[name], value, name)

    def test_nginx(self):
        certificate = harness.leaf(HOST)
        server = self.nginx(certificate)
        self.check(server.port, certificate)
        told, _ = replay(server.port, "keyed", "chromium")
        date = email.utils.parsedate_to_datetime(told["date"]).timestamp()
        self.assertLess(abs(date - time.time()), 60)

    def test_nginx_that_wants_another_group(self):
        certificate = harness.leaf(HOST, key="rsa")
        server = self.nginx(certificate, server="ssl_ecdh_curve secp384r1;")
        self.check(server.port, certificate, retry="1", group="24")

    def test_nginx_of_tls12(self):
        certificate = harness.leaf(HOST, key="rsa")
        server = self.nginx(certificate, versions="TLSv1.2")
        self.check(server.port, certificate, version="0303")

    def test_openssl(self):
        for key in ("ec", "ec384", "rsa"):
            certificate = harness.leaf(HOST, key=key)
            self.check(self.s_server(certificate).port, certificate)

    def test_openssl_asks_for_a_certificate(self):
        certificate = harness.leaf(HOST)
        server = self.s_server(certificate, "-verify", "1")
        self.check(server.port, certificate, request="1")

    def test_openssl_of_tls12(self):
        certificate = harness.leaf(HOST, key="rsa")
        server = self.s_server(certificate, "-tls1_2", "-verify", "1")
        self.check(server.port, certificate, version="0303", request="1")

    def test_openssl_with_other_suites(self):
        certificate = harness.leaf(HOST)
        for suite, code in (("TLS_AES_256_GCM_SHA384", "1302"), ("TLS_CHACHA20_POLY1305_SHA256", "1303")):
            server = self.s_server(certificate, "-ciphersuites", suite)
            self.check(server.port, certificate, cipher=code)

    def test_gnutls(self):
        certificate = harness.leaf(HOST, key="rsa")
        port = harness.free_port()
        self.program(
            *["gnutls-serv", "--http", "--port", str(port), "--disable-client-cert"],
            *["--x509certfile", certificate.chain, "--x509keyfile", certificate.key],
        )
        harness.until(lambda: listens(port), "gnutls-serv")
        self.check(port, certificate)

    def test_boringssl(self):
        server = self.nginx(harness.leaf(HOST))
        proxy = self.proxy()
        for client in CLIENTS:
            told, _ = replay(proxy.port, "keyed", client, f"{HOST}:{server.port}")
            self.assertEqual((told["status"], told["signature"]), ("done", "good"), told)
            self.assertIn("date", told)

    def test_verbatim(self):
        """The server answers, and what follows is for the client's own keys."""
        server = self.nginx(harness.leaf(HOST))
        for client in CLIENTS:
            told, messages = replay(server.port, "verbatim", client)
            self.assertEqual((told["status"], told["swapped"]), ("no key", "0"), told)
            self.assertEqual(messages, ["server 2"])

    def test_dhe(self):
        """A suite that BoringSSL does not have."""
        certificate = harness.leaf(HOST, key="rsa")
        server = self.s_server(certificate, "-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384")
        told, messages = replay(server.port, "keyed", "shape:legacy")
        self.assertEqual((told["status"], told["cipher"]), ("done", "009f"))
        self.assertEqual(told["signature"], "good")
        self.assertEqual(messages, [f"server {n}" for n in (2, 11, 12, 14)])

    def test_shapes(self):
        """What we make is what servers take, from SSLv2 format to TLS 1.3."""
        server = self.s_server(harness.leaf(HOST, key="rsa"), "-cipher", "ALL:@SECLEVEL=0")
        versions = {"sslv2": "0301", "tls10": "0301", "tls11": "0302", "tls12": "0303", "legacy": "0303"}
        for shape in [*versions, "tls13", *CLIENTS]:
            with self.subTest(shape=shape):
                told, _ = replay(server.port, "keyed", f"shape:{shape}")
                self.assertEqual((told["status"], told["signature"]), ("done", "good"), told)
                self.assertEqual(told["version"], versions.get(shape, "0304"))
        told, _ = replay(server.port, "keyed", "shape:ssl3")
        self.assertEqual(told["status"], "alert")

    def test_refused(self):
        server = self.s_server(harness.leaf(HOST), "-tls1_3")
        told, _ = replay(server.port, "keyed", "shape:tls12")
        self.assertEqual((told["status"], told["alert"]), ("alert", "70"))


if __name__ == "__main__":
    unittest.main()
