"""Servers with which nothing is wrong, each odd in its way.

A feature is started once; every client of the innocence test asks each host of it for "/".
"""

import array
import base64
import collections
import datetime
import fcntl
import hashlib
import os
import termios
import time

from tests.lab import harness, pki
from tests.lab.servers import HAPROXY, STUNNEL, both, listening

Feature = collections.namedtuple("Feature", "name hosts start browsers without verified agent",
                                 defaults=(False, (), True, None))
Feature.__doc__ = """`start(lab, hosts)` returns a port. `browsers`: whether they ask it, too.
`without` are clients that cannot speak with it, whoever is between. `verified` False: the proxy
does not trust its certificate, and the clients do not mind. `agent` is whom programs say they
are when they ask for it."""

HOUR = datetime.timedelta(hours=1)


def corp_root():
    """A company's own root, which the proxy is given by --trust. It is sent along."""
    return harness.issue("Corp Root", None, harness.CA_EXTENSIONS, which="corp")


def made(key="ec", **more):
    """What makes a leaf for the hosts of a feature."""
    return lambda hosts: harness.leaf(*hosts, key=key, **more)


def nginx(make=made(), **more):
    """nginx; `more` is for harness.nginx, values of it may be functions of the hosts."""
    def start(lab, hosts):
        options = {k: v(hosts) if callable(v) else v for k, v in more.items()}
        return lab.nginx(make(hosts), **options).port
    return start


def s_server(*args, make=made()):
    """openssl s_server."""
    return lambda lab, hosts: lab.s_server(make(hosts), *args).port


def gnutls_serv(*args, make=made()):
    """gnutls-serv; "{root}" is the root's file."""
    def start(lab, hosts):
        certificate, port = make(hosts), harness.free_port()
        lab.program("gnutls-serv", "--http", "--quiet", "--port", str(port),
                    "--x509certfile", certificate.chain, "--x509keyfile", certificate.key,
                    *[arg.format(root=harness.root().file) for arg in args])
        listening(port)
        return port
    return start


def program(template, command, make=made(), options=""):
    """A server with a configuration file."""
    def start(lab, hosts):
        port = harness.free_port()
        config = lab.file(f"innocent-{port}.cfg", template.format(
            port=port, pem=both(lab, make(hosts), port), options=options,
            behind=lab.nginx().port if "{behind}" in template else 0))
        lab.program(*command, config)
        listening(port)
        return port
    return start


def haproxy(options="", **more):
    return program(HAPROXY, ("haproxy", "-db", "-f"), options=options, **more)


def stunnel(options="", **more):
    return program(STUNNEL, ("stunnel4",), options=options, **more)


def service(handle, make=made(), **more):
    """A server of our own."""
    return lambda lab, hosts: lab.patient_service(handle, make(hosts), **more).port


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n%s\r\nhello\n"


def ends_without_notify(s):
    """The whole answer, then FIN without close_notify (the context manager of Python does that)."""
    harness.read_head(s)
    s.sendall(ANSWER % b"Content-Length: 6\r\nConnection: close\r\n")


def ends_with_notify(s):
    """An answer that only its end ends, with a close_notify."""
    harness.read_head(s)
    s.sendall(ANSWER % b"Connection: close\r\n")
    s.unwrap()


def ends_with_reset(s):
    """The whole answer, and a RST when the client has it."""
    harness.read_head(s)
    s.sendall(ANSWER % b"Content-Length: 6\r\nConnection: close\r\n")
    size = array.array("i", [1])
    while size[0] != 0:
        time.sleep(0.005)  # until all of it has been acknowledged
        fcntl.ioctl(s, termios.TIOCOUTQ, size)
    harness.reset(s)


def thinks(s):
    """Takes its time."""
    harness.read_head(s)
    time.sleep(0.5)  # what it does
    s.sendall(ANSWER % b"Content-Length: 6\r\nConnection: close\r\n")


def drips(s):
    """Sends an answer byte by byte, each in a record of its own."""
    harness.read_head(s)
    for byte in ANSWER % b"Content-Length: 6\r\nConnection: close\r\n":
        s.sendall(bytes([byte]))


