"""Containers: each verb may come twice, and the hardening holds inside a real one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rexec.docker_host.errors import (
    DockerBusy,
    DockerConflict,
    DockerHostError,
    DockerNotFound,
    DockerRejected,
)
from rexec.docker_host.spec import CAPABILITIES, to_create_body
from tests.engine.docker_host.conftest import SHELL
from tests.support.waiting import eventually

CAPABILITY_NUMBERS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_BIND_SERVICE": 10,
    "SYS_CHROOT": 18,
    "AUDIT_WRITE": 29,
}
"""From the kernel's linux/capability.h."""


def inside(host, container, script):
    """What a shell in the container prints."""
    code, output = host.exec_run(container, ["sh", "-c", script], 20)
    assert code == 0, output
    return output.decode()


def running(host, container):
    return host.inspect_container(container)["State"]["Running"]


def test_start_and_stop_may_come_twice(host, container):
    host.start_container(container)
    host.stop_container(container, grace_s=0)
    host.stop_container(container, grace_s=0)
    assert not running(host, container)
    host.start_container(container)
    assert running(host, container)


def cgroup_limits(host, container):
    """Memory, swap beside it, processors and processes as the kernel has them, whichever cgroups it has."""
    two = (
        "cd /sys/fs/cgroup; cat memory.max memory.swap.max 2>/dev/null || echo 0;"
        "awk '{print $1*1000000000/$2}' cpu.max; cat pids.max"
    )
    one = (
        "cd /sys/fs/cgroup; m=$(cat memory/memory.limit_in_bytes); echo $m;"
        "s=$(cat memory/memory.memsw.limit_in_bytes 2>/dev/null || echo $m); echo $((s-m));"
        "echo $(($(cat cpu/cpu.cfs_quota_us)*10000)); cat pids/pids.max"
    )
    script = f"if [ -e /sys/fs/cgroup/cgroup.controllers ]; then {two}; else {one}; fi"
    return [int(number) for number in inside(host, container, script).split()]


def test_the_limits_of_a_running_container_are_raised_in_its_cgroup(host, spec, container):
    assert cgroup_limits(host, container) == [64 * 1024**2, 0, 500_000_000, 64]
    started = host.inspect_container(container)["State"]["StartedAt"]
    for _ in range(2):
        host.update_container(container, 128 * 1024**2, 1_000_000_000, 100)
        assert cgroup_limits(host, container) == [128 * 1024**2, 0, 1_000_000_000, 100]
    assert host.inspect_container(container)["State"]["StartedAt"] == started
    config = host.inspect_container(container)["HostConfig"]
    assert config["Memory"] == config["MemorySwap"] == 128 * 1024**2
    assert config["RestartPolicy"]["Name"] == "unless-stopped"


def test_a_stopped_container_has_its_new_limits_from_the_next_start(host, container):
    host.stop_container(container, grace_s=0)
    host.update_container(container, 32 * 1024**2, 250_000_000, 32)
    host.start_container(container)
    assert cgroup_limits(host, container) == [32 * 1024**2, 0, 250_000_000, 32]


def test_limits_that_cannot_be_are_refused_and_change_nothing(host, container):
    for limits in ((1024, 500_000_000, 64), (64 * 1024**2, 10**12, 64)):
        with pytest.raises(DockerRejected):
            host.update_container(container, *limits)
    assert cgroup_limits(host, container) == [64 * 1024**2, 0, 500_000_000, 64]
    with pytest.raises(DockerNotFound):
        host.update_container("nothing-here", 64 * 1024**2, 500_000_000, 64)


def test_a_container_that_does_not_run_cannot_be_killed(host, container):
    host.kill_container(container)
    eventually(lambda: not running(host, container))
    with pytest.raises(DockerConflict) as caught:
        host.kill_container(container)
    assert caught.value.code == "docker_not_running"


def test_a_running_container_is_removed_and_its_home_stays(host, spec, container, label):
    inside(host, container, "echo kept > /root/file")
    host.remove_container(container)
    with pytest.raises(DockerNotFound):
        host.inspect_container(container)
    with pytest.raises(DockerNotFound):
        host.remove_container(container)
    assert len(host.list_volumes(label)) == 1
    again = host.create_container(spec)
    host.start_container(again)
    assert inside(host, again, "cat /root/file") == "kept\n"
    host.remove_container(again)


def test_two_removals_at_once_end_well(host, container):
    def remove(_):
        try:
            host.remove_container(container)
        except (DockerBusy, DockerNotFound) as error:
            return error.code
        return "removed"

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(remove, range(4)))
    assert "removed" in outcomes


def test_an_unnamed_volume_of_the_image_goes_with_the_container(engine, host, spec):
    engine.docker("create", "--name", f"{spec.name}-seed", "rexec/shell:latest", "true")
    change = ["--change", "VOLUME /data", "--change", 'ENTRYPOINT ["/bin/false"]']
    engine.docker("commit", *change, f"{spec.name}-seed", "rexec/with-volume:1")
    engine.docker("rm", f"{spec.name}-seed")
    made = host.create_container(replace(spec, image="rexec/with-volume:1"))
    host.start_container(made)
    mounts = {mount["Destination"]: mount["Name"] for mount in host.inspect_container(made)["Mounts"]}
    assert set(mounts) == {"/root", "/data"}
    # The image's entrypoint would have ended it at once.
    assert inside(host, made, "echo alive") == "alive\n"
    host.remove_container(made)
    with pytest.raises(DockerNotFound):
        host.remove_volume(mounts["/data"])
    host.remove_volume(spec.volume_name)
    engine.docker("rmi", "rexec/with-volume:1")


