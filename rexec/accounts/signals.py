"""News that accounts send to the domains built on them."""

from __future__ import annotations

from blinker import signal

payments_ending = signal("rexec.payments-ending")
"""An account is being deleted: whoever takes money for it stops that first and says how much is left.

Sent as `account_closing` is, and before it: nothing of the account is removed while a receiver returns more
than 0.
"""

account_closing = signal("rexec.account-closing")
"""An account is being deleted: whoever keeps things for it begins to remove them and says how many are left.

Sent outside a transaction as `account_closing.send(sender, user_id=int)`, at once when the person confirms
and then every half minute until nothing is left; so a receiver bears being called again, and commits what
it does itself. It returns an int: how many things of this account still exist. The account's row goes when
every receiver returned 0.
"""
