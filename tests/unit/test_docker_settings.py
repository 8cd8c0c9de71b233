"""Where the daemon is and who we are to it is checked at start, as far as only a person can mend it."""

import pytest

from tests.support.certificates import DAY, Authority
from tests.support.guide import CA, CLIENT, PEMS, PUBLIC, TLS, problems, read


def test_tls_without_certificates_names_the_three_that_are_missing(tmp_path):
    found = problems(tmp_path, DOCKER_HOST="tcp://127.0.0.1:2376", DOCKER_TLS_VERIFY="1")
    assert [line.split(" ")[0] for line in found] == [
        "DOCKER_CA_CERT",
        "DOCKER_CLIENT_CERT",
        "DOCKER_CLIENT_KEY",
    ]


@pytest.fixture
def folder(tmp_path):
    """What the Docker command keeps its certificates in."""
    for name, text in {"ca.pem": CA.cert, "cert.pem": CLIENT.cert, "key.pem": CLIENT.key}.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    return tmp_path


def test_a_folder_of_certificates_stands_for_the_three(tmp_path, folder):
    settings = read(tmp_path, **TLS, DOCKER_CERT_PATH=str(folder))
    assert settings.docker.cert_path == folder
    assert settings.docker.ca_cert is None


def test_a_folder_that_is_not_there_names_each_file(tmp_path):
    found = problems(tmp_path, **TLS, DOCKER_CERT_PATH="/nowhere")
    assert found == [
        f"{file} in DOCKER_CERT_PATH is missing: copy it there." for file in ("ca.pem", "cert.pem", "key.pem")
    ]


def test_a_bad_file_in_the_folder_is_named(tmp_path, folder):
    (folder / "key.pem").write_text(CLIENT.encrypted_key(), encoding="ascii")
    found = problems(tmp_path, **TLS, DOCKER_CERT_PATH=str(folder))
    assert found == ["key.pem in DOCKER_CERT_PATH is encrypted: store it without a passphrase."]


def test_every_bad_certificate_variable_is_named_at_once(tmp_path):
    found = problems(
        tmp_path,
        bind="0.0.0.0",
        **{
            **PUBLIC,
            "DOCKER_CA_CERT": CLIENT.key,
            "DOCKER_CLIENT_CERT": CLIENT.cert[:300],
            "DOCKER_CLIENT_KEY": CLIENT.encrypted_key(),
            "SIGNUPS": "sometimes",
        },
    )
    assert [line.split(" ")[0] for line in found] == [
        "DOCKER_CA_CERT",
        "DOCKER_CLIENT_CERT",
        "DOCKER_CLIENT_KEY",
        "SIGNUPS",
    ]
    assert not any(piece in "\n".join(found) for piece in CLIENT.key.splitlines()[1:3])


def test_a_key_of_another_certificate_is_refused_at_start(tmp_path):
    found = problems(tmp_path, **{**TLS, **PEMS, "DOCKER_CLIENT_KEY": CA.issue().key})
    assert found == ["DOCKER_CLIENT_KEY does not belong to DOCKER_CLIENT_CERT: copy both again."]


@pytest.mark.parametrize("blank", ["", " ", "\n"])
@pytest.mark.parametrize("name", sorted(PEMS))
def test_an_empty_certificate_variable_is_called_empty(tmp_path, name, blank):
    found = problems(tmp_path, bind="0.0.0.0", **{**PUBLIC, name: blank})
    assert [line.split(": ")[0] for line in found] == [f"{name} is empty"]


@pytest.mark.parametrize(
    ("ca", "pair"),
    [
        (CA, CA.issue(starts=-3 * DAY, ends=-DAY)),
        (CA, CA.issue(starts=DAY, ends=2 * DAY)),
        (CA, Authority("Another").issue()),
        (Authority(starts=-3 * DAY, ends=-DAY), CLIENT),
    ],
    ids=["expired", "from tomorrow", "of another authority", "authority expired"],
)
def test_what_may_mend_itself_does_not_prevent_the_start(tmp_path, ca, pair):
    values = {"DOCKER_CA_CERT": ca.cert, "DOCKER_CLIENT_CERT": pair.cert, "DOCKER_CLIENT_KEY": pair.key}
    assert read(tmp_path, bind="0.0.0.0", **{**PUBLIC, **values}).docker.client_cert == pair.cert


def test_mangled_certificates_are_kept_clean(tmp_path):
    mangled = {name: '"' + text.replace("\n", "\\n") + '"' for name, text in PEMS.items()}
    docker = read(tmp_path, **TLS, **mangled).docker
    assert (docker.ca_cert, docker.client_cert, docker.client_key) == tuple(PEMS.values())


def test_certificates_that_nothing_uses_are_not_looked_at(tmp_path):
    assert read(tmp_path, DOCKER_CA_CERT="nonsense").docker.ca_cert == "nonsense"


@pytest.mark.parametrize("name", sorted(PEMS))
def test_a_file_can_hold_a_certificate_or_key(tmp_path, name):
    path = tmp_path / "value"
    path.write_text("\r\n" + PEMS[name].replace("\n", "\r\n"), encoding="ascii")
    rest = {other: text for other, text in PEMS.items() if other != name}
    docker = read(tmp_path, **TLS, **rest, **{f"{name}_FILE": str(path)}).docker
    assert getattr(docker, name.removeprefix("DOCKER_").lower()) == PEMS[name]
