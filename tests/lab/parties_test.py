"""Who is named when the proxy experiments: every party misbehaving in turn, in a network of
namespaces with a client, the proxy, routers, a box, a server and a control host."""

import base64
import collections
import concurrent.futures
import contextlib
import itertools
import json
import os
import queue
import shutil
import tempfile
import unittest

from tests.lab import harness
from tests.lab.hops import PORT
from tests.lab.inline import BOX, Inline
from tests.lab.kernel import text_at
from tests.lab.planted import ECH, alert

NETWORKS = 6  # at once: they mostly wait
CONTROL = "control.lab.test"
PADDING = "a-name-so-long-that-browsers-have-no-need-to-pad-what-they-send"
BUDGET = 12

Cell = collections.namedtuple("Cell", "what place hello party causes")
Cell.__doc__ = """What is wrong, a context manager that makes it so in a network, the shape of the
client's hello, and who is to be named, with which causes."""


def v13(hello):
    return hello.tls13


def grease(hello):
    return hello.grease


def large(hello):
    return hello.size > 517


def ech(hello):
    return ECH in hello.extensions


def name(hello):
    return hello.name is not None and hello.name.startswith(PADDING)


# What, how, by which client, and the causes where the server does it, and where a box does.
FACTORS = [
    ("version", v13, "reset", "openssl", "version-intolerance", "tls13-intolerance-middlebox"),
    ("version", v13, "drop", "go", "version-intolerance", "tls13-intolerance-middlebox"),
    ("version", v13, alert(70), "chromium", "version-intolerance", "tls13-intolerance-middlebox"),
    ("version", v13, alert(40), "java", None, "tls13-intolerance-middlebox"),
    ("grease", grease, "reset", "chromium", "grease-intolerance", "grease-intolerance"),
    ("grease", grease, "drop", "chromium", "grease-intolerance", "grease-intolerance"),
    ("grease", grease, alert(40), "chromium", "grease-intolerance", "grease-intolerance"),
    ("size", large, "close", "chromium", "large-clienthello-intolerance",
     "large-clienthello-intolerance"),
    ("size", large, "reset", "firefox", "large-clienthello-intolerance",
     "large-clienthello-intolerance"),
    ("ech", ech, "reset", "firefox", "extension-order-or-unknown-ext-intolerance",
     "ech-extension-blocked"),
    ("ech", ech, "close", "chromium", "extension-order-or-unknown-ext-intolerance",
     "ech-extension-blocked"),
    ("ech", ech, alert(40), "firefox", "extension-order-or-unknown-ext-intolerance",
     "ech-extension-blocked"),
]
NAMES = [("reset", "sni-filter-rst"), ("drop", "sni-filter-drop"),
         ("close", "sni-filter-fin-or-alert"), (alert(40), "sni-filter-fin-or-alert"),
         (alert(112), "sni-filter-fin-or-alert"), ("page", "sni-filter-fin-or-alert")]


def kernel(*rules):
    """The box is a router's kernel with these rules for what goes to servers."""
    return lambda net: net.ruled(BOX, "filter hook forward priority 0",
                                 *(f"tcp dport {PORT} {rule}" for rule in rules))


@contextlib.contextmanager
def small_link(net):
    """Behind the box large packets vanish, and nobody is told."""
    net.inside(BOX, "ip link set right mtu 590")
    try:
        with net.ruled(BOX, "filter hook output priority 0",
                       "icmp type destination-unreachable drop"):
            yield
    finally:
        net.inside(BOX, "ip link set right mtu 1500")


def emulated(profile):
    """An emulated box: this very program, with a CA that the proxy does not know."""
    @contextlib.contextmanager
    def place(net):
        box = harness.Proxy(net.lab.dir, "--transparent", "--as", profile, listen="*:0",
                            command=net.command(BOX), ca_dir=f"{net.lab.dir}/box{id(net)}")
        try:
            with net.redirected(BOX, box.port):
                yield
        finally:
            box.stop()
    return place


@contextlib.contextmanager
def sslsplit(net):
    """A real one, as nobody, whose files are where nobody may read them."""
    root = harness.issue("Inspection CA", None, harness.CA_EXTENSIONS)
    folder = tempfile.mkdtemp(prefix="sslsplit-", dir="/tmp")
    try:
        os.chmod(folder, 0o755)
        copies = [shutil.copy(path, folder) for path in (root.key, root.file)]
        for path in copies:
            os.chmod(path, 0o644)
        program = harness.Program(
            [*net.command(BOX), "setpriv", "--reuid", "65534", "--clear-groups", "sh", "-c",
             f"exec sslsplit -D -k {copies[0]} -c {copies[1]} ssl 0.0.0.0 8444 >/dev/null 2>&1"],
            f"{folder}/sslsplit")
        harness.until(lambda: harness.run(
            *net.command(BOX), "sh", "-c", "ss -ltnH sport = :8444 | grep -q .",
            check=False).returncode == 0, "sslsplit to listen")
        with net.redirected(BOX, 8444):
            yield
        program.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


