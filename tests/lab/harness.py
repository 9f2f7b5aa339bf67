"""The lab: real programs on loopback, with the proxy between them.

    class Example(harness.Lab):
        def test_page(self):
            server = self.nginx(certificate=harness.leaf("a.localhost"))
            proxy = self.proxy()
            answer = self.curl(f"https://a.localhost:{server.port}/", proxy)
            self.assertEqual((answer.status, answer.body), (200, b"hello\\n"))
            record = proxy.record()

Everything that a test starts is stopped when it ends, however it ends, and the proxy must then exit
with 0. Files are in `self.dir`, which goes away; after a failure every *.log in it is printed first.
Names below .localhost resolve to loopback everywhere.
"""

import atexit
import collections
import contextlib
import datetime
import functools
import grp
import ipaddress
import json
import os
import pwd
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TIMEOUT = 30  # seconds that nothing in the lab takes
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

PROGRAM = os.path.abspath(
    next((path for path in ("./tlsblame", "bazel-bin/tlsblame") if os.path.exists(path)), "tlsblame")
)

# Bazel ends a test that takes too long with SIGTERM; then too, nothing is to be left behind.
signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(1))


def until(condition, what, seconds=TIMEOUT):
    """Waits for what no event tells of; returns what `condition()` returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.005)


def run(*args, check=True, timeout=TIMEOUT, **more):
    """Runs a command to its end; its output is bytes."""
    more.setdefault("stdin", subprocess.DEVNULL if "input" not in more else None)
    done = subprocess.run(args, capture_output=True, timeout=timeout, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{args} ended with {done.returncode}: {done.stderr.decode()}")
    return done


def free_port(host="127.0.0.1"):
    """A port for a server that cannot choose one: outside the range of outgoing connections."""
    while True:
        port = random.randint(20000, 32000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            try:
                s.bind((host, port))
                return port
            except OSError:
                continue


# ---- certificates

Certificate = collections.namedtuple("Certificate", "file key chain")
Certificate.__doc__ = """Names of PEM files: the certificate alone, its private key, and the
certificate with its intermediates, as a server sends it."""

KEYS = {
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ec384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["-algorithm", "ED25519"],
}

CA_EXTENSIONS = ("basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign")

CA_CONFIG = """
[ca]
default_ca = this
[this]
database = {dir}/index.txt
new_certs_dir = {dir}
default_md = sha256
rand_serial = yes
policy = any
unique_subject = no
[any]
commonName = supplied
[extensions]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{extensions}
"""


@functools.cache
def pki_dir():
    """The folder of this program's certificates."""
    path = tempfile.mkdtemp(prefix="lab-pki-", dir=os.environ.get("TEST_TMPDIR"))
    atexit.register(shutil.rmtree, path, True)
    with open(f"{path}/index.txt", "w", encoding="utf-8"):
        pass
    return path


_names = map("{}".format, range(1_000_000))


@functools.cache
def private_key(kind, which=0):
    """A key file; another one for each `which`."""
    path = f"{pki_dir()}/{kind}-{which}.key"
    run("openssl", "genpkey", *KEYS[kind], "-out", path)
    return path


def _stamp(when):
    return when.strftime("%Y%m%d%H%M%SZ")


@functools.cache
def issue(subject, issuer, extensions, kind="ec", which=0, start=None, end=None):
    """A certificate; `issuer` None signs itself. `extensions` are lines of openssl's x509v3_config.
    Same arguments, same certificate."""
    base = f"{pki_dir()}/{next(_names)}"
    key = private_key(kind, which)
    config = CA_CONFIG.format(dir=pki_dir(), extensions="\n".join(extensions))
    with open(f"{base}.cnf", "w", encoding="utf-8") as f:
        f.write(config)
    name = "/CN=" + subject.replace("/", "\\/")
    run("openssl", "req", "-new", "-utf8", "-key", key, "-subj", name, "-out", f"{base}.csr")
    signer = (
        ["-selfsign", "-keyfile", key]
        if issuer is None
        else ["-cert", issuer.file, "-keyfile", issuer.key]
    )
    run(
        *["openssl", "ca", "-batch", "-notext", "-utf8", *signer],
        *["-config", f"{base}.cnf", "-extensions", "extensions"],
        *["-startdate", _stamp(start or NOW - datetime.timedelta(days=1))],
        *["-enddate", _stamp(end or NOW + datetime.timedelta(days=30))],
        *["-in", f"{base}.csr", "-out", f"{base}.pem"],
    )
    with open(f"{base}.chain", "wb") as chain:
        for path in [f"{base}.pem"] + ([issuer.chain] if issuer is not None else []):
            with open(path, "rb") as f:
                chain.write(f.read())
    return Certificate(f"{base}.pem", key, f"{base}.chain")


