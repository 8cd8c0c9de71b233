"""An upgrade bought at Stripe reaches a container that runs, and its shell notices nothing but more room."""

from __future__ import annotations

import pytest

from tests.browser.billing.conftest import Shopper
from tests.browser.terminal.conftest import new_window
from tests.support.waiting import eventually

__all__ = ["new_window"]

LIMIT = (
    "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
    " | while read n; do echo limit-$((n / 1048576)); done"
)


@pytest.mark.smoke
def test_a_running_container_gets_the_larger_limits_with_its_shell_alive(
    hooked, new_user, new_window, log_in_as, engine
):
    user = new_user(hooked)
    public_id = user.new_container()
    user.wait_for(public_id)
    terminal = new_window(user, public_id)
    terminal.asks("KEPT=$((40 + 2)); echo set-$KEPT", "set-42")
    terminal.asks(LIMIT, "limit-512")
    Shopper(terminal.page.context.new_page(), hooked.url).buy("Pro")

    def raised():
        return engine.docker("inspect", "-f", "{{.HostConfig.Memory}}", f"rexec-{public_id}") == str(2 << 30)

    eventually(raised, 20, message="the daemon has the larger limit")
    terminal.page.bring_to_front()
    terminal.asks(LIMIT, "limit-2048")
    terminal.asks("echo still-$KEPT", "still-42")
