"""The deployment guide: complete, and every command in it is run by a test or says why not."""

from __future__ import annotations

import re
import tomllib

import pytest

from rexec.config import REQUIRED_AWAY_FROM_LOOPBACK, VARIABLES
from rexec.doctor.service import STEPS
from tests.support.documents import DOCUMENTS, commands, text_of
from tests.support.engine import ROOT
from tests.support.rexec_image import BUILD_COMMAND

GUIDE = "docs/deploy.md"


def rows(heading):
    """The rows of the table under a heading of the guide, cells stripped."""
    section = text_of(GUIDE).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in cells] for cells in lines[2:]]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(scope="module")
def run_by():
    return tomllib.loads((ROOT / "tests" / "unit" / "deploy" / "commands.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def not_run():
    """What the guide says that no test runs, with its reason."""
    return {beginning: why for cell, why in rows("What no test runs") for beginning in quoted(cell)}


def test_every_variable_is_in_the_table_and_no_other():
    named = [quoted(name)[0] for name, _, _ in rows("Step 2: the variables")]
    assert sorted(named) == sorted(VARIABLES)


def test_the_table_says_which_variables_are_required():
    required = {quoted(name)[0] for name, how, _ in rows("Step 2: the variables") if how == "required"}
    assert required == set(REQUIRED_AWAY_FROM_LOOPBACK)


def test_every_check_of_doctor_is_explained_in_its_order():
    assert [quoted(name)[0] for name, _ in rows("When it does not work")] == [step.name for step in STEPS]


def test_every_cost_of_the_setup_is_named_with_its_total():
    parts = {part for part, _, _ in rows("What it costs")}
    assert parts == {"VM", "Rexec", "PostgreSQL", "Redis"}
    assert "$15 to 25 a month" in text_of(GUIDE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_is_run_by_a_test_or_says_why_not(document, run_by, not_run):
    for command in commands(document):
        known = [beginning for beginning in (*run_by, *not_run) if command.startswith(beginning)]
        assert len(known) == 1, (command, known)


def test_the_tests_that_run_them_are_there(run_by):
    for beginning, test in run_by.items():
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), beginning


def test_nothing_is_listed_that_nobody_is_told_to_type(run_by, not_run):
    typed = [command for document in DOCUMENTS for command in commands(document)]
    for beginning in (*run_by, *not_run):
        assert any(command.startswith(beginning) for command in typed), beginning
    assert all(len(why) > 20 for why in not_run.values())


def test_the_image_is_built_as_the_guide_says():
    assert " ".join(BUILD_COMMAND) in commands(GUIDE)


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", text_of(document)):
            assert ((ROOT / document).parent / target).exists(), (document, target)
