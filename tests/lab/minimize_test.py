"""tlsblame probe --minimize against planted boxes with a real server behind them: what is named has
to be what the box acts on, no more and no less."""

import base64
import collections
import concurrent.futures
import itertools
import json
import random
import re
import ssl
import struct
import sys
import unittest

from tests.lab import harness
from tests.lab.hops import PORT, SERVER, Path
from tests.lab.kernel import TCP_HEADER, text_at
from tests.lab.network import Network
from tests.lab.planted import ECH, GROUPS, PQ, SIGALGS, Box, Hello, alert

HOST = "a.localhost"
AT_ONCE = 8  # they mostly wait
CONNECTIONS_MAX = 40  # a search takes less
NAME = f"the server name {HOST}"
WIRE_HEADERS = 20 + TCP_HEADER + 5  # IPv4, TCP, record

Planted = collections.namedtuple("Planted", "hello acts deed says options", defaults=((),))
Planted.__doc__ = """The shape of hello that fails, when the box acts, what it does, what is to be
said of it, and more options of the program."""


def named(hello):
    return hello.name == HOST


def only(*needed):
    """The sentences that may be said: hellos of browsers have their extensions in any order."""
    return [f"The handshake fails if and only if the ClientHello has "
            f"{', '.join(order[:-1])}{' and ' * (len(order) > 1)}{order[-1]}."
            for order in itertools.permutations(needed)]


def longer(size):
    return [f"The handshake fails if the ClientHello is longer than {size} bytes, whatever is in "
            f"it; one of {size + 1} bytes fails."]


V13, H2, RECORDS, SEGMENTS, HYBRID = (
    "the version TLS 1.3", "the ALPN protocol h2", "its split over 2 records",
    "its split over 2 segments", "the key share of X25519MLKEM768")
SPLIT_RECORD, SPLIT_TCP = ("--factor", "split-record"), ("--factor", "split-tcp")

