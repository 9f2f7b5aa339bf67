"""The benchmark: see run.sh and README.md.

Each proxy is asked to do the same things between our own load generator and our own origin, in turn
and several times over: full handshakes on both legs, a bulk download, idle connections. The numbers
are medians; the ratios are taken within the same run.
"""

import argparse
import glob
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEER = os.path.join(TREE, "bazel-bin/tests/bench/peer")
PROGRAM = os.path.join(TREE, "bazel-bin/tlsblame")
MIB = 1024 * 1024


def openssl(*args, **kwargs):
    subprocess.run(["openssl", *args], check=True, stderr=subprocess.DEVNULL, **kwargs)


def make_certificates(folder):
    """A root, an intermediate and a leaf for bench.test and its subdomains, all P-256."""

    def path(name):
        return os.path.join(folder, name)

    def key(name):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path(name + ".key"))

    def sign(name, subject, ca, extensions):
        key(name)
        openssl("req", "-new", "-key", path(name + ".key"), "-subj", subject, "-out", path("csr"))
        with open(path("ext"), "w") as ext:
            ext.write(extensions)
        openssl("x509", "-req", "-in", path("csr"), "-CA", path(ca + ".pem"), "-CAkey",
                path(ca + ".key"), "-CAcreateserial", "-days", "90", "-extfile", path("ext"),
                "-out", path(name + ".pem"))

    key("root")
    openssl("req", "-x509", "-new", "-key", path("root.key"), "-subj", "/CN=Bench Root", "-days",
            "365", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "keyUsage=critical,keyCertSign", "-out", path("root.pem"))
    sign("intermediate", "/CN=Bench Intermediate", "root",
         "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n")
    sign("leaf", "/CN=bench.test", "intermediate",
         "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
         "subjectAltName=DNS:bench.test,DNS:*.bench.test,DNS:localhost,IP:127.0.0.1\n")
    with open(path("chain.pem"), "w") as chain:
        for name in ("leaf", "intermediate"):
            chain.write(open(path(name + ".pem")).read())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    sys.exit(f"nothing listens on port {port}")


def pin(core):
    return lambda: os.sched_setaffinity(0, {core})


def cpu_seconds(pids):
    """CPU time of all threads of `pids`, to the nanosecond."""
    total = 0
    for pid in pids:
        for stat in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            total += int(open(stat).read().split()[0])
    return total / 1e9


def rss_kib(pids):
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


class Target:
    """A proxy under test: `port` takes TLS, or a CONNECT first where `connect` says so."""

    connect = False

    def __init__(self, folder, origin_port, core):
        self.folder, self.origin_port, self.core = folder, origin_port, core
        self.port = free_port()
        self.start()
        wait_port(self.port)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


class Nginx(Target):
    name = "nginx stream"
    tls = "proxy_ssl on; proxy_ssl_name bench.test; proxy_ssl_server_name on; proxy_ssl_verify on;" \
          " proxy_ssl_verify_depth 3; proxy_ssl_trusted_certificate {f}/root.pem;" \
          " proxy_ssl_session_reuse off; proxy_ssl_protocols TLSv1.2 TLSv1.3;"
    listen = "ssl"
    certificates = "ssl_certificate {f}/chain.pem; ssl_certificate_key {f}/leaf.key;" \
                   " ssl_session_tickets off; ssl_session_cache off; ssl_protocols TLSv1.2 TLSv1.3;"

    def start(self):
        f = self.folder
        config = os.path.join(f, f"nginx-{self.port}.conf")
        with open(config, "w") as out:
            out.write(f"""
daemon off; worker_processes 1; pid {f}/nginx-{self.port}.pid; error_log {f}/nginx.log;
worker_rlimit_nofile 20000;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {{ worker_connections 19000; }}
stream {{ server {{
  listen 127.0.0.1:{self.port} {self.listen} backlog=4096;
  {self.certificates.format(f=f)} proxy_pass 127.0.0.1:{self.origin_port}; tcp_nodelay on;
  {self.tls.format(f=f)} proxy_timeout 10m; }} }}""")
        self.process = subprocess.Popen(["nginx", "-c", config, "-p", f], preexec_fn=pin(self.core),
                                        stderr=subprocess.DEVNULL)

    def pids(self):
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        return [int(child) for child in children]


class Relay(Nginx):
    name = "nginx TCP relay"
    tls = certificates = listen = ""


class Tlsblame(Target):
    name = "tlsblame"
    connect = True
    policy = None

    def start(self):
        f = self.folder
        environment = dict(os.environ, SSLKEYLOGFILE="")
        arguments = [PROGRAM, "run", "-q", "-l", f"127.0.0.1:{self.port}", "--ca-dir", f"{f}/ca",
                     "--log", f"{f}/log-{self.port}.ndjson", "--trust", f"{f}/root.pem"]
        if self.policy is not None:
            path = os.path.join(f, f"policy-{self.port}.json")
            json.dump(self.policy, open(path, "w"))
            arguments += ["--policy", path]
        self.process = subprocess.Popen(arguments, preexec_fn=pin(self.core), env=environment,
                                        stdout=subprocess.DEVNULL)

    def pids(self):
        return [self.process.pid]


