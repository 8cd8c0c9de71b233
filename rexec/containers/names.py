"""Names of containers: what is legal, and a good proposal."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from rexec.errors import InvalidInput

LONGEST = 40
LEGAL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""For public ids: no vowel-like pairs that are misread (0 o, 1 i l)."""

_FIRST = (
    *(
        "amber",
        "brisk",
        "calm",
        "clear",
        "cobalt",
        "copper",
        "crisp",
        "deft",
        "early",
        "fleet",
        "frosty",
        "gentle",
    ),
    *(
        "golden",
        "green",
        "hazel",
        "indigo",
        "keen",
        "late",
        "light",
        "lively",
        "lunar",
        "mellow",
        "mild",
        "misty",
    ),
    *(
        "neat",
        "nimble",
        "noble",
        "olive",
        "pale",
        "plain",
        "polar",
        "proud",
        "quick",
        "quiet",
        "rapid",
        "rustic",
    ),
    *(
        "sandy",
        "silver",
        "smooth",
        "snowy",
        "solar",
        "steady",
        "still",
        "sunny",
        "swift",
        "tidy",
        "vivid",
        "warm",
    ),
)
_SECOND = (
    *(
        "anchor",
        "badger",
        "bay",
        "beacon",
        "birch",
        "bridge",
        "brook",
        "canyon",
        "cedar",
        "cliff",
        "comet",
        "cove",
    ),
    *(
        "creek",
        "delta",
        "dune",
        "ember",
        "falcon",
        "fern",
        "field",
        "fjord",
        "forge",
        "garden",
        "glade",
        "grove",
    ),
    *(
        "harbor",
        "heron",
        "hill",
        "island",
        "lagoon",
        "lantern",
        "lark",
        "maple",
        "marsh",
        "meadow",
        "mesa",
        "mill",
    ),
    *(
        "orchard",
        "otter",
        "pine",
        "pond",
        "prairie",
        "quarry",
        "reef",
        "ridge",
        "river",
        "shore",
        "spring",
        "willow",
    ),
)


def checked(name: str) -> str:
    """The name in the form it is kept.

    Args:
        name: What a person typed; capitals become small and spaces around it go.

    Raises:
        InvalidInput: It is empty, too long, or has other characters than a host name.
    """
    name = name.strip().lower()
    if not name:
        raise InvalidInput("Give the container a name.", field="name")
    if len(name) > LONGEST:
        raise InvalidInput(f"The name is too long: {LONGEST} characters fit.", field="name")
    if not LEGAL.fullmatch(name):
        raise InvalidInput(
            "Use letters from a to z, digits and hyphens, with a letter or digit first and last.",
            field="name",
        )
    return name


def proposal(taken: Collection[str]) -> str:
    """A two-word name that is still free.

    Args:
        taken: Names that the person uses already.
    """
    for _ in range(20):
        name = f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}"
        if name not in taken:
            return name
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{secrets.randbelow(9000) + 1000}"


def new_public_id() -> str:
    """A random id for addresses and for Docker's names: 12 characters, about 59 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))
