"""Imports point one way: from the command down to the settings, and inside a domain from views to models."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "rexec"

LAYERS = [
    {"cli", "supervisor", "watcher", "worker"},
    {"doctor"},
    {"api", "admin", "health"},
    {"terminals"},
    {"containers"},
    {"billing"},
    {"accounts"},
    {"web", "jobs", "docker_host"},
    {"extensions"},
    {"config", "operator_files", "postgres"},
    {"docker_settings"},
    {"environment", "pem", "stopping"},
    {"errors"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
COMPOSITION = {"cli", "supervisor", "watcher", "worker", "__init__"}
"""These put the parts together; everything else goes through what `create_app` registered."""

INSIDE = {"models": 0, "service": 1, "jobs": 2, "views": 2}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    # The web server starts what the domains above it registered: it composes, as the supervisor does.
    return "supervisor" if parts == ("web", "server") else parts[0]


def imported(path):
    """Dotted names below `rexec` that a module imports at run time, wherever in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "rexec":
                yield from (f"rexec.{alias.name}" for alias in node.names)
            else:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def breaches(path):
    source = part_of(path)
    if source == "__init__":
        return
    for name in imported(path):
        if not name.startswith("rexec."):
            continue
        target = name.split(".")[1]
        if target not in RANK:
            if source not in COMPOSITION:
                yield f"{path.relative_to(PACKAGE)} imports {name}, which only the composition may"
            continue
        if target == source:
            continue
        if RANK[target] < RANK[source] or (RANK[target] == RANK[source] and source not in COMPOSITION):
            yield f"{path.relative_to(PACKAGE)} imports {name}"


def test_every_module_belongs_to_a_layer():
    assert {part_of(path) for path in modules()} - {"__init__"} <= set(RANK)


def test_imports_point_down_the_layers():
    found = [breach for path in modules() for breach in breaches(path)]
    assert found == []


@pytest.mark.parametrize(
    "domain", ["accounts", "billing", "containers", "terminals", "health", "admin", "jobs"]
)
def test_inside_a_domain_services_know_no_views_and_models_know_neither(domain):
    found = []
    for path in (PACKAGE / domain).glob("*.py"):
        rank = INSIDE.get(path.stem)
        for name in imported(path):
            parts = name.split(".")
            if rank is not None and parts[:2] == ["rexec", domain] and len(parts) > 2:
                found += [f"{path.stem} imports {name}"] if INSIDE.get(parts[2], -1) > rank else []
    assert found == []


@pytest.mark.parametrize("forbidden", ["flask", "sqlalchemy", "flask_sqlalchemy", "flask_login"])
def test_the_docker_host_client_knows_neither_flask_nor_the_database(forbidden):
    found = [
        f"{path.name} imports {name}"
        for path in (PACKAGE / "docker_host").glob("*.py")
        for name in imported(path)
        if name.split(".")[0] == forbidden
    ]
    assert found == []


def test_services_never_see_the_request():
    found = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        if path.stem in {"service", "models", "states"}
        for name in imported(path)
        if name in {"flask.request", "flask.g", "flask.session"}
    ]
    assert found == []


def test_only_the_settings_read_the_environment():
    readers = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if "os.environ" in path.read_text(encoding="utf-8") or "getenv" in path.read_text(encoding="utf-8")
    }
    # The factory and the command only hand os.environ to Settings.from_env and look at nothing in it.
    assert readers <= {"__init__.py", "cli.py", "config.py"}
