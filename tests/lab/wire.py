"""Captures made of what was said on sockets."""

import socket
import struct

ETHERNET_IPV4 = b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00"
PIECE = 1400


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(source, target, seq, ack, flags, data=b""):
    """An Ethernet frame with a TCP segment."""
    (host, port), (to_host, to_port) = source, target
    ends = socket.inet_aton(host) + socket.inet_aton(to_host)
    tcp = struct.pack("!HHIIBBHHH", port, to_port, seq, ack, 0x50, flags, 65535, 0, 0)
    pseudo = ends + struct.pack("!BBH", 0, 6, len(tcp) + len(data))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + data)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp) + len(data), 0, 0, 64, 6, 0) + ends
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return ETHERNET_IPV4 + ip + tcp + data


def connection(client, server, turns, start):
    """Yields (time, frame) of a connection: `turns` is (from the client?, bytes), a millisecond
    apart."""
    seq = {True: 1000, False: 5000}
    ends = {True: (client, server), False: (server, client)}

    def segment(from_client, flags, data=b""):
        nonlocal start
        start += 0.001
        made = frame(*ends[from_client], seq[from_client], seq[not from_client], flags, data)
        seq[from_client] += len(data) + (flags & 3 != 0)
        return start, made

    yield segment(True, 0x02)
    yield segment(False, 0x12)
    yield segment(True, 0x10)
    for from_client, data in turns:
        for i in range(0, len(data), PIECE):
            yield segment(from_client, 0x18, data[i:i + PIECE])
    yield segment(True, 0x11)
    yield segment(False, 0x11)


def write_pcap(path, frames):
    """Writes frames in order of time."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for when, data in sorted(frames):
            f.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(data), len(data)))
            f.write(data)
