"""What we can find wrong with certificates before any connection, and the context made of good ones."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rexec.config import DockerSettings
from rexec.docker_host import DockerHost
from rexec.docker_host.certificates import certificate_facts
from rexec.docker_host.errors import DockerTLSError
from rexec.docker_host.tls import TLSMaterial
from tests.support.certificates import DAY, Authority

CA = Authority("Our CA")
CLIENT = CA.issue(name="rexec")


def settings(**changes):
    values = {"ca_cert": CA.cert, "client_cert": CLIENT.cert, "client_key": CLIENT.key, **changes}
    return DockerSettings(host="tcp://vm.example:2376", tls_verify=True, **values)


def code_of(**changes):
    with pytest.raises(DockerTLSError) as caught:
        DockerHost(settings(**changes)).check_material()
    return caught.value.code


def test_good_material_passes_without_a_connection():
    DockerHost(settings()).check_material()


def test_making_a_client_looks_at_nothing():
    DockerHost(settings(ca_cert="nonsense"))


def test_a_key_that_belongs_to_another_certificate_is_found():
    assert code_of(client_key=CA.issue().key) == "tls_key_mismatch"


def test_an_encrypted_key_is_found():
    assert code_of(client_key=CLIENT.encrypted_key()) == "tls_key_encrypted"


@pytest.mark.parametrize("field", ["ca_cert", "client_cert", "client_key"])
@pytest.mark.parametrize(
    "text",
    ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", CLIENT.cert[:300]],
    ids=["nonsense", "no certificate", "cut off"],
)
def test_pem_that_cannot_be_read_is_found_and_its_variable_named(field, text):
    with pytest.raises(DockerTLSError) as caught:
        DockerHost(settings(**{field: text})).check_material()
    assert caught.value.code == "tls_bad_pem"
    assert {"ca_cert": "DOCKER_CA_CERT"}.get(field, f"DOCKER_{field.upper()}") in caught.value.hint


def test_a_key_in_the_certificates_place_is_found():
    assert code_of(client_cert=CLIENT.key) == "tls_bad_pem"


def test_a_certificate_without_its_key_is_found():
    assert code_of(client_key=None) == "tls_missing"
    assert code_of(client_cert=None) == "tls_missing"


def test_a_missing_authority_is_found():
    assert code_of(ca_cert=None) == "tls_missing"


def test_no_secret_appears_in_an_error_or_a_repr():
    secret = CLIENT.key.splitlines()[1]
    material = TLSMaterial.of(settings())
    with pytest.raises(DockerTLSError) as caught:
        TLSMaterial.of(settings(client_cert=CA.issue().cert))
    error = caught.value
    assert secret not in "".join(map(repr, (material, error, error.__cause__, settings()))) + str(error)


def test_certificates_come_from_a_folder_as_the_docker_command_has_it(tmp_path):
    for name, text in {"ca.pem": CA.cert, "cert.pem": CLIENT.cert, "key.pem": CLIENT.key}.items():
        (tmp_path / name).write_text(text)
    found = TLSMaterial.of(settings(ca_cert=None, client_cert=None, client_key=None, cert_path=tmp_path))
    assert found == TLSMaterial.of(settings())


def test_an_empty_folder_is_found(tmp_path):
    assert code_of(ca_cert=None, client_cert=None, client_key=None, cert_path=tmp_path) == "tls_missing"


def test_a_text_wins_over_the_folder(tmp_path):
    (tmp_path / "ca.pem").write_text(Authority().cert)
    assert TLSMaterial.of(settings(cert_path=tmp_path)).ca == CA.cert


def test_the_key_is_on_disk_only_while_openssl_reads_it_and_only_for_us(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = {}
    load = ssl.SSLContext.load_cert_chain

    def spy(self, cert, key, password=None):
        for path in (Path(cert), Path(key), Path(key).parent):
            seen[path] = stat.S_IMODE(path.stat().st_mode)
        return load(self, cert, key, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    TLSMaterial.of(settings()).context()
    assert sorted(seen.values()) == [0o600, 0o600, 0o700]
    assert all(path.is_relative_to(tmp_path) for path in seen)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_gone_even_where_openssl_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DockerTLSError):
        TLSMaterial(CA.cert, CLIENT.cert, CLIENT.encrypted_key()).context()
    assert list(tmp_path.iterdir()) == []


def test_the_context_verifies_name_and_chain_but_not_strictly():
    context = TLSMaterial.of(settings()).context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_only_our_authority_is_trusted():
    assert len(TLSMaterial.of(settings()).context().get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (CA.issue(ends=-timedelta(hours=1), starts=-2 * DAY), "tls_client_expired"),
        (CA.issue(starts=DAY), "tls_client_not_yet_valid"),
        (Authority("Our CA").issue(), "tls_client_other_ca"),
        (CLIENT, "tls_client_refused"),
    ],
    ids=["expired", "not yet valid", "other authority of the same name", "nothing wrong that we can see"],
)
def test_why_a_daemon_refused_us_is_found_in_our_own_files(pair, code):
    assert TLSMaterial(CA.cert, pair.cert, pair.key).refusal() == code


def test_a_daemon_that_wants_a_certificate_we_lack():
    assert TLSMaterial(CA.cert).refusal() == "tls_client_missing"


def test_an_intermediate_in_our_chain_counts_as_ours():
    chain = CLIENT.cert + CA.cert
    assert TLSMaterial(Authority("Server CA").cert, chain, CLIENT.key).refusal() == "tls_client_refused"


def test_an_expired_authority_is_noticed():
    old = Authority("Old CA", starts=-2 * DAY, ends=-DAY)
    assert TLSMaterial(old.cert).authority_expired()
    assert not TLSMaterial(old.cert + CA.cert).authority_expired()


def test_text_that_a_dashboard_changed_makes_the_same_material():
    changed = {
        "ca_cert": f'"{CA.cert}"',
        "client_cert": CLIENT.cert.replace("\n", "\\n"),
        "client_key": CLIENT.key.replace("\n", " "),
    }
    assert TLSMaterial.of(settings(**changed)) == TLSMaterial.of(settings())


def test_our_certificate_is_found_among_others():
    assert TLSMaterial.of(settings(client_cert=CA.cert + CLIENT.cert)).cert == CLIENT.cert + CA.cert


def test_facts_of_a_certificate_are_read_from_pem_and_der():
    pair = CA.issue("127.0.0.1", "vm.example", name="the server", ends=10 * DAY)
    facts = certificate_facts(pair.cert)
    assert (facts.name, facts.issuer, facts.is_ca) == ("the server", "Our CA", False)
    assert facts.names == ("vm.example", "127.0.0.1")
    assert facts == certificate_facts(ssl.PEM_cert_to_DER_cert(pair.cert))
    assert certificate_facts(CA.cert).is_ca


def test_days_left_are_whole_and_turn_negative_at_the_end():
    facts = certificate_facts(CA.issue(ends=10 * DAY).cert)
    assert facts.days_left(datetime.now(UTC)) == 9
    assert facts.days_left(facts.not_after) == 0
    assert facts.days_left(facts.not_after + timedelta(seconds=1)) == -1


def test_what_is_no_certificate_has_no_facts():
    with pytest.raises(DockerTLSError, match="tls_bad_pem"):
        certificate_facts(b"nonsense")
