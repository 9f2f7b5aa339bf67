"""http:// through the proxy: requests in absolute form, as any explicit proxy takes them."""

import os
import socket

from tests.lab import harness
from tests.lab.harness import field

HOST = "a.localhost"


def request_of(connection):
    """The next request: its head, and its body where a length is given; None at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return None
        head += byte
    head = head.decode()
    body = b""
    for line in head.lower().split("\r\n"):
        if line.startswith("content-length:"):
            body = harness.read_exactly(connection, int(line.split(":")[1]))
    return head, body


class Plain(harness.Lab):
    """With servers that remember what they were asked."""

    def setUp(self):
        self.heads = []

    def server(self, *answers, certificate=None):
        """A server with an answer for each request of a connection, in turn."""
        def handle(connection):
            for answer in answers:
                request = request_of(connection)
                if request is None:
                    return
                self.heads.append(request[0])
                connection.sendall(answer(*request) if callable(answer) else answer)

        return self.service(handle, certificate)

    @staticmethod
    def ok(body, *lines):
        """An answer with a length."""
        extra = "".join(line + "\r\n" for line in lines)
        return f"HTTP/1.1 200 OK\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def ask(self, s, server, path="/", lines=(), method="GET", body=b""):
        """Writes a request in absolute form."""
        at = f"{HOST}:{server.port}"
        head = "".join(line + "\r\n" for line in (f"Host: {at}", *lines))
        s.sendall(f"{method} http://{at}{path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    def answer(self, s):
        """Reads an answer with a length."""
        head = harness.read_head(s).decode()
        size = [int(line.split(":")[1]) for line in head.lower().split("\r\n")
                if line.startswith("content-length:")]
        return head, harness.read_exactly(s, size[0]).decode()


class KeepAlive(Plain):
    """Several requests in one connection of the client."""

    def test_same_origin(self):
        server = self.server(self.ok("one"), self.ok("two"), self.ok("three"), b"")
        proxy = self.proxy()
        with proxy.connect() as s:
            for path, expected in ("/1", "one"), ("/2?a=b", "two"), ("", "three"):
                self.ask(s, server, path)
                self.assertEqual(self.answer(s)[1], expected)
        targets = [head.split("\r\n")[0] for head in self.heads]
        self.assertEqual(targets, ["GET /1 HTTP/1.1", "GET /2?a=b HTTP/1.1", "GET / HTTP/1.1"])
        record = proxy.record()
        self.assertEqual((record["mode"], record["application"]), ("plain", "http"))
        self.assertEqual((record["host"], record["port"]), (HOST, server.port))
        self.assertEqual(field(record, "legs.client.end.by"), "client")

    def test_curl_with_two_origins(self):
        one, two = self.nginx(), self.nginx()
        proxy = self.proxy()
        urls = [f"http://{HOST}:{server.port}/" for server in (one, two, two, one)]
        answer = self.curl(urls[-1], proxy, "-v", *urls[:-1])
        self.assertEqual(answer.body, b"hello\n" * 4)
        self.assertEqual(answer.err.count("Re-using existing connection"), 3)
        records = proxy.records(3)
        self.assertEqual([r["port"] for r in records], [one.port, two.port, one.port])
        for record in records:
            self.assertGreater(field(record, "legs.server.bytes.received"), 0)
        self.assertEqual(field(records[0], "legs.server.end.by"), "client")

    def test_origin_closes_between_requests(self):
        server = self.server(self.ok("once"))
        proxy = self.proxy()
        with proxy.connect() as s:
            for _ in range(3):
                self.ask(s, server)
                self.assertEqual(self.answer(s)[1], "once")
                harness.until(lambda: len(proxy.written()) == len(self.heads), "a record each")
        self.assertEqual([field(r, "legs.server.end.by") for r in proxy.records(3)], ["server"] * 3)

    def test_pipelined(self):
        server = self.server(self.ok("one"), self.ok("two"))
        other = self.server(self.ok("three"))
        proxy = self.proxy()
        with proxy.connect() as s:
            text = "".join(f"GET http://{HOST}:{port}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n"
                           for port in (server.port, server.port, other.port))
            s.sendall(text.encode())
            self.assertEqual([self.answer(s)[1] for _ in range(3)], ["one", "two", "three"])
        proxy.records(2)

    def test_connection_close(self):
        server = self.server(self.ok("bye", "Connection: close"))
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server)
            self.assertTrue(harness.read_all(s).endswith(b"\r\n\r\nbye"))
        proxy.record()

    def test_unasked_answer(self):
        """What a server says of its own accord must not become the answer to the next request."""
        server = self.server(self.ok("one") + self.ok("poison"), self.ok("two"))
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server)
            self.assertEqual(self.answer(s)[1], "one")
            self.ask(s, server)
            self.assertEqual(self.answer(s)[1], "one")


    def test_own_site_next(self):
        server = self.server(self.ok("one"))
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server)
            self.assertEqual(self.answer(s)[1], "one")
            s.sendall(b"GET http://tlsblame.test/ca.pem HTTP/1.1\r\nHost: tlsblame.test\r\n\r\n")
            with open(proxy.ca, encoding="ascii") as f:
                self.assertEqual(self.answer(s)[1], f.read())
        proxy.record()


class Messages(Plain):
    """Forms of requests and answers."""

    def exchange(self, answer, *lines, method="GET", body=b"", until_close=True):
        server = self.server(answer)
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server, "/", lines, method, body)
            got = harness.read_all(s) if until_close else self.answer(s)
        return got, proxy.record()

    def test_chunked_both_ways(self):
        block = os.urandom(100_000)
        body = b"186a0;ext=1\r\n" + block + b"\r\n3\r\nend\r\n0\r\nX-Trailer: yes\r\n\r\n"
        got = []

        def echo(connection):
            head = harness.read_head(connection)
            got.append(head)
            got.append(harness.read_exactly(connection, len(body)))
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
            got.append(connection.recv(1))

        server = self.service(echo)
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server, "/", ["Transfer-Encoding: chunked"], "POST", body)
            harness.read_head(s)
            self.assertEqual(harness.read_exactly(s, len(body)), body)
        proxy.record()
        self.assertEqual(got[1], body)

    def test_curl_chunked_upload(self):
        data = os.urandom(300_000)
        server = self.nginx(server="location / { client_max_body_size 1m; proxy_pass "
                            "http://127.0.0.1:$server_port/echo; } "
                            "location = /echo { return 200 $content_length; }")
        proxy = self.proxy()
        answer = self.curl(f"http://{HOST}:{server.port}/", proxy, "-T", "-", "-X", "POST",
                           input=data)
        self.assertEqual(answer.body, b"300000")

    def test_head(self):
        server = self.server(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", self.ok("next"))
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server, method="HEAD")
            self.assertIn(b"Content-Length: 1000\r\n", harness.read_head(s))
            self.ask(s, server)
            self.assertEqual(self.answer(s)[1], "next")
        self.assertEqual(field(proxy.record(), "http.request.method"), "HEAD")

    def test_answers_without_body(self):
        for status in "204 No Content", "304 Not Modified":
            with self.subTest(status=status):
                server = self.server(f"HTTP/1.1 {status}\r\nETag: \"a\"\r\n\r\n".encode(),
                                     self.ok("next"))
                proxy = self.proxy()
                with proxy.connect() as s:
                    self.ask(s, server)
                    self.assertIn(status.encode(), harness.read_head(s))
                    self.ask(s, server)
                    self.assertEqual(self.answer(s)[1], "next")
                proxy.record()

    def test_100_continue(self):
        def careful(connection):
            harness.read_head(connection)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = harness.read_exactly(connection, 4)
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            connection.sendall(self.ok(body.decode()))
            connection.recv(1)

        server = self.service(careful)
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server, "/", ["Expect: 100-continue", "Content-Length: 4"], "POST")
            self.assertIn(b" 100 ", harness.read_head(s))
            s.sendall(b"body")
            self.assertIn(b" 103 ", harness.read_head(s))
            self.assertEqual(self.answer(s)[1], "body")
        proxy.record()

    def test_answer_without_length(self):
        got, record = self.exchange(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        self.assertTrue(got.endswith(b"\r\n\r\nuntil the end"))
        self.assertEqual(field(record, "legs.server.end.by"), "server")
        self.assertNotIn("detail", record["legs"]["server"]["end"])

    def test_http10_origin(self):
        got, record = self.exchange(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold")
        self.assertTrue(got.startswith(b"HTTP/1.0 200 OK\r\n"))
        self.assertTrue(got.endswith(b"\r\n\r\nold"))
        self.assertEqual(field(record, "legs.client.end.by"), "server")

    def test_cut_answer(self):
        """The client must see that the answer is not whole."""
        server = self.server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        proxy = self.proxy()
        answer = self.curl(f"http://{HOST}:{server.port}/", proxy, check=False)
        self.assertIn(answer.exit, (18, 56))  # partial file, or reset
        record = proxy.record()
        self.assertEqual(field(record, "legs.server.end.detail"), "in the middle of the response")

    def test_streamed_upload(self):
        """The origin sees the beginning of a body whose end is not there yet."""
        def answer_early(connection):
            harness.read_head(connection)
            first = harness.read_exactly(connection, 5)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            rest = harness.read_exactly(connection, 5)
            connection.sendall(self.ok((first + rest).decode()))
            connection.recv(1)

        server = self.service(answer_early)
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server, "/", ["Content-Length: 10"], "PUT", b"first")
            self.assertIn(b" 100 ", harness.read_head(s))
            s.sendall(b"-last")
            self.assertEqual(self.answer(s)[1], "first-last")
        proxy.record()

    def test_headers_of_the_hop(self):
        server = self.server(self.ok("x"))
        proxy = self.proxy()
        with proxy.connect() as s:
            self.ask(s, server, "/", ["Proxy-Connection: keep-alive", "Proxy-Authorization: x",
                                      "X-Kept: yes"])
            self.answer(s)
        head = self.heads[0]
        self.assertNotIn("Proxy-", head)
        self.assertIn("X-Kept: yes\r\n", head)
        self.assertEqual(head.count("Host:"), 1)

    def test_host_is_that_of_the_url(self):
        """RFC 9112 section 3.2.2."""
        server = self.server(self.ok("x"), self.ok("x"))
        proxy = self.proxy()
        with proxy.connect() as s:
            for lines in "Host: other.test\r\n", "":
                at = f"{HOST}:{server.port}"
                s.sendall(f"GET http://{at}/ HTTP/1.1\r\n{lines}\r\n".encode())
                self.answer(s)
        for head in self.heads:
            self.assertIn(f"\r\nHost: {HOST}:{server.port}\r\n", head)
            self.assertNotIn("other.test", head)

    def test_upgrade_not_taken(self):
        """Many servers tell in every answer that they could do h2c."""
        server = self.server(self.ok("x", "Upgrade: h2c", "Connection: Upgrade"), self.ok("y"))
        proxy = self.proxy()
        with proxy.connect() as s:
            for expected in "x", "y":
                self.ask(s, server)
                self.assertEqual(self.answer(s)[1], expected)


class Failures(Plain):
    """Origins that are not there."""

    def test_refused(self):
        with socket.socket() as bound:  # bound, but not listening
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            proxy = self.proxy()
            answer = self.curl(f"http://{HOST}:{port}/", proxy)
            self.assertEqual(answer.status, 502)
            record = proxy.record()
            self.assertEqual(field(record, "legs.server.end.how"), "refused")
            self.assertIn(record["verdict"]["cause"].encode(), answer.body)
            self.assertIn(record["id"].encode(), answer.body)

    def test_second_origin_refused(self):
        server = self.server(self.ok("one"))
        proxy = self.proxy()
        with socket.socket() as bound, proxy.connect() as s:
            bound.bind(("127.0.0.1", 0))
            self.ask(s, server)
            self.assertEqual(self.answer(s)[1], "one")
            port = bound.getsockname()[1]
            s.sendall(f"GET http://{HOST}:{port}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
            self.assertIn(b" 502 ", harness.read_all(s))
        proxy.records(2)

    def test_closed_without_answer(self):
        server = self.service(harness.read_head)
        proxy = self.proxy()
        answer = self.curl(f"http://{HOST}:{server.port}/", proxy)
        self.assertEqual(answer.status, 502)
        self.assertEqual(field(proxy.record(), "legs.server.end.how"), "fin")

    def test_not_http(self):
        server = self.server(b"SSH-2.0-OpenSSH_9.2\r\n")
        proxy = self.proxy()
        answer = self.curl(f"http://{HOST}:{server.port}/", proxy, check=False)
        self.assertNotEqual(answer.exit, 0)
        self.assertEqual(field(proxy.record(), "legs.server.end.how"), "error")