@functools.cache
def root():
    """The root that the proxy is told to trust. Servers do not send it: its chain is empty."""
    made = issue("Lab Root", None, CA_EXTENSIONS, which="root")
    return made._replace(chain=os.devnull)


def intermediate():
    """A CA below the root."""
    return issue("Lab Intermediate", root(), CA_EXTENSIONS, which="intermediate")


def alt_names(names):
    """The subjectAltName line for DNS names and IP addresses."""
    entries = []
    for name in names:
        try:
            entries.append(f"IP:{ipaddress.ip_address(name)}")
        except ValueError:
            entries.append(f"DNS:{name}")
    return "subjectAltName=" + ",".join(entries)


def leaf(*names, key="ec", issuer=None, start=None, end=None, extensions=(), which=0):
    """A server's certificate for `names`, from the root or from `issuer`."""
    lines = ("basicConstraints=critical,CA:false", "extendedKeyUsage=serverAuth,clientAuth")
    names_line = (alt_names(names),) if names else ()
    subject = (names[0] if names else "nameless")[:64]
    return issue(
        subject, issuer or root(), (*lines, *names_line, *extensions), key, which, start, end
    )


def expired(*names, **more):
    """A leaf that ran out ten days ago."""
    day = datetime.timedelta(days=1)
    return leaf(*names, start=NOW - 40 * day, end=NOW - 10 * day, **more)


def self_signed(*names, key="ec"):
    """A certificate that is its own issuer."""
    lines = ("basicConstraints=critical,CA:false", alt_names(names))
    return issue(names[0], None, lines, key, "self-signed")


def tls_context(certificate, alpn=(), versions=(None, None), ciphers=None):
    """What a Python server needs to speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    context.minimum_version = versions[0] or ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = versions[1] or ssl.TLSVersion.MAXIMUM_SUPPORTED
    if ciphers:
        context.set_ciphers(ciphers)
    return context


# ---- programs

class Program:
    """A server that runs until it is stopped. What it says is in `log`."""

    def __init__(self, args, log, wait_for=None, **more):
        # The kernel ends it when we are gone, however we went.
        self.log = log
        self._seen = threading.Condition()
        self.lines = []
        with open(f"{log}.stderr.log", "wb") as stderr:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *args],
                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": stderr, **more},
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if wait_for is not None:
            try:
                self.started = self.wait_line(wait_for)
            except AssertionError:
                self.stop(signal.SIGKILL)
                raise

    def _read(self):
        with open(f"{self.log}.stdout.log", "wb") as copy:
            for line in self.process.stdout:
                copy.write(line)
                copy.flush()
                with self._seen:
                    self.lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._seen.notify_all()
        with self._seen:
            self.lines.append(None)
            self._seen.notify_all()

    def wait_line(self, part, seconds=TIMEOUT):
        """The first line on standard output that holds `part`."""
        def found():
            return self.lines[-1:] == [None] or any(part in line for line in self.lines)

        with self._seen:
            self._seen.wait_for(found, seconds)
            for line in self.lines:
                if line is not None and part in line:
                    return line
        raise AssertionError(f"{self.process.args} never said {part!r}; {self.stderr()}")

    def stderr(self):
        """What it wrote to standard error so far."""
        with open(f"{self.log}.stderr.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    @property
    def pid(self):
        """Its process id: setpriv becomes the program."""
        return self.process.pid

    def resident(self):
        """Its resident memory in bytes."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, signum=signal.SIGTERM):
        """Ends it, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.process.args} did not stop") from None
        finally:
            self._reader.join(TIMEOUT)
            self.process.stdout.close()
        return status


class Proxy(Program):
    """`tlsblame run` on a free port, with a CA and a log of its own."""

    count = 0

    def __init__(self, directory, *args, policy=None, listen="127.0.0.1:0", trust=None, env=None,
                 command=(), ca_dir=None):
        Proxy.count += 1
        self.name = f"{directory}/proxy{Proxy.count}"
        self.records_file = f"{self.name}.ndjson"
        self.ca_dir = ca_dir or f"{directory}/ca"
        self.ca = f"{self.ca_dir}/ca.pem"
        self.policy_file = f"{self.name}-policy.json"
        options = ["-l", listen, "--ca-dir", self.ca_dir, "--log", self.records_file]
        for file in [root().file] if trust is None else trust:
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
        """Waits for `count` records, ended ones unless told otherwise; more are a failure."""
        def found():
            return [r for r in self.written() if not ended or has_ended(r)]

        records = until(lambda: len(found()) >= count and found(), f"{count} records")
        if len(records) > count:
            raise AssertionError(f"{len(records)} records instead of {count}")
        return records

    def record(self):
        """Waits for the one record."""
        return self.records(1)[0]

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
                record = json.loads(line)
                records.pop(record["id"], None)
                records[record["id"]] = record
    return list(records.values())


def has_ended(record):
    """Whether this is not the line that a long connection gets on its way."""
    return any("end" in leg for leg in record["legs"].values())


BULK = {"raw", "ja3_string", "ja4_string", "certificate_chain", "supported_ciphers"}


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


def read_head(s):
    """Reads an HTTP head, and no byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = s.recv(1)
        if not byte:
            raise AssertionError(f"ended inside the head: {head!r}")
        head += byte
    return head


