"""Settings, read once from the environment: the only place that reads it.

Every problem is reported at once, one line each, naming the variable and the mend, never the value.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rexec import pem
from rexec.docker_settings import DOCKER_MENDS, DockerSettings, is_loopback, read_docker
from rexec.environment import Problem, Reader
from rexec.errors import ConfigError

__all__ = ["REQUIRED_AWAY_FROM_LOOPBACK", "VARIABLES", "DockerSettings", "Reading", "Settings", "is_loopback"]

SIGNUP_MODES = ("open", "invite", "closed")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MIN_SECRET_BYTES = 32
MAX_PORT = 65535

VARIABLES = (
    *("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CA_CERT", "DOCKER_CLIENT_CERT", "DOCKER_CLIENT_KEY"),
    *("DATABASE_URL", "JWT_SECRET", "REDIS_URL", "PORT", "STRIPE_SECRET_KEY", "DOCKER_CERT_PATH"),
    *("STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "APP_URL", "SIGNUPS", "TRUSTED_PROXY_HOPS"),
    *(
        "STRIPE_AUTOMATIC_TAX",
        "ALERT_WEBHOOK_URL",
        "PLANS_FILE",
        "IMAGES_FILE",
        "LOG_LEVEL",
        "CONTAINER_RUNTIME",
    ),
)
"""Every name that is read; `NAME_FILE` works for each."""

REQUIRED_AWAY_FROM_LOOPBACK = (
    *("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CA_CERT", "DOCKER_CLIENT_CERT", "DOCKER_CLIENT_KEY"),
    *("DATABASE_URL", "JWT_SECRET"),
)


@dataclass(frozen=True)
class Settings:
    """Everything the operator can set."""

    docker: DockerSettings
    database_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    redis_url: str | None = field(default=None, repr=False)
    bind: str = "127.0.0.1"
    port: int = 8080
    app_url: str | None = None
    signups: str = "open"
    trusted_proxy_hops: int = 0
    plans_file: Path | None = None
    images_file: Path | None = None
    log_level: str = "INFO"
    container_runtime: str | None = None
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_api_base: str | None = None
    stripe_automatic_tax: bool = False
    alert_webhook_url: str | None = field(default=None, repr=False)
    instance_dir: Path = Path("instance")

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str],
        *,
        bind: str = "127.0.0.1",
        port: int | None = None,
        instance_dir: Path | None = None,
    ) -> Settings:
        """Read and check the settings.

        Args:
            environ: The environment, normally `os.environ`.
            bind: The address to listen on; anything but loopback makes the guide's variables required.
            port: Wins over `PORT` where given.
            instance_dir: Where SQLite and a generated secret are kept.

        Raises:
            ConfigError: With every problem found.
        """
        reading = cls.read(environ, bind=bind, port=port, instance_dir=instance_dir)
        if reading.problems:
            raise ConfigError([problem.line for problem in reading.problems])
        return reading.settings

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        bind: str = "127.0.0.1",
        port: int | None = None,
        instance_dir: Path | None = None,
    ) -> Reading:
        """Read the settings as far as they can be read.

        Args:
            environ: `os.environ` where left out.
            bind: As `from_env`.
            port: As `from_env`.
            instance_dir: As `from_env`.
        """
        environ = os.environ if environ is None else environ
        reader = _SettingsReader(
            environ, on_loopback=is_loopback(bind), instance_dir=instance_dir or Path("instance")
        )
        reader.require_away_from_loopback()
        database_url = reader.database_url()
        values = cls(
            docker=read_docker(reader),
            database_url=database_url,
            jwt_secret=reader.jwt_secret(database_url),
            redis_url=reader.url("REDIS_URL", ("redis", "rediss", "unix")),
            bind=bind,
            port=port if port is not None else reader.number("PORT", 8080, 1, MAX_PORT),
            app_url=reader.app_url(),
            signups=reader.choice("SIGNUPS", SIGNUP_MODES, "open"),
            trusted_proxy_hops=reader.number("TRUSTED_PROXY_HOPS", 0 if reader.on_loopback else 1, 0, 10),
            plans_file=reader.file("PLANS_FILE"),
            images_file=reader.file("IMAGES_FILE"),
            log_level=reader.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
            container_runtime=reader.get("CONTAINER_RUNTIME"),
            stripe_secret_key=reader.get("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=reader.get("STRIPE_WEBHOOK_SECRET"),
            stripe_api_base=reader.stripe_api_base(),
            stripe_automatic_tax=reader.flag("STRIPE_AUTOMATIC_TAX"),
            alert_webhook_url=reader.url("ALERT_WEBHOOK_URL", ("http", "https")),
            instance_dir=reader.instance_dir,
        )
        return Reading(values, tuple(reader.problems))

    def derived_key(self, purpose: str) -> bytes:
        """A 32-byte key bound to one purpose, so that a token for one thing is worth nothing for another.

        HKDF-SHA256 (RFC 5869) over `JWT_SECRET`.
        """
        info = f"rexec/{purpose}".encode()
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(self.jwt_secret.encode())

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        """What may have signed a webhook: several, set apart by commas, while one is replaced."""
        return tuple(part.strip() for part in (self.stripe_webhook_secret or "").split(",") if part.strip())

    @property
    def secure_cookies(self) -> bool:
        """Whether the public address is known to be https."""
        return bool(self.app_url and self.app_url.startswith("https://"))


@dataclass(frozen=True)
class Reading:
    """Settings as far as they could be read, and everything that is wrong with them.

    Args:
        settings: A field whose variable cannot be used holds its default, or what was found.
        problems: In the order they were met.
    """

    settings: Settings
    problems: tuple[Problem, ...]

    def wrong(self, *variables: str) -> tuple[Problem, ...]:
        """What is wrong with these variables."""
        return tuple(problem for problem in self.problems if problem.variable in variables)


class _SettingsReader(Reader):
    """Knows the variables that need more than a type."""

    def __init__(self, environ: Mapping[str, str], *, on_loopback: bool, instance_dir: Path) -> None:
        super().__init__(environ)
        self.on_loopback = on_loopback
        self.instance_dir = instance_dir

    def require_away_from_loopback(self) -> None:
        """Note every variable of the guide that a public service lacks."""
        if self.on_loopback:
            return
        without_tls = (self.get("DOCKER_HOST") or "").startswith("unix://")
        for name in REQUIRED_AWAY_FROM_LOOPBACK:
            if name in pem.FILES and (without_tls or self.get("DOCKER_CERT_PATH")):
                continue
            if name == "DOCKER_TLS_VERIFY" and without_tls:
                continue
            self.require(name, _MENDS[name])

    def database_url(self) -> str:
        """An SQLAlchemy address: PostgreSQL through psycopg 3, or SQLite in the instance folder."""
        value = self.get("DATABASE_URL")
        if value is None:
            return f"sqlite:///{(self.instance_dir / 'rexec.sqlite3').resolve()}"
        scheme, _, rest = value.partition("://")
        if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and rest:
            return f"postgresql+psycopg://{rest}"
        if scheme == "sqlite" and rest:
            return value
        self.problem(
            "DATABASE_URL", "DATABASE_URL is not understood: use postgresql://USER:PASSWORD@HOST:PORT/NAME."
        )
        return "sqlite://"

    def jwt_secret(self, database_url: str) -> str:
        """The secret everything is signed with; generated only for a service on loopback with SQLite."""
        value = self.get("JWT_SECRET")
        generated = self.on_loopback and database_url.startswith("sqlite")
        if value is None:
            if generated:
                return self._kept_secret(self.instance_dir / "jwt_secret")
            self.require("JWT_SECRET", _MENDS["JWT_SECRET"])
            return ""
        if len(value.encode()) < MIN_SECRET_BYTES and not generated:
            self.problem(
                "JWT_SECRET",
                f"JWT_SECRET is shorter than {MIN_SECRET_BYTES} bytes: make one with `openssl rand -hex 32`.",
            )
        return value

    def stripe_api_base(self) -> str | None:
        """Where Stripe is, for tests: real money never goes to another address than Stripe's own."""
        value = self.url("STRIPE_API_BASE", ("http", "https"))
        if value and "_live_" in (self.get("STRIPE_SECRET_KEY") or ""):
            self.problem(
                "STRIPE_API_BASE",
                "STRIPE_API_BASE is set together with a live STRIPE_SECRET_KEY: unset it, it is for tests.",
            )
        return value.rstrip("/") if value else None

    def app_url(self) -> str | None:
        """The public address, without a trailing slash."""
        value = self.url("APP_URL", ("http", "https"))
        return value.rstrip("/") if value else None

    def _kept_secret(self, path: Path) -> str:
        """Read the generated secret, or make it once, readable by its owner alone."""
        try:
            return _kept_secret(path)
        except OSError:
            self.problem(
                "JWT_SECRET",
                "JWT_SECRET is missing, and none can be kept in the folder `instance`: "
                "make one with `openssl rand -hex 32`.",
            )
            return ""


_MENDS = {
    **DOCKER_MENDS,
    "DATABASE_URL": "set it to your PostgreSQL connection string; "
    "the service's own disk is forgotten at the next deploy",
    "JWT_SECRET": "make one with `openssl rand -hex 32`",
}


def _kept_secret(path: Path) -> str:
    """Read the generated secret, or make it once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    value = secrets.token_hex(MIN_SECRET_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    return value
