"""News that billing sends to the domains built on it."""

from __future__ import annotations

from blinker import signal

plan_changed = signal("rexec.plan-changed")
"""What a person may use has changed, or may have: sent as `plan_changed.send(sender, user_id=int)`.

Sent after the commit, outside a transaction; a receiver asks `service.plan_of` what holds now, bears being
told twice, and commits what it does.
"""
