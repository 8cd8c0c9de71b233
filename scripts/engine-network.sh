# shellcheck shell=bash
# The private daemon's part of the machine's network, for scripts/engine: its bridge, and peace with other daemons,
# since all daemons of a machine share their firewall chains. These come from there:
: "${dir:?}" "${id:?}" "${bridge:?}"

# A bridge of its own, since two daemons on docker0 would undo each other's settings.
make_bridge() {
    local attempt subnet
    ip link show "$bridge" &>/dev/null && return 0
    for attempt in {0..255}; do
        subnet=10.214.$(((16#$id + attempt) % 256))
        [[ -z $(ip -4 route show root "$subnet.0/24") ]] || continue
        ip link add name "$bridge" type bridge
        ip addr add "$subnet.1/24" dev "$bridge"
        ip link set dev "$bridge" up
        return 0
    done
    die 3 "no free network of 10.214.0.0/16 is left for the daemon's bridge"
}

# The bridges of the daemon's networks; as it was last known, where the daemon does not answer.
bridges() {
    local networks
    echo "$bridge"
    if networks=$(cli network ls --filter driver=bridge --format '{{.ID}}' 2>/dev/null); then
        awk '{print "br-" $1}' <<<"$networks" >"$dir/bridges"
    fi
    cat "$dir/bridges" 2>/dev/null || true
}

# The daemon leaves its bridges and their firewall rules where they are.
drop_rules() {
    local table rule
    for table in filter nat; do
        iptables -w -t "$table" -S 2>/dev/null | grep -E -- "^-A .*-[io] $1( |$)" | sed 's/^-A/-D/' | while read -r rule; do
            # shellcheck disable=SC2086 # a rule is many words
            iptables -w -t "$table" $rule || true
        done || true
    done
}

# Rules of Docker's own chains, one a line behind the table's name; DOCKER-USER is the operator's and no daemon's.
docker_rules() {
    local table
    for table in filter nat; do
        iptables -w -t "$table" -S 2>/dev/null | sed -nE "/^-A DOCKER-USER /d; s/^-A (DOCKER)/$table \1/p" || true
    done
}

# A daemon empties these chains when it starts, and with them goes what another daemon keeps there: published ports,
# and the walls between its networks. From the last to the first, each at the top: so they keep their order.
restore_rules() {
    local rules=$1 table chain rule name
    shift
    tac <<<"$rules" | while read -r table chain rule; do
        [[ -n $rule ]] || continue
        for name in "$@"; do
            [[ " $rule " != *" $name "* ]] || continue 2
        done
        xargs iptables -w -t "$table" -C "$chain" <<<"$rule" 2>/dev/null ||
            xargs iptables -w -t "$table" -I "$chain" 1 <<<"$rule" 2>/dev/null || true
    done
}
