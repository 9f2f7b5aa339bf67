"""Stapled OCSP responses and revocation lists, with openssl and nginx as servers and curl as client."""

import json
import signal
import subprocess

from tests.lab import harness, pki

HOST = "a.localhost"
MUST_STAPLE = "tlsfeature=status_request"
NO_STAPLE = 91  # curl's word for a staple that is missing or not good


def sound_leaf():
    """curl checks a staple only where the server sends the leaf's issuer."""
    return pki.leaf(HOST, issuer=pki.intermediate())


def sound_staple(status):
    """A staple about it."""
    return pki.staple(sound_leaf(), status, pki.intermediate())


class Staples(harness.Lab):
    """What the server staples is told, mirrored and judged."""

    def visit(self, port, *args):
        """One visit of curl: its exit status and the record."""
        proxy = self.proxy()
        answer = self.curl(f"https://{HOST}:{port}/", proxy, *args, check=False)
        return answer, proxy.record()

    def judged(self, port, status, party, cause, confidence="", args=("--cert-status",)):
        """Visits and holds the verdict against what is right; returns the record."""
        answer, record = self.visit(port, *args)
        verdict = record["verdict"]
        said = json.dumps(verdict, indent=1)
        self.assertEqual(answer.exit, status, said)
        self.assertEqual((verdict["party"], verdict["cause"]), (party, cause), said)
        if confidence:
            self.assertEqual(verdict["confidence"], confidence, said)
        return record

    def test_good(self):
        leaf = sound_leaf()
        for version in ("-tls1_2", "-tls1_3"):
            server = self.s_server(leaf, version, "-status_file", sound_staple("good"))
            record = self.judged(server.port, 0, "none", "healthy", "certain")
            staple = record["legs"]["server"]["staple"]
            self.assertEqual(
                [staple[k] for k in ("result", "status", "signature", "responder", "serial")],
                ["good", "good", "good", "CN=Lab Intermediate", pki.serial(leaf).lower()],
            )
            self.assertTrue(record["legs"]["client"]["answer"]["ocsp_staple"])

    def test_good_from_nginx(self):
        lines = f"ssl_stapling on; ssl_stapling_file {sound_staple('good')};"
        port = self.nginx(sound_leaf(), server=lines).port
        record = self.judged(port, 0, "none", "healthy", "certain")
        self.assertEqual(record["legs"]["server"]["staple"]["result"], "good")

    def test_revoked(self):
        port = self.s_server(sound_leaf(), "-status_file", sound_staple("revoked")).port
        record = self.judged(port, NO_STAPLE, "server", "server-ocsp-staple-bad", "likely")
        staple = record["legs"]["server"]["staple"]
        self.assertEqual(staple["revocation_reason"], "keyCompromise")
        self.assertIn("staple.result", [e["field"] for e in record["verdict"]["evidence"]])
        # A client that does not ask is not bothered, and neither is one that does not look.
        self.judged(port, 0, "none", "healthy", args=())

    def test_not_good(self):
        other = pki.leaf("b.localhost", issuer=pki.intermediate())
        nonsense = self.file("nonsense.der", b"\x30\x03\x0a\x01\x03")
        for file, result in [
            (sound_staple("unknown"), "unknown"),
            (pki.staple(other, "good", pki.intermediate()), "wrong-certificate"),
            (nonsense, "try-later"),
        ]:
            with self.subTest(result):
                port = self.s_server(sound_leaf(), "-status_file", file).port
                record = self.judged(port, NO_STAPLE, "server", "server-ocsp-staple-bad")
                self.assertEqual(record["legs"]["server"]["staple"]["result"], result)

    def test_root(self):
        """The proxy has the issuer where the server does not send it; curl has not."""
        leaf = pki.leaf(HOST)
        server = self.s_server(leaf, "-status_file", pki.staple(leaf, "good"))
        answer, record = self.visit(server.port, "--cert-status")
        self.assertEqual(answer.exit, NO_STAPLE)
        self.assertEqual(record["legs"]["server"]["staple"]["signature"], "good")
        direct = ["--cacert", pki.root().file, "--cert-status"]
        url = f"https://{HOST}:{server.port}/"
        said = harness.run("curl", "-q", "-sS", *direct, url, check=False)
        self.assertEqual(said.returncode, NO_STAPLE)

    def test_missing(self):
        demands = self.s_server(pki.leaf(HOST, extensions=(MUST_STAPLE,)))
        record = self.judged(demands.port, NO_STAPLE, "server", "server-must-staple-missing")
        self.assertEqual(record["legs"]["server"]["staple"]["result"], "missing")
        self.assertTrue(record["legs"]["server"]["chain"][0]["must_staple"])
        # Without that demand it is between this client and this server.
        plain = self.s_server(pki.leaf(HOST))
        self.judged(plain.port, NO_STAPLE, "undetermined", "server-ocsp-staple-bad", "possible")
        self.judged(plain.port, 0, "none", "healthy", args=())


class Lists(harness.Lab):
    """Revocation lists by file."""

    def test_revoked(self):
        bad, fine = pki.leaf(HOST, which=1), pki.leaf(HOST, which=2)
        proxy = self.proxy("--crl", pki.revocation_list(bad))
        for count, (leaf, verdict, status) in enumerate([
            (bad, ["server", "server-cert-revoked-crl", "certain"], "revoked"),
            (fine, ["none", "healthy", "certain"], "good"),
        ], 1):
            self.curl(f"https://{HOST}:{self.s_server(leaf).port}/", proxy, check=False)
            record = proxy.records(count)[-1]
            said = record["verdict"]
            self.assertEqual([said[k] for k in ("party", "cause", "confidence")], verdict, said)
            self.assertEqual(record["legs"]["server"]["verification"]["crl"]["status"], status)

    def test_hangup(self):
        leaf = pki.leaf(HOST)
        path = pki.revocation_list()
        proxy = self.proxy(policy={"default": {"crls": [path]}})
        url = f"https://{HOST}:{self.s_server(leaf).port}/"
        self.assertEqual(self.curl(url, proxy, check=False).exit, 0)
        pki.revocation_list(leaf, path=path)
        before = proxy.stderr().count("\n")
        proxy.process.send_signal(signal.SIGHUP)
        harness.until(lambda: proxy.stderr().splitlines()[before:], "an answer to SIGHUP")
        self.assertNotEqual(self.curl(url, proxy, check=False).exit, 0)
        self.assertEqual(proxy.records(2)[1]["verdict"]["cause"], "server-cert-revoked-crl")

    def test_bad_file(self):
        said = subprocess.run(
            [harness.PROGRAM, "run", "-l", "127.0.0.1:0", "--ca-dir", f"{self.dir}/ca", "--log",
             f"{self.dir}/log", "--crl", pki.root().file],
            capture_output=True, text=True, timeout=harness.TIMEOUT, check=False,
        )
        self.assertEqual(said.returncode, 2, said.stderr)
        self.assertIn("no revocation list in it", said.stderr)


if __name__ == "__main__":
    harness.main()
