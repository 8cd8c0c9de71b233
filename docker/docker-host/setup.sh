#!/usr/bin/env bash
# Makes a Debian or Ubuntu machine the Docker host of a Rexec: Docker, certificates, firewall. See --help.
set -euo pipefail
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
PATH=$PATH:/usr/sbin:/sbin

# Where the parts come from that are not beside this file, which is so when it is piped into a shell.
source_url=${REXEC_SOURCE:-https://raw.githubusercontent.com/your-repo/rexec/main}
certs=/etc/docker/certs
settings=/etc/docker/daemon.json
override=/etc/systemd/system/docker.service.d/override.conf
sysctl_file=/etc/sysctl.d/90-rexec.conf
firewall=/usr/local/sbin/rexec-firewall
firewall_settings=/etc/default/rexec-firewall
firewall_unit=/etc/systemd/system/rexec-firewall.service
# About 100 s, after which the daemon gives up on a Rexec that vanished in the middle of a stream; the default is 15 minutes.
tcp_retries2=8
days=365 port=2376 egress=limited pull=1 dry_run=0 userns=auto rotate=() hosts=() allowed=()
changes=0 restart=0 work=''

usage() {
    cat <<'USAGE'
Usage: setup.sh [options]        (as root; also: curl -fsSL .../setup.sh | sudo bash -s -- [options])

Installs Docker, makes certificates, lets the daemon listen on port 2376 for mutual TLS alone, opens that port in the
firewall, walls containers off from the machine and its networks, pulls the images, connects once to see that it
works, and prints the variables that Rexec needs. A second run changes nothing.

  --host NAME|IP      under which the service will reach this machine; repeatable (default: as before, else found out)
  --port N            port of the daemon (default 2376)
  --allow-from CIDR   only these networks may reach that port; repeatable (default: as before, else everybody;
                      `--allow-from any` opens it again)
  --egress open       let containers send mail, and open as many connections a second as they like
  --userns            map containers' root to nobody although there are containers already: they will be hidden
  --days N            life of certificates made now (default 365)
  --rotate-client     make a new client certificate; the daemon goes on, the service gets new variables
  --rotate-server     make a new server certificate; the daemon restarts, containers go on
  --no-pull           do not pull the images that people can choose from
  --dry-run           only say what would be done
  --help              this text

Environment: REXEC_SOURCE, an address to fetch Rexec's own files from where they are not beside this script.
USAGE
}

note() { printf 'setup.sh: %s\n' "$*" >&2; }

fail() {
    note "$1"
    exit "${2:-1}"
}

refuse() { fail "$1 (see --help)" 2; }

# change TEXT COMMAND...: counts and says a change, and makes it unless this is a rehearsal.
change() {
    changes=$((changes + 1))
    if ((dry_run)); then note "would: $1" && return; fi
    note "$1"
    "${@:2}"
}

# put FILE MODE WHAT: writes standard input to the file unless that is what it holds.
put() {
    local new
    new=$(cat)
    [[ ! -e $1 || $(cat -- "$1") != "$new" ]] || return 1
    change "write $1 ($3)" write_file "$1" "$2" "$new"
}

write_file() {
    mkdir -p -- "$(dirname -- "$1")"
    printf '%s\n' "$3" >"$1.new"
    chmod "$2" "$1.new"
    mv -f -- "$1.new" "$1"
}

valid_network() { [[ $1 =~ ^(any|([0-9]{1,3}\.){3}[0-9]{1,3}(/([0-9]|[12][0-9]|3[0-2]))?|[0-9a-fA-F:]*:[0-9a-fA-F:]*(/[0-9]{1,3})?)$ ]]; }

take_option() {
    case $1 in
    --host) hosts+=("$2") ;;
    --port) port=$2 ;;
    --days) days=$2 ;;
    --allow-from) valid_network "$2" || refuse "--allow-from takes a network such as 198.51.100.0/24, not '$2'" && allowed+=("$2") ;;
    --egress) [[ $2 == open || $2 == limited ]] || refuse "--egress takes 'open' or 'limited', not '$2'" && egress=$2 ;;
    esac
}

