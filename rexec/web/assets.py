"""Addresses of static files that change with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

YEAR = 365 * 24 * 3600


@lru_cache(maxsize=512)
def _digest(path: str, _modified_ns: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def static_url(filename: str) -> str:
    """The address of a file below `static/`, with a digest of its content."""
    path = Path(current_app.static_folder or "") / filename
    version = _digest(str(path), path.stat().st_mtime_ns) if path.is_file() else None
    return url_for("static", filename=filename, v=version)


def vendor(filename: str) -> str:
    """The address of a front-end package's file, as set-up copied it from npm."""
    return static_url(f"vendor/{filename}")


def init_app(app: Flask) -> None:
    """Offer `static_url` and `vendor` to templates and set how long browsers keep static files."""
    app.jinja_env.globals.update(static_url=static_url, vendor=vendor)

    @app.after_request
    def cache_static_files(response: Response) -> Response:
        if request.endpoint == "static":
            versioned = "v" in request.args and response.status_code in {200, 304}
            response.headers["Cache-Control"] = (
                f"public, max-age={YEAR}, immutable" if versioned else "no-cache"
            )
        return response
