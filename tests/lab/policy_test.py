"""Policy: tunnel, refuse, versions and verification per leg, and what a bad server looks like."""

import socket
import ssl

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"


def policy(*rules, **default):
    """A policy file's content."""
    return {"rules": list(rules), "default": default}


class Recorder:
    """A relay in front of a server that keeps the bytes of both directions."""

    def __init__(self, port):
        self.port = port
        self.up, self.down = b"", b""

    def __call__(self, connection):
        with socket.create_connection(("127.0.0.1", self.port)) as onward:
            onward.settimeout(harness.TIMEOUT)
            self.up, self.down = harness.splice(connection, onward)


class Tunnel(harness.Lab):
    """Not a byte is touched, and yet much is seen."""

    def tunnel(self, server, *args, check=True):
        """curl through a relay, the proxy and a relay: the bytes before and behind the proxy."""
        behind = Recorder(server.port)
        door = self.service(behind)
        proxy = self.proxy(policy=policy(action="tunnel"))
        front = Recorder(proxy.port)
        gate = self.service(front)
        answer = self.curl(
            f"https://{HOST}:{door.port}/", proxy, "-x", f"http://127.0.0.1:{gate.port}",
            "--cacert", harness.root().file, *args, check=check,
        )
        record = proxy.record()
        gate.join()
        door.join()
        connect, _, sent = front.up.partition(b"\r\n\r\n")
        self.assertTrue(connect.startswith(b"CONNECT "))
        self.assertEqual(sent, behind.up)
        self.assertEqual(front.down.partition(b"\r\n\r\n")[2], behind.down)
        self.assertEqual(record["mode"], "tunnel")
        self.assertEqual(field(record, "policy.action"), "tunnel")
        return answer, record

    def test_tls12(self):
        leaf = harness.leaf(HOST, issuer=harness.intermediate())
        answer, record = self.tunnel(self.nginx(leaf, versions="TLSv1.2"))
        self.assertEqual(answer.body, b"hello\n")
        leg = record["legs"]["client"]
        self.assertEqual(field(leg, "tls.version"), "1.2")
        self.assertEqual(field(leg, "tls.client.server_name"), HOST)
        self.assertEqual([c["subject"] for c in leg["chain"]],
                         [f"CN={HOST}", "CN=Lab Intermediate"])
        self.assertEqual(field(leg, "tls.next_protocol"), "http/1.1")
        self.assertEqual(field(leg, "offer.alpn"), ["h2", "http/1.1"])

    def test_tls13(self):
        answer, record = self.tunnel(self.nginx(harness.leaf(HOST), http2=True))
        self.assertEqual((answer.body, answer.version), (b"hello\n", "2"))
        leg = record["legs"]["client"]
        self.assertEqual(field(leg, "tls.version"), "1.3")
        self.assertNotIn("chain", leg)
        self.assertEqual(field(leg, "answer.version"), "TLS 1.3")
        self.assertIn("raw", leg["offer"])

    def test_alert_of_the_client(self):
        server = self.nginx(harness.leaf(HOST), versions="TLSv1.2")
        answer, record = self.tunnel(server, "--cacert", harness.self_signed("x").file,
                                     check=False)
        self.assertEqual(answer.exit, 60)
        alerts = [(a["from"], a["name"]) for a in record["legs"]["client"]["alerts"]]
        self.assertIn(("client", "unknown_ca"), alerts)

    def test_alert_of_the_server(self):
        server = self.nginx(harness.leaf(HOST), versions="TLSv1.3")
        answer, record = self.tunnel(server, "--tls-max", "1.2", check=False)
        self.assertEqual(answer.exit, 35)
        alerts = [(a["from"], a["name"]) for a in record["legs"]["client"]["alerts"]]
        self.assertEqual(alerts, [("server", "protocol_version")])

    def test_per_host(self):
        server = self.nginx(harness.leaf("tunnel.localhost", "other.localhost", "sni.localhost"))
        proxy = self.proxy(policy=policy(
            {"hosts": ["tunnel.localhost"], "action": "tunnel"},
            {"hosts": ["no.localhost"], "action": "refuse"},
            {"ports": [server.port], "hosts": ["sni.localhost"], "action": "tunnel"},
        ))
        both = ("--cacert", self.file("both.pem", b"".join(
            open(path, "rb").read() for path in (proxy.ca, harness.root().file))))
        self.curl(f"https://tunnel.localhost:{server.port}/", proxy, *both)
        self.curl(f"https://other.localhost:{server.port}/", proxy, *both)
        refused = self.curl(f"https://no.localhost:{server.port}/", proxy, *both, check=False)
        self.assertEqual((refused.exit, refused.connect_status), (56, 403))
        # A host that is an address is decided by the name in the ClientHello.
        with proxy.connect(f"127.0.0.1:{server.port}") as s:
            context = ssl.create_default_context(cafile=harness.root().file)
            context.wrap_socket(s, server_hostname="sni.localhost").close()
        seen = [(r["mode"], r["policy"]["action"], r["policy"]["rule"]) for r in proxy.records(4)]
        self.assertEqual(seen, [("tunnel", "tunnel", "rules[0]"),
                                ("intercept", "intercept", "default"),
                                ("intercept", "refuse", "rules[1]"),
                                ("tunnel", "tunnel", "rules[2]")])


