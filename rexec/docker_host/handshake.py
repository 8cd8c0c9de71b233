"""TLS connections to the daemon that are not the pool's."""

from __future__ import annotations

import socket
import ssl

from rexec.docker_host.endpoint import Deadline
from rexec.docker_host.errors import DockerTLSError
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.tls import anonymous_context
from rexec.docker_host.translate import FOREIGN


def connect(session: DaemonSession, deadline: Deadline) -> socket.socket | ssl.SSLSocket:
    """A connection for one stream, TLS included, within the deadline.

    Raises:
        OSError: As the system or OpenSSL reports it.
        DockerTLSError: Our certificates cannot work.
    """
    context = session.context
    raw = session.endpoint.connect(deadline, stream=True)
    return raw if context is None else _secure(raw, context, session, deadline)


def served_certificate(session: DaemonSession) -> bytes:
    """The certificate that the daemon shows in the handshake, DER.

    One that does not verify (expired, say) is read by a second handshake that verifies nothing and presents
    no credential, because its dates are what the operator needs.

    Raises:
        DockerHostError: There is no TLS, or nothing answers.
    """
    deadline = Deadline(session.connect_timeout + session.read_timeout)
    context = session.context
    if context is None:
        raise DockerTLSError(code="tls_plain_http")
    try:
        try:
            return _peer_certificate(session, context, deadline)
        except ssl.SSLCertVerificationError:
            return _peer_certificate(session, anonymous_context(), deadline)
    except FOREIGN as error:
        raise session.translated(error) from error


def _peer_certificate(session: DaemonSession, context: ssl.SSLContext, deadline: Deadline) -> bytes:
    with _secure(session.endpoint.connect(deadline, stream=False), context, session, deadline) as sock:
        return sock.getpeercert(binary_form=True) or b""


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
