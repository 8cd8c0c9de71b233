"""What is kept of the Docker host itself: whether it answers, what it holds, and who we are on it."""

from __future__ import annotations

import pytest

from rexec.containers import host_state, reconcile
from rexec.containers.models import HostState
from rexec.docker_host.errors import DockerTLSError, DockerUnreachable
from rexec.extensions import db


def test_the_host_is_seen_with_its_images_and_facts(app, docker_host):
    reconcile.look_at_host()
    row = db.session.get(HostState, 1)
    assert (row.reachable, row.server_version) == (True, "20.10.24")
    assert row.images == {"rexec/shell:latest": 2_000_000}
    assert row.facts["userns_remap"] is True


def test_images_and_facts_are_asked_for_now_and_then_only(app, docker_host):
    for _ in range(5):
        reconcile.look_at_host()
    assert dict(docker_host.calls) == {"list_images": 1, "info": 1, "ping": 4}


@pytest.mark.parametrize(
    "error", [DockerUnreachable(code="docker_refused"), DockerTLSError(code="tls_wrong_ca")]
)
def test_a_host_that_is_away_is_said_and_what_was_known_stays(app, docker_host, error):
    reconcile.look_at_host()
    docker_host.fail("ping", error)
    reconcile.look_at_host()
    view = host_state.view()
    assert view.is_down
    assert view.error_message == error.message
    assert view.images == {"rexec/shell:latest": 2_000_000}
    reconcile.look_at_host()
    assert host_state.view().reachable is True
    assert docker_host.calls["list_images"] == 2


def test_the_deployments_identity_is_made_once(app):
    first = host_state.deployment()
    app.extensions.pop(host_state.EXTENSION)
    assert host_state.deployment() == first
    assert db.session.scalars(db.select(HostState.deployment)).all() == [first]


def test_nothing_is_known_of_a_host_that_nobody_has_looked_at(app):
    view = host_state.view()
    assert (view.reachable, view.is_down, view.images) == (None, False, None)


def test_the_memory_promised_to_running_containers_is_noted(launched, app):
    row = launched()
    reconcile.look_at_host()
    assert host_state.view().facts["promised_mb"] == row.memory_mb
