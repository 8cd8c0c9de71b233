"""Every foreign exception becomes one of ours, and every code has words."""

import errno
import http.client
import inspect
import json
import socket
import ssl

import docker.errors
import pytest
import requests.exceptions
import urllib3.exceptions
from urllib3.util.ssl_match_hostname import CertificateError

from rexec.docker_host import errors
from rexec.docker_host.errors import DockerAPIError, DockerHostError, DockerTLSError, DockerUnreachable
from rexec.docker_host.texts import TEXTS
from rexec.docker_host.translate import FOREIGN, translate
from rexec.errors import RexecError, Unavailable


def classes_of(module, root=Exception):
    return [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, root) and not issubclass(kind, Warning)
    ]


FOREIGN_CLASSES = {
    *classes_of(requests.exceptions),
    *classes_of(urllib3.exceptions, urllib3.exceptions.HTTPError),
    *classes_of(docker.errors, docker.errors.DockerException),
    docker.errors.StreamParseError,
    *classes_of(ssl, ssl.SSLError),
    *classes_of(http.client, http.client.HTTPException),
    *classes_of(socket, OSError),
    CertificateError,
    json.JSONDecodeError,
    ConnectionResetError,
    BrokenPipeError,
    ConnectionAbortedError,
    FileNotFoundError,
    PermissionError,
}


class _Answer:
    """As much of an answer as the constructors below look at."""

    length_remaining = 1

    @staticmethod
    def tell():
        return 0


SPECIAL = {
    urllib3.exceptions.InvalidChunkLength: (_Answer(), b"zz"),
    urllib3.exceptions.IncompleteRead: (1, 2),
    json.JSONDecodeError: ("Expecting value", "<html>", 0),
    requests.exceptions.JSONDecodeError: ("Expecting value", "<html>", 0),
    docker.errors.ContainerError: (None, 1, "true", "debian", b""),
}


def plausible(kind):
    """An exception of this class, made with as few arguments as its constructor takes."""
    if kind in SPECIAL:
        return kind(*SPECIAL[kind])
    if issubclass(kind, ssl.SSLError):
        return kind(1, "failed")
    for count in range(5):
        try:
            return kind(*["something"] * count)
        except TypeError:
            continue
    raise AssertionError(f"{kind} wants other arguments: extend SPECIAL")


@pytest.mark.parametrize(
    "kind", sorted(FOREIGN_CLASSES, key=lambda kind: f"{kind.__module__}.{kind.__name__}")
)
def test_each_foreign_exception_is_caught_and_translated(kind):
    assert issubclass(kind, FOREIGN)
    assert isinstance(translate(plausible(kind)), DockerHostError)


def test_the_list_of_foreign_exceptions_is_not_empty_by_mistake():
    assert len(FOREIGN_CLASSES) > 80


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "docker_refused"),
        (socket.gaierror(-2, "Name or service not known"), "docker_dns"),
        (TimeoutError("timed out"), "docker_timeout"),
        (TimeoutError(errno.ETIMEDOUT, "the kernel gave up"), "docker_closed"),
        (requests.exceptions.ConnectTimeout(), "docker_timeout"),
        (requests.exceptions.ReadTimeout(), "docker_timeout"),
        (urllib3.exceptions.ReadTimeoutError(None, "/", "slow"), "docker_timeout"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "docker_closed"),
        (BrokenPipeError(errno.EPIPE, "broken"), "docker_closed"),
        (http.client.RemoteDisconnected("gone"), "docker_closed"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "docker_closed"),
        (urllib3.exceptions.ProtocolError("Connection broken"), "docker_closed"),
        (requests.exceptions.ChunkedEncodingError("broken"), "docker_closed"),
        (FileNotFoundError(errno.ENOENT, "no socket"), "docker_no_socket"),
        (PermissionError(errno.EACCES, "not yours"), "docker_permission"),
        (OSError(errno.EHOSTUNREACH, "no route"), "docker_no_route"),
        (OSError(errno.ENETUNREACH, "no network"), "docker_no_route"),
    ],
)
def test_what_a_broken_network_raises_is_an_outage(error, code):
    found = translate(error)
    assert isinstance(found, DockerUnreachable)
    assert (found.code, found.permanent) == (code, False)
    assert isinstance(found, Unavailable)


