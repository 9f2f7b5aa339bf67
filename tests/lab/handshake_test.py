"""tlsblame probe, and what takes a whole handshake of the proxy's own library: that it completes,
client certificates, Encrypted Client Hello."""

import base64
import json
import os
import socket
import struct
import threading
import unittest

from tests.lab import harness
from tests.lab.planted import ECH, Box, alert
from tests.lab.servers import gnutls_serv

HOST, PUBLIC, OTHER = "a.localhost", "public.localhost", "b.localhost"
HELLO_SCSV = 0x00FF  # OpenSSL offers it, BoringSSL does not


class Handshakes(harness.Lab):
    def setUp(self):
        self.log = f"{self.dir}/probe.ndjson"

    def run_probe(self, port, *args, host=HOST):
        return harness.run(harness.PROGRAM, "probe", "--log", self.log, "--timeout", "10",
                           "--trust", harness.root().file, *args, f"{host}:{port}", check=False)

    def probe(self, port, *args, **more):
        done = self.run_probe(port, "--json", *args, **more)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        record = json.loads(done.stdout)
        failed = record["verdict"]["party"] != "none"
        self.assertEqual(done.returncode, int(failed), record["verdict"])
        return record

    def runs(self, record, name):
        return [e for e in record["experiments"] if e["probe"] == name]

    def only(self, record, name):
        run, = self.runs(record, name)
        return run

    def check(self, record, party, cause):
        verdict = record["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"]), (party, cause), verdict)
        return verdict


