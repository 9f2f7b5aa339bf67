"""What a chain names and policy lets be fetched: the issuer that the server forgot, and revocation
lists, from an HTTP server on loopback that may behave badly."""

import http.server
import json
import subprocess
import threading
import time

from tests.lab import harness, pki

HOST = "a.localhost"
ALL = {"default": {"fetch": {"aia": True, "crl": True}}}


def der(certificate):
    """The certificate as CAs serve it."""
    return subprocess.run(
        ["openssl", "x509", "-in", certificate.file, "-outform", "DER"],
        check=True, capture_output=True, timeout=harness.TIMEOUT,
    ).stdout


def crl_der(path):
    """The list in that PEM file as CAs serve it."""
    return subprocess.run(
        ["openssl", "crl", "-in", path, "-outform", "DER"],
        check=True, capture_output=True, timeout=harness.TIMEOUT,
    ).stdout


class Publisher:
    """Serves `pages`: bytes, or a function that answers with a handler of http.server."""

    def __init__(self, lab):
        publisher = self
        self.pages, self.asked = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self):  # pylint: disable=invalid-name
                """Looks the page up."""
                publisher.asked.append(self.path)
                page = publisher.pages.get(self.path)
                if callable(page):
                    page(self)
                elif page is None:
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(page)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.at = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        lab.addCleanup(self.server.server_close)
        lab.addCleanup(self.server.shutdown)


class Fetching(harness.Lab):
    """A server whose leaf names the publisher."""

    def setUp(self):
        self.publisher = Publisher(self)
        self.publisher.pages["/ca.der"] = der(pki.intermediate())
        at = self.publisher.at
        self.leaf = pki.leaf(
            HOST, issuer=pki.intermediate(),
            extensions=(f"authorityInfoAccess=caIssuers;URI:{at}/ca.der",
                        f"crlDistributionPoints=URI:{at}/ca.crl"),
        )

    def alone(self):
        """The port of a server that forgets the intermediate."""
        return self.s_server(self.leaf._replace(chain=self.leaf.file)).port

    def whole(self):
        """The port of one that does not."""
        return self.s_server(self.leaf).port

    def publish_list(self, *revoked):
        """Makes the list of the intermediate."""
        path = pki.revocation_list(*revoked, issuer=pki.intermediate())
        self.publisher.pages["/ca.crl"] = crl_der(path)

    def probe(self, port, *args):
        """The record of tlsblame probe."""
        done = harness.run(
            *[harness.PROGRAM, "probe", "--json", "--log", f"{self.dir}/log", "--timeout", "1"],
            *["--connections", "1", "--trust", pki.root().file, *args, f"{HOST}:{port}"],
            check=False,
        )
        self.assertIn(done.returncode, (0, 1), done.stderr.decode())
        return json.loads(done.stdout)

    def fetched(self, record):
        """What was fetched, and what came of it."""
        verification = record["legs"]["server"]["verification"]
        return [(f["what"], f["result"]) for f in verification.get("fetches", [])]


class ByTheProxy(Fetching):
    """After a failure, where policy allows it."""

    def visit(self, port, policy, experiments="on-failure"):
        """The record after the experiments of a visit, and what curl said."""
        proxy = self.proxy(experiments=experiments, policy=policy)
        answer = self.curl(f"https://{HOST}:{port}/", proxy, check=False)
        proxy.wait_line(f"{HOST}:{port}")  # which is printed when all is done
        self.assertEqual(proxy.stop(), 0, proxy.stderr())
        return answer, proxy.record()

    def test_intermediate(self):
        self.publish_list()
        answer, record = self.visit(self.alone(), ALL)
        self.assertNotEqual(answer.exit, 0)
        verdict = record["verdict"]
        self.assertEqual(
            [verdict[k] for k in ("party", "cause", "confidence")],
            ["server", "server-missing-intermediate", "certain"], json.dumps(record, indent=1),
        )
        self.assertEqual(self.fetched(record), [("issuer", "got"), ("revocation-list", "got")])
        completed = record["legs"]["server"]["verification"]["completed"]
        self.assertEqual(completed["by"], ["CN=Lab Intermediate"])
        self.assertTrue(completed["ok"])
        self.assertEqual(self.publisher.asked, ["/ca.der", "/ca.crl"])

    def test_not_allowed(self):
        for policy in ({"default": {}}, {"default": {"fetch": {"crl": False}}}):
            _, record = self.visit(self.alone(), policy)
            self.assertEqual(self.fetched(record), [])
            self.assertEqual(record["verdict"]["cause"], "server-missing-intermediate")
        self.assertEqual(self.publisher.asked, [])

    def test_revoked(self):
        self.publish_list(self.leaf)
        _, record = self.visit(self.whole(), ALL, experiments="always")
        self.assertEqual(self.fetched(record), [("revocation-list", "got")])
        self.assertEqual(
            record["legs"]["server"]["verification"]["crl"]["status"], "revoked")

    def test_healthy_is_left_alone(self):
        self.publish_list()
        answer, record = self.visit(self.whole(), ALL)
        self.assertEqual((answer.exit, record["verdict"]["cause"]), (0, "healthy"))
        self.assertEqual(self.publisher.asked, [])


class ByProbe(Fetching):
    """tlsblame probe --fetch."""

    def test_revoked(self):
        self.publish_list(self.leaf)
        verdict = self.probe(self.whole(), "--fetch")["verdict"]
        self.assertEqual(
            [verdict[k] for k in ("party", "cause", "confidence")],
            ["server", "server-cert-revoked-crl", "certain"], verdict,
        )

    def test_good(self):
        self.publish_list()
        record = self.probe(self.whole(), "--fetch")
        self.assertEqual(record["verdict"]["cause"], "healthy")
        self.assertEqual(record["legs"]["server"]["verification"]["crl"]["status"], "good")

    def test_without_the_option(self):
        record = self.probe(self.alone())
        self.assertEqual(self.fetched(record), [])
        self.assertEqual(self.publisher.asked, [])

    def test_bad_publishers(self):
        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", f"{self.publisher.at}/other.der")
            handler.end_headers()

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b"x" * 65536)
            except OSError:
                pass

        stop = threading.Event()
        self.addCleanup(stop.set)

        def stall(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            stop.wait(harness.TIMEOUT)

        def garbage(handler):
            handler.wfile.write(b"\x16\x03\x01\x00\x05hello")

        port = self.alone()
        for page, result in [
            (redirect, "redirected"), (endless, "too-long"), (stall, "slow"),
            (garbage, "not-http"), (b"<html>", "malformed"), (None, "refused"),
            (der(pki.root()), "wrong"),
        ]:
            with self.subTest(result):
                self.publisher.pages = {"/ca.der": page}
                start = time.monotonic()
                record = self.probe(port, "--fetch")
                self.assertLess(time.monotonic() - start, harness.TIMEOUT)
                self.assertEqual(self.fetched(record)[0], ("issuer", result))
                self.assertNotIn("completed", record["legs"]["server"]["verification"])
                self.assertEqual(record["verdict"]["cause"], "server-missing-intermediate")
        self.assertNotIn("/other.der", self.publisher.asked)

    def test_nobody_there(self):
        port = self.alone()
        self.publisher.server.shutdown()
        self.publisher.server.server_close()
        self.assertEqual(self.fetched(self.probe(port, "--fetch"))[0], ("issuer", "unreachable"))


if __name__ == "__main__":
    harness.main()
