"""What a view has found out about a browser before the hub takes it over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose browser it is.

    Args:
        user_id: The account.
        session_id: The log-in session, which may end while the terminal is open.
    """

    user_id: int
    session_id: int


@dataclass(frozen=True, slots=True)
class Admission:
    """A browser that may look at a terminal.

    Args:
        container: The container's public id.
        docker_name: What the daemon calls it.
        tab: 1 for the main terminal.
        identity: Whose browser it is.
        greeting: The handshake's answer.
    """

    container: str
    docker_name: str
    tab: int
    identity: Identity
    greeting: bytes
