"""tlsblame probe against planted boxes on loopback: who is named, and how many connections it
takes."""

import contextlib
import json
import os
import random
import unittest

from tests.lab import harness
from tests.lab.planted import ECH, PQ, Box, alert

HOST, CONTROL, GOOD = "a.localhost", "control.localhost", "b.localhost"


def by_name(deed):
    return lambda hello: deed if hello.name == HOST else None


# Name of the case: what the box dislikes, how it reads, the hello to begin with, the cause.
NAMES = {
    "reset": (by_name("reset"), "sni-filter-rst"),
    "drop": (by_name("drop"), "sni-filter-drop"),
    "close": (by_name("close"), "sni-filter-fin-or-alert"),
    "alert": (by_name(alert(40)), "sni-filter-fin-or-alert"),
    "page": (by_name("page"), "sni-filter-fin-or-alert"),
}

FACTORS = {
    "version": (lambda h: "reset" if h.tls13 else None, False, "openssl",
                "version-intolerance", "tls13-intolerance-middlebox"),
    "version alert": (lambda h: alert(70) if h.tls13 else None, False, "openssl",
                      "version-intolerance", "tls13-intolerance-middlebox"),
    "grease": (lambda h: "reset" if h.grease else None, False, "openssl",
               "grease-intolerance", "grease-intolerance"),
    "size": (lambda h: "close" if h.size > 1400 else None, False, "openssl",
             "large-clienthello-intolerance", "large-clienthello-intolerance"),
    "pq": (lambda h: alert(47) if PQ in h.groups else None, False, "openssl",
           "pq-group-intolerance", "pq-group-intolerance"),
    "ech": (lambda h: "reset" if ECH in h.extensions else None, False, "openssl",
            "extension-order-or-unknown-ext-intolerance", "ech-extension-blocked"),
    "segments": (lambda h: None if h.whole else "reset", True, "openssl",
                 "clienthello-tcp-split-intolerance", "clienthello-tcp-split-intolerance"),
    "records": (lambda h: "close" if h.records > 1 else None, False, "openssl",
                "clienthello-record-split-intolerance", "clienthello-record-split-intolerance"),
}


class Probing(harness.Lab):
    """Runs the program and reads the record that it writes."""

    def setUp(self):
        self.trust = harness.root().file
        self.log = f"{self.dir}/probe.ndjson"
        self.server = self.s_server(harness.leaf(HOST, CONTROL, GOOD))

    def probe(self, target, *args, trust=True):
        command = [harness.PROGRAM, "probe", "--json", "--log", self.log, "--timeout", "1"]
        command += ["--trust", self.trust] if trust else []
        done = harness.run(*command, *args, target, check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr.decode())
        record = json.loads(done.stdout)
        self.assertEqual(harness.read_log(self.log)[-1]["id"], record["id"])
        return done.returncode, record

    def verdict(self, target, *args, **more):
        _, record = self.probe(target, *args, **more)
        verdict = record["verdict"]
        return verdict["party"], verdict["cause"], verdict["confidence"]


class Healthy(Probing):
    def test_nothing_is_wrong(self):
        status, record = self.probe(f"{HOST}:{self.server.port}")
        self.assertEqual(status, 0)
        self.assertEqual(record["verdict"]["cause"], "healthy")
        self.assertEqual(record["mode"], "probe")
        self.assertTrue(record["legs"]["server"]["tls"]["established"])
        names = [e["probe"] for e in record["experiments"]]
        self.assertEqual(names[0], "base")
        self.assertLessEqual(len(names), 24)
        for name in ("tls12", "big", "pq", "split-tcp", "split-record", "grease", "no-sni"):
            self.assertIn(name, names)

    def test_a_server_of_before_tls13(self):
        server = self.s_server(harness.leaf(HOST), "-no_tls1_3")
        status, record = self.probe(f"{HOST}:{server.port}")
        self.assertEqual((status, record["verdict"]["party"]), (0, "none"))

    def test_a_server_that_wants_a_certificate(self):
        """It objects after the handshake, and not to the hello."""
        server = self.s_server(harness.leaf(HOST), "-Verify", "1")
        _, record = self.probe(f"{HOST}:{server.port}")
        self.assertEqual(record["verdict"]["cause"], "client-cert-required")
        self.assertEqual({e["result"] for e in record["experiments"] if e["probe"] == "base"},
                         {"answered"})

    def test_an_expired_certificate_is_the_servers(self):
        server = self.s_server(harness.expired(HOST))
        self.assertEqual(self.verdict(f"{HOST}:{server.port}")[:2],
                         ("server", "server-cert-expired"))


