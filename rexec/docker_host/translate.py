"""The one place where foreign exceptions and the daemon's refusals become errors of ours."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import docker.errors
import requests.exceptions
import urllib3.exceptions
from urllib3.util.ssl_match_hostname import CertificateError

from rexec.docker_host.answers import error_from_answer
from rexec.docker_host.errors import DockerAPIError, DockerHostError, DockerTLSError, DockerUnreachable
from rexec.docker_host.tls import TLSMaterial

FOREIGN: Final = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    http.client.HTTPException,
    CertificateError,
    json.JSONDecodeError,
    OSError,  # ssl.SSLError, socket.gaierror and TimeoutError among them
)
"""What the libraries below raise; `except FOREIGN` goes with `translate`."""

_VERIFY_CODES: Final = {
    9: "tls_server_not_yet_valid",
    10: "tls_server_expired",
    2: "tls_wrong_ca",  # unable to get issuer certificate
    7: "tls_wrong_ca",  # certificate signature failure: a CA of the same name with another key
    18: "tls_wrong_ca",  # self-signed certificate
    19: "tls_wrong_ca",  # self-signed certificate in chain
    20: "tls_wrong_ca",  # unable to get local issuer certificate
    21: "tls_wrong_ca",  # unable to verify the first certificate
    62: "tls_hostname",
    64: "tls_hostname",  # IP address mismatch
}
"""X509_V_ERR_* of OpenSSL's x509_vfy.h."""

_CERTIFICATE_ALERTS: Final = (
    *("BAD_CERTIFICATE", "CERTIFICATE_REQUIRED", "CERTIFICATE_EXPIRED", "CERTIFICATE_UNKNOWN"),
    *("CERTIFICATE_REVOKED", "UNSUPPORTED_CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE"),
)
_PLAIN_HTTP_REASONS: Final = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
)
_VERSION_REASONS: Final = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE")
_MATERIAL_REASONS: Final = {
    "KEY_VALUES_MISMATCH": "tls_key_mismatch",
    "NO_CERTIFICATE_OR_CRL_FOUND": "tls_bad_pem",
    "NO_START_LINE": "tls_bad_pem",
    "BAD_DECRYPT": "tls_key_encrypted",
    "BAD_PASSWORD_READ": "tls_key_encrypted",
}
_ROUTE_ERRORS: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_CLOSED: Final = (
    ConnectionError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    http.client.IncompleteRead,
    http.client.RemoteDisconnected,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.PoolError,
    urllib3.exceptions.IncompleteRead,
    urllib3.exceptions.InvalidChunkLength,
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
)
_NONSENSE: Final = (
    json.JSONDecodeError,
    http.client.HTTPException,
    docker.errors.StreamParseError,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.TooManyRedirects,
)
_TIMEOUTS: Final = (TimeoutError, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)


def translate(error: BaseException, material: TLSMaterial | None = None) -> DockerHostError:
    """What a foreign exception means to us.

    The libraries wrap causes three deep, in `args`, `reason`, `__cause__` and `__context__`; the first of
    them that says something decides.

    Args:
        error: What was raised below.
        material: Our certificates, to tell apart why a daemon refused them; None without TLS.
    """
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, DockerHostError):
            return cause
        if isinstance(cause, docker.errors.APIError) and cause.response is not None:
            return error_from_answer(cause.response.status_code, str(cause.explanation or cause))
    found = _tls(chain, material) or _network(chain, material) or _nonsense(chain)
    found.detail = _said(chain)
    return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything inside it, outermost first, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inside = [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
        waiting.extend(part for part in inside if isinstance(part, BaseException))


def _said(chain: list[BaseException]) -> str:
    """What the system said, or else the library: for the log."""
    system = [
        cause
        for cause in chain
        if isinstance(cause, OSError) and not isinstance(cause, requests.exceptions.RequestException)
    ]
    speaker = system[-1] if system else chain[0]
    return f"{type(speaker).__name__}: {speaker}" if str(speaker) else type(speaker).__name__


def _tls(chain: list[BaseException], material: TLSMaterial | None) -> DockerHostError | None:
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            code = _VERIFY_CODES.get(getattr(cause, "verify_code", 0), "tls_server_invalid")
            if code == "tls_server_expired" and material is not None and material.authority_expired():
                code = "tls_ca_expired"
            return DockerTLSError(code=code)
        if isinstance(cause, CertificateError):
            return DockerTLSError(code="tls_hostname")
        if isinstance(cause, docker.errors.TLSParameterError):
            return DockerTLSError(code="tls_missing")
    reasons = [
        getattr(cause, "reason", None) or str(cause)
        for cause in chain
        if isinstance(cause, ssl.SSLError)
        and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    ]
    return _tls_reason(reasons, material) if reasons else None


def _tls_reason(reasons: list[str], material: TLSMaterial | None) -> DockerHostError | None:
    said = " ".join(reasons).upper()
    if "TIMED OUT" in said:
        return DockerUnreachable(code="docker_timeout")
    for reason, code in _MATERIAL_REASONS.items():
        if reason in said:
            return DockerTLSError(code=code)
    if any(reason in said for reason in _VERSION_REASONS):
        return DockerTLSError(code="tls_version")
    if any(reason in said for reason in _PLAIN_HTTP_REASONS):
        return DockerTLSError(code="tls_plain_http")
    if any(alert in said for alert in _CERTIFICATE_ALERTS):
        return DockerTLSError(code=material.refusal() if material else "tls_client_refused")
    return DockerTLSError(code="tls_handshake")


_PLAIN_CAUSES: Final[tuple[tuple[tuple[type[BaseException], ...], str], ...]] = (
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), "docker_dns"),
    ((ConnectionRefusedError,), "docker_refused"),
    ((FileNotFoundError,), "docker_no_socket"),
    ((PermissionError,), "docker_permission"),
)


def _network(chain: list[BaseException], material: TLSMaterial | None) -> DockerHostError | None:
    for cause in chain:
        for kinds, code in _PLAIN_CAUSES:
            if isinstance(cause, kinds):
                return DockerUnreachable(code=code)
        if isinstance(cause, OSError) and cause.errno in _ROUTE_ERRORS:
            return DockerUnreachable(code="docker_no_route")
    connecting = any(isinstance(cause, urllib3.exceptions.ConnectTimeoutError) for cause in chain)
    # ETIMEDOUT is the kernel's: it gave up an open connection (TCP_USER_TIMEOUT, keepalive).
    lost = any(isinstance(cause, TimeoutError) and cause.errno == errno.ETIMEDOUT for cause in chain)
    if any(isinstance(cause, _TIMEOUTS) for cause in chain) and (connecting or not lost):
        return DockerUnreachable(code="docker_timeout")
    if lost or any(isinstance(cause, _CLOSED) for cause in chain):
        return _closed(material)
    return None


def _closed(material: TLSMaterial | None) -> DockerHostError:
    """A connection that ended early; where our certificate is certainly bad, that is why.

    Under TLS 1.3 the refusal comes after our first request, and the reset behind it may overtake it.
    """
    defect = material.defect() if material else None
    return DockerTLSError(code=defect) if defect else DockerUnreachable(code="docker_closed")


def _nonsense(chain: list[BaseException]) -> DockerHostError:
    if any(isinstance(cause, _NONSENSE) for cause in chain):
        return DockerAPIError(code="docker_protocol")
    return DockerAPIError()
