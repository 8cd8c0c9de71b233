"""The cast: owner, teammate, stranger."""

from __future__ import annotations

import pytest

from tests.support.page_user import PageUser


@pytest.fixture
def owner(app):
    """Somebody with an account, logged in."""
    person = PageUser(app, "owner@example.com")
    assert person.sign_up().status_code == 303
    return person


@pytest.fixture
def teammate(app):
    """Somebody else with an account, logged in."""
    person = PageUser(app, "teammate@example.com")
    assert person.sign_up().status_code == 303
    return person


@pytest.fixture
def stranger(app):
    """Somebody without an account."""
    return PageUser(app, "stranger@example.com")