def ssl_error(reason):
    error = ssl.SSLError(1, f"[SSL: {reason}] something (_ssl.c:1006)")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("WRONG_VERSION_NUMBER", "tls_plain_http"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "tls_client_refused"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "tls_client_refused"),
        ("TLSV1_ALERT_UNKNOWN_CA", "tls_client_refused"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "tls_client_refused"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "tls_version"),
        ("UNSUPPORTED_PROTOCOL", "tls_version"),
        ("KEY_VALUES_MISMATCH", "tls_key_mismatch"),
        ("NO_CERTIFICATE_OR_CRL_FOUND", "tls_bad_pem"),
        ("SOMETHING_NEW", "tls_handshake"),
    ],
)
def test_what_openssl_says_has_a_code(reason, code):
    found = translate(requests.exceptions.SSLError(ssl_error(reason)))
    assert isinstance(found, DockerTLSError)
    assert (found.code, found.permanent) == (code, True)


@pytest.mark.parametrize(
    ("verify_code", "code"),
    [(10, "tls_server_expired"), (9, "tls_server_not_yet_valid"), (62, "tls_hostname"), (64, "tls_hostname")]
    + [(number, "tls_wrong_ca") for number in (2, 7, 18, 19, 20, 21)]
    + [(26, "tls_server_invalid")],
)
def test_why_a_server_certificate_fails_has_a_code(verify_code, code):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = verify_code
    assert translate(urllib3.exceptions.SSLError(error)).code == code


def test_the_cause_is_found_however_deep_it_is_wrapped():
    inner = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    new = urllib3.exceptions.NewConnectionError(None, "failed")
    new.__cause__ = inner
    retries = urllib3.exceptions.MaxRetryError(None, "/", new)
    assert translate(docker.errors.DockerException(requests.exceptions.ConnectionError(retries))).code == (
        "docker_refused"
    )


def test_the_detail_is_what_the_system_said():
    inner = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    outer = requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", inner)
    )
    assert translate(outer).detail == "ConnectionRefusedError: [Errno 111] Connection refused"


def test_a_circle_of_causes_ends():
    one, two = ConnectionResetError("one"), ConnectionResetError("two")
    one.__cause__, two.__cause__ = two, one
    assert translate(one).code == "docker_closed"


def test_an_error_of_ours_passes_unchanged():
    ours = errors.NoSpace(detail="/var/lib/docker")
    assert translate(ours) is ours


def test_an_answer_that_is_not_docker_is_said_so():
    found = translate(http.client.BadStatusLine("SSH-2.0-OpenSSH_9.2"))
    assert isinstance(found, DockerAPIError)
    assert found.code == "docker_protocol"


def test_every_class_has_a_code_with_words_for_user_and_operator():
    for kind in classes_of(errors, DockerHostError):
        error = kind()
        assert isinstance(error, RexecError)
        assert error.message.endswith(".")
        assert error.hint
        assert "!" not in error.message + error.hint


def test_texts_address_the_user_without_naming_variables():
    for code, (message, hint) in TEXTS.items():
        assert "DOCKER_" not in message, code
        assert message != hint


def test_what_the_daemon_said_stays_out_of_the_message():
    error = errors.DockerAPIError(detail="open /var/lib/docker/x: input/output error")
    assert "/var/lib/docker" not in error.message + error.hint
    assert "/var/lib/docker" in str(error)


@pytest.mark.parametrize(
    ("kind", "permanent"),
    [
        (errors.DockerUnreachable, False),
        (errors.DockerTLSError, True),
        (errors.DockerNotFound, True),
        (errors.DockerConflict, True),
        (errors.DockerBusy, False),
        (errors.ImageNotFound, True),
        (errors.RegistryRefused, True),
        (errors.RegistryUnreachable, False),
        (errors.NoSpace, True),
        (errors.DockerAPIError, False),
        (errors.DockerRejected, True),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(kind, permanent):
    assert kind().permanent is permanent
