# The Debian 12 packages that this project needs, listed once, and how they get installed.
# To be sourced by bash.

# To build and run the program.
packages_build=(
    android-libboringssl-dev
    bazel-bootstrap
    bazel-rules-java
    bazel-rules-proto
    ca-certificates
    g++
    libbrotli-dev
    libc-ares-dev
    libev-dev
    libhttp-parser-dev
    libjansson-dev
    libmimalloc-dev
    libpcap-dev
    zlib1g-dev
)

# To run tests/run.sh.
packages_test=(
    chromium
    clang-format
    curl
    default-jdk-headless
    faketime
    firefox-esr
    git
    gnutls-bin
    golang-go
    haproxy
    iproute2
    iptables
    libcunit1-dev
    libmbedtls-dev
    libnss3-tools
    libwolfssl-dev
    mitmproxy
    nftables
    nginx
    nodejs
    openssl
    privoxy
    python3
    squid-openssl
    sslsplit
    stunnel4
    tshark
    wget
)

# For the sanitizers and libFuzzer of .ci/run.
packages_ci=(
    clang
    libclang-rt-dev
    llvm
)

# For tests/bench/run.sh: what it measures against.
packages_bench=(
    haproxy
    libnginx-mod-stream
    mitmproxy
    nghttp2-proxy
    nginx
    openssl
    python3
    squid-openssl
    sslsplit
    valgrind
)

# packages_install PACKAGE... installs those that are missing. It says what it does only when there
# is something to do.
packages_install() {
    local package missing=() root=()
    for package; do
        if [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]]; then
            missing+=("$package")
        fi
    done
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "These Debian packages are missing, and neither root nor sudo is at hand." >&2
            echo "As root: apt-get install --no-install-recommends ${missing[*]}" >&2
            return 3
        fi
        root=(sudo)
    fi
    echo "Installing ${missing[*]}"
    "${root[@]}" apt-get update -q &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
            --no-install-recommends "${missing[@]}"
}
