"""The proxy under test, and the records it writes."""

import contextlib
import functools
import itertools
import json
import os
import socket
import ssl

from tests.lab import pki
from tests.lab.program import TIMEOUT, Program, read_head, until

# Under Bazel, or by hand from the root of the tree.
PROGRAM = os.path.abspath("tlsblame" if os.path.exists("tlsblame") else "bazel-bin/tlsblame")


@functools.cache
def sanitized():
    """Whether the program was built with a sanitizer, which keeps memory that was given back."""
    with open(PROGRAM, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


class Proxy(Program):
    """`tlsblame run` on a free port, with a CA and a log of its own."""

    numbers = itertools.count(1)

    def __init__(self, directory, *args, policy=None, listen="127.0.0.1:0", trust=None, env=None,
                 command=(), ca_dir=None, experiments="never"):
        self.name = f"{directory}/proxy{next(Proxy.numbers)}"
        self.records_file = f"{self.name}.ndjson"
        self.ca_dir = ca_dir or f"{directory}/ca"
        self.ca = f"{self.ca_dir}/ca.pem"
        self.policy_file = f"{self.name}-policy.json"
        options = ["-l", listen, "--ca-dir", self.ca_dir, "--log", self.records_file]
        options += ["--experiments", experiments]
        for file in [pki.root().file] if trust is None else trust:
            options += ["--trust", file]
        if policy is not None:
            self.write_policy(policy)
            options += ["--policy", self.policy_file]
        super().__init__(
            [*command, PROGRAM, "run", *options, *args],
            self.name,
            "listening on",
            env={**os.environ, "SSLKEYLOGFILE": "", **(env or {})},
        )
        host, port = self.started.rsplit(" ", 1)[1].rsplit(":", 1)
        self.host, self.port = host.strip("[]"), int(port)
        self.url = f"http://{host}:{port}"

    def write_policy(self, policy):
        """Writes the policy file; the proxy reads it at SIGHUP."""
        with open(self.policy_file, "w", encoding="utf-8") as f:
            f.write(policy if isinstance(policy, str) else json.dumps(policy))

    def written(self):
        """The records in the log: one for each id, its last line, in the order of their ends."""
        return read_log(self.records_file)

    def records(self, count, ended=True):
        """Waits for `count` records, ended ones unless told otherwise, and returns them in the
        order of their beginnings; more are a failure."""
        def found():
            return [r for r in self.written() if not ended or has_ended(r)]

        records = until(lambda: len(found()) >= count and found(), f"{count} records")
        if len(records) > count:
            raise AssertionError(f"{len(records)} records instead of {count}")
        return in_order(records)

    def record(self):
        """Waits for the one record."""
        return self.records(1)[0]

    def records_of(self, target, count):
        """Waits for `count` ended records of a target (host, port), more if there are, and returns
        them in the order of their beginnings."""
        def found():
            return [r for r in self.written()
                    if has_ended(r) and (r.get("host"), r.get("port")) == target]

        return in_order(until(lambda: len(found()) >= count and found(),
                              f"{count} records of {target}"))

    def connect(self, target=None, timeout=TIMEOUT):
        """A socket to the proxy; with `target` "host:port", one with the CONNECT behind it."""
        s = socket.create_connection((self.host, self.port), timeout)
        if target is not None:
            s.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            head = read_head(s)
            if b" 200 " not in head:
                raise AssertionError(f"CONNECT {target} was answered {head!r}")
        return s

    def tls(self, target, name=None, **more):
        """A TLS connection through the proxy, with our own CA trusted."""
        context = self.client_context(**more)
        host = name if name is not None else target.rsplit(":", 1)[0].strip("[]")
        return context.wrap_socket(self.connect(target), server_hostname=host)

    def client_context(self, alpn=(), versions=(None, None), ciphers=None):
        """A client that trusts the proxy's CA."""
        context = ssl.create_default_context(cafile=self.ca)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        context.minimum_version = versions[0] or context.minimum_version
        context.maximum_version = versions[1] or context.maximum_version
        if ciphers:
            context.set_ciphers(ciphers)
        return context


def read_log(path):
    """The records of a log: the last line of each id, in order."""
    records = {}
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as f:
        for line in f:
            if line.endswith("\n"):  # else it is being written
                try:
                    record = json.loads(line)
                except ValueError:
                    break  # seen before all of it was there; whoever waits for it reads again
                records.pop(record["id"], None)
                records[record["id"]] = record
    return list(records.values())


def in_order(records):
    """Records in the order of their beginnings, which is that of clients that come one by one; when
    each is written depends on more than them."""
    return sorted(records, key=lambda record: record["@timestamp"])


def has_ended(record):
    """Whether this is not the line that a long connection gets on its way."""
    return any("end" in leg for leg in record["legs"].values())


BULK = {"raw", "ja3_string", "ja4_string", "certificate_chain", "supported_ciphers", "wire",
        "secrets"}


def without_bulk(lines):
    """A log for the eye."""
    def thin(value):
        if isinstance(value, dict):
            return {name: thin(v) for name, v in value.items() if name not in BULK}
        return [thin(v) for v in value] if isinstance(value, list) else value

    try:
        return "\n".join(json.dumps(thin(json.loads(line))) for line in lines)
    except ValueError as error:
        return str(error)


def field(record, path):
    """What is at "legs.client.tls.version", or None where it was not seen."""
    for part in path.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def flat(value, path=""):
    """The leaves of a record, by their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value


def covered(path, table):
    """Whether a path is one of `table`, or below one."""
    return any(path == row or path.startswith(row + ".") for row in table)
