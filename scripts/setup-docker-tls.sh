#!/usr/bin/env bash
# Makes the certificates with which a Docker daemon and its clients prove themselves to each other.
# Needs bash and openssl (1.1.1 or newer) and nothing else, so that it can be copied to a VM and run there.
set -euo pipefail
umask 077
export LC_ALL=C

program=$(basename "$0")
out=/etc/docker/certs
days=365
ca_days=3650
hosts=()
rotate=
work=

usage() {
    cat <<USAGE
Usage: $program [--out DIR] [--days N] [--rotate-client] [--rotate-server] HOST...

Makes a certificate authority, a server certificate for a Docker daemon that is reached as HOST (IP addresses
and names, as many as it has), and a client certificate. A second run with the same hosts changes nothing;
with other hosts it makes a new server certificate from the same authority, so clients keep working.

  --out DIR   folder for the files (default /etc/docker/certs)
  --days N    life of the server and client certificates in days, 1 to $ca_days (default $days)
  --rotate-client, --rotate-server
              make that certificate again although it is good; clients need no other change
  --help      this text

Files: ca.pem ca-key.pem (the authority), server-cert.pem server-key.pem (dockerd), cert.pem key.pem (clients).
A client needs ca.pem, cert.pem and key.pem. Nobody but you needs ca-key.pem: whoever holds it can make clients.
USAGE
}

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$program" "$1" >&2
    exit "${2:-1}"
}

refuse() { fail "$1 (see $program --help)" 2; }

is_ipv4() {
    local part='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
    [[ $1 =~ ^$part\.$part\.$part\.$part$ ]]
}

is_ipv6() { [[ $1 == *:*:* && $1 =~ ^[0-9a-f:.]+$ ]]; }

