"""Keeps the rows true to the Docker host: its events as they happen, and a full comparison now and then.

A row is changed only when no operation works on it and it is still as it was read before the Docker host was
asked, so two watchers at once, or one that is slow, do no harm. A Docker host that does not answer changes
nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from rexec import jobs
from rexec.containers import host_state, observing
from rexec.containers.gateway import docker
from rexec.containers.host_state import LABEL_CONTAINER, LABEL_DEPLOYMENT
from rexec.containers.models import Container
from rexec.docker_host import EventStream
from rexec.docker_host.errors import DockerHostError, DockerNotFound, DockerTLSError, DockerUnreachable
from rexec.extensions import db

log = logging.getLogger(__name__)

RECONCILE_EVERY_S = 60
HOST_EVERY_S = 5
IMAGES_EVERY_S = 60.0
FACTS_EVERY_S = 60.0
RECONNECT_S = (0.5, 1.0, 2.0, 5.0)
EVENTS_THAT_MATTER = ("start", "die", "destroy", "oom", "pause", "unpause")
LOOKED_AT = "rexec.host-looked-at"


@jobs.periodic("containers.reconcile", every_s=RECONCILE_EVERY_S)
def compare_all() -> None:
    """Bring every row in line with one listing of the Docker host, and remove what belongs to no row."""
    before = observing.snapshots()
    try:
        found = docker().list_containers({LABEL_DEPLOYMENT: host_state.deployment()})
    except DockerHostError as error:
        log.info("not reconciled: %s", error.code)
        return
    seen = {observing.public_id_of(item["Labels"]): item for item in found}
    for row in before:
        item = seen.get(row.public_id)
        observing.settle(row, observing.Sight.of_list(item) if item else observing.GONE)
    remove_orphans(seen)


def remove_orphans(seen: dict[str, dict[str, Any]]) -> None:
    """Remove containers of this deployment that belong to no row.

    A row is there before its container is made, so what has none now will never have one. Volumes stay: a
    home might be in them, and nobody could bring it back.

    Args:
        seen: Public id -> entry of the Docker host's listing.
    """
    known = set(db.session.scalars(select(Container.public_id)))
    db.session.rollback()
    for public_id, item in seen.items():
        if public_id in known:
            continue
        log.warning("removing container %s: it belongs to no row", item["Id"][:12])
        try:
            docker().remove_container(item["Id"])
        except DockerHostError as error:
            log.info("container %s is not removed: %s", item["Id"][:12], error.code)


@jobs.periodic("containers.host", every_s=HOST_EVERY_S)
def look_at_host() -> None:
    """Note whether the Docker host answers, and now and then what it holds and is."""
    try:
        host_state.note_reachable(**_news())
    except (DockerUnreachable, DockerTLSError) as error:
        _looked_at().clear()
        log.warning("the Docker host cannot be used: %s (%s)", error, error.hint)
        host_state.note_unreachable(error)
    except DockerHostError as error:
        # It answers, if only to complain.
        log.warning("the Docker host does not say what it holds: %s", error)
        host_state.note_reachable()


def _news() -> dict[str, Any]:
    news: dict[str, Any] = {}
    if _is_time("images", IMAGES_EVERY_S):
        news["images"] = {image.reference: image.size_bytes for image in docker().list_images()}
        _looked_at()["images"] = time.monotonic()
    if _is_time("facts", FACTS_EVERY_S):
        news["facts"] = _facts(docker().info())
        news["server_version"] = news["facts"]["server_version"]
        _looked_at()["facts"] = time.monotonic()
    if not news:
        docker().ping()
    return news


def _looked_at() -> dict[str, float]:
    looked: dict[str, float] = current_app.extensions.setdefault(LOOKED_AT, {})
    return looked


def _is_time(name: str, every_s: float) -> bool:
    last = _looked_at().get(name)
    return last is None or time.monotonic() - last >= every_s


def _facts(info: dict[str, Any]) -> dict[str, Any]:
    return {
        "server_version": info.get("ServerVersion"),
        "storage_driver": info.get("Driver"),
        "userns_remap": any("userns" in option for option in info.get("SecurityOptions") or ()),
        "live_restore": bool(info.get("LiveRestoreEnabled")),
        "cpus": info.get("NCPU"),
        "memory_bytes": info.get("MemTotal"),
        "promised_mb": _promised_mb(),
        "runtimes": sorted(info.get("Runtimes") or {}),
    }


def _promised_mb() -> int:
    """The memory that running containers may use together."""
    promised = db.session.scalar(select(func.sum(Container.memory_mb)).where(Container.status == "running"))
    db.session.rollback()
    return int(promised or 0)


def reconcile(app: Flask) -> None:
    """`compare_all`, from outside an application context."""
    with app.app_context():
        compare_all()


def refresh_host(app: Flask) -> None:
    """`look_at_host`, from outside an application context."""
    with app.app_context():
        look_at_host()


@dataclass
class _Place:
    """Where in the Docker host's news the following is.

    Args:
        since_ns: Where to go on after a loss, on the daemon's clock; None before the first connection.
        failures: How often in a row the stream could not be followed.
    """

    since_ns: int | None = None
    failures: int = 0


def follow_events(app: Flask, stop: threading.Event) -> None:
    """Follow the Docker host's events until told to stop; after each reconnect compare everything once.

    Args:
        app: Gives the context to work in.
        stop: Ends the following when set, at once.
    """
    place = _Place()
    while not stop.is_set():
        try:
            with app.app_context():
                _follow_once(stop, place)
        except (DockerHostError, SQLAlchemyError) as error:
            log.info("the event stream ended: %s", getattr(error, "code", type(error).__name__))
            stop.wait(RECONNECT_S[min(place.failures, len(RECONNECT_S) - 1)])
            place.failures += 1


def _follow_once(stop: threading.Event, place: _Place) -> None:
    stream = docker().events(place.since_ns, {LABEL_DEPLOYMENT: host_state.deployment()})
    # The daemon tells of an end before its listing shows it: what ended just now would be missed by both.
    place.since_ns = place.since_ns or stream.opened_ns
    ended = threading.Event()
    closer = threading.Thread(
        target=_close_when, args=(stop, ended, stream), name="events-closer", daemon=True
    )
    closer.start()
    try:
        look_at_host()
        compare_all()
        place.failures = 0
        for event in stream:
            _on_event(event)
            # The one after it: a shortage of memory told twice would be noted on a container started since.
            place.since_ns = event["timeNano"] + 1
    finally:
        ended.set()
        stream.close()
        closer.join()


def _close_when(stop: threading.Event, ended: threading.Event, stream: EventStream) -> None:
    """Close the stream when the watcher is to stop; a blocked read ends in no other way."""
    while not ended.wait(0.2):
        if stop.is_set():
            stream.close()
            return


def _on_event(event: dict[str, Any]) -> None:
    action = str(event.get("Action", ""))
    if event.get("Type") != "container" or action not in EVENTS_THAT_MATTER:
        return
    actor = event["Actor"]
    public_id = actor["Attributes"].get(LABEL_CONTAINER, "")
    row = observing.snapshot_of(public_id)
    if row is None:
        return
    if action == "oom":
        observing.note_out_of_memory(row)
        return
    if action == "start" and row.status == "starting":
        # Our own doing, most likely: the work that did it says so, and asking would only slow it down. Where
        # that work was killed, the comparison finds it.
        return
    try:
        sight = observing.Sight.of_inspection(docker().inspect_container(actor["ID"]))
    except DockerNotFound:
        sight = observing.GONE
    observing.settle(row, sight)
