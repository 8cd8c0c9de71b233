#!/usr/bin/env python3
"""Copies the browser packages from node_modules into static/vendor and builds the icon sprite.

Run by `scripts/run` and `scripts/test` after `npm ci`. static/icons.txt names the icons, one a line.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
ICON_LIST = ROOT / "static" / "icons.txt"
SVG = "{http://www.w3.org/2000/svg}"

FILES = {
    "@xterm/xterm/lib/xterm.mjs": "xterm/xterm.mjs",
    "@xterm/xterm/css/xterm.css": "xterm/xterm.css",
    "@xterm/addon-fit/lib/addon-fit.mjs": "xterm/addon-fit.mjs",
    "@xterm/addon-search/lib/addon-search.mjs": "xterm/addon-search.mjs",
    "@xterm/addon-web-links/lib/addon-web-links.mjs": "xterm/addon-web-links.mjs",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
}


def copy_files(target: Path) -> None:
    """Copy each file of FILES, without the line that names a source map, which is not served."""
    for source, name in FILES.items():
        text = (MODULES / source).read_text(encoding="utf-8")
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"\n//# sourceMappingURL=\S*\s*$", "\n", text), encoding="utf-8")


def icon_names() -> list[str]:
    """Return the names in static/icons.txt; empty lines and lines that start with # are left out."""
    lines = (line.strip() for line in ICON_LIST.read_text(encoding="utf-8").splitlines())
    return sorted({line for line in lines if line and not line.startswith("#")})


def symbol(name: str) -> ET.Element:
    """Return the icon as a <symbol> with its name as id; how it is stroked is left to the style sheet."""
    path = MODULES / "lucide-static" / "icons" / f"{name}.svg"
    if not path.is_file():
        sys.exit(f"scripts/vendor.py: lucide-static has no icon {name!r}, named in static/icons.txt")
    drawing = ET.parse(path).getroot()  # noqa: S314 -- our own locked package
    element = ET.Element(f"{SVG}symbol", {"id": name, "viewBox": drawing.get("viewBox", "0 0 24 24")})
    element.extend(drawing)
    return element


def build_sprite(target: Path) -> None:
    """Write all icons into one SVG file, icons.svg."""
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    sprite = ET.Element(f"{SVG}svg")
    sprite.extend(symbol(name) for name in icon_names())
    for element in sprite.iter():
        element.text = element.tail = None
    ET.ElementTree(sprite).write(target / "icons.svg", encoding="utf-8")


def main() -> None:
    """Build the folder aside and put it in place whole, so that a running server never sees half of it."""
    VENDOR.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=VENDOR.parent, prefix=".vendor-") as folder:
        target = Path(folder) / "vendor"
        copy_files(target)
        build_sprite(target)
        if VENDOR.exists():
            shutil.move(VENDOR, Path(folder) / "old")
        shutil.move(target, VENDOR)


if __name__ == "__main__":
    main()
