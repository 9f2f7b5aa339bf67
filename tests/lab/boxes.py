"""Clients and servers for emulated boxes: hellos that libraries do not send, and what came back."""

import collections
import contextlib
import os
import socket
import ssl
import time

from tests.lab import harness
from tests.lab.clients import hello_bytes

HOST = "a.localhost"

# How a raw hello fared: the first record's type and body, or "eof", "reset", "silence".
Outcome = collections.namedtuple("Outcome", "what data")

GREASE_EXTENSION, SUPPORTED_GROUPS, ECH, X25519MLKEM768 = 0x1a1a, 10, 0xfe0d, 0x11ec


def u16(data, at):
    return int.from_bytes(data[at:at + 2], "big")


def extensions_at(record):
    """Where the extensions of a ClientHello in one record begin: at their length."""
    at = 5 + 4 + 2 + 32
    at += 1 + record[at]
    at += 2 + u16(record, at)
    return at + 1 + record[at]


def with_extensions(record, extensions):
    at = extensions_at(record)
    body = b"".join(t.to_bytes(2, "big") + len(d).to_bytes(2, "big") + d for t, d in extensions)
    hello = record[9:at] + len(body).to_bytes(2, "big") + body
    message = b"\x01" + len(hello).to_bytes(3, "big") + hello
    return record[:3] + len(message).to_bytes(2, "big") + message


def extensions_of(record):
    at, found = extensions_at(record) + 2, []
    while at < len(record):
        size = u16(record, at + 2)
        found.append((u16(record, at), record[at + 4:at + 4 + size]))
        at += 4 + size
    return found


def with_extension(record, code, data=b""):
    """The hello with one extension more, in front."""
    return with_extensions(record, [(code, data), *extensions_of(record)])


def with_group(record, group):
    """The hello with one group more, without a share of it."""
    changed = []
    for code, data in extensions_of(record):
        if code == SUPPORTED_GROUPS:
            groups = data[2:] + group.to_bytes(2, "big")
            data = len(groups).to_bytes(2, "big") + groups
        changed.append((code, data))
    return with_extensions(record, changed)


def without_sni(record):
    return with_extensions(record, [e for e in extensions_of(record) if e[0] != 0])


def in_two_records(record):
    half = len(record) // 2
    return b"".join(record[:3] + len(part).to_bytes(2, "big") + part
                    for part in (record[5:half], record[half:]))


def hello(name=HOST):
    return hello_bytes(name)


def say(proxy, target, *pieces, timeout=harness.TIMEOUT):
    """Sends a hello in pieces and tells what came first."""
    with proxy.connect(target, timeout) as s:
        try:
            harness.send_apart(s, pieces)
            head = s.recv(5, socket.MSG_WAITALL)
            if head[:4] == b"HTTP":
                return Outcome("http", head + s.recv(65536))
            if len(head) < 5:
                return Outcome("eof", head)
            return Outcome(head[0], s.recv(u16(head, 3), socket.MSG_WAITALL))
        except ConnectionResetError:
            return Outcome("reset", b"")
        except TimeoutError:
            return Outcome("silence", b"")


def alert(code):
    return Outcome(21, bytes([2, code]))


Handshake = collections.namedtuple("Handshake", "error version cipher alpn leaf body")


def handshake(proxy, target, ca, name=HOST, timeout=harness.TIMEOUT, **more):
    """What Python's ssl makes of the proxy: an error's text, or what was agreed and the page."""
    context = proxy.client_context(**more)
    context.load_verify_locations(ca)
    try:
        with proxy.connect(target, timeout) as raw, \
                context.wrap_socket(raw, server_hostname=name) as s:
            body = b""
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(OSError):
                body = harness.read_all(s)
            return Handshake(None, s.version(), s.cipher()[0], s.selected_alpn_protocol(),
                             s.getpeercert(True), body)
    except OSError as error:
        return Handshake(str(error) or type(error).__name__, None, None, None, None, b"")


def certificates(proxy, target, name=HOST):
    """The chain that the box shows, as openssl prints each of its certificates."""
    done = harness.run(
        *["openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-connect", target],
        *["-servername", name, "-showcerts", "-cipher", "DEFAULT@SECLEVEL=0"],
        check=False, timeout=20,
    )
    texts = []
    for part in done.stdout.split(b"-----BEGIN CERTIFICATE-----")[1:]:
        pem = b"-----BEGIN CERTIFICATE-----" + part.split(b"-----END")[0]
        texts.append(harness.run(
            "openssl", "x509", "-noout", "-text", "-nameopt", "sep_comma_plus",
            input=pem + b"-----END CERTIFICATE-----\n").stdout.decode())
    return texts


def box_ca(proxy, profile):
    """The root that the clients of a box trust: its own, or the installation's."""
    own = f"{proxy.ca_dir}/profiles/{profile}/ca.pem"
    return own if os.path.exists(own) else proxy.ca


def seconds(function):
    """What a function returns, and how long it took."""
    began = time.monotonic()
    return function(), time.monotonic() - began


ANY_TLS = (ssl.TLSVersion.MINIMUM_SUPPORTED, None)
