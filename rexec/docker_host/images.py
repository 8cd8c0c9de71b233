"""Images: which there are, and fetching more with visible progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from docker.utils import parse_repository_tag
from requests import Response

from rexec.docker_host.answers import image_error
from rexec.docker_host.endpoint import Deadline
from rexec.docker_host.engine_client import EngineClient
from rexec.docker_host.errors import DockerUnreachable, RegistryUnreachable
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.translate import FOREIGN

IDLE_S: Final = 90.0
"""The longest silence in a pull. The daemon gives up on a registry that does not answer sooner than this."""


@dataclass(frozen=True)
class ImageInfo:
    """An image that the daemon holds.

    Args:
        reference: Name and tag.
        size_bytes: On disk, shared layers included.
    """

    reference: str
    size_bytes: int


@dataclass(frozen=True)
class PullProgress:
    """One line of a pull.

    Args:
        layer: The layer it is about; empty for the image as a whole.
        status: The daemon's words, such as "Downloading" or "Pull complete".
        current: Bytes done in this phase of the layer, where known.
        total: Bytes to do, where known.
    """

    layer: str
    status: str
    current: int | None = None
    total: int | None = None


def list_images(session: DaemonSession) -> list[ImageInfo]:
    """Every tagged image, one entry for each tag."""
    images: list[dict[str, Any]] = session.call(lambda client: client.images())
    return [
        ImageInfo(reference, int(image["Size"]))
        for image in images
        for reference in image.get("RepoTags") or ()
        if reference != "<none>:<none>"
    ]


def pull_image(session: DaemonSession, reference: str, deadline_s: float) -> Iterator[PullProgress]:
    """Fetch an image. Closing the iterator cancels the pull.

    Args:
        session: The daemon.
        reference: Name with tag or digest; `latest` where it has neither.
        deadline_s: For the whole pull.

    Raises:
        ImageError: By cause; `registry_unreachable` with code `pull_timeout` at the deadline.
        NoSpace: The VM's disk is full.
        DockerUnreachable: The daemon went away in the middle.
    """
    deadline = Deadline(deadline_s)
    try:
        answer = session.call(lambda client: _ask(client, reference, deadline))
    except DockerUnreachable as error:
        raise (_too_slow(reference) if deadline.passed else error) from error
    try:
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise image_error(_message(answer), answer.status_code)
        for line in _lines(answer, deadline):
            yield _progress(line)
    except FOREIGN as error:
        raise (_too_slow(reference) if deadline.passed else session.translated(error)) from error
    finally:
        answer.close()


def _ask(client: EngineClient, reference: str, deadline: Deadline) -> Response:
    repository, tag = parse_repository_tag(reference)
    return client.ask(
        "POST",
        "/images/create",
        params={"fromImage": repository, "tag": tag or "latest"},
        stream=True,
        silence_s=min(IDLE_S, deadline.left()),
    )


def _message(answer: Response) -> str:
    text = answer.text
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()


def _lines(answer: Response, deadline: Deadline) -> Iterator[dict[str, Any]]:
    rest = b""
    for chunk in answer.raw.stream(64 * 1024, decode_content=False):
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            if line.strip():
                yield json.loads(line)
        connection = answer.raw.connection
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(min(IDLE_S, deadline.left()))
    if rest.strip():
        yield json.loads(rest)


def _progress(line: dict[str, Any]) -> PullProgress:
    if "error" in line or "errorDetail" in line:
        raise image_error(str(line.get("error") or line["errorDetail"].get("message", "")))
    status = str(line.get("status", ""))
    layer = "" if status.startswith("Pulling from") else str(line.get("id", ""))
    detail = line.get("progressDetail") or {}
    return PullProgress(layer, status, detail.get("current"), detail.get("total"))


def _too_slow(reference: str) -> RegistryUnreachable:
    return RegistryUnreachable(code="pull_timeout", detail=reference)