BOXES = {
    # One factor.
    "version": Planted("openssl", lambda h: 0x0304 in h.versions, "reset", only(V13)),
    "version alert": Planted("java", lambda h: 0x0304 in h.versions, alert(70), only(V13)),
    "version stall": Planted("go", lambda h: 0x0304 in h.versions, "drop", only(V13)),
    "old version": Planted("openssl", lambda h: 0x0301 in h.versions, "close",
                           only("the version TLS 1.0")),
    "size": Planted("chromium", lambda h: h.size > 1300, "close", longer(1300)),
    "size small": Planted("curl", lambda h: h.size > 350, "reset", longer(350)),
    "size page": Planted("firefox", lambda h: h.size > 1024, "page", longer(1024)),
    "records": Planted("openssl", lambda h: h.records > 1, "reset", only(RECORDS), SPLIT_RECORD),
    "records alert": Planted("chromium", lambda h: h.records > 1, alert(50), only(RECORDS),
                             SPLIT_RECORD),
    "segments": Planted("openssl", lambda h: h.reads > 1, "reset", only(SEGMENTS), SPLIT_TCP),
    "segments close": Planted("go", lambda h: h.reads > 1, "close", only(SEGMENTS), SPLIT_TCP),
    # Its share alone is refused by the server.
    "group of a share": Planted("chromium", lambda h: PQ in h.groups, "reset",
                                ["The handshake fails if the ClientHello has the group "
                                 "X25519MLKEM768."]),
    "group": Planted("gnutls", lambda h: 0x0100 in h.groups, alert(47),
                     only("the group ffdhe2048")),
    "share": Planted("firefox", lambda h: PQ in h.shares, "close", only(HYBRID)),
    "grease": Planted("chromium", lambda h: h.grease, "reset", only("the suite GREASE")),
    "extension ech": Planted("firefox", lambda h: ECH in h.extensions, "reset",
                             only("the extension encrypted_client_hello")),
    "extension compress": Planted("chromium", lambda h: 27 in h.extensions, "page",
                                  only("the extension compress_certificate")),
    "extension etm": Planted("openssl", lambda h: 22 in h.extensions, alert(110),
                             only("the extension encrypt_then_mac")),
    "extension ems": Planted("node", lambda h: 23 in h.extensions, "close",
                             only("the extension extended_main_secret")),
    "extension status v2": Planted("java", lambda h: 17 in h.extensions, "reset",
                                   only("the extension status_request_v2")),
    "name reset": Planted("openssl", named, "reset", only(NAME)),
    "name drop": Planted("tls12", named, "drop", only(NAME)),
    "name page": Planted("chromium", named, "page", only(NAME)),
    "name alert": Planted("go", named, alert(112), only(NAME)),
    "no name": Planted("openssl", lambda h: h.name is None, "reset",
                       only("no extension server_name"),
                       ("--factor", "no-sni")),
    "alpn": Planted("curl", lambda h: "h2" in h.alpn, "reset", only(H2)),
    "suite": Planted("go", lambda h: 0x1303 in h.ciphers, "close",
                     only("the suite TLS_CHACHA20_POLY1305_SHA256")),
    "suite dhe": Planted("curl", lambda h: 0x009F in h.ciphers, "reset",
                         only("the suite TLS_DHE_RSA_WITH_AES_256_GCM_SHA384")),
    "signature algorithm": Planted("gnutls", lambda h: 0x0807 in h.sigalgs, "reset",
                                   only("the signature algorithm ed25519")),
    "signature with SHA-1": Planted("go", lambda h: 0x0203 in h.sigalgs, "close",
                                    only("the signature algorithm ecdsa_sha1")),
    "session id": Planted("openssl", lambda h: len(h.session_id) == 32, "reset",
                          only("a session id of 32 bytes")),
    # Two together.
    "name and ech": Planted("chromium", lambda h: named(h) and ECH in h.extensions, "drop",
                            only("the extension encrypted_client_hello", NAME)),
    "name and version": Planted("openssl", lambda h: named(h) and 0x0304 in h.versions, "reset",
                                only(NAME, V13)),
    "name and alpn": Planted("curl", lambda h: named(h) and "h2" in h.alpn, "reset",
                             only(NAME, H2)),
    "name and segments": Planted("openssl", lambda h: named(h) and h.reads > 1, "reset",
                                 only(NAME, SEGMENTS), SPLIT_TCP),
    "suite and version": Planted("go", lambda h: 0x1303 in h.ciphers and 0x0304 in h.versions,
                                 "close", only("the suite TLS_CHACHA20_POLY1305_SHA256", V13)),
    "compression and share": Planted(
        "chromium", lambda h: 27 in h.extensions and PQ in h.shares, "reset",
        only("the extension compress_certificate", HYBRID)),
    "group and signature": Planted(
        "firefox", lambda h: 25 in h.groups and 0x0203 in h.sigalgs, "reset",
        only("the group secp521r1", "the signature algorithm ecdsa_sha1")),
    "records and alpn": Planted("go", lambda h: h.records > 1 and "h2" in h.alpn, "close",
                                only(H2, RECORDS), SPLIT_RECORD),
}


