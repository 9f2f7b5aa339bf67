"""The lab: real programs on loopback, with the proxy between them.

    class Example(harness.Lab):
        def test_page(self):
            server = self.nginx(certificate=harness.leaf("a.localhost"))
            proxy = self.proxy()
            answer = self.curl(f"https://a.localhost:{server.port}/", proxy)
            self.assertEqual((answer.status, answer.body), (200, b"hello\\n"))
            record = proxy.record()

Everything that a test starts is stopped when it ends, however it ends, and the proxy must then exit
with 0. Files are in `self.dir`, which goes away; after a failure every log in it is printed first.
Names below .localhost resolve to loopback everywhere.
"""

import collections
import itertools
import os
import shutil
import signal
import tempfile
import unittest

# Tests import this module alone.
from tests.lab.pki import (
    CA_EXTENSIONS,
    NOW,
    Certificate,
    authority,
    expired,
    intermediate,
    issue,
    leaf,
    root,
    self_signed,
    tls_context,
)
from tests.lab.program import (
    TIMEOUT,
    Nginx,
    Program,
    Service,
    clock,
    free_port,
    read_all,
    read_exactly,
    read_head,
    reset,
    run,
    send_apart,
    splice,
    until,
)
from tests.lab.proxy import (
    PROGRAM,
    Proxy,
    covered,
    field,
    flat,
    has_ended,
    read_log,
    sanitized,
    without_bulk,
)

Answer = collections.namedtuple("Answer", "exit status body err version connect_status")
Answer.__doc__ = """What curl said: its exit code, HTTP status (0 for none), body, standard error,
HTTP version ("1.1", "2") and the proxy's answer to the CONNECT (0 for none)."""


class Lab(unittest.TestCase):
    """A test case with a folder of its own, servers, the proxy and curl."""

    maxDiff = None

    def run(self, result=None):
        self.dir = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("TEST_TMPDIR"))
        # Programs that give up their rights must be able to enter.
        os.chmod(self.dir, 0o755)
        self._servers = itertools.count(1)
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
        path = f"{self.dir}/server{next(self._servers)}"
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
        with open(certificate.file, "rb") as leaf_file, open(certificate.chain, "rb") as chain_file:
            rest = chain_file.read().replace(leaf_file.read(), b"")
        above = ["-cert_chain", self.file("above.pem", rest)] if rest else []
        program = self.program(
            *["openssl", "s_server", "-accept", "127.0.0.1:0", "-www"],
            *["-cert", certificate.file, *above, "-key", certificate.key],
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
