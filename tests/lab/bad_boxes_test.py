"""Clients and servers that do everything wrong, at every moment and action of an emulated box. A box
is as robust as the ordinary proxy: nobody else notices, and each connection has its record."""

import collections
import concurrent.futures
import contextlib
import functools
import json
import random
import socket

from tests.lab import harness, servers
from tests.lab.bystander import Bystander, Hello, close_rudely
from tests.lab.harness import field

AT_ONCE = 24

# Seconds for each step of a connection, and after which a client leaves when nothing comes.
LIMIT, PATIENCE = "2", 4

# What actions take beside their names; the later ones act in the server's place, at the hello alone.
ANYTIME = {
    "pass": {}, "rst": {}, "fin": {}, "alert": {"alert": "access_denied"}, "stall": {"ms": 100},
    "drop_after": {"bytes": 100}, "blackhole_big": {"bytes": 100},
}
AT_HELLO = {
    "block_page": {}, "foreign_cert": {"cert_host": "other.example"}, "plain_http": {},
    "edit_hello": {"edit": {"strip_extensions": ["supported_versions"], "drop_grease": True}},
}

# What a box does to a leg, whatever comes.
KNOBS = {
    "split": {"client_leg": {"flight_split": 50, "flight_delay_ms": 1, "session_tickets": "bad"}},
    "extra": {"client_leg": {"change_cipher_spec": "extra", "record_max": 600}},
    "omit": {"client_leg": {"change_cipher_spec": "omit", "client_certificate": "request"}},
    "random": {"client_leg": {"max_version": "1.2", "sentinel": "copy_upstream"},
               "server_leg": {"max_version": "1.2"}},
    "echo": {"client_leg": {"max_version": "1.2", "echo_session_id": True}},
    "own": {"server_leg": {"hello": "own", "sni": "strip", "alpn": "strip"}},
    "raw": {"server_leg": {"hello": "template", "template": {
        "version": "1.2", "ciphers": ["TLS_RSA_WITH_RC4_128_MD5"], "extensions": ["server_name"]}}},
    "raw13": {"server_leg": {"hello": "template", "template": {
        "session_id_len": 32, "versions": ["TLS 1.3", "TLS 1.2"], "key_shares": ["x25519"],
        "groups": ["x25519"], "signature_algorithms": ["rsa_pss_rsae_sha256"],
        "ciphers": ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
        "extensions": ["server_name", "supported_versions", "key_share", "supported_groups",
                       "signature_algorithms"]}}},
    "reset": {"server_leg": {"on_invalid": "reset", "verify": {"revocation": "hard"}}},
    "resign": {"server_leg": {"on_invalid": "resign_trusted", "verify": {"chain": False}}},
    "through": {"server_leg": {"on_invalid": "pass_through"}},
    "edit": {"mode": "tunnel", "server_leg": {"hello": "edit", "edit": {"sni": "x.localhost"}}},
}


def all_boxes():
    """Profiles by name: each action at each moment, in both modes and both orders."""
    found = {name: dict(knobs) for name, knobs in KNOBS.items()}
    for mode in "intercept", "tunnel":
        for at in "hello", "second_hello", "answer", "established":
            for action, more in {**ANYTIME, **(AT_HELLO if at == "hello" else {})}.items():
                reaction = {"at": at, "action": action, **more}
                box = {"mode": mode, "reactions": [reaction]}
                if at == "second_hello" and mode == "intercept":
                    box["client_leg"] = {"force_hello_retry_request": True}
                found[f"{mode}-{at}-{action}".replace("_", "-")] = box
                if at == "hello" and action in ANYTIME:
                    found[f"{mode}-late-{action}".replace("_", "-")] = {**box, "order": "server_first"}
    return found


BOXES = all_boxes()

# First bytes of a client, and how it goes.
HELLO = Hello().records()
CLIENTS = [
    (b"", "fin"), (b"\x16", "rst"), (HELLO[:100], "fin"), (HELLO[:100], "rst"), (HELLO, "fin"),
    (HELLO, "rst"), (HELLO[:-1], "fin"), (Hello().records(3), "rst"), (HELLO * 3, "fin"),
    (HELLO + b"\x17\x03\x03\xff\xff", "rst"), (HELLO + b"\x15\x03\x03\x00\x02\x02\x28", "fin"),
    (b"\x16\x03\x01\x40\x01" * 99, "fin"), (b"GET / HTTP/1.1\r\n\r\n", "fin"),
    (b"\x80\x2e\x01\x03\x01" + bytes(60), "rst"), (random.Random(5).randbytes(3000), "fin"),
    (Hello().named(b"a\0b").with_extension(0x1234, bytes(17000)).records(), "rst"),
]

