"""What a container or a network of ours is to be, and the request body that makes the daemon build it.

The hardening lives here, in one place, so that no caller can forget a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

CAPABILITIES: Final = (
    "CHOWN",  # apt and tar hand files to other users
    "DAC_OVERRIDE",  # root reads and writes what belongs to the users it made; dpkg relies on it
    "FOWNER",  # dpkg sets modes on files it has just handed to others
    "SETUID",  # apt fetches as user _apt; su, and daemons that give up root
    "SETGID",  # the same for groups
    "KILL",  # root ends the processes of other users in the container
    "NET_BIND_SERVICE",  # a web server on port 80, under a runtime that keeps low ports to root
    "SYS_CHROOT",  # sshd's separation of privileges, inside the container's own root only
    "AUDIT_WRITE",  # without user remapping, PAM refuses su and passwd where it cannot write its record
)
"""What root inside keeps: enough for apt-get to install services and for those to run. Left out on purpose:
NET_RAW, which allows spoofing on the shared bridge; ping works without it, see `SYSCTLS`."""

SYSCTLS: Final = {
    # Root may open ICMP sockets. The daemon allows it to all groups, but to none under user remapping.
    "net.ipv4.ping_group_range": "0 0",
}

OPEN_FILES: Final = 16384
LOG_SIZE: Final = "512k"
LOG_FILES: Final = "2"


@dataclass(frozen=True)
class ContainerSpec:
    """A user's container.

    Args:
        name: Its name on the daemon.
        image: A reference the daemon resolves.
        command: Argument list of the main process.
        env: Environment of the main process.
        hostname: What the prompt shows.
        labels: Marks that tell whose it is.
        network: Name of the bridge network it joins.
        volume_name: The volume that holds the home folder; made by the daemon where missing.
        volume_target: Where it is mounted.
        volume_labels: Marks for a volume made now.
        memory_bytes: Memory; swap is not granted on top.
        nano_cpus: Processor time, in billionths of a core.
        pids_limit: Processes and threads.
        storage_bytes: Size of the writable layer; only where the daemon's storage can do it.
        runtime: An OCI runtime that the daemon knows, such as runsc.
    """

    name: str
    image: str
    command: tuple[str, ...]
    hostname: str
    network: str
    volume_name: str
    volume_target: str
    memory_bytes: int
    nano_cpus: int
    pids_limit: int
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    volume_labels: Mapping[str, str] = field(default_factory=dict)
    storage_bytes: int | None = None
    runtime: str | None = None


@dataclass(frozen=True)
class NetworkSpec:
    """A bridge network on which containers do not reach each other.

    Args:
        name: Its name on the daemon.
        labels: Marks that tell whose it is.
        subnets: Address ranges to try in turn, in CIDR form; `candidate_subnets(name)` where empty.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()


def candidate_subnets(name: str) -> tuple[str, ...]:
    """The /22 ranges to try, away from what Docker itself and most home and cloud networks use.

    A bridge has 1,024 ports at most (BR_MAX_PORTS of the Linux kernel), so a larger range would be wasted.
    Each name begins elsewhere: daemons that share a machine do not know of each other's ranges.

    Args:
        name: The network's.
    """
    ranges = [f"10.{second}.{third}.0/22" for second in (201, 117, 233) for third in range(0, 256, 4)]
    start = int.from_bytes(sha256(name.encode()).digest()[:4], "big") % len(ranges)
    return (*ranges[start:], *ranges[:start])


def to_create_body(spec: ContainerSpec) -> dict[str, Any]:
    """The body of POST /containers/create, hardened.

    Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
    """
    return {
        "Image": spec.image,
        "Cmd": list(spec.command),
        # The image's own entrypoint would run our command as its argument.
        "Entrypoint": [],
        "Env": [f"{name}={value}" for name, value in sorted(spec.env.items())],
        "Hostname": spec.hostname,
        "Labels": dict(spec.labels),
        "User": "0:0",
        "WorkingDir": spec.volume_target,
        "Tty": True,
        "OpenStdin": True,
        # Otherwise the first viewer that goes takes the shell's input with it.
        "StdinOnce": False,
        "HostConfig": _host_config(spec),
    }


def _host_config(spec: ContainerSpec) -> dict[str, Any]:
    config: dict[str, Any] = {
        "Init": True,
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "Sysctls": dict(SYSCTLS),
        "SecurityOpt": ["no-new-privileges:true"],
        "Memory": spec.memory_bytes,
        "MemorySwap": spec.memory_bytes,
        "NanoCpus": spec.nano_cpus,
        "PidsLimit": spec.pids_limit,
        "Ulimits": [
            {"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES},
            # A core dump would count against nobody's limit.
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        # `local` keeps bytes that are not UTF-8 as they were, which json-file does not; it wants two files.
        "LogConfig": {"Type": "local", "Config": {"max-size": LOG_SIZE, "max-file": LOG_FILES}},
        "NetworkMode": spec.network,
        "RestartPolicy": {"Name": "unless-stopped"},
        "Mounts": [
            {
                "Type": "volume",
                "Source": spec.volume_name,
                "Target": spec.volume_target,
                "VolumeOptions": {"Labels": dict(spec.volume_labels)},
            }
        ],
    }
    if spec.storage_bytes is not None:
        config["StorageOpt"] = {"size": str(spec.storage_bytes)}
    if spec.runtime is not None:
        config["Runtime"] = spec.runtime
    return config


def to_network_body(spec: NetworkSpec, subnet: str) -> dict[str, Any]:
    """The body of POST /networks/create for one address range."""
    return {
        "Name": spec.name,
        # Engines before 25 allow two networks of one name unless asked.
        "CheckDuplicate": True,
        "Driver": "bridge",
        "IPAM": {"Driver": "default", "Config": [{"Subnet": subnet}]},
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        "Labels": dict(spec.labels),
    }
