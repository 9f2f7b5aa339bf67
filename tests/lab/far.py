"""A path with distance: a client's and a server's namespace, and between them links and hops that
exist in this process alone. It needs no more of the kernel than TUN devices.

    far = Far(self, [0, 0.05])        # one hop, near the client; the server is 50 ms behind it
    far.serve(harness.leaf(HOST))
    far.links[1].lose = lambda packet: packet.payload and random.random() < 0.3
    far.links[1].late = lambda packet: 0.1 if packet.flags & FIN else 0   # seconds more
    far.boxes[1] = lambda packet: [packet, packet.reset_back()] if b"name" in packet.payload else None

Hops are counted from 1; link i is the one behind hop i, link 0 the client's. What a box returns
goes on in the place of the packet, each by its own destination: [] is a drop, None the packet
itself. Boxes see packets of both directions, with the TTL that the hop left them.
"""

import dataclasses
import fcntl
import heapq
import ipaddress
import itertools
import os
import select
import signal
import struct
import sys
import threading
import time
import typing

from tests.lab import harness
from tests.lab.hops import PORT, SERVER
from tests.lab.inline import inside

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ICMP, TCP, TIME_EXCEEDED = 1, 6, 11
TTL = 64  # of what hops and boxes send themselves
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
# Addresses for benchmarks (RFC 2544): a CA that only private hosts show names no box.
CLIENT, SERVERS = "198.18.0.1", ("198.19.0.1", "198.19.0.2")


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_header(src, dst, protocol, length, ttl):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0x4000, ttl, protocol, 0, src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:]


class Packet:
    """An IPv4 packet; of other protocols than TCP `payload` is empty and `flags` are 0."""

    def __init__(self, raw):
        self.raw = bytes(raw)
        self.ttl, self.protocol = raw[8], raw[9]
        self.src, self.dst = bytes(raw[12:16]), bytes(raw[16:20])
        self.sport = self.dport = self.seq = self.ack = self.flags = 0
        self.payload = b""
        at = (raw[0] & 15) * 4
        if self.protocol == TCP:
            (self.sport, self.dport, self.seq, self.ack, offset,
             self.flags) = struct.unpack(">HHIIBB", raw[at:at + 14])
            self.payload = self.raw[at + (offset >> 4) * 4:]

    def to_server(self):
        return self.dst in [ipaddress.ip_address(a).packed for a in SERVERS]

    def passed_on(self):
        """It behind a hop, with a TTL of one less."""
        head = bytearray(self.raw[:(self.raw[0] & 15) * 4])
        head[8] -= 1
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack(">H", checksum(head))
        return Packet(bytes(head) + self.raw[len(head):])

    def time_exceeded(self, hop):
        """What a hop says of it (RFC 792) when its TTL has run out."""
        quoted = struct.pack(">BBHI", TIME_EXCEEDED, 0, 0, 0) + self.raw[:60]
        quoted = quoted[:2] + struct.pack(">H", checksum(quoted)) + quoted[4:]
        return Packet(ip_header(hop, self.src, ICMP, len(quoted), TTL) + quoted)

    def _tcp(self, src, dst, ports, seq, ack, flags, payload=b""):
        head = struct.pack(">HHIIBBHHH", *ports, seq & 0xffffffff, ack & 0xffffffff, 5 << 4, flags,
                           65535 if payload else 0, 0, 0) + payload
        pseudo = src + dst + struct.pack(">BBH", 0, TCP, len(head))
        head = head[:16] + struct.pack(">H", checksum(pseudo + head)) + head[18:]
        return Packet(ip_header(src, dst, TCP, len(head), TTL) + head)

    def reset_back(self):
        """A forged reset to its sender, as if from whom it is for."""
        return self._tcp(self.dst, self.src, (self.dport, self.sport), self.ack,
                         self.seq + len(self.payload), RST | ACK)

    def reset_on(self):
        """A forged reset to whom it is for, as if from its sender."""
        return self._tcp(self.src, self.dst, (self.sport, self.dport), self.seq, self.ack, RST | ACK)

    def answer_back(self, payload, flags=PSH | ACK):
        """Forged bytes to its sender."""
        return self._tcp(self.dst, self.src, (self.dport, self.sport), self.ack,
                         self.seq + len(self.payload), flags, payload)


