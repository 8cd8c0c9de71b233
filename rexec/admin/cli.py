"""`rexec users`: accounts from the command line.

A password is never an argument, where other users of the machine could read it: it is asked for, read from
standard input, or generated and printed once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import click
from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from rexec.accounts import credentials, links, passwords
from rexec.accounts import service as accounts
from rexec.admin import service
from rexec.errors import InvalidInput, RexecError, Unavailable
from rexec.extensions import db, settings

P = ParamSpec("P")

EXIT_REFUSED = 1


class NoDatabase(Unavailable):
    """The database does not answer or has no tables."""

    code = "database_unavailable"
    message = "The database does not answer, or holds no tables yet."
    hint = "Check DATABASE_URL; `rexec serve` makes the tables."


def in_app(command: Callable[P, None]) -> Callable[P, None]:
    """Run a command in an application context; an error of ours becomes one line and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        app: Flask = click.get_current_context().obj()
        with app.app_context():
            try:
                command(*args, **kwargs)
            except (OperationalError, ProgrammingError):
                _refuse(NoDatabase())
            except RexecError as error:
                _refuse(error)

    return run


def _refuse(error: RexecError) -> None:
    click.echo(f"rexec: {error.message} {error.hint}".rstrip(), err=True)
    sys.exit(EXIT_REFUSED)


def password_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the ways to give a password that is not asked for."""
    command = click.option("--stdin", is_flag=True, help="Read the password from standard input.")(command)
    return click.option("--generate", is_flag=True, help="Make a password up and print it once.")(command)


def _password(*, stdin: bool, generate: bool) -> str:
    """The password, by the way that was chosen: asked for twice where none was.

    Raises:
        InvalidInput: Both ways were chosen, or standard input was empty.
    """
    if stdin and generate:
        raise InvalidInput("Choose one of --stdin and --generate.")
    if generate:
        return passwords.generate()
    if not stdin:
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidInput("Standard input held no password.")
    return line


def _base_url() -> str:
    return settings().app_url or f"http://127.0.0.1:{settings().port}"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def users() -> None:
    """Make, invite and manage people's accounts."""


@users.command()
@click.argument("email")
@click.option("--admin", is_flag=True, help="Let them administer.")
@click.option("--plan", metavar="KEY", help="Give them this plan.")
@password_options
@in_app
def create(email: str, admin: bool, plan: str | None, stdin: bool, generate: bool) -> None:  # noqa: FBT001
    """Make an account."""
    key = service.known_plan(plan)
    password = _password(stdin=stdin, generate=generate)
    user = accounts.create(email, password, plan=key, is_admin=admin)
    click.echo(f"{user.email} has an account{' and administers' if admin else ''}.", err=generate)
    if generate:
        click.echo(password)


@users.command()
@click.argument("email", required=False, default="")
@click.option("--admin", is_flag=True, help="Let whoever uses the link administer.")
@click.option("--plan", metavar="KEY", help="Give them this plan.")
@in_app
def invite(email: str, admin: bool, plan: str | None) -> None:  # noqa: FBT001
    """Print a link by which one person signs up, whatever SIGNUPS says; with EMAIL, as that address only."""
    click.echo(service.invite(_base_url(), email=email, plan=plan, grants_admin=admin))


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--search", default="", metavar="TEXT", help="Only addresses that contain this.")
@in_app
def list_users(as_json: bool, search: str) -> None:  # noqa: FBT001
    """Show all accounts."""
    people = list(service.everybody(search))
    if as_json:
        click.echo(json.dumps({"users": [_facts(person) for person in people]}, indent=2))
        return
    rows: list[tuple[str, ...]] = [("E-MAIL", "PLAN", "CONTAINERS", "ADMIN", "STATE", "LAST LOG-IN")]
    rows += [_columns(person) for person in people]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@users.command("set-plan")
@click.argument("email")
@click.argument("plan")
@in_app
def set_plan(email: str, plan: str) -> None:
    """Give somebody a plan by its KEY; `default` takes it back."""
    service.set_plan(accounts.find(email).id, None if plan == "default" else plan)
    click.echo(f"{email} has the plan {plan}.")


@users.command("reset-password")
@click.argument("email")
@click.option("--link", is_flag=True, help="Print a one-time link by which they set it themselves.")
@password_options
@in_app
def reset_password(email: str, link: bool, stdin: bool, generate: bool) -> None:  # noqa: FBT001
    """Set somebody's password and log them out everywhere."""
    user_id = accounts.find(email).id
    db.session.rollback()  # no transaction is held while the password is typed
    if link:
        click.echo(accounts.link_url(_base_url(), "reset", links.create("reset", user_id=user_id)))
        return
    password = _password(stdin=stdin, generate=generate)
    credentials.set_password(user_id, password)
    click.echo(f"{email} has a new password and is logged out everywhere.", err=generate)
    if generate:
        click.echo(password)


@users.command()
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let them in again.")
@in_app
def disable(email: str, undo: bool) -> None:  # noqa: FBT001
    """Shut somebody out and log them out everywhere; their containers are left as they are."""
    accounts.set_disabled(accounts.find(email).id, not undo)
    click.echo(f"{email} is {'let in again' if undo else 'disabled and logged out everywhere'}.")


def _facts(person: service.Person) -> dict[str, Any]:
    return {
        "email": person.email,
        "plan": person.plan,
        "containers": person.containers,
        "admin": person.is_admin,
        "disabled": person.is_disabled,
        "created_at": person.created_at.isoformat(timespec="seconds"),
        "last_login_at": person.last_login_at and person.last_login_at.isoformat(timespec="seconds"),
    }


def _columns(person: service.Person) -> tuple[str, ...]:
    return (
        person.email,
        person.plan or "default",
        str(person.containers),
        "admin" if person.is_admin else "",
        "disabled" if person.is_disabled else "",
        f"{person.last_login_at:%Y-%m-%d %H:%M}" if person.last_login_at else "never",
    )
