"""Clients that do everything wrong. Each gets a clear record, and nobody else notices."""

import os
import random
import socket
import ssl
import threading
import time

from tests.lab import harness
from tests.lab.bystander import Bystander, Hello, close_rudely
from tests.lab.harness import field

HOST = "a.localhost"
ANSWERED = b"\x16\x03\x03"  # a ServerHello


class BadClients(harness.Lab):
    """Each test runs beside a healthy download."""

    def setUp(self):
        self.px = self.proxy("--workers", "2")
        bystander = Bystander(self, self.px)
        bystander.__enter__()
        self.addCleanup(bystander.__exit__, None, None, None)
        self.target = f"{HOST}:{self.s_server(harness.leaf(HOST)).port}"

    def ended(self, count):
        """The records of the clients, all but the bystander's."""
        def found():
            return [r for r in self.px.written()
                    if harness.has_ended(r) and r.get("host") != "bystander.localhost"]

        return harness.until(lambda: len(found()) >= count and found(), f"{count} records")

    def say(self, data, close=True):
        """What the proxy answers to these first bytes."""
        with self.px.connect() as s:
            try:
                s.sendall(data)
                if close:
                    s.shutdown(socket.SHUT_WR)
                return harness.read_all(s)
            except ConnectionResetError:
                return b""

    def tls(self, data, target=None):
        """The first bytes of an answer to a ClientHello, once all of it was sent."""
        with self.px.connect(target or self.target) as s:
            s.sendall(data)
            return s.recv(65536)

    def test_random_bytes(self):
        source = random.Random(1)
        first = [b"", b"\x16", b"\x16\x03\x01", b"\x80\x2e", b"GET ", b"CONNECT ", b"\r\n\r\n"]
        data = [head + source.randbytes(2000) for head in first for _ in range(5)]
        for one in data:
            answer = self.say(one)
            self.assertTrue(answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431") or
                            answer[:3] == b"\x15\x03\x03", (one[:20], answer))
        for record in self.ended(len(data)):
            self.assertEqual(field(record, "legs.client.end.by"), "client")
            self.assertNotEqual(record["verdict"]["party"], "server")

    def test_random_bytes_behind_a_connect(self):
        source = random.Random(2)
        for head in b"\x16\x03\x01", b"\x16\x03\x03\x40\x00\x01", b"\x80\x2e\x01":
            for _ in range(5):
                with self.px.connect(self.target) as s:
                    s.sendall(head + source.randbytes(3000))
                    s.shutdown(socket.SHUT_WR)
                    harness.read_all(s)
        for record in self.ended(15):
            self.assertNotIn(record["verdict"]["party"], ("server", "proxy"))

    def test_long_request(self):
        for request in [
            b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\n\r\n",
            b"CONNECT " + b"a" * 65536 + b":443 HTTP/1.1\r\n\r\n",
            b"GET http://a.localhost/ HTTP/1.1\r\nx: " + b"a" * 65536 + b"\r\n\r\n",
            b"GET /" + b"a" * 1000000,
        ]:
            self.assertEqual(self.say(request, close=False)[:12], b"HTTP/1.1 431")
        for record in self.ended(4):
            self.assertIn("64 KiB", field(record, "legs.client.end.detail"))

    def test_long_request_that_fits(self):
        head = b"CONNECT %s HTTP/1.1\r\nx: " % self.target.encode()
        with self.px.connect() as s:
            s.sendall(head + b"a" * 60000 + b"\r\n\r\n")
            self.assertIn(b" 200 ", harness.read_head(s))

    def test_strange_connects(self):
        for target in (b"a\0b:443", b":443", b"a:0", b"a:65536", b"a:-1", b"[::1:443", b"a b:443",
                       b"a%00:443", b"x" * 300 + b":443", b"http://a/:443", b"\xff\xfe:443"):
            answer = self.say(b"CONNECT " + target + b" HTTP/1.1\r\n\r\n", close=False)
            self.assertEqual(answer[:12], b"HTTP/1.1 400", target)

    def test_hello_cut_at_every_byte(self):
        hello = Hello().records()
        for end in range(len(hello)):
            with self.px.connect(self.target) as s:
                s.sendall(hello[:end])
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(harness.read_all(s), b"")
        for record in self.ended(len(hello)):
            self.assertEqual(field(record, "legs.client.end.by"), "client")
            self.assertEqual(field(record, "legs.client.end.how"), "fin")
            self.assertIn(record["verdict"]["party"], ("none", "client", "undetermined"))

    def test_hello_a_byte_at_a_time(self):
        hello = Hello().records()
        with self.px.connect(self.target) as s:
            harness.send_apart(s, [hello[:1], hello[1:2]])
            for byte in hello[2:]:
                s.send(bytes([byte]))
            self.assertEqual(s.recv(65536)[:3], ANSWERED)
        record, = self.ended(1)
        self.assertGreater(field(record, "legs.client.offer.segments"), 1)

    def test_hello_split_over_records(self):
        for size in 1, 3, 4, 5, 100, 400:
            self.assertEqual(self.tls(Hello().records(size))[:3], ANSWERED, size)
        for record in self.ended(6):
            self.assertGreater(field(record, "legs.client.offer.records"), 1)
            self.assertIn("rec-message-split", [note["id"] for note in record["notes"]])

    def test_large_hello(self):
        for size in 1000, 17 * 1024, 60 * 1024:
            hello = Hello().with_extension(0x1234, bytes(size))
            self.assertEqual(self.tls(hello.records())[:3], ANSWERED, size)
        many = Hello()
        for kind in range(0x2000, 0x2000 + 3000):
            many.with_extension(kind, b"")
        self.assertEqual(self.tls(many.records())[:3], ANSWERED)
        too_large = Hello().message()[:1] + (65 * 1024).to_bytes(3, "big") + bytes(16380)
        answer = self.tls(b"\x16\x03\x01\x40\x00" + too_large)
        self.assertEqual(answer[:3], b"\x15\x03\x03")
        self.ended(5)

    def test_strange_names(self):
        for done, (name, note) in enumerate([
            (b"a\0b", "ch-sni-nul"),
            (b"127.0.0.1", "ch-sni-ip-address"),
            (b"my_host.localhost", "ch-sni-underscore"),
            ("b\u00fccher.localhost".encode(), "ch-sni-non-ascii"),
            (b"xn--bcher-kva.localhost", None),
            (b"", "ch-sni-empty"),
            (b"a" * 300, "ch-sni-too-long"),
            (bytes(range(128, 255)), "ch-sni-non-ascii"),
            (b"\x1b[2J\r\n\"<script>", None),
        ]):
            with self.subTest(name):
                self.tls(Hello().named(name).records())
                record = self.ended(done + 1)[done]
                notes = [n["id"] for n in record.get("notes", []) if n["leg"] == "client"]
                if note is not None:
                    self.assertIn(note, notes)
                self.assertNotEqual(record["verdict"]["party"], "proxy", record["verdict"])
        # What a client says never reaches the terminal as it is.
        self.assertFalse(any("\x1b" in line for line in self.px.lines if line))

    def test_slow_clients(self):
        """Whoever trickles has the time of a handshake and no more."""
        proxy = self.proxy("--timeout", "4")
        before = self.descriptors(proxy)
        hello = Hello().records()
        slow = []
        for i in range(60):
            if i % 3 == 0:
                s = proxy.connect()
                data = b"CONNECT a.localhost:443 HTTP/1.1\r\n"
            else:
                s = proxy.connect(self.target)
                data = hello
            slow.append((s, data, i % 3 == 2))
        self.assertGreater(self.descriptors(proxy), before + 60)
        for at in range(3):
            for s, data, trickles in slow:
                if trickles or at == 0:
                    s.sendall(data[at:at + 1])
            time.sleep(0.1)
        for s, _, _ in slow:
            harness.read_all(s)
            s.close()
        for record in proxy.records(60):
            self.assertEqual(field(record, "legs.client.end.how"), "timeout")
        harness.until(lambda: self.descriptors(proxy) <= before, "descriptors to be free again")

    def descriptors(self, proxy):
        """How many the proxy has open."""
        return len(os.listdir(f"/proc/{proxy.pid}/fd"))

    def test_clients_that_stop_in_the_handshake(self):
        """Each has the time of a handshake, whoever is at its other end."""
        # It closes no sooner than at the hello: before that there is no TLS to show a page in.
        dead = self.service(lambda s: s.recv(1))
        proxy = self.proxy("--timeout", "4")
        page = self.proxy("--timeout", "4", policy={"default": {"on_server_failure": "page"}})
        stopped = []
        for proxy, target in (proxy, self.target), (page, self.target), \
                (page, f"{HOST}:{dead.port}"), (page, "tlsblame.test:443"):
            with self.subTest(target):
                s = proxy.connect(target)
                stopped.append(s)
                s.sendall(Hello().records())
                self.assertEqual(s.recv(65536)[:3], ANSWERED)
        for s in stopped:
            harness.read_all(s)
            s.close()

    def test_vanishing_clients(self):
        """At each step, with FIN and with RST, TLS 1.2 and 1.3."""
        stalled = self.service(harness.read_all)
        stalled_target = f"{HOST}:{stalled.port}"
        before = self.descriptors(self.px)
        steps = 0
        for vanish in socket.socket.close, close_rudely:
            for step in self.steps(stalled_target):
                s = step()
                vanish(s)
                steps += 1
        harness.until(lambda: self.descriptors(self.px) <= before, "descriptors to be free again")
        for record in self.ended(steps - 2):
            self.assertNotIn(record["verdict"]["party"], ("server", "proxy"), record["verdict"])

    def steps(self, stalled_target):
        """Functions that each go one step further, and return the socket."""
        hello = Hello().records()

        def said(data, target=None):
            def step():
                s = self.px.connect(target)
                s.sendall(data)
                return s
            return step

        def shaken(version, request):
            def step():
                s = self.px.tls(self.target, versions=(version, version))
                s.sendall(request)
                if request.endswith(b"\r\n\r\n"):
                    s.recv(100)
                return s
            return step

        def answered():
            s = said(hello, self.target)()
            s.recv(100)
            return s

        versions = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        return [
            said(b""),
            said(b"CONNECT a.loc"),
            said(b"CONNECT %s HTTP/1.1\r\n\r\n" % self.target.encode()),
            said(b"", self.target),
            said(hello[:3], self.target),
            said(hello[:100], self.target),
            said(hello, self.target),
            said(hello, stalled_target),
            answered,
            *(shaken(v, request) for v in versions
              for request in (b"", b"GET / HTTP/1.0\r\n", b"GET / HTTP/1.0\r\n\r\n")),
        ]

    def test_many_at_once(self):
        """Bad clients of every kind in parallel."""
        hello = Hello().records()

        def misbehave(number):
            source = random.Random(number)
            for _ in range(20):
                with self.px.connect(self.target) as s:
                    cut = source.randrange(len(hello))
                    s.sendall(hello[:cut] + source.randbytes(source.randrange(100)))
                    (close_rudely if source.random() < 0.5 else socket.socket.close)(s)

        threads = [threading.Thread(target=misbehave, args=(n,)) for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.ended(200)