is_name() {
    local label='[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?'
    # All digits and dots is a mistyped address, never a name.
    ((${#1} <= 253)) && [[ $1 =~ ^$label(\.$label)*$ && ! $1 =~ ^[0-9.]+$ ]]
}

add_host() {
    local host=${1,,} known
    case $host in
    *://*) refuse "'$1' is a URL; give only its host" ;;
    \[*) refuse "'$1': give an IPv6 address without brackets and port" ;;
    esac
    is_ipv4 "$host" || is_ipv6 "$host" || is_name "$host" ||
        refuse "'$1' is neither an IP address nor a host name (without a port)"
    for known in "${hosts[@]}"; do
        [[ $known != "$host" ]] || return 0
    done
    hosts+=("$host")
}

read_arguments() {
    while (($#)); do
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --out=* | --days=*)
            set -- "${1%%=*}" "${1#*=}" "${@:2}"
            continue
            ;;
        --out | --days)
            [[ -n ${2-} ]] || refuse "$1 needs a value"
            if [[ $1 == --out ]]; then out=$2; else days=$2; fi
            shift
            ;;
        --rotate-client | --rotate-server) rotate+=" ${1#--rotate-} " ;;
        -*) refuse "unknown option '$1'" ;;
        *) add_host "$1" ;;
        esac
        shift
    done
    ((${#hosts[@]})) || refuse "name at least one IP address or host name under which the daemon is reached"
    [[ $days =~ ^[1-9][0-9]{0,3}$ && $days -le $ca_days ]] ||
        refuse "--days must be a number from 1 to $ca_days, not '$days'"
}

open_folder() {
    command -v openssl >/dev/null || fail "openssl is missing; install it first (apt-get install openssl)"
    # Only keys are secret, and they have a mode of their own.
    (umask 022 && mkdir -p -- "$out") 2>/dev/null ||
        fail "cannot make the folder $out; run as root (sudo), or choose another with --out"
    [[ -w $out && -x $out ]] || fail "cannot write to $out; run as root (sudo), or choose another with --out"
    out=$(cd -- "$out" && pwd)
    work=$(mktemp -d -- "$out/.new.XXXXXX")
    trap 'rm -rf -- "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# One run at a time: two would sign with different authorities and leave a mixture.
lock_folder() {
    command -v flock >/dev/null || return 0
    exec 9<"$out"
    flock -w 60 9 || fail "another run of $program is busy in $out"
}

ssl() {
    local log=$work/openssl.log
    openssl "$@" 2>"$log" || {
        cat -- "$log" >&2
        fail "openssl $1 failed, see above; nothing was changed"
    }
}

public_key() { openssl "$@" 2>/dev/null | openssl sha256; }

pair_matches() {
    [[ $(public_key x509 -in "$1" -noout -pubkey) == "$(public_key pkey -in "$2" -pubout)" ]]
}

not_after() { openssl x509 -in "$1" -noout -enddate | cut -d= -f2; }

ended() { ! openssl x509 -in "$1" -noout -checkend 0 >/dev/null; }

new_key() { ssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out "$1"; }

# 0x4... keeps the number positive, and 17 bytes are within the 20 that X.509 allows.
new_serial() { printf '0x4%s' "$(openssl rand -hex 16)"; }

# Moves a finished pair into place; the certificate last, for it is what says that the pair is there.
install_pair() {
    chmod 0400 "$work/key"
    chmod 0444 "$work/cert"
    mv -f -- "$work/key" "$out/$2"
    mv -f -- "$work/cert" "$out/$1"
}

write_extensions() {
    local host dns=0 ip=0
    {
        printf '%s\n' '[req]' 'distinguished_name = subject' 'prompt = no' '[subject]' "CN = $2"
        printf '%s\n' '[extensions]' 'subjectKeyIdentifier = hash'
        case $1 in
        ca) printf '%s\n' 'basicConstraints = critical, CA:TRUE, pathlen:0' 'keyUsage = critical, keyCertSign, cRLSign' ;;
        *) printf '%s\n' 'authorityKeyIdentifier = keyid' 'basicConstraints = critical, CA:FALSE' \
            'keyUsage = critical, digitalSignature' "extendedKeyUsage = $1Auth" ;;
        esac
        [[ $1 != server ]] || printf '%s\n' 'subjectAltName = @names' '[names]'
        [[ $1 != server ]] || for host in "${hosts[@]}"; do
            if is_name "$host"; then printf 'DNS.%d = %s\n' "$((++dns))" "$host"; else printf 'IP.%d = %s\n' "$((++ip))" "$host"; fi
        done
    } >"$work/extensions"
}

make_authority() {
    # The name differs from authority to authority, so that an error about the issuer says which one was meant.
    write_extensions ca "Rexec Docker CA $(openssl rand -hex 4)"
    new_key "$work/key"
    ssl req -new -x509 -sha256 -config "$work/extensions" -extensions extensions -key "$work/key" \
        -set_serial "$(new_serial)" -days "$ca_days" -out "$work/cert"
    install_pair ca.pem ca-key.pem
    say "Made the certificate authority ca.pem (until $(not_after "$out/ca.pem"))."
}

# issue ROLE COMMON-NAME CERTIFICATE KEY REASON: a new key and a certificate for it, signed by the authority.
issue() {
    [[ -r $out/ca-key.pem ]] ||
        fail "a new $1 certificate is needed ($5), but $out/ca-key.pem is not here to sign it; put it back and run again"
    write_extensions "$1" "$2"
    new_key "$work/key"
    ssl req -new -sha256 -config "$work/extensions" -key "$work/key" -out "$work/request"
    ssl x509 -req -sha256 -in "$work/request" -CA "$out/ca.pem" -CAkey "$out/ca-key.pem" -set_serial "$(new_serial)" \
        -days "$days" -extfile "$work/extensions" -extensions extensions -out "$work/cert"
    install_pair "$3" "$4"
    say "Made the $1 certificate $3 ($5; until $(not_after "$out/$3"))."
}

hosts_match() {
    local host check count
    count=$(openssl x509 -in "$1" -noout -ext subjectAltName | grep -oE '(DNS|IP Address):' | wc -l) || return 1
    ((count == ${#hosts[@]})) || return 1
    for host in "${hosts[@]}"; do
        check=-checkip
        ! is_name "$host" || check=-checkhost
        openssl x509 -in "$1" -noout "$check" "$host" | grep -q 'does match' || return 1
    done
}

# Prints why the pair has to be made again; nothing when it is good as it is.
why_new() {
    local cert=$out/$1 key=$out/$2
    if [[ ! -s $cert || ! -e $key ]]; then
        say "there was none"
    elif ! openssl x509 -in "$cert" -noout 2>/dev/null; then
        say "the one there could not be read"
    elif ! pair_matches "$cert" "$key"; then
        say "the key there belonged to another one"
    elif ended "$cert"; then
        say "the one before ended on $(not_after "$cert")"
    elif ! openssl verify -CAfile "$out/ca.pem" "$cert" >/dev/null 2>&1; then
        say "the one before was signed by another authority"
    elif [[ $1 == server-cert.pem ]] && ! hosts_match "$cert"; then
        say "for other hosts than before: ${hosts[*]}"
    elif [[ $rotate == *" $3 "* ]]; then
        say "asked for"
    fi
}

# The authority is never replaced: every client trusts it, so that is a decision of its owner.
check_authority() {
    openssl x509 -in "$out/ca.pem" -noout 2>/dev/null || fail "$out/ca.pem is not a certificate; move it away and run again"
    ! ended "$out/ca.pem" ||
        fail "the authority $out/ca.pem ended on $(not_after "$out/ca.pem"); move the folder away and run again"
    [[ ! -r $out/ca-key.pem ]] || pair_matches "$out/ca.pem" "$out/ca-key.pem" ||
        fail "$out/ca-key.pem is not the key of $out/ca.pem; put the right one there, or move both away and run again"
}

ensure_authority() {
    if [[ -e $out/ca.pem ]]; then
        check_authority
    elif [[ -e $out/ca-key.pem || -e $out/cert.pem || -e $out/server-cert.pem ]]; then
        fail "$out/ca.pem is missing beside the files it signed; put it back, or move the folder away and run again"
    else
        make_authority
        changed=1
    fi
}

ensure_server() {
    local reason
    reason=$(why_new server-cert.pem server-key.pem server)
    [[ -n $reason ]] || return 0
    # A common name holds 64 characters; clients read the alternative names anyway.
    issue server "${hosts[0]:0:64}" server-cert.pem server-key.pem "$reason"
    changed=1
}

ensure_client() {
    local reason
    reason=$(why_new cert.pem key.pem client)
    [[ -n $reason ]] || return 0
    issue client "rexec" cert.pem key.pem "$reason"
    changed=1
}

main() {
    changed=0
    read_arguments "$@"
    open_folder
    lock_folder
    ensure_authority
    ensure_server
    ensure_client
    if ((changed)); then
        say "All files are in $out, for: ${hosts[*]}"
    else
        say "Nothing to do: the certificates in $out are good for: ${hosts[*]} (server until $(not_after "$out/server-cert.pem"))."
    fi
}

main "$@"