class Tunnel(Tlsblame):
    name = "tlsblame tunnel"
    policy = {"default": {"action": "tunnel"}}


def load_arguments(target, **options):
    arguments = [PEER, "load", f"connect=127.0.0.1:{target.port}"]
    if target.connect:
        arguments.append(f"target=localhost:{target.origin_port}")
    return arguments + [f"{key}={value}" for key, value in options.items()]


def load(target, core, **options):
    """Runs a load and returns its report with the CPU seconds of the target."""
    before = cpu_seconds(target.pids())
    done = subprocess.run(load_arguments(target, **options), stdout=subprocess.PIPE, check=True,
                          preexec_fn=pin(core))
    report = json.loads(done.stdout)
    report["cpu"] = cpu_seconds(target.pids()) - before
    return report


def idle(target, core, count):
    """KiB of memory that each idle connection adds."""
    before = rss_kib(target.pids())
    process = subprocess.Popen(load_arguments(target, count=count, parallel=64, hold=1),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=pin(core))
    process.stdout.readline()
    kib = (rss_kib(target.pids()) - before) / count
    process.stdin.close()
    process.wait(60)
    return kib


def median(values):
    return statistics.median(values) if values else float("nan")


def measure(targets, core, rounds, connections, bulk, held):
    results = {target.name: {} for target in targets}

    def keep(target, what, value):
        results[target.name].setdefault(what, []).append(value)

    for target in targets:
        load(target, core, count=200, parallel=16)
    for number in range(rounds):
        for target in targets:
            print(f"  round {number + 1} of {rounds}: {target.name}", file=sys.stderr, flush=True)
            if not isinstance(target, (Relay, Tunnel)):
                for version in ("1.3", "1.2"):
                    report = load(target, core, count=connections, version=version)
                    keep(target, f"us/conn TLS {version}", report["cpu"] / connections * 1e6)
                if isinstance(target, Tlsblame):
                    report = load(target, core, count=connections, hosts=1000000,
                                  sni=f"h%d-{number}.bench.test")
                    keep(target, "us/conn new host", report["cpu"] / connections * 1e6)
            report = load(target, core, count=4, parallel=4, bytes=bulk // 4)
            keep(target, "s/GB", report["cpu"] / (bulk / 1e9))
    for target in targets:
        if not isinstance(target, (Relay, Tunnel)):
            keep(target, "KiB/idle", idle(target, core, held))
    return {name: {what: median(values) for what, values in rows.items()}
            for name, rows in results.items()}


COLUMNS = ["us/conn TLS 1.3", "us/conn TLS 1.2", "us/conn new host", "s/GB", "KiB/idle"]


def table(results):
    width = max(len(name) for name in results)
    print(f"{'':{width}}  " + "".join(f"{column:>18}" for column in COLUMNS))
    for name, row in results.items():
        cells = [f"{row[column]:18.2f}" if column in row else f"{'':>18}" for column in COLUMNS]
        print(f"{name:{width}}  " + "".join(cells))
    for ours, theirs in (("tlsblame", "nginx stream"), ("tlsblame tunnel", "nginx TCP relay")):
        a, b = results[ours], results[theirs]
        cells = [f"{a[column] / b[column]:17.2f}x" if column in a and column in b else f"{'':>18}"
                 for column in COLUMNS]
        print(f"{ours} / {theirs}".ljust(width) + "\n" + " " * (width + 2) + "".join(cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds, rough numbers")
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cores = sorted(os.sched_getaffinity(0))
    proxy_core, other_core = cores[0], cores[-1]
    size = {"rounds": 1, "connections": 500, "bulk": 256 * MIB, "held": 200} if options.quick else \
        {"rounds": 5, "connections": 2000, "bulk": 1024 * MIB, "held": 2000}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        origin = subprocess.Popen([PEER, "origin", "0", f"{folder}/chain.pem", f"{folder}/leaf.key"],
                                  stdout=subprocess.PIPE, preexec_fn=pin(other_core))
        targets = []
        try:
            port = int(origin.stdout.readline())
            targets = [kind(folder, port, proxy_core) for kind in (Tlsblame, Nginx, Tunnel, Relay)]
            results = measure(targets, other_core, **size)
        finally:
            for target in targets:
                target.stop()
            origin.kill()
            origin.wait()
    table(results)
    if options.json:
        json.dump(results, open(options.json, "w"), indent=2)


if __name__ == "__main__":
    main()