class Library(Handshakes):
    """P-BASE."""

    def test_completes(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                server = self.s_server(harness.leaf(HOST), version)
                record = self.probe(server.port, "--factor", "library")
                self.check(record, "none", "healthy")
                run = self.only(record, "library")
                self.assertEqual(run["result"], "answered")
                self.assertTrue(run["leg"]["tls"]["established"])
                self.assertTrue(run["leg"]["verification"]["ok"])
                self.assertEqual(run["factors"], ["hello=library"])
                self.assertNotIn(0xFF, run["leg"]["offer"]["ciphers"])

    def test_is_usual(self):
        server = self.s_server(harness.leaf(HOST))
        record = self.probe(server.port)
        self.assertEqual(self.only(record, "library")["result"], "answered")

    def test_refused(self):
        server = self.s_server(harness.leaf(HOST))
        box = Box(self, server.port, lambda h: None if HELLO_SCSV in h.ciphers else alert(40))
        record = self.probe(box.port, "--factor", "library")
        self.check(record, "proxy", "proxy-tls-limitation")
        self.assertEqual([e["result"] for e in self.runs(record, "library")], ["alert", "alert"])

    def test_plan(self):
        done = self.run_probe(1, "--plan")
        row, = [r for r in done.stdout.decode().splitlines() if r.startswith("library ")]
        self.assertRegex(row, r"hello=library +\d+ 1r 1s +t13d")


class Certificates(Handshakes):
    """P-CCERT."""

    def own(self, certificate):
        with open(certificate.chain, "rb") as chain, open(certificate.key, "rb") as key:
            path = self.file(f"own{os.path.basename(certificate.file)}", chain.read() + key.read())
        os.chmod(path, 0o600)
        return path

    def setUp(self):
        super().setUp()
        self.good = self.own(harness.leaf("client.localhost"))
        self.bad = self.own(harness.self_signed("client.localhost"))

    def ask(self, port, *args):
        return self.probe(port, "--factor", "base", *args)

    def check_server(self, port, needs=True):
        """With a good certificate, with one that nobody signed, and without."""
        record = self.ask(port, "--cert", self.good)
        self.check(record, "none", "healthy")
        self.assertEqual(self.only(record, "with-cert")["client_certificate"], "accepted")
        self.assertEqual(self.only(record, "without-cert")["client_certificate"],
                         "needed" if needs else "not-needed")
        self.assertIn("needs" if needs else "does without", record["verdict"]["says"])
        self.check(self.ask(port, "--cert", self.bad), "client", "client-cert-rejected")
        record = self.probe(port, "--factor", "without-cert")
        if needs:
            self.check(record, "server", "client-cert-required")
        else:
            self.check(record, "none", "healthy")

    def nginx_that(self, verifies, version):
        return self.nginx(
            certificate=harness.leaf(HOST), versions=version,
            server=f"ssl_verify_client {verifies}; ssl_client_certificate {harness.root().file};")

    def test_nginx(self):
        for version in ("TLSv1.2", "TLSv1.3"):
            for verifies in ("on", "optional"):
                with self.subTest(f"{version} {verifies}"):
                    server = self.nginx_that(verifies, version)
                    self.check_server(server.port, needs=verifies == "on")

    def test_openssl(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                server = self.s_server(harness.leaf(HOST), version, "-Verify", "2",
                                       "-verify_return_error", "-CAfile", harness.root().file)
                self.check_server(server.port)

    def test_gnutls(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                _, port = gnutls_serv(
                    lambda: harness.leaf(HOST), "--require-client-cert", "--verify-client-cert",
                    "--x509cafile", harness.root().file,
                    "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}")(self)
                self.check_server(port)

    def test_nobody_asks(self):
        server = self.s_server(harness.leaf(HOST))
        record = self.ask(server.port, "--cert", self.good)
        self.check(record, "none", "healthy")
        self.assertEqual(self.only(record, "with-cert")["client_certificate"], "not-asked")
        self.assertIn("does not ask", record["verdict"]["says"])

    def test_a_key_that_does_not_suit(self):
        server = self.s_server(harness.leaf(HOST), "-Verify", "2", "-client_sigalgs",
                               "rsa_pss_rsae_sha256", "-CAfile", harness.root().file)
        record = self.ask(server.port, "--cert", self.good)
        self.check(record, "client", "client-cert-sigalg")

    def test_bad_files(self):
        leaf, other = harness.leaf("client.localhost"), harness.leaf("x.localhost", which=1)
        locked = self.file("locked.pem")
        harness.run("openssl", "pkey", "-in", leaf.key, "-aes256", "-passout", "pass:x",
                    "-out", locked)
        os.chmod(locked, 0o600)
        open_to_all = self.own(other)
        os.chmod(open_to_all, 0o644)
        for args, says in (
            (("--cert", f"{self.dir}/nowhere"), "cannot be opened"),
            (("--cert", leaf.file), "no private key in it"),
            (("--cert", leaf.file, "--key", f"{self.dir}/nowhere"), "cannot be opened"),
            (("--cert", leaf.file, "--key", other.key), "not the key of the first certificate"),
            (("--cert", leaf.file, "--key", locked), "encrypted"),
            (("--cert", open_to_all), "open to other users"),
            (("--key", leaf.key), "--key goes with --cert"),
        ):
            with self.subTest(says):
                done = self.run_probe(1, *args)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(says, done.stderr.decode())

    def test_table_and_plan(self):
        server = self.nginx_that("on", "TLSv1.3")
        done = self.run_probe(server.port, "--factor", "base", "--cert", self.good)
        table = " ".join(done.stdout.decode().split())
        self.assertIn("; certificate accepted", table)
        self.assertIn("; a certificate is needed", table)
        done = self.run_probe(1, "--plan", "--cert", self.good)
        for name in ("with-cert", "without-cert"):
            self.assertRegex(done.stdout.decode(), rf"\n{name} +client_certificate=\w+ +\d+ ")


class Dns:
    """Answers every A with 127.0.0.1, and HTTPS with that ECHConfigList, or with nothing."""

    def __init__(self, lab, name, config):
        self.name, self.config, self.asked = name, config, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.at = f"127.0.0.1:{self.socket.getsockname()[1]}"
        thread = threading.Thread(target=self._serve)
        thread.start()
        lab.addCleanup(thread.join)
        lab.addCleanup(self._end)

    def _end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.socket.getsockname())

    def _serve(self):
        with self.socket:
            while True:
                query, peer = self.socket.recvfrom(2048)
                if not query:
                    return
                self.socket.sendto(self._answer(query), peer)

    def _answer(self, query):
        labels, at = [], 12
        while query[at] != 0:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind, = struct.unpack(">H", query[at + 1:at + 3])
        name = ".".join(labels)
        self.asked.append((name, kind))
        data = b""
        if kind == 1:
            data = b"\x7f\0\0\x01"
        elif kind == 65 and name == self.name and self.config:
            data = b"\0\1\0" + struct.pack(">HH", 5, len(self.config)) + self.config
        record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
        head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if data else 0, 0, 0)
        return head + query[12:at + 5] + (record if data else b"")


class Encrypted(Handshakes):
    """P-ECH."""

    HOST = "here.test"

    def start(self, mode="on", public=None):
        leaf = harness.leaf(self.HOST)
        outer = harness.leaf(PUBLIC) if public is None else public
        program = self.program("tests/lab/ech_server", PUBLIC, mode, leaf.chain, leaf.key,
                               outer.chain, outer.key, wait_for="ready")
        _, port, self.list, self.stale = program.started.split()
        return int(port)

    def ask(self, port, *args, usual=True):
        factors = () if usual else ("--factor", "base")
        return self.probe(port, "--address", f"{self.HOST}=127.0.0.1", *factors, *args,
                          host=self.HOST)

    def by_dns(self, port, config, **more):
        dns = Dns(self, f"_{port}._https.{self.HOST}", base64.b64decode(config))
        record = self.ask(port, "--resolver", dns.at, **more)
        self.assertIn((f"_{port}._https.{self.HOST}", 65), dns.asked)
        return record

    def test_accepted(self):
        port = self.start()
        record = self.by_dns(port, self.list)
        self.check(record, "none", "healthy")
        run = self.only(record, "ech")
        self.assertEqual(run["ech"], {"result": "accepted", "config": "dns", "public_name": PUBLIC})
        self.assertEqual(run["leg"]["tls"]["client"]["server_name"], PUBLIC)
        self.assertTrue(run["leg"]["tls"]["established"])
        self.assertTrue(run["leg"]["verification"]["ok"])
        self.assertEqual(run["leg"]["verification"]["name"], self.HOST)
        self.assertIn("decrypts", record["verdict"]["says"])
        for name in ("public-name", "ech-grease", "library"):
            self.assertEqual({e["result"] for e in self.runs(record, name)}, {"answered"}, name)

    def test_stale(self):
        """Rejected, another configuration offered, and a second hello by that."""
        port = self.start()
        record = self.by_dns(port, self.stale)
        self.check(record, "none", "healthy")
        self.assertIn("offered another configuration", record["verdict"]["says"])
        run, retry = self.only(record, "ech"), self.only(record, "ech-retry")
        self.assertEqual(run["ech"]["result"], "rejected")
        self.assertEqual(run["ech"]["retry_configs"], self.list)
        self.assertEqual(run["leg"]["verification"]["name"], PUBLIC)
        self.assertEqual((retry["ech"]["result"], retry["ech"]["config"]), ("accepted", "retry"))

    def test_switched_off(self):
        record = self.by_dns(self.start("off"), self.list)
        self.check(record, "server", "ech-not-negotiated")
        self.assertEqual(self.only(record, "ech")["ech"]["result"], "disabled")
        self.assertEqual(self.runs(record, "ech-retry"), [])

    def test_not_this_servers(self):
        """The record was left on a name that somebody else serves by now."""
        record = self.by_dns(self.start("off", harness.leaf(OTHER)), self.list)
        self.check(record, "server", "ech-fallback-cert-invalid")
        self.assertEqual(self.only(record, "ech")["ech"]["result"], "unproven")

    def test_given(self):
        port = self.start()
        raw = self.file("list", base64.b64decode(self.list))
        pem = self.file("pem", f"-----BEGIN ECHCONFIG-----\n{self.list}\n-----END ECHCONFIG-----\n")
        text = self.file("base64", self.list + "\n")
        for given in (self.list, raw, pem, text):
            with self.subTest(given[:8]):
                record = self.ask(port, "--ech-config", given, usual=False)
                self.check(record, "none", "healthy")
                self.assertEqual(self.only(record, "ech")["ech"]["config"], "given")
        record = self.ask(self.start("off"), "--ech-config", self.list, usual=False)
        self.check(record, "undetermined", "ech-not-negotiated")
        for bad, says in (("!", "neither a file nor base64"), ("AAAA", "no ECHConfigList"),
                          (self.file("bad", b"\xff" * 9), "no ECHConfigList")):
            done = self.run_probe(port, "--ech-config", bad)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(says, done.stderr.decode())

    def boxed(self, port, dislikes):
        box = Box(self, port, dislikes)
        return self.ask(box.port, "--ech-config", self.list)

    def test_box_that_minds_the_pair(self):
        """The extension together with the public name, and neither by itself."""
        record = self.boxed(
            self.start(), lambda h: "reset" if h.name == PUBLIC and ECH in h.extensions else None)
        self.check(record, "undetermined", "ech-extension-blocked")
        self.assertEqual([e["result"] for e in self.runs(record, "ech")], ["reset", "reset"])

    def test_box_that_minds_the_extension(self):
        record = self.boxed(self.start(), lambda h: "reset" if ECH in h.extensions else None)
        verdict = self.check(record, "undetermined",
                             "extension-order-or-unknown-ext-intolerance")
        self.assertIn("encrypted_client_hello", verdict["says"])
        self.assertEqual({e["result"] for e in self.runs(record, "ech-grease")}, {"reset"})

    def test_box_that_minds_the_public_name(self):
        record = self.boxed(self.start(), lambda h: "close" if h.name == PUBLIC else None)
        self.check(record, "undetermined", "ech-not-negotiated")
        self.assertEqual({e["result"] for e in self.runs(record, "public-name")}, {"closed"})

    def test_without_a_configuration(self):
        """Who asks for it by name gets GREASE."""
        port = self.start()
        dns = Dns(self, "nothing", b"")
        done = self.run_probe(port, "--json", "--factor", "ech", "--resolver", dns.at,
                              "--address", f"{self.HOST}=127.0.0.1", host=self.HOST)
        record = json.loads(done.stdout)
        self.assertIn("asking with GREASE", done.stderr.decode())
        self.assertEqual(self.only(record, "ech-grease")["result"], "answered")
        self.assertEqual(self.runs(record, "ech"), [])

    def test_plan_sends_nothing(self):
        dns = Dns(self, "nothing", b"")
        done = self.run_probe(1, "--plan", "--resolver", dns.at, host=self.HOST)
        self.assertIn("DNS is asked for an HTTPS record", done.stdout.decode())
        self.assertEqual(dns.asked, [])
        self.start()
        done = self.run_probe(1, "--plan", "--ech-config", self.list, host=self.HOST)
        self.assertRegex(done.stdout.decode(), r"\nech +ech=real +\d+ 1r 1s")
        self.assertRegex(done.stdout.decode(), r"\npublic-name +server_name=public")


if __name__ == "__main__":
    unittest.main()