RESET, PUSHED = "reject with tcp reset", "tcp flags & psh == psh"
PLACES = [
    ("name, nft reset", kernel(*(f"{at} {RESET}" for at in text_at(PADDING))), "openssl",
     "box-behind", {"sni-filter-rst"}),
    ("name, nft drop", kernel(*(f"{at} drop" for at in text_at(PADDING))), "openssl",
     "box-behind", {"sni-filter-drop"}),
    # Whoever resets everything may be the server; what vanishes may be anything.
    ("injected resets", kernel(f"{PUSHED} {RESET}"), "openssl", "undetermined",
     {"server-reset-at-hello"}),
    ("data vanishes", kernel(f"{PUSHED} drop"), "go", "undetermined", {"sni-filter-drop"}),
    ("all vanishes", kernel("drop"), "go", "network", {"tcp-timeout"}),
    ("small link", small_link, "chromium", "network", {"mtu-blackhole"}),
    ("small link", small_link, "firefox", "network", {"mtu-blackhole"}),
    ("sslsplit", sslsplit, "openssl", "box-behind", {"mitm-behind-untrusted"}),
    ("emulated Kaspersky", emulated("kaspersky-2016-crime"), "openssl", "box-behind",
     {"mitm-behind-untrusted"}),
    ("emulated WebTitan", emulated("no-validation-webtitan"), "chromium", "box-behind",
     {"mitm-behind-untrusted"}),
    ("emulated FortiGate", emulated("fortigate-untrusted-resign"), "firefox", "box-behind",
     {"mitm-behind-untrusted"}),
    ("emulated Blue Coat", emulated("bluecoat-65-tls13-hangup"), "go", "box-behind",
     {"tls13-intolerance-middlebox"}),
    ("by chance", lambda net: net.box(by_turns()), "go", "undetermined",
     {"server-pool-inconsistent"}),
]


def by_turns():
    """Acts on every other hello of a name, from the first on."""
    seen = collections.Counter()

    def acts(hello):
        seen[hello.name] += 1
        return "reset" if seen[hello.name] % 2 else None
    return acts


def misbehaving(place, acts, deed):
    """The box, or the server itself ("front")."""
    return lambda net: getattr(net, place)(lambda hello: deed if acts(hello) else None)


def cells():
    for what, acts, deed, hello, cause, box_cause in FACTORS:
        party = "server" if cause else "undetermined"
        yield Cell(f"server: {what}, {deed_name(deed)}", misbehaving("front", acts, deed), hello,
                   party, {cause or "cipher-mismatch"})
        yield Cell(f"box: {what}, {deed_name(deed)}", misbehaving("box", acts, deed), hello,
                   "box-behind", {box_cause})
    for deed, cause in NAMES:
        yield Cell(f"server: name, {deed_name(deed)}", misbehaving("front", name, deed), "openssl",
                   "server", {"sni-unrecognized"})
        yield Cell(f"box: name, {deed_name(deed)}", misbehaving("box", name, deed), "openssl",
                   "box-behind", {cause})
    for what, place, hello, party, causes in PLACES:
        yield Cell(what, place, hello, party, causes)


def deed_name(deed):
    return f"alert {deed[-1]}" if isinstance(deed, bytes) else deed


class Parties(harness.Lab):
    """The matrix, printed as it was found."""

    def setUp(self):
        self.numbers, self.networks = itertools.count(), queue.Queue()
        self.hellos = harness.Service(lambda connection: connection.recv(65536))
        self.addCleanup(self.hellos.stop)

    def network(self, number):
        names = [f"{PADDING}.{i}.lab.test" for i in range(number)]
        net = Inline(self, names, CONTROL)
        net.start(harness.leaf(*names), harness.leaf(CONTROL))
        more = {"experiments": "on-failure"}
        net.told = net.proxy("--control", CONTROL, "--timeout", "1", **more)
        net.untold = net.proxy("--timeout", "1", **more)
        return net

    def hello(self, shape, host):
        """What a client of that shape sends."""
        done = harness.run(harness.PROGRAM, "probe", "--json", "--log", "/dev/null", "--hello",
                           shape, "--factor", "base", "--repeat", "1", "--sni", host,
                           f"a.localhost:{self.hellos.port}", check=False)
        return base64.b64decode(json.loads(done.stdout)["legs"]["server"]["offer"]["raw"])

    def record(self, cell, with_control):
        """What the proxy found out when that was so."""
        host = f"{PADDING}.{next(self.numbers)}.lab.test"
        data = self.hello(cell.hello, host)
        net = self.networks.get()
        proxy = net.told if with_control else net.untold

        def found():
            records = [r for r in proxy.written() if r["host"] == host]
            reached = records and harness.field(records[0], "legs.server.offer")
            return records and ("experiments" in records[0] or not reached) and records[0]

        try:
            with cell.place(net):
                net.send(proxy, f"{host}:{PORT}", data)
                return harness.until(found, f"what there is to be known about {cell.what}")
        finally:
            self.networks.put(net)

    def check(self, todo, with_control, right):
        """Runs the cells; each is a subtest, of whose verdict `right` has to be true."""
        for _ in range(NETWORKS):
            self.networks.put(self.network(len(todo)))
        with concurrent.futures.ThreadPoolExecutor(NETWORKS) as pool:
            running = [(cell, pool.submit(self.record, cell, with_control)) for cell in todo]
        for cell, run in running:
            with self.subTest(cell.what, hello=cell.hello):
                record = run.result()
                verdict = record["verdict"]
                print(f"{cell.what:28} {cell.hello:9} {verdict['party']:12} {verdict['cause']:44} "
                      f"{verdict['confidence']:8} {len(record.get('experiments', [])):2}")
                self.assertLessEqual(len(record.get("experiments", [])), BUDGET)
                self.assertTrue(right(cell, verdict),
                                [(e["probe"], e["result"]) for e in record.get("experiments", [])])

    def test_with_a_control_host(self):
        self.check(list(cells()), True, lambda cell, verdict: verdict["party"] == cell.party
                   and verdict["cause"] in cell.causes)

    def test_without_one(self):
        """Nobody is named who is not to blame; who is may stay unknown. That a server's CA is
        unknown where a box's is, is possible and no more."""
        self.check(list(cells())[::3], False, lambda cell, verdict: verdict["party"] in
                   (cell.party, "undetermined") or verdict["confidence"] == "possible")


if __name__ == "__main__":
    unittest.main()