class NotTls(harness.Lab):
    """What CONNECT is also used for."""

    def test_echo(self):
        def echo(connection):
            for data in iter(lambda: connection.recv(65536), b""):
                connection.sendall(data)

        server = self.service(echo)
        for first in b"hello\n", b"\x00\x01binary", b"x":
            with self.subTest(first=first):
                proxy = self.proxy()
                with proxy.connect(f"{HOST}:{server.port}") as s:
                    for data in first, bytes(range(256)) * 300, b"end":
                        s.sendall(data)
                        self.assertEqual(harness.read_exactly(s, len(data)), data)
                record = proxy.record()
                self.assertEqual(record["mode"], "tunnel")
                self.assertIn(record["application"], ("text", "binary"))
                self.assertEqual(field(record, "legs.client.end.by"), "client")

    def test_server_first(self):
        def ssh(connection):
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.assertEqual(harness.read_exactly(connection, 6), b"SSH-2\n")

        server = self.service(ssh)
        proxy = self.proxy()
        with proxy.connect(f"{HOST}:{server.port}") as s:
            self.assertEqual(harness.read_exactly(s, 21), b"SSH-2.0-OpenSSH_9.2\r\n")
            s.sendall(b"SSH-2\n")
            self.assertEqual(s.recv(1), b"")
        record = proxy.record()
        self.assertEqual((record["mode"], record["application"]), ("tunnel", "server-first"))

    def test_reset_goes_on_as_reset(self):
        def reset(connection):
            harness.read_exactly(connection, 5)
            harness.reset(connection)

        server = self.service(reset)
        proxy = self.proxy()
        with proxy.connect(f"{HOST}:{server.port}") as s:
            s.sendall(b"hello")
            with self.assertRaises(ConnectionResetError):
                s.recv(1)
        self.assertEqual(field(proxy.record(), "legs.client.end.how"), "rst")


class Refuse(harness.Lab):
    """The door stays shut, and says why."""

    def test_connect(self):
        proxy = self.proxy(policy=policy(action="refuse"))
        with proxy.connect() as s:
            s.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            answer = harness.read_all(s).decode()
        self.assertTrue(answer.startswith("HTTP/1.1 403 Forbidden\r\n"))
        record = proxy.record()
        for text in record["id"], record["verdict"]["cause"], record["verdict"]["says"]:
            self.assertIn(text, answer)

    def test_plain(self):
        proxy = self.proxy(policy=policy(action="refuse"))
        answer = self.curl(f"http://{HOST}:1/", proxy, "-H", "Accept: text/html")
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<html", answer.body)
        self.assertEqual(field(proxy.record(), "policy.action"), "refuse")


