"""Addresses of static files that change with their content, so that browsers may keep them for ever.

The version is a part of the path and the same for all files: what a module or a style sheet imports by a
relative address then has it too, is kept as long, and never comes from another release.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from flask import Flask, Response, current_app, request, url_for

YEAR: Final = 365 * 24 * 3600
EXTENSION: Final = "rexec.static_version"
ENDPOINT: Final = "versioned_static"
KNOWN: Final = "rexec.static_urls"


def _version_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _version() -> str:
    extensions = current_app.extensions
    if EXTENSION not in extensions:
        extensions[EXTENSION] = _version_of(Path(current_app.static_folder or ""))
    return str(extensions[EXTENSION])


def static_url(filename: str) -> str:
    """The address of a file below `static/`, with the version of all of them."""
    # A page names the icons' file hundreds of times, and building an address costs as much as a table row.
    known: dict[str, str] = current_app.extensions.setdefault(KNOWN, {})
    if filename not in known:
        known[filename] = url_for(ENDPOINT, version=_version(), filename=filename)
    return known[filename]


def vendor(filename: str) -> str:
    """The address of a front-end package's file, as set-up copied it from npm."""
    return static_url(f"vendor/{filename}")


def init_app(app: Flask) -> None:
    """Offer `static_url` and `vendor` to templates, and serve what they name, to be kept for ever."""
    app.jinja_env.globals.update(static_url=static_url, vendor=vendor)

    @app.get("/static/v/<version>/<path:filename>", endpoint=ENDPOINT)
    def versioned(version: str, filename: str) -> Response:
        response = app.send_static_file(filename)
        # Asked for by a page of another release: this is only what stands in for it.
        ours = version == _version()
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if ours else "no-cache"
        return response

    @app.after_request
    def revalidate_others(response: Response) -> Response:
        if request.endpoint == "static":
            response.headers["Cache-Control"] = "no-cache"
        return response
