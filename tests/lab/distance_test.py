"""How far away whoever reacts is: round trips that are real, in namespaces with nothing but delay
between them."""

import json
import unittest

from tests.lab import harness
from tests.lab.far import Far
from tests.lab.hops import PORT

HOST, CONTROL = "blocked.localhost", "control.localhost"
NEAR, REST = 0.0, 0.06  # of a one-way delay, in seconds


class Distance(harness.Lab):
    def far(self, *delays):
        far = Far(self, delays)
        far.serve(harness.leaf(HOST))
        far.serve(harness.leaf(CONTROL), far.control)
        return far

    def probe(self, far, *args):
        if "--control" in args:
            args += "--address", f"{CONTROL}={far.control}"
        done = harness.run(
            *far.command(far.left), harness.PROGRAM, "probe", "--json", "--timeout", "2",
            "--log", f"{self.dir}/probe.ndjson", "--trust", harness.root().file,
            "--address", f"{HOST}={far.server}", *args, f"{HOST}:{PORT}", check=False, timeout=120)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def verdict(self, record):
        return record["verdict"]["party"], record["verdict"]["cause"]

    def test_a_clean_slow_path(self):
        far = self.far(NEAR, REST, 0)
        record = self.probe(far, "--control", CONTROL, "--locate")
        self.assertEqual(self.verdict(record), ("none", "healthy"))
        self.assertNotIn("box", record["path"])
        self.assertEqual([hop.get("address") for hop in record["path"]["hops"]][:2], far.hops[1:])
        self.assertEqual(record["path"]["server_hop"], 3)
        rtt = record["legs"]["server"]["transport"]["min_rtt_us"]
        self.assertGreaterEqual(rtt, far.rtt * 1e6)

    def test_loss_and_reordering(self):
        """The path itself: what it does to packets is seen, and TCP gets over it."""
        far, lost, arrived = self.far(NEAR, REST, 0), [], []

        def lose(packet):
            if packet.payload and packet.to_server() and not lost:
                lost.append(packet)
            return lost == [packet]

        far.links[1].lose = lose
        record = self.probe(far, "--factor", "base", "--repeat", "1")
        self.assertEqual(self.verdict(record), ("none", "healthy"))
        self.assertGreaterEqual(record["experiments"][0]["leg"]["transport"]["retransmits"], 1)

        def see(packet):
            if packet.payload and packet.to_server():
                arrived.append(packet.seq)

        # Of a hello in two segments the first overtakes nobody.
        far.links[1].late = lambda packet: 0.02 if packet.payload[:1] == b"\x16" else 0
        far.boxes[2] = see
        record = self.probe(far, "--factor", "base", "--repeat", "1", "--hello", "chromium")
        self.assertEqual(self.verdict(record), ("none", "healthy"))
        self.assertGreater(arrived[0], arrived[1])


if __name__ == "__main__":
    unittest.main()
