"""Clients of the lab: functions of the test case, the proxy and a target (host, port). They say
nothing of how they fared: the record does."""

import os
import socket
import ssl
import threading

from tests.lab import harness
from tests.lab.servers import HOST, pour, quietly


def curl(*args, trust=True, before=()):
    """curl, which trusts the proxy's CA."""
    def run(lab, proxy, target):
        del lab
        command = [*proxy.command, *before, "curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x", proxy.url]
        command += ["--cacert", proxy.ca] if trust else []
        command += [*args, "https://%s:%d/" % target]
        harness.run(*command, check=False)
    return run


def s_client(*args, say=b"GET / HTTP/1.0\r\n\r\n"):
    """openssl s_client, which does not know the proxy's CA and does not mind."""
    def run(lab, proxy, target):
        del lab
        where = "%s:%d" % target
        harness.run(
            *["openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-connect", where],
            *["-servername", target[0], "-quiet", *args],
            input=say, check=False, timeout=10,
        )
    return run


def socket_client(handle):
    """A client of our own behind its CONNECT."""
    def run(lab, proxy, target):
        del lab
        with proxy.connect("%s:%d" % target) as s:
            quietly(handle, s)
    return run


def gnutls(*args):
    """gnutls-cli knows no proxies: it speaks through a relay that has said CONNECT."""
    def run(lab, proxy, target):
        def handle(s):
            with proxy.connect("%s:%d" % target) as up:
                pump = threading.Thread(
                    target=quietly, args=(lambda u: pour(u, s), up), daemon=True
                )
                pump.start()
                pour(s, up)
                up.shutdown(socket.SHUT_WR)
                pump.join(harness.TIMEOUT)

        door = harness.Service(lambda s: quietly(handle, s))
        try:
            harness.run(
                *["gnutls-cli", "--port", str(door.port), "--sni-hostname", target[0]],
                *["--verify-hostname", target[0], *[arg.format(ca=proxy.ca) for arg in args], "127.0.0.1"],
                input=b"GET / HTTP/1.0\r\n\r\n", check=False, timeout=10,
            )
        finally:
            door.stop()
    return run


def hello_bytes(name):
    """A ClientHello of OpenSSL's."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def leaves_after_hello(s):
    """Sends a ClientHello and leaves when it is answered."""
    s.sendall(hello_bytes(HOST))
    s.recv(65536)


def leaves_after_hello_at_once(s):
    """Sends a ClientHello and leaves."""
    s.sendall(hello_bytes(HOST))


NODE = """
const http = require("http"), tls = require("tls");
const [host, port, proxyHost, proxyPort] = process.argv.slice(1);
http.request({host: proxyHost, port: proxyPort, method: "CONNECT", path: `${host}:${port}`})
  .on("connect", (answer, socket) => {
    const s = tls.connect({socket, servername: host});
    s.on("secureConnect", () => s.end("GET / HTTP/1.0\\r\\n\\r\\n"));
    s.on("error", () => {}).resume();
  }).end();
"""


def node(lab, proxy, target):
    """Node.js, which looks at the certificate after the handshake."""
    del lab
    words = [target[0], str(target[1]), proxy.host, str(proxy.port)]
    harness.run("node", "-e", NODE, *words, check=False)


def chromium(lab, proxy, target):
    """Chromium, which does not know the proxy's CA."""
    harness.run(
        *["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"],
        *[f"--user-data-dir={lab.dir}/chromium", f"--proxy-server={proxy.url}"],
        *["--proxy-bypass-list=<-loopback>", "--timeout=5000", "https://%s:%d/" % target],
        check=False, timeout=30, env={**os.environ, "HOME": lab.dir},
    )
