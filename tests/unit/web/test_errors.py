"""Errors have a page each in the frame of all pages, and only here do they meet a status."""

import re

import pytest
from flask import abort
from sqlalchemy.exc import InternalError, OperationalError

from rexec import errors
from rexec.docker_host.errors import DockerUnreachable
from rexec.web.errors import status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput(), 422),
        (errors.NotFound(), 404),
        (errors.Conflict(), 409),
        (errors.LimitReached(), 409),
        (errors.Forbidden(), 403),
        (errors.TooManyRequests(), 429),
        (errors.Unavailable(), 503),
        (DockerUnreachable(), 503),
        (errors.RexecError(), 500),
    ],
)
def test_each_kind_of_error_has_its_status(error, status):
    assert status_of(error) == status


@pytest.fixture
def failing(make_app):
    """A client and a way to say what `/fails` raises."""
    app = make_app()
    raised = []

    @app.get("/fails")
    def fails():
        raise raised[-1]

    return app.test_client(), raised.append


def test_an_error_says_what_happened_what_to_do_and_a_code(failing):
    client, raises = failing
    raises(errors.Conflict("The <b>shelf</b> is full.", hint="Empty it.", code="shelf_full"))
    response = client.get("/fails")
    assert response.status_code == 409
    assert "The &lt;b&gt;shelf&lt;/b&gt; is full." in response.text
    assert "Empty it." in response.text
    assert "shelf_full" in response.text


def test_a_bug_shows_the_request_id_and_nothing_of_itself(failing, caplog):
    client, raises = failing
    raises(RuntimeError("secret detail"))
    response = client.get("/fails")
    assert response.status_code == 500
    assert "secret detail" not in response.text
    assert response.headers["X-Request-Id"] in response.text
    assert response.headers["X-Request-Id"] in caplog.text


def test_no_link_that_sets_a_password_is_in_the_log_of_a_bug(make_app, caplog):
    app = make_app()

    @app.post("/hands-out/<token>")
    def hands_out(token):
        raise RuntimeError

    app.config["WTF_CSRF_ENABLED"] = False
    assert app.test_client().post("/hands-out/a-secret-token").status_code == 500
    assert "POST /hands-out/<token> failed" in caplog.text
    assert "a-secret-token" not in caplog.text


@pytest.mark.parametrize("kind", [OperationalError, InternalError])
def test_a_dead_database_is_a_page_that_needs_no_database(failing, kind):
    client, raises = failing
    raises(kind("SELECT 1", {}, Exception("connection to 10.0.0.5 refused")))
    response = client.get("/fails")
    assert response.status_code == 503
    assert "10.0.0.5" not in response.text
    assert "database" in response.text


@pytest.mark.parametrize("status", [403, 404, 413, 429, 500, 503])
def test_each_page_is_one_sentence_one_way_on_and_the_request_id(make_app, status):
    app = make_app()
    app.add_url_rule("/aborts", view_func=lambda: abort(status))
    response = app.test_client().get("/aborts")
    assert response.status_code == status
    assert "<title>" in response.text
    assert 'class="bar"' in response.text
    main = response.text.partition("<main")[2].partition("</main>")[0]
    (sentence,) = re.findall(r"<h1>([^<]+)</h1>", main)
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert len(re.findall(r"<a |<button", main)) == 1
    assert response.headers["X-Request-Id"] in main


def test_an_address_that_does_not_exist_is_a_page(client):
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "There is nothing here." in response.text


def test_a_wrong_method_names_the_right_ones(client):
    response = client.get("/logout")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_a_program_gets_json(client):
    response = client.get("/nowhere", headers={"Accept": "application/json"})
    assert response.get_json()["error"]["code"] == "http_404"


def test_a_form_without_its_token_is_refused(client):
    response = client.post("/login", data={"email": "a@example.com", "password": "x"})
    assert response.status_code == 400
    assert "reload the page" in response.text


def test_a_body_that_is_too_large_is_refused(client):
    response = client.post("/login", data={"email": "a" * 2_000_000})
    assert response.status_code == 413
