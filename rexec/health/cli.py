"""`rexec certs` and `rexec metrics-token`."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from rexec.extensions import utcnow
from rexec.health import access, chain
from rexec.health.certificates import WARNING_DAYS

if TYPE_CHECKING:
    from flask import Flask

EXIT_ENDING = 1
EXIT_BROKEN = 2
HELP = {"help_option_names": ["-h", "--help"]}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings=HELP)
def certs() -> None:
    """Look at the certificates between Rexec and its Docker host.

    The CA's and the client's come from the settings, the server's from a handshake with the daemon.
    """


@certs.command()
@json_option
def show(as_json: bool) -> None:  # noqa: FBT001
    """Print whose each certificate is, for what, how long, and its fingerprint."""
    links, now = _links(), utcnow()
    if as_json:
        click.echo(json.dumps({"certificates": [link.show(now) for link in links]}, indent=2))
        return
    click.echo("\n\n".join("\n".join(_lines(link, now)) for link in links))


@certs.command(
    epilog="Exit codes: 0, all last longer; 1, one ends within these days; 2, one has expired, is not valid "
    "yet, or cannot be read, because the settings are wrong or the daemon does not answer."
)
@click.option(
    "--days",
    type=click.IntRange(0),
    default=WARNING_DAYS,
    show_default=True,
    help="With so many days left, or fewer, a certificate is ending.",
)
@json_option
def check(days: int, as_json: bool) -> None:  # noqa: FBT001
    """Say whether every certificate lasts; for cron and monitors."""
    links, now = _links(), utcnow()
    verdicts = [link.verdict(now, days) for link in links]
    if as_json:
        shown = [link.show(now) | {"verdict": word} for link, word in zip(links, verdicts, strict=True)]
        click.echo(json.dumps({"certificates": shown}, indent=2))
    else:
        for link, word in zip(links, verdicts, strict=True):
            click.echo(f"{link.name:7} {word:13} {_reason(link, now)}")
    broken = set(verdicts) - {"ok", "ending"}
    sys.exit(EXIT_BROKEN if broken else EXIT_ENDING if "ending" in verdicts else 0)


@click.command("metrics-token", context_settings=HELP)
def metrics_token() -> None:
    """Print the token with which a scraper reads /metrics; it changes with JWT_SECRET."""
    app: Flask = click.get_current_context().obj()
    click.echo(access.token_of(app.extensions["rexec.settings"]))


def _links() -> list[chain.Link]:
    """Read them; an error of ours becomes one line, and the exit code of what is broken."""
    from rexec.errors import RexecError

    app: Flask = click.get_current_context().obj()
    try:
        return chain.read(app.extensions["rexec.settings"].docker, app.extensions["rexec.docker_host"])
    except RexecError as error:
        click.echo(f"rexec: {error.message} {error.hint}".rstrip(), err=True)
        sys.exit(EXIT_BROKEN)


def _lines(link: chain.Link, now: datetime) -> list[str]:
    facts = link.facts
    if facts is None:
        return [f"{link.name}: {_reason(link, now)}"]
    fields: dict[str, Any] = {
        "subject": facts.name,
        "issuer": facts.issuer,
        "for": ", ".join(facts.names),
        "from": f"{facts.not_before:%Y-%m-%d %H:%M} UTC",
        "until": f"{facts.not_after:%Y-%m-%d %H:%M} UTC, {_reason(link, now)}",
        "key": facts.key,
        "sha-256": facts.fingerprint,
    }
    return [link.name, *(f"  {name:8} {value}" for name, value in fields.items() if value)]


def _reason(link: chain.Link, now: datetime) -> str:
    if link.facts is None:
        return f"{link.error.message} {link.error.hint}" if link.error else "It cannot be read."
    days = link.facts.days_left(now)
    if days < 0:
        return f"expired {-days} {'day' if days == -1 else 'days'} ago"
    return f"{days} {'day' if days == 1 else 'days'} left"