read_arguments() {
    while (($#)); do
        case $1 in
        --help | -h) usage && exit 0 ;;
        --host=* | --port=* | --days=* | --allow-from=* | --egress=*) take_option "${1%%=*}" "${1#*=}" ;;
        --host | --port | --days | --allow-from | --egress)
            [[ -n ${2-} ]] || refuse "$1 needs a value"
            take_option "$1" "$2" && shift
            ;;
        --rotate-client | --rotate-server) rotate+=("$1") ;;
        --userns) userns=yes ;;
        --no-pull) pull=0 ;;
        --dry-run) dry_run=1 ;;
        *) refuse "unknown argument '$1'" ;;
        esac
        shift
    done
    [[ $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]] || refuse "--port takes a number from 1 to 65535, not '$port'"
    [[ $days =~ ^[1-9][0-9]{0,3}$ && $days -le 3650 ]] || refuse "--days takes a number from 1 to 3650, not '$days'"
}

check_machine() {
    local id=unknown version=''
    # shellcheck disable=SC1091 # another machine's file
    [[ ! -r /etc/os-release ]] || { . /etc/os-release && id=$ID version=${VERSION_ID:-}; }
    [[ $id == debian || $id == ubuntu ]] || fail "this is neither Debian nor Ubuntu; set it up by hand, as docs/deploy.md says"
    [[ " debian12 debian13 ubuntu22.04 ubuntu24.04 " == *" $id$version "* ]] ||
        note "made for Debian 12 and 13 and Ubuntu 22.04 and 24.04; going on with $id $version"
    ((dry_run)) || [[ $(id -u) == 0 ]] || fail "this changes the machine: run it as root (sudo)"
    [[ -d /run/systemd/system ]] || fail "systemd does not run here, which starts Docker; use a machine that boots with it"
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    ((dry_run)) || { exec 8>/run/rexec-setup.lock && { flock -w 60 8 || fail "another run of this script is busy; wait for its end"; }; }
}

# fetch PATH: prints a file's place: in the checkout around this script, or a copy fetched from the source.
fetch() {
    local here=${BASH_SOURCE[0]:-} target
    [[ ! -f $here ]] || here=$(cd -- "$(dirname -- "$here")/../.." && pwd)
    if [[ -n $here && -f $here/$1 ]]; then echo "$here/$1" && return; fi
    target=$work/$(basename -- "$1")
    [[ -s $target ]] || curl -fsSL --max-time 60 -o "$target" "$source_url/$1" ||
        fail "cannot fetch $source_url/$1; set REXEC_SOURCE to where Rexec's files are, or run this from a checkout"
    echo "$target"
}

missing() {
    local name
    for name in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s ' "$name"
    done
}

apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >"$work/apt.log" 2>&1; }

install() {
    apt update || note "apt-get update failed; going on with the package lists that are here"
    apt install --no-install-recommends "$@" || {
        tail -n 15 "$work/apt.log" >&2
        fail "could not install: $*; mend what apt says above (apt-get -f install), then run this again"
    }
}

use_dockers_repository() {
    local id=$ID codename=$VERSION_CODENAME base=https://download.docker.com/linux/$ID
    curl -fsS --max-time 10 -o "$work/release" "$base/dists/$codename/Release" 2>/dev/null &&
        curl -fsS --max-time 10 -o "$work/docker.asc" "$base/gpg" 2>/dev/null || return 1
    mkdir -p /etc/apt/keyrings
    cp "$work/docker.asc" /etc/apt/keyrings/docker.asc
    printf 'deb [arch=%s signed-by=/etc/apt/keyrings/docker.asc] %s %s stable\n' \
        "$(dpkg --print-architecture)" "$base" "$codename" >/etc/apt/sources.list.d/docker.list
    note "Docker comes from its own repository for $id $codename"
}

