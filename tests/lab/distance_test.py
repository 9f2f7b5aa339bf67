"""How far away whoever reacts is: round trips that are real, in namespaces with nothing but delay
between them."""

import collections
import json
import sys
import unittest

from tests.lab import harness
from tests.lab.far import Far
from tests.lab.hops import PORT
from tests.lab.planted import Hello

HOST, CONTROL = "blocked.test", "control.test"
NEAR, REST = 0.0, 0.06  # of a one-way delay, in seconds

# A server that does something else to hellos, or to those with a name: "reset" or "silent". However
# they are cut, it has read them before.
CHOOSY = """
import socket, ssl, struct, sys, threading, time
from tests.lab.planted import Hello
deed, name = sys.argv[5:]
def serve(connection):
    try:
        hello = Hello(b"", 0)
        while not hello.whole:
            time.sleep(0.005)
            hello = Hello(connection.recv(65536, socket.MSG_PEEK), 1)
        if name not in ("", hello.name):
            context.wrap_socket(connection, server_side=True).recv(1)
        elif deed == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        else:
            while connection.recv(65536):
                pass
    except OSError:
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:3])
listener = socket.create_server((sys.argv[3], int(sys.argv[4])))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


class Distance(harness.Lab):
    def far(self, *delays, deed="", name=HOST):
        """The path; the server does `deed` to hellos by that name, "": to all."""
        far = Far(self, delays)
        leaf = harness.leaf(HOST)
        if deed:
            self.program(*far.command(far.right), sys.executable, "-c", CHOOSY, leaf.chain,
                         leaf.key, far.server, str(PORT), deed, name, wait_for="ready")
        else:
            far.serve(leaf)
        far.serve(harness.leaf(CONTROL), far.control)
        return far

    @staticmethod
    def at(far, hop, act, name=HOST):
        """What a box at the hop does to the packet with which a hello by that name is whole, "":
        any hello."""
        flows = collections.defaultdict(dict)

        def box(packet):
            if not packet.payload or not packet.to_server():
                return None
            parts = flows[packet.sport]
            parts[packet.seq] = packet.payload
            hello = Hello(b"".join(parts[seq] for seq in sorted(parts)), 1)
            return act(packet) if hello.whole and name in ("", hello.name) else None

        far.boxes[hop] = box

    def check_reset_took(self, record, least, most):
        """How long the resets of the hello took, in milliseconds."""
        took = [e["leg"]["timing_ms"]["end"] - e["leg"]["timing_ms"]["hello"]
                for e in record["experiments"] if e["probe"] == "base"]
        print(f"resets after {', '.join(f'{ms:.1f}' for ms in took)} ms, of a round trip of "
              f"{record['experiments'][0]['leg']['transport'].get('min_rtt_us', 0) / 1e3:.1f} ms")
        self.assertGreaterEqual(min(took), least)
        self.assertLess(max(took), most)

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

    def test_a_near_box_resets_a_name(self):
        far = self.far(NEAR, REST, 0)
        self.at(far, 1, lambda packet: [packet, packet.reset_back()])
        record = self.probe(far)
        self.check_reset_took(record, 0, far.rtt * 1e3 / 2)
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-rst"))

    def test_a_near_box_resets_every_hello(self):
        """Nothing is ever answered: the handshakes of TCP tell the round trip."""
        far = self.far(NEAR, REST, 0)
        self.at(far, 1, lambda packet: [packet.reset_back(), packet.reset_on()], name="")
        record = self.probe(far)
        self.check_reset_took(record, 0, far.rtt * 1e3 / 2)
        self.assertEqual(self.verdict(record), ("box-behind", "rst-injection"))

    def test_the_server_resets_a_name(self):
        far = self.far(NEAR, REST, 0, deed="reset")
        record = self.probe(far)
        self.check_reset_took(record, far.rtt * 1e3, 10000)
        self.assertEqual(self.verdict(record), ("undetermined", "sni-filter-rst"))
        record = self.probe(far, "--control", CONTROL)
        self.assertEqual(self.verdict(record), ("server", "sni-unrecognized"))

    def test_the_server_resets_every_hello(self):
        far = self.far(NEAR, REST, 0, deed="reset", name="")
        record = self.probe(far)
        self.check_reset_took(record, far.rtt * 1e3, 10000)
        self.assertEqual(record["verdict"]["party"], "undetermined")

    def test_a_box_near_the_server_resets(self):
        """As far away as the server, it is not told from it by time."""
        far = self.far(NEAR, REST, 0)
        self.at(far, 2, lambda packet: [packet, packet.reset_back()])
        record = self.probe(far)
        self.check_reset_took(record, far.rtt * 1e3, 10000)
        self.assertEqual(self.verdict(record), ("undetermined", "sni-filter-rst"))

    def test_a_near_box_drops_a_name(self):
        far = self.far(NEAR, REST, 0)
        self.at(far, 1, lambda packet: [])
        record = self.probe(far)
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-drop"))

    def test_the_server_is_silent(self):
        """What arrives is acknowledged, and more than that nobody can tell from here."""
        far = self.far(NEAR, REST, 0, deed="silent")
        record = self.probe(far)
        self.assertEqual(self.verdict(record), ("undetermined", "sni-filter-drop"))
        record = self.probe(far, "--control", CONTROL)
        self.assertEqual(self.verdict(record), ("server", "sni-unrecognized"))

    def test_the_hop(self):
        """A box on the link behind a hop, on a path with distance between the hops."""
        far = self.far(NEAR, 0.02, 0.02, 0.02)
        self.at(far, 2, lambda packet: [packet, packet.reset_back()])
        record = self.probe(far, "--locate")
        box = record["path"]["box"]
        self.assertEqual((box["hop"], box["after"], box["after_address"], box["does"],
                          box["by_name"]), (3, 2, far.hops[2], "reset", True))
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-rst"))

    def test_by_the_proxy(self):
        """A client's connection, in its own namespace with the proxy: the record holds it all."""
        far = self.far(NEAR, REST, 0)
        self.at(far, 1, lambda packet: [packet, packet.reset_back()])
        proxy = self.proxy(experiments="on-failure", command=far.named({HOST: far.server}))
        done = harness.run(*far.command(far.left), "curl", "-q", "-sS", "-x", proxy.url, "--cacert",
                           proxy.ca, f"https://{HOST}/", check=False)
        self.assertNotEqual(done.returncode, 0)

        def found():
            records = proxy.written()
            return records and records[-1].get("experiments") and records[-1]

        record = harness.until(found, "a record with experiments", 60)
        self.check_reset_took(record, 0, far.rtt * 1e3 / 2)
        self.assertEqual(self.verdict(record), ("box-behind", "sni-filter-rst"))


if __name__ == "__main__":
    unittest.main()
