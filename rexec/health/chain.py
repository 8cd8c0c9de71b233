"""Every certificate between us and the Docker daemon, read anew, for the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rexec.docker_host.certificates import CertificateFacts, certificate_facts, facts_of
from rexec.docker_host.errors import DockerHostError
from rexec.docker_host.tls import TLSMaterial
from rexec.errors import Conflict

if TYPE_CHECKING:
    from rexec.config import DockerSettings
    from rexec.docker_host import DockerHost


class NoCertificates(Conflict):
    """The Docker host is spoken to without TLS."""

    code = "no_certificates"
    message = "DOCKER_HOST is used without TLS, so there are no certificates."
    hint = "Set DOCKER_TLS_VERIFY to 1 and the three certificates to use TLS."


@dataclass(frozen=True)
class Link:
    """One certificate, or why it cannot be read.

    Args:
        name: "ca", "client" or "server".
        facts: None where it cannot be read.
        error: Why.
    """

    name: str
    facts: CertificateFacts | None
    error: DockerHostError | None = None

    def verdict(self, now: datetime, days: int) -> str:
        """One word: "ok", "ending", "expired", "not yet valid" or "unreadable".

        Args:
            now: The time.
            days: With so many days left, or fewer, it is ending.
        """
        if self.facts is None:
            return "unreadable"
        if now < self.facts.not_before:
            return "not yet valid"
        if now > self.facts.not_after:
            return "expired"
        return "ending" if self.facts.days_left(now) <= days else "ok"

    def show(self, now: datetime) -> dict[str, Any]:
        """As JSON."""
        if self.facts is None:
            error = self.error or DockerHostError()
            return {"name": self.name, "error": {"code": error.code, "message": error.message}}
        return {
            "name": self.name,
            "subject": self.facts.name,
            "issuer": self.facts.issuer,
            "names": list(self.facts.names),
            "not_before": self.facts.not_before.isoformat(),
            "not_after": self.facts.not_after.isoformat(),
            "days_left": self.facts.days_left(now),
            "key": self.facts.key,
            "fingerprint_sha256": self.facts.fingerprint,
        }


def read(docker: DockerSettings, host: DockerHost) -> list[Link]:
    """The authorities and our own from the settings, the daemon's from its handshake.

    Args:
        docker: The settings.
        host: The daemon that they lead to.

    Raises:
        NoCertificates: There is no TLS.
        DockerTLSError: The settings' certificates cannot be used.
    """
    if not docker.uses_tls:
        raise NoCertificates
    material = TLSMaterial.of(docker)
    links = [Link("ca", facts_of(authority)) for authority in material.authorities()]
    client = material.client_certificate()
    if client is not None:
        links.append(Link("client", facts_of(client)))
    try:
        links.append(Link("server", certificate_facts(host.served_certificate())))
    except DockerHostError as error:
        links.append(Link("server", None, error))
    return links
