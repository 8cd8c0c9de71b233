"""What can go wrong with accounts, with the text that page and command line share.

InvalidInput
├── WrongCredentials   log-in refused; never says which part was wrong
├── WrongPassword      the present password, asked again before a change
└── EmailTaken         the address has an account
Forbidden
└── SignupsClosed      no account without a link, or none at all
NotFound
├── LinkInvalid        a one-time link that was used, has expired or never was
└── UserUnknown        no account with this address
Conflict
└── LastAdmin          somebody has to be left who can administer
"""

from __future__ import annotations

from rexec.errors import Conflict, Forbidden, InvalidInput, NotFound


class WrongCredentials(InvalidInput):
    """Log-in refused: no such account, another password, or a disabled account; the three look alike."""

    code = "wrong_credentials"
    message = "E-mail address or password is not right."


class WrongPassword(InvalidInput):
    """The present password, asked for once more before a change, was not right."""

    code = "wrong_password"
    message = "This is not your present password."


class EmailTaken(InvalidInput):
    """The e-mail address belongs to an account."""

    code = "email_taken"
    message = "There is an account with this address already: log in instead."


class SignupsClosed(Forbidden):
    """The operator does not let everybody sign up."""

    code = "signups_closed"
    message = "New accounts are not open to everybody here."
    hint = "Ask whoever runs this service for an invitation."


class LinkInvalid(NotFound):
    """A one-time link that was used, has expired, or never existed."""

    code = "link_invalid"
    message = "This link was used already or has expired."
    hint = "Ask whoever gave it to you for another one."


class UserUnknown(NotFound):
    """No account with this e-mail address."""

    code = "user_unknown"
    message = "There is no account with this e-mail address."
    hint = "`rexec users list` shows all of them."


class LastAdmin(Conflict):
    """The only admin cannot go."""

    code = "last_admin"
    message = "You are the only admin."
    hint = "Make another one first: rexec users invite --admin."
