"""What a container may not do: read from the daemon, and tried from inside."""

from __future__ import annotations

import json
import re

import pytest

from rexec.containers.gateway import docker
from tests.support.stacks import on_sqlite

pytestmark = on_sqlite
"""The daemon decides here; which database the rows are in makes no difference."""


@pytest.fixture
def lab(launched):
    return launched()


@pytest.fixture
def status_of_init(lab, inside):
    """/proc/1/status inside the container, as a dictionary."""
    _, text = inside(lab, "cat /proc/1/status")
    return dict(line.split(":\t", 1) for line in text.replace("\r", "").splitlines() if ":\t" in line)


def test_the_limits_of_the_plan_are_the_containers(lab, inside):
    config = docker().inspect_container(lab.docker_id)["HostConfig"]
    assert config["Memory"] == config["MemorySwap"] == 2048 * 1024**2
    assert config["NanoCpus"] == 1_000_000_000
    assert config["PidsLimit"] == 512
    assert config["RestartPolicy"]["Name"] == "unless-stopped"


def test_it_is_root_inside_and_nobody_outside(lab, inside):
    assert inside(lab, "id -u") == (0, "0")
    _, mapping = inside(lab, "cat /proc/self/uid_map")
    inside_id, outside_id, _ = mapping.split()[:3]
    assert inside_id == "0"
    assert int(outside_id) > 0


def test_only_the_short_list_of_capabilities_is_left(status_of_init):
    for name in ("CapEff", "CapPrm", "CapBnd"):
        held = {bit for bit in range(64) if int(status_of_init[name], 16) >> bit & 1}
        # chown dac_override fowner kill setgid setuid net_bind_service sys_chroot audit_write
        assert held == {0, 1, 3, 5, 6, 7, 10, 18, 29}


def test_no_new_privileges_and_a_seccomp_filter_are_on(status_of_init):
    assert status_of_init["NoNewPrivs"] == "1"
    assert status_of_init["Seccomp"] == "2"


@pytest.mark.parametrize(
    "line",
    [
        "mount -t tmpfs none /mnt",
        "mknod /root/disk b 8 0",
        "echo 1 > /proc/sys/kernel/panic",
        "hostname other",
        "chown 1:1 /proc/sys/kernel/panic",
        "swapoff -a; swapoff /root",
    ],
)
def test_what_only_the_vms_root_may_do_fails(lab, inside, line):
    code, output = inside(lab, line)
    assert code != 0
    assert re.search("not permitted|denied|[Rr]ead-only", output), output


def test_processes_end_at_the_limit_and_the_container_survives(launched, inside, app):
    app.extensions["rexec.plans"] = tuple(
        plan if plan.key != "pro" else type(plan)(**{**vars(plan), "pids": 32})
        for plan in app.extensions["rexec.plans"]
    )
    row = launched()
    _, output = inside(
        row, "i=0; while [ $i -lt 60 ]; do sleep 30 & i=$((i+1)); done 2>&1; wait", timeout_s=5
    )
    assert re.search(r"fork|Resource temporarily unavailable|Cannot fork", output)
    assert docker().inspect_container(row.docker_id)["State"]["Running"]


def test_two_containers_do_not_reach_each_other(launched, inside):
    one, two = launched("one"), launched("two")
    assert one.network == two.network
    addresses = [
        next(iter(docker().inspect_container(row.docker_id)["NetworkSettings"]["Networks"].values()))[
            "IPAddress"
        ]
        for row in (one, two)
    ]
    code, _ = inside(two, "(nc -l -p 7000 -e echo hi >/dev/null 2>&1 &) ; true")
    assert code == 0
    # From itself it is reached, so something listens; from its neighbour it is not.
    assert inside(two, f"nc -w 2 {addresses[1]} 7000 </dev/null")[0] == 0
    inside(two, "(nc -l -p 7000 -e echo hi >/dev/null 2>&1 &) ; true")
    code, output = inside(one, f"nc -w 2 {addresses[1]} 7000 </dev/null")
    assert code != 0, output


def test_the_network_has_room_for_a_thousand_and_carries_our_label(lab, engine):
    network = json.loads(engine.docker("network", "inspect", lab.network))[0]
    assert network["Options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert network["IPAM"]["Config"][0]["Subnet"].endswith("/22")
    assert set(network["Labels"]) == {"rexec.deployment"}


def test_the_home_is_a_volume_with_our_labels(lab, engine):
    volume = json.loads(engine.docker("volume", "inspect", f"rexec-home-{lab.public_id}"))[0]
    assert volume["Labels"]["rexec.container"] == lab.public_id
    found = docker().inspect_container(lab.docker_id)
    assert [(mount["Type"], mount["Destination"]) for mount in found["Mounts"]] == [("volume", "/root")]


def test_nothing_of_rexec_is_in_its_environment(lab, inside):
    _, output = inside(lab, "env")
    names = {line.partition("=")[0] for line in output.replace("\r", "").splitlines()}
    assert names <= {
        "HOME",
        "HOSTNAME",
        "LANG",
        "PATH",
        "PROMPT_COMMAND",
        "PWD",
        "REXEC_SHELL",
        "SHLVL",
        "TERM",
    }
