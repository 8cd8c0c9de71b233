#!/usr/bin/env bash
# Walls containers off from this machine and its networks, and guards the port of the Docker daemon.
# Made by Rexec's setup.sh, whose next run writes it again; started before Docker at each boot.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
# PORT of the daemon; ALLOW_FROM, networks that reach it, everybody where empty; EGRESS, `limited` or `open`.
# shellcheck source=/dev/null
. /etc/default/rexec-firewall

chain() { # TABLE-COMMAND NAME PARENT: an empty chain of ours, asked first
    "$1" -w 10 -N "$3" 2>/dev/null || true
    "$1" -w 10 -N "$2" 2>/dev/null || "$1" -w 10 -F "$2"
    "$1" -w 10 -C "$3" -j "$2" 2>/dev/null || "$1" -w 10 -I "$3" 1 -j "$2"
}

resolvers() { cat /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null | awk '$1 == "nameserver" && $2 !~ /:|^127\./ {print $2}' | sort -u; }

guard_port() { # TABLE-COMMAND PATTERN: only the networks that may; the machine itself always
    local network
    "$1" -w 10 -A REXEC-INPUT -i lo -j RETURN
    [[ -z $ALLOW_FROM ]] && "$1" -w 10 -A REXEC-INPUT -p tcp --dport "$PORT" -j ACCEPT && return
    for network in $ALLOW_FROM; do
        [[ $network != *:* && $2 == 4 || $network == *:* && $2 == 6 ]] || continue
        "$1" -w 10 -A REXEC-INPUT -p tcp --dport "$PORT" -s "$network" -j ACCEPT
    done
    "$1" -w 10 -A REXEC-INPUT -p tcp --dport "$PORT" -j DROP
}

guard_machine() { # TABLE-COMMAND: containers reach nothing that listens here
    local bridge resolver
    chain "$1" REXEC-INPUT INPUT
    for bridge in docker0 br-+; do
        "$1" -w 10 -A REXEC-INPUT -i "$bridge" -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        [[ $1 != iptables ]] || for resolver in $(resolvers); do
            "$1" -w 10 -A REXEC-INPUT -i "$bridge" -d "$resolver" -p udp --dport 53 -j ACCEPT
        done
        "$1" -w 10 -A REXEC-INPUT -i "$bridge" -j REJECT
    done
    guard_port "$1" "$([[ $1 == iptables ]] && echo 4 || echo 6)"
}

guard_networks() { # containers reach the Internet, and no network that is not of it
    local bridge network resolver ours=(iptables -w 10 -A REXEC-FORWARD)
    chain iptables REXEC-FORWARD DOCKER-USER
    for bridge in docker0 br-+; do
        "${ours[@]}" -i "$bridge" -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
        for resolver in $(resolvers); do
            "${ours[@]}" -i "$bridge" -d "$resolver" -p udp --dport 53 -j RETURN
            "${ours[@]}" -i "$bridge" -d "$resolver" -p tcp --dport 53 -j RETURN
        done
        for network in 0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/4; do
            "${ours[@]}" -i "$bridge" -d "$network" -j REJECT --reject-with icmp-admin-prohibited
        done
        [[ $EGRESS == limited ]] || continue
        "${ours[@]}" -i "$bridge" -p tcp -m multiport --dports 25,465,587,2525 -j REJECT --reject-with tcp-reset
        "${ours[@]}" -i "$bridge" -m conntrack --ctstate NEW -m hashlimit --hashlimit-name rexec --hashlimit-mode srcip \
            --hashlimit-above 50/second --hashlimit-burst 200 -j DROP
    done
}

open_nftables() { # rules of iptables open nothing that a table of nftables drops
    local family table chain network
    command -v nft >/dev/null || return 0
    nft -j list ruleset 2>/dev/null | jq -r '.nftables[].rule // empty | select(.comment == "rexec") | "\(.family) \(.table) \(.chain) handle \(.handle)"' |
        while read -r rule; do eval "nft delete rule $rule"; done
    nft -j list chains 2>/dev/null | jq -r '.nftables[].chain // empty | select(.hook == "input" and .policy == "drop" and .family != "ip6") | "\(.family) \(.table) \(.name)"' |
        while read -r family table chain; do
            for network in ${ALLOW_FROM:-any}; do
                case $network in
                any) nft insert rule "$family" "$table" "$chain" tcp dport "$PORT" accept comment rexec ;;
                *:*) ;;
                *) nft insert rule "$family" "$table" "$chain" ip saddr "$network" tcp dport "$PORT" accept comment rexec ;;
                esac
            done
        done
}

guard_machine iptables
guard_networks
guard_machine ip6tables || echo "ip6tables is not to be had: IPv6 stays as it is" >&2
open_nftables
