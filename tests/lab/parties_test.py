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
import signal
import tempfile
import unittest

from tests.lab import harness
from tests.lab.hops import PORT
from tests.lab.inline import BEHIND, BOX, CLIENT, END, Inline
from tests.lab.kernel import text_at
from tests.lab.planted import ECH, alert

NETWORKS = 6  # at once: they mostly wait
CONTROL = "control.lab.test"
PADDING = "a-name-so-long-that-browsers-have-no-need-to-pad-what-they-send"
BUDGET = 12

Cell = collections.namedtuple("Cell", "hello place acts deed party causes")
Cell.__doc__ = """The shape of the client's hello, who stumbles over what ("box", or the server
itself: "front"), and who is to be named, with which causes."""


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


def cells():
    for what, acts, deed, hello, cause, box_cause in FACTORS:
        yield what, Cell(hello, "front", acts, deed, "server" if cause else "undetermined",
                         {cause or "cipher-mismatch"})
        yield what, Cell(hello, "box", acts, deed, "box-behind", {box_cause})
    for deed, cause in NAMES:
        yield "name", Cell("openssl", "box", name, deed, "box-behind", {cause})
        yield "name", Cell("openssl", "front", name, deed, "server", {"sni-unrecognized"})


class Parties(harness.Lab):
    def test_matrix(self):
        todo = list(cells())
        self.numbers = itertools.count()
        networks = queue.Queue()
        for i in range(NETWORKS):
            networks.put(self.network(len(todo)))
        rows = []

        def work(what, cell):
            net = networks.get()
            try:
                return self.run_cell(net, cell)
            finally:
                networks.put(net)
        with concurrent.futures.ThreadPoolExecutor(NETWORKS) as pool:
            running = [(what, cell, pool.submit(work, what, cell)) for what, cell in todo]
        for what, cell, run in running:
            with self.subTest(what, deed=cell.deed, place=cell.place):
                record = run.result()
                v = record["verdict"]
                good = v["party"] == cell.party and v["cause"] in cell.causes
                print(f"{what:8} {str(cell.deed):26} {cell.hello:9} {cell.place:6} {v['party']:12} {v['cause']:44} {v['confidence']:8} {len(record['experiments'])}", "" if good else [(e["probe"],e["result"]) for e in record["experiments"]])
                self.assertTrue(good)

    def network(self, number):
        names = [f"{PADDING}.{i}.lab.test" for i in range(number + 20)]
        net = Inline(self, names, CONTROL)
        net.start(harness.leaf("*.lab.test", *names), harness.leaf(CONTROL))
        net.through = net.proxy("--control", CONTROL, "--timeout", "1", experiments="on-failure")
        return net

    def hello(self, shape, host):
        service = harness.Service(lambda c: c.recv(65536))
        done = harness.run(harness.PROGRAM, "probe", "--json", "--log", "/dev/null", "--hello",
                           shape, "--factor", "base", "--repeat", "1", "--sni", host,
                           f"a.localhost:{service.port}", check=False)
        service.stop()
        return base64.b64decode(json.loads(done.stdout)["legs"]["server"]["offer"]["raw"])

    def run_cell(self, net, cell):
        host = f"{PADDING}.{next(self.numbers)}.lab.test"
        raw = self.hello(cell.hello, host)
        with getattr(net, cell.place)(lambda h: cell.deed if cell.acts(h) else None):
            with net.connect(net.through, f"{host}:{PORT}") as s:
                s.sendall(raw)
                with contextlib.suppress(OSError):
                    s.recv(100)
            return harness.until(lambda: [
                r for r in net.through.written() if r["host"] == host and "experiments" in r],
                f"experiments with {host}")[0]


if __name__ == "__main__":
    unittest.main()
