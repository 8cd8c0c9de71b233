"""A daemon of the test's own, how to reach it, and the error of a client that does."""

from __future__ import annotations

import time

import pytest

from rexec.config import DockerSettings
from rexec.docker_host.errors import DockerHostError, DockerNotFound
from tests.support.certificates import Authority

CA = Authority()
CLIENT = CA.issue()
SERVER = CA.issue("127.0.0.1")


def tls(port, *, host="127.0.0.1", ca=CA.cert, client=CLIENT):
    return DockerSettings(
        host=f"tcp://{host}:{port}",
        tls_verify=True,
        ca_cert=ca,
        client_cert=client.cert,
        client_key=client.key,
    )


def plain(port):
    return DockerSettings(host=f"tcp://127.0.0.1:{port}")


def close(connection):
    """A talk that is over before it began."""


def failure(host, within_s=2.0):
    """The error of a ping, which has to come in time."""
    started = time.monotonic()
    with pytest.raises(DockerHostError) as caught:
        host.ping()
    assert time.monotonic() - started < within_s
    assert not isinstance(caught.value, DockerNotFound)
    return caught.value
