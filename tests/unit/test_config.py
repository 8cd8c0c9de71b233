"""Settings are read once, and everything wrong with them is said at once."""

import stat

import pytest

from rexec.config import VARIABLES, Settings
from rexec.errors import ConfigError
from tests.support.guide import PEMS, PUBLIC, SECRET, problems, read


def test_an_empty_environment_works_on_loopback(tmp_path):
    settings = read(tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path / 'rexec.sqlite3'}"
    assert settings.docker.host == "unix:///var/run/docker.sock"
    assert (settings.port, settings.signups, settings.trusted_proxy_hops) == (8080, "open", 0)


def test_a_generated_secret_is_kept_and_private(tmp_path):
    first = read(tmp_path).jwt_secret
    assert len(first.encode()) >= 32
    assert read(tmp_path).jwt_secret == first
    assert stat.S_IMODE((tmp_path / "jwt_secret").stat().st_mode) == 0o600


def test_the_guides_variables_are_enough_for_a_public_service(tmp_path):
    settings = read(tmp_path, bind="0.0.0.0", **PUBLIC)
    assert settings.database_url == "postgresql+psycopg://u:p@db.example:5432/rexec"
    assert settings.docker.uses_tls
    assert settings.trusted_proxy_hops == 1
    assert list(tmp_path.iterdir()) == []


def test_a_public_service_names_every_missing_variable_at_once(tmp_path):
    found = problems(tmp_path, bind="0.0.0.0")
    assert [line.split(" ")[0] for line in found] == list(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_each_of_the_guides_variables_is_required_away_from_loopback(tmp_path, name):
    found = problems(tmp_path, bind="0.0.0.0", **{key: value for key, value in PUBLIC.items() if key != name})
    assert any(line.startswith(f"{name} ") for line in found)


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("DOCKER_HOST", "ssh://vm", "tcp://YOUR_VM_IP:2376"),
        ("DOCKER_HOST", "tcp://vm", "tcp://YOUR_VM_IP:2376"),
        ("DOCKER_HOST", "tcp://vm:99999", "tcp://YOUR_VM_IP:2376"),
        ("DOCKER_TLS_VERIFY", "maybe", "set it to 1"),
        ("DATABASE_URL", "mysql://db/rexec", "postgresql://"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("REDIS_URL", "redis://[::1", "redis://"),
        ("PORT", "eighty", "from 1 to 65535"),
        ("PORT", "70000", "from 1 to 65535"),
        ("PORT", "²", "from 1 to 65535"),
        ("APP_URL", "example.com", "https://"),
        ("SIGNUPS", "sometimes", "open, invite, closed"),
        ("TRUSTED_PROXY_HOPS", "-1", "from 0 to 10"),
        ("PLANS_FILE", "/nowhere/plans.toml", "check the path"),
        ("IMAGES_FILE", "/nowhere/images.toml", "check the path"),
        ("LOG_LEVEL", "LOUD", "INFO"),
        ("STRIPE_API_BASE", "stripe", "http"),
        ("ALERT_WEBHOOK_URL", "slack", "http"),
    ],
)
def test_a_value_that_cannot_work_is_named_with_its_mend(tmp_path, name, value, mend):
    found = problems(tmp_path, **{name: value})
    assert any(name in line and mend in line for line in found)


def test_stripe_elsewhere_is_refused_with_a_key_for_real_money(tmp_path):
    elsewhere = {"STRIPE_API_BASE": "http://127.0.0.1:1/"}
    assert read(tmp_path, **elsewhere, STRIPE_SECRET_KEY="sk_test_1").stripe_api_base == "http://127.0.0.1:1"
    for key in ("sk_live_1", "rk_live_1"):
        found = problems(tmp_path, **elsewhere, STRIPE_SECRET_KEY=key)
        assert found == [
            "STRIPE_API_BASE is set together with a live STRIPE_SECRET_KEY: unset it, it is for tests."
        ]


def test_several_webhook_secrets_are_set_apart_by_commas(tmp_path):
    assert read(tmp_path).stripe_webhook_secrets == ()
    assert read(tmp_path, STRIPE_WEBHOOK_SECRET="whsec_1, whsec_2,").stripe_webhook_secrets == (
        "whsec_1",
        "whsec_2",
    )


def test_no_value_is_ever_printed(tmp_path):
    text = "\n".join(
        problems(
            tmp_path,
            bind="0.0.0.0",
            JWT_SECRET="hunter2",
            DATABASE_URL="mysql://u:hunter2@db",
            REDIS_URL="hunter2",
            SIGNUPS="hunter2",
            PORT="hunter2",
        )
    )
    assert "hunter2" not in text


def test_the_settings_do_not_show_secrets_when_printed(tmp_path):
    shown = repr(read(tmp_path, bind="0.0.0.0", **PUBLIC, STRIPE_SECRET_KEY="sk_live"))
    assert SECRET not in shown
    assert "sk_live" not in shown
    assert "u:p" not in shown


def test_a_daemon_elsewhere_without_tls_is_refused(tmp_path):
    found = problems(tmp_path, DOCKER_HOST="tcp://203.0.113.7:2375")
    assert any("DOCKER_TLS_VERIFY is not 1" in line for line in found)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_daemon_on_loopback_needs_no_tls(tmp_path, host):
    assert not read(tmp_path, DOCKER_HOST=f"tcp://{host}:2375").docker.uses_tls


def test_a_short_secret_is_refused_with_postgresql(tmp_path):
    found = problems(tmp_path, DATABASE_URL="postgresql://db/rexec", JWT_SECRET="short")
    assert found == ["JWT_SECRET is shorter than 32 bytes: make one with `openssl rand -hex 32`."]


