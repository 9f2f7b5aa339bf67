"""When the machine says no: descriptors, permissions, ports, disks, and kill -9."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from tests.lab import harness
from tests.lab.bystander import Bystander

HOST = "a.localhost"
EXIT_ENVIRONMENT = 3


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Refused(harness.Lab):
    """`run` does not start, says why and what to do, and exits with 3."""

    def refused(self, *args, command=(), program=harness.PROGRAM, says=()):
        """Runs the proxy, which must end by itself."""
        done = harness.run(
            *command, program, "run", "-l", "127.0.0.1:0", "--ca-dir", f"{self.dir}/ca",
            "--log", f"{self.dir}/log", *args, check=False,
        )
        err = done.stderr.decode()
        self.assertEqual(done.returncode, EXIT_ENVIRONMENT, err)
        self.assertEqual(err.count("\n"), 1, err)
        for part in says:
            self.assertIn(part, err)

    def test_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused("-l", address, says=(address, "--listen"))
        proxy = self.proxy()
        self.refused("-l", f"127.0.0.1:{proxy.port}", says=("another program",))
        self.refused("-l", f"127.0.0.1:{proxy.port}", "--workers", "2", says=("another program",))

    def test_no_permission(self):
        # Bazel's folders are not for everybody to enter.
        base = tempfile.mkdtemp(prefix="lab-", dir="/tmp")
        self.addCleanup(shutil.rmtree, base)
        os.chmod(base, 0o755)
        program = shutil.copy(harness.PROGRAM, base)
        nobody = ("setpriv", "--reuid", "65534", "--clear-groups", "--")
        mine, own = f"{base}/mine", f"{base}/nobodys"
        os.mkdir(mine, 0o700)
        os.mkdir(own)
        os.chown(own, 65534, 65534)
        self.refused("--ca-dir", f"{own}/ca", "--log", f"{mine}/log", command=nobody,
                     program=program, says=(mine, "Permission denied"))
        self.refused("--ca-dir", f"{mine}/ca", "--log", f"{own}/log", command=nobody,
                     program=program, says=(mine, "Permission denied"))

    def test_log_is_a_folder(self):
        self.refused("--log", self.dir, says=(self.dir, "Is a directory"))

    def test_too_few_descriptors(self):
        self.refused(command=("prlimit", "--nofile=8"), says=("Too many open files",))


class Running(harness.Lab):
    """The proxy runs on whatever happens."""

    def visit(self, proxy, port, **more):
        """One ordinary connection."""
        return self.curl(f"https://{HOST}:{port}/", proxy, **more)

    def test_no_free_descriptors(self):
        """More clients than descriptors: they wait, the others go on, and it recovers."""
        port = self.nginx(harness.leaf(HOST)).port
        for limit in 24, 40, 80:
            proxy = self.proxy(command=("prlimit", f"--nofile={limit}", "--"))
            with contextlib.ExitStack() as stack:
                self.visit(proxy, port)
                for _ in range(limit + 20):
                    s = stack.enter_context(socket.socket())
                    s.settimeout(harness.TIMEOUT)
                    s.connect((proxy.host, proxy.port))
                    s.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\n\r\n".encode())
                harness.until(lambda: "descriptors" in proxy.stderr() or "ulimit -n" in proxy.stderr(),
                              "a warning")
            self.visit(proxy, port)
            self.assertLess(proxy.stderr().count("\n"), 4, proxy.stderr())

    def test_descriptors_run_out_while_dialling(self):
        """The client is told that it is the proxy."""
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy()
        with proxy.connect(f"{HOST}:{port}"), socket.socket() as s:
            most = max(map(int, os.listdir(f"/proc/{proxy.pid}/fd")))
            harness.run("prlimit", "--pid", str(proxy.pid), f"--nofile={most + 2}:4096")
            s.connect((proxy.host, proxy.port))
            s.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\n\r\n".encode())
            answer = harness.read_all(s)
            self.assertEqual(answer[:12], b"HTTP/1.1 502")
            self.assertIn(b"proxy-overload-or-timeout", answer)
            harness.run("prlimit", "--pid", str(proxy.pid), "--nofile=1024:4096")
        self.visit(proxy, port)

    def test_bystander_without_descriptors(self):
        proxy = self.proxy(command=("prlimit", "--nofile=80", "--"))
        with Bystander(self, proxy), contextlib.ExitStack() as stack:
            for _ in range(100):
                s = stack.enter_context(socket.socket())
                s.connect((proxy.host, proxy.port))
                s.sendall(b"CONNECT a.loc")
            time.sleep(0.2)

    def test_full_disk(self):
        """Earlier lines stay whole, a warning comes, and later lines are written once there is
        space again."""
        folder = f"{self.dir}/small"
        os.mkdir(folder)
        harness.run("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder)
        self.addCleanup(harness.run, "umount", "-l", folder)
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy("--log", f"{folder}/log")
        log = f"{folder}/log"
        with Bystander(self, proxy):
            self.visit(proxy, port)
            harness.until(lambda: harness.read_log(log), "a record")
            with open(f"{folder}/ballast", "wb") as ballast, contextlib.suppress(OSError):
                while True:
                    os.write(ballast.fileno(), bytes(4096))
            for _ in range(20):
                self.visit(proxy, port)
            harness.until(lambda: "No space left" in proxy.stderr(), "a warning")
            whole = len(self.lines(log))
            self.assertLess(whole, 21)
            os.remove(f"{folder}/ballast")
            self.visit(proxy, port)
            harness.until(lambda: len(self.lines(log)) > whole, "a later record")
            harness.until(lambda: "takes records again" in proxy.stderr(), "the end of the warning")
        proxy.stop()
        self.lines(log)

    def lines(self, log):
        """The records, each line of which must be whole once the file ends in a newline."""
        with open(log, encoding="utf-8") as f:
            text = f.read()
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def test_killed(self):
        """After kill -9 the log is readable, and so it is after a half line."""
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy()
        for _ in range(3):
            self.visit(proxy, port)
        proxy.records(3)
        self.assertEqual(proxy.stop(signal.SIGKILL), -signal.SIGKILL)
        with open(proxy.records_file, "ab") as f:
            f.write(b'{"@timestamp": "2026-01-01T00:00:00.000Z", "schema": "1.0", "id": "half')
        again = self.proxy("--log", proxy.records_file)
        self.visit(again, port)
        again.stop()
        listed = harness.run(harness.PROGRAM, "list", "--json", "--log", proxy.records_file,
                             check=False)
        self.assertEqual(len(listed.stdout.splitlines()), 4, listed.stderr)
        self.assertRegex(listed.stderr.decode(), r"\b4\b.*\n")

    def test_log_size(self):
        """A log that is long enough is put aside, and the oldest of those is given up."""
        port = self.nginx(harness.leaf(HOST)).port
        proxy = self.proxy("--log-size", "1", "--log-keep", "2")
        log = proxy.records_file
        aside = [f"{log}.{i}" for i in (1, 2)]
        for first in "abc":
            with open(log, "ab") as f:  # what another run left
                f.write((json.dumps({"id": first * 16, "pad": "x" * (1 << 20)}) + "\n").encode())
            proxy.process.send_signal(signal.SIGHUP)  # so that it knows of that
            self.visit(proxy, port)
            harness.until(lambda: os.path.exists(aside[0]) and first * 16 in read(aside[0]),
                          "the log to be put aside")
        self.assertIn("b" * 16, read(aside[1]))
        self.assertFalse(os.path.exists(f"{log}.3"))

    def test_killed_while_busy(self):
        """Every line but the last is whole, at any moment."""
        port = self.nginx(harness.leaf(HOST)).port
        for _ in range(3):
            proxy = self.proxy()
            urls = [f"https://{HOST}:{port}/?[1-200]"]
            with subprocess.Popen(
                ["curl", "-q", "-sS", "-Z", "--no-keepalive", "-H", "Connection: close", "-x",
                 proxy.url, "--cacert", proxy.ca, "-o", "/dev/null", *urls],
                stderr=subprocess.DEVNULL,
            ) as curl:
                harness.until(lambda: len(proxy.written()) > 5, "some records")
                proxy.stop(signal.SIGKILL)
                curl.wait(harness.TIMEOUT)
            self.lines(proxy.records_file)

    def test_memory_stays(self):
        """Some thousand connections, good and bad, leave nothing behind."""
        port = self.nginx(harness.leaf(HOST), http="keepalive_requests 1;").port
        proxy = self.proxy("--quiet", "--log", "/dev/null")

        def rounds(count):
            done = harness.run(
                *["curl", "-q", "--no-progress-meter", "-Z", "--parallel-max", "20", "-x", proxy.url],
                *["--cacert", proxy.ca, "-o", "/dev/null", f"https://{HOST}:{port}/?[1-{count}]"],
                timeout=120,
            )
            self.assertEqual(done.stderr, b"")
            harness.until(lambda: len(os.listdir(f"/proc/{proxy.pid}/fd")) < 40, "all to be closed")
            return proxy.resident()

        first = rounds(300)
        last = rounds(1000)
        if not harness.sanitized():
            self.assertLess(last - first, 4 << 20, f"{first} {last}")
