"""A Debian with systemd as its first process, which stands for the machine that an operator has rented."""

from __future__ import annotations

import json
import secrets
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.vm_host import AS_ROOT, VmHost, as_root
from tests.support.waiting import eventually

BOOT_S = 60
METADATA = "169.254.169.254"
"""Where cloud providers answer a machine's questions about itself."""

ONLY_MOUNTED_GROUPS = """
    set -e
    awk '/^#/ || system("test -e /sys/fs/cgroup/" $1) == 0' /proc/cgroups >/run/cgroups
    mount --bind /run/cgroups /proc/cgroups
    exec "$0" "$@"
"""
"""Hides control groups that the machine below has not mounted: mounted in here they would exist there, too,
where other daemons would look for them in vain."""


@dataclass(frozen=True)
class Done:
    """What a command in the machine did."""

    code: int
    stdout: str
    stderr: str


class FreshVM:
    """One machine, with a public and a private network to this one and no other way out.

    `address` is its public address, and `gateway` is ours on the same link: servers that listen there are the
    Internet to it, and the mirror of Debian is among them. `private_gateway` is ours on a link of 10.0.0.0/8,
    as providers have between a customer's machines. The cloud's metadata address is ours too.

    Args:
        host: The daemon that carries it.
        suite: Code name of the Debian, `bookworm` or `trixie`.
    """

    def __init__(self, host: VmHost, suite: str) -> None:
        self.host = host
        self.suite = suite
        self.name = f"vm-{secrets.token_hex(4)}"
        number = 1 + len(host.machines)
        # The ranges are of RFC 2544 (benchmarks), which no real network routes, and of RFC 1918.
        self.gateway, self.address = f"198.18.{number}.1", f"198.18.{number}.2"
        self.private_gateway, self.private_address = f"10.99.{number}.1", f"10.99.{number}.2"

    def start(self) -> None:
        """Boot it and wait until systemd has started everything."""
        options = (
            *("--name", self.name, "--hostname", "fresh-vm", "--network", "none"),
            *("--stop-signal", "SIGRTMIN+3"),
            *("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--security-opt", "seccomp=unconfined"),
            *("--security-opt", "apparmor=unconfined", "--security-opt", "systempaths=unconfined"),
            *("--cgroupns=host", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"),  # noqa: S108
            *("-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "-v", "/var/lib/docker", "-e", "container=docker"),
        )
        image = self.host.image(self.suite)
        self.host.machines.append(self.name)
        self.host.docker("run", "-d", *options, image, *self._init())
        self._plug_in()
        self._wait_until_booted()
        self.write("/etc/apt/sources.list", self.host.mirror.sources(self.suite, self.gateway))

    @staticmethod
    def _init() -> list[str]:
        if Path("/sys/fs/cgroup/cgroup.controllers").exists():
            return ["/sbin/init"]
        # From version 256 on, systemd wants to be asked for the old control groups, on its command line.
        legacy = ("systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
        return ["sh", "-c", ONLY_MOUNTED_GROUPS, "/sbin/init", *legacy]

    def _plug_in(self) -> None:
        """Both network cables; they are gone whenever the machine was off."""
        pid = self.host.docker("inspect", "-f", "{{.State.Pid}}", self.name)
        cables = (
            ("eth0", self.gateway, self.address),
            ("eth1", self.private_gateway, self.private_address),
        )
        for device, ours, theirs in cables:
            near = f"{self.name[3:]}-{device}"
            self.host.inside("ip", "link", "add", near, "type", "veth", "peer", "name", device, "netns", pid)
            as_root("ip", "address", "add", f"{ours}/30", "dev", near)
            as_root("ip", "link", "set", near, "up")
            self.check(f"ip address add {theirs}/30 dev {device} && ip link set {device} up")
        as_root("ip", "address", "replace", f"{METADATA}/32", "dev", f"{self.name[3:]}-eth0")
        self.check(f"ip route add default via {self.gateway}")

    def _wait_until_booted(self) -> None:
        def booted() -> bool:
            return self.run("systemctl is-system-running").stdout.strip() in {"running", "degraded"}

        eventually(booted, BOOT_S, interval=0.2, message=f"{self.suite} booted")
        # The kernel lets nobody mount a /proc of his own while a part of this one is hidden.
        self.check("! mountpoint -q /proc/cgroups || umount /proc/cgroups")

    def stop(self) -> None:
        """Take it away with its disk."""
        if self.name in self.host.machines:
            self.host.docker("rm", "-f", "-v", self.name)
            self.host.machines.remove(self.name)

    def reboot(self) -> None:
        """Shut it down and boot it again: memory, firewall and kernel settings are lost, the disk is kept."""
        self.host.docker("restart", "--time", "30", self.name)
        self._plug_in()
        self._wait_until_booted()

    def run(self, command: str, *, stdin: bytes | None = None, timeout: float = 120) -> Done:
        """Run a line of bash as root in the machine.

        Args:
            command: The line.
            stdin: What it reads; nothing where None.
            timeout: Seconds it may take.
        """
        done = subprocess.run(
            [
                *AS_ROOT,
                *("docker", "--host", f"unix://{self.host.folder}/socket", "exec", "-i", self.name),
                *("bash", "-c", command),
            ],
            input=stdin or b"",
            capture_output=True,
            check=False,
            timeout=timeout,
        )
        return Done(
            done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )

    def check(self, command: str, *, stdin: bytes | None = None, timeout: float = 120) -> str:
        """Run a line of bash that has to succeed; returns what it printed, stripped."""
        done = self.run(command, stdin=stdin, timeout=timeout)
        assert done.code == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def read(self, path: str) -> str:
        """The text of a file."""
        return self.check(f"cat -- {shlex.quote(path)}")

    def read_json(self, path: str) -> dict:
        """The content of a JSON file."""
        return json.loads(self.read(path))

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Put a text into a file, whose folder is made where it is missing."""
        self.check(f"install -D -m {mode} /dev/stdin {shlex.quote(path)}", stdin=text.encode())

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file or a folder of this machine into it."""
        self.host.docker("cp", str(source), f"{self.name}:{target}")

    def fetch(self, path: str) -> bytes:
        """The bytes of a file."""
        command = ("docker", "--host", f"unix://{self.host.folder}/socket", "exec", self.name, "cat", path)
        return subprocess.run([*AS_ROOT, *command], capture_output=True, check=True, timeout=60).stdout