def test_a_short_secret_is_refused_away_from_loopback_even_with_sqlite(tmp_path):
    found = problems(
        tmp_path, bind="0.0.0.0", **{**PUBLIC, "DATABASE_URL": "sqlite:////data/x.db", "JWT_SECRET": "short"}
    )
    assert any(line.startswith("JWT_SECRET is shorter") for line in found)


def test_a_missing_secret_is_refused_with_postgresql(tmp_path):
    found = problems(tmp_path, DATABASE_URL="postgresql://db/rexec")
    assert any(line.startswith("JWT_SECRET is missing") for line in found)


IN_FILES = {
    "DATABASE_URL": ("sqlite:////x.db", "database_url"),
    "JWT_SECRET": (SECRET, "jwt_secret"),
    "REDIS_URL": ("rediss://r:1", "redis_url"),
    "PORT": ("9000", "port"),
    "STRIPE_SECRET_KEY": ("sk_test_1", "stripe_secret_key"),
    "STRIPE_WEBHOOK_SECRET": ("whsec_1", "stripe_webhook_secret"),
    "STRIPE_AUTOMATIC_TAX": ("1", "stripe_automatic_tax"),
    "STRIPE_API_BASE": ("http://127.0.0.1:1", "stripe_api_base"),
    "APP_URL": ("https://rexec.example", "app_url"),
    "SIGNUPS": ("closed", "signups"),
    "TRUSTED_PROXY_HOPS": ("2", "trusted_proxy_hops"),
    "ALERT_WEBHOOK_URL": ("https://hooks.example/1", "alert_webhook_url"),
    "PLANS_FILE": (__file__, "plans_file"),
    "IMAGES_FILE": (__file__, "images_file"),
    "LOG_LEVEL": ("DEBUG", "log_level"),
    "CONTAINER_RUNTIME": ("runsc", "container_runtime"),
}
OF_DOCKER = {
    "DOCKER_HOST": ("unix:///x", "host"),
    "DOCKER_TLS_VERIFY": ("1", "tls_verify"),
    "DOCKER_CERT_PATH": ("/certs", "cert_path"),
}


def test_the_tests_of_files_leave_no_variable_out():
    assert set(VARIABLES) == {*IN_FILES, *OF_DOCKER, *PEMS}


@pytest.mark.parametrize("name", sorted({**IN_FILES, **OF_DOCKER}))
def test_a_file_can_hold_the_value(tmp_path, name):
    value, field = {**IN_FILES, **OF_DOCKER}[name]
    path = tmp_path / "value"
    path.write_text(f" {value}\r\n", encoding="utf-8")
    settings = read(tmp_path, **{f"{name}_FILE": str(path)})
    found = getattr(settings.docker if name in OF_DOCKER else settings, field)
    assert str(found) == ("True" if isinstance(found, bool) else value)


def test_a_file_with_nothing_in_it_is_named_once(tmp_path):
    path = tmp_path / "value"
    path.write_text("\n", encoding="utf-8")
    found = problems(tmp_path, bind="0.0.0.0", **{**PUBLIC, "JWT_SECRET": "", "JWT_SECRET_FILE": str(path)})
    assert found == ["JWT_SECRET_FILE names a file that is empty: put the value there."]


def test_blanks_around_a_value_do_not_count(tmp_path):
    assert read(tmp_path, DOCKER_HOST=" unix:///x\n").docker.host == "unix:///x"


def test_a_secret_that_cannot_be_kept_is_a_problem_and_no_crash(tmp_path):
    (tmp_path / "instance").write_text("a file where a folder belongs", encoding="utf-8")
    with pytest.raises(ConfigError, match="none can be kept"):
        Settings.from_env({}, instance_dir=tmp_path / "instance")


def test_settings_can_be_read_as_far_as_they_go(tmp_path):
    reading = Settings.read({"PORT": "eighty", "SIGNUPS": "closed"}, instance_dir=tmp_path)
    assert [(problem.variable, problem.code) for problem in reading.problems] == [("PORT", "config")]
    assert (reading.settings.port, reading.settings.signups) == (8080, "closed")
    assert reading.wrong("PORT") == reading.problems
    assert reading.wrong("SIGNUPS") == ()


def test_a_file_that_cannot_be_read_is_named_once(tmp_path):
    found = problems(tmp_path, bind="0.0.0.0", **{**PUBLIC, "JWT_SECRET": "", "JWT_SECRET_FILE": "/nowhere"})
    assert found == ["JWT_SECRET_FILE names a file that cannot be read: check its path and mode."]


def test_a_value_and_a_file_at_once_are_refused(tmp_path):
    path = tmp_path / "value"
    path.write_text("closed", encoding="utf-8")
    found = problems(tmp_path, SIGNUPS="open", SIGNUPS_FILE=str(path))
    assert found == ["SIGNUPS and SIGNUPS_FILE are both set: keep one of them."]


def test_keys_for_different_purposes_differ_and_stay_the_same(tmp_path):
    settings = read(tmp_path, JWT_SECRET=SECRET)
    assert settings.derived_key("sessions") == settings.derived_key("sessions")
    assert settings.derived_key("sessions") != settings.derived_key("links")
    assert len(settings.derived_key("sessions")) == 32


def test_cookies_are_secure_when_the_public_address_is_https(tmp_path):
    assert read(tmp_path, APP_URL="https://rexec.example/").secure_cookies
    assert not read(tmp_path, APP_URL="http://rexec.example").secure_cookies


def test_nothing_is_read_that_the_list_of_variables_does_not_name(tmp_path):
    asked = set()

    class Recording(dict):
        def get(self, name, default=None):
            asked.add(name.removesuffix("_FILE") if name.removesuffix("_FILE") in VARIABLES else name)
            return super().get(name, default)

    Settings.from_env(Recording(), instance_dir=tmp_path)
    assert asked == set(VARIABLES)
