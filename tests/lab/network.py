"""A network of a test's own, with a DNS server that knows a handful of names."""

import os
import signal
import socket
import struct
import sys

from tests.lab import harness

SETUP = """
set -e
ip link set lo up
ip route add 198.51.100.0/24 dev lo
ip route add unreachable 203.0.113.0/24
nft add table ip lab
nft add chain ip lab out '{ type filter hook output priority 0; }'
nft add rule ip lab out ip daddr 198.51.100.2 drop
nft add rule ip lab out ip daddr 198.51.100.3 meta l4proto tcp reject with tcp reset
printf 'nameserver 127.0.0.1\\noptions timeout:1 attempts:1\\n' > "$1"
mount --bind "$1" /etc/resolv.conf
exec "$2" -m tests.lab.network
"""

# What the DNS server answers: addresses, or a response code (RFC 1035 section 4.1.1).
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
NAMES = {
    "dropped.test": ["198.51.100.2"],
    "reset.test": ["198.51.100.3"],
    "no-route.test": ["192.0.2.1"],
    "unreachable.test": ["203.0.113.1"],
    "here.test": ["127.0.0.1"],
    "empty.test": [],
    "broken.test": SERVFAIL,
    "refused.test": REFUSED,
    "silent.test": None,
}


class Network:
    """Processes run in it with `command` before their own; it ends with the test."""

    def __init__(self, lab):
        # The first process owns the namespaces and is the DNS server.
        self.first = harness.Program(
            ["unshare", "--net", "--mount", "sh", "-c", SETUP, "sh", f"{lab.dir}/resolv.conf",
             sys.executable],
            f"{lab.dir}/network", wait_for="ready",
        )
        lab.addCleanup(self.first.stop, signal.SIGKILL)
        self.command = ["nsenter", "--net", "--mount", "--root", f"--wd={os.getcwd()}",
                        "--target", str(self.first.pid), "--"]


def answer(query):
    """The response to a DNS query of one question, None for silence."""
    labels, at = [], 12
    while query[at] != 0:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    kind, = struct.unpack(">H", query[at + 1:at + 3])
    known = NAMES.get(".".join(labels), NXDOMAIN)
    if known is None:
        return None
    code = known if isinstance(known, int) else 0
    addresses = known if code == 0 and kind == 1 else []
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(addresses), 0, 0)
    return head + query[12:at + 5] + b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
        for address in addresses
    )


def serve():
    """Answers for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 53))
        print("ready", flush=True)
        while True:
            query, peer = s.recvfrom(512)
            response = answer(query)
            if response is not None:
                s.sendto(response, peer)


if __name__ == "__main__":
    serve()
