"""News that accounts send to the domains built on them."""

from __future__ import annotations

from blinker import signal

account_closing = signal("rexec.account-closing")
"""An account is being deleted: whoever keeps things for it begins to remove them and says how many are left.

Sent outside a transaction as `account_closing.send(sender, user_id=int)`, at once when the person confirms
and then every half minute until nothing is left; so a receiver bears being called again, and commits what
it does itself. It returns an int: how many things of this account still exist. The account's row goes when
every receiver returned 0.
"""
