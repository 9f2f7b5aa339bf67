"""Servers that do everything wrong, and the chains that no parser should choke on."""

import contextlib
import random
import threading
import time

from tests.lab import harness, servers
from tests.lab.bystander import Bystander, Hello
from tests.lab.harness import field
from tests.lab.servers import HOST

PARTY = ("server", "undetermined")


class BadServers(harness.Lab):
    """Each test runs beside a healthy download."""

    def setUp(self):
        self.px = self.proxy("--workers", "2")
        bystander = Bystander(self, self.px)
        bystander.__enter__()
        self.addCleanup(bystander.__exit__, None, None, None)

    def visit(self, port, *args):
        """What curl said, and the record."""
        answer = self.curl(f"https://{HOST}:{port}/", self.px, *args, check=False)

        def found():
            return [r for r in self.px.written() if r.get("port") == port and harness.has_ended(r)]

        return answer, harness.until(found, f"a record of port {port}")[0]

    def test_garbage(self):
        source = random.Random(3)
        heads = [b"", b"\x16\x03\x03", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", b"\x15\x03\x03",
                 b"\x15\x03\x03\x00\x02", b"\x17\x03\x03\x00\x20", b"\x14\x03\x03\x00\x01\x01",
                 b"\x16\x03\x03\x00\x00" * 50, b"HTTP/1.1 ", b"\0" * 10]
        for head in heads:
            for size in 0, 3000:
                data = head + source.randbytes(size)
                if not data:
                    continue
                with self.subTest(data[:12]):
                    def handle(s, data=data):
                        servers.hello(s)
                        s.sendall(data)

                    answer, record = self.visit(self.service(handle).port)
                    self.assertNotEqual(answer.exit, 0)
                    self.assertIn(record["verdict"]["party"], PARTY, record["verdict"]["says"])

    def test_flight_cut_at_every_byte(self):
        """A server that closes after each prefix of its first flight, for every 7th byte."""
        flight = self.flight()
        ports = {}
        for end in range(0, len(flight), 7):
            def handle(s, end=end):
                servers.hello(s)
                s.sendall(flight[:end])

            ports[self.service(handle).port] = end
        for port, end in ports.items():
            _, record = self.visit(port, "--tls-max", "1.2")
            self.assertIn(record["verdict"]["party"], PARTY, (end, record["verdict"]["says"]))

    def flight(self):
        """The first flight of a TLS 1.2 server."""
        server = self.s_server(harness.leaf(HOST), "-tls1_2")
        taken = []

        def keep(all_records):
            for message in servers.messages(all_records):
                taken.append(b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message)
                yield taken[-1]

        _, port = servers.relay(lambda lab: (HOST, server.port), keep)(self)
        self.visit(port, "--tls-max", "1.2")
        return b"".join(taken)

    def chain_server(self, chain, *args):
        """s_server with a chain of any length behind its leaf."""
        leaf = harness.leaf(HOST)
        made = leaf._replace(chain=self.file(f"chain{len(chain)}.pem", b"".join(chain)))
        return self.s_server(made, *args)

    def test_chain_of_100(self):
        with open(harness.intermediate().file, "rb") as f:
            intermediate = f.read()
        with open(harness.leaf(HOST).file, "rb") as f:
            leaf = f.read()
        for version in "-tls1_2", "-tls1_3":
            answer, record = self.visit(self.chain_server([leaf] + [intermediate] * 99, version).port)
            self.assertEqual(answer.exit, 0, answer.err)
            self.assertEqual(record["verdict"]["party"], "none", record["verdict"]["says"])
            self.assertEqual(len(field(record, "legs.server.chain")), 100)

    def test_long_real_chain(self):
        """Twenty CAs, each below the one before."""
        issuer = harness.root()
        for depth in range(20):
            issuer = harness.issue(f"Lab CA {depth}", issuer, harness.CA_EXTENSIONS,
                                   which=f"depth{depth}")
        server = self.s_server(harness.leaf(HOST, issuer=issuer))
        answer, record = self.visit(server.port)
        self.assertEqual(len(field(record, "legs.server.chain")), 21)
        self.assertNotEqual(record["verdict"]["party"], "client", answer.err)

    def test_megabyte_certificate(self):
        """nsComment of a megabyte: it is looked at, whatever clients take."""
        for size, cause in (50_000, "healthy"), (1_000_000, "healthy"), (2_000_000, "cert-too-large"):
            comment = ("nsComment=" + "x" * size,)
            server = self.s_server(harness.leaf(HOST, extensions=comment))
            answer, record = self.visit(server.port)
            self.assertEqual(record["verdict"]["cause"], cause, answer.err)
            self.assertEqual(answer.exit == 0, cause == "healthy", answer.err)
            notes = [note["id"] for note in record["notes"]]
            self.assertEqual("cert-too-large" in notes, size == 1_000_000, notes)

    def test_many_names(self):
        names = [f"h{i}.localhost" for i in range(3000)]
        server = self.s_server(harness.leaf(HOST, *names))
        answer, record = self.visit(server.port)
        self.assertEqual(answer.exit, 0, answer.err)
        self.assertEqual(record["verdict"]["party"], "none", record["verdict"]["says"])

    def test_trickle(self):
        """A server that says its flight a byte at a time has the time of a handshake."""
        flight = self.flight()
        cut = threading.Event()

        def handle(s):
            servers.hello(s)
            try:
                for byte in flight:
                    s.sendall(bytes([byte]))
                    time.sleep(0.02)
            except OSError:
                cut.set()

        proxy = self.proxy("--timeout", "1")
        with proxy.connect(f"{HOST}:{self.service(handle).port}") as s:
            s.sendall(Hello(HOST).records())
            record = proxy.record()
        self.assertTrue(cut.wait(harness.TIMEOUT))
        self.assertEqual(field(record, "legs.server.end.how"), "timeout")
        self.assertIn(record["verdict"]["party"], PARTY)

    def test_endless_banner(self):
        """A server that never stops talking before anybody spoke."""
        def handle(s):
            with contextlib.suppress(OSError):
                while True:
                    s.sendall(b"hello " * 1000)

        port = self.service(handle).port
        before = self.px.resident()
        with self.px.connect(f"{HOST}:{port}") as s:
            for _ in range(100):
                harness.read_exactly(s, 6000)
            time.sleep(0.3)  # now it is the proxy that must not read on
            if not harness.sanitized():
                self.assertLess(self.px.resident() - before, 8 << 20)
