"""docker/docker-host/setup.sh on a fresh machine: what it makes, what it leaves alone, what it prints."""

from __future__ import annotations

import json

import pytest

from rexec.docker_host.errors import DockerUnreachable
from tests.engine.host.conftest import IN_ORDER, SETUP, connects, variables
from tests.support.listener import listening
from tests.support.waiting import eventually

GUIDE = {
    *("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CA_CERT", "DOCKER_CLIENT_CERT", "DOCKER_CLIENT_KEY"),
    *("JWT_SECRET", "DATABASE_URL"),
}
FILES = "find /etc /usr/local /var/lib/dpkg/info -type f -newer /root/before ! -name resolv.conf"
SETTINGS = "/etc/docker/daemon.json"
STRACE = "strace -f -qq -s 9999 -e trace=execve -o /root/trace"


@pytest.fixture(scope="module")
def rehearsal(fresh_vm):
    """What a rehearsal on a bare machine said, and which files it made."""
    fresh_vm.check("touch /root/before")
    done = fresh_vm.run(f"{SETUP} --dry-run --no-pull")
    return done, fresh_vm.check(FILES)


@pytest.fixture(scope="module")
def machine(rehearsal, piped_machine):
    """Set up for the first time, after the rehearsal."""
    assert piped_machine.first.code == 0, piped_machine.first.stderr
    return piped_machine


def test_a_rehearsal_says_what_it_would_do_and_does_nothing(rehearsal):
    done, files = rehearsal
    assert done.code == 0, done.stderr
    assert "would: install Docker" in done.stderr
    assert "would: restart Docker" in done.stderr
    assert files == ""


@pytest.mark.parametrize("several", [True, False])
def test_each_form_of_the_variables_connects(machine, several):
    printed = machine.first.stdout
    assert variables(printed, several=several).keys() == GUIDE
    assert connects(printed, several=several)
    assert variables(printed)["DOCKER_HOST"] == f"tcp://{machine.vm.address}:2376"


def test_the_daemon_and_its_keys_are_as_the_guide_has_them(machine):
    files = machine.vm.check("stat -c '%a %n' /etc/docker/certs/*").split("\n")
    assert {line.split()[0] for line in files if line.endswith("key.pem")} == {"400"}
    info = json.loads(machine.vm.check("docker info --format '{{json .}}'"))
    assert info["LiveRestoreEnabled"]
    assert "name=userns" in info["SecurityOptions"]
    assert info["LoggingDriver"] == "local"
    kept = machine.vm.read_json(SETTINGS)
    wanted = {"tls": True, "tlsverify": True, "icc": False, "no-new-privileges": True}
    assert wanted.items() <= kept.items()
    assert kept["default-ulimits"]["nofile"]["Hard"] == 16384
    dockerd = machine.vm.check("systemctl show -p ExecStart --value docker | grep -oE 'path=[^ ]+'")
    assert dockerd == "path=" + machine.vm.check("command -v dockerd")
    assert machine.vm.check("cat /proc/sys/net/ipv4/tcp_retries2") == "8"
    # The guide's look at the port.
    assert "LISTEN" in machine.vm.check("netstat -tlnp | grep 2376")


def test_a_second_run_changes_nothing_and_says_so(machine):
    before = machine.daemon()
    machine.vm.check("touch /root/before")
    done = machine.sets_up()
    assert IN_ORDER in done.stderr
    assert machine.vm.check(FILES) == ""
    assert machine.daemon() == before
    assert connects(done.stdout)


def test_no_secret_is_in_a_command_line_or_left_in_a_file(machine):
    machine.vm.check("apt-get -q update && apt-get -q -y install --no-install-recommends strace")
    done = machine.vm.run(f"{STRACE} {SETUP} --no-pull --rotate-client --rotate-server", timeout=200)
    assert done.code == 0, done.stderr
    trace = machine.vm.read("/root/trace")
    assert "openssl" in trace
    keys = [machine.vm.read(f"/etc/docker/certs/{name}-key.pem") for name in ("ca", "server")]
    keys.append(machine.vm.read("/etc/docker/certs/key.pem"))
    secrets = [line for key in keys for line in key.splitlines() if line and not line.startswith("-----")]
    secrets.append(variables(done.stdout)["JWT_SECRET"])
    assert len(secrets) > len(keys)
    assert [secret for secret in secrets if secret in trace] == []
    left = machine.vm.run(
        "grep -rl -e 'PRIVATE KEY' /tmp /var/tmp /run /etc/docker 2>/dev/null"
    ).stdout.split()
    folder = "/etc/docker/certs"
    assert sorted(left) == [f"{folder}/ca-key.pem", f"{folder}/key.pem", f"{folder}/server-key.pem"]
    assert keys[0].splitlines()[1] not in done.stdout + done.stderr