@dataclasses.dataclass
class Link:
    """`delay` is in seconds, one way. The others are asked about each packet."""

    delay: float
    lose: typing.Callable[[Packet], bool] = lambda packet: False
    late: typing.Callable[[Packet], float] = lambda packet: 0


def open_tun():
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"far", IFF_TUN | IFF_NO_PI))
    return fd


class Far:
    """The path. `left` and `right` are processes that hold the namespaces."""

    server, control = SERVERS

    def __init__(self, lab, delays):
        self.lab = lab
        self.links = [Link(delay) for delay in delays]
        self.boxes = {}
        self.hops = [None] + [f"198.18.{i}.1" for i in range(1, len(delays))]
        if not os.access("/dev/net/tun", os.W_OK):
            lab.skipTest("there is no /dev/net/tun")
        self.left, self.right = self._node("left"), self._node("right")
        self.tuns = [inside(node.pid, open_tun) for node in (self.left, self.right)]
        for node, addresses in ((self.left, [CLIENT]), (self.right, SERVERS)):
            harness.run(*self.command(node), "sh", "-ec", "\n".join(
                ["ip link set lo up", "ip link set far up"] +
                [f"ip address add {address}/32 dev far" for address in addresses] +
                ["ip route add 198.18.0.0/15 dev far"]))
        self._waiting, self._count = [], itertools.count()
        self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        lab.addCleanup(self._end)

    def _node(self, name):
        node = harness.Program(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"],
                               f"{self.lab.dir}/{name}", wait_for="ready")
        self.lab.addCleanup(node.stop, signal.SIGKILL)
        return node

    def _end(self):
        os.close(self._stop[1])
        self._thread.join()
        for fd in (self._stop[0], *self.tuns):
            os.close(fd)

    # ---- who uses it

    @property
    def rtt(self):
        return 2 * sum(link.delay for link in self.links)

    def command(self, node):
        return ["nsenter", "--net", f"--wd={os.getcwd()}", "--target", str(node.pid), "--"]

    def serve(self, certificate, address=None, port=PORT):
        """A TLS server at the other end."""
        return self.lab.program(*self.command(self.right), sys.executable, "-c", SERVER,
                                certificate.chain, certificate.key, address or self.server,
                                str(port), wait_for="ready")

    def named(self, names):
        """The command before one that is to run at the client's end and know these names."""
        hosts = self.lab.file(f"hosts{next(self._count)}", "127.0.0.1 localhost\n" + "".join(
            f"{address} {name}\n" for name, address in names.items()))
        return [*self.command(self.left), "unshare", "--mount", "sh", "-c",
                'mount --bind "$0" /etc/hosts; exec "$@"', hosts]

    # ---- the way of a packet

    def _put(self, packet, place):
        """On its way from a hop: 0 is the client's end, the last one the server's."""
        on = packet.to_server()
        link = self.links[place if on else place - 1]
        if not link.lose(packet):
            due = time.monotonic() + link.delay + link.late(packet)
            item = (due, next(self._count), place + (1 if on else -1), packet)
            heapq.heappush(self._waiting, item)

    def _arrive(self, place, packet):
        if place in (0, len(self.links)):
            os.write(self.tuns[place != 0], packet.raw)
            return
        if packet.ttl <= 1:
            hop = ipaddress.ip_address(self.hops[place]).packed
            self._put(packet.time_exceeded(hop), place)
            return
        packet = packet.passed_on()
        act = self.boxes.get(place)
        instead = act(packet) if act else None
        for each in [packet] if instead is None else instead:
            self._put(each, place)

    def _read(self, end):
        while True:
            try:
                raw = os.read(self.tuns[end], 65536)
            except BlockingIOError:
                return
            if raw[0] >> 4 == 4:
                self._put(Packet(raw), len(self.links) if end else 0)

    def _run(self):
        while True:
            left = self._waiting[0][0] - time.monotonic() if self._waiting else None
            ready, _, _ = select.select([*self.tuns, self._stop[0]], [], [],
                                        left if left is None else max(0, left))
            if self._stop[0] in ready:
                return
            for end in (0, 1):
                if self.tuns[end] in ready:
                    self._read(end)
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, place, packet = heapq.heappop(self._waiting)
                self._arrive(place, packet)
