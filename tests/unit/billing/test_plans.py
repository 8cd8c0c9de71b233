"""The plans: the built-in file, an operator's own, and which plan counts for whom."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from rexec import create_app
from rexec.billing import plans
from rexec.billing.service import plan_of
from rexec.errors import ConfigError
from rexec.extensions import utcnow
from tests.support.settings import make_settings

SOLO = """
[solo]
name = "Solo"
containers = 2
memory_mb = 256
cpu = 0.25
pids = 64
disk_mb = 512
price_cents = 500
"""


def person(plan=None, **paid):
    return SimpleNamespace(**{"plan": plan, "paid_plan": None, "paid_until": None, **paid})


def problems_of(tmp_path, text):
    path = tmp_path / "plans.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        plans.load(path)
    return refused.value.problems


@pytest.fixture
def with_plans(tmp_path):
    """An application with an operator's plans."""

    def make(text):
        path = tmp_path / "plans.toml"
        path.write_text(text, encoding="utf-8")
        return create_app(make_settings(plans_file=path, instance_dir=tmp_path))

    return make


def test_the_built_in_plans_grow_from_free_to_team():
    free, pro, team = plans.load()
    assert [plan.key for plan in (free, pro, team)] == ["free", "pro", "team"]
    assert (free.is_free, free.containers, free.memory_mb, free.cpu_millis) == (True, 1, 512, 500)
    assert free.containers < pro.containers < team.containers
    assert 0 < pro.price_cents < team.price_cents


def test_people_have_their_plan_or_the_free_one(app):
    assert plan_of(person()).key == "free"
    assert plan_of(person("pro")).key == "pro"
    assert plan_of(person("taken-away")).key == "free"


def test_the_larger_of_what_was_given_and_what_is_paid_for_counts(app):
    assert plan_of(person(paid_plan="pro")).key == "pro"
    assert plan_of(person("team", paid_plan="pro")).key == "team"
    assert plan_of(person("pro", paid_plan="team")).key == "team"


def test_what_is_overdue_counts_until_its_time_is_over(app):
    hour = timedelta(hours=1)
    assert plan_of(person(paid_plan="pro", paid_until=utcnow() + hour)).key == "pro"
    assert plan_of(person(paid_plan="pro", paid_until=utcnow() - hour)).key == "free"


def test_without_a_free_plan_who_pays_nothing_has_none(with_plans):
    with with_plans(SOLO).app_context():
        assert plans.default() is None
        assert plan_of(person()) is None
        assert plan_of(person("solo")).name == "Solo"


def test_a_plan_without_idle_minutes_lets_containers_run(with_plans):
    with with_plans(SOLO).app_context():
        assert plans.get("solo").idle_minutes is None
        assert plans.get("solo").price_cents_year is None


def test_the_next_larger_plan_is_the_cheapest_with_room(app):
    free, pro, team = plans.all()
    assert plans.next_larger(free, 2) == pro
    assert plans.next_larger(free, 6) == team
    assert plans.next_larger(team, 21) is None
    assert plans.next_larger(None, 1) == pro


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("containers = 2", "containers = 0"), "`containers`"),
        (("containers = 2", "containers = true"), "`containers`"),
        (("memory_mb = 256\n", ""), "`memory_mb`"),
        (("cpu = 0.25", 'cpu = "half"'), "`cpu`"),
        (("cpu = 0.25", "cpu = nan"), "`cpu`"),
        (("pids = 64", "pids = 1.5"), "`pids`"),
        (("price_cents = 500", "price_cents = -1"), "`price_cents`"),
        (("price_cents = 500", "price_cents = 0\nprice_cents_year = 100"), "costs nothing by the month"),
        (("price_cents = 500", 'price_cents = 500\ncurrency = "Dollar"'), "`currency`"),
        (("price_cents = 500", "price_cents = 500\nidle_minutes = 0"), "`idle_minutes`"),
        (("price_cents = 500", "price_cents = 500\ncontainer = 1"), "`container`"),
        (("Solo", "S" * 31), "`name`"),
        (("[solo]", "[so lo]"), "not TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_and_the_mend(tmp_path, change, says):
    found = problems_of(tmp_path, SOLO.replace(*change))
    assert len(found) == 1
    assert found[0].startswith("PLANS_FILE: ")
    assert says in found[0]


def test_two_free_plans_are_one_too_many(tmp_path):
    free = SOLO.replace("price_cents = 500", "price_cents = 0")
    found = problems_of(tmp_path, free + free.replace("[solo]", "[duo]"))
    assert found == ["PLANS_FILE: more than one plan costs nothing (solo, duo): keep one of them."]


def test_all_mistakes_are_named_at_once(tmp_path):
    text = SOLO.replace("containers = 2", "containers = 0").replace("pids = 64", "pids = 0")
    assert len(problems_of(tmp_path, text)) == 2
