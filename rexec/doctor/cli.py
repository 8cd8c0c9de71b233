"""`rexec doctor`."""

from __future__ import annotations

import json
import logging
import shutil
import sys

import click

from rexec.doctor.service import STEPS, examine
from rexec.doctor.show import Sheet

EXIT_UNWELL = 1
COLUMNS = 110


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--bind",
    default="127.0.0.1",
    show_default=True,
    help="The address that the service listens on; 0.0.0.0 requires all that a public one needs.",
)
@click.option(
    "--no-color", envvar="NO_COLOR", is_flag=False, flag_value="1", default="", help="Print no colours."
)
def doctor(as_json: bool, bind: str, no_color: str) -> None:  # noqa: FBT001
    """Check everything the service stands on, and say what to do about what is broken.

    Exits with 1 where a check failed. Takes at most 20 seconds.
    """
    # What libraries say about a failure is in its check.
    logging.getLogger().addHandler(logging.NullHandler())
    if as_json:
        checks = examine(lambda _: None, bind=bind)
        click.echo(json.dumps({"checks": [check.facts() for check in checks]}, indent=2))
    else:
        sheet = Sheet(
            [step.name for step in STEPS],
            width=min(shutil.get_terminal_size((COLUMNS, 0)).columns, COLUMNS),
            colour=sys.stdout.isatty() and not no_color,
        )
        checks = examine(lambda check: click.echo(sheet.line(check)), bind=bind)
        click.echo(f"\n{sheet.summary(checks)}")
    if any(check.finding.status == "fail" for check in checks):
        sys.exit(EXIT_UNWELL)
