"""Real programs that inspect TLS, before the proxy and behind it: mitmproxy, squid, sslsplit.

Each ends TLS on both sides and signs with a CA of its own, `inspection_ca()`.
"""

import collections
import os
import shutil
import socket
import tempfile
import threading

from tests.lab import harness
from tests.lab.servers import HOST, listening, pour, quietly

HOSTS = ("127.0.0.1 localhost a.localhost b.localhost c.localhost d.localhost "
         "old.localhost wrong.localhost self.localhost\n")
CERTGEN = "/usr/lib/squid/security_file_certgen"

Inspector = collections.namedtuple("Inspector", "port ca program", defaults=(None,))
Inspector.__doc__ = """Where it listens, the file with the certificate of its CA, and what to stop before
the thread ends that started it: the kernel kills it then."""


MAKING = threading.Lock()


def inspection_ca(name="Inspection CA"):
    """The CA of a box. Clients that start a box run at once."""
    with MAKING:
        return harness.issue(name, None, harness.CA_EXTENSIONS, kind="rsa", which="inspection")


def readable_folder(lab):
    """A folder that programs without rights can enter: of those on the way to the test's own some
    are for root alone."""
    folder = tempfile.mkdtemp(prefix="lab-box-", dir="/tmp")
    lab.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    return folder


def own_ca(folder, ca):
    """A file with the CA's key and certificate."""
    with open(f"{folder}/ca.pem", "w", encoding="ascii") as out:
        for path in ca.key, ca.file:
            with open(path, encoding="ascii") as f:
                out.write(f.read())
    return f"{folder}/ca.pem"


def knows_names(folder):
    """What a program is run with so that it resolves the lab's names."""
    with open(f"{folder}/hosts", "w", encoding="ascii") as f:
        f.write(HOSTS)
    return ["unshare", "--mount", "sh", "-c",
            f'mount --bind {folder}/hosts /etc/hosts && exec "$@"', "sh"]


def mitmproxy(*settings, parent=None, trust=harness.root, name="Inspection CA"):
    """mitmproxy as an HTTP proxy. It trusts the certificate that `trust()` returns."""
    def start(lab):
        folder, port, made = readable_folder(lab), harness.free_port(), inspection_ca(name)
        os.rename(own_ca(folder, made), f"{folder}/mitmproxy-ca.pem")
        mode = ["--mode", f"upstream:{parent}"] if parent else []
        options = [f"confdir={folder}", *settings,
                   f"ssl_verify_upstream_trusted_ca={trust().file}"]
        lab.program(*knows_names(folder), "mitmdump", "-q", *mode, "--listen-host", "127.0.0.1",
                    "-p", str(port), *[word for option in options for word in ("--set", option)])
        listening(port)
        return Inspector(port, made.file)
    return start


SQUID = """
http_port 127.0.0.1:{port} ssl-bump cert={ca} generate-host-certificates=on {listen}
sslcrtd_program {certgen} -s {folder}/db -M 4MB
sslcrtd_children 1
tls_outgoing_options cafile={trust} {outgoing}
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump all
http_access allow all
cache deny all
cache_mem 8 MB
access_log none
cache_log {folder}/cache-log
pid_filename none
coredump_dir none
hosts_file {folder}/hosts
max_filedescriptors 1024
shutdown_lifetime 0 seconds
workers 1
{more}
"""


def squid(listen="", outgoing="", more="", trust=harness.root, parent=None, name="Inspection CA"):
    """Squid with ssl-bump as an HTTP proxy; `listen` and `outgoing` are options of its two TLS
    sides."""
    def start(lab):
        folder, port, made = readable_folder(lab), harness.free_port(), inspection_ca(name)
        knows_names(folder)
        if parent:
            host, at = parent.rsplit("/", 1)[1].rsplit(":", 1)
            extra = f"cache_peer {host} parent {at} 0 no-query default\nnever_direct allow all\n"
        else:
            extra = ""
        harness.run(CERTGEN, "-c", "-s", f"{folder}/db", "-M", "4MB")
        with open(f"{folder}/squid.conf", "w", encoding="ascii") as f:
            f.write(SQUID.format(port=port, ca=own_ca(folder, made), certgen=CERTGEN, listen=listen,
                                 folder=folder, outgoing=outgoing, more=more + extra,
                                 trust=copied(folder, trust().file)))
        if os.geteuid() == 0:  # it becomes the user proxy
            for at, _, files in os.walk(folder):
                for path in [at] + [os.path.join(at, file) for file in files]:
                    shutil.chown(path, "proxy")
        lab.program("squid", "-N", "-f", f"{folder}/squid.conf")
        listening(port)
        return Inspector(port, made.file)
    return start


