"""The errors that Rexec raises on purpose.

    RexecError
    ├── ConfigError          settings that cannot work; lists every problem
    ├── InvalidInput         a field that a person can mend
    ├── NotFound             no such object, or not this person's
    ├── Conflict             the object's state does not allow it
    │   └── LimitReached     the plan is full
    ├── Forbidden            known who, not allowed
    ├── TooManyRequests      slow down
    ├── Unavailable          a part we depend on does not answer; trying again helps
    └── DockerHostError      see rexec.docker_host.errors

The text for each error lives beside its class, so that pages, the command line and the API say the same.
"""

from __future__ import annotations

from typing import ClassVar


class RexecError(Exception):
    """Root of every error that Rexec raises on purpose.

    Args:
        message: One sentence for the person who waits: what happened and why.
        hint: What to do about it; for the operator where the person can do nothing.
        code: A stable word to search for.
    """

    code: str = "error"
    message: str = "Something went wrong."
    hint: str = ""
    permanent: ClassVar[bool] = True
    """Whether trying the same again cannot help: the whole retry policy."""

    def __init__(
        self, message: str | None = None, *, hint: str | None = None, code: str | None = None
    ) -> None:
        self.message = message if message is not None else type(self).message
        self.hint = hint if hint is not None else type(self).hint
        self.code = code if code is not None else type(self).code
        super().__init__(self.message)


class ConfigError(RexecError):
    """Settings that cannot work.

    Args:
        problems: One line each, naming the variable and the mend, never its value.
    """

    code = "config"
    message = "The settings cannot work."

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class InvalidInput(RexecError):
    """A value that a person can mend.

    Args:
        message: What is wrong with it.
        field: The form field's name.
    """

    code = "invalid"
    message = "That value is not valid."

    def __init__(self, message: str | None = None, *, field: str = "", hint: str | None = None) -> None:
        self.field = field
        super().__init__(message, hint=hint)


class NotFound(RexecError):
    """No such object, or not this person's: the two look alike from outside."""

    code = "not_found"
    message = "There is nothing here."
    hint = "It may have been deleted, or the address is wrong."


class Conflict(RexecError):
    """The object's state does not allow what was asked."""

    code = "conflict"
    message = "That is not possible right now."


class LimitReached(Conflict):
    """The plan has no room left."""

    code = "plan_full"
    message = "Your plan is full."
    hint = "Delete a container or choose a larger plan."


class Forbidden(RexecError):
    """Known who asks, and not allowed."""

    code = "forbidden"
    message = "You are not allowed to do that."


class TooManyRequests(RexecError):
    """Asked too often in too short a time."""

    code = "too_many_requests"
    message = "Too many attempts."
    hint = "Wait a minute, then try again."


class Unavailable(RexecError):
    """A part that Rexec depends on does not answer; trying again may help."""

    code = "unavailable"
    message = "A part of Rexec does not answer."
    hint = "Try again in a minute."
    permanent = False
