"""Much data, many connections, slow readers, upgrades and half-closed connections."""

import base64
import hashlib
import os
import socket
import ssl
import subprocess
import threading

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"
GIB = 1 << 30
MIB = 1 << 20
# A sanitizer holds on to 256 MiB that were given back.
RESIDENT_MAX = (512 if harness.sanitized() else 64) * MIB


class Bulk(harness.Lab):
    """Much data in one connection."""

    def test_download_of_a_gibibyte(self):
        server = self.nginx(harness.leaf(HOST), server="sendfile off; output_buffers 2 256k;")
        path = f"{server.dir}/www/big"
        marks = {at: os.urandom(64) for at in range(0, GIB, GIB // 37)}
        with open(path, "wb") as f:
            f.truncate(GIB)
            for at, mark in marks.items():
                f.seek(at)
                f.write(mark)
        with open(path, "rb") as f:
            expected = hashlib.file_digest(f, "sha256").hexdigest()
        proxy = self.proxy()
        curl = subprocess.Popen(
            ["curl", "-q", "-sS", "-x", proxy.url, "--cacert", proxy.ca,
             f"https://{HOST}:{server.port}/big"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )
        digest, resident, reads = hashlib.sha256(), 0, 0
        with curl:
            for piece in iter(lambda: curl.stdout.read(MIB), b""):
                digest.update(piece)
                reads += 1
                if reads % 64 == 0:
                    resident = max(resident, proxy.resident())
        self.assertEqual(curl.returncode, 0)
        self.assertEqual(digest.hexdigest(), expected)
        self.assertLess(resident, RESIDENT_MAX)
        record = proxy.record()
        self.assertGreater(field(record, "legs.server.bytes.data_received"), GIB)
        self.assertEqual(field(record, "legs.server.bytes.data_received"),
                         field(record, "legs.client.bytes.data_sent"))
        self.assertGreater(field(record, "legs.client.bytes.sent"), GIB)

    def post(self, certificate):
        size = 100 * MIB
        block = os.urandom(MIB)
        path = self.file("upload", block * 100)

        def take(connection):
            harness.read_head(connection)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            digest, left = hashlib.sha256(), size
            while left:
                piece = connection.recv(min(left, 1 << 18))
                digest.update(piece)
                left -= len(piece)
            body = digest.hexdigest().encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + body)

        server = self.service(take, certificate)
        proxy = self.proxy()
        url = f"{'https' if certificate else 'http'}://{HOST}:{server.port}/"
        answer = self.curl(url, proxy, "-T", path, "-X", "POST")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body.decode(), hashlib.sha256(block * 100).hexdigest())
        self.assertLess(proxy.resident(), RESIDENT_MAX)
        record = proxy.record()
        self.assertGreater(field(record, "legs.client.bytes.received"), size)
        self.assertGreater(field(record, "legs.server.bytes.sent"), size)

    def test_post(self):
        self.post(harness.leaf(HOST))

    def test_post_plain(self):
        self.post(None)

    def slow_reader(self, certificate):
        """The server has more to say than the client reads; the proxy must not hold it all."""
        total, written, stuck = 256 * MIB, [0], threading.Event()

        def pour(connection):
            harness.read_head(connection)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            block = bytes(MIB)
            connection.settimeout(0.3)  # seconds after which it counts as stuck
            while written[0] < total:
                try:
                    written[0] += connection.send(block)
                except (TimeoutError, ssl.SSLWantWriteError):
                    stuck.set()
                    return

        server = self.service(pour, certificate)
        proxy = self.proxy()
        target = f"{HOST}:{server.port}"
        if certificate:
            client = proxy.tls(target)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        else:
            client = proxy.connect()
            client.sendall(f"GET http://{target}/ HTTP/1.0\r\n\r\n".encode())
        with client:
            self.assertTrue(client.recv(1))
            self.assertTrue(stuck.wait(harness.TIMEOUT))
            self.assertLess(proxy.resident(), RESIDENT_MAX)
            self.assertLess(written[0], 64 * MIB)
        proxy.record()

    def test_slow_reader(self):
        self.slow_reader(harness.leaf(HOST))

    def test_slow_reader_plain(self):
        self.slow_reader(None)

    def test_slow_server(self):
        """The client has more to say than the server reads, in each way through the proxy."""
        for way in "intercept", "tunnel", "plain":
            with self.subTest(way=way):
                read_on = threading.Event()
                certificate = None if way == "plain" else harness.leaf(HOST)

                def lazy(connection):
                    harness.read_head(connection)
                    read_on.wait(harness.TIMEOUT)
                    while connection.recv(1 << 18):
                        pass

                server = self.service(lazy, certificate)
                proxy = self.proxy(policy={"default": {
                    "action": "tunnel" if way == "tunnel" else "intercept"}})
                target, url = f"{HOST}:{server.port}", "/"
                if way == "plain":
                    client, url = proxy.connect(), f"http://{target}/"
                else:
                    trusted = harness.root().file if way == "tunnel" else proxy.ca
                    context = ssl.create_default_context(cafile=trusted)
                    client = context.wrap_socket(proxy.connect(target), server_hostname=HOST)
                with client:
                    head = f"PUT {url} HTTP/1.1\r\nContent-Length: {GIB}\r\n\r\n"
                    client.sendall(head.encode())
                    client.settimeout(0.3)  # seconds after which it counts as stuck
                    written, block = 0, bytes(MIB)
                    with self.assertRaises(TimeoutError):
                        while written < 256 * MIB:
                            written += client.send(block)
                    self.assertLess(proxy.resident(), RESIDENT_MAX)
                    read_on.set()
                proxy.record()

    def test_slow_reader_gets_all(self):
        """What was held back comes when it is wanted."""
        size = 32 * MIB
        block = os.urandom(MIB)

        def pour(connection):
            harness.read_head(connection)
            for _ in range(size // MIB):
                connection.sendall(block)

        server = self.service(pour, harness.leaf(HOST))
        proxy = self.proxy()
        with proxy.tls(f"{HOST}:{server.port}") as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            harness.until(lambda: proxy.resident() and client.pending() or client.recv(1), "data")
            digest = hashlib.sha256(block[:1])
            got = 1
            while got < size:
                piece = client.recv(70000)
                digest.update(piece)
                got += len(piece)
        self.assertEqual(digest.hexdigest(), hashlib.sha256(block * (size // MIB)).hexdigest())


class Many(harness.Lab):
    """Many connections at once."""

    def test_200_at_once(self):
        count = 200
        all_here = threading.Barrier(count, timeout=harness.TIMEOUT)

        def wait_for_all(connection):
            harness.read_head(connection)
            all_here.wait()  # no answer before all have asked
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")

        server = self.service(wait_for_all, harness.leaf(HOST))
        proxy = self.proxy()
        urls = "".join(f'url = "https://{HOST}:{server.port}/{i}"\noutput = "{self.dir}/out{i}"\n'
                       for i in range(count))
        done = harness.run(
            *["curl", "-q", "-sS", "--no-progress-meter", "--http1.1", "--cacert", proxy.ca],
            *["--parallel", "--parallel-immediate", "--parallel-max", str(count)],
            *["-x", proxy.url, "-K", self.file("urls", urls)],
        )
        self.assertEqual(done.stderr, b"")
        for i in range(count):
            with open(f"{self.dir}/out{i}", "rb") as f:
                self.assertEqual(f.read(), b"yes")
        for record in proxy.records(count):
            self.assertIs(field(record, "legs.client.tls.established"), True)
        self.assertLess(proxy.resident(), 2 * RESIDENT_MAX)


def websocket_server(connection):
    """RFC 6455 section 4.2.2, then an echo of masked frames."""
    head = harness.read_head(connection).decode()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    key = {name.lower(): value for name, value in fields.items()}["sec-websocket-key"]
    accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
    )
    while True:
        opcode, size = harness.read_exactly(connection, 2)
        mask = harness.read_exactly(connection, 4)
        data = harness.read_exactly(connection, size & 0x7F)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        connection.sendall(bytes([opcode, len(data)]) + data)
        if opcode & 0x0F == 8:
            return


def websocket_frame(opcode, data):
    """A masked frame (RFC 6455 section 5.2)."""
    mask = os.urandom(4)
    body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
    return bytes([0x80 | opcode, 0x80 | len(data)]) + mask + body


class WebSocket(harness.Lab):
    """An upgraded connection, wss:// and ws://."""

    def talk(self, client, start):
        key = base64.b64encode(os.urandom(16)).decode()
        client.sendall(f"{start}Upgrade: websocket\r\nConnection: Upgrade\r\n"
                       f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        head = harness.read_head(client)
        self.assertIn(b" 101 ", head)
        for text in b"one", b"", b"three":
            client.sendall(websocket_frame(1, text))
            self.assertEqual(harness.read_exactly(client, 2 + len(text)),
                             bytes([0x81, len(text)]) + text)
        client.sendall(websocket_frame(8, b""))
        self.assertEqual(harness.read_exactly(client, 2), b"\x88\x00")
        self.assertEqual(client.recv(1), b"")

    def test_wss(self):
        server = self.service(websocket_server, harness.leaf(HOST))
        proxy = self.proxy()
        with proxy.tls(f"{HOST}:{server.port}") as client:
            self.talk(client, f"GET /chat HTTP/1.1\r\nHost: {HOST}\r\n")
        self.assertEqual(field(proxy.record(), "legs.client.end.by"), "server")

    def test_ws(self):
        server = self.service(websocket_server)
        proxy = self.proxy()
        with proxy.connect() as client:
            at = f"{HOST}:{server.port}"
            self.talk(client, f"GET http://{at}/chat HTTP/1.1\r\nHost: {at}\r\n")
        record = proxy.record()
        self.assertEqual(record["mode"], "plain")
        self.assertEqual(field(record, "legs.client.end.by"), "server")

    def test_ws_through_connect(self):
        """As browsers do: CONNECT, then no TLS."""
        server = self.service(websocket_server)
        proxy = self.proxy()
        with proxy.connect(f"{HOST}:{server.port}") as client:
            self.talk(client, f"GET /chat HTTP/1.1\r\nHost: {HOST}\r\n")
        record = proxy.record()
        self.assertEqual((record["mode"], record["application"]), ("tunnel", "http request"))


class HalfClose(harness.Lab):
    """One side has said all; the other answers."""

    @staticmethod
    def answer_at_end(connection):
        data = harness.read_all(connection)
        connection.sendall(b"got " + data)

    def half_close_tls(self, version):
        server = self.service(self.answer_at_end, harness.leaf(HOST))
        proxy = self.proxy()
        context = proxy.client_context(versions=(version, version))
        with proxy.connect(f"{HOST}:{server.port}") as s:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname=HOST)

            def step(action):
                while True:
                    try:
                        return action()
                    except ssl.SSLWantReadError:
                        if outgoing.pending:
                            s.sendall(outgoing.read())
                        data = s.recv(65536)
                        if not data:
                            incoming.write_eof()
                        incoming.write(data)

            step(tls.do_handshake)
            tls.write(b"question")
            with self.assertRaises(ssl.SSLWantReadError):
                tls.unwrap()  # writes close_notify; the peer's is not there yet
            s.sendall(outgoing.read())
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while len(answer) < 12:
                answer += step(lambda: tls.read(100))
            self.assertEqual(answer, b"got question")
        record = proxy.record()
        self.assertEqual(field(record, "legs.client.end.by"), "client")
        self.assertEqual(field(record, "legs.server.bytes.data_received"), 12)

    def test_close_notify_and_fin(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with self.subTest(version=version):
                self.half_close_tls(version)

    def test_plain_fin_after_request(self):
        def answer(connection):
            harness.read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")

        server = self.service(answer)
        proxy = self.proxy()
        with proxy.connect() as client:
            at = f"{HOST}:{server.port}"
            client.sendall(f"GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n".encode())
            client.shutdown(socket.SHUT_WR)
            self.assertTrue(harness.read_all(client).endswith(b"\r\n\r\nyes"))
        proxy.record()

    def test_tunnel(self):
        server = self.service(self.answer_at_end)
        proxy = self.proxy()
        with proxy.connect(f"{HOST}:{server.port}") as client:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(harness.read_all(client), b"got question")
        self.assertEqual(field(proxy.record(), "legs.client.end.by"), "client")
