"""What can go wrong with a container, in words for the person who owns it."""

from __future__ import annotations

from rexec.errors import LimitReached, RexecError, Unavailable


class ContainerMissing(RexecError):
    """The Docker host answered and has no such container: somebody removed it there."""

    code = "container_missing"
    message = "The container is gone from the machine that ran it."
    hint = "Retry makes it again; the home directory is used again where it still exists."


class NetworkMissing(RexecError):
    """The network that the container was made on is gone."""

    code = "network_missing"
    message = "The container's network is gone from the machine that runs it."
    hint = "Retry makes the container again with the same home directory."


class StillRemoving(Unavailable):
    """The daemon has begun to remove a container and is not done: a large one takes minutes."""

    code = "still_removing"
    message = "The machine that runs the containers is still removing this one."
    hint = "It goes on by itself."


class BuiltInImageMissing(RexecError):
    """The built-in image is nowhere to be pulled from."""

    code = "builtin_image_missing"
    message = "The built-in image is not on the machine that runs the containers."
    hint = "Choose another image, or ask the operator to load it there."


class ForeignContainer(RexecError):
    """An object that is not ours has the name."""

    code = "container_name_foreign"
    message = "Something else on the machine has this container's name."
    hint = "Delete this container and make a new one."


class PlanFull(LimitReached):
    """The plan has no room for one more container.

    Args:
        message: How full it is.
        hint: Which container to delete, or which plan fits.
    """

    code = "plan_full"


class NoPlan(LimitReached):
    """The person has no plan, and there is none without a price."""

    code = "no_plan"
    message = "You have no plan yet, and every plan here has a price."
    hint = "Choose a plan to launch a container."


class Suspended(LimitReached):
    """The plan has no room for this container: it is kept and cannot start.

    Args:
        message: For how many there is room.
        hint: To choose what stays, or which plan fits.
    """

    code = "suspended"


CANCELLED = ("cancelled", "You cancelled it before it ran.", "Retry begins again; Delete removes it.")
"""What is written on a container whose making was cancelled: code, message, hint."""
