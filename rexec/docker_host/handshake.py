"""TLS connections to the daemon that are not the pool's."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from rexec.docker_host.endpoint import Deadline
from rexec.docker_host.errors import DockerHostError, DockerTLSError
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.tls import anonymous_context
from rexec.docker_host.translate import FOREIGN


@dataclass(frozen=True)
class Handshake:
    """What a TLS handshake with the daemon showed.

    Args:
        protocol: Such as "TLSv1.3"; empty where only the daemon's refusal is known.
        certificate: The one that the daemon showed, DER; None where it cannot be read.
        refusal: Why that certificate does not verify; None where it does.
    """

    protocol: str
    certificate: bytes | None
    refusal: DockerHostError | None = None


def connect(session: DaemonSession, deadline: Deadline) -> socket.socket | ssl.SSLSocket:
    """A connection for one stream, TLS included, within the deadline.

    Raises:
        OSError: As the system or OpenSSL reports it.
        DockerTLSError: Our certificates cannot work.
    """
    context = session.context
    raw = _dial(session, deadline, stream=True)
    return raw if context is None else _secure(raw, context, session, deadline)


def shake_hands(session: DaemonSession) -> Handshake:
    """Make a TLS connection, and look at it.

    A certificate that does not verify (expired, say) is read by a second handshake that verifies nothing and
    presents no credential, because its dates are what the operator needs.

    Raises:
        DockerHostError: There is no TLS, or nothing answers, or our own certificate is refused.
    """
    deadline = Deadline(session.connect_timeout + session.read_timeout)
    context = session.context
    if context is None:
        raise DockerTLSError(code="tls_plain_http")
    try:
        try:
            return _shaken(session, context, deadline)
        except ssl.SSLCertVerificationError as error:
            return _unverified(session, deadline, session.translated(error))
    except FOREIGN as error:
        raise session.translated(error) from error


def served_certificate(session: DaemonSession) -> bytes:
    """The certificate that the daemon shows in the handshake, DER, also where it does not verify.

    Raises:
        DockerHostError: There is no TLS, or nothing answers.
    """
    seen = shake_hands(session)
    if seen.certificate is None:
        raise seen.refusal or DockerTLSError()
    return seen.certificate


def _shaken(session: DaemonSession, context: ssl.SSLContext, deadline: Deadline) -> Handshake:
    with _secure(_dial(session, deadline, stream=False), context, session, deadline) as sock:
        return Handshake(sock.version() or "", sock.getpeercert(binary_form=True))


def _unverified(session: DaemonSession, deadline: Deadline, refusal: DockerHostError) -> Handshake:
    try:
        seen = _shaken(session, anonymous_context(), deadline)
    except ssl.SSLError:
        # Under TLS 1.2 a daemon refuses whoever shows no certificate before the handshake ends.
        return Handshake("", None, refusal)
    return Handshake(seen.protocol, seen.certificate, refusal)


def _dial(session: DaemonSession, deadline: Deadline, *, stream: bool) -> socket.socket:
    """TCP alone, with no more patience than a request has: what vanishes is not answered later."""
    return session.endpoint.connect(Deadline(min(session.connect_timeout, deadline.left())), stream=stream)


def _secure(
    raw: socket.socket, context: ssl.SSLContext, session: DaemonSession, deadline: Deadline
) -> ssl.SSLSocket:
    try:
        # OpenSSL's handshake counts this once for all of its steps.
        raw.settimeout(deadline.left())
        return context.wrap_socket(raw, server_hostname=session.endpoint.host)
    except OSError:
        raw.close()
        raise
