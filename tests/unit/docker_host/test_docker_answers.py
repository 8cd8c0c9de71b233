"""What the daemon's refusals and a pull's error lines mean."""

import pytest

from rexec.docker_host.answers import error_from_answer, image_error
from rexec.docker_host.errors import (
    DockerAPIError,
    DockerBusy,
    DockerConflict,
    DockerNotFound,
    DockerRejected,
    DockerTLSError,
    ImageError,
    ImageNotFound,
    NoSpace,
    RegistryRefused,
    RegistryUnreachable,
)


@pytest.mark.parametrize(
    ("status", "message", "kind", "code"),
    [
        (404, "No such container: abc", DockerNotFound, "docker_not_found"),
        (404, "No such exec instance: abc", DockerNotFound, "docker_not_found"),
        (404, "network rexec-1 not found", DockerNotFound, "docker_not_found"),
        (404, "No such image: debian:nope", ImageNotFound, "image_not_found"),
        (409, "Container abc is not running", DockerConflict, "docker_not_running"),
        (
            409,
            'Conflict. The container name "/a" is already in use by container "b"',
            DockerConflict,
            "docker_name_taken",
        ),
        (409, "network with name rexec-1 already exists", DockerConflict, "docker_name_taken"),
        (409, "removal of container abc is already in progress", DockerBusy, "docker_busy"),
        (409, "remove v: volume is in use - [abc]", DockerConflict, "docker_conflict"),
        (400, "Client sent an HTTP request to an HTTPS server.", DockerTLSError, "tls_required"),
        (
            400,
            "client version 1.99 is too new. Maximum supported API version is 1.41",
            DockerRejected,
            "docker_version",
        ),
        (
            400,
            "client version 1.41 is too old. Minimum supported API version is 1.44",
            DockerRejected,
            "docker_version",
        ),
        (400, "network rexec-1 is ambiguous (2 matches found on name)", DockerBusy, "docker_busy"),
        (400, "Minimum memory limit allowed is 6MB", DockerRejected, "docker_rejected"),
        (403, "authorization denied by plugin", DockerRejected, "docker_rejected"),
        (500, "mkdir /var/lib/docker/x: no space left on device", NoSpace, "no_space"),
        (500, "OCI runtime create failed", DockerAPIError, "docker_error"),
        (503, "daemon is shutting down", DockerAPIError, "docker_error"),
    ],
)
def test_a_refusal_is_told_by_status_and_words(status, message, kind, code):
    error = error_from_answer(status, message)
    assert type(error) is kind
    assert error.code == code
    assert error.detail == message


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        (
            "manifest for debian:nope not found: manifest unknown: manifest unknown",
            ImageNotFound,
            "image_not_found",
        ),
        ("manifest unknown", ImageNotFound, "image_not_found"),
        (
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            ImageNotFound,
            "image_not_found",
        ),
        ("repository 127.0.0.1:5000/x not found: name unknown", ImageNotFound, "image_not_found"),
        (
            "pull access denied for a/b, repository does not exist or may require 'docker login': denied",
            RegistryRefused,
            "registry_refused",
        ),
        ("unauthorized: authentication required", RegistryRefused, "registry_refused"),
        ('Head "https://x/v2/a/manifests/1": no basic auth credentials', RegistryRefused, "registry_refused"),
        (
            'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
            RegistryUnreachable,
            "registry_unreachable",
        ),
        ("dial tcp 127.0.0.1:1: connect: connection refused", RegistryUnreachable, "registry_unreachable"),
        ("net/http: TLS handshake timeout", RegistryUnreachable, "registry_unreachable"),
        ("read tcp 10.0.0.1:1->10.0.0.2:443: i/o timeout", RegistryUnreachable, "registry_unreachable"),
        ("unexpected EOF", RegistryUnreachable, "registry_unreachable"),
        (
            "toomanyrequests: You have reached your pull rate limit.",
            RegistryUnreachable,
            "registry_busy",
        ),
        (
            "failed to register layer: Error processing tar file: write /x: no space left on device",
            NoSpace,
            "no_space",
        ),
        ("something nobody has seen", ImageError, "image_error"),
    ],
)
def test_a_pull_that_fails_says_whose_fault_it_is(message, kind, code):
    error = image_error(message)
    assert type(error) is kind
    assert error.code == code


def test_a_pull_refused_at_once_is_told_by_its_status_where_words_do_not_help():
    assert type(image_error("nothing of this kind", 404)) is ImageNotFound
    assert type(image_error("the daemon is unwell", 500)) is DockerAPIError
