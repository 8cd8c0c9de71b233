"""The network that containers of ours share, and the volumes that hold their homes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from rexec.docker_host.engine_client import EngineClient
from rexec.docker_host.errors import DockerConflict, DockerHostError, DockerNotFound, DockerRejected
from rexec.docker_host.events import label_list
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.spec import NetworkSpec, candidate_subnets, to_network_body


def ensure_network(session: DaemonSession, spec: NetworkSpec) -> str:
    """Make the network unless it is there; two processes that do so at once end with one.

    Returns:
        The network's id.

    Raises:
        DockerConflict: A network of this name is not ours.
        DockerRejected: `docker_no_subnet`, every candidate range is taken.
    """
    found = _oldest(session, spec)
    if found is not None:
        return found
    for subnet in spec.subnets or candidate_subnets(spec.name):
        try:
            made = _create(session, spec, subnet)
        except DockerConflict:
            break
        except DockerHostError as error:
            if "overlap" not in error.detail.lower():
                raise
        else:
            return _settle(session, spec, made)
    found = _oldest(session, spec)
    if found is None:
        raise DockerRejected(code="docker_no_subnet")
    return found


def _create(session: DaemonSession, spec: NetworkSpec, subnet: str) -> str:
    def ask(client: EngineClient) -> str:
        answer = client.ask("POST", "/networks/create", body=to_network_body(spec, subnet))
        return str(client.checked(answer).json()["Id"])

    return session.call(ask, idempotent=False)


def _settle(session: DaemonSession, spec: NetworkSpec, made: str) -> str:
    """Keep the older one where two processes made the network in the same moment.

    `CheckDuplicate` of engines before 25 looks first and makes afterwards, so both may succeed.
    """
    winner = _oldest(session, spec)
    if winner is None or winner == made:
        return made
    # The other process may have settled it already.
    with contextlib.suppress(DockerNotFound):
        session.call(lambda client: client.remove_network(made))
    return winner


def _oldest(session: DaemonSession, spec: NetworkSpec) -> str | None:
    networks: list[dict[str, Any]] = session.call(lambda client: client.networks(names=[spec.name]))
    # The daemon's filter also finds names that contain this one.
    same_name = [network for network in networks if network["Name"] == spec.name]
    for network in same_name:
        labels = network.get("Labels") or {}
        if any(labels.get(name) != value for name, value in spec.labels.items()):
            raise DockerConflict(code="docker_name_taken", detail=f"network {spec.name} lacks our labels")
    ordered = sorted(same_name, key=lambda network: (network["Created"], network["Id"]))
    return str(ordered[0]["Id"]) if ordered else None


def remove_network(session: DaemonSession, name: str) -> None:
    """Remove a network that no container uses.

    Raises:
        DockerNotFound: There is none.
        DockerHostError: It is in use, or the daemon is away.
    """
    session.call(lambda client: client.remove_network(name))


def list_volumes(session: DaemonSession, labels: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Every volume that carries these labels, in one call."""
    wanted = {"label": label_list(labels)}
    answer: dict[str, Any] = session.call(lambda client: client.volumes(filters=wanted))
    return list(answer.get("Volumes") or ())


def remove_volume(session: DaemonSession, name: str) -> None:
    """Remove a volume with everything in it.

    Raises:
        DockerNotFound: There is none.
        DockerConflict: A container uses it.
    """
    session.call(lambda client: client.remove_volume(name))