class Legs(harness.Lab):
    """Versions per leg."""

    def legs(self, rule, *args, server="TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", check=True):
        nginx = self.nginx(harness.leaf(HOST), versions=server,
                           server="ssl_ciphers DEFAULT:@SECLEVEL=0;")
        proxy = self.proxy(policy=policy(**rule))
        answer = self.curl(f"https://{HOST}:{nginx.port}/", proxy,
                           "--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0", *args, check=check)
        record = proxy.record()
        return answer, [field(record, f"legs.{leg}.tls.version") for leg in ("client", "server")]

    def test_server_leg_below(self):
        _, versions = self.legs({"server_leg": {"max_version": "1.1"}})
        self.assertEqual(versions, ["1.1", "1.1"])

    def test_client_leg_below(self):
        _, versions = self.legs({"client_leg": {"max_version": "1.2"}})
        self.assertEqual(versions, ["1.2", "1.3"])

    def test_client_leg_above(self):
        """The server has only what the client's leg excludes."""
        _, versions = self.legs({"client_leg": {"min_version": "1.3"}}, server="TLSv1.2")
        self.assertEqual(versions, ["1.3", "1.2"])

    def test_old_client_new_server(self):
        """What the client cannot offer, the proxy offers for it."""
        _, versions = self.legs({"server_leg": {"min_version": "1.2"}}, "--tls-max", "1.1")
        self.assertEqual(versions, ["1.1", "1.2"])

    def test_new_client_old_server(self):
        _, versions = self.legs({"server_leg": {"max_version": "1.1"}}, "--tlsv1.2")
        self.assertEqual(versions, ["1.2", "1.1"])

    def test_client_below_its_bounds(self):
        answer, versions = self.legs({"client_leg": {"min_version": "1.3"}}, "--tls-max", "1.2",
                                     check=False)
        self.assertEqual(answer.exit, 35)
        self.assertIn("version", answer.err)
        self.assertEqual(versions[1], "1.2")


class BadCertificate(harness.Lab):
    """An expired certificate, as policy wants it shown."""

    def ask(self, rule, *args, check=False, certificate=None):
        server = self.s_server(certificate or harness.expired(HOST))
        proxy = self.proxy(policy=policy(**rule))
        answer = self.curl(f"https://{HOST}:{server.port}/", proxy, *args, check=check)
        return answer, proxy.record()

    def test_mirror(self):
        answer, record = self.ask({})
        self.assertEqual(answer.exit, 60)
        self.assertIn("expired", answer.err)
        self.assertEqual(field(record, "legs.server.verification.ok"), False)
        self.assertEqual([d["id"] for d in record["legs"]["server"]["verification"]["defects"]],
                         ["expired"])
        self.assertIn(("client", "certificate_expired"),
                      [(a["from"], a["name"]) for a in record["legs"]["client"]["alerts"]])
        self.blamed(record, "server-cert-expired")

    def test_mirror_to_a_client_that_does_not_care(self):
        answer, record = self.ask({}, "-k")
        self.assertEqual(answer.status, 200)
        self.assertIs(field(record, "legs.client.tls.established"), True)

    def test_alert(self):
        answer, record = self.ask({"on_server_failure": "alert"})
        self.assertEqual(answer.exit, 60)
        self.assertEqual([(a["from"], a["name"]) for a in record["legs"]["client"]["alerts"]],
                         [("server", "certificate_expired")])
        self.assertIsNot(field(record, "legs.client.tls.established"), True)
        self.blamed(record, "server-cert-expired")

    def blamed(self, record, cause):
        """The server is blamed."""
        self.assertEqual((record["verdict"]["party"], record["verdict"]["cause"]),
                         ("server", cause))

    def test_page(self):
        answer, record = self.ask({"on_server_failure": "page"}, check=True)
        self.assertEqual(answer.status, 502)
        self.blamed(record, "server-cert-expired")
        for text in record["id"], record["verdict"]["cause"]:
            self.assertIn(text.encode(), answer.body)

    def test_verify_false(self):
        answer, record = self.ask({"server_leg": {"verify": False}}, check=True)
        self.assertEqual(answer.status, 200)
        self.assertEqual(field(record, "legs.server.verification.ok"), False)
        self.assertEqual(field(record, "policy.verify_server"), False)
        self.assertEqual(record["verdict"]["party"], "none")

    def test_unknown_ca_and_extra_trust(self):
        own = harness.self_signed(HOST)
        answer, _ = self.ask({}, certificate=own)
        self.assertEqual(answer.exit, 60)
        answer, record = self.ask({"trust": [own.file]}, certificate=own, check=True)
        self.assertEqual(answer.status, 200)
        self.assertIs(field(record, "legs.server.verification.ok"), True)

    def test_wrong_host(self):
        answer, _ = self.ask({}, certificate=harness.leaf("b.localhost"))
        self.assertEqual(answer.exit, 60)
        self.assertIn("no alternative certificate subject name matches", answer.err)
