"""How a test went, for fixtures that keep evidence of a failure."""

from __future__ import annotations

import pytest

_REPORTS = pytest.StashKey[dict[str, pytest.TestReport]]()


def remember(item: pytest.Item, report: pytest.TestReport) -> None:
    """Keep the report of a phase (setup, call or teardown) with its test."""
    item.stash.setdefault(_REPORTS, {})[report.when] = report


def failed(item: pytest.Item) -> bool:
    """Say whether the test's body failed or did not get its turn."""
    report = item.stash.get(_REPORTS, {}).get("call")
    return report is None or report.failed
