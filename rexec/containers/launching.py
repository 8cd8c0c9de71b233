"""Making a container: network, image, create, start; each step announced by a move of its row.

Every step can be repeated, because a worker may be killed anywhere and another begins again. A move that is
lost means that somebody cancelled or deletes the container: then the work stops and takes back what it made.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import Any

from flask import current_app

from rexec import jobs
from rexec.containers import catalogue, limits, networks, specs
from rexec.containers.errors import BuiltInImageMissing, ForeignContainer, NetworkMissing
from rexec.containers.gateway import docker, remove_container
from rexec.containers.host_state import LABEL_CONTAINER, LABEL_DEPLOYMENT, deployment
from rexec.containers.models import Container
from rexec.containers.pulls import PatientPull, PullTally
from rexec.containers.states import enter
from rexec.docker_host.errors import (
    DockerAPIError,
    DockerConflict,
    DockerHostError,
    DockerNotFound,
    ImageNotFound,
)
from rexec.extensions import utcnow
from rexec.jobs import OperationContext

log = logging.getLogger(__name__)

PULL_DEADLINE_S = 900.0
NO_DISK_LIMIT = "rexec.no-disk-limit"
BEGINNINGS = ("queued", "pulling", "creating", "starting")


class Lost(Exception):
    """Somebody else moved the container: stop working on it."""


class Launch:
    """One attempt at making a container.

    Args:
        context: The operation.
        row: The container as it was when the attempt began, detached; how it is now only the database knows.
    """

    def __init__(self, context: OperationContext, row: Container) -> None:
        self.context = context
        self.id = row.id
        self.row = row
        self.asked_at = row.status_changed_at
        self.seconds: dict[str, float] = {}
        self.pulled: dict[str, Any] = {}
        self.docker_id: str | None = None

    def run(self) -> None:
        """Make the container and start it.

        Raises:
            Lost: Somebody cancelled or deletes it.
            DockerHostError: The Docker host could not do it.
            MoveTo: A pull is needed, which belongs in the slow lane.
        """
        if self.row.status == "pulling" and self.context.lane == "slow":
            self._pull()
        network = self.row.network or networks.choose()
        self._move(BEGINNINGS, "creating", network=network)
        networks.ensure(network)
        try:
            docker_id = self._create(network)
        except ImageNotFound:
            self._fetch()
            docker_id = self._create(network)
        self.docker_id = docker_id
        self._move(("creating",), "starting", docker_id=docker_id)
        self._start(docker_id, network)

    def take_back(self) -> None:
        """Remove what this attempt made for a container that nobody wants any more; the volume stays."""
        if self.docker_id is None:
            return
        try:
            docker().remove_container(self.docker_id)
        except DockerHostError as error:
            # Deleting or retrying the container removes it too.
            log.info("container %s: not taken back: %s", self.row.public_id, error.code)

    def _move(self, from_states: tuple[str, ...], to: str, **values: Any) -> None:
        if not enter(self.id, from_states, to, **values):
            raise Lost

    def _create(self, network: str) -> str:
        began = time.perf_counter()
        try:
            docker_id = self._create_once(network)
        except DockerConflict:
            docker_id = self._adopt_or_remove() or self._create_once(network)
        except DockerNotFound:
            # The daemon lost the network that this process believed in.
            networks.forget(network)
            networks.ensure(network)
            docker_id = self._create_once(network)
        self._took("create", began)
        return docker_id

    def _create_once(self, network: str) -> str:
        limited = not current_app.extensions.get(NO_DISK_LIMIT, False)
        try:
            return docker().create_container(specs.spec_of(self.row, network, with_disk_limit=limited))
        except DockerAPIError as error:
            if not limited or "storage-opt" not in error.detail.lower():
                raise
        # Only overlay2 on XFS with project quotas can limit a container's disk; only trying tells.
        log.warning("the Docker host's storage cannot limit a container's disk: going on without")
        current_app.extensions[NO_DISK_LIMIT] = True
        return docker().create_container(specs.spec_of(self.row, network, with_disk_limit=False))

    def _adopt_or_remove(self) -> str | None:
        """Deal with a container that has our name: from an attempt that was killed, or that failed."""
        name = specs.container_name(self.row.public_id)
        try:
            found = docker().inspect_container(name)
        except DockerNotFound:
            return None
        labels = found["Config"].get("Labels") or {}
        if labels.get(LABEL_DEPLOYMENT) != deployment() or labels.get(LABEL_CONTAINER) != self.row.public_id:
            raise ForeignContainer
        if found["State"].get("Running"):
            limits.note_found(self.row, found["HostConfig"])
            return str(found["Id"])
        remove_container(found["Id"])
        return None

    def _fetch(self) -> None:
        image = catalogue.get(self.row.image)
        if image is not None and image.builtin:
            raise BuiltInImageMissing
        self._move(("creating",), "pulling")
        if self.context.lane != "slow":
            raise jobs.MoveTo("slow")
        self._pull()
        self._move(("pulling",), "creating")

    def _pull(self) -> None:
        began = time.perf_counter()
        tally = PullTally()
        self.context.progress(tally.facts())
        with closing(iter(PatientPull(docker(), self.row.image_reference, PULL_DEADLINE_S))) as lines:
            for line in lines:
                if line is not None:
                    tally.take(line)
                self.context.progress(tally.facts())
                if self.context.cancelled():
                    raise Lost
        self.pulled = {"pull": tally.facts()}
        self._took("pull", began)

    def _start(self, docker_id: str, network: str) -> None:
        began = time.perf_counter()
        try:
            docker().start_container(docker_id)
        except DockerNotFound as error:
            networks.forget(network)
            raise NetworkMissing from error
        self._took("start", began)
        now = utcnow()
        total = (now - self.asked_at).total_seconds()
        stages = {**self.seconds, "total": total, "ours": max(0.0, total - sum(self.seconds.values()))}
        timings = {name: round(value, 3) for name, value in stages.items()}
        self._move(("starting",), "running", started_at=now, last_activity_at=now, timings=timings)
        self.context.result({"seconds": timings, **self.pulled})

    def _took(self, stage: str, began: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began
