"""What the hub reads and writes in the database, and the tabs that dead processes left behind."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, or_, select, update

from rexec import jobs
from rexec.accounts import sessions as login_sessions
from rexec.containers.models import Container
from rexec.docker_host.errors import DockerConflict, DockerHostError, DockerNotFound, DockerUnreachable
from rexec.extensions import db, utcnow
from rexec.jobs.models import Lease
from rexec.terminals import killer

if TYPE_CHECKING:
    from flask import Flask

    from rexec.docker_host import DockerHost

log = logging.getLogger(__name__)

LEASE_PREFIX: Final = "terminals:"
LEASE_S: Final = 30.0
ACTIVITY_EVERY: Final = timedelta(minutes=1)


class DatabaseUpkeep:
    """See `hub.Upkeep`.

    Args:
        app: Its database is used.
        docker: The daemon.
    """

    def __init__(self, app: Flask, docker: DockerHost) -> None:
        self._app = app
        self._docker = docker

    def live_sessions(self, session_ids: set[int]) -> set[int]:
        """See `Upkeep`."""
        with self._app.app_context():
            return login_sessions.live(session_ids)

    def note_activity(self, containers: set[str]) -> None:
        """See `Upkeep`. One write a minute for each container, whoever else notes the same."""
        if not containers:
            return
        now = utcnow()
        with self._app.app_context():
            db.session.execute(
                update(Container)
                .where(
                    Container.public_id.in_(containers),
                    or_(
                        Container.last_activity_at.is_(None),
                        Container.last_activity_at < now - ACTIVITY_EVERY,
                    ),
                )
                .values(last_activity_at=now)
            )
            db.session.commit()

    def beat(self, instance: str) -> None:
        """See `Upkeep`."""
        with self._app.app_context():
            jobs.lease(LEASE_PREFIX + instance, instance, LEASE_S)

    def retire(self, instance: str) -> None:
        """See `Upkeep`."""
        with self._app.app_context():
            db.session.execute(delete(Lease).where(Lease.name == LEASE_PREFIX + instance))
            db.session.commit()

    def reap(self) -> None:
        """See `Upkeep`."""
        with self._app.app_context():
            db.session.execute(
                delete(Lease).where(
                    Lease.name.startswith(LEASE_PREFIX), Lease.until < utcnow() - timedelta(days=1)
                )
            )
            db.session.commit()
            running = list(
                db.session.scalars(
                    select(Container.docker_id).where(
                        Container.status == "running", Container.docker_id.is_not(None)
                    )
                )
            )
        for container in running:
            if container is not None and not self._reap_in(container):
                return

    def _reap_in(self, container: str) -> bool:
        """End what dead processes left in one container; say whether the daemon answers."""
        try:
            if self._docker.inspect_container(container).get("ExecIDs"):
                killer.run(self._docker, container, killer.all_but(self._living()))
        except (DockerNotFound, DockerConflict):
            return True
        except DockerUnreachable as error:
            log.info("Tabs left behind are not looked for: %s", error.code)
            return False
        except DockerHostError as error:
            log.warning("Tabs left behind in %s could not be ended: %s", container, error.code)
        return True

    def _living(self) -> list[str]:
        with self._app.app_context():
            return list(
                db.session.scalars(
                    select(Lease.holder).where(Lease.name.startswith(LEASE_PREFIX), Lease.until > utcnow())
                )
            )
