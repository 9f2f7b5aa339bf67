"""Planted boxes: a man in the middle of a TCP connection who dislikes some hellos."""

import socket
import struct
import threading

from tests.lab import harness

GREASE = {(v << 8) | v for v in range(0x0A, 0x100, 0x10)}
ECH, VERSIONS, GROUPS, PQ = 0xFE0D, 43, 10, 0x11EC
ALPN, SIGALGS, SHARES = 16, 13, 51


class Hello:
    """What a box reads of a ClientHello: of the first `first` bytes, if it is that hasty."""

    def __init__(self, data, reads):
        self.data, self.reads = data, reads
        self.records, self.whole, message, rest = 0, False, b"", data
        while len(rest) >= 5 and rest[0] == 22:
            size, = struct.unpack(">H", rest[3:5])
            message += rest[5:5 + size]
            self.records += 1
            rest = rest[5 + size:]
        self.ciphers, self.extensions, self.name, self.session_id = [], {}, None, b""
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            self.whole = True
            self._parse(message)
        self.size = len(message)

    def _parse(self, message):
        at = 4 + 2 + 32
        self.session_id = message[at + 1:at + 1 + message[at]]
        at += 1 + message[at]
        size, = struct.unpack(">H", message[at:at + 2])
        suites = message[at + 2:at + 2 + size]
        self.ciphers = [c for c, in struct.iter_unpack(">H", suites)]
        at += 2 + size
        at += 1 + message[at] + 2
        while at + 4 <= len(message):
            kind, size = struct.unpack(">HH", message[at:at + 4])
            self.extensions[kind] = message[at + 4:at + 4 + size]
            at += 4 + size
        if 0 in self.extensions:
            self.name = self.extensions[0][5:].decode("ascii", "replace")

    @property
    def tls13(self):
        return b"\x03\x04" in self.extensions.get(VERSIONS, b"")

    @property
    def grease(self):
        return any(c in GREASE for c in self.ciphers)

    def _codes(self, extension):
        return [code for code, in struct.iter_unpack(">H", self.extensions.get(extension, b"")[2:])]

    @property
    def groups(self):
        return self._codes(GROUPS)

    @property
    def sigalgs(self):
        return self._codes(SIGALGS)

    @property
    def versions(self):
        return [v for v, in struct.iter_unpack(">H", self.extensions.get(VERSIONS, b"")[1:])]

    @property
    def shares(self):
        found, rest = [], self.extensions.get(SHARES, b"")[2:]
        while rest:
            group, size = struct.unpack(">HH", rest[:4])
            found.append(group)
            rest = rest[4 + size:]
        return found

    @property
    def alpn(self):
        found, rest = [], self.extensions.get(ALPN, b"")[2:]
        while rest:
            found.append(rest[1:1 + rest[0]].decode("ascii", "replace"))
            rest = rest[1 + rest[0]:]
        return found

    def behind(self, extension, other):
        """Whether both are there, `extension` behind `other`."""
        order = list(self.extensions)
        return {extension, other} <= set(order) and order.index(extension) > order.index(other)


class Box:
    """Passes connections on to `port`, unless `dislikes(hello)` names what to do: "reset",
    "close", "drop" (silence), "page", or bytes to be sent."""

    def __init__(self, lab, port, dislikes, hasty=False):
        self.target, self.dislikes, self.hasty = port, dislikes, hasty
        self.connections, self._lock = 0, threading.Lock()
        self.service = lab.service(self._handle)
        self.port = self.service.port

    def _connect(self, client):
        del client
        return socket.create_connection(("127.0.0.1", self.target))

    def _read(self, client):
        data, reads = b"", 0
        while True:
            more = client.recv(65536)
            reads += 1
            data += more
            hello = Hello(data, reads)
            if not more or self.hasty or hello.whole or not data.startswith(b"\x16"):
                return hello

    def _handle(self, client):
        with self._lock:
            self.connections += 1
        try:
            hello = self._read(client)
            deed = self.dislikes(hello) if hello.data else "close"
            if deed == "reset":
                harness.reset(client)
            elif deed == "drop":
                client.settimeout(30)
                while client.recv(4096):
                    pass
            elif deed == "page":
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nblocked\n")
            elif isinstance(deed, bytes):
                client.sendall(deed)
            elif deed is None:
                with self._connect(client) as server:
                    server.sendall(hello.data)
                    harness.splice(client, server)
        except OSError:
            pass  # the prober may leave whenever it likes


def alert(code):
    return bytes([21, 3, 3, 0, 2, 2, code])
