"""Causes that take a setup of their own, clients that object in one word, and interruptions."""

import base64
import contextlib
import functools
import socket
import subprocess
import threading

from tests.lab import clients, harness, pki, servers
from tests.lab.clients import curl, go, socket_client
from tests.lab.scenario import Scenario
from tests.lab.servers import FIN, HOST, RST, SILENCE, good, quietly, relay, reset, s_server, service

OF_12 = s_server(good(), "-tls1_2")
OF_13 = s_server(good(), "-tls1_3")
WEAK = ("-cipher", "DEFAULT@SECLEVEL=0")
STAPLE = curl("--cert-status")


def below_intermediate(**more):
    """curl checks a staple only where the server sends the leaf's issuer."""
    return harness.leaf(HOST, issuer=harness.intermediate(), **more)


def below_small_ca():
    """A sound leaf below a CA with a small key."""
    return harness.leaf(HOST, issuer=pki.authority("Small CA", kind="rsa1024"))


def stapling(status):
    """A server that staples a response of this status."""
    return lambda lab: s_server(
        below_intermediate, "-status_file",
        pki.staple(below_intermediate(), status, harness.intermediate()))(lab)


def with_list(lab):
    """The setup of a proxy that has a revocation list."""
    del lab
    return ("--crl", pki.revocation_list(harness.leaf(HOST, which=1))), {}


def refusing(lab):
    """The setup of a proxy whose policy refuses."""
    del lab
    return (), {"policy": {"default": {"action": "refuse"}}}


def alone(lab):
    """The setup of a proxy with a history of its own."""
    del lab
    return (), {}


def below_refusing(lab):
    """The setup of a proxy below one that refuses."""
    return ("--parent", lab.proxy(policy={"default": {"action": "refuse"}}).url), {}


def below_nobody(lab):
    """The setup of a proxy whose parent is not there."""
    del lab
    return ("--parent", f"http://127.0.0.1:{harness.free_port()}"), {}


def acting(lab):
    """The setup of a proxy that is a box which resets."""
    del lab
    return ("--as", "sni-rst"), {}


def one_by_one(client, count):
    """A client that tries again once the record of the try before is there: its verdict rests on
    those."""
    def run(lab, proxy, target):
        for done in range(1, count + 1):
            client(lab, proxy, target)
            proxy.records_of(target, done)
    return run


def pins_one(lab, proxy, target):
    """curl, with which another host works and this one never does."""
    other = "b.localhost", lab.s_server(harness.leaf("b.localhost")).port
    one_by_one(curl(), 1)(lab, proxy, other)
    one_by_one(curl("--pinnedpubkey", "sha256//" + "A" * 43 + "="), 3)(lab, proxy, target)


def stale_node(lab):
    """Two nodes that take turns, one of them with an old certificate."""
    contexts = [harness.tls_context(c) for c in (harness.leaf(HOST), harness.expired(HOST, which=1))]
    turns = iter(contexts * 2)

    def handle(s):
        with next(turns).wrap_socket(s, server_side=True) as t:
            t.recv(4096)
            t.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")

    return HOST, lab.service(lambda s: quietly(handle, s)).port


def renegotiates(lab):
    """openssl s_server, which asks for renegotiation once the handshake is complete."""
    made = good("rsa")()
    program = lab.program("openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-cert",
                          made.file, "-key", made.key, wait_for="ACCEPT", stdin=subprocess.PIPE)

    def ask():
        harness.until(lambda: any("CIPHER is" in line or line is None for line in program.lines),
                      "a handshake", 60)
        with contextlib.suppress(OSError):
            program.process.stdin.write(b"R\n")
            program.process.stdin.flush()

    threading.Thread(target=ask, daemon=True).start()
    return HOST, int(program.started.rsplit(":", 1)[1])


# The prime of 1024 bits of RFC 2409 section 6.2, whose generator is 2.
OAKLEY_1024 = """
    FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22
    514A0879 8E3404DD EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6
    F44C42E9 A637ED6B 0BFF5CB6 F406B7ED EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE65381
    FFFFFFFF FFFFFFFF
"""


def small_prime(lab):
    """A file of Diffie-Hellman parameters of 1024 bits (PKCS #3)."""
    integers = b"\x02\x81\x81\x00" + bytes.fromhex(OAKLEY_1024) + b"\x02\x01\x02"
    der = b"\x30\x81" + bytes([len(integers)]) + integers
    body = base64.encodebytes(der).decode()
    return lab.file("dh1024.pem", f"-----BEGIN DH PARAMETERS-----\n{body}-----END DH PARAMETERS-----\n")


def hides_versions(server):
    """A box that takes supported_versions (43) out of hellos."""
    def start(lab):
        _, port = server(lab)

        def handle(s):
            with socket.create_connection(("127.0.0.1", port), harness.TIMEOUT) as up:
                up.sendall(servers.hello(s).replace(b"\x00\x2b\x00", b"\xfa\xce\x00", 1))
                harness.splice(s, up)
        return HOST, lab.service(lambda s: quietly(handle, s)).port
    return start