def read_all(s):
    """Reads to the end."""
    return b"".join(iter(lambda: s.recv(65536), b""))


def read_exactly(s, size):
    """Reads `size` bytes."""
    data = b""
    while len(data) < size:
        piece = s.recv(size - len(data))
        if not piece:
            raise AssertionError(f"ended after {len(data)} of {size} bytes: {data!r}")
        data += piece
    return data


class Service:
    """A server in this program: `handle(connection)` runs in a thread for each connection. What it
    raises fails the test."""

    def __init__(self, handle, context=None, host="127.0.0.1"):
        self.handle, self.context = handle, context
        self.errors, self._threads, self._open = [], [], set()
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
        )
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        self._open.add(connection)
        try:
            with contextlib.ExitStack() as stack:
                stack.callback(self._open.discard, connection)
                stack.enter_context(connection)
                connection.settimeout(TIMEOUT)
                if self.context is not None:
                    connection = stack.enter_context(
                        self.context.wrap_socket(connection, server_side=True)
                    )
                self.handle(connection)
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(error)

    def stop(self):
        """Ends it, once the connections that were served are done; those that hang are cut."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(TIMEOUT)
        for thread in self._threads:
            thread.join(2)
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(TIMEOUT)


Answer = collections.namedtuple("Answer", "exit status body err version connect_status")
Answer.__doc__ = """What curl said: its exit code, HTTP status (0 for none), body, standard error,
HTTP version ("1.1", "2") and the proxy's answer to the CONNECT (0 for none)."""

NGINX = """
user {user} {group};
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log notice;
events {{ worker_connections 2048; }}
http {{
    access_log {dir}/nginx-access.log;
    client_body_temp_path {dir}/nginx-body;
    proxy_temp_path {dir}/nginx-proxy;
    fastcgi_temp_path {dir}/nginx-fastcgi;
    uwsgi_temp_path {dir}/nginx-uwsgi;
    scgi_temp_path {dir}/nginx-scgi;
    types {{ text/html html; text/css css; application/javascript js; image/png png; }}
    default_type text/plain;
    root {dir}/www;
    {http}
    server {{
        listen {listen}{ssl};
        server_name _;
        {server}
    }}
}}
"""


class Nginx(Program):
    """nginx with one server block. Files are served from `www` below its folder."""

    def __init__(self, directory, port, host, ssl_options, http="", server=""):
        self.port = port
        self.dir = directory
        listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        with open(f"{directory}/nginx.conf", "w", encoding="utf-8") as f:
            f.write(NGINX.format(dir=directory, listen=listen, ssl=ssl_options, http=http,
                                 server=server, user=pwd.getpwuid(os.getuid()).pw_name,
                                 group=grp.getgrgid(os.getgid()).gr_name))
        super().__init__(
            ["nginx", "-p", directory, "-e", f"{directory}/nginx-error.log", "-c",
             f"{directory}/nginx.conf"],
            f"{directory}/nginx",
        )
        until(lambda: self.process.poll() is not None or self._listens(host), "nginx to listen")
        if self.process.poll() is not None:
            raise OSError("nginx did not start")

    def _listens(self, host):
        try:
            socket.create_connection((host, self.port), 1).close()
        except ConnectionRefusedError:
            return False
        return True


