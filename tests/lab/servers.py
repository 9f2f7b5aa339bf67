"""Servers of the lab, most of them wrong in one way.

Each is a function of the test case that starts it and returns where to connect. A certificate is
given as a function, so that none is made before it is needed.
"""

import socket
import ssl
import struct
import threading

from tests.lab import harness

HOST = "a.localhost"


def s_server(certificate, *args):
    """openssl s_server."""
    return lambda lab: (HOST, lab.s_server(certificate(), *args).port)


def nginx(certificate, **more):
    """nginx with TLS."""
    return lambda lab: (HOST, lab.nginx(certificate(), **more).port)


def service(handle, certificate=None, **more):
    """A socket of our own that does what `handle` does."""
    def start(lab):
        made = certificate() if certificate is not None else None
        return HOST, lab.service(lambda s: quietly(handle, s), made, **more).port
    return start


def quietly(handle, s):
    """Runs `handle`; a client that goes away is no failure of the server's."""
    try:
        handle(s)
    except OSError:
        pass


def good(key="ec", **more):
    """A leaf without fault."""
    return lambda: harness.leaf(HOST, key=key, **more)


def lone(certificate):
    """The same leaf, sent without what links it to its root."""
    return certificate._replace(chain=certificate.file)


def foreign_root():
    """A root that nobody trusts."""
    return harness.issue("Foreign Root", None, harness.CA_EXTENSIONS, which="foreign")


def other_intermediate():
    """An intermediate that says so nowhere in its name."""
    return harness.issue("Lab CA 2", harness.root(), harness.CA_EXTENSIONS, which="other")


def hello(s):
    """Reads a ClientHello."""
    head = harness.read_exactly(s, 5)
    return head + harness.read_exactly(s, int.from_bytes(head[3:5], "big"))


def records(s):
    """The TLS records that arrive, each with its header."""
    while True:
        head = s.recv(5, socket.MSG_WAITALL)
        if len(head) < 5:
            return
        yield head, harness.read_exactly(s, int.from_bytes(head[3:5], "big"))


def reset(s):
    """Ends a connection with a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def answers(data, first=True):
    """A server that says `data` instead of TLS, after the first bytes came or at once."""
    def handle(s):
        if first:
            s.recv(1)
        s.sendall(data)
        harness.read_all(s)
    return service(handle)


def closes_at_hello(s):
    hello(s)


def resets_at_hello(s):
    hello(s)
    reset(s)


def resets_at_once(s):
    s.recv(1, socket.MSG_PEEK)
    reset(s)


def silent(s):
    harness.read_all(s)


def alert(code):
    """A server that answers every hello with this alert."""
    def handle(s):
        hello(s)
        s.sendall(bytes([21, 3, 3, 0, 2, 2, code]))
        harness.read_all(s)
    return service(handle)


def relay(server, rewrite):
    """A box before `server`, through which only the server's bytes go changed: `rewrite(records)`
    yields what to send instead, and None for silence ever after."""
    def start(lab):
        _, port = server(lab)

        def handle(s):
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as up:
                pump = threading.Thread(
                    target=quietly, args=(lambda u: pour(s, u), up), daemon=True
                )
                pump.start()
                for data in rewrite(records(up)):
                    if data is None:
                        harness.read_all(s)
                        return
                    s.sendall(data)
        return HOST, lab.service(lambda s: quietly(handle, s)).port
    return start


def pour(source, sink):
    """Passes on what `source` says until it ends."""
    for data in iter(lambda: source.recv(65536), b""):
        sink.sendall(data)


def first_records(count):
    """Passes on `count` records and nothing more."""
    def rewrite(all_records):
        for _ in range(count):
            head, body = next(all_records)
            yield head + body
        yield None
    return rewrite


def messages(all_records):
    """The handshake messages of a TLS 1.2 server's first flight, up to its ServerHelloDone."""
    data = b""
    for _, body in all_records:
        data += body
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[1:4], "big"):
            size = 4 + int.from_bytes(data[1:4], "big")
            yield data[:size]
            if data[0] == 14:
                return
            data = data[size:]


def first_messages(last):
    """Passes on messages of TLS 1.2 up to that of type `last`."""
    def rewrite(all_records):
        for message in messages(all_records):
            yield b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message
            if message[0] == last:
                break
        yield None
    return rewrite


def other_certificate(certificate):
    """Puts another certificate in the place of the server's own."""
    def rewrite(all_records):
        with open(certificate().file, encoding="ascii") as f:
            der = ssl.PEM_cert_to_DER_cert(f.read())
        entry = len(der).to_bytes(3, "big") + der
        body = len(entry).to_bytes(3, "big") + entry
        for message in messages(all_records):
            if message[0] == 11:
                message = b"\x0b" + len(body).to_bytes(3, "big") + body
            yield b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message
        yield None
    return rewrite


def nowhere(host, port=443):
    """No server at all."""
    return lambda lab: (host, port)


def refused(lab):
    """A port on which nobody listens."""
    del lab
    return HOST, harness.free_port()
