"""Limits counted in Redis: shared by instances, and no reason to wait when Redis is gone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import redis as redis_client

from rexec import create_app
from rexec.accounts.limits import PER_ACCOUNT
from rexec.extensions import db
from tests.support.client import FreshClient
from tests.support.factories import make_user
from tests.support.page_user import PageUser
from tests.support.stacks import on_postgres

pytestmark = on_postgres

TRIES = int(PER_ACCOUNT.split()[0])


@pytest.fixture
def redis_url(own_redis):
    """A Redis that these tests may end."""
    return own_redis.url()


def new_instance(settings):
    """Another instance of Rexec; its limiter starts without any memory of its own."""
    app = create_app(settings)
    app.testing = True
    app.test_client_class = FreshClient
    return app


def close(app):
    with app.app_context():
        db.engine.dispose()
    app.extensions["rexec.docker_host"].close()


def tries(app, count):
    """The statuses of attempts against one account from ever other addresses."""
    return [PageUser(app, "wanted@example.com").log_in("not-the-password").status_code for _ in range(count)]


def test_two_instances_count_together(app, settings):
    assert tries(app, TRIES) == [422] * TRIES
    second = new_instance(settings)
    try:
        assert tries(second, 1) == [429]
    finally:
        close(second)


def test_without_redis_an_instance_counts_alone(app, settings):
    """The control of the test above: it is Redis that makes the second instance know."""
    alone = replace(settings, redis_url=None)
    first, second = new_instance(alone), None
    try:
        assert tries(first, TRIES + 1)[-1] == 429
        second = new_instance(alone)
        assert tries(second, 1) == [422]
    finally:
        close(first)
        if second:
            close(second)


def test_the_keys_name_nobody_and_expire(app, own_redis):
    tries(app, 1)
    with redis_client.Redis.from_url(own_redis.url()) as client:
        keys = [key.decode() for key in client.keys("*") if b"LIMIT" in key.upper()]
        assert keys
        assert not [key for key in keys if "wanted" in key]
        assert all(0 < client.ttl(key) <= 3600 for key in keys)


@pytest.mark.parametrize("way", ["kill", "pause"])
def test_a_redis_that_is_gone_stops_nobody_and_the_limit_stays(app, own_redis, way):
    """Killed it refuses; paused it takes connections and never answers, as behind a broken network."""
    make_user("owner@example.com")
    assert PageUser(app, "owner@example.com").log_in().status_code == 303
    getattr(own_redis, way)()
    try:
        took = []
        for _ in range(4):
            started = time.monotonic()
            assert PageUser(app, "owner@example.com").log_in().status_code == 303
            took.append(time.monotonic() - started)
        assert max(took) < 5, took
        assert tries(app, TRIES + 1)[-1] == 429, "nothing is counted without Redis"
    finally:
        own_redis.resume() if way == "pause" else own_redis.start()


def test_redis_counts_again_when_it_is_back(app, own_redis):
    own_redis.kill()
    tries(app, 1)
    own_redis.start()
    with redis_client.Redis.from_url(own_redis.url()) as client:
        deadline = time.monotonic() + 30
        while not client.keys("*LIMIT*"):
            assert time.monotonic() < deadline, "the limits never came back to Redis"
            PageUser(app).log_in("not-the-password")
