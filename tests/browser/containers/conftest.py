"""What the browser tests of containers share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _containers_change_the_machines_network(page_errors):
    """A container that starts on this machine changes its network: Chromium drops what it loads just then."""
    page_errors.allow("ERR_NETWORK_CHANGED")
