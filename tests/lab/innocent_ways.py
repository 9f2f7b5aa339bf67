"""Odd ways to use a connection that accuse nobody: a function of the test case, the proxy and the
host:port to ask for. Whether it is to come out healthy is beside it."""

import collections
import socket
import ssl
import subprocess
import time

from tests.lab import harness
from tests.lab.clients import hello_bytes
from tests.lab.innocent_servers import AGENTS

Way = collections.namedtuple("Way", "name act works site", defaults=(True, "way"))
Way.__doc__ = """`works`: True where the verdict must be `healthy`, False where it may be anything
that blames nobody. `site` is the server that is asked."""

GET = b"GET / HTTP/1.1\r\nHost: way.localhost\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def name_of(target):
    return target.rsplit(":", 1)[0].strip("[]")


def connected(act):
    """Something on a connection of which the proxy knows nothing yet."""
    def way(lab, proxy, target):
        del lab
        with proxy.connect() as s:
            act(s, target)
    return way


def tunnelled(act):
    """Something behind the CONNECT."""
    def way(lab, proxy, target):
        del lab
        with proxy.connect(target) as s:
            act(s, name_of(target))
    return way


def over_tls(act, name=True, **more):
    """Something behind the handshake."""
    def way(lab, proxy, target):
        del lab
        context = proxy.client_context(**more)
        context.check_hostname = name
        with proxy.connect(target) as raw:
            host = name_of(target) if name else None
            with context.wrap_socket(raw, server_hostname=host) as s:
                act(s)
    return way


def leaves(s, _=None):
    del s


def resets(s, _=None):
    harness.reset(s)


def read_answer(s):
    """An answer with a length."""
    head = harness.read_head(s).lower()
    size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return harness.read_exactly(s, size)


def asks_and_leaves(s):
    s.sendall(GET)
    read_answer(s)


def asks_by(agent):
    def act(s):
        s.sendall(GET.replace(b"\r\n\r\n", f"\r\nUser-Agent: {agent}\r\n\r\n".encode()))
        read_answer(s)
    return act


def asks_often(s):
    for _ in range(5):
        asks_and_leaves(s)


def asks_and_waits(s):
    """Until the server closes the idle connection."""
    asks_and_leaves(s)
    harness.read_all(s)


def asks_and_notifies(s):
    asks_and_leaves(s)
    try:
        s.unwrap()
    except OSError:
        pass  # nobody has to answer a close_notify (RFC 8446 section 6.1)


def asks_and_resets(s):
    asks_and_leaves(s)
    harness.reset(s)


def asks_and_does_not_wait(s):
    s.sendall(GET)


def aborts_download(s):
    s.sendall(GET.replace(b"/ ", b"/big ", 1))
    harness.read_exactly(s, 30000)


def aborts_download_hard(s):
    aborts_download(s)
    harness.reset(s)


def downloads(s):
    s.sendall(GET.replace(b"/ ", b"/big ", 1))
    assert len(read_answer(s)) == 3_000_000


def uploads(s):
    s.sendall(b"POST / HTTP/1.1\r\nHost: way.localhost\r\nContent-Length: 500000\r\n\r\n")
    for _ in range(50):
        s.sendall(bytes(10000))
    harness.read_head(s)


def aborts_upload(s):
    s.sendall(b"POST / HTTP/1.1\r\nHost: way.localhost\r\nContent-Length: 500000\r\n\r\n")
    s.sendall(bytes(10000))


def half_closes(s):
    """Says all that it has to say and its TCP end, and reads on."""
    s.sendall(LAST)
    socket.socket.shutdown(s, socket.SHUT_WR)
    harness.read_all(s)


def pipelines(s):
    s.sendall(GET + GET + LAST)
    harness.read_all(s)


def byte_by_byte(s):
    for byte in LAST:
        s.sendall(bytes([byte]))
    harness.read_all(s)


def garbles(s):
    """What is no request; the server answers it with 400."""
    s.sendall(b"hello?\r\n\r\n")
    harness.read_all(s)