install_docker() {
    ! use_dockers_repository || { install docker-ce docker-ce-cli containerd.io apparmor && return; }
    note "Docker's own repository cannot be reached; taking the distribution's docker.io"
    install docker.io apparmor
    # From Debian 13 on the command line is a package of its own.
    command -v docker >/dev/null || install docker-cli
}

ensure_packages() {
    local wanted
    wanted=$(missing openssl curl ca-certificates iptables jq net-tools)
    # shellcheck disable=SC2086 # names of packages, without blanks in them
    [[ -z $wanted ]] || change "install $wanted" install $wanted
    if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then change "install Docker" install_docker; fi
}

is_private() { [[ $1 =~ ^(10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\. ]]; }

find_hosts() {
    local address seen
    if ((${#hosts[@]})); then return; fi
    if [[ -r $certs/server-cert.pem ]] && command -v openssl >/dev/null; then
        mapfile -t hosts < <(openssl x509 -in "$certs/server-cert.pem" -noout -ext subjectAltName | grep -oE '(DNS|IP Address):[^, ]+' | sed 's/^[^:]*://')
        return
    fi
    address=$(ip -4 route get 192.0.2.1 2>/dev/null | grep -oE 'src [0-9.]+' | cut -d' ' -f2) || true
    if [[ -z $address ]] || is_private "$address"; then
        seen=$(curl -4 -fsS --max-time 5 https://api.ipify.org 2>/dev/null) || seen=''
        [[ ! $seen =~ ^[0-9.]+$ ]] || address=$seen
    fi
    [[ -n $address ]] || fail "cannot find out this machine's address; name it with --host"
    ! is_private "$address" || note "$address is a private address: if the service is elsewhere, name the public one with --host"
    hosts=("$address")
}

ensure_certificates() {
    local script said
    script=$(fetch scripts/setup-docker-tls.sh)
    if ((dry_run)); then
        [[ -e $certs/cert.pem && ${#rotate[@]} == 0 ]] || change "make certificates in $certs for ${hosts[*]}"
        return 0
    fi
    said=$(bash "$script" --out "$certs" --days "$days" "${rotate[@]}" "${hosts[@]}") || fail "no certificates were made, see above"
    if [[ $said == "Nothing to do"* ]]; then return; fi
    while IFS= read -r line; do change "$line" true; done <<<"$said"
}

holds_containers() {
    local root
    root=$(jq -r '."data-root" // "/var/lib/docker"' "$settings" 2>/dev/null) || root=/var/lib/docker
    compgen -G "$root/containers/*" >/dev/null || compgen -G "$root/[0-9]*.[0-9]*/containers/*" >/dev/null
}

# What is ours wins where TLS and isolation hang on it; what is a matter of taste is the operator's, where it is set.
wanted_settings() {
    local listen=0.0.0.0 remap=''
    [[ " ${hosts[*]} " != *:* ]] || listen='[::]'
    [[ $userns == auto ]] && holds_containers || remap=default
    if [[ -s $settings ]]; then cat -- "$settings"; else echo '{}'; fi | jq -S --arg certs "$certs" --arg tcp "tcp://$listen:$port" --arg remap "$remap" '
        {"log-driver": "local", "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 16384, "Hard": 16384}, "core": {"Name": "core", "Soft": 0, "Hard": 0}},
         "default-address-pools": [{"base": "10.215.0.0/16", "size": 24}]}
        + (if (."log-driver" // "local") == "local" then {"log-opts": {"max-size": "512k", "max-file": "2"}} else {} end)
        + (if $remap != "" then {"userns-remap": $remap} else {} end)
        + .
        + {"hosts": (["unix:///var/run/docker.sock", $tcp] + [(.hosts // [])[] | select(startswith("unix://"))] | reduce .[] as $one ([]; if index([$one]) then . else . + [$one] end)),
           "tls": true, "tlsverify": true, "tlscacert": "\($certs)/ca.pem", "tlscert": "\($certs)/server-cert.pem", "tlskey": "\($certs)/server-key.pem",
           "live-restore": true, "icc": false, "no-new-privileges": true}'
}

ensure_settings() {
    local dockerd new
    dockerd=$(command -v dockerd || echo /usr/bin/dockerd)
    put "$override" 0644 "the hosts are in daemon.json" <<<$'[Service]\nExecStart=\nExecStart='"$dockerd" && restart=1
    if command -v jq >/dev/null; then
        new=$(wanted_settings) || fail "$settings is not valid JSON; mend it or move it away, then run this again"
        [[ ! -s $settings ]] || cp -p -- "$settings" "$work/daemon.json"
        printf '%s\n' "$new" >"$work/wanted.json"
        if "$dockerd" --help 2>/dev/null | grep -q -e --validate && ! "$dockerd" --validate --config-file "$work/wanted.json" >"$work/validate" 2>&1; then
            tail -n 3 "$work/validate" >&2
            fail "dockerd refuses $settings together with ours, see above; mend it and run this again; nothing was changed in it"
        fi
        put "$settings" 0644 "the daemon listens on port $port over mutual TLS" <<<"$new" && restart=1
        [[ $(jq -r '."userns-remap" // empty' <<<"$new") != "" ]] ||
            note "this machine holds containers, so their root stays root of the machine; --userns changes that, and hides them"
    else
        change "write $settings"
    fi
    put "$sysctl_file" 0644 "a lost service is noticed in 100 s" <<<"net.ipv4.tcp_retries2 = $tcp_retries2" || true
    ((dry_run)) || sysctl -q -p "$sysctl_file" || note "the kernel did not take $sysctl_file; going on"
}

# Checks the name on a server certificate as a client would, wherever that name leads to from here.
ask_daemon() {
    local host=${hosts[0]}
    [[ $host != *:* ]] || host="[$host]"
    curl -fsS --noproxy '*' --max-time 5 --cacert "$certs/ca.pem" "$@" --connect-to "$host:$port:localhost:$port" "https://$host:$port/version"
}

answers() { ask_daemon --cert "$certs/cert.pem" --key "$certs/key.pem" >/dev/null 2>"$work/answer"; }

serves_new_certificate() {
    local served kept
    served=$(openssl s_client -connect "localhost:$port" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint 2>/dev/null) || true
    kept=$(openssl x509 -in "$certs/server-cert.pem" -noout -fingerprint)
    [[ $served == "$kept" ]]
}

start_docker() {
    systemctl daemon-reload
    systemctl enable -q docker
    # systemd counts quick restarts and refuses more of them after a few.
    systemctl reset-failed docker 2>/dev/null || true
    systemctl restart docker && wait_for_daemon
}

wait_for_daemon() {
    local end=$((SECONDS + 30))
    until answers; do
        ((SECONDS < end)) && systemctl is-active -q docker || return 1
        sleep 0.2
    done
}

put_back() {
    note "the daemon did not come up with the new settings:"
    journalctl -q --no-pager -o cat -n 8 -u docker >&2 || true
    cat -- "$work/answer" >&2 || true
    if [[ -e $work/daemon.json ]]; then cp -p -- "$work/daemon.json" "$settings"; else rm -f -- "$settings" "$override"; fi
    systemctl daemon-reload
    systemctl reset-failed docker 2>/dev/null || true
    systemctl restart docker || note "nor does it with the old ones: see journalctl -u docker"
    fail "put the old $settings back; mend what the daemon says above, then run this again"
}

ensure_running() {
    if ((dry_run)); then
        ((!restart)) || change "restart Docker; with live-restore containers go on"
    elif ((restart)) || ! answers || ! serves_new_certificate; then
        change "restart Docker" start_docker || put_back
    fi
}

start_firewall() {
    systemctl daemon-reload
    systemctl enable -q rexec-firewall
    systemctl restart rexec-firewall || {
        journalctl -q --no-pager -o cat -n 5 -u rexec-firewall >&2 || true
        fail "the firewall's rules were not taken, see above; without them containers reach this machine's networks"
    }
}

open_ufw() {
    local network
    for network in ${1:-any}; do ufw allow proto tcp from "$network" to any port "$port" comment rexec >/dev/null; done
}

ensure_firewall() {
    local new=0 networks=${allowed[*]}
    ((${#allowed[@]})) || networks=$(sed -n 's/^ALLOW_FROM="\(.*\)"$/\1/p' "$firewall_settings" 2>/dev/null) || true
    [[ $networks != any ]] || networks=
    put "$firewall" 0755 "containers reach the Internet and nothing else" <"$(fetch docker/docker-host/firewall.sh)" && new=1
    put "$firewall_settings" 0644 "port $port is open to ${networks:-everybody}; mail and rate: $egress" \
        <<<"PORT=$port"$'\n'"ALLOW_FROM=\"$networks\""$'\n'"EGRESS=$egress" && new=1
    put "$firewall_unit" 0644 "the rules come back at each boot" <"$(fetch docker/docker-host/firewall.service)" && new=1
    if ((new)) || ! iptables -w 10 -C INPUT -j REXEC-INPUT 2>/dev/null; then change "set the firewall's rules" start_firewall; fi
    if command -v ufw >/dev/null && LC_ALL=C ufw status | grep -q '^Status: active' && ! ufw status | grep -qE "^$port/tcp .*ALLOW"; then
        change "open port $port in ufw" open_ufw "$networks"
    fi
}

ensure_images() {
    local image list
    ((pull)) || return 0
    list=$(fetch rexec/containers/images.toml)
    while read -r image; do
        docker image inspect "$image" >/dev/null 2>&1 || change "pull $image" pull_image "$image"
    done < <(sed -n 's/^reference = "\(.*\)"$/\1/p' "$list" | grep -v '^rexec/')
}

pull_image() { timeout 600 docker pull -q "$1" >/dev/null 2>"$work/pull" || note "$1 could not be pulled ($(tail -n 1 "$work/pull")); it will be, when somebody wants it"; }

check_result() {
    answers || fail "the daemon does not accept its own client certificate: $(cat "$work/answer"); see journalctl -u docker"
    ! ask_daemon >/dev/null 2>&1 || fail "the daemon answers without a client certificate: tlsverify is not on; see $settings"
    note "connected over mutual TLS as ${hosts[0]}, and was refused without a certificate"
}

# variables FORM: those of the guide, certificates in several lines or in one.
variables() {
    local name file host=${hosts[0]}
    [[ $host != *:* ]] || host="[$host]"
    printf 'DOCKER_HOST=tcp://%s:%s\nDOCKER_TLS_VERIFY=1\n' "$host" "$port"
    for name in CA_CERT:ca CLIENT_CERT:cert CLIENT_KEY:key; do
        file=$(cat -- "$certs/${name#*:}.pem")
        if [[ $1 == several ]]; then file="\"$file\""; else file=${file//$'\n'/\\n}; fi
        printf 'DOCKER_%s=%s\n' "${name%:*}" "$file"
    done
    printf 'JWT_SECRET=%s\nDATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME\n' "$secret"
}

print_variables() {
    local secret
    secret=$(openssl rand -hex 32)
    printf '\n# For dashboards whose values may have several lines. A service that runs keeps the JWT_SECRET it has.\n\n'
    variables several
    printf '\n# The same, a line each.\n\n'
    variables one
}

main() {
    read_arguments "$@"
    check_machine
    ensure_packages
    find_hosts
    ensure_certificates
    ensure_settings
    ensure_firewall
    ensure_running
    ensure_images
    if ((dry_run)); then
        ((changes)) || note "nothing would be changed"
        return
    fi
    check_result
    if ((changes)); then note "done"; else note "nothing to do: everything was in place"; fi
    print_variables
}

main "$@"
