"""The billing page: plan now, use against each limit, plans side by side."""

from __future__ import annotations

import re

import pytest

from rexec.accounts import service
from rexec.billing import compare, plans
from rexec.billing.plans import Plan
from rexec.extensions import db
from tests.support.factories import make_container
from tests.support.page_user import PageUser, visible
from tests.support.settings import make_settings

FREE = Plan("free", "Free", 1, 512, 500, 256, 2048, 30, 0)
PRO = Plan("pro", "Pro", 5, 2048, 1000, 256, 10240, None, 950, 9900, "eur")


@pytest.fixture
def owner(app):
    """Somebody with an account, logged in."""
    person = PageUser(app)
    person.sign_up()
    return person


def row_of(person):
    return service.find(person.email)


def test_a_stranger_is_asked_to_log_in(app):
    assert PageUser(app).get("/billing").location == "/login?next=/billing"


def test_the_page_says_which_plan_and_how_much_of_it_is_used(owner):
    make_container(row_of(owner), memory_mb=512, cpu_millis=500, disk_mb=2048)
    text = visible(owner.get("/billing"))
    assert "Plan now: Free" in text
    assert "1 container runs at this moment." in text
    assert "Containers 1 of 1" in text
    assert "Memory in use 512 MB of 512 MB" in text
    assert "Processors in use 0.5 of 0.5" in text


def test_the_use_of_others_is_theirs(app, owner):
    other = PageUser(app)
    other.sign_up()
    make_container(row_of(other))
    assert "Containers 0 of 1" in visible(owner.get("/billing"))


def test_every_bar_is_a_meter_with_its_limit(owner):
    row_of(owner).plan = "pro"
    db.session.commit()
    page = owner.get("/billing").text
    meters = re.findall(r'<meter [^>]*max="([\d.]+)"', page)
    assert [float(limit) for limit in meters] == [5, 5 * 2048, 5.0, 5 * 10240]


def test_the_plan_one_has_is_marked_and_the_page_says_who_changes_it(owner):
    page = owner.get("/billing")
    assert re.findall(r'data-plan="(\w+)" aria-current="true"', page.text) == ["free"]
    assert "Free yours $0 Containers 1" in visible(page)
    assert "Whoever runs this service changes plans" in visible(page)


def test_a_plan_taken_out_of_the_file_counts_as_the_free_one(owner):
    row_of(owner).plan = "platinum"
    db.session.commit()
    assert "Plan now: Free" in visible(owner.get("/billing"))


class TestWithoutAFreePlan:
    @pytest.fixture
    def settings(self, tmp_path):
        text = plans.BUILT_IN.read_text(encoding="utf-8")
        file = tmp_path / "plans.toml"
        file.write_text(text[text.index("[pro]") : text.index("[team]")], encoding="utf-8")
        return make_settings(instance_dir=tmp_path, plans_file=file)

    def test_somebody_without_a_plan_is_told_so(self, owner):
        text = visible(owner.get("/billing"))
        assert "No plan yet" in text
        assert "What it allows" in text
        assert "$9 a month" in text


def test_only_differences_are_compared():
    rows = {row.label: row.values for row in compare.rows([FREE, PRO])}
    assert rows["Price"] == ("nothing", "€9.50 a month")
    assert rows["By the year"] == ("–", "€99 a year")
    assert rows["Memory of each"] == ("512 MB", "2 GB")
    assert rows["Processors of each"] == ("0.5 cores", "1 core")
    assert rows["Left idle"] == ("stops after 30 min", "runs on")
    assert "Processes of each" not in rows


def test_a_single_plan_is_shown_whole():
    assert len(compare.rows([FREE])) == 8
