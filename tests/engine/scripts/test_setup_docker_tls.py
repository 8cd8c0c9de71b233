"""scripts/setup-docker-tls.sh: what its certificates are, and what a second run leaves alone."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.engine import ROOT

HOSTS = ("203.0.113.7", "2001:db8::7", "docker.example.com")
CERTIFICATES = {"ca.pem", "server-cert.pem", "cert.pem"}
KEYS = {"ca-key.pem", "server-key.pem", "key.pem"}


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(ROOT / "scripts" / "setup-docker-tls.sh"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / name).read_bytes())


def usage(cert: x509.Certificate) -> set[str]:
    """Names of the key usages that are set."""
    extension = cert.extensions.get_extension_for_class(x509.KeyUsage)
    assert extension.critical
    # Whether a key only enciphers or only deciphers can be asked of key agreement alone.
    names = {name.strip("_") for name in vars(extension.value)} - {"encipher_only", "decipher_only"}
    return {name for name in names if getattr(extension.value, name)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    run("--out", str(folder), *HOSTS)
    return folder


def test_it_makes_the_files_of_the_deploy_guide_and_nothing_else(folder):
    assert set(contents(folder)) == CERTIFICATES | KEYS


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_can_be_read_by_their_owner_alone(folder, name):
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o400


@pytest.mark.parametrize("name", sorted(CERTIFICATES))
def test_certificates_can_be_read_by_everybody(folder, name):
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o444


@pytest.mark.parametrize(
    ("certificate_name", "key_name"),
    [("ca.pem", "ca-key.pem"), ("server-cert.pem", "server-key.pem"), ("cert.pem", "key.pem")],
)
def test_each_key_is_p256_and_belongs_to_its_certificate(folder, certificate_name, key_name):
    key = load_pem_private_key((folder / key_name).read_bytes(), password=None)
    assert isinstance(key.curve, ec.SECP256R1)
    assert key.public_key() == certificate(folder, certificate_name).public_key()


def test_the_authority_may_sign_certificates_and_no_further_authority(folder):
    authority = certificate(folder, "ca.pem")
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert usage(authority) == {"key_cert_sign", "crl_sign"}


@pytest.mark.parametrize(
    ("name", "purpose"),
    [("server-cert.pem", ExtendedKeyUsageOID.SERVER_AUTH), ("cert.pem", ExtendedKeyUsageOID.CLIENT_AUTH)],
)
def test_a_leaf_signs_handshakes_for_its_one_purpose(folder, name, purpose):
    leaf = certificate(folder, name)
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=False, path_length=None)
    assert usage(leaf) == {"digital_signature"}
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [purpose]


@pytest.mark.parametrize("name", ["server-cert.pem", "cert.pem"])
def test_a_leaf_names_the_key_that_signed_it(folder, name):
    authority, leaf = certificate(folder, "ca.pem"), certificate(folder, name)
    leaf.verify_directly_issued_by(authority)
    signer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    subject = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert signer.key_identifier == subject.digest
    assert leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest != subject.digest


def test_the_server_certificate_is_for_the_given_hosts_and_no_other(folder):
    names = certificate(folder, "server-cert.pem").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert {str(name.value) for name in names.value} == set(HOSTS)
    assert names.value.get_values_for_type(x509.IPAddress) == [ip_address(host) for host in HOSTS[:2]]
    assert names.value.get_values_for_type(x509.DNSName) == [HOSTS[2]]


def test_serial_numbers_are_positive_and_differ(folder):
    serials = {certificate(folder, name).serial_number for name in CERTIFICATES}
    assert len(serials) == 3
    assert all(0 < serial < 2**159 for serial in serials)


def test_a_second_run_with_the_same_hosts_changes_nothing_and_says_so(folder):
    before = contents(folder)
    done = run("--out", str(folder), *reversed(HOSTS))
    assert done.stdout.startswith("Nothing to do")
    assert contents(folder) == before


def test_other_hosts_get_a_new_server_certificate_from_the_same_authority(tmp_path):
    run("--out", str(tmp_path), "198.51.100.1")
    before = contents(tmp_path)
    done = run("--out", str(tmp_path), "198.51.100.1", "vm.example.com")
    after = contents(tmp_path)
    assert "server certificate" in done.stdout
    assert "other hosts" in done.stdout
    assert {name for name in after if after[name] != before[name]} == {"server-cert.pem", "server-key.pem"}
    certificate(tmp_path, "server-cert.pem").verify_directly_issued_by(certificate(tmp_path, "ca.pem"))


@pytest.mark.parametrize(("lost", "made"), [("cert.pem", "client"), ("server-key.pem", "server")])
def test_a_lost_file_is_made_again_and_only_its_pair_changes(tmp_path, lost, made):
    run("--out", str(tmp_path), "198.51.100.1")
    before = contents(tmp_path)
    (tmp_path / lost).unlink()
    done = run("--out", str(tmp_path), "198.51.100.1")
    pairs = {"client": {"cert.pem", "key.pem"}, "server": {"server-cert.pem", "server-key.pem"}}
    assert f"Made the {made} certificate" in done.stdout
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == pairs[made]


@pytest.mark.parametrize("days", [1, 90])
def test_days_set_the_life_of_the_leaves_and_not_of_the_authority(tmp_path, days):
    run("--out", str(tmp_path), "--days", str(days), "localhost")
    now = datetime.now(UTC)
    for name in ("server-cert.pem", "cert.pem"):
        left = certificate(tmp_path, name).not_valid_after_utc - now
        assert timedelta(days=days, minutes=-5) < left <= timedelta(days=days)
    assert certificate(tmp_path, "ca.pem").not_valid_after_utc - now > timedelta(days=3600)


def test_without_the_authoritys_key_nothing_new_is_signed_and_nothing_is_touched(tmp_path):
    run("--out", str(tmp_path), "198.51.100.1")
    (tmp_path / "ca-key.pem").unlink()
    before = contents(tmp_path)
    assert run("--out", str(tmp_path), "198.51.100.1").stdout.startswith("Nothing to do")
    refused = run("--out", str(tmp_path), "198.51.100.2", check=False)
    assert refused.returncode == 1
    assert "ca-key.pem is not here to sign it" in refused.stderr
    assert contents(tmp_path) == before


def test_a_lost_authority_is_never_replaced_silently(tmp_path):
    run("--out", str(tmp_path), "198.51.100.1")
    (tmp_path / "ca.pem").unlink()
    before = contents(tmp_path)
    refused = run("--out", str(tmp_path), "198.51.100.1", check=False)
    assert refused.returncode == 1
    assert "ca.pem is missing beside the files it signed" in refused.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name at least one IP address or host name"),
        (["tcp://203.0.113.7:2376"], "is a URL; give only its host"),
        (["203.0.113.7:2376"], "neither an IP address nor a host name"),
        (["203.0.113.300"], "neither an IP address nor a host name"),
        (["[2001:db8::7]"], "without brackets"),
        (["under score"], "neither an IP address nor a host name"),
        (["-x", "localhost"], "unknown option '-x'"),
        (["--days", "0", "localhost"], "--days must be a number from 1 to 3650"),
        (["--days", "1.5", "localhost"], "--days must be a number from 1 to 3650"),
        (["localhost", "--days"], "--days needs a value"),
    ],
)
def test_a_wrong_argument_is_named_and_no_folder_is_made(tmp_path, arguments, reason):
    refused = run("--out", str(tmp_path / "new"), *arguments, check=False)
    assert refused.returncode == 2
    assert reason in refused.stderr
    assert not (tmp_path / "new").exists()


def test_help_names_every_option_and_file():
    text = run("--help").stdout
    for word in {"--out", "--days", "/etc/docker/certs"} | CERTIFICATES | KEYS:
        assert word in text


def test_no_key_is_readable_by_others_even_under_a_loose_umask(tmp_path):
    previous = os.umask(0)
    try:
        run("--out", str(tmp_path / "certs"), "localhost")
    finally:
        os.umask(previous)
    assert {stat.S_IMODE((tmp_path / "certs" / name).stat().st_mode) for name in KEYS} == {0o400}
    assert not stat.S_IMODE((tmp_path / "certs").stat().st_mode) & 0o022


def shake_hands(folder: Path, *, host: str, client_folder: Path) -> bytes:
    """Do a mutual TLS handshake in memory and send a word through it."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    server_context.load_cert_chain(folder / "server-cert.pem", folder / "server-key.pem")
    server_context.verify_mode = ssl.CERT_REQUIRED
    client_context = ssl.create_default_context(cafile=folder / "ca.pem")
    client_context.load_cert_chain(client_folder / "cert.pem", client_folder / "key.pem")
    for context in (server_context, client_context):
        # Python 3.13's default, also on older ones.
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(down, up, server_hostname=host)
    server = server_context.wrap_bio(up, down, server_side=True)
    waiting = [client, server]
    while waiting:
        try:
            waiting[0].do_handshake()
            waiting.pop(0)
        except ssl.SSLWantReadError:
            waiting.reverse()
    client.write(b"hello")
    return server.read()


@pytest.mark.parametrize("host", HOSTS)
def test_a_mutual_handshake_passes_strict_verification_under_each_host(folder, host):
    assert shake_hands(folder, host=host, client_folder=folder) == b"hello"


def test_a_host_that_was_not_given_fails_the_handshake(folder):
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(folder, host="other.example.com", client_folder=folder)


def test_a_client_of_another_authority_is_refused(folder, tmp_path):
    run("--out", str(tmp_path), "localhost")
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        shake_hands(folder, host=HOSTS[0], client_folder=tmp_path)


@pytest.mark.parametrize(
    ("option", "renewed"),
    [
        ("--rotate-client", {"cert.pem", "key.pem"}),
        ("--rotate-server", {"server-cert.pem", "server-key.pem"}),
    ],
)
def test_a_good_certificate_is_made_again_when_that_is_asked_for(tmp_path, option, renewed):
    run("--out", str(tmp_path), *HOSTS)
    before = contents(tmp_path)
    done = run("--out", str(tmp_path), option, *HOSTS)
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == renewed
    assert "asked for" in done.stdout
