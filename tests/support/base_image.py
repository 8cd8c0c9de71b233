"""A base image for builds where no registry can be reached: the machine's own distribution with its Python.

Inside it, pip and npm look where those of this machine look, and trust whom they trust.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.plain_engine import into_the_outer_network

OWN_AUTHORITIES = Path("/usr/local/share/ca-certificates")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
OLDEST_PYTHON = (3, 11)
OWN_FILES = (".cert", ".client-cert", ".constraint", ".find-links")
"""Options of pip that name files of this machine."""


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def _release() -> str:
    """The code name of this machine's distribution."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"].strip('"')


def _source(release: str) -> tuple[str, str]:
    """Where apt has the distribution from, and the components it takes, separated by commas."""
    listed = _output(
        *("apt-get", "indextargets", "--format", "$(SUITE) $(CODENAME) $(REPO_URI) $(COMPONENT)"),
        "Created-By: Packages",
    )
    rows = [line.split() for line in listed.splitlines()]
    found = [(uri, component) for _, name, uri, component in rows if name == release]
    assert found, f"apt knows no source of {release}"
    address = found[0][0]
    return address, ",".join(dict.fromkeys(component for uri, component in found if uri == address))


def _python_package() -> str:
    """The distribution's Python package that is new enough."""
    version = _output("apt-cache", "show", "--no-all-versions", "python3").partition("Version: ")[2]
    new_enough = tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_PYTHON
    return "python3" if new_enough else "python3.11"


def _pip_settings() -> str:
    """This machine's settings of pip, of files and environment, without those that name its own files."""
    settings = configparser.RawConfigParser()
    settings["global"] = {"cert": BUNDLE}
    for line in _output("python3", "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        words = [word for word in value.strip("'\"").replace("\\n", " ").split() if "file://" not in word]
        if words and not name.endswith(OWN_FILES):
            settings["global"][name.rpartition(".")[2]] = " ".join(words)
    return (
        "\n".join(["[global]", *(f"{name} = {value}" for name, value in settings["global"].items())]) + "\n"
    )


def _npm_settings() -> str:
    """This machine's settings of npm's registry, with the authorities of the image."""
    own = Path("~/.npmrc").expanduser()
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or os.environ.get("npm_config_registry")  # noqa: SIM112
    lines = own.read_text().splitlines() if own.is_file() else []
    lines = [line for line in lines if not line.startswith("cafile")]
    return "\n".join([*lines, f"cafile={BUNDLE}", *([f"registry={registry}"] if registry else [])]) + "\n"


def _bootstrap(tree: Path) -> None:
    release, python = _release(), _python_package()
    address, components = _source(release)
    done = subprocess.run(
        [
            *(*into_the_outer_network(), "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
            *(f"--components={components}", f"--include={python},{python}-venv,ca-certificates,passwd"),
            *("--format=directory", release, str(tree), address),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    if python != "python3":
        (tree / "usr/local/bin/python3").symlink_to(f"/usr/bin/{python}")


def _adapt(tree: Path) -> None:
    for authority in OWN_AUTHORITIES.glob("*.crt"):
        shutil.copy(authority, tree / OWN_AUTHORITIES.relative_to("/"))
    subprocess.run(["chroot", str(tree), "update-ca-certificates"], capture_output=True, check=True)
    (tree / "etc/pip.conf").write_text(_pip_settings(), encoding="utf-8")
    (tree / "root/.npmrc").write_text(_npm_settings(), encoding="utf-8")
    for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
        shutil.rmtree(tree / waste, ignore_errors=True)


def base_image_file(folder: Path, scratch: Path) -> Path:
    """The image's only layer as a tar file, kept from session to session while what it depends on stays.

    Args:
        folder: Where to keep it.
        scratch: Where to make it; a folder that is there.
    """
    authorities = [path.read_text() for path in sorted(OWN_AUTHORITIES.glob("*.crt"))]
    inputs = [
        _release(),
        *_source(_release()),
        _python_package(),
        _pip_settings(),
        _npm_settings(),
        *authorities,
    ]
    kept = folder / f"base-{hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]}.tar"
    if kept.exists():
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    packed = kept.with_suffix(".part")
    with tempfile.TemporaryDirectory(dir=scratch) as own:
        # Not the folder itself, which only root may enter: it is the root folder of the image.
        tree = Path(own, "tree")
        _bootstrap(tree)
        _adapt(tree)
        subprocess.run(["tar", "-C", str(tree), "--numeric-owner", "-cf", str(packed), "."], check=True)
    packed.rename(kept)
    return kept
