"""The words for a container: pulls, stages, times, and logs made readable."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rexec.containers import logs, showing
from rexec.containers.pulls import PullTally
from rexec.docker_host import PullProgress
from rexec.extensions import utcnow
from rexec.jobs.models import Operation
from tests.support.factories import make_container

MB = 1024 * 1024


def tally_of(*lines):
    tally = PullTally()
    for line in lines:
        tally.take(PullProgress(*line))
    return tally.facts()


def test_a_pull_is_summed_up_over_its_layers():
    facts = tally_of(
        ("", "Pulling from library/ubuntu"),
        ("aaa", "Pulling fs layer"),
        ("bbb", "Pulling fs layer"),
        ("ccc", "Already exists"),
        ("aaa", "Downloading", 30 * MB, 100 * MB),
        ("bbb", "Downloading", 31 * MB, 42 * MB),
    )
    assert (facts["current"], facts["total"]) == (61 * MB, 142 * MB)
    assert (facts["layers_done"], facts["layers_total"]) == (1, 3)
    assert showing.percent_of(facts) == 43
    assert showing.pull_words(facts) == "43% · 61 MB of 142 MB"


def test_unpacking_does_not_count_backwards():
    facts = tally_of(
        ("aaa", "Downloading", 99 * MB, 100 * MB),
        ("aaa", "Download complete"),
        ("aaa", "Extracting", 1 * MB, 100 * MB),
    )
    assert facts["current"] == 100 * MB
    assert showing.pull_words(facts) == "unpacking 100 MB"


def test_a_pull_whose_size_is_not_known_yet_says_so(app):
    facts = tally_of(("aaa", "Pulling fs layer"))
    assert showing.pull_words(facts) == "finding out its size"
    shown = showing.show(make_container(status="pulling"), Operation(progress=facts))
    assert shown.text == "Finding out its size…"


def test_an_image_with_very_many_layers_is_kept_short():
    facts = tally_of(*((f"{number:012x}", "Pulling fs layer") for number in range(127)))
    assert facts["layers_total"] == 127
    assert len(facts["layers"]) < 127


def test_stages_say_what_is_done_what_is_now_and_what_comes(app):
    facts = tally_of(("aaa", "Downloading", 5 * MB, 10 * MB))
    shown = showing.show(make_container(status="pulling"), Operation(progress=facts))
    assert [(stage.label, stage.state) for stage in shown.stages] == [
        ("Queue", "done"),
        ("Image", "now"),
        ("Create", "next"),
        ("Start", "next"),
    ]
    assert "0 of 1 layers" in shown.stages[1].text
    assert shown.text == "Pulling 50% · 5.0 MB of 10 MB"
    assert shown.can_cancel


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"status": "running", "started_at": timedelta(minutes=5)}, "Idle 5 min"),
        (
            {"status": "running", "started_at": timedelta(hours=5), "last_activity_at": timedelta(seconds=2)},
            "Up 5 h",
        ),
        ({"status": "running", "started_at": timedelta(seconds=2)}, "Up a few seconds"),
        ({"status": "stopped", "stopped_at": timedelta(days=2)}, "Stopped 2 d ago"),
        ({"status": "failed", "error_message": "No space."}, "No space."),
        ({"status": "queued"}, "Waiting for its turn…"),
        ({"status": "deleting"}, "Deleting…"),
    ],
)
def test_each_state_has_its_words(app, values, text):
    moments = {
        name: utcnow() - value if isinstance(value, timedelta) else value for name, value in values.items()
    }
    assert showing.show(make_container(**moments), None).text == text


@pytest.mark.parametrize(("seconds", "cancellable"), [(5, False), (11, True)])
def test_cancel_is_offered_after_ten_seconds(app, seconds, cancellable):
    row = make_container(status="creating", status_changed_at=utcnow() - timedelta(seconds=seconds))
    assert showing.show(row, None).can_cancel is cancellable


def test_waiting_for_the_docker_host_is_said_only_while_something_is_done(app):
    operation = Operation(progress={"waiting": "It is away.", "code": "docker_refused"})
    assert showing.show(make_container(status="stopping"), operation).waiting == "It is away."
    assert showing.show(make_container(status="running"), operation).waiting is None


def test_an_image_is_called_by_its_reference_where_the_key_means_another_now(app):
    assert (
        showing.show(make_container(image="ubuntu", image_reference="ubuntu:24.04"), None).image
        == "Ubuntu 24.04"
    )
    assert (
        showing.show(make_container(image="ubuntu", image_reference="ubuntu:22.04"), None).image
        == "ubuntu:22.04"
    )
    assert showing.show(make_container(image="gone", image_reference="old:1"), None).image == "old:1"


def test_what_a_start_took_is_one_line():
    timings = {"total": 0.41, "create": 0.02, "start": 0.36, "ours": 0.03}
    assert showing.timings_words(timings) == "0.41 s: create 0.02, start 0.36, ours 0.03"
    assert showing.timings_words(None) == ""


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain\r\nlines\r\n", "plain\nlines"),
        (b"\x1b[1;32mgreen\x1b[0m\x1b[K", "green"),
        (b"\x1b]0;title\x07prompt$ ", "prompt$ "),
        (b"\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b(B\x1b=\x1b>ok", "ok"),
        (b"tab\there\x00\x08", "tab\there"),
        (b"\xff\xfe\xe2\x82\xac", "\ufffd\ufffd\u20ac"),
        (b"", ""),
    ],
)
def test_logs_are_shown_as_plain_text(raw, text):
    assert logs.readable(raw) == text


@pytest.mark.parametrize(("seconds", "text"), [(5, "Running in 0.41 s: start 0.41"), (300, "Up 5 min")])
def test_the_head_says_what_the_start_took_and_later_how_long_it_is_up(app, seconds, text):
    started = utcnow() - timedelta(seconds=seconds)
    row = make_container(started_at=started, timings={"total": 0.41, "start": 0.41})
    assert showing.show(row, None).head == text
