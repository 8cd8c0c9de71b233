"""scripts/engine: a private daemon with a real VM's settings, which comes, goes and leaves nothing behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import ROOT, Engine
from tests.support.processes import free_port
from tests.support.waiting import eventually

SCRIPT = ROOT / "scripts" / "engine"


def script(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *arguments],
        env={**os.environ, "ENGINE_DIR": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=200,
    )


def traces(folder: Path) -> list[str]:
    """Processes, mounts, bridges and firewall rules that belong to the engine in this folder."""
    run = next(
        iter(line for line in (folder / "daemon.json").read_text().split('"') if line.startswith("unix:"))
    )
    mount = run.removeprefix("unix://").removesuffix("/docker.sock")
    name = mount.rpartition("/")[2]
    found = [f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines() if mount in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{mount}/" in line:
            found.append(f"process {line}")
    found += [f"bridge {path.name}" for path in Path("/sys/class/net").iterdir() if path.name == name]
    rules = subprocess.run(["/usr/sbin/iptables", "-S"], capture_output=True, text=True, check=True).stdout
    found += [f"rule {rule}" for rule in rules.splitlines() if name in rule]
    if Path(mount).exists():
        found.append(f"folder {mount}")
    return found


def test_the_daemon_has_the_settings_of_a_real_vm(engine):
    info = json.loads(engine.docker("info", "--format", "{{json .}}"))
    assert "name=userns" in ",".join(info["SecurityOptions"])
    assert info["LiveRestoreEnabled"] is True
    bridge = json.loads(engine.docker("network", "inspect", "bridge"))[0]
    assert bridge["Options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert bridge["Options"]["com.docker.network.bridge.name"] != "docker0"


def test_the_built_in_image_is_a_busybox_and_nothing_else(engine):
    listing = engine.docker("run", "--rm", "--network", "none", "rexec/shell:latest", "ls", "/")
    assert set(listing.split()) == {"bin", "dev", "etc", "proc", "sys"}
    who = engine.docker(
        "run", "--rm", "--network", "none", "rexec/shell:latest", "sh", "-c", "id -u; ls /etc"
    )
    assert who.split() == ["0", "hostname", "hosts", "mtab", "resolv.conf"]


def test_root_inside_is_nobody_outside(engine):
    mapping = engine.docker(
        "run", "--rm", "--network", "none", "rexec/shell:latest", "cat", "/proc/self/uid_map"
    )
    inside, outside, _ = mapping.split()
    assert inside == "0"
    assert int(outside) >= 65536


def test_a_second_start_changes_nothing(engine):
    pid, certificate = engine.pid, (engine.certificates / "server-cert.pem").read_bytes()
    done = script(engine.folder, "start")
    assert done.returncode == 0
    assert "already running" in done.stderr
    assert engine.pid == pid
    assert (engine.certificates / "server-cert.pem").read_bytes() == certificate


def test_env_prints_what_a_shell_can_evaluate(engine):
    command = f'eval "$({SCRIPT} env)"; echo "$DOCKER_HOST $DOCKER_TLS_VERIFY $DOCKER_CERT_PATH"'
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "ENGINE_DIR": str(engine.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == list(engine.environment().values())


def test_a_client_without_a_certificate_is_refused(engine):
    done = subprocess.run(
        ["docker", "--host", f"tcp://127.0.0.1:{engine.port}", "version"],
        env={name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "HTTP request to an HTTPS server" in done.stderr + done.stdout


def firewall_rules(*names: str) -> set[str]:
    """Rules of all tables that name one of these."""
    lines: list[str] = []
    for table in ("filter", "nat"):
        command = ["/usr/sbin/iptables", "-w", "-t", table, "-S"]
        lines += subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line for line in lines if any(name in line for name in names)}


def test_another_daemon_leaves_the_ports_and_walls_of_this_one_alone(engine, tmp_path):
    port = free_port()
    network = engine.docker("network", "create", "walled")[:12]
    options = ("-d", "--init", "--network", "walled", "-p", f"127.0.0.1:{port}:80")
    container = engine.docker("run", *options, "rexec/shell:latest", "sleep", "1000")
    other = Engine(tmp_path / "engine")
    try:
        before = firewall_rules(network, f"--dport {port}")
        assert any("DNAT" in rule for rule in before)
        assert any("ISOLATION" in rule for rule in before)
        other.start()
        assert firewall_rules(network, f"--dport {port}") == before
        other.end()
        assert firewall_rules(network, f"--dport {port}") == before
    finally:
        other.end()
        engine.docker("rm", "-f", container)
        engine.docker("network", "rm", "walled")


def test_stop_takes_containers_along_and_leaves_nothing_behind(own_engine):
    own_engine.docker("network", "create", "lan")
    own_engine.docker(
        "run", "-d", "--name", "one", "--network", "lan", "--init", "rexec/shell:latest", "sleep", "1000"
    )
    assert traces(own_engine.folder)
    own_engine.stop()
    assert traces(own_engine.folder) == []
    again = script(own_engine.folder, "stop")
    assert again.returncode == 0


def test_stop_ends_containers_whose_daemon_was_killed(own_engine):
    own_engine.docker("run", "-d", "--name", "one", "rexec/shell:latest", "sleep", "1000")
    own_engine.kill()
    assert any("containerd-shim" in trace for trace in traces(own_engine.folder))
    own_engine.stop()
    assert traces(own_engine.folder) == []


def test_containers_survive_the_daemons_death_and_come_back_after_stop(own_engine):
    options = ("-d", "--name", "one", "--restart", "unless-stopped", "--init")
    own_engine.docker("run", *options, "rexec/shell:latest", "sleep", "1000")
    started = own_engine.docker("inspect", "one", "--format", "{{.State.StartedAt}}")
    port = own_engine.port
    own_engine.restart()
    assert own_engine.port == port
    assert own_engine.docker("inspect", "one", "--format", "{{.State.StartedAt}}") == started
    own_engine.stop()
    own_engine.start()
    eventually(
        lambda: own_engine.docker("ps", "-q", "--filter", "name=one"), message="container running again"
    )
    assert own_engine.docker("inspect", "one", "--format", "{{.State.StartedAt}}") != started


def test_a_port_that_is_taken_is_the_daemons_own_reason_and_exit_code_3(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = script(tmp_path / "engine", "start", ENGINE_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 3
    assert "address already in use" in done.stderr
    assert traces(tmp_path / "engine") == []


def test_the_port_can_be_chosen(tmp_path):
    port = free_port()
    engine = Engine(tmp_path / "engine")
    try:
        done = script(engine.folder, "start", ENGINE_PORT=str(port))
        engine.started = True
        assert done.returncode == 0, done.stderr
        assert engine.environment()["DOCKER_HOST"] == f"tcp://127.0.0.1:{port}"
    finally:
        engine.end()


def test_a_deep_folder_of_mode_0700_is_no_obstacle(tmp_path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    deep.mkdir(parents=True)
    deep.chmod(0o700)
    engine = Engine(deep / "engine")
    try:
        engine.start()
        assert engine.docker("run", "--rm", "rexec/shell:latest", "echo", "works") == "works"
    finally:
        engine.end()


def test_env_without_an_engine_says_what_to_do(tmp_path):
    done = script(tmp_path / "none", "env")
    assert done.returncode == 1
    assert "scripts/engine start" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["restart"], ["start", "now"]])
def test_an_unknown_command_prints_the_usage(tmp_path, arguments):
    done = script(tmp_path / "none", *arguments)
    assert done.returncode == 2
    assert "start|stop|env" in done.stderr
    assert not (tmp_path / "none").exists()