def test_settings_of_the_operator_are_kept_beside_ours(machine):
    settings = machine.vm.read_json(SETTINGS)
    theirs = {"log-driver": "json-file", "max-concurrent-downloads": 2, "live-restore": False}
    left = {name: value for name, value in settings.items() if name not in {"log-opts", "log-driver"}}
    machine.vm.write(SETTINGS, json.dumps({**left, **theirs}))
    assert "restart Docker" in machine.sets_up().stderr
    kept = machine.vm.read_json(SETTINGS)
    assert (kept["log-driver"], kept["max-concurrent-downloads"]) == ("json-file", 2)
    assert kept["live-restore"] is True
    assert "log-opts" not in kept
    machine.vm.write(SETTINGS, json.dumps(settings))
    machine.sets_up()


def test_settings_that_are_no_json_are_left_as_they_are(machine):
    good = machine.vm.read(SETTINGS)
    machine.vm.write(SETTINGS, '{"hosts": [')
    done = machine.set_up()
    assert done.code == 1
    assert f"{SETTINGS} is not valid JSON; mend it" in done.stderr
    assert machine.vm.read(SETTINGS) == '{"hosts": ['
    machine.vm.write(SETTINGS, good + "\n")
    assert IN_ORDER in machine.sets_up().stderr


def test_settings_with_which_the_daemon_does_not_come_up_are_put_back(machine):
    good = machine.vm.read(SETTINGS)
    machine.vm.check("systemd-run --unit=squatter systemd-socket-activate -l 0.0.0.0:4000 /bin/cat")
    try:
        done = machine.set_up("--port", "4000")
    finally:
        machine.vm.check("systemctl stop squatter")
    assert done.code == 1
    assert "address already in use" in done.stderr
    assert f"put the old {SETTINGS} back" in done.stderr
    assert machine.vm.read(SETTINGS) == good
    # The firewall was told of the other port.
    machine.sets_up()
    assert IN_ORDER in machine.sets_up().stderr


def test_a_new_client_certificate_needs_no_restart(machine):
    before, old = machine.daemon(), machine.sets_up().stdout
    new = machine.sets_up("--rotate-client").stdout
    assert machine.daemon() == before
    certificates = [variables(printed)["DOCKER_CLIENT_CERT"] for printed in (old, new)]
    assert certificates[0] != certificates[1]
    assert connects(old)
    assert connects(new)


def test_a_new_server_certificate_restarts_the_daemon_and_no_container(machine, give_image):
    give_image(machine.vm)
    container = machine.vm.check("docker run -d --init rexec/shell sh -c 'while :; do sleep 1; done'")
    began = "docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' " + container
    before, daemon = machine.vm.check(began), machine.daemon()
    done = machine.sets_up("--rotate-server", "--days", "10")
    assert machine.daemon() != daemon
    assert machine.vm.check(began) == before
    assert connects(done.stdout)
    served = "openssl s_client -connect localhost:2376 </dev/null 2>/dev/null"
    assert "will expire" in machine.vm.run(f"{served} | openssl x509 -noout -checkend 900000").stdout
    machine.vm.check(f"docker rm -f {container}")


def test_only_networks_that_are_allowed_reach_the_port(machine):
    def connected():
        return connects(printed)

    printed = machine.sets_up("--allow-from", "203.0.113.0/24").stdout
    with pytest.raises(DockerUnreachable):
        connected()
    printed = machine.sets_up().stdout
    assert 'ALLOW_FROM="203.0.113.0/24"' in machine.vm.read("/etc/default/rexec-firewall")
    machine.sets_up("--allow-from", "203.0.113.0/24", "--allow-from", f"{machine.vm.gateway}/32")
    assert connected()
    machine.sets_up("--allow-from", "any")
    assert connected()


def test_the_port_is_opened_in_ufw(machine):
    machine.vm.check("apt-get -q -y install --no-install-recommends ufw && ufw --force enable")
    try:
        printed = machine.sets_up().stdout
        assert "2376/tcp" in machine.vm.check("ufw status")
        assert connects(printed)
        with listening(machine.vm.gateway, 8000):
            assert "hello" in machine.vm.check(f"timeout 5 cat < /dev/tcp/{machine.vm.gateway}/8000")
    finally:
        machine.vm.check("ufw --force disable")


def test_after_a_reboot_everything_is_there_again(machine):
    printed = machine.sets_up().stdout
    machine.vm.reboot()
    eventually(lambda: connects(printed), 30)
    assert IN_ORDER in machine.sets_up().stderr
    assert machine.vm.check("cat /proc/sys/net/ipv4/tcp_retries2") == "8"
