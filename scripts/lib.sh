# shellcheck shell=bash
# What the scripts share: messages, Debian packages, the Python environment, the browser packages.
# Sourced; expects `set -euo pipefail`. Everything here is quick when there is nothing to do.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
program=$(basename -- "$0")

note() { printf '%s: %s\n' "$program" "$*" >&2; }

# die CODE MESSAGE...
die() {
    local code=$1
    shift
    note "$@"
    exit "$code"
}

is_root() { [[ $(id -u) == 0 ]]; }

# True where root's rights can be had: as root, by sudo without a password, or by asking for it at a terminal.
can_be_root() {
    is_root && return 0
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null && return 0
    [[ -t 0 && " $(id -nG) " =~ \ (sudo|admin|wheel)\  ]] && sudo -v
}

as_root() {
    if is_root; then "$@"; else sudo -- "$@"; fi
}

package_missing() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) != installed ]]; }

# The helper that keeps Debian's scripts from starting services while packages are installed.
apt_install() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 bash -c '
        set -euo pipefail
        policy=/usr/sbin/policy-rc.d
        if [[ ! -e $policy ]]; then
            trap "rm -f $policy" EXIT
            printf "#!/bin/sh\nexit 101\n" >"$policy"
            chmod 755 "$policy"
        fi
        apt-get -q -o DPkg::Lock::Timeout=300 update
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
    ' apt_install "$@"
}

# need_packages NAME...: installs those that are missing, and shows what apt said only when it failed.
need_packages() {
    local name missing=() log
    if ! command -v apt-get >/dev/null; then
        note "this machine has no apt-get; make sure yourself that it has what Debian calls: $*"
        return 0
    fi
    for name in "$@"; do
        if package_missing "$name"; then missing+=("$name"); fi
    done
    ((${#missing[@]})) || return 0
    can_be_root || die 2 "packages are missing; install them, then run again: sudo apt-get install ${missing[*]}"
    note "installing Debian packages: ${missing[*]}"
    log=$(mktemp)
    if ! apt_install "${missing[@]}" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die 2 "apt-get could not install: ${missing[*]} (its own words are above)"
    fi
    rm -f "$log"
}

# stamped FILE INPUT...: whether FILE holds the checksum of the inputs; stamp writes it.
checksum() { cat -- "$@" | sha256sum | cut -d' ' -f1; }
stamped() { [[ -f $1 && $(<"$1") == "$(checksum "${@:2}")" ]]; }
stamp() { checksum "${@:2}" >"$1"; }

# The distribution's own comes first: it is built with profiles, and one that somebody compiled on the machine, seldom
# so, takes up to half as long again for the same code.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    local python
    if ! find_python >/dev/null; then need_packages python3; fi
    # Ubuntu 22.04's own is older, and this one lies beside it.
    if ! find_python >/dev/null; then need_packages python3.11 python3.11-venv; fi
    python=$(find_python) || die 2 "Python 3.11 or newer is needed, and this machine has none"
    # Debian keeps ensurepip in a package of its own.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then need_packages python3-venv; fi
    note "making the Python environment .venv with $("$python" --version)"
    "$python" -m venv --clear "$root/.venv"
}

# ensure_python LOCK: .venv holds what the lock file names, and the project itself.
ensure_python() {
    local lock=$root/$1 seal=$root/.venv/.installed
    if ! "$root/.venv/bin/python" -c '' 2>/dev/null; then make_venv; fi
    if stamped "$seal" "$lock" "$root/pyproject.toml"; then return 0; fi
    # What a run without tests needs is part of what the tests need: no reason to install again.
    if [[ $1 == requirements.lock ]] && stamped "$seal" "$root/requirements-dev.lock" "$root/pyproject.toml"; then return 0; fi
    note "installing Python packages from $1"
    "$root/.venv/bin/python" -c 'import pip' 2>/dev/null || "$root/.venv/bin/python" -m ensurepip >/dev/null
    "$root/.venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    "$root/.venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e "$root"
    stamp "$seal" "$lock" "$root/pyproject.toml"
}

node_is_new_enough() { [[ $("$1" --version 2>/dev/null) =~ ^v([0-9]+) ]] && ((BASH_REMATCH[1] >= 20)); }

# Node runs npm once and is not needed afterwards, so that the machine's own is as good as the one from PyPI.
run_npm() {
    if node_is_new_enough node && command -v npm >/dev/null; then
        npm "$@"
        return
    fi
    note "installing Node from PyPI"
    "$root/.venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$root/requirements-node.lock"
    PATH=$root/.venv/bin:$PATH "$root/.venv/bin/npm" "$@"
}

# The browser packages in node_modules, what is served of them in static/vendor.
ensure_browser_packages() {
    local seal=$root/node_modules/.installed vendor=$root/static/vendor
    if ! stamped "$seal" "$root/package-lock.json"; then
        note "installing browser packages from package-lock.json"
        (cd "$root" && run_npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null)
        stamp "$seal" "$root/package-lock.json"
    fi
    if ! stamped "$vendor/.built" "$seal" "$root/static/icons.txt" "$root/scripts/vendor.py"; then
        "$root/.venv/bin/python" "$root/scripts/vendor.py"
        stamp "$vendor/.built" "$seal" "$root/static/icons.txt" "$root/scripts/vendor.py"
    fi
}

# Everything that scripts/test and .ci/run use.
ensure_test_tools() {
    need_packages git openssl iproute2 iptables busybox-static postgresql pgbouncer redis-server docker-registry shellcheck haproxy mmdebstrap
    if ! command -v dockerd >/dev/null && [[ ! -x /usr/sbin/dockerd ]]; then need_packages docker.io; fi
    if ! command -v docker >/dev/null; then need_packages docker-cli; fi
    ensure_python requirements-dev.lock
    ensure_browser_packages
    ensure_chromium
}

# The headless build: the same browser without windows, at less than half the processor time. Ubuntu's Chromium is a snap,
# which cannot be driven from a checkout: there Playwright brings its own.
ensure_chromium() {
    if [[ -x /usr/bin/chromium-headless-shell ]]; then return 0; fi
    if grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null; then
        (cd "$root" && .venv/bin/playwright install --with-deps chromium >&2)
    else
        need_packages chromium-headless-shell
    fi
}
