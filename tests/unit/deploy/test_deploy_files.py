"""The files that platforms read: right in shape, and all start the same service and ask the same page."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from rexec.config import REQUIRED_AWAY_FROM_LOOPBACK, VARIABLES
from tests.support.engine import ROOT

START = "rexec serve --bind 0.0.0.0"
LIVE = "/health/live"
IMAGE_FILE = "Dockerfile.remote"
STOPS_WITHIN_S = 10


def load(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


@pytest.fixture
def fly():
    return tomllib.loads((ROOT / "fly.toml").read_text(encoding="utf-8"))


@pytest.fixture
def instructions():
    """The lines of Dockerfile.remote, continued ones joined."""
    text = (ROOT / IMAGE_FILE).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_starts_the_service_and_is_asked_whether_it_lives(instructions):
    assert instructions[-1] == "CMD " + json.dumps(START.split())
    assert any(line.startswith("HEALTHCHECK ") for line in instructions)
    assert LIVE in (ROOT / "scripts" / "healthcheck.py").read_text(encoding="utf-8")


def test_the_image_needs_no_newer_builder_than_the_classic_one(instructions):
    for line in instructions:
        assert "<<" not in line
        assert not re.search(r"--(mount|network|security|chmod|link|parents|exclude)\b", line), line
    assert not (ROOT / IMAGE_FILE).read_text(encoding="utf-8").startswith("# syntax")


def test_its_base_is_pinned_to_a_release(instructions):
    assert re.fullmatch(r"ARG BASE_IMAGE=python:3\.\d+-slim-[a-z]+", instructions[0])
    assert {line.split()[1] for line in instructions if line.startswith("FROM ")} == {"${BASE_IMAGE}"}


def test_only_what_the_image_copies_is_sent_to_whoever_builds_it(instructions):
    kept = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert kept[0] == "*"
    allowed = {line[1:] for line in kept if line.startswith("!")}
    copied = {
        source
        for line in instructions
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert all(source in allowed or Path(source).parts[0] in allowed for source in copied), copied - allowed
    assert all(any(source == name or source.startswith(f"{name}/") for source in copied) for name in allowed)
    assert all((ROOT / name).exists() for name in allowed)


def test_railway_builds_the_image_and_gives_it_time_to_end():
    railway = load("railway.json")
    assert railway["$schema"] == "https://railway.com/railway.schema.json"
    assert railway["build"] == {"builder": "DOCKERFILE", "dockerfilePath": IMAGE_FILE}
    deploy = railway["deploy"]
    assert (deploy["startCommand"], deploy["healthcheckPath"]) == (START, LIVE)
    assert deploy["drainingSeconds"] > STOPS_WITHIN_S
    assert deploy["sleepApplication"] is False


def test_render_makes_everything_and_asks_for_the_secrets():
    blueprint = load("render.yaml")
    service, redis = blueprint["services"]
    (database,) = blueprint["databases"]
    assert (service["type"], service["runtime"]) == ("web", "docker")
    assert service["dockerfilePath"] == f"./{IMAGE_FILE}"
    assert (service["dockerCommand"], service["healthCheckPath"]) == (START, LIVE)
    assert service["maxShutdownDelaySeconds"] > STOPS_WITHIN_S
    variables = {variable.pop("key"): variable for variable in service["envVars"]}
    assert set(variables) <= set(VARIABLES)
    assert set(REQUIRED_AWAY_FROM_LOOPBACK) <= set(variables)
    for name in ("DOCKER_HOST", "DOCKER_CA_CERT", "DOCKER_CLIENT_CERT", "DOCKER_CLIENT_KEY"):
        assert variables[name] == {"sync": False}
    assert variables["DATABASE_URL"]["fromDatabase"]["name"] == database["name"]
    assert variables["REDIS_URL"]["fromService"]["name"] == redis["name"]
    assert (redis["type"], redis["ipAllowList"], database["ipAllowList"]) == ("keyvalue", [], [])


def test_fly_never_stops_the_machine_that_terminals_run_through(fly):
    assert fly["build"] == {"dockerfile": IMAGE_FILE}
    assert fly["processes"] == {"app": START}
    assert (fly["kill_signal"], fly["kill_timeout"] > STOPS_WITHIN_S) == ("SIGTERM", True)
    service = fly["http_service"]
    assert str(service["internal_port"]) == fly["env"]["PORT"]
    assert (service["force_https"], service["auto_stop_machines"]) == (True, "off")
    assert service["min_machines_running"] >= 1
    assert [check["path"] for check in service["checks"]] == [LIVE]
    assert set(fly["env"]) <= set(VARIABLES)


def test_a_procfile_names_the_same_command():
    assert (ROOT / "Procfile").read_text(encoding="utf-8") == f"web: {START}\n"


def test_compose_keeps_everything_on_the_machine_itself():
    services = load("compose.yaml")["services"]
    assert set(services) == {"rexec", "postgres", "redis"}
    rexec = services["rexec"]
    assert rexec["build"] == {"context": ".", "dockerfile": IMAGE_FILE}
    assert all(port.startswith("127.0.0.1:") for port in rexec["ports"])
    assert not any(services[name].get("ports") for name in ("postgres", "redis"))
    assert set(rexec["environment"]) <= set(VARIABLES)
    assert (rexec["read_only"], rexec["cap_drop"]) == (True, ["ALL"])
    assert rexec["env_file"] in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert rexec["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert "healthcheck" in services["postgres"]
    assert all(":" in service["image"] for name, service in services.items() if name != "rexec")
