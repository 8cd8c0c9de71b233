"""The Docker daemon that carries machines of the tests, and the images of Debian that they start from.

It maps no users and touches no firewall: a machine that runs Docker itself needs the first, and the daemons
under test want the second for themselves.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from pathlib import Path

from tests.support.mirror_relay import MirrorRelay
from tests.support.processes import Program

AS_ROOT = () if os.geteuid() == 0 else ("sudo", "--")
PACKAGES = ("systemd", "systemd-sysv", "dbus", "iproute2", "ca-certificates", "curl", "sudo", "procps")
"""What every provider's image of Debian has and the smallest variant lacks, but no Docker."""
BOOTSTRAP_S = 600
OWN_CONTROL_GROUPS = """
    set -e
    if mountpoint -q /sys/fs/cgroup && [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir -p "$1/cgroup"
        mount --rbind /sys/fs/cgroup "$1/cgroup"
        mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
        for group in "$1"/cgroup/*; do
            mkdir "/sys/fs/cgroup/${group##*/}"
            mount --bind "$group" "/sys/fs/cgroup/${group##*/}"
        done
    fi
    shift
    exec "$@"
"""
"""The folder of the old control groups: systemd adds to it and closes it, in the machines alone."""


def as_root(*command: str, stdin: bytes | None = None, timeout: float = 120) -> str:
    """Run a command as root and return what it printed, stripped."""
    done = subprocess.run(
        [*AS_ROOT, *command], input=stdin, capture_output=True, check=False, timeout=timeout
    )
    assert done.returncode == 0, f"{command}: {done.stdout.decode()[-2000:]}{done.stderr.decode()[-2000:]}"
    return done.stdout.decode(errors="replace").strip()


class VmHost(Program):
    """A daemon in process and mount namespaces of its own, so that with it everything it started is gone.

    Args:
        folder: Its folder; the path has to be short, since sockets are in it.
        archives: Where archives of Debian are kept, which several of these may share.
    """

    ready_within_s = 60
    stop_signal = signal.SIGKILL

    def __init__(self, folder: Path, archives: Path) -> None:
        super().__init__(folder)
        self.archives = archives
        self.mirror = MirrorRelay()
        self.machines: list[str] = []

    def command(self) -> list[str]:
        options = ("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
        return [
            *AS_ROOT,
            *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"),
            *("sh", "-c", OWN_CONTROL_GROUPS, "sh", str(self.folder)),
            *("dockerd", f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec"),
            *(f"--pidfile={self.folder}/pid", f"--host=unix://{self.folder}/socket", *options),
        ]

    def is_ready(self) -> bool:
        command = [*AS_ROOT, "docker", "--host", f"unix://{self.folder}/socket", "version"]
        return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0

    def start(self) -> None:
        """Start the daemon, and the mirror from which machines install packages."""
        self.mirror.start()
        super().start()

    def stop(self, within_s: float = 15.0) -> int | None:
        """End it with all machines."""
        if self.process is not None and self.machines:
            self.docker("rm", "-f", "-v", *self.machines)
        self.mirror.stop()
        code = super().stop(within_s)
        as_root("rm", "-rf", str(self.folder))
        return code

    def docker(self, *arguments: str, stdin: bytes | None = None, timeout: float = 120) -> str:
        """Run the Docker command line against this daemon and return what it printed, stripped."""
        return as_root(
            "docker", "--host", f"unix://{self.folder}/socket", *arguments, stdin=stdin, timeout=timeout
        )

    def inside(self, *command: str) -> str:
        """Run a command as root where the daemon's process numbers are known, in this process's network."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return as_root("nsenter", "--target", children[0], "--pid", "--mount", "--", *command)

    def image(self, suite: str) -> str:
        """The image of a Debian, made unless it is there.

        Args:
            suite: Its code name, `bookworm` for example.
        """
        name = f"vm:{suite}"
        if not self.docker("images", "-q", name):
            self.docker("import", str(self._archive(suite)), name, timeout=BOOTSTRAP_S)
        return name

    def _archive(self, suite: str) -> Path:
        self.archives.mkdir(parents=True, exist_ok=True)
        archive = self.archives / f"{suite}.tar"
        with (self.archives / f"{suite}.lock").open("w") as lock:
            # Whoever comes second waits and finds it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not archive.exists():
                self._bootstrap(suite, archive)
        return archive

    def _bootstrap(self, suite: str, archive: Path) -> None:
        """In memory, where what dpkg makes durable costs nothing."""
        tree = archive.with_suffix(".tree")
        script = """
            set -e
            mkdir -p "$1"
            mount -t tmpfs -o size=2g,mode=755 tmpfs "$1"
            TMPDIR=$1 mmdebstrap --quiet --mode=root --variant=minbase --include="$2" --format=tar \
                --customize-hook='rm -rf "$1"/usr/share/doc/* "$1"/usr/share/locale/*' "$3" "$5.part" "$4"
            mv "$5.part" "$5"
        """
        mirror = f"http://127.0.0.1:{self.mirror.port}/debian"
        arguments = (str(tree), ",".join(PACKAGES), suite, mirror, str(archive))
        as_root("unshare", "--mount", "sh", "-c", script, "sh", *arguments, timeout=BOOTSTRAP_S)
