"""Boxes in front and behind, and what other connections tell of one."""

import socket
import ssl
import threading

from tests.lab import harness, servers
from tests.lab.servers import pour, quietly

CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/131.0.0.0 Safari/537.36")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
HOSTS = ("a.localhost", "b.localhost", "c.localhost", "d.localhost")


def front_box(lab, proxy, leaf, trusts_proxy=True):
    """A box before the proxy that ends TLS with a certificate of its own. Its hello is OpenSSL's, with
    suites that no browser has."""
    outside = harness.tls_context(leaf)
    inside = ssl.create_default_context(cafile=proxy.ca if trusts_proxy else None)
    inside.set_ciphers("ALL:@SECLEVEL=1")

    def handle(s):
        head = harness.read_head(s)
        with socket.create_connection((proxy.host, proxy.port), harness.TIMEOUT) as up:
            up.sendall(head)
            s.sendall(harness.read_head(up))
            name = head.split()[1].decode().rsplit(":", 1)[0]
            with inside.wrap_socket(up, server_hostname=name) as there, \
                    outside.wrap_socket(s, server_side=True) as here:
                back = threading.Thread(target=quietly, args=(lambda t: pour(t, here), there))
                back.start()
                quietly(lambda h: pour(h, there), here)
                quietly(lambda t: t.unwrap(), there)
                back.join(harness.TIMEOUT)

    return lab.service(lambda s: quietly(handle, s))


class Front(harness.Lab):
    """A hello that does not fit the User-Agent."""

    def ask(self, box, proxy, ca, agent):
        """Asks curl through the box and returns the record of the proxy."""
        server = self.nginx(harness.leaf("a.localhost"))
        run = ["curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x",
               f"http://127.0.0.1:{box.port}", "--cacert", ca, "-A", agent]
        harness.run(*run, f"https://a.localhost:{server.port}/", check=False)
        return proxy.record()

    def test_a_box_is_found_on_a_connection_that_works(self):
        proxy = self.proxy()
        box = front_box(self, proxy, harness.leaf("a.localhost"))
        record = self.ask(box, proxy, harness.root().file, CHROME)
        verdict = record["verdict"]
        self.assertEqual(verdict["party"], "box-in-front")
        self.assertEqual(verdict["cause"], "mitm-front-inspection")
        self.assertTrue(verdict["worked"])
        self.assertFalse(record["claim"]["fits"])
        shown = {row["field"] for row in verdict["evidence"]}
        self.assertLessEqual({"offer.ciphers", "offer.ec_point_formats"}, shown)
        said = harness.run(harness.PROGRAM, "explain", "--log", proxy.records_file, check=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn(b"worked; box-in-front: mitm-front-inspection", said.stdout)

    def test_a_box_that_does_not_know_our_ca_is_not_the_client(self):
        proxy = self.proxy()
        box = front_box(self, proxy, harness.leaf("a.localhost"), trusts_proxy=False)
        verdict = self.ask(box, proxy, harness.root().file, FIREFOX)["verdict"]
        self.assertEqual(verdict["party"], "box-in-front")
        self.assertNotIn("worked", verdict)

    def test_a_program_that_borrows_a_name_is_no_box(self):
        proxy = self.proxy()
        for agent in (CHROME, FIREFOX, "curl/8.5.0"):
            server = self.nginx(harness.leaf("a.localhost"))
            self.curl(f"https://a.localhost:{server.port}/", proxy, "-A", agent)
        for record in proxy.records(3):
            self.assertEqual(record["verdict"]["party"], "none")

    def test_the_name_may_stand_in_the_request_alone(self):
        proxy = self.proxy()
        server = self.nginx(harness.leaf("a.localhost"))
        request = f"GET / HTTP/1.0\r\nUser-Agent: {CHROME}\r\nCookie: a-crumb\r\n\r\n"
        with proxy.tls(f"a.localhost:{server.port}", ciphers="ALL:@SECLEVEL=1") as s:
            s.sendall(request.encode())
            while s.recv(4096):
                pass
        record = proxy.record()
        self.assertEqual(record["user_agent"]["original"], CHROME)
        self.assertEqual(record["verdict"]["party"], "box-in-front")
        self.assertNotIn("a-crumb", str(record))


class Others(harness.Lab):
    """What other connections tell."""

    def ask_each(self, proxy, targets, *args):
        """Asks curl for each target in turn and returns the verdicts in that order."""
        verdicts = []
        for host, port in targets:
            harness.run("curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x", proxy.url,
                        *args, f"https://{host}:{port}/", check=False)
            self.asked = getattr(self, "asked", 0) + 1
            verdicts.append(proxy.records(self.asked)[-1]["verdict"])
        return verdicts

    def serve(self, **more):
        return [(host, self.s_server(harness.leaf(host, **more)).port) for host in HOSTS]

    def test_a_ca_that_is_nowhere_installed(self):
        proxy = self.proxy()
        verdicts = self.ask_each(proxy, self.serve()[:3])
        self.assertEqual({v["cause"] for v in verdicts}, {"proxy-ca-not-installed"})
        self.assertEqual([v["confidence"] for v in verdicts], ["likely", "likely", "certain"])
        shown = [row["field"] for row in verdicts[2]["evidence"]]
        self.assertIn("history.client.hosts_refused", shown)

    def test_a_pin_is_told_from_a_missing_ca(self):
        proxy = self.proxy()
        targets = self.serve()
        trust = ("--cacert", proxy.ca)
        good = self.ask_each(proxy, targets[:1], *trust)
        self.assertEqual(good[0]["cause"], "healthy")
        pin = ("--pinnedpubkey", "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        pinned = self.ask_each(proxy, targets[1:2] * 3, *trust, *pin)
        self.assertEqual(pinned[0]["party"], "undetermined")
        self.assertEqual((pinned[2]["party"], pinned[2]["cause"]), ("client", "client-pinned"))
        # The log knows it of the first one, too.
        first = proxy.records(4)[1]["id"]
        said = harness.run(harness.PROGRAM, "explain", "--log", proxy.records_file, first,
                           check=False).stdout
        self.assertIn(b"client: client-pinned (possible)", said)
        self.assertIn(b"the verdict was client-abort-speculative", said.replace(b"\n", b" "))

    def test_a_box_behind_signs_for_everybody(self):
        proxy = self.proxy()
        targets = self.serve(issuer=servers.foreign_root())
        verdicts = self.ask_each(proxy, targets, "--cacert", proxy.ca)
        self.assertEqual(verdicts[0]["cause"], "server-unknown-ca")
        self.assertEqual(verdicts[3]["party"], "box-behind")
        self.assertEqual(verdicts[3]["cause"], "mitm-behind-untrusted")

    def test_a_stale_node(self):
        sound = harness.tls_context(harness.leaf("a.localhost"))
        stale = harness.tls_context(harness.expired("a.localhost", which=1))
        turns = iter([sound, stale, sound, stale])

        def handle(s):
            with next(turns).wrap_socket(s, server_side=True) as t:
                t.recv(4096)
                t.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")

        service = self.service(lambda s: quietly(handle, s))
        proxy = self.proxy()
        verdicts = self.ask_each(proxy, [("a.localhost", service.port)] * 4, "--cacert", proxy.ca)
        causes = [v["cause"] for v in verdicts]
        self.assertEqual(causes, ["healthy", "server-cert-expired", "healthy",
                                  "server-pool-inconsistent"])


if __name__ == "__main__":
    harness.main()
