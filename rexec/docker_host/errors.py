"""What can go wrong between Rexec and the Docker daemon. Nothing else leaves this package.

    DockerHostError
    ├── DockerUnreachable        nothing that answers as a Docker daemon does; an outage, never "gone"
    ├── DockerTLSError           it answers, and the two sides do not trust each other
    ├── DockerNotFound           the daemon answered: no such container, network, volume, exec
    ├── DockerConflict           the object's state does not allow it, or its name is taken
    │   └── DockerBusy           the same, and it passes: a removal under way
    ├── ImageError
    │   ├── ImageNotFound        neither the daemon nor the registry has it
    │   ├── RegistryRefused      the registry wants a log-in that Rexec does not have
    │   └── RegistryUnreachable  the daemon cannot reach the registry, or is asked to slow down
    ├── NoSpace                  the VM's disk is full
    └── DockerAPIError           the daemon failed over a good request
        └── DockerRejected       the daemon understood and refuses it

`code` tells the causes within one class apart; `TEXTS` in `rexec.docker_host.texts` has the words for each.
`detail` is what the daemon or the library said, for the log and for `rexec doctor`; it is never shown to
users.
"""

from __future__ import annotations

from typing import ClassVar

from rexec.docker_host.texts import TEXTS
from rexec.errors import RexecError, Unavailable


class DockerHostError(RexecError):
    """Root of everything this package raises.

    Args:
        message: One sentence for the user; by default the one that belongs to the code.
        hint: For the operator; by default the one that belongs to the code.
        code: A stable word to search for.
        detail: What the daemon or the library said.
    """

    code = "docker_error"
    permanent: ClassVar[bool] = True

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        code: str | None = None,
        detail: str = "",
    ) -> None:
        chosen = code if code is not None else type(self).code
        default_message, default_hint = TEXTS[chosen]
        super().__init__(
            message if message is not None else default_message,
            hint=hint if hint is not None else default_hint,
            code=chosen,
        )
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" ({self.detail})" if self.detail else "")


class DockerUnreachable(DockerHostError, Unavailable):
    """Nothing that answers as a Docker daemon does: an outage."""

    code = "docker_closed"
    permanent = False


class DockerTLSError(DockerHostError):
    """The certificates do not work out; only a person can mend that."""

    code = "tls_handshake"


class DockerNotFound(DockerHostError):
    """A daemon that answered has no such object."""

    code = "docker_not_found"


class DockerConflict(DockerHostError):
    """The object's state does not allow it, or its name is taken."""

    code = "docker_conflict"


class DockerBusy(DockerConflict):
    """Something is under way on the object; it passes by itself."""

    code = "docker_busy"
    permanent = False


class ImageError(DockerHostError):
    """The image cannot be had."""

    code = "image_error"


class ImageNotFound(ImageError):
    """Neither the daemon nor the registry has it."""

    code = "image_not_found"


class RegistryRefused(ImageError):
    """The registry wants a log-in that Rexec does not have."""

    code = "registry_refused"


class RegistryUnreachable(ImageError):
    """The daemon cannot reach the registry, or is asked to slow down."""

    code = "registry_unreachable"
    permanent = False


class NoSpace(DockerHostError):
    """The VM's disk is full."""

    code = "no_space"


class DockerAPIError(DockerHostError):
    """The daemon failed over a good request."""

    code = "docker_error"
    permanent = False


class DockerRejected(DockerAPIError):
    """The daemon understood the request and refuses it."""

    code = "docker_rejected"
    permanent = True