def websocket(s):
    s.sendall(b"GET / HTTP/1.1\r\nHost: way.localhost\r\nUpgrade: websocket\r\n"
              b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    harness.read_head(s)
    s.sendall(b"\x81\x85\x00\x00\x00\x00hello")
    assert harness.read_exactly(s, 7) == b"\x81\x05hello"


def is_greeted(s):
    s.recv(100)
    s.sendall(b"quit\r\n")
    harness.read_all(s)


def half_a_hello(s, name):
    data = hello_bytes(name)
    s.sendall(data[:len(data) // 2])


def hello_and_leaves(s, name):
    s.sendall(hello_bytes(name))


def hello_and_resets(s, name):
    s.sendall(hello_bytes(name))
    harness.reset(s)


def hello_and_leaves_when_answered(s, name):
    s.sendall(hello_bytes(name))
    s.recv(1)


def hello_and_half_closes(s, name):
    s.sendall(hello_bytes(name))
    s.shutdown(socket.SHUT_WR)
    harness.read_all(s)


def talks_with(cut):
    """A handshake whose hello goes out in pieces, and a page."""
    def act(s, name):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
        first = True
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                data = outgoing.read()
                for piece in cut(data) if first else [data]:
                    s.sendall(piece)
                first = False
                incoming.write(s.recv(65536))
        tls.write(LAST)
        s.sendall(outgoing.read())
        harness.read_all(s)
    return act


def in_segments(data):
    for i in range(0, len(data), 40):
        time.sleep(0.002)  # so that they travel one by one
        yield data[i:i + 40]


def in_records(data):
    for i in range(5, len(data), 100):
        part = data[i:i + 100]
        yield data[:3] + len(part).to_bytes(2, "big") + part


def requests_plainly(*, lines=(), method="GET", path="/", read=True):
    def act(s, target):
        head = "".join(line + "\r\n" for line in lines)
        s.sendall(f"{method} http://{target}{path} HTTP/1.1\r\nHost: {target}\r\n{head}\r\n".encode())
        if read:
            harness.read_all(s)
        else:
            s.recv(100)
    return connected(act)


def asks_twice_plainly(s, target):
    for _ in range(2):
        s.sendall(f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        read_answer(s)


def half_a_request(s, target):
    s.sendall(f"CONNECT {target} HTTP/1.1\r\nHo".encode())


def connects_and_leaves(s, target):
    s.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())


def connects_and_resets(s, target):
    connects_and_leaves(s, target)
    harness.reset(s)


def connects_by_http10(s, target):
    s.sendall(f"connect {target} HTTP/1.0\r\n\r\n".upper().replace(
        target.upper(), target).encode())
    harness.read_head(s)
    talks_with(lambda data: [data])(s, name_of(target))


def hello_in_the_same_segment(s, target):
    """Does not wait for the 200."""
    name = name_of(target)
    s.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode() + hello_bytes(name))
    harness.read_head(s)


def races(lab, proxy, target):
    """Two connections, of which the first one answered wins."""
    del lab
    loser = proxy.connect(target)
    loser.sendall(hello_bytes(name_of(target)))
    with proxy.tls(target) as s:
        loser.close()
        s.sendall(LAST)
        harness.read_all(s)


def other_protocol(s, _):
    s.sendall(b"SSH-2.0-innocent\r\n")
    s.recv(100)
    s.sendall(bytes(100))
    harness.read_all(s)


def updates_keys(*args):
    """openssl s_client, which is told to change its keys, and then asks for a page."""
    def way(lab, proxy, target):
        command = ["openssl", "s_client", "-proxy", f"{proxy.host}:{proxy.port}", "-connect", target,
                   "-servername", name_of(target), "-CAfile", proxy.ca, *args]
        program = harness.Program(command, f"{lab.dir}/{target}-{next(lab.numbers)}",
                                  "Verify return code", stdin=subprocess.PIPE)
        try:
            program.process.stdin.write(b"K\n")
            program.process.stdin.flush()
            harness.until(lambda: "KEYUPDATE" in program.stderr(), "the keys to change")
            program.process.stdin.write(LAST)
            program.process.stdin.flush()
            program.wait_line("hello")
        finally:
            program.process.stdin.close()
            program.stop()
    return way


def openssl(*args, say=LAST):
    """openssl s_client."""
    def way(lab, proxy, target):
        s_client(lab, target, "-proxy", f"{proxy.host}:{proxy.port}", "-connect", target, *args,
                 say=say)
    return way


def s_client(lab, target, *args, say=LAST):
    harness.run("openssl", "s_client", "-servername", name_of(target), "-CAfile", lab.authorities,
                *args, input=say, check=False, timeout=20)


def resumes(*args, stranger=False):
    """A session in another connection: with the same server, or one that the server gave past the
    proxy, which does not know it."""
    def way(lab, proxy, target):
        file = f"{lab.dir}/session-{next(lab.numbers)}"
        there = ["-connect", f"127.0.0.1:{target.rsplit(':', 1)[1]}"]
        if not stranger:
            there = ["-proxy", f"{proxy.host}:{proxy.port}", "-connect", target]
        version = [arg for arg in args if arg.startswith("-tls")]
        s_client(lab, target, *there, "-sess_out", file, "-ign_eof", *version)
        openssl("-sess_in", file, "-ign_eof", *args)(lab, proxy, target)
    return way


def curl(*args, scheme="https"):
    def way(lab, proxy, target):
        given = [arg.format(client=lab.client_certificate.file, key=lab.client_certificate.key,
                            url=f"{scheme}://{target}/", socks=proxy.url.replace("http", "socks5h"))
                 for arg in args]
        harness.run("curl", "-q", "-sS", "--max-time", "15", "--noproxy", "", "-x", proxy.url,
                    "--cacert", lab.authorities, "-o", "/dev/null", *given, f"{scheme}://{target}/", check=False)
    return way


OLD = ssl.TLSVersion.TLSv1
CHROME = AGENTS["chrome"]
REQUESTS = ("ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDH+AESGCM:DH+AESGCM:ECDH+AES:DH+AES:"
            "RSA+AESGCM:RSA+AES:!aNULL:!eNULL:!MD5:!DSS")

WAYS = [
    Way("TCP, then nothing", connected(leaves), False),
    Way("TCP, then RST", connected(resets), False),
    Way("half a request", connected(half_a_request), False),
    Way("CONNECT, then nothing", connected(connects_and_leaves), False),
    Way("CONNECT, then RST", connected(connects_and_resets), False),
    Way("preconnect closed", tunnelled(leaves), False),
    Way("preconnect reset", tunnelled(resets), False),
    Way("half a hello", tunnelled(half_a_hello), False),
    Way("hello, then gone", tunnelled(hello_and_leaves), False),
    Way("hello, then RST", tunnelled(hello_and_resets), False),
    Way("hello, gone when answered", tunnelled(hello_and_leaves_when_answered), False),
    Way("hello, half-close", tunnelled(hello_and_half_closes), False),
    Way("hello before the 200", connected(hello_in_the_same_segment), False),
    Way("one of two wins", races, False),
    Way("hello in segments", tunnelled(talks_with(in_segments))),
    Way("hello in records", tunnelled(talks_with(in_records))),
    Way("HTTP/1.0 CONNECT", connected(connects_by_http10)),
    Way("spare, closed", over_tls(leaves), False),
    Way("spare, reset", over_tls(resets), False),
    Way("spare, closed by the server", over_tls(harness.read_all), False),
    Way("one request", over_tls(asks_and_leaves)),
    Way("keep-alive", over_tls(asks_often)),
    Way("keep-alive, idle close", over_tls(asks_and_waits)),
    Way("pipelined", over_tls(pipelines)),
    Way("request byte by byte", over_tls(byte_by_byte)),
    Way("close_notify by the client", over_tls(asks_and_notifies)),
    Way("RST after the answer", over_tls(asks_and_resets)),
    Way("does not wait for the answer", over_tls(asks_and_does_not_wait), False),
    Way("download", over_tls(downloads)),
    Way("download aborted", over_tls(aborts_download)),
    Way("download aborted by RST", over_tls(aborts_download_hard)),
    Way("upload", over_tls(uploads)),
    Way("upload aborted", over_tls(aborts_upload), False),
    Way("half-close", over_tls(half_closes)),
    Way("no request at all, 400", over_tls(garbles)),
    Way("no SNI", over_tls(asks_and_leaves, name=False)),
    Way("no ALPN in common", over_tls(asks_and_leaves, alpn=("innocent/1",)), site="service"),
    Way("TLS 1.0", over_tls(asks_and_leaves, versions=(OLD, OLD), ciphers="ALL:@SECLEVEL=0")),
    Way("WebSocket", over_tls(websocket), site="echo"),
    Way("server speaks first", over_tls(is_greeted), site="greeter"),
    Way("key update", updates_keys()),
    Way("client leaves by Q", openssl(say=b"Q\n"), False),
    Way("resumption", resumes(), site="tunnel"),
    Way("resumption, 1.2", resumes("-tls1_2"), site="tunnel"),
    Way("early data", resumes("-early_data", "/etc/hostname"), False, "tunnel"),
    Way("session that the proxy does not know", resumes(stranger=True)),
    Way("session that the proxy does not know, 1.2", resumes("-tls1_2", stranger=True)),
    Way("early data refused", resumes("-early_data", "/etc/hostname", stranger=True)),
    Way("tunnel by policy", curl(), site="tunnel"),
    Way("tunnel by policy, 1.2", curl("--tls-max", "1.2"), site="tunnel"),
    Way("tunnel, client certificate", curl("--cert", "{client}", "--key", "{key}"), site="mutual"),
    Way("tunnel, client certificate, 1.2",
        curl("--cert", "{client}", "--key", "{key}", "--tls-max", "1.2"), site="mutual"),
    Way("tunnel, left unused", openssl("-tls1_2", say=b"Q\n"), False, "tunnel"),
    Way("certificate not asked for", curl("--cert", "{client}", "--key", "{key}")),
    Way("SOCKS", curl("-x", "{socks}")),
    Way("borrowed User-Agent, 1.3 only", curl("--tlsv1.3", "-A", CHROME)),
    Way("borrowed User-Agent, urllib3 1",
        over_tls(asks_by(CHROME), ciphers=REQUESTS)),
    Way("borrowed User-Agent, 1.2 only", curl("--tls-max", "1.2", "-A", CHROME)),
    Way("two pages at once, HTTP/2", curl("--http2", "-Z", "{url}?1", "-o", "/dev/null")),
    Way("no tunnel but SSH", tunnelled(other_protocol), site="ssh"),
    Way("http://", curl(scheme="http"), site="plain"),
    Way("http://, keep-alive", connected(asks_twice_plainly), site="plain"),
    Way("http://, 404", requests_plainly(path="/nothing", lines=("Connection: close",)), site="plain"),
    Way("http://, HEAD", requests_plainly(method="HEAD", lines=("Connection: close",)), site="plain"),
    Way("http://, aborted", requests_plainly(path="/big", read=False), site="plain"),
]
