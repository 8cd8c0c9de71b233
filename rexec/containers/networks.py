"""Which shared bridge network a container joins.

A bridge has about 1,000 ports, so a further network begins when one has that many containers. Each is made
when it is first needed and remembered for the life of the process; a daemon that has lost it gets it again.
"""

from __future__ import annotations

import threading

from flask import current_app
from sqlalchemy import func, select

from rexec.containers.gateway import docker
from rexec.containers.host_state import LABEL_DEPLOYMENT, deployment
from rexec.containers.models import Container
from rexec.docker_host import NetworkSpec
from rexec.extensions import db

PORTS = 1000
EXTENSION = "rexec.networks"

_making = threading.Lock()


def choose() -> str:
    """The first network of this deployment with a port left, counted by rows."""
    counted = db.session.execute(
        select(Container.network, func.count())
        .where(Container.network.is_not(None))
        .group_by(Container.network)
    )
    used = dict(counted.all())
    number = 1
    while used.get(_name(number), 0) >= PORTS:
        number += 1
    return _name(number)


def _name(number: int) -> str:
    return f"rexec-{deployment()[:8]}-{number}"


def ensure(name: str) -> None:
    """Make a network unless this process has seen it; of its threads one does, and the others wait for that.

    Raises:
        DockerHostError: The Docker host could not do it.
    """
    known: set[str] = current_app.extensions.setdefault(EXTENSION, set())
    with _making:
        if name not in known:
            docker().ensure_network(NetworkSpec(name=name, labels={LABEL_DEPLOYMENT: deployment()}))
            known.add(name)


def forget(name: str) -> None:
    """No longer believe that a network is there."""
    known: set[str] = current_app.extensions.setdefault(EXTENSION, set())
    known.discard(name)
