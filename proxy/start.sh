#!/bin/bash
# Installs what is missing, builds tlsblame with optimisation and starts it: a proxy on
# 127.0.0.1:8080. Arguments are those of `tlsblame run`; --help shows them.
set -eu -o pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/third_party/packages.sh"
packages_install "${packages_build[@]}"
echo "Building tlsblame (the first time takes a minute) ..."
(cd "$root" && bazel build --config=opt --noshow_loading_progress --ui_event_filters=-info //:tlsblame)
echo "The program is $root/bazel-bin/tlsblame; README.md tells more."
exec "$root/bazel-bin/tlsblame" run "$@"
