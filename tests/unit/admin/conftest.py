"""The cast: an admin, somebody with an account, a stranger."""

from __future__ import annotations

import pytest

from rexec.accounts import service
from rexec.extensions import db
from tests.support.by_hand import work
from tests.support.page_user import PageUser

__all__ = ["work"]


@pytest.fixture
def admin(app):
    """Somebody who administers, logged in."""
    person = PageUser(app, "admin@example.com")
    person.sign_up()
    service.find(person.email).is_admin = True
    db.session.commit()
    return person


@pytest.fixture
def owner(app):
    """Somebody with an account, logged in."""
    person = PageUser(app, "owner@example.com")
    person.sign_up()
    return person


@pytest.fixture
def stranger(app):
    """Somebody without an account."""
    return PageUser(app)


@pytest.fixture
def owner_id(owner):
    """The number of the owner's account."""
    user_id = service.find(owner.email).id
    db.session.rollback()
    return user_id
