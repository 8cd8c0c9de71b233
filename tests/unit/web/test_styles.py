"""The style sheets know what scripts put on a page."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[3] / "static"
GIVEN = re.compile(r"""className = ["'`]([^"'`]+)|classList\.(?:add|toggle)\(["'`]([^"'`]+)""")


def test_every_class_that_a_script_gives_has_a_rule():
    scripts = "".join(path.read_text() for path in (STATIC / "js").rglob("*.js"))
    rules = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    given = {name for pair in GIVEN.findall(scripts) for text in pair for name in text.split()}
    assert given
    assert not {name for name in given if f".{name}" not in rules}
