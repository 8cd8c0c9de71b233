"""The watcher's part: look at Docker, the certificates and the workers, store and announce what was seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from flask import Flask, current_app
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from rexec import jobs
from rexec.docker_host.tls import TLSMaterial
from rexec.extensions import db, utcnow
from rexec.health import alerts, certificates
from rexec.health.certificates import Expiry
from rexec.health.models import HealthReport
from rexec.health.probes import Probe, ProbeFailed

if TYPE_CHECKING:
    from rexec.config import Settings
    from rexec.docker_host import DockerHost

REPORT_EVERY_S = 10.0
DOCKER_DEADLINE_S = 5.0
WORKER_DEADLINE_S = 3.0
CERTIFICATES_EVERY_S = 30.0
VERSION_EVERY_S = 300.0
ROW = 1
EXTENSION = "rexec.health.reporter"

Report = dict[str, Any]


class Reporter:
    """What the watcher looks at.

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

    def look(self, before: Report) -> Report:
        """Ask everything once.

        Args:
            before: The last report, this watcher's or another's: strikes go on from there. Empty at first.
        """
        self._resume(before)
        docker = self.docker.check()
        if docker["error"] is not None or time.monotonic() - self._certificates_at >= CERTIFICATES_EVERY_S:
            self.certificates.check()
        return {
            "docker": docker,
            "worker": self.worker.check(),
            "certificates": [certificate.store() for certificate in self._expiries.values()],
            "failures": {probe.name: probe.failures for probe in (self.docker, self.worker)},
        }

    def _resume(self, before: Report) -> None:
        for probe in (self.docker, self.worker):
            if probe.name in before:
                probe.resume(before[probe.name], before.get("failures", {}).get(probe.name, 0))
        if self.settings.docker.uses_tls:
            self._expiries = {one.name: one for one in certificates.read(before.get("certificates", []))}

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
        authorities, client = material.authorities(), material.client_certificate()
        self._keep("ca", certificates.issuer_of(None, authorities))
        if client is not None:
            self._keep("client", client)
        served = x509.load_der_x509_certificate(self._host().served_certificate())
        self._keep("ca", certificates.issuer_of(served, authorities))
        self._keep("server", served)
        self._certificates_at = time.monotonic()
        return {}

    def _keep(self, name: str, certificate: x509.Certificate) -> None:
        self._expiries[name] = Expiry(name, certificate.not_valid_after_utc)


@jobs.periodic("health.report", every_s=REPORT_EVERY_S)
def refresh() -> None:
    """Look at everything, store the report and tell of what is wrong; run by the watcher."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = Reporter(app)
    report = cast("Reporter", app.extensions[EXTENSION]).look(_last())
    _store(report)
    alerts.of(app).consider(alerts.of_report(report, utcnow()))


def _last() -> Report:
    query = select(HealthReport.report).where(HealthReport.id == ROW)
    with db.engine.connect() as connection:
        return connection.scalar(query) or {}


def _store(report: Report) -> None:
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
