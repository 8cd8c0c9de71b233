"""Every check of `rexec doctor`, in the order in which they are told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rexec.config import Settings
from rexec.doctor import connection, container, daemon, payments, runner, settings_checks, stores
from rexec.doctor.checks import Check, Step
from rexec.doctor.deployment import WITHIN_S, Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OURS: Final = ("ca-cert", "client-cert", "client-key")
BOTH: Final = ("ca-cert", "client-cert")
ENGINE: Final = ("api-version",)

STEPS: Final = (
    Step("settings", settings_checks.settings),
    Step("ca-cert", partial(settings_checks.certificate, "DOCKER_CA_CERT")),
    Step("client-cert", partial(settings_checks.certificate, "DOCKER_CLIENT_CERT")),
    Step("client-key", settings_checks.key),
    Step("key-pair", settings_checks.pair, needs=("client-cert", "client-key")),
    Step("chain", settings_checks.chain, needs=(*BOTH, "key-pair")),
    Step("dates", settings_checks.dates, needs=(*BOTH, "key-pair")),
    Step("key-usage", settings_checks.usages, needs=(*BOTH, "key-pair")),
    Step("dns", connection.name),
    Step("tcp", connection.reach, needs=("dns",)),
    Step("tls-handshake", connection.handshake, needs=("tcp", *OURS, "key-pair"), deadline_s=8.0),
    Step("server-certificate", connection.served, needs=("tls-handshake",)),
    Step("client-accepted", connection.accepted, needs=("server-certificate",), deadline_s=8.0),
    Step("api-version", daemon.version, needs=("client-accepted",)),
    Step("live-restore", daemon.live_restore, needs=ENGINE),
    Step("icc", daemon.icc, needs=ENGINE),
    Step("storage-driver", daemon.storage_driver, needs=ENGINE),
    Step("disk-quota", container.disk_limit, needs=ENGINE),
    Step("userns-remap", daemon.userns, needs=ENGINE),
    Step("runtimes", daemon.runtimes, needs=ENGINE),
    Step("cgroup-limits", daemon.limits, needs=ENGINE),
    Step("clock", daemon.clock, needs=ENGINE),
    Step("test-container", container.whole_life, needs=("runtimes",), deadline_s=WITHIN_S),
    Step("database", stores.database),
    Step("migrations", stores.migrations, needs=("database",)),
    Step("redis", stores.ask_redis),
    Step("worker", stores.worker, needs=("migrations",)),
    Step("watcher", stores.watcher, needs=("migrations",)),
    Step("stripe", payments.stripe_key, deadline_s=8.0),
)


def examine(
    tell: Callable[[Check], None], *, bind: str = "127.0.0.1", environ: Mapping[str, str] | None = None
) -> list[Check]:
    """Take every look at the deployment that the environment describes.

    Args:
        tell: Called with each check as soon as it and all before it are known.
        bind: The address that the service listens on; anything but loopback makes more variables required.
        environ: The environment; of this process where left out.
    """
    deployment = Deployment(
        reading=Settings.read(environ, bind=bind),
        public=Settings.read(environ, bind="0.0.0.0"),  # noqa: S104 - nothing listens
    )
    try:
        return runner.examine(STEPS, deployment, WITHIN_S, tell)
    finally:
        deployment.close()