class Clocks(Probing):
    """Every certificate looks expired where the clock is ten years ahead; two hosts tell so."""

    def test_three_control_hosts(self):
        """Each tells its certificate, and of a certificate out of its time the hour."""
        names = ["one.localhost", "two.localhost", "three.localhost"]
        hosts = [self.nginx(certificate=harness.leaf(name)) for name in names]
        server = self.nginx(certificate=harness.expired(HOST))
        controls = [arg for name, host in zip(names, hosts)
                    for arg in ("--control", f"{name}:{host.port}")]
        _, record = self.probe(f"{HOST}:{server.port}", "--timeout", "10", *controls)
        self.assertEqual(record["verdict"]["cause"], "server-cert-expired")
        runs = {e["probe"]: e for e in record["experiments"]}
        for i, probes in enumerate((("time", "control"), ("time2", "control2"),
                                    ("time3", "control3"))):
            self.assertLess(abs(runs[probes[0]]["clock_offset_s"]), 60)
            for probe in probes:
                self.assertEqual(runs[probe]["leg"]["subject"] if "subject" in runs[probe]["leg"]
                                 else runs[probe]["leg"]["tls"]["server"]["subject"],
                                 f"CN={names[i]}")

    @unittest.skipIf(harness.sanitized(), "faketime wants to be loaded first")
    def test_this_machines_clock(self):
        www = self.nginx(certificate=harness.leaf(HOST))
        other = self.nginx(certificate=harness.leaf("other.localhost"))
        done = harness.run(
            "faketime", "-f", "+3650d", harness.PROGRAM, "probe", "--json", "--log", self.log,
            "--trust", self.trust, "--control", f"other.localhost:{other.port}",
            f"{HOST}:{www.port}", check=False)
        verdict = json.loads(done.stdout)["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"]), ("proxy", "clock-skew-proxy"))


class Names(Probing):
    """A box that acts on the name, with a control host behind the same box and past it."""

    def test_filters(self):
        for name, (dislikes, cause) in NAMES.items():
            with self.subTest(name):
                box = Box(self, self.server.port, dislikes)
                control = f"{CONTROL}:{box.port}"
                self.assertEqual(self.verdict(f"{HOST}:{box.port}", "--control", control)[:2],
                                 ("box-behind", cause))

    def test_a_server_that_refuses_the_name(self):
        box = Box(self, self.server.port, by_name("reset"))
        self.assertEqual(
            self.verdict(f"{HOST}:{box.port}", "--control", f"{CONTROL}:{self.server.port}")[:2],
            ("server", "sni-unrecognized"))

    def test_without_control_nobody_is_named(self):
        box = Box(self, self.server.port, by_name("reset"))
        self.assertEqual(self.verdict(f"{HOST}:{box.port}")[:2],
                         ("undetermined", "sni-filter-rst"))

    def test_a_filter_that_reads_one_segment(self):
        def dislikes(hello):
            return "reset" if HOST.encode() in hello.data else None

        box = Box(self, self.server.port, dislikes, hasty=True)
        self.assertEqual(self.verdict(f"{HOST}:{box.port}"),
                         ("box-behind", "sni-filter-rst", "certain"))


class Factors(Probing):
    def test_server_or_box(self):
        for name, (dislikes, hasty, hello, cause, box_cause) in FACTORS.items():
            box = Box(self, self.server.port, dislikes, hasty)
            target = f"{HOST}:{box.port}"
            with self.subTest(name, who="box"):
                control = f"{CONTROL}:{box.port}"
                self.assertEqual(self.verdict(target, "--hello", hello, "--control", control)[:2],
                                 ("box-behind", box_cause))
            with self.subTest(name, who="server"):
                control = f"{CONTROL}:{self.server.port}"
                self.assertEqual(self.verdict(target, "--hello", hello, "--control", control)[:2],
                                 ("server", cause))

    def test_a_browser_behind_a_box(self):
        """The hello fails as it is, and passes with something taken out."""
        for name in ("pq", "size", "ech", "grease"):
            dislikes, hasty, _, _, box_cause = FACTORS[name]
            with self.subTest(name):
                box = Box(self, self.server.port, dislikes, hasty)
                control = f"{CONTROL}:{box.port}"
                self.assertEqual(
                    self.verdict(f"{HOST}:{box.port}", "--hello", "chromium", "--control", control,
                                 "--connections", "40")[:2],
                    ("box-behind", box_cause))

    def test_by_chance(self):
        turns = [0]

        def dislikes(_):
            turns[0] += 1
            return "reset" if turns[0] % 2 else None

        box = Box(self, self.server.port, dislikes)
        _, record = self.probe(f"{HOST}:{box.port}", "--factor", "base", "--repeat", "6")
        self.assertEqual(record["verdict"]["cause"], "server-pool-inconsistent")
        self.assertEqual(record["verdict"]["party"], "undetermined")


