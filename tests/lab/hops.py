"""Networks with routers: client, 1 to 8 routers in a row, a server. Each in a namespace of its own."""

import ipaddress
import os
import signal
import sys

from tests.lab import harness

PORT = 443

SERVER = """
import socket, ssl, sys, threading
def serve(connection):
    try:
        context.wrap_socket(connection, server_side=True).recv(1)
    except OSError:
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:3])
listener = socket.create_server((sys.argv[3], int(sys.argv[4])),
                                family=socket.AF_INET6 if ":" in sys.argv[3] else socket.AF_INET)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

# Passes connections on, from the router that is to have them, as it would any others.
RELAY = """
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
def serve(client):
    server = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


class Path:
    """Node 0 is the client, 1 to `routers` are routers, the last one is the server. Between node i
    and the next is network 10.77.i.0/24 (fd77:0:0:i::/64): i has .1 (::1), the next one .2 (::2)."""

    ipv4 = "10.77"

    def __init__(self, lab, routers, ipv6=False):
        self.lab, self.routers, self.ipv6 = lab, routers, ipv6
        self.nodes = []
        for _ in range(routers + 2):
            node = harness.Program(
                ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"],
                f"{lab.dir}/node{len(self.nodes)}", wait_for="ready")
            lab.addCleanup(node.stop, signal.SIGKILL)
            self.nodes.append(node)
        self._configure()

    def address(self, network, side):
        text = f"fd77:0:0:{network}::{side}" if self.ipv6 else f"{self.ipv4}.{network}.{side}"
        return str(ipaddress.ip_address(text))

    def router(self, i):
        """The address with which router `i` speaks to the client."""
        return self.address(i - 1, 2)

    @property
    def server(self):
        return self.address(self.routers, 2)

    def command(self, node):
        return ["nsenter", "--net", f"--wd={os.getcwd()}", "--target", str(self.nodes[node].pid),
                "--"]

    def inside(self, node, script):
        harness.run(*self.command(node), "sh", "-ec", script)

    def _configure(self):
        last, size = self.routers + 1, 64 if self.ipv6 else 24
        ip = "ip -6" if self.ipv6 else "ip"
        for i in range(last + 1):
            # Addresses serve at once, without a look for duplicates.
            self.inside(i, "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad\n"
                           "echo 0 > /proc/sys/net/ipv6/conf/default/dad_transmits")
        for i in range(last):
            self.inside(i, f"ip link add right type veth peer name left netns "
                           f"{self.nodes[i + 1].pid}")
        for i in range(last + 1):
            lines = ["ip link set lo up", "echo 1 > /proc/sys/net/ipv4/ip_forward",
                     "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"]
            nodad = " nodad" if self.ipv6 else ""
            if i > 0:
                lines += [f"{ip} address add {self.address(i - 1, 2)}/{size} dev left{nodad}",
                          "ip link set left up"]
            if i < last:
                lines += [f"{ip} address add {self.address(i, 1)}/{size} dev right{nodad}",
                          "ip link set right up"]
            whole = "fd77::/32" if self.ipv6 else f"{self.ipv4}.0.0/16"
            if i > 0:
                for network in range(i - 1):
                    lines.append(f"{ip} route add {self.address(network, 0)}/{size} "
                                 f"via {self.address(i - 1, 1)}")
            if i < last:
                lines.append(f"{ip} route add {whole} via {self.address(i, 2)}")
            self.inside(i, "\n".join(lines))

    def serve(self, certificate):
        self.lab.program(*self.command(self.routers + 1), sys.executable, "-c", SERVER,
                         certificate.chain, certificate.key, self.server, str(PORT),
                         wait_for="ready")
        # Links need a moment until they carry something.
        connect = f"import socket; socket.create_connection(('{self.server}', {PORT}), 1)"
        harness.until(lambda: harness.run(*self.command(0), sys.executable, "-c", connect,
                                          check=False).returncode == 0, "the path to be there")

    def filter(self, router, rule, hook="prerouting"):
        """What the router does, before it looks at the TTL or (forward) after."""
        family = "ip6" if self.ipv6 else "ip"
        self.inside(router, f"nft add table {family} box\n"
                            f"nft add chain {family} box way '{{ type filter hook {hook} "
                            f"priority 0; }}'\nnft add rule {family} box way {rule}")

    def relay(self, router):
        """A transparent relay, to which the router leads connections to the server."""
        self.lab.program(*self.command(router), sys.executable, "-c", RELAY, "8443", self.server,
                         str(PORT), wait_for="ready")
        self.inside(router, "nft add table ip relay\n"
                            "nft add chain ip relay way '{ type nat hook prerouting priority "
                            f"-100; }}'\nnft add rule ip relay way iifname left tcp dport {PORT} "
                            "redirect to :8443")
