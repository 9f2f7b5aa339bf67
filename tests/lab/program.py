"""Programs that run while a test does, and how to talk with them."""

import contextlib
import glob
import grp
import os
import pwd
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

TIMEOUT = 20  # seconds that nothing in the lab takes

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


def clock(offset):
    """What to put before a command so that its clock is that far off: "+5y". The `faketime` command
    does not start where one before it, of the same process id in another namespace, was killed."""
    [library] = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return "env", f"LD_PRELOAD={library}", f"FAKETIME={offset}"


_claims = []


def free_port(host="127.0.0.1"):
    """A port for a server that cannot choose one: outside the range of outgoing connections, and
    claimed, by a name that ends with us, so that no other test takes it meanwhile."""
    while True:
        port = random.randint(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            try:
                claim.bind(f"\0lab-port-{port}")
                s.bind((host, port))
                _claims.append(claim)
                return port
            except OSError:
                claim.close()


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


def unread(here, there):
    """How many bytes that came from port `here` the program at port `there` has not read yet."""
    for table in "tcp", "tcp6":
        with open(f"/proc/net/{table}", encoding="ascii") as f:
            for row in f.readlines()[1:]:
                _, local, remote, _, queues, *_ = row.split()
                if (int(local[-4:], 16), int(remote[-4:], 16)) == (there, here):
                    return int(queues.split(":")[1], 16)
    return 0


def send_apart(s, pieces):
    """Sends pieces that are read one by one: each one once the piece before it has been read."""
    here, there = s.getsockname()[1], s.getpeername()[1]
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        until(lambda: unread(here, there) == 0, "the piece before to be read")
        s.sendall(piece)


def splice(a, b):
    """Passes bytes between two sockets, half-close too, until both have ended. Returns what `a`
    said, and what `b` said."""
    def one_way(source, sink, seen):
        with contextlib.suppress(OSError):
            for data in iter(lambda: source.recv(65536), b""):
                seen.append(data)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    of_a, of_b = [], []
    other = threading.Thread(target=one_way, args=(b, a, of_b), daemon=True)
    other.start()
    one_way(a, b, of_a)
    other.join(TIMEOUT)
    return b"".join(of_a), b"".join(of_b)


def reset(connection):
    """Ends a connection with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Program:
    """A server that runs until it is stopped. What it says is in `log`."""

    def __init__(self, args, log, wait_for=None, **more):
        self.log = log
        self._seen = threading.Condition()
        self.lines = []
        with open(f"{log}.stderr.log", "wb") as stderr:
            # The kernel ends it when we are gone, however we went.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *args],
                **{"stdin": subprocess.DEVNULL, **more},
                stdout=subprocess.PIPE,
                stderr=stderr,
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

    def join(self):
        """Waits until every connection that was served is done."""
        for thread in list(self._threads):
            thread.join(TIMEOUT)

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