def says_no(s):
    """An answer that nobody likes, by somebody with whom nothing is wrong."""
    harness.read_head(s)
    s.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def echoes(s):
    """WebSocket (RFC 6455): an echo of the first short message, unmasked."""
    head = harness.read_head(s).decode()
    key = next((line.split(":", 1)[1].strip() for line in head.split("\r\n")
                if line.lower().startswith("sec-websocket-key:")), None)
    if key is None:
        s.sendall(ANSWER % b"Content-Length: 6\r\nConnection: close\r\n")
        return
    accept = base64.b64encode(hashlib.sha1(
        f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
    s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    head = harness.read_exactly(s, 2)
    size = head[1] & 127
    mask, data = harness.read_exactly(s, 4), harness.read_exactly(s, size)
    s.sendall(bytes([head[0], size]) + bytes(c ^ mask[i % 4] for i, c in enumerate(data)))
    s.recv(1)


def greets(s):
    """Speaks first, as mail servers do."""
    s.sendall(b"220 hello\r\n")
    s.recv(100)
    s.sendall(b"250 good day\r\n")


def chain_of(levels, issuer=None):
    """What makes a leaf below that many CAs."""
    def make(hosts):
        above = issuer() if issuer else harness.root()
        for level in range(levels):
            above = harness.authority(f"Lab CA level {level}", issuer=above)
        return harness.leaf(*hosts, issuer=above)
    return make


def big(hosts):
    """A certificate of 30 kB."""
    return harness.leaf(*hosts, *[f"host-{i:04}.some-quite-long-name.localhost" for i in range(700)])


def named(name, **more):
    """What makes a leaf below a CA of this name, which is below the root that is trusted."""
    return lambda hosts: harness.leaf(*hosts, issuer=harness.authority(name), **more)


def another_key(hosts):
    """Lines for nginx with an ECDSA certificate beside the RSA one."""
    other = harness.leaf(*hosts, key="ec", which=1)
    return f"ssl_certificate {other.chain}; ssl_certificate_key {other.key};"


def stapled(hosts):
    """Lines for nginx that staples an OCSP response."""
    file = pki.staple(harness.leaf(*hosts), "good")
    return f"ssl_stapling on; ssl_stapling_file {file};"


def optional_certificate(hosts):
    """Lines for nginx that asks for a client certificate and does without."""
    del hosts
    return f"ssl_client_certificate {harness.root().file}; ssl_verify_client optional;"


def dated(before, after):
    """What makes a leaf that is valid from so many hours ago for so many hours."""
    return made(start=harness.NOW - before * HOUR, end=harness.NOW + after * HOUR)


AGENTS = {
    "chrome": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/131.0.0.0 Safari/537.36",
    "chrome-old": "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/49.0.2623.112 Safari/537.36",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
              "Gecko) Version/17.4 Safari/605.1.15",
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
              "like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "edge": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
    "explorer": "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "bot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "android": "okhttp/4.12.0",
    "java": "Java/17.0.2",
}


# It takes one client at a time, and Java holds connections that it does not use.
ONE_BY_ONE = ("java",)


def rows():
    """The features."""
    yield Feature("TLS 1.3, h2", ["modern.localhost"], nginx(http2=True), True)
    yield Feature("TLS 1.2, RSA", ["rsa12.localhost"], nginx(made("rsa"), versions="TLSv1.2"), True)
    yield Feature("TLS 1.2, ECDSA, h2", ["ec12.localhost"],
                  nginx(made("ec384"), versions="TLSv1.2", http2=True), True)
    yield Feature("TLS 1.2, session IDs", ["ids.localhost"],
                  nginx(versions="TLSv1.2", server="ssl_session_tickets off;",
                        http="ssl_session_cache shared:a:1m;"), True)
    yield Feature("static RSA suites", ["static.localhost"],
                  nginx(made("rsa"), versions="TLSv1.2",
                        server="ssl_ciphers AES128-GCM-SHA256:AES256-GCM-SHA384;"), True)
    yield Feature("ChaCha20 only", ["chacha.localhost"],
                  nginx(versions="TLSv1.2", server="ssl_ciphers CHACHA20;"), True)
    yield Feature("HelloRetryRequest", ["retry.localhost"],
                  nginx(server="ssl_ecdh_curve secp384r1;"), True)
    yield Feature("HelloRetryRequest, P-521", ["retry521.localhost"],
                  s_server("-groups", "P-521"), without=ONE_BY_ONE)
    yield Feature("no session tickets", ["ticketless.localhost"], s_server("-num_tickets", "0"),
                  without=ONE_BY_ONE)
    yield Feature("many session tickets", ["tickets.localhost"], s_server("-num_tickets", "20"),
                  without=ONE_BY_ONE)
    yield Feature("early data allowed", ["early.localhost"], nginx(server="ssl_early_data on;"), True)
    yield Feature("client certificate optional", ["optional.localhost"],
                  nginx(server=optional_certificate), True)
    yield Feature("client certificate optional 1.2", ["optional12.localhost"],
                  nginx(server=optional_certificate, versions="TLSv1.2"), True)
    yield Feature("client certificate asked by s_server", ["asked.localhost"],
                  s_server("-verify", "1"), without=ONE_BY_ONE)
    yield Feature("chain of 8", ["deep.localhost"], nginx(chain_of(7)), True)
    yield Feature("chain of 10", ["deeper.localhost"], nginx(chain_of(9)), True)
    yield Feature("private PKI", ["corp.localhost", "intra.corp.localhost"],
                  nginx(chain_of(1, lambda: corp_root()._replace(chain=os.devnull))), True)
    yield Feature("private PKI, root sent along", ["whole.localhost"],
                  nginx(chain_of(0, corp_root)), True)
    yield Feature("CA named like an inspector", ["fortinet.localhost"],
                  nginx(named("FortiGate CA")), True)
    yield Feature("CA named like another", ["zscaler.localhost"],
                  nginx(named("Zscaler Intermediate Root CA")), True)
    yield Feature("one key for many hosts", [f"shared{i}.localhost" for i in range(4)],
                  nginx(), True)
    yield Feature("wildcard", ["any.wild.localhost"],
                  nginx(lambda hosts: harness.leaf("*.wild.localhost")), True)
    yield Feature("single label", ["localhost"], nginx())
    yield Feature("IDN", ["xn--bcher-kva.localhost"], nginx(), True)
    yield Feature("long name", ["a-label-of-almost-sixty-three-octets-as-long-as-they-can-be-xy"
                                ".and-another-one-of-some-length.localhost"], nginx(), True)
    yield Feature("IPv4 address", ["127.0.0.1"], nginx(), True, ("gnutls", "firefox"))
    yield Feature("IPv6 address", ["::1"], nginx(host="::1"), True,
                  ("gnutls", "firefox"))
    yield Feature("IPv6 only", ["only6.localhost"], nginx(host="::1"), True)
    yield Feature("big certificate", ["big.localhost"], nginx(big), True)
    yield Feature("certificate of an hour", ["young.localhost"], nginx(dated(1, 1)), True)
    yield Feature("certificate of ten years", ["old.localhost"], nginx(dated(50000, 40000)), True)
    yield Feature("RSA and ECDSA", ["either.localhost"],
                  nginx(made("rsa"), server=another_key), True)
    yield Feature("OCSP staple", ["stapled.localhost"], nginx(server=stapled), True)
    yield Feature("certificate compressed", ["brotli.localhost"],
                  gnutls_serv("--disable-client-cert", "--compress-cert", "brotli"), True)
    yield Feature("gnutls-serv", ["gnutls.localhost"],
                  gnutls_serv("--x509cafile", "{root}", make=made("rsa")), True)
    yield Feature("gnutls-serv 1.2, no extended master secret", ["noems.localhost"],
                  gnutls_serv("--disable-client-cert", "--priority",
                              "NORMAL:-VERS-TLS1.3:%NO_SESSION_HASH"), True)
    yield Feature("haproxy", ["haproxy.localhost"], haproxy("alpn h2,http/1.1"), True)
    yield Feature("haproxy, http/1.1 only", ["haproxy1.localhost"], haproxy("alpn http/1.1"), True)
    yield Feature("haproxy, no ALPN, no tickets", ["haproxy0.localhost"],
                  haproxy("no-tls-tickets ssl-max-ver TLSv1.2"), True)
    yield Feature("stunnel", ["stunnel.localhost"], stunnel(make=made("rsa")), True)
    yield Feature("end without close_notify", ["abrupt.localhost"],
                  service(ends_without_notify), True)
    yield Feature("end with close_notify", ["polite.localhost"], service(ends_with_notify), True)
    yield Feature("RST after the answer", ["rst.localhost"], service(ends_with_reset), True)
    yield Feature("slow answer", ["slow.localhost"], service(thinks), True)
    yield Feature("answer in tiny records", ["drip.localhost"], service(drips), True)
    yield Feature("503", ["busy.localhost"], service(says_no), True)
    yield Feature("idle connections are closed at once", ["impatient.localhost"],
                  nginx(server="keepalive_timeout 0;"), True)
    yield Feature("unknown CA, accepted", ["self.localhost"],
                  nginx(lambda hosts: harness.self_signed(*hosts)), verified=False)
    yield Feature("unknown root, accepted", ["foreign.localhost"],
                  nginx(lambda hosts: harness.leaf(*hosts, issuer=harness.issue(
                      "Foreign Root", None, harness.CA_EXTENSIONS, which="foreign"))),
                  verified=False)
    agents = [f"{name}.agent.localhost" for name in AGENTS]
    for host, agent in zip(agents, AGENTS.values()):
        yield Feature("borrowed User-Agent", [host], one(nginx(made(), http2=True), agents),
                      agent=agent)


def one(start, hosts):
    """The same server for several features."""
    return lambda lab, _: lab.once("".join(hosts), lambda: start(lab, hosts))