def objects(code):
    """A client that answers the server's first flight with an alert."""
    def handle(s):
        s.sendall(clients.hello_bytes(HOST))
        s.recv(65536)
        s.sendall(bytes([21, 3, 3, 0, 2, 2, code]))
        harness.read_all(s)
    return socket_client(handle)


def before_proxy(change):
    """curl, and a box before the proxy that passes on its records as `change(records)` gives them."""
    def run(lab, proxy, target):
        def handle(s):
            with proxy.connect("%s:%d" % target) as up:
                harness.read_head(s)
                s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(
                    target=quietly, args=(lambda x: servers.pour(x, up), s), daemon=True
                )
                back.start()
                quietly(lambda x: all(x.sendall(d) is None for d in change(servers.records(up))), s)
                back.join(harness.TIMEOUT)
                quietly(harness.read_all, up)  # what is left unread would be answered by a reset

        door = harness.Service(lambda s: quietly(handle, s))
        try:
            harness.run("curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x",
                        f"http://127.0.0.1:{door.port}", "--cacert", proxy.ca,
                        "https://%s:%d/" % target, check=False)
        finally:
            door.stop()
    return run


def other_byte(offset):
    """Turns over one bit of the first record, which is the ServerHello, at this place of it."""
    def change(all_records):
        head, body = next(all_records)
        yield head + body[:offset] + bytes([body[offset] ^ 1]) + body[offset + 1:]
        for head, body in all_records:
            yield head + body
    return change


# Places in a ServerHello with a session id of 32 bytes (RFC 8446 section 4.1.3).
SESSION_ID, COMPRESSION, EXTENSIONS_LENGTH = 39, 73, 75


def unanswered(s):
    s.recv(4096)


CAUSES = [
    Scenario("staple-revoked", stapling("revoked"), STAPLE,
             "server", "server-ocsp-staple-bad", "likely", ("server-cert-expired",)),
    Scenario("staple-good", stapling("good"), STAPLE, "none", "healthy"),
    Scenario("staple-missing",
             s_server(lambda: harness.leaf(HOST, extensions=("tlsfeature=status_request",))),
             STAPLE, "server", "server-must-staple-missing", "",
             ("server-cert-expired", "server-ocsp-staple-bad")),
    Scenario("revoked-by-list", s_server(lambda: harness.leaf(HOST, which=1)), curl(),
             "server", "server-cert-revoked-crl", "certain", ("server-cert-expired",),
             setup=with_list),
    Scenario("not-revoked", s_server(good()), curl(), "none", "healthy", setup=with_list),
    # The proxy's own leaf has a sound key: what OpenSSL refuses without it works with it.
    Scenario("weak-key-that-works", s_server(good("rsa1024"), *WEAK), curl(), "none", "healthy",
             "certain", (), "Tunnel"),
    Scenario("weak-key-of-a-ca", s_server(below_small_ca, *WEAK), go(), "none", "healthy",
             "certain", (), "Tunnel"),
    Scenario("refused-by-policy", s_server(good()), curl(),
             "proxy", "proxy-auth-or-acl", "certain", setup=refusing),
    Scenario("parent-refuses", s_server(good()), curl(),
             "box-behind", "corporate-proxy-chain", "certain", ("tcp-refused",),
             setup=below_refusing),
    Scenario("parent-gone", s_server(good()), curl(), "undetermined", "corporate-proxy-chain",
             setup=below_nobody),
    Scenario("played-box", s_server(good()), curl(), "proxy", "emulated", "", setup=acting),
    Scenario("pinned", s_server(good()), pins_one, "client", "client-pinned", "",
             ("proxy-ca-not-installed",), "tunnel", alone, 3),
    Scenario("stale-node", stale_node, one_by_one(curl(), 4),
             "server", "server-pool-inconsistent", "", ("server-cert-expired",), "",
             functools.partial(alone), 4),
    Scenario("renegotiation", renegotiates, curl(), "undetermined", "renegotiation-refused",
             "likely", ("server-key-mismatch",), "Tunnel"),
    Scenario("server-only-3des",
             servers.gnutls_serv(good("rsa"), "--priority",
                                 "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC"),
             curl("--ciphers", "ECDHE+AESGCM"),
             "undetermined", "cipher-mismatch", "possible", ("proxy-tls-limitation",)),
    Scenario("hello-rewritten", hides_versions(s_server(good())), curl(),
             "box-behind", "tls13-downgrade-sentinel", "", ("version-mismatch-old-server",)),
    Scenario("closed-unanswered", service(unanswered, good()), curl(),
             "undetermined", "truncated-close"),
    Scenario("bit-turned-over", relay(OF_13, servers.broken_record(3)), curl(),
             "undetermined", "bad-record-mac-or-corruption", "", (), "Repeat the connection"),
    Scenario("client-bad-record-mac", OF_12, objects(20),
             "undetermined", "bad-record-mac-or-corruption", "", ("proxy-ca-not-installed",)),
    Scenario("client-record-overflow", OF_12, objects(22),
             "undetermined", "record-size-limit-fault", "", ("bad-record-mac-or-corruption",)),
    # A ServerHello that was changed on its way to the client, in one bit.
    *[Scenario(f"server-hello-{name}", OF_13, before_proxy(other_byte(place)),
               "undetermined", cause, "possible", out, next)
      for name, place, cause, out, next in (
          ("other-session-id", SESSION_ID, "bad-record-mac-or-corruption",
           ("proxy-ca-not-installed", "forged-leaf-defect"), "capture"),
          ("other-compression", COMPRESSION, "bad-record-mac-or-corruption",
           ("proxy-ca-not-installed", "forged-leaf-defect"), "capture"),
          ("other-length", EXTENSIONS_LENGTH, "bad-record-mac-or-corruption",
           ("proxy-ca-not-installed", "forged-leaf-defect"), "another host"),
      )],
    *[Scenario(f"client-alert-{code}", OF_12, objects(code),
               "undetermined", cause, "possible", ("proxy-ca-not-installed",), next)
      for code, cause, next in (
          (10, "bad-record-mac-or-corruption", "another host"),
          (47, "bad-record-mac-or-corruption", "capture"),
          (50, "bad-record-mac-or-corruption", "another host"),
          (80, "unexplained", "tunnel"),
          (110, "bad-record-mac-or-corruption", "capture"),
      )],
    Scenario("client-unsupported-certificate", OF_12, objects(43),
             "proxy", "forged-leaf-defect", "possible",
             ("proxy-ca-not-installed", "clock-skew-client")),
    Scenario("client-access-denied", OF_12, objects(49), "client", "client-pinned", "possible",
             ("proxy-ca-not-installed", "clock-skew-client", "server-unknown-ca")),
    Scenario("client-decrypt-error", OF_12, objects(51),
             "undetermined", "proxy-key-or-ca-corrupt", "possible", ("proxy-ca-not-installed",)),
    Scenario("client-user-canceled", OF_12, objects(90),
             "client", "client-user-cancelled", "", ("proxy-ca-not-installed",)),
    Scenario("client-ech-required", OF_12, objects(121), "proxy", "ech-not-negotiated"),
]


