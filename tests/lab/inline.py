"""A network in which the proxy stands between a client and, behind a router, a box, another router
and a server: each in a namespace of its own. What the box and the server do can be changed."""

import contextlib
import ctypes
import os
import socket
import sys
import threading

from tests.lab import harness
from tests.lab.hops import PORT, SERVER, Path
from tests.lab.planted import Box

CLIENT, PROXY, ROUTER, BOX, BEHIND, END = range(6)
CLONE_NEWNET, SO_ORIGINAL_DST = 0x40000000, 80
HIDDEN_PORT = 8443  # where the server is when something stands in front of it

libc = ctypes.CDLL(None, use_errno=True)


def enter(pid):
    """Takes this thread, and no other, to the network of a process."""
    with open(f"/proc/{pid}/ns/net", "rb") as f:
        if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def inside(pid, do):
    """What `do()` returns in the network of a process: sockets stay there."""
    results = []

    def run():
        enter(pid)
        results.append(do())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(harness.TIMEOUT)
    return results[0]


class InlineBox(Box):
    """A box in the network of the process `pid`, to which connections are redirected; it passes
    them on to where they were going, or to `target`, (address, port)."""

    def __init__(self, pid, dislikes, hasty=False, target=None):
        self.pid, self.target, self.dislikes, self.hasty = pid, target, dislikes, hasty
        self.connections, self._lock = 0, threading.Lock()
        self.service = inside(pid, lambda: harness.Service(self._handle, host="0.0.0.0"))
        self.port = self.service.port

    def _connect(self, client):
        enter(self.pid)
        target = self.target
        if target is None:
            raw = client.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
            target = socket.inet_ntoa(raw[4:8]), int.from_bytes(raw[2:4], "big")
        return socket.create_connection(target)


class Inline(Path):
    """The network, with a control host beside the server. Names are known to the proxy. Addresses
    are those for benchmarks (RFC 2544), as no box is told by a CA that only private hosts show."""

    ipv4 = "198.18"

    def __init__(self, lab, names, control):
        super().__init__(lab, END - 1)
        self.control = self.address(self.routers, 3)
        self.inside(END, f"ip address add {self.control}/24 dev left")
        self.hosts = lab.file(f"hosts{id(self)}", "".join(
            f"{address} {name}\n" for address, name in
            [(self.server, name) for name in names] + [(self.control, control)]))

    def start(self, certificate, control_certificate):
        """The server and the control host."""
        self.serve(certificate)
        for address, port, of in ((self.server, HIDDEN_PORT, certificate),
                                  (self.control, PORT, control_certificate)):
            self.lab.program(*self.command(END), sys.executable, "-c", SERVER, of.chain, of.key,
                             address, str(port), wait_for="ready")

    def proxy(self, *args, **more):
        command = [*self.command(PROXY), "unshare", "--mount", "sh", "-c",
                   'mount --bind "$0" /etc/hosts; exec "$@"', self.hosts]
        return self.lab.proxy(*args, command=command, listen=f"{self.address(0, 2)}:0", **more)

    @contextlib.contextmanager
    def redirected(self, node, port, address=None):
        """Connections that come to a node from the left, to `address` or any, go to that port."""
        of = f"ip daddr {address} " if address else ""
        with self.ruled(node, "nat hook prerouting priority -100",
                        f"iifname left {of}tcp dport {PORT} redirect to :{port}"):
            yield

    @contextlib.contextmanager
    def ruled(self, node, chain, *rules):
        """nft rules of a node."""
        lines = ["add table ip box", f"add chain ip box way {{ type {chain}; }}"]
        lines += [f"add rule ip box way {rule}" for rule in rules]
        harness.run(*self.command(node), "nft", "-f", "-", input="\n".join(lines).encode())
        try:
            yield
        finally:
            self.inside(node, "nft delete table ip box")

    @contextlib.contextmanager
    def tabled(self, node, *rules):
        """iptables rules of a node."""
        self.inside(node, "\n".join(f"iptables --wait --append {rule}" for rule in rules))
        try:
            yield
        finally:
            self.inside(node, "iptables --wait --flush")

    @contextlib.contextmanager
    def box(self, dislikes, hasty=False):
        """A box on the way to everybody."""
        box = InlineBox(self.nodes[BOX].pid, dislikes, hasty)
        with contextlib.closing(_Stopped(box)), self.redirected(BOX, box.port):
            yield box

    @contextlib.contextmanager
    def front(self, dislikes, hasty=False):
        """The server itself dislikes something, the control host does not."""
        box = InlineBox(self.nodes[END].pid, dislikes, hasty, (self.server, HIDDEN_PORT))
        with contextlib.closing(_Stopped(box)), self.redirected(END, box.port, self.server):
            yield box

    def send(self, proxy, target, data):
        """The client asks the proxy for a target, sends that, and waits for what becomes of it."""
        with inside(self.nodes[CLIENT].pid, proxy.connect) as s, contextlib.suppress(OSError):
            s.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            if b" 200 " in harness.read_head(s):
                s.sendall(data)
                s.recv(100)


class _Stopped:
    def __init__(self, box):
        self.box = box

    def close(self):
        self.box.service.stop()
