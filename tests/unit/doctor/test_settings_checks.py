"""Settings and certificates are judged before anybody connects, each problem once and under its own name."""

from datetime import timedelta
from functools import partial

import pytest

from rexec.doctor import connection, settings_checks, stores
from rexec.doctor.checks import Finding
from tests.support.certificates import DAY, Authority

CA = Authority("Our CA", ends=400 * DAY)
CLIENT = CA.issue(ends=100 * DAY)
GUIDE = {
    "DOCKER_HOST": "tcp://203.0.113.7:2376",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CA_CERT": CA.cert,
    "DOCKER_CLIENT_CERT": CLIENT.cert,
    "DOCKER_CLIENT_KEY": CLIENT.key,
    "DATABASE_URL": "postgres://u:p@db.example/rexec",
    "JWT_SECRET": "s" * 32,
}
ca_cert = partial(settings_checks.certificate, "DOCKER_CA_CERT")
client_cert = partial(settings_checks.certificate, "DOCKER_CLIENT_CERT")


def changed(**changes):
    return {name: value for name, value in {**GUIDE, **changes}.items() if value is not None}


def of_pair(pair, ca=CA):
    return changed(DOCKER_CA_CERT=ca.cert, DOCKER_CLIENT_CERT=pair.cert, DOCKER_CLIENT_KEY=pair.key)


def only(found):
    assert len(found) == 1
    return found[0]


def test_the_guides_variables_are_well(deployment):
    looked_at = deployment(**GUIDE)
    assert only(settings_checks.settings(looked_at)).status == "ok"
    for look in (ca_cert, client_cert, settings_checks.key, settings_checks.pair, settings_checks.chain):
        assert look(looked_at).status == "ok"
    assert settings_checks.dates(looked_at).status == "ok"
    assert settings_checks.usages(looked_at).status == "ok"


def test_each_problem_has_a_line_with_its_mend(deployment):
    found = settings_checks.settings(deployment(**changed(PORT="x", SIGNUPS="y")))
    assert [(one.status, one.message) for one in found] == [
        ("fail", "PORT is not a whole number from 1 to 65535."),
        ("fail", "SIGNUPS is not one of open, invite, closed."),
    ]


def test_problems_of_certificates_are_told_by_their_own_checks_alone(deployment):
    looked_at = deployment(**changed(DOCKER_CLIENT_KEY=CLIENT.encrypted_key(), DOCKER_CA_CERT=CLIENT.key))
    assert only(settings_checks.settings(looked_at)).status == "ok"
    assert ca_cert(looked_at).message == "DOCKER_CA_CERT holds a private key where a certificate belongs."
    assert client_cert(looked_at).status == "ok"
    assert settings_checks.key(looked_at) == Finding(
        "fail", "DOCKER_CLIENT_KEY is encrypted.", "Store it without a passphrase."
    )


def test_a_key_of_another_certificate_is_told_by_the_check_of_the_pair(deployment):
    looked_at = deployment(**changed(DOCKER_CLIENT_KEY=CA.issue().key))
    assert settings_checks.key(looked_at).status == "ok"
    assert "(tls_key_mismatch)" in settings_checks.pair(looked_at).message


def test_a_missing_certificate_is_told_with_its_mend(deployment):
    found = client_cert(deployment(**changed(DOCKER_CLIENT_CERT=None)))
    assert found == Finding("fail", "DOCKER_CLIENT_CERT is missing.", "Set it to the contents of cert.pem.")


