"""`DockerHost`: every verb that Rexec has for the daemon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from rexec.config import DockerSettings
from rexec.docker_host import containers, execs, handshake, images, networks, usage
from rexec.docker_host.answers import date_of
from rexec.docker_host.events import EventStream, label_list, open_events
from rexec.docker_host.handshake import Handshake
from rexec.docker_host.hijack import DETACH_KEYS, HijackedStream, open_stream
from rexec.docker_host.images import ImageInfo, PullProgress
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.spec import ContainerSpec, NetworkSpec
from rexec.docker_host.usage import ContainerUsage

LOG_TAIL_BYTES: Final = 256 * 1024


class DockerHost:
    """The Docker daemon, for the whole process. Thread-safe; making one does not connect.

    Every method raises subclasses of `DockerHostError` and nothing else: `DockerUnreachable` and
    `DockerTLSError` where the daemon cannot be spoken to, `DockerNotFound` where it answered that there is
    no such thing, and what each names.

    Args:
        settings: The daemon's address and our certificates.
        connect_timeout: Seconds to connect.
        read_timeout: Seconds the daemon may be silent within an answer.
        pool_size: Connections that are kept open.
    """

    def __init__(
        self,
        settings: DockerSettings,
        *,
        connect_timeout: float = 3.0,
        read_timeout: float = 30.0,
        pool_size: int = 32,
    ) -> None:
        self._session = DaemonSession(
            settings, connect_timeout=connect_timeout, read_timeout=read_timeout, pool_size=pool_size
        )

    # The daemon

    def check_material(self) -> None:
        """Check our certificates without connecting.

        Raises:
            DockerTLSError: They cannot work: unreadable, encrypted, or not a pair.
        """
        _ = self._session.context

    def ping(self) -> None:
        """Return if the daemon answers."""
        self._session.call(lambda client: client.ping())

    def version(self) -> dict[str, Any]:
        """The daemon's version report."""
        return self._call(lambda client: client.version())

    def info(self) -> dict[str, Any]:
        """The daemon's report about itself and its machine."""
        return self._call(lambda client: client.info())

    def served_certificate(self) -> bytes:
        """The certificate that the daemon shows in the handshake, DER.

        One that has expired is shown too; see `handshake.served_certificate`.
        """
        return handshake.served_certificate(self._session)

    def shake_hands(self) -> Handshake:
        """Make a TLS connection and look at it; see `handshake.shake_hands`."""
        return handshake.shake_hands(self._session)

    def clock(self) -> datetime:
        """What time it is on the daemon's machine, to the second: the Date header of an answer.

        Raises:
            DockerAPIError: `docker_protocol`, the answer has none.
        """
        return self._session.call(lambda client: date_of(client.checked(client.ask("GET", "/_ping")).headers))

    def close(self) -> None:
        """Close the kept connections; streams that were handed out are their holders'."""
        self._session.close()

    # Containers

    def create_container(self, spec: ContainerSpec) -> str:
        """Make a container, hardened.

        Returns:
            Its id.

        Raises:
            ImageNotFound: The daemon does not hold the image.
            DockerConflict: `docker_name_taken`.
            DockerRejected: The daemon cannot do what the spec asks.
        """
        return containers.create_container(self._session, spec)

    def start_container(self, container: str) -> None:
        """Start a container; one that runs stays as it is."""
        self._session.call(lambda client: client.start(container))

    def stop_container(self, container: str, grace_s: int = 10) -> None:
        """Stop a container; one that is stopped stays as it is.

        Args:
            container: Name or id.
            grace_s: Seconds between asking and killing.
        """
        containers.stop_container(self._session, container, grace_s)

    def kill_container(self, container: str, signal: str = "KILL") -> None:
        """Send a signal to the main process.

        Raises:
            DockerConflict: `docker_not_running`.
        """
        self._session.call(lambda client: client.kill(container, signal), idempotent=signal == "KILL")

    def update_container(self, container: str, memory_bytes: int, nano_cpus: int, pids_limit: int) -> None:
        """Give a container other limits, at once where it runs; see `containers.update_container`."""
        containers.update_container(self._session, container, memory_bytes, nano_cpus, pids_limit)

    def remove_container(self, container: str) -> None:
        """Remove a container, running or not, with its unnamed volumes; named ones stay.

        Raises:
            DockerNotFound: There is none.
            DockerBusy: Another removal is under way.
        """
        self._session.call(lambda client: client.remove_container(container, v=True, force=True))

    def inspect_container(self, container: str) -> dict[str, Any]:
        """Everything the daemon knows about a container."""
        return self._call(lambda client: client.inspect_container(container))

    def list_containers(self, labels: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """Every container that carries these labels, stopped ones too, in one call."""
        found: list[dict[str, Any]] = self._session.call(
            lambda client: client.containers(all=True, filters={"label": label_list(labels)})
        )
        return found

    def container_usage(self, container: str) -> ContainerUsage | None:
        """What a running container takes up now; see `usage.container_usage`."""
        return usage.container_usage(self._session, container)

    def container_logs(self, container: str, tail_bytes: int = LOG_TAIL_BYTES) -> bytes:
        """The end of what a container with a terminal printed.

        Args:
            container: Name or id.
            tail_bytes: How much of it. The daemon counts lines, so all it keeps (1 MB) crosses the wire.
        """
        return containers.container_logs(self._session, container, tail_bytes)

    def resize_container(self, container: str, cols: int, rows: int) -> None:
        """Set the size of a running container's terminal, in cells."""
        self._session.call(lambda client: client.resize(container, height=rows, width=cols))

    # Networks and volumes

    def ensure_network(self, spec: NetworkSpec) -> str:
        """Make the network unless it is there; see `networks.ensure_network`."""
        return networks.ensure_network(self._session, spec)

    def inspect_network(self, name: str) -> dict[str, Any]:
        """Everything the daemon knows about a network."""
        return self._call(lambda client: client.inspect_network(name))

    def remove_network(self, name: str) -> None:
        """Remove a network that no container uses."""
        networks.remove_network(self._session, name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume with everything in it; `DockerConflict` where a container uses it."""
        networks.remove_volume(self._session, name)

    def list_volumes(self, labels: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """Every volume that carries these labels, in one call."""
        return networks.list_volumes(self._session, labels)

    # Images

    def list_images(self) -> list[ImageInfo]:
        """Every tagged image, in one call."""
        return images.list_images(self._session)

    def pull_image(self, reference: str, deadline_s: float) -> Iterator[PullProgress]:
        """Fetch an image, line by line; see `images.pull_image`."""
        return images.pull_image(self._session, reference, deadline_s)

    # Processes and streams

    def exec_create(
        self, container: str, argv: Sequence[str], env: Mapping[str, str] | None = None, *, tty: bool = True
    ) -> str:
        """Prepare a process in a running container; see `execs.exec_create`."""
        return execs.exec_create(self._session, container, argv, env, tty=tty)

    def exec_inspect(self, exec_id: str) -> dict[str, Any]:
        """Whether it runs, its exit code, its pid on the VM."""
        return self._call(lambda client: client.exec_inspect(exec_id))

    def exec_resize(self, exec_id: str, cols: int, rows: int) -> None:
        """Set the size of an exec's terminal, in cells."""
        self._session.call(lambda client: client.exec_resize(exec_id, height=rows, width=cols))

    def exec_run(self, container: str, argv: Sequence[str], timeout_s: float) -> tuple[int, bytes]:
        """Run a process to its end: exit code and output; see `execs.exec_run`."""
        return execs.exec_run(self._session, container, argv, timeout_s)

    def open_exec(self, exec_id: str) -> HijackedStream:
        """Start a prepared process with a terminal and take its stream."""
        return execs.open_exec(self._session, exec_id, tty=True, deadline_s=self._opening_s)

    def open_attach(self, container: str, *, logs: bool, detach_keys: str = DETACH_KEYS) -> HijackedStream:
        """Take the stream of the main process. Whoever takes it must never stop reading it.

        Args:
            container: Name or id.
            logs: Whether what it printed before comes first.
            detach_keys: Keys that would end the stream; characters up to U+00FF stand for single bytes.

        Of a container that does not run the daemon gives a stream too; it ends, or begins when the container
        starts.

        Raises:
            DockerNotFound: No such container.
            DockerConflict: It is paused, or restarts at this moment.
        """
        path = (
            f"/containers/{quote(container, safe='')}/attach?stream=1&stdin=1&stdout=1&stderr=1"
            f"&logs={int(logs)}&detachKeys={quote(detach_keys.encode('latin-1'))}"
        )
        return open_stream(self._session, path, deadline_s=self._opening_s)

    @property
    def _opening_s(self) -> float:
        return self._session.connect_timeout + self._session.read_timeout

    def events(
        self, since_ns: int | None = None, labels: Mapping[str, str | None] | None = None
    ) -> EventStream:
        """Events as they happen; see `events.EventStream`.

        Args:
            since_ns: Unix time from which to begin, in nanoseconds.
            labels: What the objects must carry.
        """
        return open_events(self._session, since_ns, labels or {})

    def _call(self, action: Any) -> dict[str, Any]:
        result: dict[str, Any] = self._session.call(action)
        return result
