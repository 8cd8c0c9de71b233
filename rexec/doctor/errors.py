"""What can be wrong beside the Docker host, with the words for it."""

from __future__ import annotations

from typing import Final

from rexec.errors import RexecError

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # The settings' certificates
    "tls_client_not_a_client": (
        "DOCKER_CLIENT_CERT is not meant for clients.",
        "Its extended key usage lacks clientAuth: make it again with scripts/setup-docker-tls.sh.",
    ),
    "tls_client_is_a_ca": (
        "DOCKER_CLIENT_CERT is a CA's own certificate.",
        "Set it to the contents of cert.pem, not of ca.pem.",
    ),
    "tls_ca_cannot_sign": (
        "DOCKER_CA_CERT is not a CA's certificate.",
        "Set it to the contents of ca.pem, not of cert.pem or server-cert.pem.",
    ),
    # Database
    "database_refused": (
        "Nothing listens at the database's address.",
        "Is PostgreSQL up, and are host and port in DATABASE_URL right?",
    ),
    "database_dns": (
        "The database's host name has no address.",
        "Check the host in DATABASE_URL for typing errors.",
    ),
    "database_timeout": (
        "The database did not answer in time.",
        "Check that it is awake and that its firewall lets this service in.",
    ),
    "database_login": (
        "The database refuses the log-in.",
        "Check user and password in DATABASE_URL; write @ / : # in a password as %40 %2F %3A %23.",
    ),
    "database_unknown": (
        "The database server has no database of that name.",
        "Make it, or mend the name at the end of DATABASE_URL.",
    ),
    "database_tls": (
        "The database and Rexec do not agree on TLS.",
        "Add ?sslmode=require to DATABASE_URL, or take it away.",
    ),
    "database_not_made": (
        "There is no database file yet.",
        "Start `rexec serve`, which makes it.",
    ),
    "database_error": (
        "The database cannot be used.",
        "See the database's own log.",
    ),
    "migrations_missing": (
        "The database holds no tables yet.",
        "Start `rexec serve`, which makes them.",
    ),
    "migrations_behind": (
        "The database's tables are of an older Rexec.",
        "Restart the service: `rexec serve` migrates first.",
    ),
    # Redis
    "redis_refused": (
        "Nothing listens at Redis's address.",
        "Is Redis up, and are host and port in REDIS_URL right?",
    ),
    "redis_dns": ("Redis's host name has no address.", "Check the host in REDIS_URL for typing errors."),
    "redis_timeout": (
        "Redis did not answer in time.",
        "Check its firewall; a hosted Redis often wants rediss:// in place of redis://.",
    ),
    "redis_login": ("Redis refuses the log-in.", "Check the user and password in REDIS_URL."),
    "redis_tls": (
        "Redis and Rexec do not agree on TLS.",
        "Write rediss:// in REDIS_URL for a Redis that speaks TLS, redis:// for one that does not.",
    ),
    "redis_error": ("Redis cannot be used.", "Check REDIS_URL and Redis's own log."),
    # Our own processes
    "worker_gone": (
        "No worker has been heard of lately.",
        "Start `rexec serve`, or `rexec worker` where the parts run alone; its log says why it ends.",
    ),
    "watcher_gone": (
        "No watcher has reported lately.",
        "Start `rexec serve`, or `rexec watcher` where the parts run alone; its log says why it ends.",
    ),
    # Stripe
    "stripe_key": (
        "Stripe does not accept STRIPE_SECRET_KEY.",
        "Copy the secret key (sk_...) again from the API keys page of Stripe's dashboard.",
    ),
    "stripe_permission": (
        "STRIPE_SECRET_KEY is a restricted key that lacks a permission.",
        "Let it read and write products, prices, customers, checkout sessions and subscriptions.",
    ),
    "stripe_unreachable": (
        "Stripe cannot be reached.",
        "Check the way out of this service, and STRIPE_API_BASE where it is set.",
    ),
    # The daemon
    "docker_runtime_unknown": (
        "The daemon does not know the runtime of CONTAINER_RUNTIME.",
        "Install it on the VM and add it to `runtimes` in /etc/docker/daemon.json, or unset the variable.",
    ),
    "docker_limits_missing": (
        "The VM's kernel lacks limits that containers need.",
        "Turn the cgroup controllers memory, cpu and pids on in the VM's kernel command line.",
    ),
    "docker_limits_not_kept": (
        "A container got more memory than it was given.",
        "The VM's cgroups do not limit containers: look at `docker info` there for warnings.",
    ),
    "docker_exec_wrong": (
        "A command in the test container gave a wrong answer.",
        "See `journalctl -u docker` on the VM.",
    ),
    "clock_apart": (
        "The clocks of this service and the VM are far apart.",
        "Turn on time synchronisation on the VM: `timedatectl set-ntp true`.",
    ),
}


class Unwell(RexecError):
    """Something that a deployment stands on does not work.

    Args:
        code: A key of `TEXTS`.
        what: Replaces the message, where it can be more precise.
    """

    def __init__(self, code: str, what: str | None = None) -> None:
        message, hint = TEXTS[code]
        super().__init__(what or message, hint=hint, code=code)
