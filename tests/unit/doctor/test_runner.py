"""Looks are taken side by side, in the order of their needs, and told in the order of their list."""

import threading
import time

import pytest

from rexec.doctor.checks import Step, blocked, failed, of_line, ok, skipped, warning
from rexec.doctor.errors import TEXTS, Unwell
from rexec.doctor.runner import examine
from rexec.doctor.service import STEPS


def run(*steps, within_s=10.0):
    """Name -> status, message of each check, in the order they were told."""
    told = []
    checks = examine(steps, None, within_s, told.append)
    assert told == checks
    return [(check.name, check.finding.status, check.finding.message) for check in checks]


def good(_):
    return ok("fine")


def bad(_):
    return failed(Unwell("redis_refused"))


def test_checks_are_told_in_the_order_of_the_list_whichever_ends_first():
    ended = threading.Event()

    def slow(_):
        assert ended.wait(5)
        return ok("slow")

    def quick(_):
        ended.set()
        return ok("quick")

    assert [name for name, *_ in run(Step("first", slow), Step("second", quick))] == ["first", "second"]


def test_what_depends_on_a_failure_is_skipped_and_names_its_root():
    found = run(Step("a", bad), Step("b", good, needs=("a",)), Step("c", good, needs=("b",)), Step("d", good))
    assert [(name, status) for name, status, _ in found] == [
        ("a", "fail"),
        ("b", "skipped"),
        ("c", "skipped"),
        ("d", "ok"),
    ]
    assert {message for name, _, message in found if name in {"b", "c"}} == {"Depends on a, which failed."}


def test_a_step_may_need_one_that_stands_after_it():
    found = run(Step("c", good, needs=("b",)), Step("b", good, needs=("a",)), Step("a", bad))
    assert [status for _, status, _ in found] == ["skipped", "skipped", "fail"]


@pytest.mark.parametrize("finding", [skipped("not used"), warning("odd", "look")], ids=["skipped", "warning"])
def test_what_is_not_used_or_merely_odd_stops_nothing(finding):
    assert run(Step("a", lambda _: finding), Step("b", good, needs=("a",)))[1][1] == "ok"


def test_what_a_look_says_it_is_blocked_by_blocks_what_needs_it():
    found = run(Step("a", lambda _: blocked("settings")), Step("b", good, needs=("a",)))
    assert found[1][2] == "Depends on settings, which failed."


def test_a_look_that_hangs_fails_at_its_deadline_and_holds_nobody_up():
    forever = threading.Event()
    began = time.monotonic()
    found = run(
        Step("a", lambda _: forever.wait(60), deadline_s=0.2), Step("b", good, needs=("a",)), Step("c", good)
    )
    assert time.monotonic() - began < 5
    forever.set()
    assert found[0][1:] == ("fail", "It gave no answer in time.")
    assert [status for _, status, _ in found] == ["fail", "skipped", "ok"]


def test_when_all_the_time_is_gone_the_rest_is_not_begun():
    forever = threading.Event()
    found = run(
        Step("a", lambda _: forever.wait(0.3) or ok("late")), Step("b", good, needs=("a",)), within_s=0.1
    )
    forever.set()
    assert [status for _, status, _ in found] == ["fail", "skipped"]


def test_an_error_of_ours_has_its_words_and_its_code():
    def look(_):
        raise Unwell("database_dns")

    (finding,) = examine([Step("a", look)], None, 5, lambda _: None)
    assert finding.facts() == {
        "name": "a",
        "status": "fail",
        "message": f"{TEXTS['database_dns'][0]} (database_dns)",
        "hint": TEXTS["database_dns"][1],
    }


def test_a_bug_in_a_look_is_reported_and_the_others_go_on():
    found = run(Step("a", lambda _: 1 / 0), Step("b", good))
    assert found == [("a", "fail", "The check itself went wrong (ZeroDivisionError)."), ("b", "ok", "fine")]


def test_a_look_may_find_several_things():
    found = run(Step("a", lambda _: [ok("one"), bad(_)]), Step("b", good, needs=("a",)))
    assert [(name, status) for name, status, _ in found] == [("a", "ok"), ("a", "fail"), ("b", "skipped")]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("PORT is odd: use a number.", "PORT is odd.", "Use a number."),
        (
            "PLANS_FILE: [free] lacks `name`: write a text.",
            "PLANS_FILE: [free] lacks `name`.",
            "Write a text.",
        ),
        ("PORT is not a whole number from 1 to 9.", "PORT is not a whole number from 1 to 9.", ""),
        ("PLANS_FILE: odd.", "PLANS_FILE: odd.", ""),
    ],
)
def test_a_problem_of_the_settings_is_parted_into_what_and_mend(line, message, hint):
    found = of_line(line)
    assert (found.message, found.hint) == (message, hint)


def test_every_step_needs_steps_that_exist_and_has_a_name_of_its_own():
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    assert {need for step in STEPS for need in step.needs} <= set(names)
