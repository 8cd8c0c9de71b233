"""What opens an account: logging in, and changing the password and the address to do it with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from rexec.accounts import links, passwords, service, sessions
from rexec.accounts.errors import EmailTaken, WrongCredentials, WrongPassword
from rexec.accounts.models import User
from rexec.extensions import db, utcnow


def log_in(email: str, password: str) -> str:
    """Start a log-in session and return its token.

    One verification is done whoever asks, and the refusal is the same, so that neither answer nor time
    tells whether an account exists. The session is added only if the row still holds the verified hash: a
    password changed in between wins.

    Raises:
        WrongCredentials: No such account, another password, or a disabled account.
    """
    row = db.session.execute(
        select(User.id, User.password_hash).where(
            User.email == email.strip().lower(), User.is_disabled.is_(False)
        )
    ).one_or_none()
    db.session.rollback()  # no connection is held while hashing
    user_id, kept = row if row is not None else (None, None)
    if not passwords.verify(kept, password) or user_id is None or kept is None:
        raise WrongCredentials(field="password")
    values: dict[str, Any] = {"last_login_at": utcnow()}
    if passwords.is_outdated(kept):
        values["password_hash"] = passwords.hash_password(password)
    unchanged = User.password_hash == kept, User.is_disabled.is_(False)
    if not service.update_row(user_id, *unchanged, **values):
        db.session.rollback()
        raise WrongCredentials(field="password")
    token = sessions.start(user_id)
    db.session.commit()
    return token


def change_password(user_id: int, present: str, new: str, *, session_id: int | None) -> None:
    """Set a new password and log every other browser out.

    Args:
        user_id: Whose.
        present: The present password, as typed.
        new: The new one, as typed.
        session_id: The log-in session that stays.

    Raises:
        WrongPassword: On the field `present`.
        InvalidInput: On the field `password`.
    """
    kept = verified(user_id, present)
    passwords.check(new, service.get(user_id).email)
    update_verified(user_id, kept, password_hash=passwords.hash_password(new))
    service.revoke(user_id, but=session_id)
    db.session.commit()


def change_email(user_id: int, present: str, email: str) -> None:
    """Move the account to another address.

    Raises:
        WrongPassword: On the field `present`.
        InvalidInput: On the field `email`; EmailTaken where it has an account.
    """
    address = service.normalise_email(email)
    kept = verified(user_id, present)
    try:
        update_verified(user_id, kept, email=address)
        links.forget_resets(user_id)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise EmailTaken("Another account has this address.", field="email") from None


def set_password(user_id: int, new: str) -> None:
    """Set a password without knowing the present one, for the operator; logs out everywhere.

    Raises:
        InvalidInput: On the field `password`.
    """
    passwords.check(new, service.get(user_id).email)
    service.update_row(user_id, password_hash=passwords.hash_password(new))
    service.revoke(user_id)
    db.session.commit()


def reset_password(token: str, new: str) -> None:
    """Set a password by a reset link; logs out everywhere.

    Raises:
        LinkInvalid: The link does not work (any more).
        InvalidInput: On the field `password`; the link stays good.
    """
    link = links.find(token, "reset")
    user = service.get(link.user_id or 0)
    user_id, email = user.id, user.email
    passwords.check(new, email)
    new_hash = passwords.hash_password(new)
    links.spend(link)
    service.update_row(user_id, password_hash=new_hash)
    service.revoke(user_id)
    db.session.commit()


def verified(user_id: int, present: str) -> str:
    """The stored hash, if it is the typed password's.

    Args:
        user_id: Whose.
        present: The present password, as typed.

    Raises:
        WrongPassword: On the field `present`.
    """
    kept = service.get(user_id).password_hash
    db.session.rollback()  # no connection is held while hashing
    if not passwords.verify(kept, present):
        raise WrongPassword(field="present")
    return kept


def update_verified(user_id: int, kept: str, **values: Any) -> None:
    """Change an account's row while its password is the one that was verified. The caller commits.

    Args:
        user_id: Whose.
        kept: As `verified` returned it.
        values: Columns to set.

    Raises:
        WrongPassword: On the field `present`; it was changed meanwhile.
    """
    if not service.update_row(user_id, User.password_hash == kept, **values):
        db.session.rollback()
        raise WrongPassword(field="present")
