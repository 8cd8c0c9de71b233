"""What is looked at: the settings as far as they can be read, and what earlier looks have learned."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rexec.docker_host import DockerHost
from rexec.docker_host.endpoint import Deadline, Endpoint
from rexec.docker_host.tls import TLSMaterial

if TYPE_CHECKING:
    from rexec.config import Reading, Settings
    from rexec.docker_host import Handshake

WITHIN_S = 15.0
"""For everything; the command is to end within 20 s, its own start on a busy machine included."""
CONNECT_S = 3.0
SILENCE_S = 3.0


class Deployment:
    """One deployment under examination.

    Args:
        reading: Its settings, and what is wrong with them.
        public: What is wrong with them where the service is reached from outside this machine.
        host: The Docker host; made from the settings where left out.
    """

    def __init__(self, reading: Reading, public: Reading, host: DockerHost | None = None) -> None:
        self.reading = reading
        self.public = public
        self.deadline = Deadline(WITHIN_S)
        self.now = datetime.now(UTC)
        self.handshake: Handshake | None = None
        self.info: dict[str, Any] = {}
        self._host = host

    @property
    def settings(self) -> Settings:
        """The settings, as far as they can be read."""
        return self.reading.settings

    @property
    def endpoint(self) -> Endpoint:
        """Where the daemon is."""
        return Endpoint.of(self.settings.docker)

    @cached_property
    def material(self) -> TLSMaterial:
        """Our certificates.

        Raises:
            DockerTLSError: They cannot be used.
        """
        return TLSMaterial.of(self.settings.docker)

    @cached_property
    def host(self) -> DockerHost:
        """The Docker host, with little patience."""
        return self.patient_host(SILENCE_S)

    def patient_host(self, silence_s: float) -> DockerHost:
        """A client of the Docker host.

        Args:
            silence_s: Seconds that the daemon may be silent within an answer.
        """
        return self._host or DockerHost(
            self.settings.docker, connect_timeout=CONNECT_S, read_timeout=silence_s, pool_size=2
        )

    def close(self) -> None:
        """Close what was opened."""
        if "host" in self.__dict__:
            self.host.close()