class Searches(harness.Lab):
    def setUp(self):
        self.certificate = harness.leaf(HOST)
        self.count = itertools.count()

    def minimize(self, target, hello, *options, command=(), log=None):
        """What is said, and the record that says it."""
        log = log or f"{self.dir}/{next(self.count)}.ndjson"
        options = [*options, target] if target is not None else options
        done = harness.run(
            *command, harness.PROGRAM, "probe", "--json", "--log", log, "--timeout", "1", "--seed",
            "1", "--trust", harness.root().file, "--factor", "base", "--minimize", "--hello", hello,
            *options, check=False, timeout=80)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        record = json.loads(done.stdout)
        return re.sub(r" \(0x.a.a\)", "", record["minimized"]), record

    def at_once(self, searches):
        """Runs `search(name)` for all of them; each is a subtest."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            running = {name: pool.submit(search) for name, search in searches.items()}
        for name, search in running.items():
            with self.subTest(name):
                search.result()


class Boxes(Searches):
    def setUp(self):
        super().setUp()
        self.server = self.nginx(self.certificate)

    def check(self, planted):
        box = Box(self, self.server.port, lambda h: planted.deed if planted.acts(h) else None)
        told, record = self.minimize(f"{HOST}:{box.port}", planted.hello, "--repeat", "1",
                                    *planted.options)
        self.assertIn(told, planted.says)
        self.assertLess(box.connections - len(record["experiments"]), CONNECTIONS_MAX)

    def test_triggers(self):
        self.assertGreaterEqual(len(BOXES), 30)
        self.at_once({name: lambda planted=planted: self.check(planted)
                      for name, planted in BOXES.items()})

    def test_order(self):
        """Of a recorded hello, whose groups stand behind its signature algorithms."""
        box = Box(self, self.server.port,
                  lambda h: "reset" if h.behind(GROUPS, SIGALGS) else None)
        hello = client_hello()
        body = Hello(hello, 1).extensions[GROUPS]
        groups = struct.pack(">HH", GROUPS, len(body)) + body
        hello = hello.replace(groups, b"") + groups
        log = self.file("like.ndjson", json.dumps({
            "@timestamp": "2026-11-21T00:00:00.000Z", "schema": "1.0", "id": "0123456789abcdef",
            "mode": "intercept", "host": HOST, "port": box.port,
            "legs": {"client": {"tls": {"client": {"server_name": HOST}},
                                "offer": {"raw": base64.b64encode(hello).decode()}}}}) + "\n")
        told, _ = self.minimize(None, "openssl", "--like", "0123", log=log)
        self.assertIn(told, only("that order of extensions"))

    def check_chance(self, percent, deed):
        chance = random.Random(percent)
        box = Box(self, self.server.port,
                  lambda _: deed if chance.random() * 100 < percent else None)
        told, record = self.minimize(f"{HOST}:{box.port}", "chromium", "--repeat", "6")
        self.assertRegex(told, r"^The handshake fails by chance(: .* [1-9]\d* of \d+ times\.|, )")
        self.assertLess(box.connections - len(record["experiments"]), CONNECTIONS_MAX)

    def test_chance(self):
        self.at_once({percent: lambda percent=percent: self.check_chance(percent, "reset")
                      for percent in (30, 40, 50, 60, 70)})


class Kernel(Searches):
    """The kernel's filters, which read packets, and links that are too small for some, in networks
    of their own."""

    def filtered(self, *rules):
        """A server in a network whose way to it has these rules."""
        network = Network(self)
        self.program(*network.command, sys.executable, "-c", SERVER, self.certificate.chain,
                     self.certificate.key, "127.0.0.1", str(PORT), wait_for="ready")
        lines = ["add table ip box", "add chain ip box way { type filter hook output priority 0; }",
                 f"add rule ip box way tcp dport != {PORT} accept"]
        lines += [f"add rule ip box way {rule}" for rule in rules]
        harness.run(*network.command, "nft", "-f", "-", input="\n".join(lines).encode())
        return network

    def check(self, rules, hello, says):
        network = self.filtered(*rules)
        told, _ = self.minimize(f"{HOST}:{PORT}", hello, "--repeat", "1", command=network.command)
        self.assertIn(told, says)

    def check_link(self, mtu):
        """A link between router and server that is smaller than both ends think, of which nobody
        tells."""
        path = Path(self, 1)
        path.serve(self.certificate)
        path.inside(1, f"ip link set right mtu {mtu}\nnft add table ip mute\n"
                       "nft add chain ip mute out '{ type filter hook output priority 0; }'\n"
                       "nft add rule ip mute out icmp type destination-unreachable drop")
        told, record = self.minimize(
            f"{HOST}:{PORT}", "chromium", "--repeat", "1", "--address", f"{HOST}={path.server}",
            "--factor", "small", "--factor", "small-segments", command=path.command(0))
        self.assertIn(told, longer(mtu - WIRE_HEADERS))
        self.assertEqual((record["verdict"]["party"], record["verdict"]["cause"]),
                         ("network", "mtu-blackhole"))

    def test_filters(self):
        name, protocols = text_at(HOST), text_at("\x02h2\x08http")
        h1 = "the ALPN protocol http/1.1"
        reset = " reject with tcp reset"
        cases = {
            "name reset": ([rule + reset for rule in name], "openssl", only(NAME)),
            "name drop": ([rule + " drop" for rule in name], "tls12", only(NAME)),
            "both protocols": ([rule + reset for rule in protocols], "curl", only(H2, h1)),
            "all three": (
                [rule + " meta mark set 1" for rule in name]
                + [f"meta mark 1 {rule}{reset}" for rule in protocols], "curl",
                only(NAME, H2, h1)),
            "length": (["meta length > 1200 drop"], "chromium", longer(1200 - WIRE_HEADERS)),
            "length reset": (["meta length > 700" + reset], "firefox", longer(700 - WIRE_HEADERS)),
        }
        searches = {name: lambda case=case: self.check(*case) for name, case in cases.items()}
        searches["link"] = lambda: self.check_link(1280)
        self.at_once(searches)


def client_hello():
    """What a client with Python's library sends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(
            incoming, outgoing, server_hostname=HOST).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


if __name__ == "__main__":
    unittest.main()
