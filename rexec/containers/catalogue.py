"""The images that people can choose from, read from `images.toml` or the operator's own file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app

from rexec.errors import ConfigError
from rexec.operator_files import TableReader, read_tables

BUILT_IN = Path(__file__).with_name("images.toml")
EXTENSION = "rexec.catalogue"
REFERENCE = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?/)?"  # registry, perhaps with a port
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"  # repository
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
SHELL = re.compile(r"/[\w./-]+", re.ASCII)
ICON = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class Image:
    """One image of the catalogue.

    Args:
        key: Stable name: what a form sends.
        name: The name people read.
        version: The version people read.
        reference: What the Docker host calls it.
        shell: Path of the shell inside.
        description: One line.
        icon: A name of the icon sprite.
        builtin: Never pulled; offered where the Docker host holds it, and as long as that is unknown.
    """

    key: str
    name: str
    version: str
    reference: str
    shell: str
    description: str
    icon: str
    builtin: bool

    @property
    def local_reference(self) -> str:
        """What the Docker host lists it as: without the registry that it assumes."""
        return self.reference.removeprefix("docker.io/").removeprefix("library/")


def load(path: Path | None = None) -> tuple[Image, ...]:
    """Read and check a file of images.

    Args:
        path: The operator's file; the built-in one where None.

    Raises:
        ConfigError: With every problem of the file.
    """
    problems: list[str] = []
    loaded = tuple(
        _image(key, TableReader(table, f"IMAGES_FILE: [{key}]", problems))
        for key, table in read_tables(path or BUILT_IN, "IMAGES_FILE").items()
    )
    if problems:
        raise ConfigError(problems)
    return loaded


def _image(key: str, reader: TableReader) -> Image:
    image = Image(
        key=key,
        name=reader.text("name", longest=30),
        version=reader.text("version", longest=30),
        reference=reader.text("reference", longest=255, pattern=REFERENCE, wanted="write it as NAME:TAG"),
        shell=reader.text(
            "shell", longest=100, pattern=SHELL, wanted="write an absolute path, for example /bin/sh"
        ),
        description=reader.text("description", longest=100),
        icon=reader.text("icon", longest=40, pattern=ICON, wanted="write a name of the icon sprite"),
        builtin=reader.flag("builtin"),
    )
    found = REFERENCE.fullmatch(image.reference)
    if (
        found
        and not found["digest"]
        and (not found["tag"] or (found["tag"] == "latest" and not image.builtin))
    ):
        reader.problem(
            "has a `reference` without a version: pin a tag or a digest, because `latest` changes by itself."
        )
    reader.finish()
    return image


def init_catalogue(app: Flask, path: Path | None) -> None:
    """Read the catalogue once and keep it with the application.

    Raises:
        ConfigError: With every problem of the file.
    """
    app.extensions[EXTENSION] = load(path)


def all_images() -> Sequence[Image]:
    """Every image, in the order of the file."""
    images: tuple[Image, ...] = current_app.extensions[EXTENSION]
    return images


def get(key: str) -> Image | None:
    """The image with this key, or None."""
    return next((image for image in all_images() if image.key == key), None)
