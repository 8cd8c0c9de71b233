"""Rows with sensible values; a test names only what it is about. All need an app context and commit."""

from __future__ import annotations

import functools
import secrets
from typing import Any

from rexec.accounts.models import User
from rexec.accounts.passwords import hash_password
from rexec.containers.models import Container
from rexec.extensions import db
from tests.support.http_user import PASSWORD


@functools.cache
def password_hash(password: str = PASSWORD) -> str:
    """The hash of a password, computed once: argon2 is slow by intention."""
    return hash_password(password)


def make_user(email: str | None = None, **values: Any) -> User:
    """A person whose password is `PASSWORD`.

    Args:
        email: Made up where left out.
        values: Other columns.
    """
    user = User(
        email=email or f"person-{secrets.token_hex(6)}@example.com",
        **{"password_hash": password_hash(), **values},
    )
    db.session.add(user)
    db.session.commit()
    return user


def make_container(owner: User | None = None, **values: Any) -> Container:
    """A running container of the built-in image, known to the database only.

    Args:
        owner: Somebody new where left out.
        values: Other columns.
    """
    public_id = values.pop("public_id", secrets.token_hex(4))
    defaults: dict[str, Any] = {
        "name": f"lab-{public_id}",
        "image": "shell",
        "image_reference": "rexec/shell:latest",
        "shell": "sh",
        "status": "running",
        "memory_mb": 256,
        "cpu_millis": 500,
        "pids": 128,
    }
    container = Container(owner_id=(owner or make_user()).id, public_id=public_id, **{**defaults, **values})
    db.session.add(container)
    db.session.commit()
    return container
