"""Rexec: terminals in the browser, in containers on a Docker host of your own.

`create_app` goes from settings to extensions to gateways to domains; each domain registers itself in its
`init_app`.
"""

from __future__ import annotations

import logging
import os
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from rexec.config import Settings

if TYPE_CHECKING:
    from rexec.docker_host import DockerHost

__version__ = metadata.version("rexec")

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: templates, static files and migrations lie beside the package."""


def create_app(settings: Settings | None = None, *, docker_host: DockerHost | None = None) -> Flask:
    """Build the Flask application.

    Args:
        settings: Read from the environment where left out.
        docker_host: A client to use in place of one made from the settings.

    Raises:
        ConfigError: When the settings, the plans or the catalogue cannot work.
    """
    settings = settings or Settings.from_env(os.environ)
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance_dir.resolve()),
    )
    app.extensions["rexec.settings"] = settings
    _configure(app, settings)
    _init_extensions(app)
    _init_gateways(app, settings, docker_host)
    _init_domains(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    from rexec.extensions import engine_options

    storage = (settings.redis_url or "memory://").replace("unix://", "redis+unix://", 1)
    app.config.update(
        SECRET_KEY=settings.derived_key("sessions"),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        SESSION_COOKIE_NAME="rexec_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SECRET_KEY=settings.derived_key("csrf"),
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        RATELIMIT_STORAGE_URI=storage,
        RATELIMIT_STORAGE_OPTIONS=(
            {"socket_connect_timeout": 0.5, "socket_timeout": 0.5} if settings.redis_url else {}
        ),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(settings.redis_url),
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_KEY_PREFIX="rexec",
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    logging.getLogger("rexec").setLevel(settings.log_level)


def _init_extensions(app: Flask) -> None:
    from rexec.extensions import csrf, db, limiter, login_manager, migrate, prepare

    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    login_manager.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)


def _init_gateways(app: Flask, settings: Settings, docker_host: DockerHost | None) -> None:
    from rexec.billing.gateway import EXTENSION, StripeGateway
    from rexec.docker_host import DockerHost as RealDockerHost

    key, base = settings.stripe_secret_key, settings.stripe_api_base
    app.extensions[EXTENSION] = StripeGateway(key, api_base=base) if key else None
    app.extensions["rexec.docker_host"] = docker_host or RealDockerHost(settings.docker)


def _init_domains(app: Flask) -> None:
    from importlib import import_module

    for name in ("web", "jobs", "accounts", "billing", "containers", "terminals", "health", "admin"):
        module = import_module(f"rexec.{name}")
        if hasattr(module, "init_app"):
            module.init_app(app)
