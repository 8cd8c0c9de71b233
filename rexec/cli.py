"""The `rexec` command. Each subcommand imports what it runs, so that `--help` answers at once."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from rexec.config import Settings
from rexec.errors import ConfigError, RexecError

if TYPE_CHECKING:
    from flask import Flask

EXIT_SETTINGS = 2


def read_settings(bind: str = "127.0.0.1", port: int | None = None) -> Settings:
    """The settings from the environment; where they cannot work, ends the command with every problem.

    Args:
        bind: The address to listen on.
        port: Wins over PORT where given.
    """
    try:
        return Settings.from_env(os.environ, bind=bind, port=port)
    except ConfigError as error:
        refuse_settings(error)


def refuse_settings(error: ConfigError) -> NoReturn:
    """Print every problem and end with code 2."""
    for problem in error.problems:
        click.echo(f"rexec: {problem}", err=True)
    sys.exit(EXIT_SETTINGS)


def start_logging(settings: Settings) -> None:
    """Send the log to standard error, a line each.

    Args:
        settings: Their log level is used.
    """
    logging.basicConfig(
        level=settings.log_level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for noisy in ("alembic", "urllib3", "docker", "rq", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def open_app() -> Flask:
    """The application, for commands of a domain, which find this function in the context's `obj`."""
    from rexec import create_app

    settings = read_settings()
    start_logging(settings)
    try:
        return create_app(settings)
    except ConfigError as error:
        refuse_settings(error)


class _Lazy(click.Group):
    """A group whose larger subcommands are imported when they are asked for."""

    lazy = {  # noqa: RUF012 - a constant
        "billing": "rexec.admin.payments_cli:billing",
        "certs": "rexec.health.cli:certs",
        "doctor": "rexec.doctor.cli:doctor",
        "metrics-token": "rexec.health.cli:metrics_token",
        "users": "rexec.admin.cli:users",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.lazy])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.lazy[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rexec")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Terminals in the browser, in containers on a Docker host of your own."""
    ctx.obj = open_app


bind_option = click.option("--bind", default="127.0.0.1", show_default=True, help="Address to listen on.")
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), help="Port to listen on, in place of PORT."
)


def _run(settings: Settings, part: str) -> None:
    module, _, name = part.partition(":")
    start_logging(settings)
    try:
        code = getattr(importlib.import_module(module), name)(settings)
    except ConfigError as error:
        refuse_settings(error)
    sys.exit(code or 0)


@cli.command()
@bind_option
@port_option
def serve(bind: str, port: int | None) -> None:
    """Run everything: migrate the database, then web, worker and watcher."""
    _run(read_settings(bind, port), "rexec.supervisor:serve")


@cli.command()
@bind_option
@port_option
def web(bind: str, port: int | None) -> None:
    """Run the pages and terminals alone."""
    _run(read_settings(bind, port), "rexec.web.server:serve_web")


@cli.command()
def worker() -> None:
    """Run jobs alone; needs REDIS_URL."""
    settings = read_settings()
    if not settings.redis_url:
        refuse_settings(ConfigError(["REDIS_URL is missing: without Redis, jobs run in the web process."]))
    _run(settings, "rexec.worker:run_worker")


@cli.command()
def watcher() -> None:
    """Watch the Docker host and run periodic work alone."""
    _run(read_settings(), "rexec.watcher:run_watcher")


def main() -> None:
    """Run the command; an error of ours is a line or two, not a traceback."""
    try:
        cli()
    except RexecError as error:
        click.echo(f"rexec: {error.message} {error.hint}".rstrip(), err=True)
        sys.exit(1)
