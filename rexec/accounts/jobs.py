"""Periodic work on accounts: finish deletions, forget what has expired."""

from __future__ import annotations

from rexec import jobs
from rexec.accounts import closing, links, sessions


@jobs.periodic("accounts.finish-closing", every_s=30)
def finish_closing() -> None:
    """Go on with accounts that are being deleted."""
    closing.finish_all()


@jobs.periodic("accounts.forget-expired", every_s=3600)
def forget_expired() -> None:
    """Remove sessions and links that are over."""
    sessions.forget_expired()
    links.forget_old()
