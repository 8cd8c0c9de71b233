"""Looks at the daemon: its version, and the settings of it that matter to us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rexec.docker_host.errors import DockerNotFound
from rexec.doctor.checks import Finding, failed, ok, warning
from rexec.doctor.errors import Unwell

if TYPE_CHECKING:
    from rexec.doctor.deployment import Deployment

SETUP = "docker/docker-host/setup.sh sets it on the VM"
GOOD_DRIVERS = frozenset({"overlay2", "overlayfs", "btrfs", "zfs", "fuse-overlayfs"})
LIMITED_DRIVERS = frozenset({"btrfs", "zfs"})
NEEDED_LIMITS = {"MemoryLimit": "memory", "CpuCfsQuota": "cpu", "PidsLimit": "pids"}
CLOCK_WARNING_S = 10
CLOCK_FAIL_S = 300


def version(deployment: Deployment) -> Finding:
    """Whether we speak a version of the API together; keeps the daemon's report for the looks after it."""
    said = deployment.host.version()
    deployment.info = deployment.host.info()
    return ok(f"Docker engine {said.get('Version')}, API {said.get('ApiVersion')}.")


def live_restore(deployment: Deployment) -> Finding:
    """Whether containers survive a restart of dockerd."""
    if deployment.info.get("LiveRestoreEnabled"):
        return ok("Containers survive a restart of dockerd.")
    return warning(
        "A restart of dockerd ends every container and its shells.",
        f'Set "live-restore": true in /etc/docker/daemon.json: {SETUP}.',
    )


def icc(deployment: Deployment) -> Finding:
    """Whether containers of the default network reach each other; those of ours never do."""
    try:
        network = deployment.host.inspect_network("bridge")
    except DockerNotFound:
        return ok("The daemon has no default network.")
    if (network.get("Options") or {}).get("com.docker.network.bridge.enable_icc") == "false":
        return ok("Containers do not reach each other.")
    return warning(
        "Containers on Docker's default network reach each other; those of Rexec do not.",
        f'Set "icc": false in /etc/docker/daemon.json: {SETUP}.',
    )


def storage_driver(deployment: Deployment) -> Finding:
    """Whether layers are kept in a way that is quick and that goes on being supported."""
    driver = str(deployment.info.get("Driver"))
    if driver in GOOD_DRIVERS:
        return ok(f"{driver} on {backing(deployment.info)}.")
    return warning(
        f"The storage driver {driver} is slow or no longer supported.",
        'Use overlay2: remove "storage-driver" from /etc/docker/daemon.json before there are containers.',
    )


def backing(info: dict[str, Any]) -> str:
    """The file system under the daemon's storage, in its own word."""
    status = {str(pair[0]): str(pair[1]) for pair in info.get("DriverStatus") or () if len(pair) > 1}
    return status.get("Backing Filesystem", "a file system of its own")


def userns(deployment: Deployment) -> Finding:
    """Whether root in a container is nobody outside."""
    options = [str(option) for option in deployment.info.get("SecurityOptions") or ()]
    if any("name=userns" in option or "name=rootless" in option for option in options):
        return ok("Root in a container is nobody on the VM.")
    return warning(
        "Root in a container is root on the VM, should it break out.",
        "Turn on userns-remap with setup.sh --userns, on a VM without containers: it hides what is there.",
    )


def runtimes(deployment: Deployment) -> Finding:
    """Whether the daemon knows the runtime that containers are to use."""
    known = sorted(deployment.info.get("Runtimes") or {})
    wanted = deployment.settings.container_runtime
    if wanted is not None and wanted not in known:
        return failed(Unwell("docker_runtime_unknown"))
    default = deployment.info.get("DefaultRuntime")
    return ok(f"Containers use {wanted}." if wanted else f"Containers use the daemon's default, {default}.")


def limits(deployment: Deployment) -> Finding:
    """Whether the VM's kernel can limit what a container uses."""
    lacking = [name for flag, name in NEEDED_LIMITS.items() if not deployment.info.get(flag)]
    if lacking:
        what = f"The VM's kernel cannot limit a container's {' and '.join(lacking)}."
        return failed(Unwell("docker_limits_missing", what))
    # Version 2 of cgroups counts swap apart and says nothing of it where there is none.
    if not deployment.info.get("SwapLimit"):
        return warning(
            "The VM's kernel cannot limit a container's swap.",
            "Add swapaccount=1 to the VM's kernel command line, or turn swap off.",
        )
    return ok(f"Memory, swap, processor and processes, by cgroups {deployment.info.get('CgroupVersion')}.")


def clock(deployment: Deployment) -> Finding:
    """Whether this service and the VM agree on the time, which certificates are judged by."""
    before = datetime.now(UTC)
    there = deployment.host.clock()
    after = datetime.now(UTC)
    # The header has whole seconds, rounded down.
    ahead_s = (there - after).total_seconds()
    behind_s = (before - there).total_seconds() - 1
    apart_s = max(ahead_s, behind_s, 0.0)
    if apart_s >= CLOCK_WARNING_S:
        what = f"The VM's clock is {apart_s:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} this service's."
        error = Unwell("clock_apart", what)
        return failed(error) if apart_s >= CLOCK_FAIL_S else warning(what, error.hint)
    return ok("Both clocks agree.")
