"""The proxy's own experiments: real clients, failing servers and planted boxes."""

import json
import os
import threading
import unittest

from tests.lab import harness
from tests.lab.planted import Box, alert

HOST, CONTROL = "a.localhost", "control.localhost"


class Experiments(harness.Lab):
    def setUp(self):
        self.server = self.s_server(harness.leaf(HOST, CONTROL))

    def fail(self, port, proxy, host=HOST):  # pylint: disable=arguments-differ
        """A curl that gets no page."""
        answer = self.curl(f"https://{host}:{port}/", proxy, check=False)
        self.assertNotEqual(answer.exit, 0)

    @staticmethod
    def experimented(proxy):
        def found():
            records = proxy.written()
            return records and records[-1].get("experiments") and records[-1]

        return harness.until(found, "a record with experiments")

    def test_a_filter(self):
        told = threading.Event()

        def dislikes(hello):
            if box.connections > 1:
                told.wait(harness.TIMEOUT)  # the client does not wait for experiments
            return "reset" if hello.name == HOST else None

        box = Box(self, self.server.port, dislikes)
        proxy = self.proxy("--control", f"{CONTROL}:{box.port}", experiments="on-failure")
        self.fail(box.port, proxy)
        told.set()
        record = self.experimented(proxy)
        self.assertEqual(record["verdict"]["party"], "box-behind")
        self.assertEqual(record["verdict"]["cause"], "sni-filter-rst")
        self.assertLessEqual(len(record["experiments"]), 12)
        self.assertEqual(box.connections, 1 + len(record["experiments"]))
        with open(proxy.records_file, encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        self.assertEqual(len(lines), 2)  # at once, and again
        self.assertEqual(lines[0]["id"], lines[1]["id"])
        self.assertNotIn("experiments", lines[0])
        # The same host again, within a minute.
        before = box.connections
        self.fail(box.port, proxy)
        self.assertEqual(proxy.stop(), 0)
        self.assertEqual(box.connections, before + 1)

    def test_the_proxys_own_offer(self):
        """A server that takes DHE alone, which the client offers and the proxy's library lacks."""
        server = self.s_server(harness.leaf(HOST, key="rsa"), "-tls1_2", "-cipher",
                               "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
        proxy = self.proxy(experiments="on-failure")
        self.fail(server.port, proxy)
        verdict = self.experimented(proxy)["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"], verdict["confidence"]),
                         ("proxy", "proxy-tls-limitation", "certain"))

    def test_the_proxy_is_cleared(self):
        """A server that has nothing in common with the client either."""
        box = Box(self, self.server.port, lambda _: alert(40))
        proxy = self.proxy(experiments="on-failure")
        self.fail(box.port, proxy)
        verdict = self.experimented(proxy)["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"]), ("undetermined", "cipher-mismatch"))
        self.assertIn("proxy-tls-limitation", [r["cause"] for r in verdict["ruled_out"]])

    def test_a_passing_failure(self):
        turns = []

        def dislikes(_):
            turns.append(0)
            return "reset" if len(turns) == 1 else None

        box = Box(self, self.server.port, dislikes)
        proxy = self.proxy(experiments="on-failure")
        self.fail(box.port, proxy)
        verdict = self.experimented(proxy)["verdict"]
        self.assertEqual((verdict["party"], verdict["cause"]),
                         ("undetermined", "server-pool-inconsistent"))

    def test_never_and_excluded(self):
        box = Box(self, self.server.port, lambda _: "reset")
        for more in ({"experiments": "never"},
                     {"experiments": "on-failure", "policy":
                      {"rules": [{"hosts": ["*.localhost"], "experiments": False}]}}):
            with self.subTest(more["experiments"]):
                before = box.connections
                proxy = self.proxy(**more)
                self.fail(box.port, proxy)
                proxy.record()
                self.assertEqual(proxy.stop(), 0)
                self.assertEqual(box.connections, before + 1)
                self.assertNotIn("experiments", proxy.record())

    def test_what_is_healthy_is_left_alone(self):
        box = Box(self, self.server.port, lambda _: None)
        proxy = self.proxy(experiments="on-failure")
        self.curl(f"https://{HOST}:{box.port}/", proxy)
        proxy.record()
        self.assertEqual(proxy.stop(), 0)
        self.assertEqual(box.connections, 1)
        proxy = self.proxy(experiments="always")
        self.curl(f"https://{HOST}:{box.port}/", proxy)
        self.assertEqual(self.experimented(proxy)["verdict"]["cause"], "healthy")

    def test_the_end_is_prompt(self):
        box = Box(self, self.server.port, lambda h: "reset" if box.connections == 1 else "drop")
        proxy = self.proxy(experiments="on-failure")
        self.fail(box.port, proxy)
        harness.until(lambda: box.connections > 1, "the first experiment")
        self.assertEqual(proxy.stop(), 0)
        record = proxy.record()
        self.assertEqual({e["result"] for e in record["experiments"]} - {"silent"}, {"unfinished"})

    def test_a_command_waits_for_them(self):
        box = Box(self, self.server.port, lambda h: "reset" if h.name == HOST else None)
        log = f"{self.dir}/command.ndjson"
        done = harness.run(
            harness.PROGRAM, "run", "--ca-dir", f"{self.dir}/ca", "--log", log, "--trust",
            harness.root().file, "--control", f"{CONTROL}:{box.port}", "--",
            "curl", "-sS", f"https://{HOST}:{box.port}/",
            check=False, env={**os.environ, "NO_PROXY": "", "no_proxy": ""})
        self.assertIn(b"box-behind: sni-filter-rst", done.stderr)


if __name__ == "__main__":
    unittest.main()