class Termination(Probing):
    """Inspecting boxes whose CA is not trusted here."""

    def test_certificates_made_on_the_spot(self):
        def choose(connection, name, _):
            connection.context = harness.tls_context(harness.leaf(name))

        context = harness.tls_context(harness.leaf(HOST))
        context.sni_callback = choose

        def handle(connection):
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)
            except OSError:
                pass

        box = self.service(handle)
        self.assertEqual(self.verdict(f"{HOST}:{box.port}", "--factor", "nonce-name", trust=False),
                         ("box-behind", "mitm-behind-untrusted", "likely"))

    def test_the_same_issuer_everywhere(self):
        other = self.s_server(harness.leaf("other.localhost"))
        proxy = self.proxy()
        status, record = self.probe(f"{HOST}:{self.server.port}", "--parent", proxy.url,
                                    "--control", f"other.localhost:{other.port}")
        self.assertEqual(status, 1)
        # Both are on this machine: they might have a CA of their own.
        self.assertEqual(record["verdict"]["party"], "undetermined")
        self.assertEqual(record["verdict"]["cause"], "mitm-behind-untrusted")


class Limits(Probing):
    def test_the_budget_holds(self):
        box = Box(self, self.server.port, by_name("reset"))
        self.probe(f"{HOST}:{box.port}", "--connections", "5", "--repeat", "9")
        self.assertEqual(box.connections, 5)

    def test_the_same_seed_is_the_same_order(self):
        def order(seed):
            _, record = self.probe(f"{HOST}:{self.server.port}", "--seed", seed)
            return [e["probe"] for e in record["experiments"]]

        self.assertNotEqual(sorted(order("1")), order("1"))
        self.assertEqual(set(order("2")), set(order("3")))

    def test_a_tar_pit(self):
        """A byte now and then, for ever: each probe ends by its limits."""
        def dribble(connection):
            try:
                connection.recv(65536)
                for byte in b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(1000):
                    connection.sendall(bytes([byte]))
                    connection.settimeout(0.05)
                    try:
                        if not connection.recv(1):
                            return
                    except TimeoutError:
                        pass
            except OSError:
                pass

        pit = self.service(dribble)
        status, record = self.probe(f"{HOST}:{pit.port}", "--factor", "no-sni", "--repeat", "1")
        self.assertEqual(status, 1)
        for experiment in record["experiments"]:
            self.assertEqual(experiment["result"], "silent")
            self.assertLess(experiment["leg"]["timing_ms"]["end"], 10000)

    def test_a_flood(self):
        def flood(connection):
            try:
                connection.recv(65536)
                for _ in range(4096):
                    connection.sendall(b"\x16\x03\x03\x40\x00" + bytes(16384))
            except OSError:
                pass

        pit = self.service(flood)
        _, record = self.probe(f"{HOST}:{pit.port}", "--factor", "base", "--repeat", "1")
        self.assertLess(record["legs"]["server"]["bytes"]["received"], 1024 * 1024)


class Minimizing(Probing):
    def minimized(self, box, *args):
        before = box.connections
        _, record = self.probe(f"{HOST}:{box.port}", "--factor", "base", "--repeat", "1",
                               "--minimize", *args)
        self.assertLess(box.connections - before, 45)
        return record["minimized"]

    def test_one_trigger(self):
        box = Box(self, self.server.port, lambda h: "reset" if ECH in h.extensions else None)
        self.assertIn("encrypted_client_hello", self.minimized(box, "--hello", "chromium"))

    def test_two_together(self):
        box = Box(self, self.server.port, lambda h: "drop" if ECH in h.extensions
                  and h.name == HOST else None)
        says = self.minimized(box, "--hello", "chromium")
        self.assertIn("encrypted_client_hello", says)
        self.assertIn(f"the server name {HOST}", says)

    def test_a_size(self):
        box = Box(self, self.server.port, lambda h: "close" if h.size > 1300 else None)
        self.assertIn("longer than 1300 bytes", self.minimized(box, "--hello", "chromium"))

    def test_nothing_fails(self):
        box = Box(self, self.server.port, lambda _: None)
        self.assertIn("No hello fails", self.minimized(box))

    def test_nothing_passes(self):
        box = Box(self, self.server.port, lambda _: alert(40))
        self.assertIn("No hello passes", self.minimized(box))