def cut(count, how, of_proxy=False):
    """curl, and a box before the proxy that ends both sides after `count` records of the client or,
    with `of_proxy`, of the proxy."""
    def run(lab, proxy, target):
        def end(back, *sides):
            if how is SILENCE:
                proxy.records_of(target, 1)
            for side in sides:
                side.shutdown(socket.SHUT_RD if how is RST else socket.SHUT_WR)
            if how is RST:
                back.join(harness.TIMEOUT)  # whoever still reads would keep the reset waiting
            for side in sides:
                if how is RST:
                    reset(side)
                else:
                    harness.read_all(side)  # else a RST would follow

        def counted(source, sink):
            for number, (head, body) in enumerate(servers.records(source), 1):
                sink.sendall(head + body)
                if number == count:
                    return

        def handle(s):
            with proxy.connect("%s:%d" % target) as up:
                harness.read_head(s)
                s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                one, other = (up, s) if of_proxy else (s, up)
                back = threading.Thread(
                    target=quietly, args=(lambda x: servers.pour(x, one), other), daemon=True
                )
                back.start()
                counted(one, other)
                end(back, up, s)
                back.join(harness.TIMEOUT)

        door = lab.service(lambda s: quietly(handle, s))
        curl("-x", f"http://127.0.0.1:{door.port}")(lab, proxy, target)
    return run


# A cut after the client's hello is anybody's, as long as the server has not answered. The proxy has
# sent its flight before any other cut: then the client's records are, in TLS 1.2, its key, a
# ChangeCipherSpec and Finished; in 1.3 a ChangeCipherSpec and Finished.
UNANSWERED = "none", "client-abort-speculative", "possible"
ANSWERED = ("undetermined", "proxy-ca-not-installed", "possible", ("server-unknown-ca",),
            "Wait for the next tries")
STALLED = "undetermined", "unexplained", "possible"

INTERRUPTIONS = [
    Scenario(f"client-sent-{how}-after-1".lower(), service(servers.silent), cut(1, how),
             *UNANSWERED)
    for how in (FIN, RST)
] + [
    Scenario(f"client-{name}-{how or 'silence'}-after-{count}".lower(), server,
             cut(count, how, of_proxy), *(STALLED if how is SILENCE else ANSWERED))
    for name, server, of_proxy, last in (
        ("12-sent", OF_12, False, 3),
        ("12-got", OF_12, True, 3),
        ("13-sent", OF_13, False, 2),
        ("13-got", OF_13, True, 2),
    )
    for count in range(1, last + 1) for how in (FIN, RST, SILENCE)
    if of_proxy or count > 1 or how is SILENCE
]
