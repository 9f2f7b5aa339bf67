"""Servers of the lab, most of them wrong in one way.

Each is a function of the test case that starts it and returns where to connect. A certificate is
given as a function, so that none is made before it is needed.
"""

import socket
import ssl
import struct
import threading
import time

from tests.lab import harness

HOST = "a.localhost"


def s_server(certificate, *args):
    """openssl s_server."""
    return lambda lab: (HOST, lab.s_server(certificate(), *args).port)


def nginx(certificate, **more):
    """nginx with TLS."""
    return lambda lab: (HOST, lab.nginx(certificate(), **more).port)


def gnutls_serv(certificate, *args):
    """gnutls-serv."""
    def start(lab):
        made, port = certificate(), harness.free_port()
        lab.program("gnutls-serv", "--http", "--port", str(port), "--x509certfile", made.chain,
                    "--x509keyfile", made.key, *args)
        listening(port)
        return HOST, port
    return start


HAPROXY = """
global
    maxconn 64
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend lab
    bind 127.0.0.1:{port} ssl crt {pem} {options}
    http-request return status 200 content-type text/plain string hello
"""


def haproxy(certificate, options=""):
    """HAProxy, which answers by itself; `options` are those of its bind line."""
    def start(lab):
        port = harness.free_port()
        pem = both(lab, certificate(), port)
        config = lab.file(f"haproxy-{port}.cfg",
                          HAPROXY.format(port=port, pem=pem, options=options))
        lab.program("haproxy", "-db", "-f", config)
        listening(port)
        return HOST, port
    return start


STUNNEL = """
foreground = yes
pid =
[lab]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{behind}
cert = {pem}
{options}
"""


def stunnel(certificate, options=""):
    """stunnel before a server that speaks no TLS."""
    def start(lab):
        port = harness.free_port()
        pem = both(lab, certificate(), port)
        config = lab.file(f"stunnel-{port}.conf", STUNNEL.format(
            port=port, behind=lab.nginx().port, pem=pem, options=options))
        lab.program("stunnel4", config)
        listening(port)
        return HOST, port
    return start


def both(lab, certificate, name):
    """A file with the chain and the key."""
    parts = []
    for path in certificate.chain, certificate.key:
        with open(path, "rb") as f:
            parts.append(f.read())
    return lab.file(f"{name}.pem", b"".join(parts))


def listening(port):
    """Waits until somebody listens: six Squids that start at once need their time."""
    def tried():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            return False
        return True
    harness.until(tried, f"somebody to listen on {port}", 60)


def elsewhere(server, host):
    """The same server, asked for by another name."""
    return lambda lab: (host, server(lab)[1])


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


def reordered(certificate, *positions):
    """The same leaf with its chain in another order; a position may come more than once."""
    with open(certificate.chain, encoding="ascii") as f:
        parts = [part + PEM_END for part in f.read().split(PEM_END) if part.strip()]
    path = f"{certificate.file}.{'-'.join(map(str, positions))}"
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(parts[i] for i in positions))
    return certificate._replace(chain=path)


PEM_END = "-----END CERTIFICATE-----\n"


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
    yields what to send instead, or SILENCE, FIN, RST."""
    def start(lab):
        _, port = server(lab)

        def handle(s):
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as up:
                pump = threading.Thread(
                    target=quietly, args=(lambda u: pour(s, u), up), daemon=True
                )
                pump.start()
                for data in rewrite(records(up)):
                    if data is SILENCE:
                        harness.read_all(s)
                        return
                    if data in (FIN, RST):
                        # Whoever still reads from it keeps it open.
                        s.shutdown(socket.SHUT_RDWR if data is FIN else socket.SHUT_RD)
                        pump.join(harness.TIMEOUT)
                        if data is RST:
                            reset(s)
                        return
                    s.sendall(data)
        return HOST, lab.service(lambda s: quietly(handle, s)).port
    return start


def pour(source, sink):
    """Passes on what `source` says until it ends."""
    for data in iter(lambda: source.recv(65536), b""):
        sink.sendall(data)


# What a box may do instead of passing on: say nothing ever after, close, reset.
SILENCE, FIN, RST = None, "FIN", "RST"


def first_records(count, then=SILENCE):
    """Passes on `count` records; then silence, or what `then` is."""
    def rewrite(all_records):
        for _ in range(count):
            head, body = next(all_records)
            yield head + body
        yield then
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


def record_of(message):
    """A handshake message of TLS 1.2 in a record of its own."""
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


def first_messages(last, then=SILENCE):
    """Passes on messages of TLS 1.2 up to that of type `last`; then silence, or what `then` is."""
    def rewrite(all_records):
        for message in messages(all_records):
            yield record_of(message)
            if message[0] == last:
                break
        yield then
    return rewrite


def broken_record(number):
    """Passes on all records, a bit of one of them turned over."""
    def rewrite(all_records):
        for i, (head, body) in enumerate(all_records):
            yield head + (body[:-1] + bytes([body[-1] ^ 1]) if i == number else body)
    return rewrite


def late(seconds):
    """Passes on all records, the first one only after a while."""
    def rewrite(all_records):
        for i, (head, body) in enumerate(all_records):
            if i == 0:
                time.sleep(seconds)  # what this box does
            yield head + body
    return rewrite


def replaced(all_records, der):
    """Messages of TLS 1.2 with another certificate in the place of the server's own."""
    entry = len(der).to_bytes(3, "big") + der
    body = len(entry).to_bytes(3, "big") + entry
    for message in messages(all_records):
        if message[0] == 11:
            message = b"\x0b" + len(body).to_bytes(3, "big") + body
        yield record_of(message)
    yield SILENCE


def other_certificate(certificate):
    """Puts another certificate in the place of the server's own."""
    def rewrite(all_records):
        with open(certificate().file, encoding="ascii") as f:
            return replaced(all_records, ssl.PEM_cert_to_DER_cert(f.read()))
    return rewrite


def nowhere(host, port=443):
    """No server at all."""
    return lambda lab: (host, port)


def refused(lab):
    """A port on which nobody listens."""
    del lab
    return HOST, harness.free_port()


def garbage_certificate(all_records):
    """Puts what is no certificate in the place of the server's own."""
    return replaced(all_records, b"\x30\x82\x01\x00" + bytes(256))