# What a server says to a hello before it goes.
ANSWERS = [
    b"", b"\x16\x03\x03", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(300),
    b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\x00\x00" * 50, b"HTTP/1.1 400 Bad\r\n\r\n",
    b"\x17\x03\x03\x00\x20" + bytes(32), random.Random(6).randbytes(5000),
]


class BadBoxes(harness.Lab):
    def setUp(self):
        rules = []
        for name, box in BOXES.items():
            path = self.file(f"{name}.json", json.dumps({"name": name, **box}))
            rules.append({"hosts": [f"{name}.localhost"], "action": "emulate", "profile": path})
        self.px = self.proxy("--timeout", LIMIT, "--workers", "2", policy={"rules": rules})
        bystander = Bystander(self, self.px)
        bystander.__enter__()
        self.addCleanup(bystander.__exit__, None, None, None)
        names = [f"{name}.localhost" for name in BOXES]
        self.good = self.nginx(harness.leaf(*names, which=1))

    def each(self, visit, things):
        """Calls visit(name, thing) for every box, some at once, and returns the records."""
        before = len(self.written())
        jobs = [(name, thing) for name in BOXES for thing in things]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda job: visit(*job), jobs))
        return harness.until(lambda: len(self.written()) >= before + len(jobs) and self.written(),
                             f"{len(jobs)} records")[before:]

    def written(self):
        return [r for r in self.px.written()
                if harness.has_ended(r) and r.get("host") != "bystander.localhost"]

    def judge(self, records, met):
        """Each connection is told of, `met` of those of each box with the box: at a whole hello
        there is one."""
        counts = collections.Counter()
        for record in records:
            name = record["host"].removesuffix(".localhost")
            profile = field(record, "emulation.profile")
            self.assertIn(profile, (None, name))
            counts[profile] += 1
            self.assertTrue(record["verdict"]["says"], name)
            self.assertNotIn(record["verdict"]["party"], ("box-behind", "box-in-front", "network"),
                             record["verdict"]["says"])
        for name in BOXES:
            self.assertGreaterEqual(counts[name], met, name)

    def fetch(self, name, port, patience=PATIENCE):
        """A client that does everything right."""
        host = f"{name}.localhost"
        context = self.px.client_context()
        with contextlib.suppress(OSError), self.px.connect(f"{host}:{port}", patience) as s, \
                context.wrap_socket(s, server_hostname=host) as t:
            t.sendall(b"GET / HTTP/1.0\r\n\r\n")
            harness.read_all(t)

    def test_bad_clients(self):
        def visit(name, thing):
            data, end = thing
            with self.px.connect(f"{name}.localhost:{self.good.port}", PATIENCE) as s:
                with contextlib.suppress(OSError):
                    s.sendall(data)
                    if end == "fin":
                        s.shutdown(socket.SHUT_WR)
                        harness.read_all(s)
                if end == "rst":
                    close_rudely(s)

        self.judge(self.each(visit, CLIENTS), 5)

    def test_bad_servers(self):
        def says(data):
            def handle(s):
                servers.hello(s)
                s.sendall(data)
            return self.service(lambda s: servers.quietly(lambda t: handle_all(t, handle), s)).port

        def handle_all(s, handle):
            with contextlib.suppress(AssertionError):  # clients that never said a hello
                handle(s)

        self.judge(self.each(self.fetch, [says(data) for data in ANSWERS]), len(ANSWERS))

    def test_they_act(self):
        """With a client and a server that are sound, each box does what it is for."""
        idle = []
        sound = functools.partial(self.fetch, patience=3 * PATIENCE)
        for record in self.each(sound, [self.good.port]):
            name = record["host"].removesuffix(".localhost")
            reactions = BOXES[name].get("reactions")
            if reactions and field(record, "emulation.action") != reactions[0]["action"]:
                idle.append(name)
        # A tunnel has no second hello of its own making, and sees no end of a handshake.
        for name in idle:
            self.assertRegex(name, "tunnel-(second-hello|established)-")
        self.assertGreater(len(BOXES), 80)
