"""Names of containers: what is legal, what is proposed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rexec.containers import names
from rexec.errors import InvalidInput


@pytest.mark.parametrize("name", ["a", "web-lab", "0", "x" * 40, "a--b", "  Web-Lab ", "3d"])
def test_legal_names_are_kept_small_and_trimmed(name):
    assert names.checked(name) == name.strip().lower()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "-a",
        "a-",
        "a_b",
        "a b",
        "a.b",
        "x" * 41,
        "x" * 300,
        "<b>hi</b>",
        "🦀",
        "naïve",
        "\u0430",
        "a\nb",
        "a\0",
    ],
)
def test_other_names_are_refused_with_what_to_do(name):
    with pytest.raises(InvalidInput) as refused:
        names.checked(name)
    assert refused.value.field == "name"
    assert len(refused.value.message) > 10


@given(st.text(max_size=60))
def test_whatever_is_accepted_is_a_host_name(text):
    try:
        name = names.checked(text)
    except InvalidInput:
        return
    assert 1 <= len(name) <= names.LONGEST
    assert name == name.lower()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name[0] != "-" != name[-1]


def test_a_proposal_is_legal_and_free():
    taken: set[str] = set()
    for _ in range(200):
        name = names.proposal(taken)
        assert names.checked(name) == name
        taken.add(name)
    assert len(taken) > 150


def test_a_proposal_is_found_where_all_pairs_are_taken(monkeypatch):
    monkeypatch.setattr(names, "_FIRST", ("calm",))
    monkeypatch.setattr(names, "_SECOND", ("bay",))
    assert names.proposal({"calm-bay"}).startswith("calm-bay-")


def test_public_ids_are_long_enough_and_differ():
    made = {names.new_public_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(public_id) for public_id in made} == {12}
