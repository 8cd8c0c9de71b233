"""Looks at the way to the daemon, one step further each: name, TCP, TLS, trust in both directions."""

from __future__ import annotations

import dataclasses
import ipaddress
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from rexec.docker_host import DockerHost, certificate_facts
from rexec.docker_host.endpoint import Deadline
from rexec.docker_host.errors import DockerAPIError, DockerHostError, DockerTLSError, DockerUnreachable
from rexec.docker_host.translate import translate
from rexec.doctor.checks import Finding, blocked, failed, ok, skipped, warning
from rexec.doctor.deployment import CONNECT_S, SILENCE_S
from rexec.doctor.settings_checks import NO_TLS, how_long
from rexec.health.certificates import Expiry

if TYPE_CHECKING:
    from rexec.doctor.deployment import Deployment

OURS = frozenset(
    {"tls_client_refused", "tls_client_expired", "tls_client_not_yet_valid", "tls_client_missing"}
    | {"tls_client_other_ca"}
)
"""Refusals that come in the handshake under TLS 1.2, and are about us, not about it."""


def name(deployment: Deployment) -> Finding:
    """Whether the daemon's name has an address."""
    if deployment.reading.wrong("DOCKER_HOST"):
        return blocked("settings")
    endpoint = deployment.endpoint
    if endpoint.kind == "unix":
        return skipped("DOCKER_HOST is a socket of this machine.")
    if _is_address(endpoint.host):
        return ok(f"{endpoint.host} is an address.")
    try:
        answers = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return failed(translate(error))
    return ok(f"{endpoint.host} is {', '.join(sorted({str(answer[4][0]) for answer in answers}))}.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def reach(deployment: Deployment) -> Finding:
    """Whether somebody accepts a connection there."""
    endpoint = deployment.endpoint
    began = time.monotonic()
    try:
        endpoint.connect(Deadline(CONNECT_S), stream=False).close()
    except OSError as error:
        return failed(_as_connecting(error))
    where = endpoint.path if endpoint.kind == "unix" else endpoint.authority
    return ok(f"{where} accepts connections, after {(time.monotonic() - began) * 1000:.0f} ms.")


def _as_connecting(error: OSError) -> DockerHostError:
    """A connection that the kernel gives up has timed out; one that was open was lost."""
    return DockerUnreachable(code="docker_timeout") if isinstance(error, TimeoutError) else translate(error)


def handshake(deployment: Deployment) -> Finding:
    """Whether the other side speaks TLS, whatever it thinks of us."""
    if not deployment.settings.docker.uses_tls:
        return _without_tls(deployment)
    try:
        deployment.handshake = deployment.host.shake_hands()
    except DockerTLSError as error:
        if error.code in OURS:
            return ok("The daemon speaks TLS.")
        return failed(error)
    return ok(f"The daemon speaks {deployment.handshake.protocol or 'TLS'}.")


def _without_tls(deployment: Deployment) -> Finding:
    """Find out whether the daemon wants TLS while we were not told to use it."""
    if deployment.endpoint.kind == "tcp":
        with suppress(DockerAPIError):
            deployment.host.ping()
    return skipped(NO_TLS)


def served(deployment: Deployment) -> Finding:
    """Whether the certificate that the daemon shows is one we can trust: its signer, dates, and names."""
    seen = deployment.handshake
    if seen is None:
        return skipped(NO_TLS if not deployment.settings.docker.uses_tls else "It was not shown.")
    if seen.refusal is not None:
        return _refused(seen.refusal, seen.certificate)
    facts = certificate_facts(seen.certificate or b"")
    lasting = how_long({"server": Expiry("server", facts.not_after)}, deployment)
    if lasting.status != "ok":
        return lasting
    return ok(f"For {', '.join(facts.names)}, until {facts.not_after:%Y-%m-%d}, signed by {facts.issuer}.")


def _refused(refusal: DockerHostError, certificate: bytes | None) -> Finding:
    found = failed(refusal)
    if certificate is None:
        return found
    facts = certificate_facts(certificate)
    shown = {
        "tls_hostname": f"It is for {', '.join(facts.names) or 'no name at all'}.",
        "tls_server_expired": f"It ended on {facts.not_after:%Y-%m-%d %H:%M} UTC.",
        "tls_server_not_yet_valid": f"It begins on {facts.not_before:%Y-%m-%d %H:%M} UTC.",
        "tls_wrong_ca": f"{facts.issuer} signed it.",
    }.get(refusal.code, "")
    return dataclasses.replace(found, message=f"{found.message} {shown}".rstrip())


def accepted(deployment: Deployment) -> Finding:
    """Whether the daemon accepts us, and nobody who shows no certificate."""
    docker = deployment.settings.docker
    if not docker.uses_tls:
        return skipped(NO_TLS)
    # An answer that we cannot use is an answer to us all the same.
    with suppress(DockerAPIError):
        deployment.host.ping()
    stranger = DockerHost(
        dataclasses.replace(
            docker, ca_cert=deployment.material.ca, client_cert=None, client_key=None, cert_path=None
        ),
        connect_timeout=CONNECT_S,
        read_timeout=SILENCE_S,
        pool_size=1,
    )
    try:
        stranger.ping()
    except DockerHostError:
        return ok("The daemon accepts DOCKER_CLIENT_CERT, and nobody without one.")
    finally:
        stranger.close()
    return warning(
        "The daemon lets everybody in, with or without a certificate.",
        'Set "tlsverify": true in /etc/docker/daemon.json on the VM and restart dockerd, at once.',
    )
