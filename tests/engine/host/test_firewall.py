"""What containers on a machine that was set up may reach: the Internet, and nothing that is not of it."""

from __future__ import annotations

import contextlib

import pytest

from tests.support.fresh_vm import METADATA
from tests.support.listener import listening
from tests.support.waiting import eventually

MAIL = 25
BURST = 200
"""New connections that one container may open at once."""
ATTEMPTS = 2 * BURST
NETWORK = "docker network create -o com.docker.network.bridge.enable_icc=false --subnet 10.216.0.0/22 walled"


@pytest.fixture(scope="module")
def machine(piped_machine, give_image):
    """Set up, with a network as Rexec makes them, and with servers all around."""
    assert piped_machine.first.code == 0, piped_machine.first.stderr
    vm = piped_machine.vm
    give_image(vm)
    vm.check(NETWORK)
    with contextlib.ExitStack() as stack:
        for address in (vm.gateway, vm.private_gateway, METADATA):
            stack.enter_context(listening(address, 8000))
        stack.enter_context(listening(vm.gateway, MAIL))
        yield piped_machine


@pytest.fixture(params=["walled", "bridge"])
def inside(request, machine):
    """Runs a line in a container of the shared network, or of Docker's own."""

    def run(line):
        options = f"--rm --network {request.param} --dns 127.0.0.1"
        return machine.vm.run(f"docker run {options} rexec/shell sh -c {line!r}")

    return run


def says_hello(done):
    return done.code == 0 and "hello" in done.stdout


def to(address, port=8000):
    """A line that prints what a server there says."""
    return f"nc -w 3 {address} {port} </dev/null"


def reached_from_the_machine(vm, address, port=8000):
    return "hello" in vm.run(f"timeout 3 cat < /dev/tcp/{address}/{port}").stdout


def test_containers_reach_the_internet(machine, inside):
    assert says_hello(inside(to(machine.vm.gateway)))


def test_containers_do_not_reach_the_clouds_metadata(machine, inside):
    assert reached_from_the_machine(machine.vm, METADATA)
    assert not says_hello(inside(to(METADATA)))


def test_containers_do_not_reach_the_machines_private_network(machine, inside):
    assert reached_from_the_machine(machine.vm, machine.vm.private_gateway)
    assert not says_hello(inside(to(machine.vm.private_gateway)))


def test_containers_do_not_reach_the_machines_own_ports(machine, inside):
    machine.vm.check("systemctl reset-failed own 2>/dev/null; true")
    machine.vm.check(
        "systemd-run --unit=own systemd-socket-activate -l 0.0.0.0:8001 --inetd -a /bin/echo hello"
    )
    try:
        for address in (machine.vm.address, machine.vm.private_address, "10.216.0.1", "172.17.0.1"):
            eventually(lambda address=address: reached_from_the_machine(machine.vm, address, 8001))
            assert not says_hello(inside(to(address, 8001))), address
            assert "can't connect to remote host" in inside(to(address, 2376)).stderr, address
    finally:
        machine.vm.check("systemctl stop own")


def test_containers_do_not_reach_each_other(machine):
    neighbour = machine.vm.check(
        "docker run -d --network walled rexec/shell sh -c 'while :; do echo hello | nc -l -p 8000; done'"
    )
    address = machine.vm.check(
        f"docker inspect -f '{{{{.NetworkSettings.Networks.walled.IPAddress}}}}' {neighbour}"
    )
    try:
        eventually(lambda: reached_from_the_machine(machine.vm, address))
        line = f"docker run --rm --network walled rexec/shell sh -c {to(address)!r}"
        assert not says_hello(machine.vm.run(line))
    finally:
        machine.vm.check(f"docker rm -f {neighbour}")


def test_containers_send_no_mail_unless_egress_is_open(machine, inside):
    assert reached_from_the_machine(machine.vm, machine.vm.gateway, MAIL)
    assert not says_hello(inside(to(machine.vm.gateway, MAIL)))
    machine.sets_up("--egress", "open")
    try:
        assert says_hello(inside(to(machine.vm.gateway, MAIL)))
    finally:
        machine.sets_up()
    assert not says_hello(inside(to(machine.vm.gateway, MAIL)))


def connections(machine):
    """How many of many attempts to connect at once succeed, from one container of the shared network."""
    line = f"for i in $(seq {ATTEMPTS}); do {to(machine.vm.gateway)} & done; wait"
    done = machine.vm.run(f"docker run --rm --network walled rexec/shell sh -c {line!r}")
    return done.stdout.count("hello")


def test_a_container_opens_so_many_connections_a_second_unless_egress_is_open(machine):
    # The burst, and what the seconds of retries let through.
    assert BURST <= connections(machine) < ATTEMPTS
    machine.sets_up("--egress", "open")
    try:
        assert connections(machine) == ATTEMPTS
    finally:
        machine.sets_up()


def test_the_walls_stand_after_a_restart_of_docker_and_after_a_reboot(machine):
    vm = machine.vm
    vm.check("systemctl restart docker")
    run = "docker run --rm --network walled rexec/shell sh -c"
    eventually(lambda: says_hello(vm.run(f"{run} {to(vm.gateway)!r}")), 30)
    assert not says_hello(vm.run(f"{run} {to(METADATA)!r}"))
    vm.reboot()
    eventually(lambda: says_hello(vm.run(f"{run} {to(vm.gateway)!r}")), 30)
    assert reached_from_the_machine(vm, METADATA)
    assert not says_hello(vm.run(f"{run} {to(METADATA)!r}"))
    assert not says_hello(vm.run(f"{run} {to(vm.private_gateway)!r}"))
    assert not says_hello(vm.run(f"{run} {to(vm.gateway, MAIL)!r}"))
