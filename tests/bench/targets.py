"""The proxies that the benchmark measures, each behind the same few methods."""

import contextlib
import glob
import json
import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEER = os.path.join(TREE, "bazel-bin/tests/bench/peer")
PROGRAM = os.path.join(TREE, "bazel-bin/tlsblame")


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
    for name, parts in (("chain.pem", ("leaf.pem", "intermediate.pem")),
                        ("haproxy.pem", ("leaf.pem", "intermediate.pem", "leaf.key")),
                        ("mitm.pem", ("root.key", "root.pem"))):
        with open(path(name), "w") as out:
            for part in parts:
                out.write(open(path(part)).read())


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
    raise TimeoutError(f"nothing listens on port {port}")


def pin(core):
    """Keeps a process to one core, or to a set of them."""
    cores = core if isinstance(core, set) else {core}
    return lambda: os.sched_setaffinity(0, cores)


@contextlib.contextmanager
def origin(core):
    """Starts the origin on this core, with certificates that it makes in a folder: (folder, port). This
    program and all that it starts may have as many descriptors as the machine allows."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        process = subprocess.Popen([PEER, "origin", "0", f"{folder}/chain.pem",
                                    f"{folder}/leaf.key", f"{folder}/intermediate.key"],
                                   stdout=subprocess.PIPE, preexec_fn=pin(core))
        try:
            yield folder, int(process.stdout.readline())
        finally:
            process.kill()
            process.wait()


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
    tls = True       # it terminates both legs
    mints = False    # it makes a leaf for each host
    holds = True     # its server leg is open while the client's is idle
    program = None
    scale = 1        # of the work that it is given: the slow ones get less

    def __init__(self, folder, origin_port, core):
        self.folder, self.origin_port, self.core = folder, origin_port, core
        self.port = free_port()
        self.start()
        wait_port(self.port)

    def spawn(self, *arguments, **more):
        """Starts the proxy on its core, in a process group of its own. A session of its own would have
        the kernel give two processes twice the share that it gives to one."""
        log = open(self.path("log"), "wb")
        self.process = subprocess.Popen(arguments, preexec_fn=pin(self.core), stdout=log, stderr=log,
                                        process_group=0, **more)

    def path(self, name):
        return os.path.join(self.folder, f"{type(self).__name__}-{name}")

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
        return self.path(name)

    def pids(self):
        """All processes of the proxy."""
        found = [self.process.pid]
        for pid in found:
            with open(f"/proc/{pid}/task/{pid}/children") as children:
                found += [int(child) for child in children.read().split()]
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    @classmethod
    def missing(cls):
        return cls.program is not None and shutil.which(cls.program) is None


class Nginx(Target):
    name = "nginx stream"
    program = "nginx"
    listen = "ssl"
    certificates = "ssl_certificate {f}/chain.pem; ssl_certificate_key {f}/leaf.key;" \
                   " ssl_session_tickets off; ssl_session_cache off; ssl_protocols TLSv1.2 TLSv1.3;"
    upstream = "proxy_ssl on; proxy_ssl_name bench.test; proxy_ssl_server_name on;" \
               " proxy_ssl_verify on; proxy_ssl_verify_depth 3;" \
               " proxy_ssl_trusted_certificate {f}/root.pem; proxy_ssl_session_reuse off;" \
               " proxy_ssl_protocols TLSv1.2 TLSv1.3;"

    def start(self):
        f = self.folder
        config = self.write("conf", f"""
daemon off; worker_processes 1; pid {self.path("pid")}; error_log {self.path("errors")};
worker_rlimit_nofile 20000;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {{ worker_connections 19000; }}
stream {{ server {{
  listen 127.0.0.1:{self.port} {self.listen} backlog=4096;
  {self.certificates.format(f=f)} proxy_pass 127.0.0.1:{self.origin_port}; tcp_nodelay on;
  {self.upstream.format(f=f)} proxy_timeout 10m; }} }}""")
        self.spawn("nginx", "-c", config, "-p", f)


class NginxRelay(Nginx):
    name = "nginx TCP relay"
    tls = False
    upstream = certificates = listen = ""


class SpliceRelay(Target):
    name = "splice relay"
    tls = False

    def start(self):
        self.spawn(PEER, "relay", str(self.port), f"127.0.0.1:{self.origin_port}")


class Haproxy(Target):
    name = "HAProxy"
    program = "haproxy"

    def start(self):
        f = self.folder
        config = self.write("conf", f"""
global
  nbthread 1
  maxconn 9900
  tune.ssl.cachesize 0
  ssl-default-bind-options no-tls-tickets
defaults
  mode tcp
  timeout connect 10s
  timeout client 10m
  timeout server 10m