class BadTargets(Probing):
    def test_no_such_host(self):
        status, record = self.probe("nothing-is-here.invalid")
        self.assertEqual((status, record["verdict"]["cause"]), (3, "dns-failure"))

    def test_nobody_listens(self):
        status, record = self.probe(f"{HOST}:{harness.free_port()}")
        self.assertEqual((status, record["verdict"]["cause"]), (1, "tcp-refused"))
        self.assertEqual(len(record["experiments"]), 1)

    def test_ports_that_answer_with_anything(self):
        answers = {
            b"SSH-2.0-OpenSSH_9\r\n": "non-tls-service",
            b"HTTP/1.0 400 Bad Request\r\n\r\n": "plain-http-on-tls-port",
            b"220 mail.example ESMTP\r\n": "non-tls-service",
            bytes(range(200, 256)): "non-tls-service",
            random.Random(1).randbytes(4000): "non-tls-service",
            bytes(100): "non-tls-service",
            b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100000: "plain-http-on-tls-port",
        }
        for answer, cause in answers.items():
            def handle(connection, answer=answer):
                try:
                    connection.recv(65536)
                    connection.sendall(answer)
                except OSError:
                    pass

            service = self.service(handle)
            with self.subTest(answer):
                self.assertEqual(self.verdict(f"{HOST}:{service.port}", "--repeat", "1")[1], cause)

    def test_ports_that_say_nothing_of_use(self):
        """Nothing, an end at once, half of an answer, one that is none."""
        answers = {"nothing": None, "the end": b"", "half a record": b"\x16\x03\x03\x00",
                   "half a hello": b"\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03",
                   "a hello of zeros": b"\x16\x03\x03\x00\x50\x02\x00\x00\x4c" + bytes(0x4c),
                   "an alert of zeros": bytes([21, 3, 3, 0, 2, 0, 0]),
                   "data": b"\x17\x03\x03\x00\x05hello"}
        for what, answer in answers.items():
            def handle(connection, answer=answer):
                with contextlib.suppress(OSError):
                    connection.recv(65536)
                    if answer is None:
                        harness.read_all(connection)
                    connection.sendall(answer or b"")

            service = self.service(handle)
            with self.subTest(what):
                status, record = self.probe(f"{HOST}:{service.port}", "--repeat", "1")
                self.assertEqual(status, 1)
                self.assertNotIn(record["verdict"]["party"], ("none", "client", "proxy"))
                self.assertGreater(len(record["verdict"]["says"]), 30)

    def test_what_cannot_be_asked(self):
        """An address that is nowhere, a log that cannot be written, names that nobody has."""
        status, record = self.probe("255.255.255.255:443", "--repeat", "1")
        self.assertEqual((status, record["verdict"]["party"]), (1, "network"))
        for name in ("nothing-is-here.invalid", "999.1.1.1"):
            status, record = self.probe(name)
            self.assertEqual((status, record["verdict"]["cause"]), (3, "dns-failure"))
            self.assertIn(name, record["verdict"]["says"])
        done = harness.run(harness.PROGRAM, "probe", "-q", "--log", f"{self.dir}/no/such/folder",
                           f"{HOST}:{harness.free_port()}", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"no/such/folder", done.stderr)

    def test_policy_excludes(self):
        policy = self.file("policy.json", json.dumps(
            {"rules": [{"hosts": [HOST], "experiments": False}]}))
        done = harness.run(harness.PROGRAM, "probe", "--policy", policy, "--log", self.log,
                           f"{HOST}:{self.server.port}", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"rules[0]", done.stderr)
        self.assertFalse(os.path.exists(self.log))

    def test_bad_usage(self):
        for args in ([], ["a b"], ["a:0"], ["a", "b"], ["--factor", "nonsense", "a"],
                     ["--factor", "group=nonsense", "a"], ["--hello", "nonsense", "a"],
                     ["--address", "a", "a"], ["--parent", "http://a:b:c", "a"], ["--parent", "ftp://a", "a"],
                     ["--like", "zzzz"], ["a..b"], ["."], ["a" * 64 + ".test"], ["http://a/"],
                     ["ftp://a"], ["a:"], ["a:99999"], ["[::1"], ["--sni", "a" * 300, "a"],
                     ["--address", "b=192.0.2.1", "a"], ["--address", "a=b", "a"],
                     ["--timeout", "0", "a"], ["--repeat", "0", "a"], ["--connections", "0", "a"],
                     ["--seed", "-1", "a"], ["--trust", "/nonexistent", "a"],
                     ["--trust", self.file("empty.pem"), "a"], ["--policy", "/nonexistent", "a"],
                     ["--resolver", "nonsense", "a"], ["--control", "x y", "a"],
                     ["--color", "red", "a"], ["--locate", "--parent", "http://p:1", "a"],
                     ["--nonsense", "a"], [""]):
            with self.subTest(args):
                done = harness.run(harness.PROGRAM, "probe", "--log", self.log, *args, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, rb"^tlsblame probe: .{10,}\n")
                self.assertEqual(done.stdout, b"")
        self.assertFalse(os.path.exists(self.log))


