"""The style sheets know what scripts put on a page, and neither grows beyond what is read at once."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "static"
LONGEST = 300
GIVEN = re.compile(r"""className = ["'`]([^"'`]+)|classList\.(?:add|toggle)\(["'`]([^"'`]+)""")


def test_every_class_that_a_script_gives_has_a_rule():
    scripts = "".join(path.read_text() for path in (STATIC / "js").rglob("*.js"))
    rules = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    given = {name for pair in GIVEN.findall(scripts) for text in pair for name in text.split()}
    assert given
    assert not {name for name in given if f".{name}" not in rules}


def test_no_file_of_the_product_is_longer_than_three_hundred_lines():
    kinds = ("rexec/**/*.py", "templates/**/*.html", "static/css/*.css", "static/js/**/*.js")
    lengths = {path: len(path.read_text().splitlines()) for kind in kinds for path in ROOT.glob(kind)}
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}
