"""Errors of the fake Stripe, in the shape of https://docs.stripe.com/api/errors."""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is an error.

    Args:
        status: Of HTTP.
        kind: `type` of the error object.
        message: For the developer.
        code: One of https://docs.stripe.com/error-codes.
        param: The parameter the error is about, in the notation of forms.
        extra: Further fields, such as `decline_code`.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, code: str = "", param: str = "", **extra: object
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.extra = extra

    def body(self) -> dict:
        """The JSON of the answer."""
        error: dict[str, object] = {"type": self.kind, "message": self.message, **self.extra}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class RefusedParameter(ApiError):
    """A parameter that failed validation: the endpoint did not begin, so nothing is stored for its key."""

    def __init__(self, message: str, param: str, code: str = "") -> None:
        super().__init__(400, "invalid_request_error", message, code=code, param=param)


def invalid(message: str, param: str = "", code: str = "") -> ApiError:
    """A request that cannot be done in the current state."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param)


def missing(kind: str, name: str, param: str = "id") -> ApiError:
    """An id of nothing: 404 where it is in the path, 400 where it is a parameter."""
    status = 404 if param == "id" else 400
    message = f"No such {kind}: '{name}'"
    return ApiError(status, "invalid_request_error", message, code="resource_missing", param=param)


def required(param: str) -> RefusedParameter:
    """A parameter that has to be there."""
    return RefusedParameter(f"Missing required param: {param}.", param, "parameter_missing")


def declined(code: str, message: str, decline_code: str = "") -> ApiError:
    """What the card's bank said; https://docs.stripe.com/declines/codes."""
    extra = {"decline_code": decline_code} if decline_code else {}
    return ApiError(402, "card_error", message, code=code, **extra)