def test_certificates_of_a_folder_are_judged_alike(deployment, tmp_path):
    for name, text in {"ca.pem": CA.cert, "cert.pem": CLIENT.cert, "key.pem": "nonsense"}.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    values = {
        "DOCKER_HOST": GUIDE["DOCKER_HOST"],
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    looked_at = deployment(**values)
    assert ca_cert(looked_at).message == "1 certificate: Our CA."
    assert client_cert(looked_at).status == "ok"
    assert settings_checks.key(looked_at).message == "key.pem in DOCKER_CERT_PATH is not PEM."


def test_without_tls_there_is_nothing_to_judge(deployment):
    looked_at = deployment(DOCKER_HOST="unix:///run/docker.sock")
    for look in (ca_cert, client_cert, settings_checks.key, settings_checks.pair, settings_checks.chain):
        assert look(looked_at).status == "skipped"
    assert settings_checks.dates(looked_at).status == settings_checks.usages(looked_at).status == "skipped"
    assert connection.name(looked_at).status == "skipped"
    assert connection.name(looked_at).blocked_by is None


def test_another_authority_is_a_warning_until_the_daemon_has_spoken(deployment):
    found = settings_checks.chain(deployment(**of_pair(Authority("Our CA").issue())))
    assert found.status == "warning"
    assert "tls_client_other_ca" in found.message


OLD = Authority("Old CA", starts=-9 * DAY, ends=-DAY)


@pytest.mark.parametrize(
    ("environ", "status", "said"),
    [
        (of_pair(CA.issue(starts=-9 * DAY, ends=-timedelta(hours=1))), "fail", "tls_client_expired"),
        (of_pair(CA.issue(starts=DAY, ends=9 * DAY)), "fail", "tls_client_not_yet_valid"),
        (of_pair(OLD.issue(), OLD), "fail", "tls_ca_expired"),
        (of_pair(CA.issue(ends=10 * DAY)), "warning", "client certificate expires in 9 days"),
        (GUIDE, "ok", "Valid: ca until"),
    ],
    ids=["expired", "not yet valid", "authority expired", "soon", "good"],
)
def test_the_dates_are_judged(deployment, environ, status, said):
    found = settings_checks.dates(deployment(**environ))
    assert found.status == status
    assert said in found.message


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (of_pair(CA.issue("vm.example")), "tls_client_not_a_client"),
        (changed(DOCKER_CA_CERT=CLIENT.cert), "tls_ca_cannot_sign"),
        (of_pair(CA.issue(key_usage=False)), ""),
        (of_pair(Authority("Bare", key_usage=False).issue(key_usage=False), CA), ""),
    ],
    ids=["a server's", "no authority", "says nothing", "bare authority"],
)
def test_what_a_certificate_may_be_used_for_is_judged(deployment, environ, said):
    found = settings_checks.usages(deployment(**environ))
    assert said in found.message
    assert found.status == ("fail" if said else "ok")


def test_who_follows_the_guide_half_way_is_warned_of_what_a_public_service_needs(deployment):
    found = only(settings_checks.settings(deployment(**changed(DATABASE_URL=None))))
    assert (found.status, found.message) == ("warning", "DATABASE_URL is missing.")


def test_a_private_service_without_any_variable_is_well(deployment):
    assert only(settings_checks.settings(deployment())).status == "ok"


@pytest.mark.parametrize("address", ["tcp://[::1", "tcp://vm", "vm"])
def test_an_address_that_is_none_is_one_problem_of_the_settings(deployment, address):
    found = only(settings_checks.settings(deployment(**changed(DOCKER_HOST=address, DATABASE_URL=None))))
    assert found.status == "fail"
    assert found.hint.startswith("Use tcp://YOUR_VM_IP:2376")


def test_a_bad_file_of_plans_or_images_is_told(deployment, tmp_path):
    path = tmp_path / "plans.toml"
    path.write_text("[free]\n", encoding="utf-8")
    found = settings_checks.settings(deployment(PLANS_FILE=str(path), IMAGES_FILE=str(path)))
    assert {one.message.split(":")[0] for one in found} == {"PLANS_FILE", "IMAGES_FILE"}


@pytest.mark.parametrize(
    ("look", "variable", "value"),
    [
        (connection.name, "DOCKER_HOST", "vm"),
        (stores.database, "DATABASE_URL", "mysql://x"),
        (stores.ask_redis, "REDIS_URL", "localhost"),
    ],
)
def test_what_a_broken_variable_leads_to_is_blocked_by_the_settings(deployment, look, variable, value):
    assert look(deployment(**changed(**{variable: value}))).blocked_by == "settings"


def test_nothing_of_a_secret_is_told(deployment):
    secret = CLIENT.key.splitlines()[1]
    looked_at = deployment(**changed(DOCKER_CLIENT_CERT=CLIENT.key, DOCKER_CA_CERT=f"x{secret}"))
    looks = (ca_cert, client_cert, settings_checks.key, settings_checks.pair)
    told = [*settings_checks.settings(looked_at), *(look(looked_at) for look in looks)]
    assert not any(secret in one.message + one.hint for one in told)
