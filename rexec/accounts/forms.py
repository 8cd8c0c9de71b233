"""The forms of the account pages. What makes a value acceptable is said once, in the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, ValidationError

from rexec.accounts import passwords, service
from rexec.errors import InvalidInput

_EMAIL = {"autocomplete": "username", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
_NEW_PASSWORD_HINT = f"At least {passwords.MIN_LENGTH} characters. A few unrelated words do well."


class ServiceForm(FlaskForm):
    """A form whose last word belongs to a service."""

    def refuse(self, error: InvalidInput) -> None:
        """Show a service's refusal beside the field it names, or the first one where it names none."""
        field = self._fields.get(error.field) or next(iter(self._fields.values()))
        field.errors = [*field.errors, error.message]


def _email(label: str = "E-mail address", *, element: str = "email", **render: Any) -> EmailField:
    return EmailField(
        label, [InputRequired("Type an e-mail address.")], id=element, render_kw={**_EMAIL, **render}
    )


def _present_password(label: str = "Present password", *, element: str = "present") -> PasswordField:
    return PasswordField(
        label,
        [InputRequired("Type your password.")],
        id=element,
        render_kw={"autocomplete": "current-password"},
    )


def _new_password(label: str = "Password") -> PasswordField:
    return PasswordField(
        label,
        [InputRequired("Choose a password.")],
        description=_NEW_PASSWORD_HINT,
        render_kw={
            "autocomplete": "new-password",
            "minlength": passwords.MIN_LENGTH,
            "maxlength": passwords.MAX_LENGTH,
        },
    )


def _judge(check: Callable[..., object], *typed: str) -> None:
    """Say a service's refusal as a form does."""
    try:
        check(*typed)
    except InvalidInput as error:
        raise ValidationError(error.message) from None


class SignUpForm(ServiceForm):
    """A new account."""

    email = _email()
    password = _new_password()

    def validate_email(self, field: EmailField) -> None:
        """Both fields are judged before the service sees either, so that one try tells of both."""
        _judge(service.normalise_email, field.data)

    def validate_password(self, field: PasswordField) -> None:
        """As the service will."""
        _judge(passwords.check, field.data, self.email.data or "")


class LogInForm(ServiceForm):
    """An account that exists."""

    email = _email()
    password = _present_password("Password", element="password")


class ChangePasswordForm(ServiceForm):
    """A new password, by whoever knows the present one."""

    present = _present_password()
    password = _new_password("New password")


class ChangeEmailForm(ServiceForm):
    """Another e-mail address."""

    email = _email("New e-mail address", autocomplete="email")
    present = _present_password(element="email-present")


class CloseAccountForm(ServiceForm):
    """The end of an account."""

    present = _present_password()


class ResetPasswordForm(ServiceForm):
    """A new password, by whoever has the link."""

    password = _new_password("New password")
