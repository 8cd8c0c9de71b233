"""PEM survives every way in which dashboards mangle it; what cannot be mended is named, never shown."""

import base64
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rexec import pem
from rexec.pem import PemFault, Place, certificates, pair, private_key
from tests.support.certificates import Authority

CA = Authority("Our CA")
OTHER = Authority("Another CA")
CLIENT = CA.issue(name="rexec")
CERT, KEY = Place("DOCKER_CLIENT_CERT"), Place("DOCKER_CLIENT_KEY")
TEXTS = [CLIENT.cert, CA.cert + OTHER.cert, CLIENT.cert + CA.cert + OTHER.cert]
JUNK = st.text(" \t\r\n\u00a0\ufeff\u200b", max_size=6)


def wrapped(text):
    """Base64 as the command prints it, in lines of 76."""
    return "\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 76))


NEWLINES = {
    "as they are": str,
    "literal backslash-n": lambda text: text.replace("\n", "\\n"),
    "literal backslash-r-n": lambda text: text.replace("\n", "\\r\\n"),
    "escaped twice": lambda text: text.replace("\n", "\\\\n"),
    "blanks": lambda text: text.replace("\n", " "),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "indented": lambda text: text.replace("\n", "\n    "),
    "doubled": lambda text: text.replace("\n", "\n\n"),
    "lost": lambda text: text.replace("\n", ""),
}
OUTSIDE = {
    "nothing": str,
    "double quotes": lambda text: f'"{text}"',
    "single quotes": lambda text: f"'{text}'",
    "quotes in quotes": lambda text: f"'\"{text}\"'",
    "typographic quotes": lambda text: f"\u201c{text}\u201d",
    "the name of the variable": lambda text: f"DOCKER_CLIENT_CERT={text}",
}
ENCODINGS = {
    "none": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in lines": wrapped,
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
}


@st.composite
def manglings(draw):
    """A function that changes a text in several of these ways, one after the other."""
    newlines = draw(st.sampled_from(sorted(NEWLINES)))
    outside = draw(st.sampled_from(sorted(OUTSIDE)))
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    # A name before base64 leaves in doubt where the base64 begins.
    again = draw(st.sampled_from(["as they are", "literal backslash-n", "blanks", "CRLF"]))
    quoted = draw(st.sampled_from(["nothing", "double quotes", "single quotes"]))
    before, after = draw(JUNK), draw(JUNK)

    def mangle(text):
        inside = ENCODINGS[encoding](OUTSIDE[outside](NEWLINES[newlines](text)))
        return before + OUTSIDE[quoted](NEWLINES[again](inside)) + after

    return mangle


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manglings(), st.sampled_from(TEXTS))
def test_certificates_survive_every_combination_of_manglings(mangle, text):
    assert certificates(mangle(text), CERT) == text


@settings(max_examples=200, deadline=None)
@given(manglings())
def test_a_key_survives_every_combination_of_manglings(mangle):
    assert private_key(mangle(CLIENT.key), KEY) == CLIENT.key


@settings(max_examples=100, deadline=None)
@given(manglings(), manglings())
def test_mangling_twice_does_no_more_harm_than_once(first, second):
    clean = certificates(first(CLIENT.cert), CERT)
    assert certificates(second(clean), CERT) == CLIENT.cert


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400) | st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode()))
def test_whatever_is_no_pem_is_a_fault_and_nothing_else(text):
    for parse, place in ((certificates, CERT), (private_key, KEY)):
        with pytest.raises(PemFault) as caught:
            parse(text, place)
        assert caught.value.message.startswith(place.variable)


@settings(max_examples=200, deadline=None)
@given(manglings(), st.integers(min_value=60, max_value=len(CLIENT.key) - 2))
def test_a_truncated_key_is_called_truncated_and_never_shown(mangle, length):
    with pytest.raises(PemFault) as caught:
        private_key(mangle(CLIENT.key[:length]), KEY)
    assert caught.value.message == (
        "DOCKER_CLIENT_KEY is truncated: copy the whole of key.pem again, with its BEGIN and END lines."
    )


def missing_a_line(text):
    lines = text.splitlines()
    return "\n".join([*lines[:2], *lines[3:]])