frontend front
  bind 127.0.0.1:{self.port} ssl crt {f}/haproxy.pem backlog 4096
  default_backend back
backend back
  server origin 127.0.0.1:{self.origin_port} ssl verify required ca-file {f}/root.pem sni str(bench.test) no-ssl-reuse no-tls-tickets
""")
        self.spawn("haproxy", "-db", "-f", config)


class Nghttpx(Target):
    name = "nghttpx"
    program = "nghttpx"
    holds = False

    def start(self):
        f = self.folder
        self.spawn("nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{self.port}",
                   f"--backend=127.0.0.1,{self.origin_port};;tls;sni=bench.test;proto=http/1.1",
                   f"--cacert={f}/root.pem", "--workers=1", "--tls-max-proto-version=TLSv1.3",
                   "--rlimit-nofile=19000", "--backlog=4096", "--accesslog-file=/dev/null",
                   "--backend-connections-per-host=19000", "--no-http2-cipher-block-list",
                   f"{f}/leaf.key", f"{f}/chain.pem", pass_fds=())


class Sslsplit(Target):
    name = "sslsplit"
    program = "sslsplit"
    mints = True

    def start(self):
        f = self.folder
        self.spawn("sslsplit", "-k", f"{f}/root.key", "-c", f"{f}/root.pem", "-P",
                   "-u", "root" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name,
                   "ssl", "127.0.0.1", str(self.port), "127.0.0.1", str(self.origin_port))


class Squid(Target):
    name = "Squid ssl-bump"
    scale = 0.25
    program = "squid"
    connect = True
    mints = True
    certgen = "/usr/lib/squid/security_file_certgen"

    def start(self):
        f = self.folder
        shutil.rmtree(self.path("db"), ignore_errors=True)
        subprocess.run([self.certgen, "-c", "-s", self.path("db"), "-M", "16MB"], check=True,
                       stdout=subprocess.DEVNULL)
        owner = "proxy" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            for at, _, files in os.walk(self.path("db")):
                for name in [at] + [os.path.join(at, file) for file in files]:
                    shutil.chown(name, owner)
        config = self.write("conf", f"""
http_port 127.0.0.1:{self.port} ssl-bump cert={f}/mitm.pem generate-host-certificates=on dynamic_cert_mem_cache_size=16MB
sslcrtd_program {self.certgen} -s {self.path("db")} -M 16MB
sslcrtd_children 1
tls_outgoing_options cafile={f}/root.pem
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump all
http_access allow all
cache deny all
cache_mem 8 MB
access_log none
cache_log {self.path("cache-log")}
pid_filename {self.path("pid")}
coredump_dir none
max_filedescriptors 20000
workers 1
""")
        for name in ("cache-log",):
            open(self.path(name), "w").close()
            if os.geteuid() == 0:
                shutil.chown(self.path(name), owner)
        self.spawn("squid", "-N", "-f", config)

    @classmethod
    def missing(cls):
        return super().missing() or not os.path.exists(cls.certgen)


class Mitmproxy(Target):
    name = "mitmproxy"
    scale = 0.1
    program = "mitmdump"
    connect = True
    mints = True

    def start(self):
        folder = self.path("conf")
        os.makedirs(folder, exist_ok=True)
        shutil.copy(f"{self.folder}/mitm.pem", f"{folder}/mitmproxy-ca.pem")
        self.spawn("mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", str(self.port), "--set",
                   f"confdir={folder}", "--set",
                   f"ssl_verify_upstream_trusted_ca={self.folder}/root.pem", "--set",
                   "flow_detail=0", "--set", "stream_large_bodies=64k")


class Tlsblame(Target):
    name = "tlsblame"
    connect = True
    mints = True
    policy = None
    workers = 1

    def start(self):
        f = self.folder
        arguments = [PROGRAM, "run", "-q", "-l", f"127.0.0.1:{self.port}", "--ca-dir", f"{f}/ca",
                     "--log", self.path("log.ndjson"), "--trust", f"{f}/root.pem", "--workers",
                     str(self.workers)]
        if self.policy is not None:
            arguments += ["--policy", self.write("policy", json.dumps(self.policy))]
        self.spawn(*arguments, env=dict(os.environ, SSLKEYLOGFILE=""))


class Tunnel(Tlsblame):
    name = "tlsblame tunnel"
    tls = mints = False
    policy = {"default": {"action": "tunnel"}}


class TwoWorkers(Tlsblame):
    name = "tlsblame, two workers"
    workers = 2


class Half(Tlsblame):
    name = "tlsblame, one of two processes"


class OtherHalf(Half):
    name = "tlsblame, the other"


PEERS = (Nginx, Haproxy, Nghttpx, Sslsplit, Squid, Mitmproxy)
RELAYS = (SpliceRelay, NginxRelay)