class Lab(unittest.TestCase):
    """A test case with a folder of its own, servers, the proxy and curl."""

    maxDiff = None

    def run(self, result=None):
        self.dir = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("TEST_TMPDIR"))
        # Programs that give up their rights must be able to enter.
        os.chmod(self.dir, 0o755)
        self._servers = 0
        before = len(result.failures) + len(result.errors)
        try:
            return super().run(result)
        finally:
            if len(result.failures) + len(result.errors) > before:
                self._print_logs()
            shutil.rmtree(self.dir, ignore_errors=True)

    def _print_logs(self):
        for folder, _, files in os.walk(self.dir):
            for name in sorted(files):
                path = os.path.join(folder, name)
                if name.endswith((".log", ".ndjson")) and os.path.getsize(path) != 0:
                    with open(path, encoding="utf-8", errors="replace") as f:
                        text = without_bulk(f) if name.endswith(".ndjson") else f.read()
                    print(f"---- {os.path.relpath(path, self.dir)}\n{text[-20000:]}", flush=True)

    def _folder(self):
        self._servers += 1
        path = f"{self.dir}/server{self._servers}"
        os.makedirs(f"{path}/www")
        return path

    def file(self, name, data=b""):
        """Writes a file and returns its path."""
        path = f"{self.dir}/{name}"
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path

    def proxy(self, *args, **more):
        """Starts the proxy; that it exits with 0 is part of every test."""
        proxy = Proxy(self.dir, *args, **more)
        self.addCleanup(self._stop_proxy, proxy)
        return proxy

    def _stop_proxy(self, proxy):
        if proxy.process.returncode is None:
            self.assertEqual(proxy.stop(), 0, proxy.stderr())

    def program(self, *args, wait_for=None, **more):
        """Starts a server; `wait_for` is what it says on standard output once it is ready."""
        program = Program(args, f"{self._folder()}/{os.path.basename(args[0])}", wait_for, **more)
        self.addCleanup(program.stop, signal.SIGKILL)
        return program

    def nginx(self, certificate=None, http2=False, host="127.0.0.1", server="", http="",
              versions="TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"):
        """Starts nginx, with TLS where there is a certificate. `/` says hello. `server` and `http`
        are more lines for these blocks of its configuration."""
        options = ""
        if certificate is not None:
            options = " ssl http2" if http2 else " ssl"
            server += f"\nssl_certificate {certificate.chain};"
            server += f"\nssl_certificate_key {certificate.key};"
            server += f"\nssl_protocols {versions};"
        folder = self._folder()
        with open(f"{folder}/www/index.html", "w", encoding="utf-8") as f:
            f.write("hello\n")
        for attempt in range(5):
            try:
                nginx = Nginx(folder, free_port(host), host, options, http, server)
                break
            except OSError:
                if attempt == 4:
                    raise
        self.addCleanup(nginx.stop)
        return nginx

    def s_server(self, certificate, *args):
        """Starts `openssl s_server`, whose every page tells of the session."""
        program = self.program(
            *["openssl", "s_server", "-accept", "127.0.0.1:0", "-www"],
            *["-cert", certificate.file, "-cert_chain", certificate.chain, "-key", certificate.key],
            *args,
            wait_for="ACCEPT",
        )
        program.port = int(program.started.rsplit(":", 1)[1])
        return program

    def service(self, handle, certificate=None, host="127.0.0.1", **more):
        """Starts a server in this program, with TLS where there is a certificate."""
        context = tls_context(certificate, **more) if certificate is not None else None
        service = Service(handle, context, host)
        self.addCleanup(self._stop_service, service)
        return service

    def _stop_service(self, service):
        service.stop()
        self.assertEqual(service.errors, [])

    def curl(self, url, proxy, *args, check=True, timeout=TIMEOUT, **more):
        """Asks curl through the proxy, whose CA it trusts."""
        form = "%{stderr}\n%{http_code} %{http_version} %{http_connect}"
        command = [
            *["curl", "-q", "-sS", "--max-time", str(timeout), "-w", form],
            *["-x", proxy.url, "--noproxy", "", "--cacert", proxy.ca, *args, url],
        ]
        done = run(*command, check=False, timeout=timeout + 5, **more)
        err, _, told = done.stderr.decode(errors="replace").rpartition("\n")
        status, version, connect = told.split()
        if check:
            self.assertEqual(done.returncode, 0, f"{command}: {err}")
        return Answer(done.returncode, int(status), done.stdout, err, version, int(connect))