NOT_OURS = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: set it to the contents of cert.pem."),
        (' "" ', "is empty: set it to the contents of cert.pem."),
        ("Contents of cert.pem", "is not PEM: "),
        ("/etc/docker/certs/cert.pem", "holds a path where the text itself belongs: "),
        ("./cert.pem", "holds a path where the text itself belongs: "),
        ("~/rexec/cert.pem", "holds a path where the text itself belongs: "),
        ("C:\\certs\\cert.pem", "holds a path where the text itself belongs: "),
        (CLIENT.key, "holds a private key where a certificate belongs: set it to the contents of cert.pem."),
        (CLIENT.encrypted_key(), "holds a private key where a certificate belongs: "),
        (CLIENT.cert[:300], "is truncated: "),
        (CLIENT.cert.partition("\n")[2], "is truncated: "),
        (CLIENT.cert + CA.cert[:200], "is truncated: "),
        (missing_a_line(CLIENT.cert), "is truncated: "),
        (wrapped(CLIENT.cert)[:400], "is truncated: "),
        (CLIENT.cert.replace("M", "*"), "is damaged inside: "),
        (NOT_OURS.format("CERTIFICATE"), "holds a certificate that cannot be read: "),
        (NOT_OURS.format("CERTIFICATE REQUEST"), "holds a certificate request where a certificate belongs: "),
        (NOT_OURS.format("PUBLIC KEY"), "holds a public key where a certificate belongs: "),
        (NOT_OURS.format("MYSTERY"), "holds something else where a certificate belongs: "),
    ],
)
def test_how_a_certificate_is_wrong_is_said(text, said):
    with pytest.raises(PemFault) as caught:
        certificates(text, CERT)
    assert caught.value.message.startswith(f"DOCKER_CLIENT_CERT {said}")
    assert caught.value.code == "tls_bad_pem"


LEGACY = (
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"
    "AAAA\n-----END RSA PRIVATE KEY-----\n"
)


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        (CLIENT.cert, "holds a certificate where a private key belongs: ", "tls_bad_pem"),
        (CLIENT.encrypted_key(), "is encrypted: store it without a passphrase.", "tls_key_encrypted"),
        (LEGACY, "is encrypted: store it without a passphrase.", "tls_key_encrypted"),
        (LEGACY.replace("\n", " "), "is encrypted: store it without a passphrase.", "tls_key_encrypted"),
        (CLIENT.key + CA.issue().key, "holds several private keys: ", "tls_bad_pem"),
        (NOT_OURS.format("PRIVATE KEY"), "holds a private key that cannot be read: ", "tls_bad_pem"),
        (
            NOT_OURS.format("OPENSSH PRIVATE KEY"),
            "holds an SSH key where a private key belongs: ",
            "tls_bad_pem",
        ),
    ],
    ids=["certificate", "encrypted", "encrypted before PKCS 8", "in one line", "two", "damaged", "SSH"],
)
def test_how_a_key_is_wrong_is_said(text, said, code):
    with pytest.raises(PemFault) as caught:
        private_key(text, KEY)
    assert caught.value.message.startswith(f"DOCKER_CLIENT_KEY {said}")
    assert caught.value.code == code


def test_a_bundle_of_everything_gives_each_variable_its_part():
    bundle = CA.cert + CLIENT.key + CLIENT.cert
    assert private_key(bundle, KEY) == CLIENT.key
    assert pair(certificates(bundle, CERT), CLIENT.key) == CLIENT.cert + CA.cert


def test_prose_around_a_certificate_is_left_out():
    assert certificates(f"Bag Attributes\n  friendlyName: rexec\n{CLIENT.cert}\nend", CERT) == CLIENT.cert


def test_a_key_of_another_certificate_is_found():
    with pytest.raises(PemFault) as caught:
        pair(CLIENT.cert + CA.cert, CA.issue().key)
    assert (caught.value.message, caught.value.code) == (pem.MISMATCH, "tls_key_mismatch")


def test_a_file_of_the_folder_is_named_as_such(tmp_path):
    with pytest.raises(PemFault, match="in DOCKER_CERT_PATH is missing: copy it there"):
        pem.read(tmp_path, "DOCKER_CLIENT_KEY")
    (tmp_path / "key.pem").write_bytes(b"\xff\xfe")
    with pytest.raises(PemFault, match="in DOCKER_CERT_PATH cannot be read"):
        pem.read(tmp_path, "DOCKER_CLIENT_KEY")
