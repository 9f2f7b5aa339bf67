"""Certificates for servers, made with openssl, once for each test program."""

import atexit
import collections
import datetime
import functools
import ipaddress
import os
import shutil
import ssl
import tempfile
import threading

from tests.lab.program import run

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

Certificate = collections.namedtuple("Certificate", "file key chain")
Certificate.__doc__ = """Names of PEM files: the certificate alone, its private key, and the
certificate with its intermediates, as a server sends it."""

KEYS = {
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ec384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
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


_making = threading.RLock()


def _made_once(function):
    """Same arguments, same result, and nothing is made beside it: openssl's index is one file."""
    kept = functools.cache(function)

    @functools.wraps(function)
    def call(*args, **more):
        with _making:
            return kept(*args, **more)
    return call


@_made_once
def pki_dir():
    """The folder of this program's certificates."""
    path = tempfile.mkdtemp(prefix="lab-pki-", dir=os.environ.get("TEST_TMPDIR"))
    atexit.register(shutil.rmtree, path, True)
    with open(f"{path}/index.txt", "w", encoding="utf-8"):
        pass
    return path


_names = map("{}".format, range(1_000_000))


@_made_once
def private_key(kind, which=0):
    """A key file; another one for each `which`."""
    path = f"{pki_dir()}/{kind}-{which}.key"
    run("openssl", "genpkey", *KEYS[kind], "-out", path)
    return path


def _stamp(when):
    return when.strftime("%Y%m%d%H%M%SZ")


@_made_once
def issue(subject, issuer, extensions, kind="ec", which=0, start=None, end=None, digest="sha256"):
    """A certificate; `issuer` None signs itself. `extensions` are lines of openssl's x509v3_config.
    Same arguments, same certificate. It does not begin whole days ago, as those of boxes do."""
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
        *["-config", f"{base}.cnf", "-extensions", "extensions", "-md", digest],
        *["-startdate", _stamp(start or NOW - datetime.timedelta(hours=30))],
        *["-enddate", _stamp(end or NOW + datetime.timedelta(days=30))],
        *["-in", f"{base}.csr", "-out", f"{base}.pem"],
    )
    with open(f"{base}.chain", "wb") as chain:
        for path in [f"{base}.pem"] + ([issuer.chain] if issuer is not None else []):
            with open(path, "rb") as f:
                chain.write(f.read())
    return Certificate(f"{base}.pem", key, f"{base}.chain")


@_made_once
def root():
    """The root that the proxy is told to trust. Servers do not send it: its chain is empty."""
    made = issue("Lab Root", None, CA_EXTENSIONS, which="root")
    return made._replace(chain=os.devnull)


def intermediate():
    """A CA below the root."""
    return issue("Lab Intermediate", root(), CA_EXTENSIONS, which="intermediate")


def authority(name, *extensions, issuer=None, **more):
    """Another CA below the root or `issuer`, with `extensions` instead of the usual ones."""
    return issue(name, issuer or root(), extensions or CA_EXTENSIONS, which=name, **more)


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


def serial(certificate):
    """The serial number of a certificate, as openssl's index files have it."""
    said = run("openssl", "x509", "-in", certificate.file, "-noout", "-serial").stdout.decode()
    return said.strip().removeprefix("serial=")


def _index(certificate, status):
    """A line of openssl's index for one certificate: V is good, R is revoked."""
    revoked = _stamp(NOW)[2:] + ",keyCompromise" if status == "revoked" else ""
    letter = "R" if revoked else "V"
    return f"{letter}\t361231235959Z\t{revoked}\t{serial(certificate)}\tunknown\t/CN=x\n"


def staple(certificate, status, issuer=None):
    """An OCSP response about `certificate` in a file: good, revoked or unknown."""
    issuer = issuer or root()
    base = f"{pki_dir()}/{next(_names)}"
    with open(f"{base}.txt", "w", encoding="utf-8") as f:
        f.write(_index(certificate, status) if status != "unknown" else "")
    run(
        *["openssl", "ocsp", "-index", f"{base}.txt", "-CA", issuer.file, "-noverify"],
        *["-rsigner", issuer.file, "-rkey", issuer.key, "-ndays", "3"],
        *["-issuer", issuer.file, "-cert", certificate.file, "-respout", f"{base}.der"],
    )
    return f"{base}.der"


def revocation_list(*certificates, issuer=None, path=None):
    """A file with the list of `issuer` that revokes these certificates."""
    issuer = issuer or root()
    base = f"{pki_dir()}/{next(_names)}"
    with open(f"{base}.txt", "w", encoding="utf-8") as f:
        f.writelines(_index(certificate, "revoked") for certificate in certificates)
    config = CA_CONFIG.format(dir=pki_dir(), extensions="")
    config = config.replace(f"{pki_dir()}/index.txt", f"{base}.txt")
    with open(f"{base}.cnf", "w", encoding="utf-8") as f:
        f.write(config)
    path = path or f"{base}.crl"
    run(
        *["openssl", "ca", "-gencrl", "-config", f"{base}.cnf", "-crldays", "3"],
        *["-cert", issuer.file, "-keyfile", issuer.key, "-out", path],
    )
    return path


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
