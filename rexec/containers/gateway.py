"""The way to the Docker host from an application context, and what its failures mean for waiting work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from flask import current_app

from rexec.containers.errors import StillRemoving
from rexec.docker_host import DockerHost
from rexec.docker_host.errors import DockerBusy, DockerTLSError
from rexec.errors import Unavailable

EXTENSION = "rexec.docker_host"


class HostUnusable(Unavailable):
    """The Docker host answers, but not to us: a certificate has expired, say. An outage for users."""

    code = "docker_host_unusable"
    message = "The machine that runs the containers cannot be used right now."


def docker() -> DockerHost:
    """The Docker host of this application."""
    return cast("DockerHost", current_app.extensions[EXTENSION])


def remove_container(name: str) -> None:
    """Remove a container.

    Args:
        name: Its name or id on the Docker host.

    Raises:
        StillRemoving: It is being removed already.
        DockerHostError: The Docker host could not do it; DockerNotFound where it has none.
    """
    try:
        docker().remove_container(name)
    except DockerBusy as error:
        raise StillRemoving from error


@contextmanager
def outage_is_not_a_verdict() -> Iterator[None]:
    """Turn a failure of trust into an outage: somebody mends the certificates, and the work goes on.

    Raises:
        HostUnusable: In place of a DockerTLSError, with its code, message and hint.
    """
    try:
        yield
    except DockerTLSError as error:
        raise HostUnusable(error.message, hint=error.hint, code=error.code) from error