def test_containers_are_listed_by_label_stopped_ones_too(host, spec, container, label):
    host.stop_container(container, grace_s=0)

    def listed():
        return [(found["Id"], found["State"]) for found in host.list_containers(label)]

    # Engine 26 answers the stop a moment before its list shows it.
    eventually(lambda: listed() == [(container, "exited")])
    assert host.list_containers({"rexec.none": None}) == []


def test_the_daemon_keeps_what_we_asked_for(host, spec, container):
    config = host.inspect_container(container)["HostConfig"]
    wanted = to_create_body(spec)["HostConfig"]
    assert {name: config[name] for name in ("Memory", "MemorySwap", "NanoCpus", "PidsLimit", "Init")} == {
        name: wanted[name] for name in ("Memory", "MemorySwap", "NanoCpus", "PidsLimit", "Init")
    }
    assert config["LogConfig"] == wanted["LogConfig"]
    assert config["SecurityOpt"] == wanted["SecurityOpt"]
    assert config["RestartPolicy"]["Name"] == "unless-stopped"


def test_root_inside_has_the_short_list_and_cannot_get_more(host, container):
    status = dict(
        line.split(":\t")
        for line in inside(host, container, "cat /proc/self/status").splitlines()
        if ":\t" in line
    )
    wanted = sum(1 << CAPABILITY_NUMBERS[name] for name in CAPABILITIES)
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == wanted
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"


def test_root_inside_can_do_what_installing_packages_takes(host, container):
    inside(
        host, container, "cd /root; touch f; chown 1000:1000 f; chmod 0600 f; echo x > f; chmod 0755 f; cat f"
    )
    inside(host, container, "mkdir -p /etc; echo user:x:1000:1000::/:/bin/sh > /etc/passwd")
    assert inside(host, container, "su user -c 'id -u; id -g'").split() == ["1000", "1000"]
    inside(host, container, "pid=$(su user -c 'sleep 60 >&- 2>&- & echo $!'); kill $pid")
    inside(host, container, "mkdir -p /root/j/bin; cp /bin/busybox /root/j/bin/sh; chroot /root/j sh -c true")


def test_root_inside_may_ping_but_not_forge_packets(host, container):
    assert inside(host, container, "cat /proc/sys/net/ipv4/ping_group_range").split() == ["0", "0"]
    code, output = host.exec_run(container, ["arping", "-c", "1", "-I", "eth0", "10.0.0.1"], 10)
    assert code != 0
    assert b"not permitted" in output or b"denied" in output


def test_root_inside_is_not_root_on_the_machine(host, container):
    assert inside(host, container, "id -u") == "0\n"
    assert inside(host, container, "cat /proc/self/uid_map").split()[1] != "0"


def test_the_shell_is_a_child_of_an_init_that_reaps(host, container):
    assert "init" in inside(host, container, "cat /proc/1/cmdline")
    inside(host, container, "sh -c '(true &) ; true'; true")
    eventually(
        lambda: "Z" not in inside(host, container, "cat /proc/[0-9]*/stat 2>/dev/null | cut -d' ' -f3; true")
    )


def test_limits_of_files_processes_and_core_dumps_hold(host, container):
    assert inside(host, container, "ulimit -n; ulimit -Hn; ulimit -c").split() == ["16384", "16384", "0"]
    fork = "i=0; while [ $i -lt 100 ]; do sleep 20 & i=$((i+1)); done"
    code, output = host.exec_run(container, ["sh", "-c", fork], 20)
    assert code != 0
    assert b"fork" in output


def test_memory_beyond_the_limit_is_not_granted(host, container):
    code, _ = host.exec_run(container, ["sh", "-c", "tail /dev/zero"], 30)
    assert code == 137


def test_a_container_does_not_reach_another(host, spec, container):
    other_spec = replace(spec, name=f"{spec.name}-b", volume_name=f"{spec.volume_name}-b")
    other = host.create_container(replace(other_spec, command=("sh", "-c", "httpd -f -p 8000 -h /bin")))
    host.start_container(other)
    address = host.inspect_container(other)["NetworkSettings"]["Networks"][spec.network]["IPAddress"]
    assert host.exec_run(other, ["wget", "-q", "-O", "/dev/null", f"http://{address}:8000/sh"], 10)[0] == 0
    code, _ = host.exec_run(
        container, ["wget", "-T", "2", "-q", "-O", "/dev/null", f"http://{address}:8000/sh"], 15
    )
    assert code != 0
    host.remove_container(other)
    host.remove_volume(other_spec.volume_name)


def test_a_main_process_that_ends_comes_back_until_the_container_is_stopped(host, spec):
    made = host.create_container(replace(spec, command=("sh", "-c", "sleep 0.2; exit 1")))
    host.start_container(made)
    eventually(lambda: host.inspect_container(made)["RestartCount"] >= 2)
    host.stop_container(made, grace_s=0)
    stopped = host.inspect_container(made)
    assert stopped["State"]["Status"] == "exited"
    host.remove_container(made)
    host.remove_volume(spec.volume_name)


def test_terminal_and_log_are_as_the_design_wants_them(host, container):
    config = host.inspect_container(container)["Config"]
    assert (config["Tty"], config["OpenStdin"], config["StdinOnce"]) == (True, True, False)
    assert tuple(config["Cmd"]) == SHELL
    assert "TERM=xterm-256color" in config["Env"]


def test_a_runtime_that_the_daemon_lacks_is_reported(host, spec):
    with pytest.raises(DockerHostError) as caught:
        host.create_container(replace(spec, runtime="none-such"))
    assert "none-such" in caught.value.detail
