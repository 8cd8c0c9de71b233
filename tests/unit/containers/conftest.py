"""Containers on a Docker host in memory, with operations that the test works itself."""

from __future__ import annotations

import pytest

from rexec.accounts.models import User
from rexec.extensions import db
from tests.support.by_hand import fresh, launched, owner, work
from tests.support.fake_docker_host import FakeDockerHost
from tests.support.page_user import PageUser

__all__ = ["fresh", "launched", "owner", "work"]


@pytest.fixture
def docker_host():
    return FakeDockerHost()


@pytest.fixture
def person(app):
    """Somebody with the plan Pro who is logged in."""
    user = PageUser(app)
    assert user.sign_up().status_code == 303
    db.session.execute(db.update(User).where(User.email == user.email).values(plan="pro"))
    db.session.commit()
    user.row = db.session.scalars(db.select(User).where(User.email == user.email)).one()
    return user
