"""The watcher's part: look at Docker, the certificates and the workers, and store what was seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from rexec import jobs
from rexec.docker_host.certificates import certificate_facts
from rexec.docker_host.tls import TLSMaterial
from rexec.extensions import db, utcnow
from rexec.health.certificates import Expiry
from rexec.health.models import HealthReport
from rexec.health.probes import Probe, ProbeFailed

if TYPE_CHECKING:
    from cryptography import x509

    from rexec.config import Settings
    from rexec.docker_host import DockerHost

REPORT_EVERY_S = 10.0
DOCKER_DEADLINE_S = 5.0
WORKER_DEADLINE_S = 3.0
CERTIFICATES_EVERY_S = 300.0
VERSION_EVERY_S = 300.0
ROW = 1
EXTENSION = "rexec.health.reporter"


class Reporter:
    """What the watcher looks at, with the memory that three strikes need.

    Args:
        app: Its context is pushed for each look.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.settings: Settings = app.extensions["rexec.settings"]
        self.docker = Probe("docker", self._ask_docker, DOCKER_DEADLINE_S)
        self.worker = Probe("worker", self._ask_worker, WORKER_DEADLINE_S)
        self.certificates = Probe("certificates", self._ask_certificates, DOCKER_DEADLINE_S)
        self._version_at = -VERSION_EVERY_S
        self._certificates_at = -CERTIFICATES_EVERY_S
        self._expiries: dict[str, Expiry] = {}

    def look(self) -> dict[str, Any]:
        """Ask everything once."""
        docker = self.docker.check()
        if docker["error"] is not None or time.monotonic() - self._certificates_at >= CERTIFICATES_EVERY_S:
            self.certificates.check()
        return {
            "docker": docker,
            "worker": self.worker.check(),
            "certificates": [certificate.store() for certificate in self._expiries.values()],
        }

    def _host(self) -> DockerHost:
        return cast("DockerHost", self.app.extensions["rexec.docker_host"])

    def _ask_docker(self) -> dict[str, Any]:
        if time.monotonic() - self._version_at < VERSION_EVERY_S:
            self._host().ping()
            return {}
        version = self._host().version()
        self._version_at = time.monotonic()
        return {"server_version": version.get("Version")}

    def _ask_worker(self) -> dict[str, Any]:
        with self.app.app_context():
            alive = jobs.somebody_works()
        if not alive:
            raise ProbeFailed("no worker has been heard of lately")
        return {}

    def _ask_certificates(self) -> dict[str, Any]:
        """Read the end dates: ours from the settings, the daemon's from its handshake."""
        if not self.settings.docker.uses_tls:
            return {}
        material = TLSMaterial.of(self.settings.docker)
        self._keep("ca", *material.authorities())
        client = material.client_certificate()
        if client is not None:
            self._keep("client", client)
        served = certificate_facts(self._host().served_certificate())
        self._expiries["server"] = Expiry("server", served.not_after)
        self._certificates_at = time.monotonic()
        return {}

    def _keep(self, name: str, *certificates: x509.Certificate) -> None:
        self._expiries[name] = Expiry(name, min(one.not_valid_after_utc for one in certificates))


@jobs.periodic("health.report", every_s=REPORT_EVERY_S)
def refresh() -> None:
    """Look at everything and store the report; run by the watcher."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = Reporter(app)
    _store(cast("Reporter", app.extensions[EXTENSION]).look())


def _store(report: dict[str, Any]) -> None:
    values = {"checked_at": utcnow(), "report": report}
    with db.engine.begin() as connection:
        if connection.execute(update(HealthReport).where(HealthReport.id == ROW).values(values)).rowcount:
            return
    try:
        with db.engine.begin() as connection:
            connection.execute(insert(HealthReport).values(id=ROW, **values))
    except IntegrityError:
        # Another watcher wrote the first report at the same moment; the next one replaces it.
        return