class Resumption(Probing):
    def test_a_key_that_nobody_knows(self):
        """A server goes on with a whole handshake; something that does not is found."""
        _, record = self.probe(f"{HOST}:{self.server.port}", "--factor", "psk", "--factor",
                               "early-data")
        self.assertEqual({e["result"] for e in record["experiments"]}, {"answered"})
        box = Box(self, self.server.port, lambda h: "reset" if 42 in h.extensions else None)
        _, record = self.probe(f"{HOST}:{box.port}", "--factor", "psk", "--factor", "early-data")
        results = {e["probe"]: e["result"] for e in record["experiments"]}
        self.assertEqual((results["base"], results["psk"], results["early-data"]),
                         ("answered", "answered", "reset"))


class Ways(Probing):
    def test_a_recorded_client(self):
        proxy = self.proxy()
        self.curl(f"https://{HOST}:{self.server.port}/", proxy)
        seen = proxy.record()
        done = harness.run(harness.PROGRAM, "probe", "--json", "--log", proxy.records_file,
                           "--trust", self.trust, "--like", seen["id"][:8],
                           "--factor", "replay", "--factor", "replay-verbatim", check=False)
        record = json.loads(done.stdout)
        self.assertEqual((record["host"], record["port"]), (HOST, self.server.port))
        offers = {e["probe"]: e["leg"]["offer"] for e in record["experiments"]}
        client = seen["legs"]["client"]["offer"]
        self.assertEqual(offers["replay-verbatim"]["raw"], client["raw"])
        self.assertNotEqual(offers["replay"]["raw"], client["raw"])
        self.assertEqual(offers["replay"]["size"], client["size"])
        replay = next(e["leg"] for e in record["experiments"] if e["probe"] == "replay")
        self.assertEqual(replay["tls"]["server"]["hash"],
                         seen["legs"]["server"]["tls"]["server"]["hash"])

    def test_a_parent_that_refuses(self):
        def refuse(connection):
            harness.read_head(connection)
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        parent = self.service(refuse)
        _, record = self.probe(f"{HOST}:{self.server.port}", "--parent",
                               f"http://user:secret@127.0.0.1:{parent.port}")
        detail = record["experiments"][0]["leg"]["end"]["detail"]
        self.assertIn("407", detail)
        self.assertEqual(record["verdict"]["cause"], "corporate-proxy-chain")
        _, record = self.probe(f"{HOST}:{self.server.port}", "--parent",
                               f"http://127.0.0.1:{harness.free_port()}")
        self.assertEqual(record["verdict"]["cause"], "corporate-proxy-chain")

    def test_the_plan_sends_nothing(self):
        box = Box(self, self.server.port, lambda _: None)
        done = harness.run(harness.PROGRAM, "probe", "--plan", "--log", self.log,
                           f"{HOST}:{box.port}")
        self.assertIn(b"nothing was sent", done.stdout)
        self.assertEqual(box.connections, 0)
        self.assertFalse(os.path.exists(self.log))

    def test_addresses_and_families(self):
        status, record = self.probe(f"nowhere.invalid:{self.server.port}", "--address",
                                    "nowhere.invalid=127.0.0.1", "--factor", "base")
        self.assertEqual(record["legs"]["server"]["address"], "127.0.0.1")
        self.assertEqual(status, 1)  # the certificate has another name
        status, record = self.probe(f"{HOST}:{self.server.port}", "-6", "--factor", "base")
        self.assertNotEqual(status, 0)  # nobody listens on ::1

    def test_a_table_for_people(self):
        done = harness.run(harness.PROGRAM, "probe", "--log", self.log, "--trust", self.trust,
                           f"{HOST}:{self.server.port}")
        text = done.stdout.decode()
        self.assertIn("VERDICT", text)
        self.assertIn("server_name=absent", text)
        self.assertNotIn("\x1b", text)
        shown = harness.run(harness.PROGRAM, "show", "--log", self.log).stdout.decode()
        self.assertIn("EXPERIMENTS", shown)


if __name__ == "__main__":
    unittest.main()
