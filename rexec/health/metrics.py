"""`/metrics`: what Prometheus reads, rendered from what this process has in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rexec.health import monitor
from rexec.health.probes import moment
from rexec.terminals import service as terminals

if TYPE_CHECKING:
    from flask import Flask

    from rexec.health.figures import Figures
    from rexec.health.monitor import Snapshot

EXTENSION = "rexec.metrics"
OVERALL = ("ok", "degraded", "down")
STATUSES = ("ok", "warning", "down", "off")


class HealthCollector(Collector):
    """The facts of `/health`.

    Args:
        last: Gives the last look.
    """

    def __init__(self, last: Callable[[], Snapshot]) -> None:
        self._last = last

    def collect(self) -> Iterator[Metric]:
        """See prometheus-client."""
        snapshot = self._last()
        body = snapshot.body
        yield InfoMetricFamily("rexec_build", "The release.", {"version": body["version"]})
        overall = GaugeMetricFamily("rexec_health", "1 for the word that /health says.", labels=["status"])
        for word in OVERALL:
            overall.add_metric([word], float(body["status"] == word))
        yield overall
        age = time.monotonic() - snapshot.taken_at
        yield GaugeMetricFamily("rexec_health_age_seconds", "Since this process last looked.", age)
        yield from _checks(body["checks"])
        yield _certificates(body["certificates"])


def _checks(checks: dict[str, Any]) -> Iterator[Metric]:
    status = GaugeMetricFamily(
        "rexec_check_status", "1 for the status that each check has.", labels=["check", "status"]
    )
    latency = GaugeMetricFamily(
        "rexec_check_latency_seconds", "How long the last answer took.", labels=["check"]
    )
    last_ok = GaugeMetricFamily(
        "rexec_check_last_ok_seconds", "When it last answered, in Unix time.", labels=["check"]
    )
    for name, check in checks.items():
        for word in STATUSES:
            status.add_metric([name, word], float(check["status"] == word))
        if check["latency_ms"] is not None:
            latency.add_metric([name], check["latency_ms"] / 1000)
        well = moment(check["last_ok"])
        if well is not None:
            last_ok.add_metric([name], well.timestamp())
    yield from (status, latency, last_ok)


def _certificates(certificates: list[dict[str, Any]]) -> Metric:
    ends = GaugeMetricFamily(
        "rexec_certificate_not_after_seconds", "When it expires, in Unix time.", labels=["name"]
    )
    for shown in certificates:
        not_after = moment(shown["not_after"])
        if not_after is not None:
            ends.add_metric([shown["name"]], not_after.timestamp())
    return ends


class DatabaseCollector(Collector):
    """What was counted in the database.

    Args:
        figures: Gives the last count; None before the first.
    """

    def __init__(self, figures: Callable[[], Figures | None]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """See prometheus-client."""
        figures = self._figures()
        if figures is None:
            return
        taken = figures.taken_at.timestamp()
        yield GaugeMetricFamily("rexec_figures_taken_seconds", "When this was counted, in Unix time.", taken)
        containers = GaugeMetricFamily("rexec_containers", "Containers by status.", labels=["status"])
        for status, count in figures.containers.items():
            containers.add_metric([status], count)
        yield containers
        yield from _jobs(figures)
        launches = HistogramMetricFamily(
            "rexec_launch_seconds", "Launches that succeeded, by stage.", labels=["stage"]
        )
        for stage, histogram in figures.totals.launches.items():
            launches.add_metric([stage], histogram.buckets(), histogram.sum_s)
        yield launches


def _jobs(figures: Figures) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("rexec_jobs", "Jobs that are not ended.", labels=["kind", "lane", "state"])
    for key, count in figures.operations.items():
        waiting.add_metric(key, count)
    ended = CounterMetricFamily("rexec_jobs_ended", "Jobs that ended.", labels=["kind", "lane", "outcome"])
    for key, count in figures.totals.ended.items():
        ended.add_metric(key, count)
    oldest = GaugeMetricFamily(
        "rexec_queue_age_seconds", "How long the oldest job that is due has waited.", labels=["lane"]
    )
    for lane, seconds in figures.waiting_s.items():
        oldest.add_metric([lane], seconds)
    yield from (waiting, ended, oldest)


class TerminalCollector(Collector):
    """The terminals of this process.

    Args:
        stats: Gives the hub's figures; None where no terminal was ever opened.
    """

    def __init__(self, stats: Callable[[], dict[str, float] | None]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """See prometheus-client."""
        stats = self._stats()
        if stats is None:
            return
        sessions = GaugeMetricFamily("rexec_terminals", "Terminals held here.", labels=["kind"])
        sessions.add_metric(["main"], stats["attaches"])
        sessions.add_metric(["tab"], stats["tabs"])
        yield sessions
        yield GaugeMetricFamily("rexec_terminal_viewers", "Browsers that look on.", stats["viewers"])
        sent = CounterMetricFamily("rexec_terminal_bytes", "Between here and the VM.", labels=["direction"])
        sent.add_metric(["output"], stats["output_bytes"])
        sent.add_metric(["input"], stats["input_bytes"])
        yield sent
        yield GaugeMetricFamily(
            "rexec_terminal_heartbeat_age_seconds",
            "Since the terminals' thread last came round.",
            stats["heartbeat_age_s"],
        )


def registry(app: Flask) -> CollectorRegistry:
    """Everything that this process tells; made once.

    Args:
        app: The application of this process.
    """
    if EXTENSION not in app.extensions:
        made = CollectorRegistry(auto_describe=False)
        made.register(HealthCollector(lambda: monitor.last(app)))
        made.register(DatabaseCollector(lambda: _figures(app)))
        made.register(TerminalCollector(lambda: terminals.stats(app)))
        for standard in (ProcessCollector, PlatformCollector, GCCollector):
            standard(registry=made)
        app.extensions[EXTENSION] = made
    return cast("CollectorRegistry", app.extensions[EXTENSION])


def render(app: Flask, accept: str) -> tuple[bytes, str]:
    """The text and its content type.

    Args:
        app: The application of this process.
        accept: What the scraper takes, as its Accept header says.
    """
    encode, content_type = choose_encoder(accept)
    return encode(registry(app)), content_type


def _figures(app: Flask) -> Figures | None:
    looking = monitor.of(app)
    return looking.rounds.figures if looking else None
