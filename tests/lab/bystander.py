"""A healthy connection that runs while others go wrong, and must not notice."""

import contextlib
import hashlib
import random
import socket
import ssl
import struct
import threading

from tests.lab import harness

HOST = "bystander.localhost"
PIECE = 32 * 1024


class Bystander:
    """A download through the proxy, as long as the `with` block lasts. At its end both sides must
    have seen the same bytes."""

    def __init__(self, lab, proxy):
        self.lab, self.proxy = lab, proxy
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()
        self.size = 0
        self.over = threading.Event()
        self.begun = threading.Event()
        self.error = None

    def _serve(self, s):
        piece = random.randbytes(PIECE)
        while not self.over.wait(0.01):
            s.sendall(piece)
            self.sent.update(piece)
        with contextlib.suppress(OSError):
            s.unwrap()

    def _fetch(self, port):
        try:
            with self.proxy.tls(f"{HOST}:{port}") as s:
                for data in iter(lambda: s.recv(65536), b""):
                    self.received.update(data)
                    self.size += len(data)
                    self.begun.set()
                s.unwrap()
        except OSError as error:
            self.error = error
            self.begun.set()

    def __enter__(self):
        service = self.lab.service(self._serve, harness.leaf(HOST))
        self.client = threading.Thread(target=self._fetch, args=(service.port,))
        self.client.start()
        self.lab.assertTrue(self.begun.wait(harness.TIMEOUT), "the bystander never began")
        return self

    def __exit__(self, *failure):
        self.over.set()
        self.client.join(harness.TIMEOUT)
        if failure[0] is None:
            self.lab.assertIsNone(self.error)
            self.lab.assertGreaterEqual(self.size, PIECE)
            self.lab.assertEqual(self.received.digest(), self.sent.digest(),
                                 f"after {self.size} bytes")


class Hello:
    """A ClientHello of OpenSSL's, taken apart to be changed."""

    def __init__(self, name="a.localhost"):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        message = outgoing.read()[5:]
        at = 4 + 2 + 32
        at += 1 + message[at]
        at += 2 + int.from_bytes(message[at:at + 2], "big")
        at += 1 + message[at]
        self.start, self.extensions = message[4:at], []
        at += 2
        while at < len(message):
            kind, size = (int.from_bytes(message[at + i:at + i + 2], "big") for i in (0, 2))
            self.extensions.append((kind, message[at + 4:at + 4 + size]))
            at += 4 + size

    def named(self, name):
        """With these bytes in server_name (RFC 6066 section 3)."""
        entry = b"\0" + len(name).to_bytes(2, "big") + name
        value = len(entry).to_bytes(2, "big") + entry
        self.extensions = [(0, value)] + [e for e in self.extensions if e[0] != 0]
        return self

    def with_extension(self, kind, value):
        """With one more extension in the last place but one."""
        self.extensions.insert(-1, (kind, value))
        return self

    def message(self):
        """The handshake message."""
        block = b"".join(kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
                         for kind, value in self.extensions)
        body = self.start + len(block).to_bytes(2, "big") + block
        return b"\x01" + len(body).to_bytes(3, "big") + body

    def records(self, size=16384):
        """The message in records of at most `size` bytes each."""
        message = self.message()
        pieces = [message[i:i + size] for i in range(0, len(message), size)]
        return b"".join(b"\x16\x03\x01" + len(p).to_bytes(2, "big") + p for p in pieces)


def close_rudely(s):
    """Closes with a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
