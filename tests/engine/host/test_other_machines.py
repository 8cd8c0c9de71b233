"""The set-up script on the newest Debian, behind a firewall of nftables that drops what it does not know."""

from __future__ import annotations

import pytest

from tests.engine.host.conftest import IN_ORDER, DockerMachine, connects, variables

CLOSED = """
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif lo accept
        ct state established,related accept
    }
}
"""


@pytest.fixture(scope="module")
def machine(new_vm):
    """Debian 13, from a checkout, with a hardened firewall."""
    vm = new_vm("trixie")
    vm.check("apt-get -q update && apt-get -q -y install --no-install-recommends nftables")
    vm.write("/etc/nftables.conf", "#!/usr/sbin/nft -f\nflush ruleset\n" + CLOSED)
    vm.check("systemctl enable --now nftables && systemctl restart nftables")
    machine = DockerMachine(vm, vm.run("true"))
    machine.first = machine.set_up("--host", "docker.example.com", "--host", vm.address)
    assert machine.first.code == 0, machine.first.stderr
    return machine


def through_its_address(machine, printed):
    """The variables as they would be where the name leads to the machine."""
    return printed.replace("tcp://docker.example.com:", f"tcp://{machine.vm.address}:")


def test_the_variables_connect_through_the_closed_firewall(machine):
    printed = machine.first.stdout
    assert variables(printed)["DOCKER_HOST"] == "tcp://docker.example.com:2376"
    assert connects(through_its_address(machine, printed))


def test_a_second_run_knows_the_hosts_and_changes_nothing(machine):
    done = machine.sets_up()
    assert IN_ORDER in done.stderr
    assert variables(done.stdout)["DOCKER_HOST"] == "tcp://docker.example.com:2376"


def test_both_certificates_are_renewed_while_a_container_goes_on(machine, give_image):
    give_image(machine.vm)
    container = machine.vm.check("docker run -d --init rexec/shell sh -c 'while :; do sleep 1; done'")
    began = "docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' " + container
    before = machine.vm.check(began)
    done = machine.sets_up("--rotate-client", "--rotate-server")
    assert machine.vm.check(began) == before
    assert connects(through_its_address(machine, done.stdout))


def test_a_machine_that_holds_containers_keeps_its_users_unless_told(new_vm, give_image):
    vm = new_vm()
    vm.check("apt-get -q update && apt-get -q -y install --no-install-recommends docker.io", timeout=120)
    give_image(vm)
    vm.check("docker create rexec/shell")
    machine = DockerMachine(vm, vm.run("true"))
    done = machine.sets_up()
    assert "--userns changes that, and hides them" in done.stderr
    assert "userns-remap" not in vm.read_json("/etc/docker/daemon.json")
    assert IN_ORDER in machine.sets_up().stderr
    machine.sets_up("--userns")
    assert vm.read_json("/etc/docker/daemon.json")["userns-remap"] == "default"
