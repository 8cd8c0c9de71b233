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

one_of() { (IFS='|' && printf '(%s)' "$*"); }

# Rules come and go as lines of a table, a chain and the rest.

# change_rules OPTION [POSITION]: -D or -I for all rules of standard input; a program a rule would take seconds in all.
change_rules() {
    local lines table failed=0
    lines=$(sed -E "s/^(\S+) (\S+)/\1 $1 \2${2:+ $2}/")
    for table in filter nat; do
        [[ $'\n'$lines == *$'\n'"$table "* ]] || continue
        { echo "*$table" && sed -n "s/^$table //p" <<<"$lines" && echo COMMIT; } |
            iptables-restore -w --noflush 2>/dev/null || failed=1
    done
    return "$failed"
}

# rules_that PATTERN: those of which this extended regular expression matches all behind the table's name.
rules_that() {
    local table
    for table in filter nat; do
        iptables -w -t "$table" -S 2>/dev/null | sed -nE "s/^-A ($1)$/$table \1/p" || true
    done
}

rules_of() { rules_that ".* -[io] $(one_of "$@")( .*)?"; }

# The daemon leaves its bridges and their firewall rules where they are.
drop_rules() {
    local rules
    rules=$(rules_of "$@")
    [[ -z $rules ]] || change_rules -D <<<"$rules"
}

# Rules of Docker's own chains; DOCKER-USER is the operator's and no daemon's.
docker_rules() { rules_that 'DOCKER.*' | sed '/^[a-z]* DOCKER-USER /d'; }

# lost_rules RULES BRIDGE...: which of these are there no longer, without those of the bridges; the last comes first.
lost_rules() { grep -vxFf <(docker_rules) <<<"$1" | grep -vE -- " $(one_of "${@:2}")( |$)" | tac || true; }

# A daemon empties these chains when it starts, and with them goes what another daemon keeps there: published ports,
# and the walls between its networks. From the last to the first, each at the top: so they keep their order.
restore_rules() {
    local rules
    rules=$(lost_rules "$@")
    [[ -z $rules ]] || change_rules -I 1 <<<"$rules"
}
