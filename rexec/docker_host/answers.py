"""What the daemon's refusals mean: a status and a sentence, or a line of a pull's progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from rexec.docker_host.errors import (
    DockerAPIError,
    DockerBusy,
    DockerConflict,
    DockerHostError,
    DockerNotFound,
    DockerRejected,
    DockerTLSError,
    ImageError,
    ImageNotFound,
    NoSpace,
    RegistryRefused,
    RegistryUnreachable,
)

_NO_SPACE: Final = ("no space left on device", "disk quota exceeded")
_BUSY_REGISTRY: Final = ("toomanyrequests", "too many requests", "rate limit")
_REFUSED: Final = (
    *("pull access denied", "denied:", "requested access to the resource is denied", "unauthorized"),
    *("no basic auth credentials", "authentication required", "403 forbidden"),
)
_IMAGE_MISSING: Final = (
    *("no such image", "manifest unknown", "manifest for ", "name unknown", "repository name not known"),
    *("repository does not exist", "not found: manifest", "no matching manifest", "invalid reference format"),
)
_FAR_AWAY: Final = (
    *(
        "dial tcp",
        "no such host",
        "connection refused",
        "i/o timeout",
        "network is unreachable",
        "no route to host",
    ),
    *("tls handshake timeout", "x509:", "connection reset by peer", "request canceled", "client.timeout"),
    *(
        "context deadline exceeded",
        "unexpected eof",
        "server misbehaving",
        "received unexpected http status: 5",
    ),
    *("server gave http response to https client", "proxyconnect tcp", "eof"),
)


def error_from_answer(status: int, message: str) -> DockerHostError:
    """The error for an HTTP status and the daemon's sentence.

    Args:
        status: 400 or above.
        message: What the daemon said.
    """
    text = message.lower()
    if any(words in text for words in _NO_SPACE):
        return NoSpace(detail=message)
    reading = _READINGS.get(status)
    if reading is not None:
        return reading(text, message)
    kind = DockerAPIError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else DockerRejected
    return kind(detail=message)


def date_of(headers: Mapping[str, str]) -> datetime:
    """The moment at which an answer was given, aware, UTC; RFC 9110, 6.6.1.

    Args:
        headers: Of the answer.

    Raises:
        DockerAPIError: `docker_protocol`, they have no date.
    """
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except ValueError as error:
        raise DockerAPIError(code="docker_protocol", detail="the answer has no date") from error


def moment_of(text: str) -> datetime | None:
    """A time as the daemon writes it, with nanoseconds; None for its zero.

    Args:
        text: As in `2026-01-31T12:00:00.123456789Z`.
    """
    if not text or text.startswith("0001-"):
        return None
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")


def _bad_request(text: str, message: str) -> DockerHostError:
    if "http request to an https server" in text:
        return DockerTLSError(code="tls_required", detail=message)
    if "client version" in text and ("too new" in text or "too old" in text):
        return DockerRejected(code="docker_version", detail=message)
    if "is ambiguous" in text:
        # Two processes made a network at once; the younger one is about to go.
        return DockerBusy(detail=message)
    return DockerRejected(detail=message)


def _not_found(text: str, message: str) -> DockerHostError:
    if any(words in text for words in _REFUSED):
        return RegistryRefused(detail=message)
    if any(words in text for words in _IMAGE_MISSING):
        return ImageNotFound(detail=message)
    return DockerNotFound(detail=message)


def _conflict(text: str, message: str) -> DockerHostError:
    if "already in progress" in text:
        return DockerBusy(detail=message)
    if "already in use" in text or "already exists" in text:
        return DockerConflict(code="docker_name_taken", detail=message)
    if "is not running" in text or "is paused" in text:
        return DockerConflict(code="docker_not_running", detail=message)
    return DockerConflict(detail=message)


_READINGS: Final[dict[int, Callable[[str, str], DockerHostError]]] = {
    HTTPStatus.BAD_REQUEST: _bad_request,
    HTTPStatus.NOT_FOUND: _not_found,
    HTTPStatus.CONFLICT: _conflict,
}


def image_error(message: str, status: int | None = None) -> DockerHostError:
    """The error for what a pull reports, in its stream or instead of one.

    The daemon passes the registry's words on; a status above 400 says nothing more than the words do.

    Args:
        message: What the daemon said.
        status: The answer's status, where there was no stream.
    """
    text = message.lower()
    kinds: tuple[tuple[tuple[str, ...], DockerHostError], ...] = (
        (_NO_SPACE, NoSpace(detail=message)),
        (_BUSY_REGISTRY, RegistryUnreachable(code="registry_busy", detail=message)),
        (_REFUSED, RegistryRefused(detail=message)),
        (_IMAGE_MISSING, ImageNotFound(detail=message)),
        (_FAR_AWAY, RegistryUnreachable(detail=message)),
    )
    for words, error in kinds:
        if any(word in text for word in words):
            return error
    if status == HTTPStatus.NOT_FOUND or text.endswith("not found"):
        return ImageNotFound(detail=message)
    if status is not None:
        return error_from_answer(status, message)
    return ImageError(detail=message)