def copied(folder, path):
    """A copy that others can read."""
    copy = shutil.copy(path, f"{folder}/trusted.pem")
    os.chmod(copy, 0o644)
    return copy


def sslsplit(port_behind, name="Inspection CA"):
    """sslsplit, which sends every connection to one port and verifies nobody."""
    def start(lab):
        folder, port, made = readable_folder(lab), harness.free_port(), inspection_ca(name)
        own_ca(folder, made)
        os.chmod(f"{folder}/ca.pem", 0o644)
        # Its child must not hold the pipe that the test reads.
        program = lab.program(
            "sh", "-c", f"exec sslsplit -D -k {folder}/ca.pem -c {folder}/ca.pem "
                        f"ssl 127.0.0.1 {port} 127.0.0.1 {port_behind} >/dev/null 2>&1")
        lab.addCleanup(program.stop)  # kindly: killed, it would leave its child behind
        listening(port)
        return Inspector(port, made.file, program)
    return start


def intercepted(server):
    """`server` with sslsplit right before it."""
    return lambda lab: (HOST, sslsplit(server(lab)[1])(lab).port)


def trusting(lab):
    """The setup of a proxy that trusts the box as well."""
    del lab
    return (), {"trust": [harness.root().file, inspection_ca().file]}


def parent(box, trusted=True):
    """The setup of a proxy that goes through a box: for `Scenario.setup`."""
    def setup(lab):
        made = box(lab)
        trust = [harness.root().file] + ([made.ca] if trusted else [])
        return ["--parent", f"http://127.0.0.1:{made.port}"], {"trust": trust}
    return setup


def before(box, *args, trust=True):
    """curl, whose proxy is a box that goes through ours; `box(lab, proxy)` starts it."""
    def run(lab, proxy, target):
        made = box(lab, proxy)
        known = ["--cacert", made.ca] if trust else []
        harness.run("curl", "-q", "-sS", "--max-time", "8", "--noproxy", "", "-x",
                    f"http://127.0.0.1:{made.port}", *known, *args, "https://%s:%d/" % target,
                    check=False)
    return run


def ours(proxy):
    """What a box trusts that knows our CA."""
    return lambda: harness.Certificate(proxy.ca, None, None)


def mitmproxy_before(*settings, trusts=True):
    """What `before` takes: mitmproxy, which trusts our CA or does not."""
    return lambda lab, proxy: mitmproxy(
        *settings, parent=proxy.url, trust=ours(proxy) if trusts else harness.root)(lab)


def squid_before(trusts=True, **more):
    """What `before` takes: Squid, which trusts our CA or does not."""
    return lambda lab, proxy: squid(
        parent=proxy.url, trust=ours(proxy) if trusts else harness.root, **more)(lab)


def sslsplit_before(*args, trust=True):
    """curl, and sslsplit on its way to our proxy, which knows no proxies: a door says CONNECT."""
    def run(lab, proxy, target):
        def handle(s):
            with proxy.connect("%s:%d" % target) as up:
                back = threading.Thread(target=quietly, args=(lambda u: pour(u, s), up), daemon=True)
                back.start()
                quietly(lambda t: pour(t, up), s)
                quietly(lambda u: u.shutdown(socket.SHUT_WR), up)
                back.join(harness.TIMEOUT)

        made = sslsplit(lab.service(lambda s: quietly(handle, s)).port)(lab)
        known = ["--cacert", made.ca] if trust else []
        harness.run("curl", "-q", "-sS", "--max-time", "8", "--noproxy", "*", *known, "--connect-to",
                    f"::127.0.0.1:{made.port}", *args, "https://%s:%d/" % target, check=False)
        made.program.stop()
    return run
