"""`rexec users`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from rexec.accounts import passwords, service
from rexec.admin.cli import users
from rexec.extensions import db
from tests.support.factories import make_container, make_user
from tests.support.page_user import PageUser

SECRET = "correct-horse-battery"


@pytest.fixture
def command(app):
    """Runs `rexec users` with arguments and standard input."""

    def run(*arguments, typed=None):
        db.session.rollback()
        return CliRunner().invoke(users, arguments, obj=lambda: app, input=typed)

    return run


def verifies(email, password):
    """Whether a password opens an account."""
    db.session.rollback()
    db.session.expire_all()
    return passwords.verify(service.find(email).password_hash, password)


@pytest.mark.parametrize("name", ["create", "invite", "list", "set-plan", "reset-password", "disable"])
def test_each_command_explains_itself_without_an_application(name):
    answer = CliRunner().invoke(users, [name, "--help"])
    assert answer.exit_code == 0
    assert "Usage:" in answer.output


@pytest.mark.parametrize("name", ["create", "reset-password"])
def test_no_command_takes_a_password_as_an_argument(name):
    options = [option for parameter in users.commands[name].params for option in parameter.opts]
    assert not [option for option in options if "password" in option]


def test_create_reads_the_password_from_standard_input(command):
    answer = command("create", "New@Example.com", "--stdin", "--plan", "pro", "--admin", typed=f"{SECRET}\n")
    assert (answer.exit_code, answer.output) == (0, "new@example.com has an account and administers.\n")
    user = service.find("new@example.com")
    assert (user.plan, user.is_admin) == ("pro", True)
    assert verifies("new@example.com", SECRET)


def test_create_asks_twice_and_shows_nothing(command):
    answer = command("create", "new@example.com", typed=f"{SECRET}\n{SECRET}\n")
    assert answer.exit_code == 0
    assert SECRET not in answer.output
    assert verifies("new@example.com", SECRET)


def test_create_generates_a_password_alone_on_standard_output(command):
    answer = command("create", "new@example.com", "--generate")
    assert answer.exit_code == 0
    assert verifies("new@example.com", answer.stdout.removesuffix("\n"))
    assert "has an account" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("taken@example.com", "--stdin"), SECRET, "There is an account with this address already"),
        (("no-address", "--stdin"), SECRET, "Type an e-mail address"),
        (("new@example.com", "--stdin"), "short", "at least 10 characters"),
        (("new@example.com", "--stdin"), "", "Standard input held no password."),
        (("new@example.com", "--stdin", "--generate"), SECRET, "Choose one of"),
        (("new@example.com", "--stdin", "--plan", "platinum"), SECRET, "there are: free, pro, team"),
    ],
)
def test_create_refuses_in_one_line_and_code_1(command, arguments, typed, said):
    make_user("taken@example.com")
    answer = command("create", *arguments, typed=typed)
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert said in answer.stderr
    assert answer.stderr.startswith("rexec: ")
    assert answer.stderr.count("\n") == 1


def test_invite_prints_a_link_that_works(app, command):
    answer = command("invite", "guest@example.com", "--plan", "team", "--admin")
    assert answer.exit_code == 0
    base, slash, token = answer.stdout.strip().partition("/join/")
    assert (base, slash) == ("http://127.0.0.1:8080", "/join/")
    assert PageUser(app).sign_up(f"/join/{token}").status_code == 303
    user = service.find("guest@example.com")
    assert (user.plan, user.is_admin) == ("team", True)


def test_invite_without_an_address_is_for_anybody(app, command):
    guest = PageUser(app)
    path = command("invite").stdout.strip().partition("8080")[2]
    assert guest.sign_up(path).status_code == 303
    assert not service.find(guest.email).is_admin


def test_list_is_a_table(command):
    make_container(make_user("owner@example.com", plan="pro", is_admin=True))
    make_user("gone@example.com", is_disabled=True)
    answer = command("list")
    lines = answer.stdout.splitlines()
    assert answer.exit_code == 0
    assert lines[0].split() == ["E-MAIL", "PLAN", "CONTAINERS", "ADMIN", "STATE", "LAST", "LOG-IN"]
    assert lines[1].split() == ["owner@example.com", "pro", "1", "admin", "never"]
    assert lines[2].split() == ["gone@example.com", "default", "0", "disabled", "never"]


def test_list_is_json_for_scripts_and_holds_no_hash(command):
    owner = make_user("owner@example.com")
    make_user("other@example.com")
    found = json.loads(command("list", "--json", "--search", "OWNER").stdout)["users"]
    assert [user["email"] for user in found] == ["owner@example.com"]
    assert set(found[0]) == {
        "email",
        "plan",
        "containers",
        "admin",
        "disabled",
        "created_at",
        "last_login_at",
    }
    assert owner.password_hash not in json.dumps(found)


def test_list_of_nobody_is_a_head(command):
    assert command("list").stdout.splitlines()[0].startswith("E-MAIL")
    assert json.loads(command("list", "--json").stdout) == {"users": []}


def test_set_plan_gives_and_takes_back(command):
    make_user("owner@example.com")
    assert command("set-plan", "Owner@example.com", "pro").exit_code == 0
    assert service.find("owner@example.com").plan == "pro"
    assert command("set-plan", "owner@example.com", "default").exit_code == 0
    assert service.find("owner@example.com").plan is None
    refused = command("set-plan", "owner@example.com", "platinum")
    assert (refused.exit_code, service.find("owner@example.com").plan) == (1, None)


def test_reset_password_logs_out_everywhere(app, command):
    person = PageUser(app, "owner@example.com")
    person.sign_up()
    answer = command("reset-password", "owner@example.com", "--stdin", typed=f"{SECRET}\n")
    assert answer.exit_code == 0
    assert not person.is_logged_in()
    assert verifies("owner@example.com", SECRET)


def test_reset_password_generates_one(command):
    make_user("owner@example.com")
    made = command("reset-password", "owner@example.com", "--generate").stdout.strip()
    assert verifies("owner@example.com", made)


def test_reset_password_prints_a_link_that_works(app, command):
    make_user("owner@example.com")
    path = command("reset-password", "owner@example.com", "--link").stdout.strip().partition("8080")[2]
    assert PageUser(app).post(path, {"password": SECRET}).status_code == 303
    assert verifies("owner@example.com", SECRET)


def test_disable_and_its_undoing(app, command):
    person = PageUser(app, "owner@example.com")
    person.sign_up()
    assert command("disable", "owner@example.com").exit_code == 0
    assert not person.is_logged_in()
    assert person.log_in().status_code == 422
    assert command("disable", "owner@example.com", "--undo").exit_code == 0
    assert person.log_in().status_code == 303


@pytest.mark.parametrize("arguments", [("set-plan", "x@example.com", "pro"), ("disable", "x@example.com")])
def test_somebody_unknown_is_said_to_be(command, arguments):
    answer = command(*arguments)
    assert answer.exit_code == 1
    assert (
        answer.stderr
        == "rexec: There is no account with this e-mail address. `rexec users list` shows all of them.\n"
    )


def test_a_database_without_tables_is_said_to_be(app, command):
    db.drop_all()
    answer = command("list")
    assert answer.exit_code == 1
    assert "`rexec serve` makes the tables" in answer.stderr
