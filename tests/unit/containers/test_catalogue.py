"""The catalogue of images: the built-in file, and an operator's own with every mistake in it."""

from __future__ import annotations

import pytest

from rexec import create_app
from rexec.containers import catalogue
from rexec.errors import ConfigError
from tests.support.settings import make_settings

GOOD = """
[tiny]
name = "Tiny"
version = "1"
reference = "registry.example.com:5000/team/tiny:1.0"
shell = "/bin/sh"
description = "Small."
icon = "box"
"""


def problems_of(tmp_path, text):
    path = tmp_path / "images.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        catalogue.load(path)
    return refused.value.problems


def test_the_built_in_catalogue_has_the_promised_images():
    images = {image.key: image for image in catalogue.load()}
    assert list(images) == ["shell", "ubuntu", "debian", "alpine", "python", "node", "go"]
    assert images["shell"].reference == "rexec/shell:latest"
    assert [key for key, image in images.items() if image.builtin] == ["shell"]


def test_an_operators_catalogue_takes_the_place_of_ours(tmp_path):
    path = tmp_path / "images.toml"
    path.write_text(GOOD, encoding="utf-8")
    app = create_app(make_settings(images_file=path, instance_dir=tmp_path))
    with app.app_context():
        assert [image.key for image in catalogue.all_images()] == ["tiny"]
        assert catalogue.get("ubuntu") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("tiny:1.0", "tiny"), "pin a tag"),
        (("tiny:1.0", "tiny:latest"), "pin a tag"),
        (("tiny:1.0", "Tiny:1.0"), "`reference`"),
        (("tiny:1.0", "tiny:1.0 --privileged"), "`reference`"),
        (("/bin/sh", "sh"), "`shell`"),
        (("/bin/sh", "/bin/sh -c 'rm'"), "`shell`"),
        (('name = "Tiny"\n', ""), "`name`"),
        (('name = "Tiny"', 'name = ""'), "`name`"),
        (("Small.", "x" * 101), "`description`"),
        (('icon = "box"', "icon = 3"), "`icon`"),
        (('icon = "box"', 'icon = "box"\ncolour = "red"'), "`colour`"),
        (('icon = "box"', 'icon = "box"\nbuiltin = "yes"'), "`builtin`"),
        (("[tiny]", "[Tiny]"), "not a usable key"),
        (("[tiny]", "tiny = 1\n[other]"), "not a table"),
        (("[tiny]", "[tiny"), "not TOML"),
        ((GOOD, ""), "holds nothing"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_and_the_mend(tmp_path, change, says):
    found = problems_of(tmp_path, GOOD.replace(*change))
    assert len(found) == 1
    assert found[0].startswith("IMAGES_FILE: ")
    assert says in found[0]


def test_all_mistakes_are_named_at_once(tmp_path):
    text = GOOD.replace("/bin/sh", "sh").replace("tiny:1.0", "tiny") + GOOD.replace(
        "[tiny]", "[two]"
    ).replace('icon = "box"', "")
    assert len(problems_of(tmp_path, text)) == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="IMAGES_FILE: the file cannot be read"):
        catalogue.load(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("reference", "listed"),
    [
        ("ubuntu:24.04", "ubuntu:24.04"),
        ("docker.io/library/ubuntu:24.04", "ubuntu:24.04"),
        ("docker.io/team/app:1", "team/app:1"),
        ("ghcr.io/team/app:1", "ghcr.io/team/app:1"),
    ],
)
def test_an_image_is_found_under_the_name_that_the_docker_host_lists(reference, listed):
    image = catalogue.Image("x", "X", "1", reference, "/bin/sh", "x", "box", builtin=False)
    assert image.local_reference == listed
