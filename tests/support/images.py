"""Images for a registry of the tests: as many layers and bytes as a test wants."""

from __future__ import annotations

import io
import os
import secrets
import tarfile

from rexec.containers.catalogue import Image
from tests.support.engine import SHELL_IMAGE, Engine

MB = 1024 * 1024


def push_image(engine: Engine, address: str, *, layers: int = 2, layer_bytes: int = 2 * MB) -> str:
    """Put a working image with layers of noise into a registry, off the daemon again; returns its reference.

    Args:
        engine: The daemon that builds and pushes it.
        address: `host:port` of the registry.
        layers: How many beside those of the built-in image.
        layer_bytes: Size of each.
    """
    reference = f"{address}/lab-{secrets.token_hex(4)}:1.0"
    base = SHELL_IMAGE
    for number in range(layers):
        container = engine.docker("create", base, "true")
        engine.docker("cp", "-", f"{container}:/", stdin=_noise(f"noise-{number}", layer_bytes))
        engine.docker("commit", container, reference)
        engine.docker("rm", container)
        base = reference
    engine.docker("push", reference)
    forget_image(engine, reference)
    return reference


def forget_image(engine: Engine, reference: str) -> None:
    """Take an image off a daemon, with every layer that nothing else uses."""
    engine.docker("rmi", "-f", reference, check=False)
    engine.docker("image", "prune", "-f")


def _noise(name: str, size: int) -> bytes:
    """A tar archive with one file that does not compress."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return archive.getvalue()


def catalogue_of(*references: str) -> tuple[Image, ...]:
    """A catalogue whose keys are lab, lab-2, lab-3 and so on."""
    return tuple(
        Image(
            "lab" if not number else f"lab-{number + 1}",
            "Lab",
            "1.0",
            reference,
            "/bin/sh",
            "x",
            "box",
            builtin=False,
        )
        for number, reference in enumerate(references)
    )
