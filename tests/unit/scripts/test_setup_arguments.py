"""docker/docker-host/setup.sh: what it says of arguments that it cannot take, before it looks at anything."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.engine import ROOT

SCRIPT = ROOT / "docker" / "docker-host" / "setup.sh"


def run(*arguments):
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=20
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--what"], "unknown argument '--what'"),
        (["--host"], "--host needs a value"),
        (["--port", "0"], "--port takes a number from 1 to 65535, not '0'"),
        (["--port=65536"], "--port takes a number from 1 to 65535, not '65536'"),
        (["--days", "ten"], "--days takes a number from 1 to 3650, not 'ten'"),
        (
            ["--allow-from", "everybody"],
            "--allow-from takes a network such as 198.51.100.0/24, not 'everybody'",
        ),
        (["--allow-from", "10.0.0.0/33"], "--allow-from takes a network"),
        (["--egress", "closed"], "--egress takes 'open' or 'limited', not 'closed'"),
    ],
)
def test_what_it_cannot_take_is_named_with_the_way_to_the_help(arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "(see --help)" in done.stderr


def test_help_names_every_option():
    done = run("--help")
    assert done.returncode == 0
    options = {
        *("--host", "--port", "--allow-from", "--egress", "--userns", "--days", "--rotate-client"),
        *("--rotate-server", "--no-pull", "--dry-run", "--help"),
    }
    assert options == {word for word in done.stdout.split() if word.startswith("--") and word != "--"}


def test_it_is_short_enough_to_be_read_before_it_is_run():
    assert len(SCRIPT.read_text().splitlines()) < 400
