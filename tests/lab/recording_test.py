"""What is recorded changes nothing: with all of the wire kept, with nothing of it kept and with no log
at all, the same clients come to the same end, and to the same verdict."""

import re
import unittest

from tests.lab import harness, servers
from tests.lab.servers import HOST

EVERYTHING = {"default": {"record": {"secrets": "all", "application_data": True}}}
NOTHING = {"default": {"record": {"handshake_bytes": False, "secrets": "none"}}}

# What two connections of the same client to the same server do not share.
OTHER_EACH_TIME = {
    "@timestamp": "times",
    "id": "random",
    "legs.client.port": "the kernel chooses ports",
    "legs.client.local": "each proxy has its own",
    "legs.client.chain": "each proxy mints leaves of its own",
    "legs.client.tls.server": "likewise",
    "legs.server.local": "the kernel chooses ports",
    "legs.server.tried": "with times",
}
OTHER_ON_EACH_LEG = {
    "timing_ms": "times",
    "transport": "the kernel's view of TCP",
    "offer.raw": "random",
    "answer.raw": "random",
    "bytes": "signatures have no fixed length",
    "records": "likewise",
    "segments": "likewise",
    "wire": "what is recorded, or not",
    "secrets": "likewise",
}
OTHER = OTHER_EACH_TIME | {f"legs.{leg}.{path}": why for leg in ("client", "server")
                           for path, why in OTHER_ON_EACH_LEG.items()}


def timeless(value):
    """A value without the moments in it."""
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name != "ms"}
    return re.sub(r"[\d.]+ ms", "a moment", value) if isinstance(value, str) else value


def result(record):
    """What a record says that does not depend on when and by which port."""
    return {path: timeless(value) for path, value in harness.flat(record)
            if not harness.covered(path, OTHER)}


class Recording(harness.Lab):
    """Each visit through each proxy, one by one."""

    def visits(self):
        """Pairs of a name, the port of a server, and what curl is told beside it; TLS 1.2 where it
        would depend on the moment how far a connection came."""
        good = harness.leaf(HOST)
        wants = self.s_server(good, "-Verify", "1", "-verify_return_error", "-tls1_2")
        yield "sound", self.nginx(good).port, ()
        yield "TLS 1.2", self.nginx(good, versions="TLSv1.2").port, ()
        yield "HTTP/2", self.nginx(good, http2=True).port, ()
        yield "client without the CA", self.nginx(good).port, ("--cacert", harness.root().file)
        yield "expired", self.nginx(harness.expired(HOST)).port, ()
        yield "another name", self.nginx(harness.leaf("b.localhost")).port, ()
        yield "no common version", self.nginx(good, versions="TLSv1.3").port, ("--tls-max", "1.2")
        yield "client certificate wanted", wants.port, ()
        for name, server in (
                ("closed at the hello", servers.service(servers.closes_at_hello)),
                ("reset at the hello", servers.service(servers.resets_at_hello)),
                ("alert", servers.alert(40)),
                ("no TLS", servers.answers(b"SSH-2.0-OpenSSH_9.2\r\n"))):
            yield name, server(self)[1], ()
        yield "nobody there", harness.free_port(), ()

    def test_same(self):
        kept, bare = self.proxy(policy=EVERYTHING), self.proxy(policy=NOTHING)
        unlogged = self.proxy("--log", "/dev/null")
        causes = set()
        for number, (name, port, args) in enumerate(self.visits(), 1):
            with self.subTest(name):
                def ask(proxy, port=port, args=args):
                    return self.curl(f"https://{HOST}:{port}/", proxy, *args, check=False)

                answer = ask(kept)
                record = kept.records(number)[-1]
                self.assertEqual(ask(bare), answer)
                self.assertEqual(result(bare.records(number)[-1]), result(record))
                self.assertEqual(ask(unlogged), answer)
                verdict = record["verdict"]
                self.assertIn(f"{verdict['party']}: {verdict['cause']}",
                              unlogged.wait_line(f" {HOST}:{port} "))
                causes.add(verdict["cause"])
        self.assertEqual(len(causes), 11, causes)


if __name__ == "__main__":
    unittest.main()
