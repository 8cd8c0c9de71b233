"""The human output has a word and a mark for each state, and says at the end what to do first."""

import click

from rexec.doctor.checks import Check, Finding, failed, ok, skipped, warning
from rexec.doctor.errors import Unwell
from rexec.doctor.show import MARKS, Sheet

GOOD = Check("tcp", ok("It answers."))
ODD = Check("icc", warning("Containers reach each other.", "Shut that off."))
BAD = Check("redis", failed(Unwell("redis_refused")))
UNUSED = Check("server-certificate", skipped("Not used."))
ALL = [GOOD, ODD, BAD, UNUSED]
NAMES = [check.name for check in ALL]


def sheet(*, colour=False, width=100):
    return Sheet(NAMES, width=width, colour=colour)


def test_each_line_has_mark_name_and_word_in_columns():
    lines = [sheet().line(check).split("\n")[0] for check in ALL]
    assert [line[0] for line in lines] == [MARKS[status] for status in ("ok", "warning", "fail", "skipped")]
    assert [line[2:20].rstrip() for line in lines] == NAMES
    assert [line[22:29].rstrip() for line in lines] == ["ok", "warning", "fail", "skipped"]
    assert [line[31:].split(" ")[0] for line in lines] == ["It", "Containers", "Nothing", "Not"]


def test_a_hint_stands_below_its_check_in_the_same_column():
    assert sheet().line(ODD).split("\n")[1] == " " * 31 + "→ Shut that off."


def test_long_sentences_are_broken_at_the_width_and_stay_in_their_column():
    long = Check("tcp", Finding("fail", "word " * 60, "hint " * 60))
    lines = sheet(width=80).line(long).split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert all(line.startswith(" " * 31) for line in lines[1:])


def test_colours_come_only_where_they_are_wanted_and_change_no_letter():
    for check in ALL:
        assert "\x1b" not in sheet().line(check)
        painted = sheet(colour=True).line(check)
        assert "\x1b[" in painted
        assert click.unstyle(painted) == sheet().line(check)


def test_the_summary_names_the_first_failure_and_what_to_do():
    assert sheet().summary(ALL) == f"1 failed. First, redis: {BAD.finding.hint}"


def test_the_summary_of_warnings_says_that_it_works():
    assert sheet().summary([GOOD, ODD]) == "It works, with 1 warning. First, icc: Shut that off."
    assert sheet().summary([ODD, ODD]).startswith("It works, with 2 warnings.")


def test_the_summary_of_a_well_deployment_is_short():
    assert sheet().summary([GOOD, UNUSED]) == "Everything works."
