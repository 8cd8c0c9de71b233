"""`rexec billing`: Stripe's side of the plans, and where it differs from ours."""

from __future__ import annotations

import sys

import click

from rexec.admin.cli import in_app
from rexec.billing import reconcile as comparing
from rexec.billing import shop
from rexec.billing.gateway import stripe

EXIT_DIFFERENT = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def billing() -> None:
    """Look after payments; needs STRIPE_SECRET_KEY."""


@billing.command()
@click.option("--apply", is_flag=True, help="Do it; without this nothing is changed.")
@in_app
def sync(apply: bool) -> None:  # noqa: FBT001
    """Show what Stripe lacks of our products, prices and customer portal; with --apply, make it."""
    said = shop.sync(stripe(), apply=apply)
    for line in said:
        click.echo(f"{'done' if apply else 'would'}: {line}")
    if not said:
        click.echo("Stripe sells what the plans say.")
    elif not apply:
        click.echo("Nothing was changed; rexec billing sync --apply does it.")


@billing.command(epilog="Exit codes: 0, nothing differs; 1, something does, or Stripe cannot be asked.")
@click.option("--apply", is_flag=True, help="Store what Stripe says where it differs.")
@in_app
def reconcile(apply: bool) -> None:  # noqa: FBT001
    """Print where our subscriptions and Stripe's differ."""
    found = 0
    for line in comparing.differences(stripe(), apply=apply):
        found += 1
        click.echo(line)
    if found:
        click.echo(
            "Stripe's word is stored." if apply else "Nothing was changed; --apply stores Stripe's word."
        )
        sys.exit(0 if apply else EXIT_DIFFERENT)
    click.echo("Nothing differs.")
