"""The state machine: which moves there are, and that each is made once."""

from __future__ import annotations

import itertools

import pytest

from rexec.containers.states import MAKING, MOVES, MOVING, SETTLED, VERBS, enter, transition
from tests.support.factories import make_container, make_user

STATES = ("queued", "pulling", "creating", "starting", "running", "stopping", "stopped", "failed", "deleting")


def test_the_table_knows_every_state_and_no_other():
    assert set(MOVES) == set(STATES)
    assert set().union(*MOVES.values()) <= set(STATES)
    assert set(MOVING) | set(SETTLED) == set(STATES)
    assert not set(MOVING) & set(SETTLED)


def test_everything_can_be_deleted_and_nothing_comes_back_from_it_but_a_failure():
    assert all("deleting" in MOVES[state] for state in STATES if state != "deleting")
    assert MOVES["deleting"] == {"failed"}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(STATES, VERBS)))
def test_each_verb_in_each_state_acts_or_has_nothing_to_do_or_is_refused(state, verb):
    acting, to, satisfied = VERBS[verb]
    assert not set(acting) & satisfied
    if state in acting:
        assert to in MOVES[state]


def test_cancel_acts_on_what_is_being_made_and_on_nothing_else():
    assert set(VERBS["cancel"][0]) == set(MAKING)


def test_moves_follow_the_table_and_others_are_a_mistake(app):
    owner = make_user()
    for before, after in itertools.product(STATES, STATES):
        container_id = make_container(owner, status=before).id
        if after in MOVES[before]:
            assert enter(container_id, (before,), after)
        else:
            with pytest.raises(ValueError, match="does not go"):
                transition(container_id, (before,), after)


def test_a_move_is_made_once(app, fresh):
    container_id = make_container(status="stopped").id
    assert enter(container_id, ("stopped",), "starting")
    assert not enter(container_id, ("stopped",), "starting")
    assert fresh(container_id).status == "starting"


def test_a_move_sets_the_time_and_what_comes_with_it(app, fresh):
    row = make_container(status="creating")
    container_id, before = row.id, row.status_changed_at
    enter(container_id, ("creating",), "starting", docker_id="abc")
    row = fresh(container_id)
    assert row.docker_id == "abc"
    assert row.status_changed_at > before


def test_a_row_that_is_gone_is_not_moved(app):
    assert not enter(4711, ("running",), "stopping")
